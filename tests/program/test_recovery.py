"""Recovery: announced by compliance, executed by compliance and admin after its delay, stopped by the guardian (M7)."""

from __future__ import annotations

import pytest
from solders.keypair import Keypair
from spl.token.constants import TOKEN_2022_PROGRAM_ID
from spl.token.instructions import CloseAccountParams, close_account

from tests.program.recovery_case import DESTINATION, HELD_RAW, MINT, RECOVERY, SOURCE, YEAR_SECS, Case, case_of
from tests.program.role_keys import keys_of
from tests.program.test_admin_handover import seal
from tests.program.test_freeze import TOKEN_2022_ACCOUNT_FROZEN, freezing, sending, thawing
from tests.program.test_pauses import pausing, resuming
from tests.program.test_redemptions import closing
from tests.program.test_retire_release import THAW, releasing
from tests.program.test_timelock import TIMELOCK_SECS
from tests.support.deployed import Asset, AssetPool, DeployedProgram
from tests.support.edit import with_account, with_flags
from tests.support.error_codes import ErrorCode
from tests.support.fixtures import single_fixture
from tests.support.live_chain import Call, address_of, call
from tests.support.mints import token_instruction
from xstocks_daemon.chain.addresses import pubkey
from xstocks_daemon.chain.mint_layout import DECIMALS
from xstocks_daemon.chain.program import Profile, RecoveryState
from xstocks_daemon.chain.transactions import transfer_tokens
from xstocks_daemon.domain.snapshot import Scope
from xstocks_daemon.domain.units import Address


@single_fixture
async def sealed_case(own_program: DeployedProgram) -> Case:
    """Of a sealed program of its own."""
    [asset] = await own_program.register()
    case = await case_of(asset)
    await seal(own_program)
    return case


async def test_an_announced_recovery_moves_exactly_its_amount_after_its_delay(sealed_case: Case) -> None:
    case, program = sealed_case, sealed_case.program
    delay_secs = TIMELOCK_SECS[program.chain.kind]
    before_ts, supply_raw = await program.chain.clock_ts(), await case.asset.supply_raw()
    [event] = await program.accepted(case.announcing(600, delay_secs=delay_secs))
    recovery = await case.read()
    named = {
        "mint": case.asset.mint,
        "recovery": recovery.address,
        "source": case.source,
        "destination": case.destination,
    }
    assert (event.name, event.fields) == (
        "RecoveryAnnounced",
        {**named, "amount_raw": 600, "ready_ts": recovery.ready_ts},
    )
    assert recovery.state is RecoveryState.ANNOUNCED
    assert recovery.ready_ts == recovery.announced_ts + delay_secs
    assert before_ts <= recovery.announced_ts <= await program.chain.clock_ts()
    assert (recovery.mint, recovery.source, recovery.destination, recovery.amount_raw) == (
        case.asset.mint,
        case.source,
        case.destination,
        600,
    )
    # Frozen at once: the holder does not get ahead of it.
    frozen = {"InstructionError": [1, {"Custom": TOKEN_2022_ACCOUNT_FROZEN}]}
    await program.chain.fails(sending(case.asset, case.wallet, case.destination, 1), frozen)

    await program.chain.clock_reaches(recovery.ready_ts)
    [event] = await program.accepted(case.executing())
    assert (event.name, event.fields) == ("RecoveryExecuted", {**named, "amount_raw": 600})
    assert await case.balances_raw() == (400, 600)
    assert await case.asset.supply_raw() == supply_raw
    assert await case.asset.frozen(case.source)
    assert not await case.asset.frozen(case.destination)
    assert (await case.read()).state is RecoveryState.EXECUTED
    # Once, and what is left is the holder's again when compliance thaws it.
    await program.refused(case.executing(), ErrorCode.RecoveryNotOpen)
    await program.accepted(case.acting("thaw"))
    await program.chain.accepted(sending(case.asset, case.wallet, case.destination, 400))


@pytest.mark.embedded_only
async def test_a_recovery_waits_to_the_last_second(sealed_case: Case) -> None:
    recovery = await sealed_case.announce(delay_secs=TIMELOCK_SECS["embedded"])
    await sealed_case.program.refused(sealed_case.executing(), ErrorCode.RecoveryNotReady)
    await sealed_case.program.chain.switches_at(
        recovery.ready_ts, sealed_case.executing(), before=ErrorCode.RecoveryNotReady, since=None
    )
    await sealed_case.program.accepted(sealed_case.executing())


