"""Adoption of mints that are not what they must be, and what others do in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from solders.keypair import Keypair

from tests.program.adoption_calls import ROOM_RAW, attach
from tests.support.deployed import DeployedProgram
from tests.support.edit import patched, with_account
from tests.support.error_codes import ErrorCode
from tests.support.initialized import ROOMY
from tests.support.live_chain import Call, address_of, call
from tests.support.mints import (
    CAPTURES,
    SPOILT,
    Edit,
    LiveMint,
    live_mint,
    load_capture,
    pending,
    shares_for,
    token_instruction,
)
from xstocks_daemon.chain.mint_layout import DECIMALS, read_token_account
from xstocks_daemon.chain.program import AdoptionState, Profile
from xstocks_daemon.chain.transactions import create_token_account
from xstocks_daemon.domain.snapshot import AssetState, Hold
from xstocks_daemon.domain.units import ZERO_ADDRESS, Address

# Places in the three instructions.
ADOPTION, ASSET, MINT, VAULT, REDEMPTION_AUTHORITY, REDEMPTION_VAULT, TOKEN_PROGRAM, ASSOCIATED = range(2, 10)

#: In an Asset account.
MULTIPLIER_CHANGED_TS_AT = 160


async def token_balance(program: DeployedProgram, account: Address) -> int:
    info = await program.chain.account(account)
    return read_token_account(account, info.data, info.owner).amount_raw


# ---- mints that are not what they must be ----------------------------------------------------------------------------

METADATA_TYPE = 19


def metadata_at(data: bytes) -> int:
    """Where the value of TokenMetadata starts: the last extension of a real mint."""
    start = 509 + 4
    assert int.from_bytes(data[start - 4 : start - 2], "little") == METADATA_TYPE
    return start


def metadata_of(change: Callable[[bytes], bytes]) -> Edit:
    """Another value of TokenMetadata, its length in the header right."""

    def edit(data: bytes, _now: int) -> bytes:
        at = metadata_at(data)
        value = change(data[at:])
        return data[: at - 2] + len(value).to_bytes(2, "little") + value

    return edit


NAME_LENGTH_AT = 64


def length_at(value: bytes, at: int) -> int:
    return int.from_bytes(value[at : at + 4], "little")


def symbol_length_at(value: bytes) -> int:
    """Where the length of the symbol stands in a TokenMetadata: behind the name."""
    return NAME_LENGTH_AT + 4 + length_at(value, NAME_LENGTH_AT)


def blanked(value: bytes, at: int) -> bytes:
    """A text of spaces instead of the one whose length stands at `at`."""
    return patched(value, at + 4, b" " * length_at(value, at))


UNFIT: dict[str, tuple[Edit, ErrorCode]] = {
    **SPOILT,
    "no metadata": (lambda data, _now: data[: metadata_at(data) - 4], ErrorCode.MissingExtension),
    "metadata twice": (lambda data, _now: data + data[metadata_at(data) - 4 :], ErrorCode.DuplicateExtension),
    **{
        f"metadata {name}": (metadata_of(change), ErrorCode.MetadataMalformed)
        for name, change in {
            "of another mint": lambda value: patched(value, 32, bytes([9])),
            "cut within the authority": lambda value: value[:31],
            "cut within the mint": lambda value: value[:63],
            "without strings": lambda value: value[:64],
            "cut within the pairs": lambda value: value[:-1],
            "with a byte too many": lambda value: value + b"\0",
            "with a name beyond the end": lambda value: patched(value, NAME_LENGTH_AT, b"\xff\xff\xff\xff"),
            "with a name that is no text": lambda value: patched(value, NAME_LENGTH_AT + 4, b"\xff"),
            "with a pair that is not there": lambda value: value[:-4] + (1).to_bytes(4, "little"),
        }.items()
    },
    "a name with an escape": (
        metadata_of(lambda value: patched(value, NAME_LENGTH_AT + 4, b"\x1b")),
        ErrorCode.MetadataControl,
    ),
    "a symbol with a new line": (
        metadata_of(lambda value: patched(value, symbol_length_at(value) + 4, b"\n")),
        ErrorCode.MetadataControl,
    ),
    "a blank name": (metadata_of(lambda value: blanked(value, NAME_LENGTH_AT)), ErrorCode.MetadataBlank),
    "a blank symbol": (metadata_of(lambda value: blanked(value, symbol_length_at(value))), ErrorCode.MetadataBlank),
}


@pytest.mark.embedded_only
@pytest.mark.parametrize(("edit", "error"), UNFIT.values(), ids=UNFIT)
async def test_an_unfit_mint_is_refused_by_name_at_both_ends(
    program: DeployedProgram, edit: Edit, error: ErrorCode
) -> None:
    """A real mint spoilt in one thing, before begin_adopt and again before finish_adopt."""
    chain = program.chain
    live = await load_capture(program, CAPTURES[0], mint=address_of(Keypair()))
    for good_call in (live.begin(), live.finish()):
        good = await live.info()
        await chain.set_account(live.mint, replace(good, data=edit(good.data, await chain.clock_ts())))
        await program.refused(good_call, error)
        await chain.set_account(live.mint, good)
        await program.accepted(good_call)
        if (await live.adoption()).state is AdoptionState.BEGUN:
            await live.hand_over()


@pytest.mark.embedded_only
async def test_a_pending_multiplier_change_is_refused_and_one_in_force_taken_with_its_time(
    program: DeployedProgram,
) -> None:
    """The holder may change it until he has handed over."""
    chain = program.chain
    live = await load_capture(program, CAPTURES[0], mint=address_of(Keypair()))
    changed_ts = 0
    for good_call in (live.begin(), live.finish()):
        info = await live.info()
        now_ts = await chain.clock_ts()
        await chain.set_account(live.mint, replace(info, data=pending(1_000)(info.data, now_ts)))
        await program.refused(good_call, ErrorCode.MultiplierPending)
        assert now_ts != changed_ts
        changed_ts = now_ts
        await chain.set_account(live.mint, replace(info, data=pending(0)(info.data, changed_ts)))
        await program.accepted(good_call)
        if (await live.adoption()).state is AdoptionState.BEGUN:
            await live.hand_over()
            await chain.advance_clock(2)
    data = (await chain.account(live.asset_address)).data
    assert int.from_bytes(data[MULTIPLIER_CHANGED_TS_AT : MULTIPLIER_CHANGED_TS_AT + 8], "little") == changed_ts


@pytest.mark.embedded_only
async def test_the_first_statement_soon_after_a_change_of_the_multiplier_is_not_taken_on_trust(
    program: DeployedProgram,
) -> None:
    """M9: the mint says when it changed. The statement is stored and activates; the resumer clears its hold."""
    for since_secs, hold in ((ROOMY.ca_window_secs - 60, Hold.CA_WINDOW), (ROOMY.ca_window_secs, Hold(0))):
        live = await load_capture(program, CAPTURES[0], mint=address_of(Keypair()))
        info = await live.info()
        recent = pending(-since_secs)(info.data, await program.chain.clock_ts())
        await program.chain.set_account(live.mint, replace(info, data=recent))
        asset = await live.adopt()
        await attach(asset)
        covered_nano = shares_for(await asset.supply_raw() + ROOM_RAW, asset.multiplier_bits)
        await program.accepted(program.relay(await program.statement({asset: covered_nano})))
        state = await asset.read()
        assert (state.state, state.holds) == (AssetState.ACTIVE, hold)
        if hold:
            await program.refused(await asset.mint_call(1), ErrorCode.OnHold)
        else:
            await program.accepted(await asset.mint_call(1))


async def test_a_mint_that_its_owner_can_close_is_not_adopted(program: DeployedProgram) -> None:
    """Closed, it could be made anew with another supply under the same Asset account."""
    closer = Keypair()
    closable = await live_mint(program, supply_raw=0, close_authority=address_of(closer))
    await program.refused(closable.begin(), ErrorCode.CloseAuthorityForbidden)
    twin = await live_mint(program, supply_raw=0)
    await twin.adopt()
    destination = address_of(program.chain.payer)
    closing = token_instruction(bytes([9]), closable.mint, destination, signer=address_of(closer))
    await program.chain.accepted(call(closing, closer))
    closing = token_instruction(bytes([9]), twin.mint, destination, signer=address_of(closer))
    failed = await program.chain.simulate(call(closing, closer))
    assert failed.err == {"InstructionError": [1, "InvalidAccountData"]}


@pytest.mark.embedded_only
async def test_a_mint_made_anew_at_the_address_of_an_asset_is_not_taken_again(program: DeployedProgram) -> None:
    """No instruction closes such a mint; done by hand, its old Asset account stands in the way."""
    key = Keypair()
    live = await live_mint(program, mint_key=key)
    await live.adopt()
    await program.chain.set_account(live.mint, replace(await live.info(), data=b"", owner=ZERO_ADDRESS, lamports=0))
    again = await live_mint(program, mint_key=key)
    await program.refused(again.begin(), ErrorCode.AlreadyInitialized)
    await program.refused(program.by("admin", program.registration(live.mint)), ErrorCode.AlreadyInitialized)


# ---- what others do in between ---------------------------------------------------------------------------------------


async def test_the_supply_is_the_one_at_the_end(program: DeployedProgram) -> None:
    wallet = Keypair()
    live = await live_mint(program, wallet=wallet)
    await program.accepted(live.begin())
    minter = live.keys[(await live.holders()).mint]
    asset = await live.asset()
    amount = bytes([14]) + (77).to_bytes(8, "little") + bytes([DECIMALS])
    account = asset.token_account(address_of(wallet))
    minting = token_instruction(amount, live.mint, account, signer=address_of(minter))
    await program.chain.accepted(call(minting, minter))
    await live.hand_over()
    await program.accepted(live.finish())
    assert (await asset.read()).adopted_raw == 10_077
    # The old minter's key is worth nothing now.
    landed = await program.chain.simulate(call(minting, minter))
    assert landed.err == {"InstructionError": [1, {"Custom": 4}]}, landed.err


@pytest.mark.parametrize("profile", [Profile.XSTOCKS, Profile.PERMISSIONED], ids=["xstocks", "permissioned"])
async def test_vaults_that_were_made_and_frozen_before_are_thawed(program: DeployedProgram, profile: Profile) -> None:
    """By the freeze authority's holder, to be in the way."""
    live = await live_mint(program, profile=profile)
    vaults = await frozen_vaults(live)
    asset = await live.adopt()
    for vault in vaults:
        info = await program.chain.account(vault)
        assert not read_token_account(vault, info.data, info.owner).frozen
    await attach(asset)
    await asset.attest(11_000)
    await program.accepted(await asset.mint_call(1_000))
    assert await token_balance(program, asset.vault) == 1_000


