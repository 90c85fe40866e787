"""freeze and thaw: compliance stops a holder's token account at once, never a vault of the program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair

from tests.program.test_distribute import setting
from tests.reserve.document import places
from tests.support.deployed import Asset, AssetPool, DeployedProgram
from tests.support.edit import with_account
from tests.support.error_codes import ErrorCode
from tests.support.fixtures import single_fixture
from tests.support.initialized import ROOMY
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
        authority=program.keys.compliance.address, mint=asset.mint, account=account, wallet=wallet
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


# ---- so many a day (M7), and who undoes them -------------------------------------------------------------------------

DAY_SECS = 86_400
FREEZE_BUCKET_UPDATED_TS_AT = next(place.offset for place in places("Asset") if place.name == "freeze_bucket") + 8


@pytest.mark.embedded_only
async def test_so_many_accounts_are_frozen_in_a_day(program: DeployedProgram) -> None:
    """The bucket is full at first, refills over a day, and is never fuller than a day's number."""
    chain = program.chain
    [asset] = await program.register(policy=replace(ROOMY, freezes_per_day=2))
    accounts = [await asset.open_account(address_of(Keypair())) for _ in range(6)]

    def freeze(index: int) -> Call:
        return program.by("compliance", freezing(program, asset, accounts[index]))

    await program.accepted(freeze(0))
    at = FREEZE_BUCKET_UPDATED_TS_AT
    full_ts = int.from_bytes((await chain.account(asset.address)).data[at : at + 8], "little")
    await program.accepted(freeze(1))
    # A refused one and a thaw give nothing back.
    await program.refused(freeze(2), ErrorCode.FreezeLimitReached)
    await program.accepted(program.by("compliance", thawing(program, asset, accounts[0])))
    await program.refused(freeze(0), ErrorCode.FreezeLimitReached)
    await chain.switches_at(full_ts + DAY_SECS // 2, freeze(0), before=ErrorCode.FreezeLimitReached, since=None)
    await program.accepted(freeze(0))
    await program.refused(freeze(2), ErrorCode.FreezeLimitReached)
    await chain.clock_reaches(await chain.clock_ts() + 10 * DAY_SECS)
    await program.accepted(freeze(2))
    await program.accepted(freeze(3))
    await program.refused(freeze(4), ErrorCode.FreezeLimitReached)


@pytest.mark.parametrize("of_the_source", [False, True], ids=["another's account was frozen", "its source was frozen"])
async def test_a_recovery_that_freezes_counts_as_a_freeze(program: DeployedProgram, of_the_source: bool) -> None:
    [asset] = await program.register(policy=replace(ROOMY, freezes_per_day=1))
    source = asset.token_account(address_of(await asset.holder(1_000)))
    destination, other = [await asset.open_account(address_of(Keypair())) for _ in range(2)]
    announcing = program.client.announce_recovery(
        compliance=program.keys.compliance.address,
        mint=asset.mint,
        source=source,
        destination=destination,
        amount_raw=1,
        delay_secs=0,
    )
    frozen = source if of_the_source else other
    await program.accepted(program.by("compliance", freezing(program, asset, frozen)))
    if of_the_source:
        # It freezes nothing.
        await program.accepted(program.by("compliance", announcing))
    else:
        await program.refused(program.by("compliance", announcing), ErrorCode.FreezeLimitReached)


async def test_a_limit_of_freezes_that_changed_keeps_what_was_taken(program: DeployedProgram) -> None:
    [asset] = await program.register(policy=replace(ROOMY, freezes_per_day=3))
    accounts = [await asset.open_account(address_of(Keypair())) for _ in range(3)]

    def freeze(index: int) -> Call:
        return program.by("compliance", freezing(program, asset, accounts[index]))

    admin = program.keys.admin.address
    await program.accepted(freeze(0))
    less, more = (replace(ROOMY, freezes_per_day=count) for count in (1, 10))
    await program.accepted(
        program.by("admin", program.client.tighten_policy(admin=admin, mint=asset.mint, policy=less))
    )
    await program.accepted(freeze(1))
    await program.refused(freeze(2), ErrorCode.FreezeLimitReached)
    # More a day: from now on, not at once.
    await program.accepted(program.by("admin", program.client.loosen_policy(admin=admin, mint=asset.mint, policy=more)))
    await program.refused(freeze(2), ErrorCode.FreezeLimitReached)


async def test_nothing_is_frozen_where_the_policy_says_none(program: DeployedProgram, asset: Asset) -> None:
    [never] = await program.register(policy=replace(ROOMY, freezes_per_day=0))
    for its in (never, asset):
        freeze = program.by("compliance", freezing(program, its, await its.open_account(address_of(Keypair()))))
        if its is never:
            await program.refused(freeze, ErrorCode.FreezeLimitReached)
        else:
            await program.accepted(freeze)


async def test_admin_and_resumer_together_thaw_at_once(program: DeployedProgram, asset: Asset) -> None:
    keys, account = program.keys, await asset.open_account(address_of(Keypair()))
    await program.accepted(program.by("compliance", freezing(program, asset, account)))

    def thaw(authority: Keypair, resumer: Keypair | None) -> Call:
        instruction = program.client.thaw(
            authority=address_of(authority),
            mint=asset.mint,
            account=account,
            resumer=None if resumer is None else address_of(resumer),
        )
        return call(instruction, *dict.fromkeys(key for key in (authority, resumer) if key is not None))

    admin, resumer, guardian = keys.admin.keypair, keys.resumer.keypair, keys.guardian.keypair
    for beside in (None, guardian):
        await program.refused(thaw(admin, beside), ErrorCode.NotResumer)
    for authority, beside in ((resumer, None), (resumer, resumer), (guardian, resumer)):
        await program.refused(thaw(authority, beside), ErrorCode.NotCompliance)
    [event] = await program.accepted(thaw(admin, resumer))
    assert event.name == "Thawed"
    assert not await asset.frozen(account)
    # Compliance needs nobody beside, and nobody beside is in its way.
    for beside in (None, resumer):
        await program.accepted(program.by("compliance", freezing(program, asset, account)))
        await program.accepted(thaw(keys.compliance.keypair, beside))


async def test_admin_and_resumer_thaw_only_what_compliance_could(
    program: DeployedProgram, asset: Asset, permissioned: Asset
) -> None:
    keys = program.keys

    def thaw(its: Asset, account: Address, wallet: Address | None = None) -> Call:
        instruction = program.client.thaw(
            authority=keys.admin.address,
            mint=its.mint,
            account=account,
            wallet=wallet,
            resumer=keys.resumer.address,
        )
        return call(instruction, keys.admin.keypair, keys.resumer.keypair)

    await program.refused(thaw(asset, asset.vault), ErrorCode.VaultProtected)
    wallet = address_of(await program.participant())
    account = await permissioned.open_account(wallet)
    await program.refused(thaw(permissioned, account), ErrorCode.ParticipantMissing)
    await program.accepted(thaw(permissioned, account, wallet))
