"""Changes of the multiplier (M9): announced, bounded, compare-and-set, and what the quorum signs after them."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from tests.program.multiplier_calls import (
    ACTIONS,
    MAX_NOTICE_SECS,
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
from tests.program.test_mint_limits import scaled_ui_value
from tests.support.deployed import NANO_PER_RAW, Asset, DeployedProgram
from tests.support.edit import patched, with_account
from tests.support.error_codes import ErrorCode
from tests.support.initialized import OTHER_CUSTODIAN, ROOMY
from tests.support.live_chain import Call
from xstocks_daemon.domain.snapshot import Hold
from xstocks_daemon.domain.units import BPS, MILLIS_PER_SEC, capacity_raw, multiplier_bits_of, multiplier_fraction

# ---- announcing -----------------------------------------------------------------------------------------------------


async def test_an_announced_change_stands_on_mint_and_asset_and_stops_minting(
    program: DeployedProgram, asset: Asset
) -> None:
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(100))
    effective_ts = await in_secs(asset, NOTICE_SECS + 60)
    [event] = await program.accepted(schedule(asset, effective_ts))
    assert event.name == "MultiplierScheduled"
    assert (event.fields["current_bits"], event.fields["new_bits"], event.fields["effective_ts"]) == (
        ONE,
        NEW,
        effective_ts,
    )
    stored, mint = await asset.read(), await asset.read_mint()
    assert (stored.multiplier_bits, stored.pending_multiplier_bits, stored.multiplier_effective_ts) == (
        ONE,
        NEW,
        effective_ts,
    )
    assert (mint.multiplier_bits, mint.new_multiplier_bits, mint.new_multiplier_effective_ts) == (
        ONE,
        NEW,
        effective_ts,
    )
    await program.refused(await asset.mint_call(1), ErrorCode.MultiplierChangePending)
    # Burning and statements with the multiplier in force go on.
    await program.accepted(await asset.burn_call(1))
    await asset.attest(1_000)
    await program.accepted(cancel(asset))
    await program.accepted(await asset.mint_call(1))


@pytest.mark.embedded_only
async def test_a_multiplier_that_the_asset_does_not_know_is_neither_changed_nor_cancelled(
    program: DeployedProgram, asset: Asset
) -> None:
    """No instruction makes mint and asset differ, so the mint is edited."""
    effective_ts = await in_secs(asset, NOTICE_SECS + 60)
    for sent in (schedule(asset, effective_ts), cancel(asset)):
        info = await program.chain.account(asset.mint)
        multiplier_at = scaled_ui_value(info.data) + 32
        # Before a change the first field applies, after one the last: both are another.
        other = bits(7.0).to_bytes(8, "little")
        edited = patched(patched(info.data, multiplier_at, other), multiplier_at + 16, other)
        await program.chain.set_account(asset.mint, replace(info, data=edited))
        await program.refused(sent, ErrorCode.MultiplierMismatch)
        await program.chain.set_account(asset.mint, info)
        await program.accepted(sent)


async def test_one_change_at_a_time_made_for_the_multiplier_in_force(program: DeployedProgram, asset: Asset) -> None:
    later = await in_secs(asset, NOTICE_SECS + 60)
    await program.refused(schedule(asset, later, current_bits=NEW), ErrorCode.MultiplierChanged)
    await program.refused(schedule(asset, later, ONE), ErrorCode.NothingToChange)
    await program.accepted(schedule(asset, later))
    await program.refused(schedule(asset, later + 1), ErrorCode.MultiplierChangePending)
    await program.refused(schedule(asset, later, bits(1.01)), ErrorCode.MultiplierChangePending)
    await program.accepted(cancel(asset))
    await program.accepted(schedule(asset, later + 1))


@pytest.mark.parametrize(
    "new_bits",
    [
        bits(0.0),
        bits(-0.0),
        bits(-1.0),
        bits(float("nan")),
        bits(float("nan")) | 1 << 63,
        bits(float("inf")),
        bits(float("-inf")),
        bits(5e-324),
        bits(2.2250738585072014e-308) - 1,  # the largest subnormal
        2**64 - 1,
    ],
)
async def test_a_multiplier_must_be_normal_positive_and_finite(
    program: DeployedProgram, asset: Asset, new_bits: int
) -> None:
    later = await in_secs(asset, NOTICE_SECS + 60)
    await program.refused(schedule(asset, later, new_bits, admin=True), ErrorCode.MultiplierInvalid)
    await program.accepted(schedule(asset, later, bits(1.0000000000000002), admin=True))


async def test_a_change_beyond_the_bound_needs_the_admin_too(program: DeployedProgram, asset: Asset) -> None:
    """500 bps: 0.95 to 1.05, as exact fractions. The f64 of 1.05 is a little above 21/20, that of 0.95 a little below
    19/20; one unit of the last place further in both are within."""
    later = await in_secs(asset, NOTICE_SECS + 60)
    bound = Fraction(ROOMY.max_multiplier_bps, BPS)
    for value, step in ((1.05, -1), (0.95, 1)):
        inside = outside = bits(value)
        if abs(multiplier_fraction(inside) - 1) > bound:
            inside += step
        else:
            outside -= step
        assert abs(multiplier_fraction(inside) - 1) <= bound < abs(multiplier_fraction(outside) - 1)
        await program.refused(schedule(asset, later, outside), ErrorCode.MultiplierNeedsAdmin)
        await program.accepted(schedule(asset, later, outside, admin=True))
        await program.accepted(cancel(asset, pending_bits=outside))
        await program.accepted(schedule(asset, later, inside))
        await program.accepted(cancel(asset, pending_bits=inside))


async def test_another_signature_in_the_admins_place_does_not_do(program: DeployedProgram, asset: Asset) -> None:
    sent = schedule(asset, await in_secs(asset, NOTICE_SECS + 60), bits(2.0), admin=True)
    admin_at = len(sent.instructions[0].accounts) - 1
    guardian = program.keys.guardian
    other = with_account(sent.instructions[0], admin_at, guardian.address)
    signers = (program.keys.corporate_actions.keypair, guardian.keypair)
    await program.refused(sent.but(instructions=(other,), signers=signers), ErrorCode.NotAdmin)
    # The admin alone announces nothing either.
    alone = program.client.schedule_multiplier(
        corporate_actions=program.keys.admin.address,
        mint=asset.mint,
        current_bits=ONE,
        new_bits=NEW,
        effective_ts=await in_secs(asset, NOTICE_SECS + 60),
    )
    await program.refused(program.by("admin", alone), ErrorCode.NotCorporateActions)
    await program.accepted(sent)


@pytest.mark.embedded_only
async def test_the_notice_has_a_least_and_a_most(program: DeployedProgram, asset: Asset) -> None:
    now_ts = await program.chain.clock_ts()
    for bad_ts, refusal, good_ts in (
        (now_ts + NOTICE_SECS - 1, ErrorCode.NoticeTooShort, now_ts + NOTICE_SECS),
        (now_ts + MAX_NOTICE_SECS + 1, ErrorCode.NoticeTooLong, now_ts + MAX_NOTICE_SECS),
        (now_ts, ErrorCode.NoticeTooShort, now_ts + NOTICE_SECS),
        (0, ErrorCode.NoticeTooShort, now_ts + NOTICE_SECS),
        (-1, ErrorCode.NoticeTooShort, now_ts + NOTICE_SECS),
        (2**63 - 1, ErrorCode.NoticeTooLong, now_ts + NOTICE_SECS),
    ):
        await refused_at(asset, now_ts, schedule(asset, bad_ts), refusal)
        await accepted_at(asset, now_ts, schedule(asset, good_ts))


async def refused_at(asset: Asset, now_ts: int, sent: Call, refusal: ErrorCode) -> None:
    await asset.program.chain.clock_reaches(now_ts)
    failed = await asset.program.chain.simulate(sent)
    assert failed.err == {"InstructionError": [1, {"Custom": refusal}]}, failed.logs


async def accepted_at(asset: Asset, now_ts: int, sent: Call) -> None:
    await asset.program.chain.clock_reaches(now_ts)
    passed = await asset.program.chain.simulate(sent)
    assert passed.err is None, passed.logs


# ---- cancelling -----------------------------------------------------------------------------------------------------


async def test_the_change_that_was_meant_is_cancelled_once(program: DeployedProgram, asset: Asset) -> None:
    await program.refused(cancel(asset), ErrorCode.NoMultiplierPending)
    await program.accepted(schedule(asset, await in_secs(asset, NOTICE_SECS + 60)))
    await program.refused(cancel(asset, pending_bits=ONE), ErrorCode.MultiplierChanged)
    [event] = await program.accepted(cancel(asset, "guardian"))
    assert (event.name, event.fields["cancelled_bits"]) == ("MultiplierCancelled", NEW)
    stored, mint = await asset.read(), await asset.read_mint()
    assert (stored.multiplier_bits, stored.pending_multiplier_bits, stored.multiplier_effective_ts) == (ONE, 0, 0)
    assert (mint.multiplier_bits, mint.new_multiplier_bits) == (ONE, ONE)
    await program.refused(cancel(asset), ErrorCode.NoMultiplierPending)


@pytest.mark.embedded_only
async def test_what_took_effect_is_not_cancelled(program: DeployedProgram, asset: Asset) -> None:
    effective_ts = await announce(asset)
    await accepted_at(asset, effective_ts - 1, cancel(asset))
    await refused_at(asset, effective_ts, cancel(asset), ErrorCode.MultiplierTookEffect)


# ---- taking effect --------------------------------------------------------------------------------------------------


@pytest.mark.embedded_only
async def test_the_same_shares_have_another_capacity_after_a_change(program: DeployedProgram, asset: Asset) -> None:
    await said(asset, 1_000_000_000, ONE)
    before_raw = (await asset.entry()).capacity_raw
    await program.chain.clock_reaches(await announce(asset))
    statement = await stated(asset, 1_000_000_000, NEW)
    [line] = statement.entries
    assert line.capacity_raw != before_raw
    stale = replace(statement, entries=(replace(line, capacity_raw=before_raw),))
    await program.refused(program.relay(stale), ErrorCode.CapacityMismatch)
    await program.accepted(program.relay(statement))


@pytest.mark.embedded_only
async def test_minting_waits_for_a_statement_with_the_new_multiplier(program: DeployedProgram, asset: Asset) -> None:
    """Just before and just after: nothing is minted from the announcement on until a quorum signed the new one."""
    shares_nano = 1_000_000_000
    await said(asset, shares_nano, ONE)
    before = await stated(asset, shares_nano, ONE, observed_ms=await now_ms(asset) + 1)
    effective_ts = await announce(asset)
    await refused_at(asset, effective_ts - 1, await asset.mint_call(1), ErrorCode.MultiplierChangePending)
    await refused_at(asset, effective_ts, await asset.mint_call(1), ErrorCode.MultiplierChangePending)
    await program.chain.clock_reaches(effective_ts)
    # Who signed the old multiplier signed another digest than the one it is now.
    await program.refused(program.relay(before), ErrorCode.DigestMismatch)
    # A dividend: shares rose as the multiplier did, and the capacity is the same.
    new_shares = shares_nano * 102 // 100
    events = await said(asset, new_shares, NEW)
    assert [event.name for event in events] == ["MultiplierInForce", "AttestationAccepted"]
    assert events[0].fields["multiplier_bits"] == NEW
    stored = await asset.read()
    assert (stored.multiplier_bits, stored.pending_multiplier_bits, stored.multiplier_effective_ts) == (NEW, 0, 0)
    assert (stored.multiplier_changed_ts, stored.holds) == (effective_ts, Hold(0))
    ceiling_raw = capacity_raw(new_shares, NEW, 8)
    await program.accepted(await asset.mint_call(ceiling_raw))
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)


async def now_ms(asset: Asset) -> int:
    return await asset.program.chain.clock_ts() * MILLIS_PER_SEC


@pytest.mark.embedded_only
async def test_the_second_change_starts_from_the_first(program: DeployedProgram, asset: Asset) -> None:
    """Token-2022 leaves the field of the multiplier in force stale after a change; until the second takes effect the
    mint must apply the first, not the one before."""
    await said(asset, 1_000_000_000, ONE)
    await program.chain.clock_reaches(await announce(asset))
    third = bits(1.1)
    effective_ts = await announce(asset, third, current_bits=NEW)  # no statement in between
    mint = await asset.read_mint()
    assert (mint.multiplier_bits, mint.new_multiplier_bits, mint.new_multiplier_effective_ts) == (
        NEW,
        third,
        effective_ts,
    )
    stored = await asset.read()
    assert (stored.multiplier_bits, stored.pending_multiplier_bits) == (NEW, third)
    await said(asset, 1_020_000_000, NEW)
    await program.refused(await asset.mint_call(1), ErrorCode.MultiplierChangePending)
    await program.chain.clock_reaches(effective_ts)
    await said(asset, 1_100_000_000, third)
    await program.accepted(await asset.mint_call(1))


@pytest.mark.embedded_only
async def test_across_a_change_the_capacity_keeps_within_its_tolerance(program: DeployedProgram, asset: Asset) -> None:
    """10 bps of the old sum, both ways; beyond it is stored with a hold that only the resumer clears."""
    await said(asset, 1_000_000_000, ONE)
    await program.chain.clock_reaches(await announce(asset, bits(2.0)))
    old_raw = 1_000_000_000 // NANO_PER_RAW
    tolerance_raw = old_raw * ROOMY.ca_tolerance_bps // BPS
    # At multiplier 2 a base unit takes 20 billionths of a share.
    most, least = 2 * NANO_PER_RAW * (old_raw + tolerance_raw + 1) - 1, 2 * NANO_PER_RAW * (old_raw - tolerance_raw)
    for shares_nano, holds in ((most + 1, True), (most, False), (least, False), (least - 1, True), (10**9, True)):
        statement = await stated(asset, shares_nano, bits(2.0))
        logs = (await program.chain.simulate(program.relay(statement))).logs
        names = [event.name for event in program.client.events(logs)]
        assert ("HoldSet" in names) is holds, shares_nano
    await said(asset, 1_000_000_000, bits(2.0))
    assert (await asset.read()).holds is Hold.MULTIPLIER
    # A newer statement does not clear it.
    await said(asset, 1_000_000_000, bits(2.0))
    await program.refused(await asset.mint_call(1), ErrorCode.OnHold)
    await program.accepted(await asset.clear_hold_call(Hold.MULTIPLIER))
    await program.accepted(await asset.mint_call(1))


@pytest.mark.embedded_only
async def test_around_a_change_every_rise_keeps_within_the_tolerance(program: DeployedProgram, asset: Asset) -> None:
    """A stock dividend that is half booked must not pass as an ordinary rise, even where the change is cancelled."""
    await said(asset, 1_000_000_000, ONE)
    await said(asset, 1_400_000_000, ONE)
    assert (await asset.read()).holds is Hold(0), "40 % is within max_rise_bps"
    await announce(asset)
    await said(asset, 1_401_400_000, ONE)
    assert (await asset.read()).holds is Hold(0), "10 bps"
    await program.accepted(cancel(asset))
    await said(asset, 1_402_802_000, ONE)
    assert (await asset.read()).holds is Hold.RISE
    await program.accepted(await asset.clear_hold_call(Hold.RISE))
    cancelled_ts = (await asset.read()).change_cancelled_ts
    await program.chain.clock_reaches(cancelled_ts + ROOMY.ca_window_secs)
    await said(asset, 1_900_000_000, ONE)
    assert (await asset.read()).holds is Hold(0), "the window is over"


@pytest.mark.embedded_only
@pytest.mark.parametrize("cancelled", [False, True])
async def test_around_a_change_an_entry_without_a_predecessor_is_held(
    program: DeployedProgram, asset: Asset, cancelled: bool
) -> None:
    await said(asset, 1_000_000_000, ONE)
    effective_ts = await announce(asset)
    await said(asset, 500_000, ONE, custodian=OTHER_CUSTODIAN)
    assert (await asset.read()).holds is Hold.CA_WINDOW, "while it is announced"
    if cancelled:
        await program.accepted(cancel(asset))
        await program.accepted(await asset.clear_hold_call(Hold.CA_WINDOW))
        in_force, changed_ts = ONE, (await asset.read()).change_cancelled_ts
    else:
        await program.accepted(await asset.clear_hold_call(Hold.CA_WINDOW))
        await program.chain.clock_reaches(effective_ts)
        await said(asset, 1_020_000_000, NEW)
        assert (await asset.read()).holds is Hold(0)
        in_force, changed_ts = NEW, effective_ts
    window_ends_ts = changed_ts + ROOMY.ca_window_secs
    await withdraw(asset)
    for now_ts, holds in ((window_ends_ts - 1, True), (window_ends_ts, False)):
        await program.chain.clock_reaches(now_ts)
        statement = await stated(asset, 1_000_000_000, in_force)
        landed = await program.chain.simulate(program.relay(statement))
        assert landed.err is None, landed.logs
        assert ("HoldSet" in [event.name for event in program.client.events(landed.logs)]) is holds


# ---- the real changes -----------------------------------------------------------------------------------------------


def real_changes() -> list[tuple[str, str]]:
    """Every distinct (old, new) multiplier of the recording, as decimal text."""
    history = json.loads(ACTIONS.read_text(encoding="utf-8"))["multiplier_history"]
    return sorted({(str(row["multiplier_old"]), str(row["multiplier_new"])) for row in history})


@pytest.mark.embedded_only
async def test_every_real_change_can_be_announced(program: DeployedProgram) -> None:
    """The bound is decided exactly for all of them: within 500 bps corporate actions alone, beyond with the admin."""
    bound = Fraction(ROOMY.max_multiplier_bps, BPS)
    changes = real_changes()
    assert len(changes) > 600
    by_old: dict[str, list[str]] = {}
    for old, new in changes:
        by_old.setdefault(old, []).append(new)
    beyond = 0
    asset = (await program.register())[0]
    current = "1"
    for old, news in sorted(by_old.items()):
        if old != current:
            await move_to(asset, multiplier_bits_of(current), multiplier_bits_of(old))
            current = old
        for new in news:
            old_bits, new_bits = multiplier_bits_of(old), multiplier_bits_of(new)
            if old_bits == new_bits:
                continue
            later = await in_secs(asset, NOTICE_SECS + 60)
            alone = await program.chain.simulate(schedule(asset, later, new_bits, current_bits=old_bits))
            ratio = multiplier_fraction(new_bits) / multiplier_fraction(old_bits)
            if abs(ratio - 1) <= bound:
                assert alone.err is None, (old, new, alone.logs)
            else:
                beyond += 1
                assert alone.err == {"InstructionError": [1, {"Custom": ErrorCode.MultiplierNeedsAdmin}]}, (old, new)
                both = await program.chain.simulate(schedule(asset, later, new_bits, current_bits=old_bits, admin=True))
                assert both.err is None, (old, new, both.logs)
    assert beyond > 0


async def move_to(asset: Asset, current_bits: int, new_bits: int) -> None:
    """The multiplier is another one, with a statement that has it."""
    chain = asset.program.chain
    await chain.clock_reaches(await announce(asset, new_bits, current_bits=current_bits))
    await said(asset, 0, new_bits)
