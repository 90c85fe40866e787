"""retire_asset: for ever no mint and no distribution; everything that lets holders out goes on. release_authority: the
mint goes to somebody else, whole, and the program enforces nothing any more."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair

from tests.program.adoption_calls import attach
from tests.program.test_admin_handover import seal
from tests.program.test_freeze import sending
from tests.program.test_pauses import pausing
from tests.program.test_timelock import executing, propose
from tests.support.deployed import Asset, AssetPool, DeployedProgram
from tests.support.edit import with_account
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import Call, address_of, call
from tests.support.mints import live_mint, token_instruction
from tests.support.redeeming import Request, requested
from xstocks_daemon.chain.authorities import read_authorities
from xstocks_daemon.chain.mint_layout import DECIMALS
from xstocks_daemon.chain.program import Authorities, Profile
from xstocks_daemon.domain.snapshot import AssetState, Scope
from xstocks_daemon.domain.units import ZERO_ADDRESS, Address, multiplier_bits_of


def retiring(program: DeployedProgram, asset: Asset) -> Call:
    return program.by("admin", program.client.retire_asset(admin=program.keys.admin.address, mint=asset.mint))


async def test_a_retired_asset_neither_mints_nor_distributes_and_still_burns(
    program: DeployedProgram, asset: Asset
) -> None:
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(900))
    wallet = await program.participant()
    await asset.open_account(address_of(wallet))
    await program.accepted(await asset.mint_call(10))
    await program.accepted(await asset.distribute_call(10, wallet))

    [event] = await program.accepted(retiring(program, asset))
    assert (event.name, event.fields) == ("AssetRetired", {"mint": asset.mint})
    assert (await asset.read()).state is AssetState.RETIRED
    await program.refused(await asset.mint_call(10), ErrorCode.AssetNotActive)
    await program.refused(await asset.distribute_call(10, wallet), ErrorCode.AssetNotActive)
    await program.accepted(await asset.burn_call(10))
    # Its shares must be able to leave: statements are taken, and bring nothing back to life.
    await asset.attest(500)
    assert (await asset.entry()).capacity_raw == 500
    assert (await asset.read()).state is AssetState.RETIRED
    await program.refused(await asset.mint_call(10), ErrorCode.AssetNotActive)
    await program.refused(retiring(program, asset), ErrorCode.AlreadyRetired)


async def test_a_halted_asset_is_retired_for_ever_too(program: DeployedProgram) -> None:
    """A statement activates a halted one; a retired one it does not."""
    asset, twin = [await (await live_mint(program)).adopt() for _ in range(2)]
    for each in (asset, twin):
        assert (await each.read()).state is AssetState.HALTED
        await attach(each)
    await program.accepted(retiring(program, asset))
    for each, state in ((asset, AssetState.RETIRED), (twin, AssetState.ACTIVE)):
        await each.attest(20_000)
        assert (await each.read()).state is state


async def test_once_sealed_an_asset_is_retired_after_the_timelock(own_program: DeployedProgram) -> None:
    """Nothing undoes it, so the admin's key alone does not do it at once: the guardian may cancel meanwhile."""
    program = own_program
    asset, other = await program.register(2)
    await seal(program)
    await program.refused(retiring(program, asset), ErrorCode.ProposalRequired)
    wanted = program.client.retire_asset(admin=program.keys.admin.address, mint=asset.mint)
    proposal = await propose(program, wanted)
    await program.refused(executing(program, wanted), ErrorCode.ProposalNotReady)
    assert (await asset.read()).state is AssetState.ACTIVE
    await program.chain.clock_reaches(proposal.ready_ts)
    asset_index = 2
    elsewhere = with_account(program.client.with_proposal(wanted), asset_index, other.address)
    await program.refused(program.by("admin", elsewhere), ErrorCode.ProposalMismatch)
    events = await program.accepted(executing(program, wanted))
    assert [event.name for event in events] == ["ProposalExecuted", "AssetRetired"]
    assert ((await asset.read()).state, (await other.read()).state) == (AssetState.RETIRED, AssetState.ACTIVE)


