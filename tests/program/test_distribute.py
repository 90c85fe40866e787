"""distribute: from the vault to an active participant's token account, the single way out (M4, M5, M7)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair

from tests.support.deployed import Asset, AssetPool, DeployedProgram
from tests.support.edit import patched, with_account
from tests.support.error_codes import ErrorCode
from tests.support.initialized import OWN_CUSTODIAN, ROOMY
from tests.support.live_chain import Call, address_of
from xstocks_daemon.chain.addresses import TOKEN_2022
from xstocks_daemon.domain.intent import NO_ORDER
from xstocks_daemon.domain.snapshot import AssetState
from xstocks_daemon.domain.units import Address

# Places in the instruction.
ASSET, MINT, VAULT, DESTINATION, PARTICIPANT, TOKEN_PROGRAM = range(2, 8)

_ASSET_STATE_AT = 8 + 4
_TOKEN_ACCOUNT_STATE_AT = 108


async def stocked(program: DeployedProgram, asset: Asset, amount_raw: int = 1_000) -> Keypair:
    """The asset with an inventory, and a participant with a token account."""
    await asset.attest(amount_raw)
    await program.accepted(await asset.mint_call(amount_raw))
    wallet = await program.participant()
    await asset.open_account(address_of(wallet))
    return wallet


def but_account(sent: Call, index: int, address: Address) -> Call:
    [instruction] = sent.instructions
    return sent.but(instructions=(with_account(instruction, index, address),))


async def test_a_distribution_moves_inventory_to_a_participant(program: DeployedProgram, asset: Asset) -> None:
    wallet = await stocked(program, asset)
    order_id = bytes(range(16, 32))
    [event] = await program.accepted(await asset.distribute_call(400, wallet, order_id=order_id))
    account = asset.token_account(address_of(wallet))
    assert (await asset.balance_raw(), await asset.balance_raw(account)) == (600, 400)
    state = await asset.read()
    assert (state.distributed_raw, state.sequence, await asset.supply_raw()) == (400, 2, 1_000)
    assert event.name == "Distributed"
    assert event.fields["mint"] == asset.mint
    assert (event.fields["sequence"], event.fields["amount_raw"]) == (1, 400)
    assert (event.fields["order_id"], event.fields["destination"]) == (order_id, account)
    assert event.fields["intent_hash"] == state.last_intent_hash


async def test_a_distribution_executes_once(program: DeployedProgram, asset: Asset) -> None:
    wallet = await stocked(program, asset)
    sent = await asset.distribute_call(400, wallet)
    await program.accepted(sent)
    await program.refused(sent, ErrorCode.WrongSequence)
    await program.refused(await asset.distribute_call(400, wallet, sequence=3), ErrorCode.WrongSequence)
    await program.accepted(await asset.distribute_call(400, wallet, sequence=2))


async def test_not_more_than_the_inventory_leaves(program: DeployedProgram, asset: Asset) -> None:
    wallet = await stocked(program, asset)
    await program.refused(await asset.distribute_call(1_001, wallet), ErrorCode.InventoryTooLow)
    await program.refused(await asset.distribute_call(0, wallet), ErrorCode.AmountZero)
    await program.accepted(await asset.distribute_call(1_000, wallet))


async def test_an_order_has_a_number(program: DeployedProgram, asset: Asset) -> None:
    wallet = await stocked(program, asset)
    await program.refused(await asset.distribute_call(1, wallet, order_id=NO_ORDER), ErrorCode.OrderIdZero)
    await program.accepted(await asset.distribute_call(1, wallet, order_id=NO_ORDER[:-1] + b"\1"))


async def test_only_participants_receive(program: DeployedProgram, asset: Asset) -> None:
    wallet = await stocked(program, asset)
    good = await asset.distribute_call(1, wallet)
    stranger = Keypair()
    await asset.open_account(address_of(stranger))
    await program.refused(await asset.distribute_call(1, stranger), ErrorCode.AccountNotInitialized)
    # Somebody else's permission does not serve a stranger's account.
    strangers_account = asset.token_account(address_of(stranger))
    await program.refused(but_account(good, DESTINATION, strangers_account), ErrorCode.DestinationOwnerMismatch)
    other = await program.participant()
    others_permission = program.addresses.participant(address_of(other))
    await program.refused(but_account(good, PARTICIPANT, others_permission), ErrorCode.DestinationOwnerMismatch)
    await program.accepted(good)


def setting(
    program: DeployedProgram, wallet: Keypair, expires_ts: int, *, state: int = 1, country: bytes = b"CH"
) -> Call:
    """set_participant with any values."""
    registrar = program.keys.registrar
    instruction: Instruction = program.client.build(
        "set_participant",
        {"state": state, "expires_ts": expires_ts, "country": country},
        {
            "registrar": registrar.address,
            "participant": program.addresses.participant(address_of(wallet)),
            "wallet": address_of(wallet),
        },
    )
    return program.by("registrar", instruction)


async def test_a_deactivated_participant_receives_nothing(program: DeployedProgram, asset: Asset) -> None:
    wallet = await stocked(program, asset)
    later_ts = await program.chain.clock_ts() + 10_000
    [event] = await program.accepted(setting(program, wallet, later_ts, state=0))
    assert (event.name, event.fields["state"]) == ("ParticipantChanged", 0)
    await program.refused(await asset.distribute_call(1, wallet), ErrorCode.ParticipantInactive)
    await program.accepted(setting(program, wallet, later_ts))
    await program.accepted(await asset.distribute_call(1, wallet))


@pytest.mark.embedded_only
async def test_a_participant_receives_until_the_second_of_its_expiry(program: DeployedProgram, asset: Asset) -> None:
    wallet = await stocked(program, asset)
    expires_ts = await program.chain.clock_ts() + 1_000
    await program.accepted(setting(program, wallet, expires_ts))
    await program.chain.clock_reaches(expires_ts - 5)
    await program.accepted(await asset.distribute_call(1, wallet))
    await program.chain.clock_reaches(expires_ts)
    await program.refused(await asset.distribute_call(1, wallet), ErrorCode.ParticipantExpired)
    await program.accepted(setting(program, wallet, expires_ts + 1_000))
    await program.accepted(await asset.distribute_call(1, wallet))


async def test_a_participant_has_a_state_an_end_and_a_country(program: DeployedProgram) -> None:
    wallet = Keypair()
    now_ts = await program.chain.clock_ts()
    later_ts = now_ts + 1_000
    await program.refused(setting(program, wallet, later_ts, state=2), ErrorCode.UnknownState)
    for expires_ts in (now_ts, 0, -1):
        await program.refused(setting(program, wallet, expires_ts), ErrorCode.ExpiryInvalid)
    for country in (b"ch", b"C1", b"\0\0", b"C "):
        await program.refused(setting(program, wallet, later_ts, country=country), ErrorCode.CountryInvalid)
    await program.accepted(setting(program, wallet, later_ts))
    address = program.addresses.participant(address_of(wallet))
    info = await program.chain.account(address)
    participant = program.client.participant(address, info.data, info.owner)
    assert (participant.wallet, participant.country) == (address_of(wallet), "CH")
    assert participant.expires_ts == later_ts


async def test_a_participants_account_is_of_its_wallet(program: DeployedProgram) -> None:
    one, other = Keypair(), Keypair()
    later_ts = await program.chain.clock_ts() + 1_000
    await program.accepted(setting(program, one, later_ts))
    [instruction] = setting(program, other, later_ts).instructions
    participant_index = 2
    ones = with_account(instruction, participant_index, program.addresses.participant(address_of(one)))
    await program.refused(program.by("registrar", ones), ErrorCode.ConstraintSeeds)
    nobodys = with_account(instruction, participant_index, address_of(Keypair()))
    await program.refused(program.by("registrar", nobodys), ErrorCode.ConstraintSeeds)
    await program.accepted(program.by("registrar", instruction))


@pytest.mark.parametrize("lamports", [1_000_000, 10**10], ids=["under-funded", "over-funded"])
async def test_a_prefunded_participant_address_blocks_nothing(program: DeployedProgram, lamports: int) -> None:
    wallet = Keypair()
    await program.chain.fund(program.addresses.participant(address_of(wallet)), lamports=lamports)
    await program.accepted(setting(program, wallet, await program.chain.clock_ts() + 1_000))


async def test_the_destination_is_a_token_account_of_this_mint(program: DeployedProgram, pool: AssetPool) -> None:
    asset, other = await pool.take(), await pool.take()
    wallet = await stocked(program, asset)
    good = await asset.distribute_call(1, wallet)
    of_another_mint = await other.open_account(address_of(wallet))
    missing = asset.token_account(address_of(Keypair()))
    for destination in (of_another_mint, missing, asset.mint, asset.address):
        await program.refused(but_account(good, DESTINATION, destination), ErrorCode.DestinationInvalid)
    await program.accepted(good)


@pytest.mark.embedded_only
async def test_a_copy_of_a_token_account_under_another_owner_is_no_destination(
    program: DeployedProgram, asset: Asset
) -> None:
    wallet, fake = await stocked(program, asset), address_of(Keypair())
    good = await asset.distribute_call(1, wallet)
    info = await program.chain.account(asset.token_account(address_of(wallet)))
    await program.chain.set_account(fake, replace(info, owner=address_of(Keypair())))
    await program.refused(but_account(good, DESTINATION, fake), ErrorCode.DestinationInvalid)
    await program.chain.set_account(fake, info)
    await program.accepted(but_account(good, DESTINATION, fake))


async def test_the_programs_own_vaults_are_no_destination(program: DeployedProgram, asset: Asset) -> None:
    """Tokens in the redemption vault would look redeemed by somebody."""
    wallet = await stocked(program, asset)
    good = await asset.distribute_call(1, wallet)
    for vault in (asset.vault, program.addresses.redemption_vault(asset.mint)):
        await program.refused(but_account(good, DESTINATION, vault), ErrorCode.DestinationIsVault)
    await program.accepted(good)


@pytest.mark.embedded_only
async def test_a_frozen_account_receives_nothing(program: DeployedProgram, asset: Asset) -> None:
    wallet = await stocked(program, asset)
    account = asset.token_account(address_of(wallet))
    info = await program.chain.account(account)
    for state in (0, 2):
        edited = replace(info, data=patched(info.data, _TOKEN_ACCOUNT_STATE_AT, bytes([state])))
        await program.chain.set_account(account, edited)
        await program.refused(await asset.distribute_call(1, wallet), ErrorCode.DestinationInvalid)
    await program.chain.set_account(account, info)
    await program.accepted(await asset.distribute_call(1, wallet))


async def test_the_accounts_are_the_assets_own(program: DeployedProgram, pool: AssetPool) -> None:
    asset, other = await pool.take(), await pool.take()
    wallet = await stocked(program, asset)
    await stocked(program, other)
    good = await asset.distribute_call(1, wallet)
    wrong = {
        (ASSET, other.address): ErrorCode.WrongMint,
        (ASSET, program.addresses.config): ErrorCode.AccountDiscriminatorMismatch,
        (MINT, other.mint): ErrorCode.WrongMint,
        (VAULT, other.vault): ErrorCode.WrongVault,
        (VAULT, asset.token_account(address_of(wallet))): ErrorCode.WrongVault,
        (PARTICIPANT, asset.address): ErrorCode.AccountDiscriminatorMismatch,
        (TOKEN_PROGRAM, program.client.program_id): ErrorCode.InvalidProgramId,
    }
    for (index, address), error in wrong.items():
        await program.refused(but_account(good, index, address), error)
    assert Address(bytes(good.instructions[0].accounts[TOKEN_PROGRAM].pubkey)) == TOKEN_2022
    await program.accepted(good)


@pytest.mark.embedded_only
async def test_distribution_has_a_bucket_of_its_own(program: DeployedProgram) -> None:
    policy = replace(ROOMY, distribute_burst_raw=1_000, distribute_refill_raw_per_sec=100)
    [asset] = await program.register(policy=policy, custodians=(OWN_CUSTODIAN,))
    wallet = await stocked(program, asset, 10_000)
    await program.chain.advance_clock(60)
    await program.refused(await asset.distribute_call(1_001, wallet), ErrorCode.BucketEmpty)
    await program.accepted(await asset.distribute_call(1_000, wallet))
    bucket = (await asset.read()).distribute_bucket
    assert bucket.level_raw == 0
    await program.chain.advance_clock(3)
    level_raw = bucket.level_at(await program.chain.clock_ts(), 1_000, 100)
    assert 300 <= level_raw < 1_000
    err = {"InstructionError": [1, {"Custom": int(ErrorCode.BucketEmpty)}]}
    assert (await program.chain.simulate(await asset.distribute_call(level_raw + 1, wallet))).err == err
    assert (await program.chain.simulate(await asset.distribute_call(level_raw, wallet))).err is None


@pytest.mark.embedded_only
@pytest.mark.parametrize("state", [AssetState.HALTED, AssetState.RETIRED, AssetState.RELEASED])
async def test_only_an_active_asset_is_distributed(program: DeployedProgram, asset: Asset, state: AssetState) -> None:
    wallet = await stocked(program, asset)
    info = await program.chain.account(asset.address)
    edited = replace(info, data=patched(info.data, _ASSET_STATE_AT, bytes([state])))
    await program.chain.set_account(asset.address, edited)
    await program.refused(await asset.distribute_call(1, wallet), ErrorCode.AssetNotActive)
    await program.chain.set_account(asset.address, info)
    await program.accepted(await asset.distribute_call(1, wallet))


async def test_a_shortfall_does_not_stop_what_is_in_inventory(program: DeployedProgram, asset: Asset) -> None:
    """The ceiling limits what is made, not who holds it."""
    wallet = await stocked(program, asset)
    await asset.attest(0)
    await program.accepted(await asset.distribute_call(1_000, wallet))
