"""Holds are numbered (M9): clear_hold clears what the resumer looked at, and a renewal of it does not stop that."""

from __future__ import annotations

from tests.program.multiplier_calls import withdraw
from tests.support.deployed import Asset, DeployedProgram
from tests.support.error_codes import ErrorCode
from xstocks_daemon.domain.snapshot import Hold


async def held(asset: Asset) -> None:
    """An asset that a rise holds."""
    await asset.attest(100)
    await asset.attest(1_000)
    assert ((await asset.read()).holds, (await asset.read()).hold_number) == (Hold.RISE, 1)


async def test_a_kept_clear_hold_does_not_clear_what_nobody_looked_at(program: DeployedProgram, asset: Asset) -> None:
    await held(asset)
    kept = await asset.clear_hold_call(Hold.RISE)
    await asset.attest(10_000)
    stored = await asset.read()
    assert (stored.holds, stored.hold_number) == (Hold.RISE, 2), "counted while one stands"
    await program.refused(kept, ErrorCode.HeldAgain)
    assert await asset.read() == stored
    await program.accepted(await asset.clear_hold_call(Hold.RISE))


async def test_a_kept_clear_hold_is_void_also_after_another_one_cleared(program: DeployedProgram, asset: Asset) -> None:
    await held(asset)
    kept = await asset.clear_hold_call(Hold.RISE)
    await program.accepted(await asset.clear_hold_call(Hold.RISE | Hold.MULTIPLIER))
    await asset.attest(10_000)
    await program.refused(kept, ErrorCode.HeldAgain)
    [event] = await program.accepted(await asset.clear_hold_call(Hold.RISE))
    assert (event.name, event.fields["holds"], event.fields["hold_number"]) == ("HoldCleared", 0, 2)


async def test_renewed_statements_do_not_starve_a_slow_resumer(program: DeployedProgram, asset: Asset) -> None:
    """A resumer that is a multisig signs for minutes; meanwhile statements come, and one attester withdraws them."""
    await held(asset)
    kept = await asset.clear_hold_call(Hold.RISE)
    for shares in (1_000, 900):
        await asset.attest(shares)
    await withdraw(asset)
    await asset.attest(900)
    stored = await asset.read()
    assert (stored.holds, stored.hold_number) == (Hold.RISE, 1)
    await program.accepted(kept)
    assert (await asset.read()).holds is Hold(0)