# ---- release ---------------------------------------------------------------------------------------------------------


def release(program: DeployedProgram, asset: Asset, new_authority: Address) -> Instruction:
    return program.client.release_authority(
        admin=program.keys.admin.address, mint=asset.mint, new_authority=new_authority
    )


def releasing(program: DeployedProgram, asset: Asset, new_authority: Address) -> Call:
    return program.by("admin", release(program, asset, new_authority))


async def holders_of(asset: Asset) -> Authorities:
    info = await asset.program.chain.account(asset.mint)
    return read_authorities(asset.mint, info.data, info.owner)


@pytest.mark.parametrize("profile", Profile)
async def test_every_authority_goes_to_the_new_one(program: DeployedProgram, profile: Profile) -> None:
    [asset] = await program.register(profile=profile)
    new = Keypair()
    before = asdict(await holders_of(asset))
    present = {name for name, holder in before.items() if holder != ZERO_ADDRESS}
    assert len(present) == (4 if profile is Profile.OPEN else len(before))
    assert {before[name] for name in present} == {asset.address}

    [event] = await program.accepted(releasing(program, asset, address_of(new)))
    assert (event.name, event.fields) == (
        "AuthorityReleased",
        {"mint": asset.mint, "new_authority": address_of(new), "burnt_raw": 0},
    )
    assert asdict(await holders_of(asset)) == {
        name: address_of(new) if name in present else ZERO_ADDRESS for name in before
    }
    assert (await asset.read()).state is AssetState.RELEASED
    # It is the mint's authority indeed: it may do what the program refused.
    account = await asset.open_account(address_of(Keypair()))
    if profile is Profile.PERMISSIONED:
        await program.chain.accepted(call(token_call(THAW, account, asset.mint, signer=new), new))
    await program.chain.accepted(call(token_call(mint_to(7), asset.mint, account, signer=new), new))
    assert await asset.balance_raw(account) == 7


def mint_to(amount_raw: int) -> bytes:
    """MintToChecked."""
    return bytes([14]) + amount_raw.to_bytes(8, "little") + bytes([DECIMALS])


def token_call(data: bytes, *accounts: Address, signer: Keypair) -> Instruction:
    return token_instruction(data, *accounts, signer=address_of(signer))


THAW = bytes([11])


