"""What people ask for, and what they vouch for; without the lease, while the daemon runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.journal.builders import MINT, ORDER, OTHER, attempt, burning, dump, minting, serving
from tests.journal.conftest import Clock, Desk
from xstocks_daemon.domain.plan_inputs import Halt, HaltReason, Quarantine, Totals
from xstocks_daemon.domain.units import Address
from xstocks_daemon.journal import Journal, JournalConflict, LookupTableRecord
from xstocks_daemon.journal.sql import audit_log


async def test_orders_are_served_once(desk: Desk, journal: Journal) -> None:
    person = await desk.open()
    await person.place_order(ORDER, "ann")
    assert (await journal.view()).orders == (ORDER,)
    (one,) = await journal.record_intents([serving(0)])
    await journal.record_attempt(attempt(), [one.id])
    with pytest.raises(JournalConflict, match="is being served"):
        await person.cancel_order(ORDER.order_id, "ann")
    await journal.mark_landed(attempt().signature, {})
    assert (await journal.view()).orders == ()
    before = dump(desk.path)
    with pytest.raises(JournalConflict, match="UNIQUE"):
        await person.place_order(replace(ORDER, amount_raw=1), "bob")
    with pytest.raises(JournalConflict, match="is not open"):
        await person.cancel_order(ORDER.order_id, "ann")
    with pytest.raises(JournalConflict, match="is not an open one"):
        await journal.record_intents([serving(1)])
    assert dump(desk.path) == before


async def test_a_dropped_distribution_leaves_its_order_open(journal: Journal) -> None:
    await journal.place_order(ORDER, "ann")
    (one,) = await journal.record_intents([serving(0)])
    await journal.drop_intent(one.id, "the participant is not active")
    assert (await journal.view()).orders == (ORDER,)
    await journal.record_intents([serving(0)])


async def test_an_order_is_taken_back(journal: Journal) -> None:
    second = replace(ORDER, order_id=b"p" * 16)
    await journal.place_order(ORDER, "ann")
    await journal.place_order(second, "ann")
    await journal.cancel_order(ORDER.order_id, "ann")
    assert (await journal.view()).orders == (second,)


async def test_an_order_with_other_values_is_not_served(journal: Journal) -> None:
    await journal.place_order(ORDER, "ann")
    for wrong in (replace(ORDER, amount_raw=31), replace(ORDER, destination=OTHER), replace(ORDER, mint=OTHER)):
        with pytest.raises(JournalConflict, match="is not an open one"):
            await journal.record_intents([serving(0, wrong)])
    await journal.record_intents([serving(0)])


async def test_two_people_acknowledge_a_holder_burn(desk: Desk, journal: Journal) -> None:
    await journal.record_holder_burn(MINT, 10)
    assert await journal.acknowledge_holder_burn(MINT, 10, "Ann") == 0
    assert await journal.acknowledge_holder_burn(MINT, 10, " ann ") == 0
    assert await journal.acknowledge_holder_burn(MINT, 6, "bob") == 6
    assert await journal.acknowledge_holder_burn(MINT, 8, "carl") == 8
    assert (await journal.expected(MINT)).acknowledged_raw == 8
    before = dump(desk.path)
    with pytest.raises(JournalConflict, match="11 given, holders have burnt 10"):
        await journal.acknowledge_holder_burn(MINT, 11, "bob")
    assert dump(desk.path) == before


async def test_a_recorded_holder_burn_never_falls(desk: Desk, journal: Journal) -> None:
    await journal.record_holder_burn(MINT, 10)
    before = dump(desk.path)
    with pytest.raises(JournalConflict, match="below what is recorded"):
        await journal.record_holder_burn(MINT, 9)
    assert dump(desk.path) == before
    await journal.record_holder_burn(MINT, 11)
    assert (await journal.expected(MINT)).holder_burnt_raw == 11


async def test_an_approval_is_used_up_by_what_is_burnt(journal: Journal) -> None:
    await journal.approve_burn(MINT, 50, "ann")
    await journal.record_intents([minting(0)])
    assert (await journal.expected(MINT)).burn_approved_raw == 50
    await journal.drop_intent(1, "not wanted")
    amount_raw = burning(0).amount_raw
    await journal.approve_burn(MINT, amount_raw + 3, "ann")
    [first] = await journal.record_intents([burning(0)])
    assert (await journal.expected(MINT)).burn_approved_raw == 3
    await journal.drop_intent(first.id, "not wanted")
    await journal.record_intents([burning(0)])
    assert (await journal.expected(MINT)).burn_approved_raw == 0


async def test_a_halt_stays_with_its_first_reason_until_a_person_clears_it(journal: Journal) -> None:
    first = Halt(MINT, HaltReason.TOTALS_DIFFER, "minted")
    assert await journal.record_halt(first)
    (newest,) = await journal.events(limit=1)
    assert (newest.kind, newest.mint, newest.detail) == ("halt", MINT, {"reason": "totals_differ", "detail": "minted"})
    assert not await journal.record_halt(Halt(MINT, HaltReason.EQUIVOCATION, "later"))
    assert (await journal.expected(MINT)).halt == first
    await journal.clear_halt(MINT, "ann")
    assert (await journal.expected(MINT)).halt is None
    with pytest.raises(JournalConflict, match="is not halted"):
        await journal.clear_halt(MINT, "ann")
    assert await journal.record_halt(first)


async def test_a_baseline_takes_two_people_and_no_live_intent(desk: Desk, journal: Journal) -> None:
    totals = Totals(7, 1, 100, 10, 5)
    (one,) = await journal.record_intents([minting()])
    before = dump(desk.path)
    with pytest.raises(JournalConflict, match="two different people"):
        await journal.adopt_baseline(MINT, totals, 3, ("Ann", "ann"))
    with pytest.raises(JournalConflict, match=r"intent 1 of .* is pending"):
        await journal.adopt_baseline(MINT, totals, 3, ("ann", "bob"))
    assert dump(desk.path) == before
    await journal.drop_intent(one.id, "not wanted")
    await journal.adopt_baseline(MINT, totals, 3, ("ann", "bob"))
    (newest,) = await journal.events(limit=1)
    assert (newest.kind, newest.mint, newest.detail["people"]) == ("baseline_adopted", MINT, "ann, bob")
    known = await journal.expected(MINT)
    assert (known.totals, known.holder_burnt_raw) == (totals, 3)
    await journal.record_intents([minting(7)])


async def test_an_asset_is_quarantined_for_a_time(journal: Journal, clock: Clock) -> None:
    await journal.quarantine(MINT, "simulation", clock.now_ms + 5)
    await journal.quarantine(MINT, "simulation again", clock.now_ms + 10)
    clock.now_ms += 9
    assert (await journal.expected(MINT)).quarantine == Quarantine("simulation again", clock.now_ms + 1)
    clock.now_ms += 1
    assert (await journal.expected(MINT)).quarantine is None


async def test_lookup_tables_an_asset_belongs_to_the_one_recorded_last(journal: Journal) -> None:
    first, second = (
        LookupTableRecord(Address(name * 32), assets, ready=False)
        for name, assets in ((b"a", (OTHER, MINT)), (b"b", ()))
    )
    await journal.record_lookup_table(first)
    await journal.record_lookup_table(second)
    await journal.record_lookup_table(replace(first, ready=True))
    assert await journal.lookup_tables() == (replace(first, ready=True), second)
    await journal.record_lookup_table(replace(second, assets=(MINT,)))
    left, moved = await journal.lookup_tables()
    assert (left, moved) == (replace(first, assets=(OTHER,), ready=True), replace(second, assets=(MINT,)))
    await journal.record_lookup_table(replace(second, assets=()))
    assert await journal.lookup_tables() == (left, second)


async def test_the_audit_log_is_bounded(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "EVENTS_KEPT", 5)
    for number in range(20):
        await journal.record_event("cycle", MINT if number % 2 else None, {"number": number})
    kept = await journal.events()
    assert [one.detail["number"] for one in kept] == [19, 18, 17, 16, 15]
    assert [one.detail["number"] for one in await journal.events(mint=MINT, limit=2)] == [19, 17]


async def test_what_people_do_is_in_the_audit_log(journal: Journal) -> None:
    await journal.place_order(ORDER, "Ann")
    (newest, *_) = await journal.events(limit=1)
    assert (newest.kind, newest.mint, newest.detail["person"]) == ("order_placed", MINT, "ann")
    with pytest.raises(ValueError, match="person"):
        await journal.cancel_order(ORDER.order_id, "  ")
