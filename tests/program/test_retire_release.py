"""retire_asset: for ever no mint and no distribution; everything that lets holders out goes on."""

from __future__ import annotations

from tests.support.deployed import Asset, Deployed
from tests.support.live_chain import Call, address_of
from tests.support.mints import live_mint
from tests.support.refusals import Refusal
from xstocks_daemon.domain.snapshot import AssetState


def retiring(program: Deployed, asset: Asset) -> Call:
    return program.by("admin", program.client.retire_asset(admin=program.keys.admin.address, mint=asset.mint))


async def test_a_retired_asset_neither_mints_nor_distributes_and_still_burns(program: Deployed, asset: Asset) -> None:
    await asset.attest(1_000)
    await program.accepted(await asset.minting(900))
    wallet = await program.participant()
    await asset.open_account(address_of(wallet))
    await program.accepted(await asset.minting(10))
    await program.accepted(await asset.distributing(10, wallet))

    [event] = await program.accepted(retiring(program, asset))
    assert (event.name, event.fields) == ("AssetRetired", {"mint": asset.mint})
    assert (await asset.read()).state is AssetState.RETIRED
    await program.refused(await asset.minting(10), Refusal.AssetNotActive)
    await program.refused(await asset.distributing(10, wallet), Refusal.AssetNotActive)
    await program.accepted(await asset.burning(10))
    # Its shares must be able to leave: statements are taken, and bring nothing back to life.
    await asset.attest(500)
    assert (await asset.entry()).capacity_raw == 500
    assert (await asset.read()).state is AssetState.RETIRED
    await program.refused(await asset.minting(10), Refusal.AssetNotActive)
    await program.refused(retiring(program, asset), Refusal.AlreadyRetired)


async def test_a_halted_asset_is_retired_too(program: Deployed) -> None:
    asset = await (await live_mint(program)).adopt()
    assert (await asset.read()).state is AssetState.HALTED
    await program.accepted(retiring(program, asset))
    assert (await asset.read()).state is AssetState.RETIRED
