"""register_asset: a mint is taken only where every byte of it is the profile's, and each deviation has its own name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair

from tests.program.mint_variants import (
    ASSET,
    ASSOCIATED,
    CONFIDENTIAL,
    DELEGATE,
    HOOK,
    MINT2,
    NOBODY,
    ONE,
    PAUSABLE,
    POINTER,
    REDEMPTION_AUTHORITY,
    REDEMPTION_VAULT,
    SCALED,
    STATE,
    STRANGER,
    SYSTEM,
    TOKEN_PROGRAM,
    VAULT,
    Made,
    added,
    left_out,
    mint2,
    replaced,
)
from tests.support.deployed import DeployedProgram
from tests.support.edit import patched, with_account, with_data
from tests.support.error_codes import ErrorCode
from tests.support.initialized import OWN_CUSTODIAN, ROOMY, FreshMint
from tests.support.live_chain import Call, address_of, call
from tests.support.mints import EFFECTIVE_TS, SPOILT, SUPPLY_AT, Edit, appended, token_instruction, value_at
from xstocks_daemon.chain.mint_layout import Extension, extensions, read_mint, read_token_account
from xstocks_daemon.chain.program import Profile
from xstocks_daemon.chain.transactions import create_token_account
from xstocks_daemon.domain.snapshot import AssetState, Hold, Scope
from xstocks_daemon.domain.units import NANO_PER_SHARE, Address, multiplier_bits_of


async def created(program: DeployedProgram, profile: Profile = Profile.XSTOCKS) -> FreshMint:
    """A good mint on the chain, ready to be registered."""
    fresh = await program.mint_to_register(profile=profile)
    await program.chain.accepted(call(fresh.create, program.keys.admin.keypair, fresh.key))
    return fresh


def registering(program: DeployedProgram, mint: Address, *, profile: Profile = Profile.XSTOCKS) -> Call:
    return program.by("admin", program.registration(mint, profile=profile))


async def test_a_registered_asset_is_active_and_knows_its_mint(program: DeployedProgram) -> None:
    multiplier = "1.0032690125398187"
    [asset] = await program.register(multiplier=multiplier, initial_mint_raw=77, custodians=(OWN_CUSTODIAN,))
    state = await asset.read()
    assert (state.state, state.paused, state.holds) == (AssetState.ACTIVE, Scope(0), Hold(0))
    assert (state.mint, state.vault, state.decimals) == (asset.mint, asset.vault, 8)
    assert state.redemption_vault == program.addresses.redemption_vault(asset.mint)
    assert (state.sequence, state.initial_mint_raw) == (0, 77)
    assert (state.minted_raw, state.burnt_raw, state.distributed_raw, state.adopted_raw) == (0, 0, 0, 0)
    assert state.multiplier_bits == multiplier_bits_of(multiplier)
    assert state.multiplier_effective_ts == 0
    assert state.policy == ROOMY
    mint = await asset.read_mint()
    assert (mint.symbol, mint.name, mint.supply_raw, mint.decimals) == ("TESTx", "Test xStock", 0, 8)
    info = await program.chain.account(asset.mint)
    found = dict(extensions(asset.mint, info.data))
    assert set(found) == set(Extension) - {Extension.IMMUTABLE_OWNER}, "that one is an account's"
    assert b"CH0000000000" in found[Extension.TOKEN_METADATA]
    assert found[Extension.TOKEN_METADATA][:32] == asset.address
    assert info.lamports >= await program.chain.rpc.rent_exempt_lamports(len(info.data))
    owners = {
        asset.vault: asset.address,
        program.addresses.redemption_vault(asset.mint): program.addresses.redemption_authority(asset.mint),
    }
    for vault, owner in owners.items():
        account = await program.chain.account(vault)
        assert read_token_account(vault, account.data, account.owner).owner == owner


async def test_registration_is_announced(program: DeployedProgram) -> None:
    fresh = await created(program)
    events = await program.accepted(registering(program, fresh.mint))
    [event] = events
    assert event.name == "AssetRegistered"
    assert (event.fields["mint"], event.fields["asset"]) == (fresh.mint, program.addresses.asset(fresh.mint))
    assert (event.fields["profile"], event.fields["multiplier_bits"]) == (Profile.XSTOCKS, ONE)


async def test_a_mint_is_registered_once(program: DeployedProgram) -> None:
    fresh = await created(program)
    await program.accepted(registering(program, fresh.mint))
    await program.refused(registering(program, fresh.mint), ErrorCode.AlreadyInitialized)


async def test_the_open_profile_has_two_extensions(program: DeployedProgram) -> None:
    fresh = await created(program, Profile.OPEN)
    await program.refused(registering(program, fresh.mint), ErrorCode.MissingExtension)
    await program.accepted(registering(program, fresh.mint, profile=Profile.OPEN))
    other = await created(program)
    await program.refused(registering(program, other.mint, profile=Profile.OPEN), ErrorCode.ForbiddenExtension)
    await program.accepted(registering(program, other.mint))


@pytest.mark.parametrize("foreign", [False, True], ids=["the asset's", "a stranger's"])
async def test_the_open_profile_has_no_freeze_authority(program: DeployedProgram, foreign: bool) -> None:
    fresh = await program.mint_to_register(profile=Profile.OPEN)
    asset, admin = program.addresses.asset(fresh.mint), program.keys.admin.keypair
    *before, _ = fresh.create
    freezable = token_instruction(mint2(freeze=b"\1" + (STRANGER if foreign else asset))(asset, fresh.mint), fresh.mint)
    await program.chain.accepted(call([*before, freezable], admin, fresh.key))
    await program.refused(registering(program, fresh.mint, profile=Profile.OPEN), ErrorCode.FreezeAuthorityInvalid)
    twin = await created(program, Profile.OPEN)
    await program.accepted(registering(program, twin.mint, profile=Profile.OPEN))


async def test_profiles_of_later_versions_are_refused(program: DeployedProgram) -> None:
    fresh = await created(program)
    good = program.registration(fresh.mint)
    for profile in (max(Profile) + 1, 255):
        unknown = with_data(good, patched(bytes(good.data), 8, bytes([profile])))
        await program.refused(program.by("admin", unknown), ErrorCode.ProfileNotSupported)
    await program.accepted(registering(program, fresh.mint))


async def test_accounts_of_the_permissioned_profile_are_frozen_save_the_vaults(program: DeployedProgram) -> None:
    fresh, other = await created(program, Profile.PERMISSIONED), await created(program)
    await program.refused(registering(program, fresh.mint), ErrorCode.DefaultAccountStateInvalid)
    wrong = registering(program, other.mint, profile=Profile.PERMISSIONED)
    await program.refused(wrong, ErrorCode.DefaultAccountStateInvalid)
    # Somebody made a vault before: it is frozen like every account of this mint.
    payer, address = address_of(program.chain.payer), program.addresses.asset(fresh.mint)
    await program.chain.accepted(call(create_token_account(payer, address, fresh.mint)))
    [event] = await program.accepted(registering(program, fresh.mint, profile=Profile.PERMISSIONED))
    assert event.fields["profile"] == Profile.PERMISSIONED
    holder = address_of(Keypair())
    await program.chain.accepted(call(create_token_account(payer, holder, fresh.mint)))
    frozen = {}
    for account in (
        program.addresses.vault(fresh.mint),
        program.addresses.redemption_vault(fresh.mint),
        associated(holder, fresh.mint),
    ):
        info = await program.chain.account(account)
        frozen[account] = read_token_account(account, info.data, info.owner).frozen
    assert list(frozen.values()) == [False, False, True]


async def test_a_permissioned_asset_mints_into_its_vault(program: DeployedProgram) -> None:
    [asset] = await program.register(profile=Profile.PERMISSIONED)
    await asset.attest(1_000)
    await program.refused(await asset.mint_call(1_001), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(1_000))
    assert await asset.balance_raw() == 1_000
    await program.accepted(await asset.burn_call(400))
    assert await asset.supply_raw() == 600


@pytest.mark.parametrize("decimals", range(10))
async def test_an_asset_has_the_decimals_of_its_mint(program: DeployedProgram, decimals: int) -> None:
    """Three shares back three tokens, whatever a token's base unit is."""
    [asset] = await program.register(decimals=decimals)
    assert (await asset.read()).decimals == (await asset.read_mint()).decimals == decimals
    three_raw = 3 * 10**decimals
    statement = await program.statement({asset: 3 * NANO_PER_SHARE})
    [line] = statement.entries
    assert line.capacity_raw == three_raw
    coarser = replace(statement, entries=(replace(line, capacity_raw=three_raw - 1),))
    await program.refused(program.relay(coarser), ErrorCode.CapacityMismatch)
    await program.accepted(program.relay(statement))
    await program.refused(await asset.mint_call(three_raw + 1), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(three_raw))
    await program.accepted(await asset.burn_call(1))
    assert await asset.supply_raw() == three_raw - 1