async def test_the_delay_is_at_least_the_timelock_and_at_most_a_year(sealed_case: Case) -> None:
    case, program = sealed_case, sealed_case.program
    timelock_secs = TIMELOCK_SECS[program.chain.kind]
    for delay_secs in (0, timelock_secs - 1, YEAR_SECS + 1, 2**64 - 1):
        await program.refused(case.announcing(delay_secs=delay_secs), ErrorCode.RecoveryDelayInvalid)
    for delay_secs in (timelock_secs, YEAR_SECS):
        recovery = await case.announce(delay_secs=delay_secs)
        assert recovery.ready_ts == recovery.announced_ts + delay_secs
        await program.accepted(case.cancelling())


async def test_it_takes_compliance_and_admin(case: Case) -> None:
    await case.announce()
    program, good = case.program, case.execution()
    compliance, admin = 0, 1
    for name, key in keys_of(program).items():
        signers = (key, program.keys.admin.keypair, program.keys.compliance.keypair)
        if name != "compliance":
            by_other = call(with_account(good, compliance, address_of(key)), *signers)
            await program.refused(by_other, ErrorCode.NotCompliance)
        if name != "admin":
            await program.refused(call(with_account(good, admin, address_of(key)), *signers), ErrorCode.NotAdmin)
    for index in (compliance, admin):
        unsigned = with_flags(good, index, signer=False)
        await program.refused(case.by_both(unsigned), ErrorCode.AccountNotSigner)
    await program.accepted(case.executing())


async def test_the_amount_is_some_and_not_more_than_the_source_holds(case: Case) -> None:
    for amount_raw, error in (
        (0, ErrorCode.AmountZero),
        (HELD_RAW + 1, ErrorCode.RecoveryTooLarge),
        (2**64 - 1, ErrorCode.RecoveryTooLarge),
    ):
        await case.program.refused(case.announcing(amount_raw), error)
    await case.announce(HELD_RAW)
    await case.program.accepted(case.executing())
    assert await case.balances_raw() == (0, HELD_RAW)


async def test_no_vault_of_the_program_is_recovered_from_or_to(case: Case) -> None:
    asset, program = case.asset, case.program
    for vault in (asset.vault, program.addresses.redemption_vault(asset.mint)):
        await program.refused(case.announcing(1, source=vault), ErrorCode.VaultProtected)
        await program.refused(case.announcing(1, destination=vault), ErrorCode.VaultProtected)
    await program.accepted(case.announcing(1))


async def test_source_and_destination_are_two_token_accounts_of_the_mint(case: Case, pool: AssetPool) -> None:
    program, other = case.program, await pool.take()
    foreign = await other.open_account(address_of(Keypair()))
    await program.refused(case.announcing(destination=case.source), ErrorCode.RecoveryToItself)
    for wrong in (foreign, case.asset.mint, case.asset.address, address_of(Keypair())):
        await program.refused(case.announcing(source=wrong), ErrorCode.TokenAccountInvalid)
        await program.refused(case.announcing(destination=wrong), ErrorCode.TokenAccountInvalid)
    of_other = with_account(case.announcement(), MINT - 1, other.mint)
    await program.refused(program.by("compliance", of_other), ErrorCode.WrongMint)
    await program.accepted(case.announcing())


async def test_the_open_profile_has_no_recovery(program: DeployedProgram, case: Case) -> None:
    [free] = await program.register(profile=Profile.OPEN)
    await program.refused((await case_of(free)).announcing(), ErrorCode.NotFreezable)
    await program.accepted(case.announcing())


async def test_what_was_announced_is_what_is_moved(case: Case, pool: AssetPool) -> None:
    """Another destination, source or record is not what holders and the guardian were told."""
    program, other = case.program, await case_of(await pool.take())
    await case.announce()
    await other.announce()
    thief = await case.asset.open_account(address_of(Keypair()))
    good = case.execution()
    for index, address, error in (
        (DESTINATION, thief, ErrorCode.RecoveryMismatch),
        (SOURCE, thief, ErrorCode.RecoveryMismatch),
        (RECOVERY, (await other.read()).address, ErrorCode.RecoveryMismatch),
        (RECOVERY, program.addresses.recovery(thief), ErrorCode.AccountNotInitialized),
        (MINT, other.asset.mint, ErrorCode.WrongMint),
    ):
        await program.refused(case.by_both(with_account(good, index, address)), error)
    # The other recovery's accounts, with this asset and mint.
    mixed = other.execution()
    for index in (MINT - 1, MINT):
        mixed = with_account(mixed, index, Address(bytes(good.accounts[index].pubkey)))
    await program.refused(case.by_both(mixed), ErrorCode.RecoveryMismatch)
    await program.accepted(case.executing())
    await program.accepted(other.executing())


