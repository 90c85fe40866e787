"""freeze and thaw: compliance stops a holder's token account at once, never a vault of the program."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair

from tests.program.test_distribute import setting
from tests.support.deployed import Asset, AssetPool, DeployedProgram
from tests.support.edit import with_account
from tests.support.error_codes import ErrorCode
from tests.support.fixtures import single_fixture
from tests.support.live_chain import Call, address_of, call
from tests.support.mints import token_instruction
from xstocks_daemon.chain.program import Profile
from xstocks_daemon.chain.transactions import transfer_tokens
from xstocks_daemon.domain.units import Address

TOKEN_2022_ACCOUNT_FROZEN = 17
"""TokenError::AccountFrozen of Token-2022."""
TOKEN_2022_IMMUTABLE_OWNER = 34
"""TokenError::ImmutableOwner of Token-2022."""
MINT, RECOVERY = 3, 5

Action = Callable[[DeployedProgram, Asset, Address], Instruction]
"""freezing or thawing."""


def freezing(program: DeployedProgram, asset: Asset, account: Address) -> Instruction:
    return program.client.freeze(compliance=program.keys.compliance.address, mint=asset.mint, account=account)


def thawing(program: DeployedProgram, asset: Asset, account: Address, wallet: Address | None = None) -> Instruction:
    return program.client.thaw(
        compliance=program.keys.compliance.address, mint=asset.mint, account=account, wallet=wallet
    )


def sending(asset: Asset, wallet: Keypair, destination: Address, amount_raw: int) -> Call:
    """The holder's own transfer."""
    owner = address_of(wallet)
    source = asset.token_account(owner)
    transfer = transfer_tokens(
        source=source, mint=asset.mint, destination=destination, owner=owner, amount_raw=amount_raw, decimals=8
    )
    return call(transfer, wallet)


async def test_a_frozen_account_neither_sends_nor_receives_until_it_is_thawed(
    program: DeployedProgram, asset: Asset
) -> None:
    wallet = await asset.holder(1_000)
    owner, account = address_of(wallet), asset.token_account(address_of(wallet))
    other = await asset.open_account(address_of(Keypair()))
    [event] = await program.accepted(program.by("compliance", freezing(program, asset, account)))
    changed = {"mint": asset.mint, "account": account, "owner": owner}
    assert (event.name, event.fields) == ("Frozen", changed)
    assert await asset.frozen(account)
    frozen = {"InstructionError": [1, {"Custom": TOKEN_2022_ACCOUNT_FROZEN}]}
    await program.chain.fails(sending(asset, wallet, other, 1), frozen)
    await program.refused(await asset.distribute_call(1, wallet), ErrorCode.DestinationInvalid)

    [event] = await program.accepted(program.by("compliance", thawing(program, asset, account)))
    assert (event.name, event.fields) == ("Thawed", changed)
    assert not await asset.frozen(account)
    await program.chain.accepted(sending(asset, wallet, other, 1))
    assert await asset.balance_raw(account) == 999


async def test_what_is_frozen_is_not_frozen_again_and_what_is_not_is_not_thawed(
    program: DeployedProgram, asset: Asset
) -> None:
    account = await asset.open_account(address_of(Keypair()))
    freeze, thaw = freezing(program, asset, account), thawing(program, asset, account)
    await program.refused(program.by("compliance", thaw), ErrorCode.AccountNotFrozen)
    await program.accepted(program.by("compliance", freeze))
    await program.refused(program.by("compliance", freeze), ErrorCode.AccountFrozen)
    await program.accepted(program.by("compliance", thaw))
    await program.accepted(program.by("compliance", freeze))


@pytest.mark.parametrize("action", [freezing, thawing])
async def test_no_vault_of_the_program_is_touched(program: DeployedProgram, asset: Asset, action: Action) -> None:
    for vault in (asset.vault, program.addresses.redemption_vault(asset.mint)):
        await program.refused(program.by("compliance", action(program, asset, vault)), ErrorCode.VaultProtected)
    holders = await asset.open_account(address_of(Keypair()))
    if action is thawing:
        await program.accepted(program.by("compliance", freezing(program, asset, holders)))
    await program.accepted(program.by("compliance", action(program, asset, holders)))


@pytest.mark.parametrize("action", [freezing, thawing])
async def test_only_a_token_account_of_the_mint(program: DeployedProgram, pool: AssetPool, action: Action) -> None:
    asset, other = await pool.take(), await pool.take()
    account, foreign = [await each.open_account(address_of(Keypair())) for each in (asset, other)]
    if action is thawing:
        for each, its in ((asset, account), (other, foreign)):
            await program.accepted(program.by("compliance", freezing(program, each, its)))
    for wrong in (foreign, asset.mint, asset.address, address_of(Keypair()), program.addresses.config):
        await program.refused(program.by("compliance", action(program, asset, wrong)), ErrorCode.TokenAccountInvalid)
    good = action(program, asset, account)
    await program.refused(program.by("compliance", with_account(good, MINT, other.mint)), ErrorCode.WrongMint)
    await program.accepted(program.by("compliance", good))