#: Authorities that nobody needs to hold.
MADE: dict[str, Made] = {
    "10 decimals": Made(replaced(MINT2, mint2(10)), ErrorCode.WrongDecimals),
    "255 decimals": Made(replaced(MINT2, mint2(255)), ErrorCode.WrongDecimals),
    "a foreign mint authority": Made(replaced(MINT2, mint2(authority=False)), ErrorCode.MintAuthorityInvalid),
    "a foreign freeze authority": Made(
        replaced(MINT2, mint2(freeze=b"\1" + STRANGER)), ErrorCode.FreezeAuthorityInvalid
    ),
    "no freeze authority": Made(replaced(MINT2, mint2(freeze=b"\0")), ErrorCode.FreezeAuthorityInvalid),
    "a foreign metadata pointer authority": Made(
        replaced(POINTER, lambda _asset, mint: bytes([39, 0]) + STRANGER + mint), ErrorCode.MetadataPointerInvalid
    ),
    "metadata somewhere else": Made(
        replaced(POINTER, lambda asset, _mint: bytes([39, 0]) + asset + STRANGER), ErrorCode.MetadataPointerInvalid
    ),
    "a foreign permanent delegate": Made(
        replaced(DELEGATE, lambda _asset, _mint: bytes([35]) + STRANGER), ErrorCode.PermanentDelegateInvalid
    ),
    "accounts frozen by default": Made(
        replaced(STATE, lambda _asset, _mint: bytes([28, 0, 2])), ErrorCode.DefaultAccountStateInvalid
    ),
    "a foreign multiplier authority": Made(
        replaced(SCALED, lambda _asset, _mint: bytes([43, 0]) + STRANGER + ONE.to_bytes(8, "little")),
        ErrorCode.ScaledUiAuthorityInvalid,
    ),
    "a foreign pause authority": Made(
        replaced(PAUSABLE, lambda _asset, _mint: bytes([44, 0]) + STRANGER), ErrorCode.PausableAuthorityInvalid
    ),
    "a foreign confidential authority": Made(
        replaced(CONFIDENTIAL, lambda _asset, _mint: bytes([27, 0]) + STRANGER + bytes(33)),
        ErrorCode.ConfidentialTransferInvalid,
    ),
    "confidential accounts approved by themselves": Made(
        replaced(CONFIDENTIAL, lambda asset, _mint: bytes([27, 0]) + asset + b"\1" + bytes(32)),
        ErrorCode.ConfidentialTransferInvalid,
    ),
    "an auditor": Made(
        replaced(CONFIDENTIAL, lambda asset, _mint: bytes([27, 0]) + asset + b"\0" + bytes([9]) * 32),
        ErrorCode.ConfidentialTransferInvalid,
    ),
    "a foreign hook authority": Made(
        replaced(HOOK, lambda _asset, _mint: bytes([36, 0]) + STRANGER + bytes(32)), ErrorCode.TransferHookInvalid
    ),
    "a hook program": Made(
        replaced(HOOK, lambda asset, _mint: bytes([36, 0]) + asset + STRANGER), ErrorCode.TransferHookInvalid
    ),
    "no metadata pointer": Made(left_out(POINTER, 64), ErrorCode.MissingExtension),
    "no permanent delegate": Made(left_out(DELEGATE, 32), ErrorCode.MissingExtension),
    "no default account state": Made(left_out(STATE, 1), ErrorCode.MissingExtension),
    "no multiplier": Made(left_out(SCALED, 56), ErrorCode.MissingExtension),
    "no pause": Made(left_out(PAUSABLE, 33), ErrorCode.MissingExtension),
    "no confidential transfers": Made(left_out(CONFIDENTIAL, 65), ErrorCode.MissingExtension),
    "no hook": Made(left_out(HOOK, 64), ErrorCode.MissingExtension),
    "a close authority": Made(added(bytes([25, 1]) + STRANGER, 32), ErrorCode.CloseAuthorityForbidden),
    "a group pointer": Made(added(bytes([40, 0]) + STRANGER + STRANGER, 64), ErrorCode.ForbiddenExtension),
    "a group member pointer": Made(added(bytes([41, 0]) + STRANGER + STRANGER, 64), ErrorCode.ForbiddenExtension),
    "confidential mint and burn": Made(added(bytes([42, 0]) + bytes(32 + 36), 196), ErrorCode.ForbiddenExtension),
    "burns by permission": Made(added(bytes([46, 0]) + STRANGER, 32), ErrorCode.ForbiddenExtension),
}