async def test_a_recovery_is_of_the_mint_that_it_was_announced_for(program: DeployedProgram, pool: AssetPool) -> None:
    """Once a mint is released, its new authority may thaw the source. Emptied, closed and made anew at its address for
    another mint, it holds tokens about which nobody announced anything."""
    gone, other = await pool.take(), await pool.take()
    wallet, heir, new = await gone.holder(HELD_RAW), Keypair(), Keypair()
    source_key, destination_key = Keypair(), Keypair()
    keys, owner, source, destination = program.keys, wallet, address_of(source_key), address_of(destination_key)
    for each in (address_of(owner), address_of(heir)):
        await program.chain.fund(each)

    async def open_accounts(asset: Asset) -> None:
        for holder, key in ((owner, source_key), (heir, destination_key)):
            await asset.open_another(holder, key=key)

    def recovering(asset: Asset) -> Call:
        instruction = program.client.execute_recovery(
            compliance=keys.compliance.address,
            admin=keys.admin.address,
            mint=asset.mint,
            source=source,
            destination=destination,
        )
        return call(instruction, keys.compliance.keypair, keys.admin.keypair)

    def sending_on(asset: Asset, sender: Address, receiver: Address) -> Call:
        transfer = transfer_tokens(
            source=sender,
            mint=asset.mint,
            destination=receiver,
            owner=address_of(owner),
            amount_raw=HELD_RAW,
            decimals=DECIMALS,
        )
        return call(transfer, owner)

    def announcing(asset: Asset) -> Call:
        instruction = program.client.announce_recovery(
            compliance=keys.compliance.address,
            mint=asset.mint,
            source=source,
            destination=destination,
            amount_raw=HELD_RAW,
            delay_secs=0,
        )
        return program.by("compliance", instruction)

    await gone.open_account(address_of(heir))
    await open_accounts(gone)
    its_own = gone.token_account(address_of(owner))
    await program.chain.accepted(sending_on(gone, its_own, source))
    await program.accepted(announcing(gone))
    await program.accepted(releasing(program, gone, address_of(new)))
    await program.chain.accepted(call(token_instruction(THAW, source, gone.mint, signer=address_of(new)), new))
    await program.chain.accepted(sending_on(gone, source, its_own))
    for key, holder in ((source_key, owner), (destination_key, heir)):
        await program.chain.accepted(closing(address_of(key), holder))

    await other.attest(HELD_RAW)
    await program.accepted(await other.mint_call(HELD_RAW))
    for holder in (owner, heir):
        await other.open_account(address_of(holder))
    await open_accounts(other)
    await program.accepted(await other.distribute_call(HELD_RAW, owner, destination=source))
    await program.accepted(program.by("compliance", freezing(program, other, source)))
    await program.refused(recovering(other), ErrorCode.RecoveryMismatch)
    await program.accepted(
        program.by("guardian", program.client.cancel_recovery(guardian=keys.guardian.address, source=source))
    )
    await program.accepted(announcing(other))
    await program.accepted(recovering(other))


async def test_one_recovery_of_an_account_at_a_time(case: Case) -> None:
    await case.announce(100)
    await case.program.refused(case.announcing(200), ErrorCode.RecoveryOpen)
    assert (await case.read()).amount_raw == 100
    await case.program.accepted(case.executing())
    await case.announce(200)
    await case.program.accepted(case.cancelling())
    await case.announce(300)
    await case.program.accepted(case.executing())
    assert await case.balances_raw() == (HELD_RAW - 400, 400)


async def test_the_guardian_stops_it_and_the_source_stays_frozen(case: Case) -> None:
    program = case.program
    await program.refused(case.cancelling(), ErrorCode.AccountNotInitialized)
    recovery = await case.announce()
    [event] = await program.accepted(case.cancelling())
    assert (event.name, event.fields) == (
        "RecoveryCancelled",
        {"mint": case.asset.mint, "recovery": recovery.address, "source": case.source},
    )
    assert (await case.read()).state is RecoveryState.CANCELLED
    await program.refused(case.executing(), ErrorCode.RecoveryNotOpen)
    await program.refused(case.cancelling(), ErrorCode.RecoveryNotOpen)
    assert await case.asset.frozen(case.source)
    assert await case.balances_raw() == (HELD_RAW, 0)
    await case.announce()
    await program.accepted(case.executing())
    await program.refused(case.cancelling(), ErrorCode.RecoveryNotOpen)