async def test_a_released_asset_does_nothing_with_its_mint_any_more(program: DeployedProgram) -> None:
    released, twin = await program.register(2)
    wallets = {each: await each.holder(1_000) for each in (released, twin)}
    for each in (released, twin):
        await each.attest(1_400)
        await program.accepted(await each.mint_call(100))
    new = address_of(Keypair())
    await program.accepted(await released.burn_call(100) + releasing(program, released, new))

    client, keys = program.client, program.keys
    in_a_day_ts = await program.chain.clock_ts() + 86_400
    one, more = multiplier_bits_of("1"), multiplier_bits_of("1.02")

    async def attempts(asset: Asset) -> list[tuple[Call, ErrorCode]]:
        mint, source = asset.mint, asset.token_account(address_of(wallets[asset]))
        destination = await asset.open_account(address_of(Keypair()))
        named = {"mint": mint, "source": source, "destination": destination}
        announce = client.announce_recovery(compliance=keys.compliance.address, amount_raw=1, delay_secs=0, **named)
        schedule = client.schedule_multiplier(
            corporate_actions=keys.corporate_actions.address,
            mint=mint,
            current_bits=one,
            new_bits=more,
            effective_ts=in_a_day_ts,
        )
        update = client.set_metadata(admin=keys.admin.address, mint=mint, updates=[("uri", "x")])
        freeze = client.freeze(compliance=keys.compliance.address, mint=mint, account=destination)
        pause = client.pause(guardian=keys.guardian.address, scopes=Scope.TRANSFERS, mint=mint)
        return [
            (await asset.mint_call(1), ErrorCode.AssetNotActive),
            (await asset.burn_call(1), ErrorCode.AssetNotActive),
            (await asset.distribute_call(1, wallets[asset]), ErrorCode.AssetNotActive),
            (program.by("admin", update), ErrorCode.AssetReleased),
            (program.by("compliance", freeze), ErrorCode.AssetReleased),
            (program.by("compliance", announce), ErrorCode.AssetReleased),
            (program.by("corporate_actions", schedule), ErrorCode.AssetReleased),
            (program.by("guardian", pause), ErrorCode.AssetReleased),
            (retiring(program, asset), ErrorCode.AssetReleased),
        ]

    for sent, error in await attempts(released):
        await program.refused(sent, error)
    await program.refused(releasing(program, released, new), ErrorCode.AssetReleased)
    # The twin that was not released does each of them.
    for sent, _error in await attempts(twin):
        simulated = await program.chain.simulate(sent)
        assert simulated.err is None, simulated.logs
    await program.accepted(await twin.burn_call(100) + releasing(program, twin, new))
    # Nothing brings it back: not a statement, nor a registration or an adoption of its mint.
    await released.attest(1_000)
    assert (await released.read()).state is AssetState.RELEASED
    begin = client.begin_adopt(admin=keys.admin.address, mint=released.mint, profile=Profile.XSTOCKS)
    await program.refused(program.by("admin", begin), ErrorCode.AlreadyInitialized)
    await program.refused(program.by("admin", program.registration(released.mint)), ErrorCode.AlreadyInitialized)


async def test_what_is_left_in_the_vaults_is_burnt(program: DeployedProgram, asset: Asset) -> None:
    """Inventory, and dust that anybody sends to either vault: it blocks nothing. Holders keep theirs."""
    wallet = await asset.holder(1_000)
    await asset.attest(1_400)
    await program.accepted(await asset.mint_call(400))
    for vault, amount_raw in ((asset.vault, 1), (program.addresses.redemption_vault(asset.mint), 2)):
        await program.chain.accepted(sending(asset, wallet, vault, amount_raw))
    before = await asset.read()
    new = address_of(Keypair())
    [event] = await program.accepted(releasing(program, asset, new))
    assert event.fields == {"mint": asset.mint, "new_authority": new, "burnt_raw": 403}
    after = await asset.read()
    assert (after.state, after.burnt_raw) == (AssetState.RELEASED, before.burnt_raw + 403)
    assert await asset.supply_raw() == await asset.balance_raw(asset.token_account(address_of(wallet))) == 997
    assert await asset.balance_raw(asset.vault) == 0
    assert await asset.balance_raw(program.addresses.redemption_vault(asset.mint)) == 0


async def test_not_while_redemptions_are_open(program: DeployedProgram, asset: Asset) -> None:
    """Their tokens wait, and nobody could settle or reject them any more."""
    await asset.attest(1_000)
    ended = [await requested(asset, 100) for _ in range(4)]
    settled, rejected, cancelled, recovered = ended
    heir = await asset.open_account(address_of(Keypair()))
    await program.accepted(recovered.announce_recovery_call(heir))
    new = address_of(Keypair())
    ends = (
        settled.settle_call(),
        rejected.reject_call(),
        cancelled.cancel_call(),
        recovered.execute_recovery_call(heir),
    )
    for left, end in zip((4, 3, 2, 1), ends, strict=True):
        assert (await asset.read()).open_redemptions == left
        await program.refused(releasing(program, asset, new), ErrorCode.RedemptionsOpen)
        await program.accepted(end)
    assert (await asset.read()).open_redemptions == 0
    await program.accepted(releasing(program, asset, new))
    await program.refused(Request(asset, settled.wallet).request_call(1), ErrorCode.AssetNotActive)