NOBODYS: dict[str, Callable[[FreshMint, Address], list[Instruction]]] = {
    "metadata pointer": replaced(POINTER, lambda _asset, mint: bytes([39, 0]) + NOBODY + mint),
    "confidential transfers": replaced(CONFIDENTIAL, lambda _asset, _mint: bytes([27, 0]) + NOBODY + bytes(33)),
}


@pytest.mark.parametrize("build", NOBODYS.values(), ids=NOBODYS)
async def test_what_nobody_needs_to_hold_may_be_nobodys(
    program: DeployedProgram, build: Callable[[FreshMint, Address], list[Instruction]]
) -> None:
    fresh = await program.mint_to_register()
    instructions = build(fresh, program.addresses.asset(fresh.mint))
    await program.chain.accepted(call(instructions, program.keys.admin.keypair, fresh.key))
    await program.accepted(registering(program, fresh.mint))


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
async def test_a_mint_that_deviates_from_its_profile_is_refused_by_name(program: DeployedProgram, made: Made) -> None:
    """Each mint is real, made by Token-2022 itself; the test below registers the one without deviation."""
    fresh = await program.mint_to_register()
    admin = program.keys.admin.keypair
    instructions = made.build(fresh, program.addresses.asset(fresh.mint))
    await program.chain.accepted(call(instructions, admin, fresh.key))
    await program.refused(registering(program, fresh.mint), made.error)