async def test_the_source_is_not_thawed_while_a_recovery_is_announced(case: Case) -> None:
    """Else compliance could let the holder run, or an accomplice empty the account, before it happens."""
    await case.announce()
    await case.program.refused(case.acting("thaw"), ErrorCode.RecoveryOpen)
    await case.program.accepted(case.cancelling())
    await case.program.accepted(case.acting("thaw"))
    assert not await case.asset.frozen(case.source)


async def test_a_source_that_is_frozen_already_is_recovered_from(case: Case) -> None:
    await case.program.accepted(case.acting("freeze"))
    await case.announce()
    await case.program.accepted(case.executing())
    assert await case.asset.frozen(case.source)


async def test_nothing_is_recovered_into_a_frozen_account(case: Case) -> None:
    program, asset = case.program, case.asset
    freeze = program.by("compliance", freezing(program, asset, case.destination))
    thaw = program.by("compliance", thawing(program, asset, case.destination))
    await program.accepted(freeze)
    await program.refused(case.announcing(), ErrorCode.AccountFrozen)
    await program.accepted(thaw)
    await case.announce()
    await program.accepted(freeze)
    await program.refused(case.executing(), ErrorCode.AccountFrozen)
    await program.accepted(thaw)
    await program.accepted(case.executing())


async def test_a_destination_that_closes_its_account_delays_and_changes_nothing(case: Case) -> None:
    await case.announce()
    owner = case.heir.pubkey()
    closing = close_account(
        CloseAccountParams(
            program_id=TOKEN_2022_PROGRAM_ID, account=pubkey(case.destination), dest=owner, owner=owner, signers=[]
        )
    )
    await case.program.chain.accepted(call(closing, case.heir))
    await case.program.refused(case.executing(), ErrorCode.TokenAccountInvalid)
    await case.asset.open_account(address_of(case.heir))
    await case.program.accepted(case.executing())


async def test_the_frozen_source_is_not_closed_under_a_recovery(case: Case) -> None:
    """It holds at least the amount, and Token-2022 closes empty accounts only."""
    await case.announce(1)
    owner = case.wallet.pubkey()
    closing = close_account(
        CloseAccountParams(
            program_id=TOKEN_2022_PROGRAM_ID, account=pubkey(case.source), dest=owner, owner=owner, signers=[]
        )
    )
    non_native_has_balance = 11
    await case.program.chain.fails(
        call(closing, case.wallet), {"InstructionError": [1, {"Custom": non_native_has_balance}]}
    )
    await case.program.accepted(case.executing())


async def test_paused_transfers_stop_a_recovery_by_name(case: Case) -> None:
    await case.announce()
    await case.program.accepted(pausing(case.program, Scope.TRANSFERS, case.asset.mint))
    await case.program.refused(case.executing(), ErrorCode.Paused)
    await case.program.accepted(resuming(case.program, Scope.TRANSFERS, case.asset.mint))
    await case.program.accepted(case.executing())


@pytest.mark.parametrize("lamports", [1_000_000, 10**9], ids=["under-funded", "over-funded"])
async def test_a_prefunded_recovery_address_blocks_nothing(case: Case, lamports: int) -> None:
    await case.program.chain.fund(case.program.addresses.recovery(case.source), lamports=lamports)
    assert (await case.announce()).state is RecoveryState.ANNOUNCED
    await case.program.accepted(case.executing())


async def test_the_record_is_the_sources_own(case: Case) -> None:
    program, recovery_index = case.program, 6
    other = await case.asset.open_account(address_of(Keypair()))
    await program.chain.accepted(sending(case.asset, case.wallet, other, 1))
    good = case.announcement(1)
    for elsewhere in (program.addresses.recovery(other), address_of(Keypair())):
        wrong = with_account(good, recovery_index, elsewhere)
        await program.refused(program.by("compliance", wrong), ErrorCode.ConstraintSeeds)
    await program.accepted(program.by("compliance", good))
    await program.accepted(case.cancelling())
    # A record that exists and is of another source is not written over.
    of_other = case.announcement(1, source=other)
    wrong = with_account(of_other, recovery_index, (await case.read()).address)
    await program.refused(program.by("compliance", wrong), ErrorCode.ConstraintSeeds)
    await program.accepted(program.by("compliance", of_other))
