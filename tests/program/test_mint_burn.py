"""mint and burn: the ceiling (M1), freshness (M2), the sequence (M4), rate and supply limits (M5), vaults only (M7)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair

from tests.reserve.document import bytes_of, places
from tests.support.deployed import Asset, AssetPool, DeployedProgram, supply_call
from tests.support.edit import patched, with_account, with_accounts, with_data
from tests.support.error_codes import ErrorCode
from tests.support.initialized import OTHER_CUSTODIAN, OWN_CUSTODIAN
from tests.support.live_chain import Call, address_of, call
from tests.support.tables import lookup_table
from xstocks_daemon.chain.addresses import TOKEN_2022, pubkey
from xstocks_daemon.chain.transactions import transfer_tokens
from xstocks_daemon.domain.intent import NO_ORDER, Intent, IntentKind
from xstocks_daemon.domain.snapshot import EntryState
from xstocks_daemon.domain.units import MILLIS_PER_SEC

BATCH = 18

_SEQUENCE_AT = 8 + 8 + 3 * 32


# ---- the ceiling (M1) ------------------------------------------------------------------------------------------------


async def test_a_mint_reaches_the_ceiling_exactly_and_not_one_unit_more(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    await program.refused(await asset.mint_call(1_001), ErrorCode.CeilingExceeded)
    events = await program.accepted(await asset.mint_call(1_000))
    assert [event.name for event in events] == ["Minted"]
    assert (await asset.supply_raw(), await asset.balance_raw()) == (1_000, 1_000)
    state = await asset.read()
    assert (state.minted_raw, state.sequence) == (1_000, 1)
    intent = Intent(IntentKind.MINT, asset.mint, 0, 1_000, asset.vault, NO_ORDER)
    assert state.last_intent_hash == intent.intent_hash(program.deployment.genesis_hash, program.client.program_id)
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)


async def test_without_a_statement_nothing_is_minted(program: DeployedProgram, asset: Asset) -> None:
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)
    await asset.attest(100)
    await program.accepted(await asset.mint_call(1))


async def test_two_mints_of_one_asset_in_one_instruction_count_both(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    await program.refused(await asset.mint_call(600, 401), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(600, 400))
    state = await asset.read()
    assert (state.minted_raw, state.sequence, await asset.supply_raw()) == (1_000, 2, 1_000)


async def test_two_mints_of_one_asset_in_one_transaction_count_both(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    first = await asset.mint_call(600)
    await program.refused(first + await asset.mint_call(401, sequence=1), ErrorCode.CeilingExceeded)
    await program.accepted(first + await asset.mint_call(400, sequence=1))
    assert await asset.supply_raw() == 1_000


async def test_a_holder_burn_frees_its_ceiling(program: DeployedProgram, asset: Asset) -> None:
    """The supply is read from the mint itself, so what a holder destroyed is not counted."""
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(1_000))
    wallet = await program.participant()
    account = await asset.open_account(address_of(wallet))
    await program.accepted(await asset.distribute_call(300, wallet))
    await program.refused(await asset.mint_call(300), ErrorCode.CeilingExceeded)
    await program.chain.accepted(call(burn_checked(account, asset, wallet, 300), wallet))
    assert await asset.supply_raw() == 700
    await program.refused(await asset.mint_call(301), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(300))
    assert (await asset.read()).minted_raw == 1_300


# ---- whose statements count (M2) -------------------------------------------------------------------------------------


async def test_a_custodian_that_is_not_passed_counts_nothing(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    await asset.attest(500, custodian=OTHER_CUSTODIAN)
    await program.refused(await asset.mint_call(1, custodians=()), ErrorCode.CeilingExceeded)
    await program.refused(await asset.mint_call(1_001), ErrorCode.CeilingExceeded)
    await program.refused(await asset.mint_call(501, custodians=(OTHER_CUSTODIAN,)), ErrorCode.CeilingExceeded)
    both = (OWN_CUSTODIAN, OTHER_CUSTODIAN)
    await program.refused(await asset.mint_call(1_501, custodians=both), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(1_500, custodians=both))


async def test_a_custodian_of_other_assets_may_stand_by(program: DeployedProgram, asset: Asset) -> None:
    """A batch passes the custodians of all its assets; one that an asset does not know changes nothing for it."""
    await asset.attest(1_000)
    stranger = await program.add_custodian()
    await program.refused(await asset.mint_call(1_001, custodians=(OWN_CUSTODIAN, stranger)), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(1_000, custodians=(OWN_CUSTODIAN, stranger)))


async def test_custodians_stand_in_ascending_order_and_once(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    good = await asset.mint_call(1, custodians=(OWN_CUSTODIAN, OTHER_CUSTODIAN))
    [instruction] = good.instructions
    fixed = 4
    head, [first, second], tail = (
        instruction.accounts[:fixed],
        instruction.accounts[fixed : fixed + 2],
        instruction.accounts[fixed + 2 :],
    )
    for wrong in ([second, first], [first, first]):
        changed = with_accounts(instruction, [*head, *wrong, *tail])
        await program.refused(good.but(instructions=(changed,)), ErrorCode.CustodiansNotAscending)
    await program.accepted(good)


async def test_at_most_five_custodians_are_passed(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    others = [await program.add_custodian() for _ in range(5)]
    six = await asset.mint_call(1, custodians=(OWN_CUSTODIAN, *others))
    await program.refused(six, ErrorCode.EntriesAccountsMismatch)
    await program.accepted(await asset.mint_call(1, custodians=(OWN_CUSTODIAN, *others[:4])))


@pytest.mark.embedded_only
async def test_an_entry_is_fresh_until_its_greatest_age(program: DeployedProgram, asset: Asset) -> None:
    """now - observed <= max_age: exact, since the clock stands still between two simulations."""
    max_age_secs = (await asset.read()).policy.max_age_secs
    now_ts = await program.chain.clock_ts()
    statement = await asset.attest(1_000)
    assert statement.observed_ms // MILLIS_PER_SEC in range(now_ts, now_ts + 4)
    # The last whole second in which the statement is not too old.
    last_ts = (statement.observed_ms + max_age_secs * MILLIS_PER_SEC) // MILLIS_PER_SEC
    refused = {"InstructionError": [1, {"Custom": int(ErrorCode.CeilingExceeded)}]}
    await program.chain.clock_reaches(last_ts - 1)
    while (now_ts := await program.chain.clock_ts()) <= last_ts + 1:
        simulated = await program.chain.simulate(await asset.mint_call(1))
        assert simulated.err == (None if now_ts <= last_ts else refused)
        await program.chain.advance_clock(1)
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(1))


@pytest.mark.embedded_only
async def test_an_entry_counts_until_the_second_of_its_expiry(program: DeployedProgram, asset: Asset) -> None:
    expires_ts = await program.chain.clock_ts() + 1_000
    await asset.attest(1_000, expires_ts=expires_ts)
    await program.chain.clock_reaches(expires_ts - 5)
    await program.accepted(await asset.mint_call(1))
    await program.chain.clock_reaches(expires_ts)
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(1))


@pytest.mark.embedded_only
async def test_one_custodians_silence_removes_its_part_only(program: DeployedProgram, asset: Asset) -> None:
    both = (OWN_CUSTODIAN, OTHER_CUSTODIAN)
    expires_ts = await program.chain.clock_ts() + 1_000
    await asset.attest(1_000, expires_ts=expires_ts)
    await asset.attest(500, custodian=OTHER_CUSTODIAN)
    await program.chain.clock_reaches(expires_ts)
    await program.refused(await asset.mint_call(501, custodians=both), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(500, custodians=both))


# Where entries stand in an Asset, and fields of an entry.
_ENTRIES_AT = next(place.offset for place in places("Asset") if place.name == "entries")
_ENTRY_BYTES = bytes_of("Entry")

_EPOCH_AT, _STATE_AT, _WITHDRAWN_AT, _MULTIPLIER_AT = 32, 36, 37, 88


def entry_edited(data: bytes, slot: int, offset: int, content: bytes) -> bytes:
    """The Asset account with one field of an entry changed."""
    return patched(data, _ENTRIES_AT + slot * _ENTRY_BYTES + offset, content)


@pytest.mark.embedded_only
@pytest.mark.parametrize(
    ("offset", "content"),
    [
        (_STATE_AT, bytes([EntryState.DETACHED])),
        (_WITHDRAWN_AT, b"\1"),
        (_EPOCH_AT, (2).to_bytes(4, "little")),
        (_EPOCH_AT, (0).to_bytes(4, "little")),
        (_MULTIPLIER_AT, (0x3FF0_0000_0000_0001).to_bytes(8, "little")),
    ],
    ids=["detached", "withdrawn", "a later epoch", "an earlier epoch", "another multiplier"],
)
async def test_each_condition_of_freshness_counts_by_itself(
    program: DeployedProgram, asset: Asset, offset: int, content: bytes
) -> None:
    """Instructions change several fields at once, so one field of a good entry is edited here."""
    await asset.attest(1_000)
    info = await program.chain.account(asset.address)
    await program.chain.set_account(asset.address, replace(info, data=entry_edited(info.data, 0, offset, content)))
    assert (await asset.entry()).capacity_raw == 1_000
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)
    await program.chain.set_account(asset.address, info)
    await program.accepted(await asset.mint_call(1))


# ---- the sequence (M4) -----------------------------------------------------------------------------------------------


async def test_a_number_executes_once(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    first = await asset.mint_call(100)
    await program.accepted(first)
    await program.refused(first, ErrorCode.WrongSequence)
    await program.refused(await asset.burn_call(100, sequence=0), ErrorCode.WrongSequence)
    await program.refused(await asset.mint_call(100, sequence=2), ErrorCode.WrongSequence)
    await program.accepted(await asset.burn_call(100, sequence=1))
    await program.accepted(await asset.mint_call(100, sequence=2))


async def test_a_batch_with_one_wrong_number_does_nothing(program: DeployedProgram, pool: AssetPool) -> None:
    one, two = await pool.take(), await pool.take()
    for asset in (one, two):
        await asset.attest(1_000)
    await program.accepted(await two.mint_call(1))
    batch = await supply_call(program, IntentKind.MINT, [(one, 10), (two, 10)], sequence=0)
    await program.refused(batch, ErrorCode.WrongSequence)
    assert (await one.read()).sequence == 0
    await program.accepted(await supply_call(program, IntentKind.MINT, [(one, 10), (two, 10)]))


@pytest.mark.embedded_only
async def test_the_last_number_is_never_passed(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    info = await program.chain.account(asset.address)
    last = 2**64 - 1
    for sequence, error in ((last, ErrorCode.SequenceExhausted), (last - 1, None)):
        edited = patched(info.data, _SEQUENCE_AT, sequence.to_bytes(8, "little"))
        await program.chain.set_account(asset.address, replace(info, data=edited))
        sent = await asset.mint_call(1, sequence=sequence)
        if error is not None:
            await program.refused(sent, error)
        else:
            await program.accepted(sent)
    assert (await asset.read()).sequence == last


# ---- burn (M7) -------------------------------------------------------------------------------------------------------


async def test_a_burn_takes_from_the_vault_and_counts(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(1_000))
    await program.refused(await asset.burn_call(1_001), ErrorCode.InventoryTooLow)
    events = await program.accepted(await asset.burn_call(300))
    assert [event.name for event in events] == ["Burnt"]
    state = await asset.read()
    assert (state.burnt_raw, state.minted_raw, state.sequence) == (300, 1_000, 2)
    assert (await asset.supply_raw(), await asset.balance_raw()) == (700, 700)


async def test_what_is_distributed_cannot_be_burnt(program: DeployedProgram, asset: Asset) -> None:
    """M7: the permanent delegate could, and the program never does."""
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(1_000))
    wallet = await program.participant()
    account = await asset.open_account(address_of(wallet))
    await program.accepted(await asset.distribute_call(900, wallet))
    sent = await asset.burn_call(100)
    [instruction] = sent.instructions
    vault_index = len(instruction.accounts) - 1
    stolen = with_account(instruction, vault_index, account)
    await program.refused(sent.but(instructions=(stolen,)), ErrorCode.WrongVault)
    await program.refused(await asset.burn_call(101), ErrorCode.InventoryTooLow)
    await program.accepted(sent)
    assert await asset.balance_raw(account) == 900


async def test_burns_need_no_statement(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(1_000))
    await asset.attest(0)
    await program.accepted(await asset.burn_call(600, custodians=()))
    await program.accepted(await asset.burn_call(400, custodians=(OWN_CUSTODIAN, OTHER_CUSTODIAN)))
    assert await asset.supply_raw() == 0


def burn_checked(account: bytes, asset: Asset, owner: Keypair, amount_raw: int) -> Instruction:
    """Token-2022 BurnChecked by the holder."""
    data = bytes([15]) + amount_raw.to_bytes(8, "little") + bytes([8])
    return Instruction(
        pubkey(TOKEN_2022),
        data,
        [
            AccountMeta(pubkey(account), is_signer=False, is_writable=True),
            AccountMeta(pubkey(asset.mint), is_signer=False, is_writable=True),
            AccountMeta(owner.pubkey(), is_signer=True, is_writable=False),
        ],
    )


# ---- batches ---------------------------------------------------------------------------------------------------------


async def test_18_assets_are_minted_and_burnt_in_one_transaction(program: DeployedProgram, pool: AssetPool) -> None:
    assets = [await pool.take() for _ in range(BATCH)]
    table = await lookup_table(program, [asset.mint for asset in assets])
    statement = await program.statement({asset: 10_000 * (n + 1) for n, asset in enumerate(assets)})
    await program.accepted(program.relay(statement).but(tables=(table,)))
    entries = [(asset, 1_000 * (n + 1)) for n, asset in enumerate(assets)]
    operator = program.keys.operator.keypair
    for kind in (IntentKind.MINT, IntentKind.BURN):
        sent = (await supply_call(program, kind, entries)).but(tables=(table,), payer=operator)
        await program.accepted(sent)
        for n, asset in enumerate(assets):
            assert await asset.supply_raw() == (1_000 * (n + 1) if kind is IntentKind.MINT else 0)


async def test_a_batch_is_all_or_nothing(program: DeployedProgram, pool: AssetPool) -> None:
    one, two = await pool.take(), await pool.take()
    await one.attest(1_000)
    await two.attest(1_000)
    wrong = await supply_call(program, IntentKind.MINT, [(one, 1_000), (two, 1_001)])
    await program.refused(wrong, ErrorCode.CeilingExceeded)
    assert (await one.supply_raw(), (await one.read()).sequence) == (0, 0)
    await program.accepted(await supply_call(program, IntentKind.MINT, [(one, 1_000), (two, 1_000)]))


@pytest.mark.parametrize("kind", [IntentKind.MINT, IntentKind.BURN])
async def test_a_batch_has_entries_and_their_accounts(program: DeployedProgram, asset: Asset, kind: IntentKind) -> None:
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(10))
    good = await supply_call(program, kind, [(asset, 1)])
    [instruction] = good.instructions
    data = bytes(instruction.data)
    wrong = {
        ErrorCode.NoEntries: with_data(instruction, data[:8] + bytes(4)),
        ErrorCode.TooManyEntries: with_data(instruction, data[:8] + (21).to_bytes(4, "little") + bytes(21 * 32)),
        ErrorCode.EntriesAccountsMismatch: with_accounts(instruction, instruction.accounts[:-2]),
        ErrorCode.InstructionDidNotDeserialize: with_data(instruction, data[:-1]),
    }
    for error, changed in wrong.items():
        await program.refused(good.but(instructions=(changed,)), error)
    await program.accepted(good)


async def test_tokens_leave_a_wallet_by_its_owner_only(program: DeployedProgram, asset: Asset) -> None:
    """After a distribution the wallet sends them by an ordinary transfer; the operator cannot."""
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(1_000))
    wallet, other = await program.participant(), Keypair()
    source = await asset.open_account(address_of(wallet))
    destination = await asset.open_account(address_of(other))
    await program.accepted(await asset.distribute_call(500, wallet))

    def transfer(owner: Keypair) -> Call:
        return call(
            transfer_tokens(
                source=source,
                mint=asset.mint,
                destination=destination,
                owner=address_of(owner),
                amount_raw=200,
                decimals=8,
            ),
            owner,
        )

    owner_mismatch = 4
    operator = program.keys.operator.keypair
    await program.chain.fails(transfer(operator), {"InstructionError": [1, {"Custom": owner_mismatch}]})
    await program.chain.accepted(transfer(wallet))
    assert (await asset.balance_raw(source), await asset.balance_raw(destination)) == (300, 200)