OPEN_AND: dict[str, Callable[[FreshMint, Address], list[Instruction]]] = {
    "transfer fees": added(bytes([26, 0, 0, 0]) + bytes(2 + 8), 108),
    "no transfers at all": added(bytes([32]), 0),
    "a permanent delegate": added(bytes([35]) + STRANGER, 32),
    "a pause": added(bytes([44, 0]) + STRANGER, 33),
    "confidential transfers": added(bytes([27, 0]) + STRANGER + bytes(33), 65),
    "a hook": added(bytes([36, 0]) + STRANGER + bytes(32), 64),
}
"""Of an open mint: what Token-2022 makes without a multiplier's other extensions, and what other profiles have."""


@pytest.mark.parametrize("build", OPEN_AND.values(), ids=OPEN_AND)
async def test_an_open_mint_has_nothing_more(
    program: DeployedProgram, build: Callable[[FreshMint, Address], list[Instruction]]
) -> None:
    fresh, twin = await program.mint_to_register(profile=Profile.OPEN), await created(program, Profile.OPEN)
    instructions = build(fresh, program.addresses.asset(fresh.mint))
    await program.chain.accepted(call(instructions, program.keys.admin.keypair, fresh.key))
    await program.refused(registering(program, fresh.mint, profile=Profile.OPEN), ErrorCode.ForbiddenExtension)
    await program.accepted(registering(program, twin.mint, profile=Profile.OPEN))