async def test_a_frozen_vault_of_an_open_mint_is_refused(program: DeployedProgram) -> None:
    """Nobody can thaw it once the freeze authority is nobody's; thawed before, the mint is taken."""
    for thawed in (False, True):
        live = await live_mint(program, profile=Profile.OPEN, freezable=True)
        vaults = await frozen_vaults(live)
        guard = live.keys[(await live.holders()).freeze]
        if thawed:
            thawing = [token_instruction(bytes([11]), vault, live.mint, signer=address_of(guard)) for vault in vaults]
            await program.chain.accepted(call(thawing, guard))
        await program.accepted(live.begin())
        await live.hand_over()
        if thawed:
            await program.accepted(live.finish())
        else:
            await program.refused(live.finish(), ErrorCode.VaultInvalid)


async def frozen_vaults(live: LiveMint) -> tuple[Address, Address]:
    """Makes both vaults and freezes them, where they are not frozen already."""
    program, guard = live.program, live.keys[(await live.holders()).freeze]
    addresses, payer = program.addresses, address_of(program.chain.payer)
    owners = (addresses.asset(live.mint), addresses.redemption_authority(live.mint))
    await program.chain.accepted(call([create_token_account(payer, owner, live.mint) for owner in owners]))
    vaults = (addresses.vault(live.mint), addresses.redemption_vault(live.mint))
    if live.profile is not Profile.PERMISSIONED:
        freezing = [token_instruction(bytes([10]), vault, live.mint, signer=address_of(guard)) for vault in vaults]
        await program.chain.accepted(call(freezing, guard))
    return vaults


