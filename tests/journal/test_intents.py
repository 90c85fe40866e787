"""Intents and attempts: committed before anything is sent, one at a time, all or none (M4, M11)."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import event

from tests.journal.builders import GENESIS, MINT, ORDER, OTHER, PROGRAM, attempt, burning, dump, minting, serving
from tests.journal.conftest import Desk
from xstocks_daemon.domain.intent import AttemptState, Intent, IntentState
from xstocks_daemon.domain.plan_inputs import AssetJournal, Halt, HaltReason, Totals
from xstocks_daemon.domain.units import U64_MAX
from xstocks_daemon.journal import Journal, JournalConflict
from xstocks_daemon.journal.sql.journal import SqlJournal


async def landed(journal: Journal, intent: Intent, number: int) -> None:
    (one,) = await journal.record_intents([intent])
    await journal.record_attempt(attempt(number), [one.id])
    await journal.mark_landed(attempt(number).signature, {"slot": number})


async def test_the_life_of_an_intent_that_lands(journal: Journal) -> None:
    assert await journal.expected(MINT) == AssetJournal()
    (one,) = await journal.record_intents([minting(amount_raw=100)])
    assert one.state is IntentState.PENDING
    known = await journal.expected(MINT)
    assert (known.totals, known.planned) == (Totals(), Totals(sequence=1, minted_raw=100))
    await journal.record_attempt(attempt(), [one.id])
    (flying,) = await journal.live_attempts()
    assert (flying.attempt, flying.intent_ids, flying.state) == (attempt(), (one.id,), AttemptState.LIVE)
    assert [record.state for record in await journal.live_intents()] == [IntentState.SUBMITTED]
    await journal.mark_landed(attempt().signature, {"slot": 7})
    assert await journal.live_attempts() == ()
    assert await journal.live_intents() == ()
    known = await journal.expected(MINT)
    assert (known.live, known.totals) == (None, Totals(sequence=1, minted_raw=100))
    ((record, intent),) = await journal.all_attempts_for(MINT, 0)
    assert (record.state, record.evidence) == (AttemptState.LANDED, {"slot": 7})
    assert intent.intent_hash == minting(amount_raw=100).intent_hash(GENESIS, PROGRAM)


async def test_totals_move_by_kind(journal: Journal) -> None:
    await landed(journal, minting(0, 100), 1)
    await landed(journal, burning(1, 10), 2)
    await journal.place_order(ORDER, "ann")
    await landed(journal, serving(2), 3)
    assert (await journal.expected(MINT)).totals == Totals(3, 0, 100, 10, 30)


async def test_all_attempts_ever_made_for_a_number(journal: Journal) -> None:
    """A dropped intent's number is free again; its attempts are remembered (M12)."""
    (first,) = await journal.record_intents([minting(amount_raw=100)])
    await journal.record_attempt(attempt(1), [first.id])
    await journal.mark_dead(attempt(1).signature, {"height": 9})
    await journal.record_attempt(attempt(2), [first.id])
    await journal.mark_dead(attempt(2).signature, {"height": 10})
    await journal.drop_intent(first.id, "less is wanted")
    (second,) = await journal.record_intents([minting(amount_raw=50)])
    await journal.record_attempt(attempt(3), [second.id])
    found = [
        (record.attempt.signature[0], record.state, intent.intent.amount_raw, intent.state)
        for record, intent in await journal.all_attempts_for(MINT, 0)
    ]
    assert found == [
        (1, AttemptState.DEAD, 100, IntentState.DROPPED),
        (2, AttemptState.DEAD, 100, IntentState.DROPPED),
        (3, AttemptState.LIVE, 50, IntentState.SUBMITTED),
    ]
    assert await journal.all_attempts_for(MINT, 1) == ()
    assert await journal.all_attempts_for(OTHER, 0) == ()
    assert [record.note for record in await journal.intents(state=IntentState.DROPPED)] == ["less is wanted"]


async def test_a_second_attempt_is_refused_while_one_lives(desk: Desk, journal: Journal) -> None:
    """M11."""
    (one,) = await journal.record_intents([minting()])
    await journal.record_attempt(attempt(1), [one.id])
    before = dump(desk.path)
    with pytest.raises(JournalConflict, match="0 of the intents"):
        await journal.record_attempt(attempt(2), [one.id])
    assert dump(desk.path) == before
    await journal.mark_dead(attempt(1).signature, {})
    await journal.record_attempt(attempt(2), [one.id])


async def test_an_attempt_takes_all_of_its_intents_or_none(desk: Desk, journal: Journal) -> None:
    first, second = await journal.record_intents([minting(), minting(mint=OTHER)])
    await journal.drop_intent(second.id, "not wanted")
    before = dump(desk.path)
    with pytest.raises(JournalConflict, match="1 of the intents"):
        await journal.record_attempt(attempt(), [first.id, second.id])
    assert dump(desk.path) == before
    await journal.record_attempt(attempt(), [first.id])


async def test_an_attempt_carries_intents_and_each_once(desk: Desk, journal: Journal) -> None:
    (one,) = await journal.record_intents([minting()])
    before = dump(desk.path)
    for intent_ids in ([], [one.id, one.id]):
        with pytest.raises(ValueError, match="intent_ids"):
            await journal.record_attempt(attempt(), intent_ids)
    assert dump(desk.path) == before
    await journal.record_attempt(attempt(), [one.id])