async def test_extensions_may_stand_in_any_order(program: DeployedProgram) -> None:
    """The twin of every deviation: the same mint without it, whatever its order."""
    fresh = await program.mint_to_register()
    create, *initializers, mint = fresh.create
    reordered = [create, *reversed(initializers), mint]
    await program.chain.accepted(call(reordered, program.keys.admin.keypair, fresh.key))
    await program.accepted(registering(program, fresh.mint))
    info = await program.chain.account(fresh.mint)
    assert read_mint(fresh.mint, info.data, info.owner).multiplier_bits == ONE


# ---- bytes that no instruction of Token-2022 writes to such a mint ---------------------------------------------------


EDITED: dict[str, tuple[Edit, ErrorCode]] = {
    **SPOILT,
    "a supply": (lambda data, _now: patched(data, SUPPLY_AT, b"\1"), ErrorCode.SupplyNotZero),
    "metadata already": (appended(Extension.TOKEN_METADATA, bytes(80)), ErrorCode.MetadataAlreadyInitialized),
}


@pytest.mark.embedded_only
@pytest.mark.parametrize(("edit", "error"), EDITED.values(), ids=EDITED)
async def test_malformed_mints_are_refused_by_name(program: DeployedProgram, edit: Edit, error: ErrorCode) -> None:
    fresh = await created(program)
    info = await program.chain.account(fresh.mint)
    edited = edit(info.data, await program.chain.clock_ts())
    await program.chain.set_account(fresh.mint, replace(info, data=edited))
    await program.refused(registering(program, fresh.mint), error)
    await program.chain.set_account(fresh.mint, info)
    await program.accepted(registering(program, fresh.mint))


@pytest.mark.embedded_only
async def test_a_multiplier_in_force_is_taken_whichever_field_holds_it(program: DeployedProgram) -> None:
    """The stored field stays stale after an activation: the clock decides."""
    fresh = await created(program)
    info = await program.chain.account(fresh.mint)
    now_ts = await program.chain.clock_ts()
    start = value_at(info.data, Extension.SCALED_UI_AMOUNT)
    two = multiplier_bits_of("2")
    activated = patched(info.data, start + EFFECTIVE_TS, now_ts.to_bytes(8, "little") + two.to_bytes(8, "little"))
    await program.chain.set_account(fresh.mint, replace(info, data=activated))
    await program.accepted(registering(program, fresh.mint))
    account = await program.chain.account(program.addresses.asset(fresh.mint))
    state = program.client.asset(program.addresses.asset(fresh.mint), account.data, account.owner)
    assert state.multiplier_bits == two


async def test_only_a_mint_of_token_2022_is_taken(program: DeployedProgram) -> None:
    """The mint's place holds an account of the system program, then of the program itself."""
    fresh = await created(program)
    wallet = Keypair()
    await program.chain.fund(address_of(wallet), lamports=10**9)
    for mint in (address_of(wallet), program.addresses.config):
        await program.refused(registering(program, mint), ErrorCode.MintOwnerInvalid)
    await program.accepted(registering(program, fresh.mint))


# ---- the other accounts and arguments --------------------------------------------------------------------------------


async def test_vaults_and_programs_are_the_right_ones(program: DeployedProgram) -> None:
    fresh = await created(program)
    good = program.registration(fresh.mint)
    other = address_of(Keypair())
    wrong = {
        ASSET: (other, ErrorCode.VaultInvalid),
        VAULT: (program.addresses.redemption_vault(fresh.mint), ErrorCode.VaultInvalid),
        REDEMPTION_VAULT: (program.addresses.vault(fresh.mint), ErrorCode.VaultInvalid),
        REDEMPTION_AUTHORITY: (other, ErrorCode.ConstraintSeeds),
        TOKEN_PROGRAM: (other, ErrorCode.InvalidProgramId),
        ASSOCIATED: (other, ErrorCode.InvalidProgramId),
        SYSTEM: (other, ErrorCode.InvalidProgramId),
    }
    for index, (address, error) in wrong.items():
        await program.refused(program.by("admin", with_account(good, index, address)), error)
    await program.accepted(program.by("admin", good))