async def test_the_vaults_and_the_mint_are_the_assets(program: DeployedProgram, pool: AssetPool) -> None:
    asset, other = await pool.take(), await pool.take()
    for each in (asset, other):
        await each.attest(1_000)
        await program.accepted(await each.mint_call(1_000))
    good = release(program, asset, address_of(Keypair()))
    addresses = program.addresses
    for place, address, error in (
        (3, other.mint, ErrorCode.WrongMint),
        (4, other.vault, ErrorCode.WrongVault),
        (4, addresses.redemption_vault(asset.mint), ErrorCode.WrongVault),
        (5, addresses.redemption_authority(other.mint), ErrorCode.ConstraintSeeds),
        (6, addresses.redemption_vault(other.mint), ErrorCode.WrongRedemptionVault),
    ):
        await program.refused(program.by("admin", with_account(good, place, address)), error)
    await program.accepted(program.by("admin", good))


async def test_the_new_authority_is_somebody_else(program: DeployedProgram, asset: Asset) -> None:
    await program.refused(releasing(program, asset, ZERO_ADDRESS), ErrorCode.KeyMissing)
    await program.refused(releasing(program, asset, asset.address), ErrorCode.NewAuthorityInvalid)
    await program.accepted(releasing(program, asset, address_of(Keypair())))


async def test_a_paused_mint_is_released_as_it_is(program: DeployedProgram, asset: Asset) -> None:
    await program.accepted(pausing(program, Scope.TRANSFERS, asset.mint))
    new = address_of(Keypair())
    await program.accepted(releasing(program, asset, new))
    assert (await holders_of(asset)).pausable == new
    assert (await asset.read_mint()).paused


@pytest.mark.embedded_only
async def test_not_while_a_change_of_the_multiplier_is_announced(program: DeployedProgram, asset: Asset) -> None:
    new = address_of(Keypair())
    effective_ts = await program.chain.clock_ts() + 1_000
    schedule = program.client.schedule_multiplier(
        corporate_actions=program.keys.corporate_actions.address,
        mint=asset.mint,
        current_bits=multiplier_bits_of("1"),
        new_bits=multiplier_bits_of("1.02"),
        effective_ts=effective_ts,
    )
    await program.accepted(program.by("corporate_actions", schedule))
    await program.refused(releasing(program, asset, new), ErrorCode.MultiplierChangePending)
    await program.chain.switches_at(
        effective_ts, releasing(program, asset, new), before=ErrorCode.MultiplierChangePending, since=None
    )
    await program.accepted(releasing(program, asset, new))
    assert (await asset.read()).multiplier_bits == multiplier_bits_of("1.02")


async def test_authorities_that_nobody_holds_stay_nobodys(program: DeployedProgram) -> None:
    live = await live_mint(program)
    for name in ("hook", "metadata_update"):
        await live.give(name, ZERO_ADDRESS)
    asset, new = await live.adopt(), address_of(Keypair())
    # Metadata that nobody may change are refused by name.
    update = program.client.set_metadata(admin=program.keys.admin.address, mint=asset.mint, updates=[("uri", "x")])
    await program.refused(program.by("admin", update), ErrorCode.MetadataImmutable)
    await program.accepted(releasing(program, asset, new))
    holders = await holders_of(asset)
    assert (holders.hook, holders.metadata_update) == (ZERO_ADDRESS, ZERO_ADDRESS)
    assert (holders.mint, holders.confidential) == (new, new)


async def test_the_new_authority_is_the_proposed_one(own_program: DeployedProgram) -> None:
    program = own_program
    [asset] = await program.register()
    await seal(program)
    wanted = release(program, asset, address_of(Keypair()))
    await program.refused(program.by("admin", wanted), ErrorCode.ProposalRequired)
    proposal = await propose(program, wanted)
    await program.chain.clock_reaches(proposal.ready_ts)
    new_authority = 7
    other = with_account(program.client.with_proposal(wanted), new_authority, address_of(Keypair()))
    await program.refused(program.by("admin", other), ErrorCode.ProposalMismatch)
    await program.accepted(executing(program, wanted))
