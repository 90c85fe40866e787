"""Adoption: a live mint comes under the program in three steps, and nothing of it is lost on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import pytest
from solders.keypair import Keypair

from tests.program.adoption_calls import ROOM_RAW, attach
from tests.support.cluster import TestCluster
from tests.support.deployed import Asset, DeployedProgram
from tests.support.edit import patched
from tests.support.error_codes import ErrorCode
from tests.support.fixtures import session_fixture
from tests.support.initialized import OTHER_CUSTODIAN, OWN_CUSTODIAN, ROOMY
from tests.support.live_chain import address_of, call
from tests.support.mints import (
    CAPTURES,
    LiveMint,
    live_mint,
    load_capture,
    shares_for,
    token_instruction,
)
from xstocks_daemon.chain.authorities import read_authorities, set_authority
from xstocks_daemon.chain.mint_layout import DECIMALS, read_mint, read_token_account
from xstocks_daemon.chain.program import AdoptionState, Authorities, Profile
from xstocks_daemon.chain.transactions import transfer_tokens
from xstocks_daemon.domain.snapshot import AssetState, Hold, Scope
from xstocks_daemon.domain.units import ZERO_ADDRESS

NOBODY = ZERO_ADDRESS

#: Every authority and how a foreign holder of it is refused.
REFUSALS = {
    "mint": ErrorCode.MintAuthorityInvalid,
    "freeze": ErrorCode.FreezeAuthorityInvalid,
    "metadata_pointer": ErrorCode.MetadataPointerInvalid,
    "metadata_update": ErrorCode.MetadataAuthorityInvalid,
    "permanent_delegate": ErrorCode.PermanentDelegateInvalid,
    "scaled_ui": ErrorCode.ScaledUiAuthorityInvalid,
    "pausable": ErrorCode.PausableAuthorityInvalid,
    "confidential": ErrorCode.ConfidentialTransferInvalid,
    "hook": ErrorCode.TransferHookInvalid,
}

NEEDED = ("mint", "freeze", "permanent_delegate", "scaled_ui", "pausable")

UNNEEDED = tuple(name for name in REFUSALS if name not in NEEDED)

# ---- the real mints --------------------------------------------------------------------------------------------------

#: The second capture of a mint is adopted by another deployment: an address has one adoption.
FIRST = {row["mint"]: row for row in reversed(CAPTURES)}


@session_fixture
async def second_program(cluster: TestCluster) -> DeployedProgram:
    """A deployment for those mints that were captured twice."""
    return await cluster.deploy()


@pytest.mark.embedded_only
@pytest.mark.parametrize("row", CAPTURES, ids=lambda row: f"{row['symbol']}-{row['source']}")
async def test_a_real_mint_is_adopted_halted_attested_and_minted_up_to_its_ceiling(
    program: DeployedProgram, second_program: DeployedProgram, row: Mapping[str, Any]
) -> None:
    program = program if FIRST[row["mint"]] is row else second_program
    live = await load_capture(program, row)
    captured = await live.info()
    mint = read_mint(live.mint, captured.data, captured.owner)
    await program.chain.clock_reaches(mint.new_multiplier_effective_ts + ROOMY.ca_window_secs)
    supply_raw = int(row["decoded"]["supply"])
    assert (mint.supply_raw, mint.symbol) == (supply_raw, row["symbol"])

    # 1. Begin: the holders are recorded.
    [begun] = await program.accepted(live.begin())
    assert (begun.name, begun.fields["profile"]) == ("AdoptionBegun", Profile.XSTOCKS)
    adoption = await live.adoption()
    assert (adoption.state, adoption.mint, adoption.profile) == (AdoptionState.BEGUN, live.mint, Profile.XSTOCKS)
    assert adoption.holders == read_authorities(live.mint, captured.data)

    # 2. Each holder hands over, and nothing else in the mint changes.
    await live.hand_over()
    expected = captured.data
    for holder in live.keys:
        expected = expected.replace(holder, live.asset_address)
    assert (await live.info()).data == expected

    # 3. Finish: halted, with the supply it has.
    [adopted] = await program.accepted(live.finish())
    asset = await live.asset()
    assert (adopted.name, adopted.fields["adopted_raw"]) == ("AssetAdopted", supply_raw)
    assert (adopted.fields["asset"], adopted.fields["mint"]) == (asset.address, live.mint)
    assert (await live.info()).data == expected
    assert (await live.adoption()).state is AdoptionState.FINISHED
    state = await asset.read()
    assert (state.state, state.paused, state.holds) == (AssetState.HALTED, Scope(0), Hold(0))
    assert (state.adopted_raw, state.minted_raw, state.burnt_raw, state.distributed_raw) == (supply_raw, 0, 0, 0)
    assert (state.sequence, state.initial_mint_raw, state.decimals, state.policy) == (0, 0, DECIMALS, ROOMY)
    assert (state.mint_bucket.level_raw, state.distribute_bucket.level_raw) == (0, 0)
    assert state.multiplier_bits == mint.new_multiplier_bits == adopted.fields["multiplier_bits"]
    assert state.multiplier_effective_ts == 0
    owners = {
        asset.vault: asset.address,
        program.addresses.redemption_vault(live.mint): program.addresses.redemption_authority(live.mint),
    }
    assert tuple(owners) == (state.vault, state.redemption_vault)
    for vault, owner in owners.items():
        account = await program.chain.account(vault)
        held = read_token_account(vault, account.data, account.owner)
        assert (held.owner, held.mint, held.amount_raw, held.frozen) == (owner, live.mint, 0, False)

    # Nothing is minted before a quorum spoke, then up to what it said and not a unit more.
    await attach(asset)
    await program.refused(await asset.mint_call(1), ErrorCode.AssetNotActive)
    statement = await program.statement({asset: shares_for(supply_raw + ROOM_RAW, asset.multiplier_bits)})
    events = await program.accepted(program.relay(statement))
    assert [event.fields for event in events if event.name == "AssetActivated"] == [
        {"mint": live.mint, "custodian": program.custodian().address}
    ]
    assert (await asset.read()).state is AssetState.ACTIVE
    room_raw = statement.entries[0].capacity_raw - supply_raw
    assert room_raw >= ROOM_RAW
    await program.refused(await asset.mint_call(room_raw + 1), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(room_raw))
    assert await asset.supply_raw() == supply_raw + room_raw
    assert await asset.balance_raw() == room_raw


@pytest.mark.embedded_only
async def test_a_real_mint_with_a_shortfall_mints_nothing(program: DeployedProgram) -> None:
    live = await load_capture(program, CAPTURES[0], mint=address_of(Keypair()))
    asset = await live.adopt()
    await attach(asset)
    supply_raw = await asset.supply_raw()
    whole_nano = shares_for(supply_raw + 1, asset.multiplier_bits)
    short = await program.statement({asset: whole_nano - 1})
    assert short.entries[0].capacity_raw <= supply_raw
    await program.accepted(program.relay(short))
    assert (await asset.read()).state is AssetState.ACTIVE
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)
    await program.accepted(program.relay(await program.statement({asset: whole_nano})))
    await program.accepted(await asset.mint_call(1))


# ---- every profile, on both chains -----------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", Profile, ids=lambda profile: profile.name.lower())
async def test_a_live_mint_of_each_profile_is_adopted(program: DeployedProgram, profile: Profile) -> None:
    live = await live_mint(program, profile=profile, supply_raw=7_000)
    asset = await live.adopt()
    state = await asset.read()
    assert (state.state, state.adopted_raw) == (AssetState.HALTED, 7_000)
    expected = dict.fromkeys(REFUSALS, asset.address)
    if profile is Profile.OPEN:
        expected |= dict.fromkeys(("freeze", "permanent_delegate", "pausable", "confidential", "hook"), NOBODY)
    assert await live.holders() == Authorities(**expected)
    await attach(asset)
    await asset.attest(8_000)
    await program.refused(await asset.mint_call(1_001), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(1_000))
    await program.accepted(await asset.burn_call(300))
    state = await asset.read()
    assert (state.minted_raw, state.burnt_raw) == (1_000, 300)
    assert await asset.supply_raw() == 7_700


@pytest.mark.parametrize("profile", Profile, ids=lambda profile: profile.name.lower())
async def test_a_mint_is_adopted_as_what_it_is(program: DeployedProgram, profile: Profile) -> None:
    live = await live_mint(program, profile=profile)
    wrong = {
        (Profile.XSTOCKS, Profile.OPEN): ErrorCode.ForbiddenExtension,
        (Profile.XSTOCKS, Profile.PERMISSIONED): ErrorCode.DefaultAccountStateInvalid,
        (Profile.OPEN, Profile.XSTOCKS): ErrorCode.MissingExtension,
        (Profile.OPEN, Profile.PERMISSIONED): ErrorCode.MissingExtension,
        (Profile.PERMISSIONED, Profile.XSTOCKS): ErrorCode.DefaultAccountStateInvalid,
        (Profile.PERMISSIONED, Profile.OPEN): ErrorCode.ForbiddenExtension,
    }
    for other in Profile:
        if other is not profile:
            await program.refused(live.begin(other), wrong[profile, other])
    begin = live.begin()
    [instruction] = begin.instructions
    for unknown in (max(Profile) + 1, 255):
        data = patched(bytes(instruction.data), 8, bytes([unknown]))
        bad = begin.but(instructions=(type(instruction)(instruction.program_id, data, instruction.accounts),))
        await program.refused(bad, ErrorCode.ProfileNotSupported)
    await program.accepted(begin)


async def test_a_halted_asset_burns_but_neither_mints_nor_distributes(program: DeployedProgram) -> None:
    """Tokens that somebody sent to the vault before are inventory."""
    wallet = Keypair()
    live = await live_mint(program, wallet=wallet)
    asset = await live.asset()
    source = asset.token_account(address_of(wallet))
    await asset.open_account(asset.address)
    sending = transfer_tokens(
        source=source, mint=live.mint, destination=asset.vault, owner=address_of(wallet), amount_raw=600, decimals=8
    )
    await program.chain.accepted(call(sending, wallet))
    await live.adopt()
    await attach(asset)
    participant = await program.participant()
    await asset.open_account(address_of(participant))
    await program.refused(await asset.mint_call(1), ErrorCode.AssetNotActive)
    await program.refused(await asset.distribute_call(1, participant), ErrorCode.AssetNotActive)
    await program.accepted(await asset.burn_call(100))
    assert (await asset.supply_raw(), (await asset.read()).burnt_raw) == (9_900, 100)
    await asset.attest(10_000)
    await program.accepted(await asset.mint_call(100))
    await program.accepted(await asset.distribute_call(600, participant))
    assert await asset.balance_raw() == 0


async def test_only_a_statement_that_is_taken_activates(program: DeployedProgram, asset: Asset) -> None:
    """One that is passed over for this asset, in a statement that is taken for another, does not; nor a withdrawal."""
    live = await live_mint(program)
    adopted = await live.adopt()
    await attach(adopted, OWN_CUSTODIAN, OTHER_CUSTODIAN)
    detach = program.client.detach_custodian(
        admin=program.keys.admin.address, custodian=program.custodian().address, mint=adopted.mint
    )
    await program.accepted(program.by("admin", detach))
    await program.accepted(program.relay(await program.statement({adopted: 100_000, asset: 100_000})))
    assert (await asset.entry()).shares_nano == 100_000
    assert (await adopted.read()).state is AssetState.HALTED
    attester = program.quorum(OTHER_CUSTODIAN)[0]
    withdraw = program.client.withdraw_entry(
        attester=address_of(attester), custodian=program.custodian(OTHER_CUSTODIAN).address, mint=adopted.mint
    )
    await program.accepted(call(withdraw, attester))
    assert (await adopted.read()).state is AssetState.HALTED
    await program.chain.clock_reaches(await program.chain.clock_ts() + 3)
    await adopted.attest(0, custodian=OTHER_CUSTODIAN)
    assert (await adopted.read()).state is AssetState.ACTIVE


# ---- the state of an adoption ----------------------------------------------------------------------------------------


async def test_an_adoption_goes_forward_only(program: DeployedProgram) -> None:
    live = await live_mint(program)
    for early in (live.finish(), live.abort()):
        await program.refused(early, ErrorCode.AccountNotInitialized)
    await program.accepted(live.begin())
    await program.refused(live.begin(), ErrorCode.AdoptionBegun)
    await live.hand_over()
    # Recorded anew now, the holders would be the asset itself, and abort_adopt give back nothing.
    await program.refused(live.begin(), ErrorCode.AdoptionBegun)
    await program.accepted(live.finish())
    await program.refused(live.begin(), ErrorCode.AlreadyInitialized)
    for late in (live.finish(), live.abort()):
        await program.refused(late, ErrorCode.AdoptionNotBegun)


async def test_an_aborted_adoption_begins_anew_with_the_holders_of_that_time(program: DeployedProgram) -> None:
    live = await live_mint(program)
    first = await live.holders()
    await program.accepted(live.begin())
    await program.accepted(live.abort())
    for late in (live.abort(), live.finish()):
        await program.refused(late, ErrorCode.AdoptionNotBegun)
    successor = Keypair()
    await live.give("mint", address_of(successor))
    again = LiveMint(program, live.mint, live.profile, {**live.keys, address_of(successor): successor})
    await program.accepted(again.begin())
    adoption = await again.adoption()
    assert (adoption.state, adoption.holders) == (AdoptionState.BEGUN, replace(first, mint=address_of(successor)))
    await again.hand_over()
    await program.accepted(again.finish())


async def test_a_registered_mint_is_not_adopted(program: DeployedProgram, asset: Asset) -> None:
    live = LiveMint(program, asset.mint, Profile.XSTOCKS, {})
    await program.refused(live.begin(), ErrorCode.AlreadyInitialized)
    await program.accepted((await live_mint(program)).begin())


@pytest.mark.parametrize("supply_raw", [0, 10_000])
async def test_a_mint_under_adoption_is_not_registered(program: DeployedProgram, supply_raw: int) -> None:
    """With every authority handed over it looks like a fresh one, but for its metadata and supply."""
    live = await live_mint(program, supply_raw=supply_raw)
    registering = program.by("admin", program.registration(live.mint))
    error = ErrorCode.SupplyNotZero if supply_raw else ErrorCode.MetadataAlreadyInitialized
    await program.refused(registering, error)
    await program.accepted(live.begin())
    await live.hand_over()
    await program.refused(registering, error)
    await program.accepted(live.finish())
    await program.refused(registering, ErrorCode.AlreadyInitialized)


# ---- handing over ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REFUSALS)
async def test_finish_waits_for_every_authority(program: DeployedProgram, name: str) -> None:
    live = await live_mint(program)
    await program.accepted(live.begin())
    await live.hand_over(but=[name])
    await program.refused(live.finish(), REFUSALS[name])
    await live.give(name, live.asset_address)
    await program.accepted(live.finish())


@pytest.mark.parametrize("name", REFUSALS)
async def test_an_authority_that_went_elsewhere_is_refused(program: DeployedProgram, name: str) -> None:
    """To the same account of another mint's asset, which is the program's too."""
    live = await live_mint(program)
    other = program.addresses.asset(address_of(Keypair()))
    await program.accepted(live.begin())
    await live.hand_over(but=[name])
    elsewhere = await live_mint(program)
    await program.accepted(elsewhere.begin())
    await elsewhere.hand_over()
    await live.give(name, other)
    await program.refused(live.finish(), REFUSALS[name])
    await program.accepted(elsewhere.finish())


@pytest.mark.parametrize("name", NEEDED)
async def test_what_the_asset_needs_somebody_must_hold(program: DeployedProgram, name: str) -> None:
    """Nobody could hand it over: refused at the beginning, and at the end where it was thrown away in between."""
    live, thrown_away = await live_mint(program), await live_mint(program)
    await live.give(name, NOBODY)
    await program.refused(live.begin(), REFUSALS[name])
    await program.accepted(thrown_away.begin())
    await thrown_away.give(name, NOBODY)
    await thrown_away.hand_over(but=[name])
    await program.refused(thrown_away.finish(), REFUSALS[name])


@pytest.mark.parametrize("name", UNNEEDED)
async def test_what_the_asset_does_not_need_may_be_nobodys(program: DeployedProgram, name: str) -> None:
    live = await live_mint(program)
    await live.give(name, NOBODY)
    await live.adopt()
    assert asdict(await live.holders())[name] == NOBODY


async def test_the_freeze_authority_of_an_open_mint_goes_to_nobody(program: DeployedProgram) -> None:
    """The holder hands it to the asset by mistake, takes it back by abort_adopt, and gives it up."""
    live = await live_mint(program, profile=Profile.OPEN, freezable=True)
    await program.accepted(live.begin())
    await live.hand_over(but=["freeze"])
    await program.refused(live.finish(), ErrorCode.FreezeAuthorityInvalid)
    await live.give("freeze", live.asset_address)
    await program.refused(live.finish(), ErrorCode.FreezeAuthorityInvalid)
    await program.accepted(live.abort())
    asset = await live.adopt()
    assert (await live.holders()).freeze == NOBODY
    assert (await asset.read()).state is AssetState.HALTED


# ---- giving back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [(), ("mint",), ("freeze", "hook", "metadata_update"), tuple(REFUSALS)])
async def test_abort_gives_back_what_was_handed_over(program: DeployedProgram, kept: tuple[str, ...]) -> None:
    live = await live_mint(program)
    before, info = await live.holders(), await live.info()
    await program.accepted(live.begin())
    await live.hand_over(but=kept)
    assert sum(holder == live.asset_address for holder in asdict(await live.holders()).values()) == 9 - len(kept)
    [event] = await program.accepted(live.abort())
    assert (event.name, event.fields) == ("AdoptionAborted", {"mint": live.mint})
    assert await live.holders() == before
    assert await live.info() == info
    assert (await live.adoption()).state is AdoptionState.ABORTED


async def test_abort_gives_to_the_recorded_holder_whoever_handed_over(program: DeployedProgram) -> None:
    """One who got an authority in between gives it away by handing it over; what stayed with him stays."""
    live = await live_mint(program)
    before, thief = await live.holders(), Keypair()
    await program.accepted(live.begin())
    for name in ("mint", "hook"):
        await live.give(name, address_of(thief))
    stolen = set_authority(live.mint, "mint", address_of(thief), live.asset_address)
    await program.chain.accepted(call(stolen, thief))
    await program.accepted(live.abort())
    assert await live.holders() == replace(before, hook=address_of(thief))


async def test_what_was_the_assets_before_stays_its_own(program: DeployedProgram) -> None:
    live = await live_mint(program)
    await live.give("scaled_ui", live.asset_address)
    before = await live.holders()
    await program.accepted(live.begin())
    await live.hand_over()
    await program.accepted(live.abort())
    assert await live.holders() == before
    await live.adopt()


async def test_abort_works_whatever_became_of_the_mint(program: DeployedProgram) -> None:
    """A holder makes it unfit for the profile after the others handed over: they get theirs back."""
    live = await live_mint(program)
    before = await live.holders()
    pauser, hooker = live.keys[before.pausable], live.keys[before.hook]
    await program.accepted(live.begin())
    await live.hand_over(but=["pausable", "hook"])
    spoilers = {
        ErrorCode.MintPaused: (bytes([44, 1]), pauser),
        ErrorCode.TransferHookInvalid: (bytes([36, 1]) + bytes([9]) * 32, hooker),
    }
    for data, key in spoilers.values():
        await program.chain.accepted(call(token_instruction(data, live.mint, signer=address_of(key)), key))
    await program.refused(live.finish(), ErrorCode.MintPaused)
    await program.chain.accepted(call(token_instruction(bytes([44, 2]), live.mint, signer=address_of(pauser)), pauser))
    await program.refused(live.finish(), ErrorCode.TransferHookInvalid)
    await program.accepted(live.abort())
    assert await live.holders() == before


@pytest.mark.embedded_only
async def test_abort_takes_nothing_from_an_asset_that_exists(program: DeployedProgram) -> None:
    """No instruction leads to an adoption that has begun beside its asset; written by hand, it is refused too."""
    live = await live_mint(program)
    await live.adopt()
    address = program.addresses.adoption(live.mint)
    info = await program.chain.account(address)
    state_at = 8 + 2
    begun = replace(info, data=patched(info.data, state_at, bytes([AdoptionState.BEGUN])))
    await program.chain.set_account(address, begun)
    for sent in (live.abort(), live.finish(), live.begin()):
        await program.refused(sent, ErrorCode.AlreadyInitialized)