async def test_an_asset_account_is_at_the_address_of_its_mint(program: DeployedProgram) -> None:
    """With the other asset's vaults too: then only the derivation can tell."""
    fresh, other = await created(program), await created(program)
    good = program.registration(fresh.mint)
    elsewhere = with_account(good, ASSET, program.addresses.asset(other.mint))
    others_vault = associated(program.addresses.asset(other.mint), fresh.mint)
    elsewhere = with_account(elsewhere, VAULT, others_vault)
    await program.refused(program.by("admin", elsewhere), ErrorCode.ConstraintSeeds)
    await program.accepted(program.by("admin", good))


def associated(owner: Address, mint: Address) -> Address:
    created_account = create_token_account(owner, owner, mint)
    return Address(bytes(created_account.accounts[1].pubkey))


async def test_policy_allowance_and_names_keep_their_bounds(program: DeployedProgram) -> None:
    fresh = await created(program)
    registration = program.registration
    limit_raw = ROOMY.supply_limit_raw
    wrong = {
        ErrorCode.PolicyInvalid: registration(fresh.mint, policy=replace(ROOMY, max_age_secs=0)),
        ErrorCode.InitialMintTooLarge: registration(fresh.mint, initial_mint_raw=limit_raw + 1),
        ErrorCode.MetadataInvalid: registration(fresh.mint, name=""),
    }
    for error, instruction in wrong.items():
        await program.refused(program.by("admin", instruction), error)
    await program.refused(program.by("admin", registration(fresh.mint, symbol="")), ErrorCode.MetadataInvalid)
    not_text = bytes(registration(fresh.mint).data).replace(b"Test xStock", b"\xff\xfest xStock")
    good = registration(fresh.mint, initial_mint_raw=limit_raw)
    broken = Instruction(good.program_id, not_text, good.accounts)
    await program.refused(program.by("admin", broken), ErrorCode.InstructionDidNotDeserialize)
    await program.accepted(program.by("admin", good))


@pytest.mark.parametrize("lamports", [1_000_000, 10**10], ids=["under-funded", "over-funded"])
async def test_prefunded_addresses_block_no_registration(program: DeployedProgram, lamports: int) -> None:
    fresh = await created(program)
    addresses = program.addresses
    prefunded = (addresses.asset(fresh.mint), addresses.vault(fresh.mint), addresses.redemption_vault(fresh.mint))
    await program.chain.fund(*prefunded, lamports=lamports)
    await program.accepted(registering(program, fresh.mint))


async def test_vaults_that_somebody_made_before_block_no_registration(program: DeployedProgram) -> None:
    """Anybody can create the associated accounts of any owner: griefing must not work."""
    fresh = await created(program)
    payer = address_of(program.chain.payer)
    addresses = program.addresses
    owners = (addresses.asset(fresh.mint), addresses.redemption_authority(fresh.mint))
    await program.chain.accepted(call([create_token_account(payer, owner, fresh.mint) for owner in owners]))
    await program.accepted(registering(program, fresh.mint))


async def test_metadata_may_be_long_and_have_no_additional_fields(program: DeployedProgram) -> None:
    fresh = await created(program)
    long_uri = "https://example.test/" + "x" * 300
    instruction = program.registration(fresh.mint, uri=long_uri, additional_metadata=())
    await program.chain.fund(fresh.mint, lamports=10**8)
    await program.accepted(program.by("admin", instruction))
    info = await program.chain.account(fresh.mint)
    metadata = dict(extensions(fresh.mint, info.data))[Extension.TOKEN_METADATA]
    assert long_uri.encode() in metadata
    assert metadata.endswith(bytes(4))