@pytest.mark.parametrize("action", [freezing, thawing])
async def test_the_open_profile_freezes_nobody(program: DeployedProgram, asset: Asset, action: Action) -> None:
    [free] = await program.register(profile=Profile.OPEN)
    account = await free.open_account(address_of(Keypair()))
    await program.refused(program.by("compliance", action(program, free, account)), ErrorCode.NotFreezable)
    twin = await asset.open_account(address_of(Keypair()))
    await program.accepted(program.by("compliance", freezing(program, asset, twin)))
    await program.accepted(program.by("compliance", thawing(program, asset, twin)))


@single_fixture
async def permissioned(program: DeployedProgram) -> Asset:
    """An asset whose accounts only participants may use."""
    [asset] = await program.register(profile=Profile.PERMISSIONED)
    return asset


async def test_a_permissioned_asset_reaches_participants_that_compliance_thawed(
    program: DeployedProgram, permissioned: Asset
) -> None:
    """From its registration to a participant's wallet, and from there to no other wallet."""
    await permissioned.attest(1_000)
    await program.accepted(await permissioned.mint_call(1_000))
    wallet = await program.participant()
    account = await permissioned.open_account(address_of(wallet))
    outside = await permissioned.open_account(address_of(Keypair()))
    assert await permissioned.frozen(account)
    await program.refused(await permissioned.distribute_call(400, wallet), ErrorCode.DestinationInvalid)
    await program.accepted(program.by("compliance", thawing(program, permissioned, account, address_of(wallet))))
    await program.accepted(await permissioned.distribute_call(400, wallet))
    assert (await permissioned.balance_raw(account), await permissioned.balance_raw()) == (400, 600)
    frozen = {"InstructionError": [1, {"Custom": TOKEN_2022_ACCOUNT_FROZEN}]}
    await program.chain.fails(sending(permissioned, wallet, outside, 1), frozen)
    await program.chain.accepted(sending(permissioned, wallet, permissioned.vault, 100))


@pytest.mark.embedded_only
async def test_in_the_permissioned_profile_only_participants_are_thawed(
    program: DeployedProgram, permissioned: Asset
) -> None:
    wallet, other = await program.participant(), await program.participant()
    owner = address_of(wallet)
    account = await permissioned.open_account(owner)
    assert await permissioned.frozen(account)

    def thaw(participant: Address | None) -> Call:
        return program.by("compliance", thawing(program, permissioned, account, participant))

    await program.refused(thaw(None), ErrorCode.ParticipantMissing)
    await program.refused(thaw(address_of(other)), ErrorCode.OwnerMismatch)
    await program.refused(thaw(address_of(Keypair())), ErrorCode.AccountNotInitialized)
    later_ts = await program.chain.clock_ts() + 1_000
    await program.accepted(setting(program, wallet, later_ts, state=0))
    await program.refused(thaw(owner), ErrorCode.ParticipantInactive)
    await program.accepted(setting(program, wallet, later_ts))
    await program.chain.switches_at(later_ts, thaw(owner), before=None, since=ErrorCode.ParticipantExpired)
    await program.refused(thaw(owner), ErrorCode.ParticipantExpired)
    await program.accepted(setting(program, wallet, later_ts + 1_000))
    await program.accepted(thaw(owner))
    assert not await permissioned.frozen(account)


async def test_in_the_permissioned_profile_nobody_inherits_a_thawed_account(
    program: DeployedProgram, asset: Asset, permissioned: Asset
) -> None:
    """Token-2022 lets an owner give its account away, tokens and all, save where the account has ImmutableOwner."""
    wallet, heir = await program.participant(), address_of(Keypair())
    owner = address_of(wallet)
    await program.chain.fund(owner)

    def thaw(its: Asset, account: Address) -> Call:
        return program.by("compliance", thawing(program, its, account, owner))

    def giving_away(account: Address) -> Call:
        set_account_owner = bytes([6, 2, 1]) + heir
        return call(token_instruction(set_account_owner, account, signer=owner), wallet)

    associated = await permissioned.open_account(owner)
    account = await permissioned.open_another(wallet)
    await program.refused(thaw(permissioned, account), ErrorCode.OwnerNotImmutable)
    await program.accepted(thaw(permissioned, associated))
    await program.chain.fails(
        giving_away(associated), {"InstructionError": [1, {"Custom": TOKEN_2022_IMMUTABLE_OWNER}]}
    )
    # Where everybody may hold, it may be anybody's.
    await asset.open_account(owner)
    free = await asset.open_another(wallet)
    await program.accepted(program.by("compliance", freezing(program, asset, free)))
    await program.accepted(thaw(asset, free))
    await program.chain.accepted(giving_away(free))


async def test_thaw_looks_at_the_recovery_of_its_own_account(program: DeployedProgram, asset: Asset) -> None:
    """An announced recovery is not hidden behind another account's address."""
    account, other = [await asset.open_account(address_of(Keypair())) for _ in range(2)]
    await program.accepted(program.by("compliance", freezing(program, asset, account)))
    good = thawing(program, asset, account)
    for elsewhere in (program.addresses.recovery(other), address_of(Keypair()), program.addresses.config):
        wrong = with_account(good, RECOVERY, elsewhere)
        await program.refused(program.by("compliance", wrong), ErrorCode.ConstraintSeeds)
    await program.accepted(program.by("compliance", good))