@pytest.mark.parametrize("sequence", [0, 2])
async def test_only_an_assets_next_intent_lands(desk: Desk, journal: Journal, sequence: int) -> None:
    """Even where the totals are not those that the intent was recorded on."""
    await landed(journal, minting(0), 1)
    (one,) = await journal.record_intents([minting(1)])
    await journal.record_attempt(attempt(2), [one.id])
    with closing(sqlite3.connect(desk.path)) as connection:
        connection.execute("UPDATE assets SET sequence = ?", (f"{sequence:020d}",))
        connection.commit()
    before = dump(desk.path)
    with pytest.raises(JournalConflict, match="is not its asset's next"):
        await journal.mark_landed(attempt(2).signature, {})
    assert dump(desk.path) == before


async def test_an_attempt_ends_once(desk: Desk, journal: Journal) -> None:
    (one,) = await journal.record_intents([minting()])
    await journal.record_attempt(attempt(), [one.id])
    await journal.mark_landed(attempt().signature, {})
    before = dump(desk.path)
    for end in (journal.mark_landed, journal.mark_dead):
        with pytest.raises(JournalConflict, match="is not live"):
            await end(attempt().signature, {})
        with pytest.raises(JournalConflict, match="is not live"):
            await end(attempt(9).signature, {})
    assert dump(desk.path) == before


@pytest.mark.parametrize(
    ("intent", "message"),
    [
        (minting(0), "sequence 0 given, 1 is next"),
        (minting(2), "sequence 2 given, 1 is next"),
        (serving(1), "is not an open one with these values"),
        (replace(minting(1), order_id=ORDER.order_id), "only a distribution has an order"),
    ],
)
async def test_what_is_not_the_next_step_is_refused(desk: Desk, journal: Journal, intent: Intent, message: str) -> None:
    await landed(journal, minting(0), 1)
    before = dump(desk.path)
    with pytest.raises(JournalConflict, match=message):
        # All or none: the good one beside it is not recorded either.
        await journal.record_intents([minting(mint=OTHER), intent])
    assert dump(desk.path) == before
    await journal.record_intents([minting(mint=OTHER), minting(1)])


async def test_a_halted_asset_takes_no_intent(journal: Journal) -> None:
    await journal.record_halt(Halt(MINT, HaltReason.ENDPOINTS_DIFFER, "three times"))
    with pytest.raises(JournalConflict, match=r"halted \(endpoints_differ\)"):
        await journal.record_intents([minting()])
    await journal.clear_halt(MINT, "ann")
    await journal.record_intents([minting()])


async def test_one_live_intent_per_number_whoever_comes_first(journal: Journal) -> None:
    tries = [journal.record_intents([minting(amount_raw=amount)]) for amount in range(1, 9)]
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, tuple) for one in found) == 1
    assert sum(isinstance(one, JournalConflict) for one in found) == 7
    assert len(await journal.live_intents()) == 1
    with pytest.raises(JournalConflict, match="intent 1 is still pending"):
        await journal.record_intents([minting()])


async def test_the_database_itself_holds_one_intent_per_number(desk: Desk, journal: Journal) -> None:
    """Even for a writer that does not ask first."""
    await journal.record_intents([minting()])
    columns = "mint, sequence, kind, amount_raw, destination, order_id, intent_hash, note, created_ms, changed_ms"
    with closing(sqlite3.connect(desk.path)) as connection:
        copy = f"INSERT INTO intents (state, {columns}) SELECT ?, {columns} FROM intents WHERE id = 1"
        for state in ("pending", "submitted", "done"):
            with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
                connection.execute(copy, (state,))
        connection.execute(copy, ("dropped",))
        connection.rollback()
    with pytest.raises(JournalConflict):
        await journal.record_intents([minting(mint=OTHER), minting(mint=OTHER)])


async def test_the_largest_numbers_survive(journal: Journal) -> None:
    """SQLite's own integers end at 2**63 - 1."""
    await journal.adopt_baseline(MINT, Totals(U64_MAX - 1, 0, 0, U64_MAX, U64_MAX), U64_MAX, ("ann", "bob"))
    await landed(journal, minting(U64_MAX - 1, U64_MAX), 1)
    known = await journal.expected(MINT)
    assert known.totals == Totals(U64_MAX, 0, U64_MAX, U64_MAX, U64_MAX)
    assert known.holder_burnt_raw == U64_MAX


async def test_a_write_is_finished_even_if_its_caller_is_cancelled(journal: Journal) -> None:
    """Half-way through the transaction the caller is cancelled, twice."""
    started, caller = asyncio.Event(), None

    def interrupt(*_: object) -> None:
        if not started.is_set():
            started.set()
            assert caller is not None
            caller.cancel()
            asyncio.get_running_loop().call_soon(caller.cancel)

    assert isinstance(journal, SqlJournal)
    caller = asyncio.ensure_future(journal.record_intents([minting()]))
    event.listen(journal.database.engine.sync_engine, "before_cursor_execute", interrupt)
    with pytest.raises(asyncio.CancelledError):
        await caller
    event.remove(journal.database.engine.sync_engine, "before_cursor_execute", interrupt)
    assert started.is_set()
    assert [record.intent for record in await journal.live_intents()] == [minting()]
    await journal.drop_intent(1, "the journal goes on working")