@pytest.mark.parametrize("lamports", [1_000_000, 10**10], ids=["under-funded", "over-funded"])
async def test_prefunded_addresses_block_no_adoption(program: DeployedProgram, lamports: int) -> None:
    live = await live_mint(program)
    addresses = program.addresses
    await program.chain.fund(addresses.adoption(live.mint), live.asset_address, lamports=lamports)
    await program.accepted(live.begin())
    await live.hand_over()
    await program.accepted(live.abort())
    await live.adopt()


# ---- accounts and terms ----------------------------------------------------------------------------------------------


async def test_each_step_takes_the_accounts_of_its_mint(program: DeployedProgram) -> None:
    live, other = await live_mint(program), await live_mint(program)
    addresses = program.addresses
    await program.accepted(other.begin())
    others = {ADOPTION: addresses.adoption(other.mint), ASSET: other.asset_address}
    stranger = address_of(Keypair())

    async def refuses(sent_by_admin: Call, wrong: Mapping[tuple[int, Address], ErrorCode]) -> None:
        [good] = sent_by_admin.instructions
        for (index, address), error in wrong.items():
            await program.refused(program.by("admin", with_account(good, index, address)), error)

    both = {
        (ADOPTION, others[ADOPTION]): ErrorCode.ConstraintSeeds,
        (ASSET, others[ASSET]): ErrorCode.ConstraintSeeds,
        (MINT, other.mint): ErrorCode.ConstraintSeeds,
    }
    await refuses(
        live.begin(),
        both
        | {
            (ADOPTION, stranger): ErrorCode.ConstraintSeeds,
            (MINT, address_of(program.chain.payer)): ErrorCode.MintOwnerInvalid,
        },
    )
    await program.accepted(live.begin())
    await live.hand_over()
    await refuses(live.abort(), both | {(ADOPTION, stranger): ErrorCode.AccountNotInitialized})
    await refuses(
        live.finish(),
        {
            (ADOPTION, others[ADOPTION]): ErrorCode.ConstraintSeeds,
            (ADOPTION, stranger): ErrorCode.AccountNotInitialized,
            (ADOPTION, addresses.config): ErrorCode.AccountDiscriminatorMismatch,
            (ASSET, others[ASSET]): ErrorCode.VaultInvalid,
            (MINT, other.mint): ErrorCode.ConstraintSeeds,
            (VAULT, addresses.redemption_vault(live.mint)): ErrorCode.VaultInvalid,
            (REDEMPTION_AUTHORITY, stranger): ErrorCode.ConstraintSeeds,
            (REDEMPTION_VAULT, addresses.vault(live.mint)): ErrorCode.VaultInvalid,
            (TOKEN_PROGRAM, stranger): ErrorCode.InvalidProgramId,
            (ASSOCIATED, stranger): ErrorCode.InvalidProgramId,
        },
    )
    await program.refused(live.finish(replace(ROOMY, max_age_secs=0)), ErrorCode.PolicyInvalid)
    await program.accepted(live.finish())


async def test_an_adoption_of_another_deployment_is_worth_nothing(
    program: DeployedProgram, foreign_program: DeployedProgram
) -> None:
    live = await live_mint(program)
    elsewhere = LiveMint(foreign_program, live.mint, live.profile, live.keys)
    [finishing] = live.finish().instructions
    await program.accepted(live.begin())
    wrong = with_account(finishing, ADOPTION, foreign_program.addresses.adoption(live.mint))
    await foreign_program.accepted(elsewhere.begin())
    await live.hand_over()
    await program.refused(program.by("admin", wrong), ErrorCode.AccountOwnedByWrongProgram)
    await foreign_program.refused(elsewhere.finish(), ErrorCode.MintAuthorityInvalid)
    # It cannot give away what the other one's asset holds.
    await foreign_program.accepted(elsewhere.abort())
    assert (await live.holders()).mint == live.asset_address
    await program.accepted(live.finish())
