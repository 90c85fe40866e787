"""After a multiplier change took effect (M9): what was observed before it counts no more, and for an entry whose quorum
has confirmed it the time around it is over. A daily dividend can live under that."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from tests.program.multiplier_calls import (
    ACTIONS,
    NEW,
    NOTICE_SECS,
    ONE,
    announce,
    bits,
    cancel,
    in_secs,
    said,
    schedule,
    stated,
    withdraw,
)
from tests.support.deployed import NANO_PER_RAW, Asset, DeployedProgram
from tests.support.error_codes import ErrorCode
from tests.support.initialized import OTHER_CUSTODIAN
from xstocks_daemon.domain.snapshot import Hold
from xstocks_daemon.domain.units import MILLIS_PER_SEC, multiplier_bits_of, multiplier_fraction

pytestmark = pytest.mark.embedded_only

DAILY, CHANGES = "SATAx", 65


async def take_effect(asset: Asset, new_bits: int, current_bits: int) -> int:
    effective_ts = await announce(asset, new_bits, current_bits=current_bits)
    await asset.program.chain.clock_reaches(effective_ts)
    return effective_ts


async def test_a_multiplier_that_comes_back_revives_nothing(program: DeployedProgram, asset: Asset) -> None:
    await said(asset, 1_000_000_000, ONE)
    await said(asset, 500_000_000, ONE, custodian=OTHER_CUSTODIAN)
    kept = await stated(asset, 500_000_000, ONE, custodian=OTHER_CUSTODIAN)
    await take_effect(asset, NEW, ONE)
    await said(asset, 1_020_000_000, NEW)
    back_ts = await take_effect(asset, ONE, NEW)
    # Neither the entry that states the multiplier in force again, nor a statement that was kept since then.
    assert (await asset.entry(OTHER_CUSTODIAN)).multiplier_bits == 0
    before = await asset.read()
    await program.refused(program.relay(kept, *program.quorum(OTHER_CUSTODIAN)), ErrorCode.StatementNotNewer)
    assert await asset.read() == before
    before_ms = back_ts * MILLIS_PER_SEC - 1
    just_before = await stated(asset, 500_000_000, ONE, custodian=OTHER_CUSTODIAN, observed_ms=before_ms)
    await program.refused(program.relay(just_before, *program.quorum(OTHER_CUSTODIAN)), ErrorCode.StatementNotNewer)
    await said(asset, 1_000_000_000, ONE)
    most_raw = 1_000_000_000 // NANO_PER_RAW
    await program.refused(await asset.mint_call(most_raw + 1), ErrorCode.CeilingExceeded)
    # The same, observed as it took effect, is taken.
    await said(asset, 500_000_000, ONE, custodian=OTHER_CUSTODIAN, observed_ms=back_ts * MILLIS_PER_SEC)
    taken = await asset.entry(OTHER_CUSTODIAN)
    assert (taken.multiplier_bits, taken.confirmed) == (ONE, False), "its predecessor was of an older multiplier"


async def test_a_confirmed_change_is_over_for_its_entry(program: DeployedProgram, asset: Asset) -> None:
    await said(asset, 1_000_000_000, ONE)
    await take_effect(asset, NEW, ONE)
    assert not (await asset.entry()).confirmed
    await said(asset, 1_020_000_000, NEW)
    assert (await asset.entry()).confirmed
    await said(asset, 1_428_000_000, NEW)
    assert (await asset.read()).holds is Hold(0), "40 % is within max_rise_bps"
    # One attester takes the confirmation away with the entry.
    await withdraw(asset)
    assert not (await asset.entry()).confirmed
    await said(asset, 1_428_000_000, NEW)
    assert ((await asset.read()).holds, (await asset.entry()).confirmed) == (Hold.CA_WINDOW, False)


async def test_what_leaves_the_tolerance_confirms_nothing(program: DeployedProgram, asset: Asset) -> None:
    await said(asset, 1_000_000_000, ONE)
    await take_effect(asset, NEW, ONE)
    await said(asset, 1_000_000_000, NEW)
    assert ((await asset.read()).holds, (await asset.entry()).confirmed) == (Hold.MULTIPLIER, False)
    await program.accepted(await asset.clear_hold_call(Hold.MULTIPLIER))
    await said(asset, 1_020_000_000, NEW)
    assert ((await asset.read()).holds, (await asset.entry()).confirmed) == (Hold.RISE, False)


async def test_a_cancelled_change_is_confirmed_by_nothing(program: DeployedProgram, asset: Asset) -> None:
    """Its shares may be in the books; the confirmation of the change before it does not help."""
    await said(asset, 1_000_000_000, ONE)
    await take_effect(asset, NEW, ONE)
    await said(asset, 1_020_000_000, NEW)
    await announce(asset, ONE, current_bits=NEW)
    await program.accepted(cancel(asset, pending_bits=ONE))
    await said(asset, 1_020_000_000, NEW)
    assert (await asset.entry()).confirmed
    await said(asset, 1_428_000_000, NEW)
    assert (await asset.read()).holds is Hold.RISE


async def test_changes_do_not_multiply_before_a_quorum_confirms_each(program: DeployedProgram, asset: Asset) -> None:
    await said(asset, 1_000_000_000, ONE)
    in_force = bits(1.01)
    await take_effect(asset, in_force, ONE)
    next_ts = await in_secs(asset, NOTICE_SECS + 60)
    again = schedule(asset, next_ts, bits(1.02), current_bits=in_force)
    before = await asset.read()
    await program.refused(again, ErrorCode.MultiplierNeedsAdmin)
    assert await asset.read() == before
    await said(asset, 1_010_000_000, in_force)
    await program.accepted(again)


async def test_nor_where_nothing_counts_and_then_with_the_admin(program: DeployedProgram, asset: Asset) -> None:
    await said(asset, 1_000_000_000, ONE)
    in_force = bits(1.01)
    await take_effect(asset, in_force, ONE)
    await withdraw(asset)
    next_ts = await in_secs(asset, NOTICE_SECS + 60)
    again = schedule(asset, next_ts, bits(1.02), current_bits=in_force)
    await program.refused(again, ErrorCode.MultiplierNeedsAdmin)
    await program.accepted(schedule(asset, next_ts, bits(1.02), current_bits=in_force, admin=True))


async def test_an_asset_with_a_dividend_a_day_lives_on(program: DeployedProgram, asset: Asset) -> None:
    """The 65 changes of one real asset, none of them out of the window of the one before: after each its custodian
    confirms, takes a deposit of a hundredth, and the issuer mints; no hold is set and no resumer is called."""
    history = json.loads(ACTIONS.read_text(encoding="utf-8"))["multiplier_history"]
    changes = [multiplier_bits_of(str(row["multiplier_new"])) for row in history if row["symbol"] == DAILY]
    assert len(changes) == CHANGES
    in_force, shares_nano = ONE, 10**15
    await said(asset, shares_nano, in_force)
    for new_bits in changes:
        if new_bits == in_force:
            continue
        ratio = multiplier_fraction(new_bits) / multiplier_fraction(in_force)
        await take_effect(asset, new_bits, in_force)
        shares_nano, in_force = int(shares_nano * ratio), new_bits
        await said(asset, shares_nano, in_force)
        assert (await asset.entry()).confirmed
        shares_nano = int(shares_nano * Fraction(101, 100))
        await said(asset, shares_nano, in_force)
        await program.accepted(await asset.mint_call(1))
    stored = await asset.read()
    assert (stored.holds, stored.hold_number) == (Hold(0), 0)
