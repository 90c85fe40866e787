"""Every write of the daemon carries and checks the lease epoch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.journal.builders import MINT, OTHER, attempt, dump, minting, signed_statement
from tests.journal.conftest import Clock, Desk
from xstocks_daemon.domain.plan_inputs import Halt, HaltReason
from xstocks_daemon.domain.units import Address
from xstocks_daemon.journal import Journal, LeaseHeld, LeaseLost, LookupTableRecord

WORK: dict[str, Callable[[Journal], Awaitable[object]]] = {
    "renew_lease": lambda journal: journal.renew_lease(),
    "record_intents": lambda journal: journal.record_intents([minting(mint=OTHER)]),
    "drop_intent": lambda journal: journal.drop_intent(1, "not wanted"),
    "record_attempt": lambda journal: journal.record_attempt(attempt(), [1]),
    "mark_landed": lambda journal: journal.mark_landed(attempt(9).signature, {}),
    "mark_dead": lambda journal: journal.mark_dead(attempt(9).signature, {}),
    "record_statements": lambda journal: journal.record_statements([signed_statement({MINT: 1}, 1)]),
    "record_holder_burn": lambda journal: journal.record_holder_burn(MINT, 1),
    "record_halt": lambda journal: journal.record_halt(Halt(MINT, HaltReason.ENDPOINTS_DIFFER, "")),
    "quarantined": lambda journal: journal.quarantine(MINT, "simulation", 0),
    "record_lookup_table": lambda journal: journal.record_lookup_table(LookupTableRecord(OTHER, (MINT,), True)),
    "record_event": lambda journal: journal.record_event("cycle", None, {}),
}


@pytest.mark.parametrize("name", WORK)
async def test_who_has_lost_the_lease_writes_nothing(desk: Desk, journal: Journal, name: str) -> None:
    pending, flying = await journal.record_intents([minting(), minting(mint=Address(b"3" * 32))])
    await journal.record_attempt(attempt(9), [flying.id])
    assert pending.id == 1
    second = await desk.open()
    assert await second.acquire_lease("second", 10_000, take_over=True) == 2
    before = dump(desk.path)
    with pytest.raises(LeaseLost, match="another process has taken the lease over"):
        await WORK[name](journal)
    assert dump(desk.path) == before
    await WORK[name](second)


async def test_no_work_without_a_lease(desk: Desk) -> None:
    journal = await desk.open()
    with pytest.raises(LeaseLost, match="does not hold the lease"):
        await journal.record_intents([minting()])
    await journal.acquire_lease("first", 10_000)
    await journal.record_intents([minting()])


async def test_a_lease_that_runs_is_not_given_to_another(desk: Desk, journal: Journal, clock: Clock) -> None:
    second = await desk.open()
    clock.now_ms += 9_999
    with pytest.raises(LeaseHeld, match="first holds the lease for 1 ms more"):
        await second.acquire_lease("second", 10_000)
    clock.now_ms += 1
    assert await second.acquire_lease("second", 10_000) == 2


async def test_work_prolongs_the_lease(desk: Desk, journal: Journal, clock: Clock) -> None:
    second = await desk.open()
    clock.now_ms += 9_999
    await journal.record_event("cycle", None, {})
    clock.now_ms += 9_999
    with pytest.raises(LeaseHeld):
        await second.acquire_lease("second", 10_000)


async def test_the_same_holder_gets_it_back_at_once_and_its_former_self_is_out(desk: Desk, journal: Journal) -> None:
    restarted = await desk.open()
    assert await restarted.acquire_lease("first", 10_000) == 2
    with pytest.raises(LeaseLost):
        await journal.renew_lease()
    await restarted.renew_lease()


async def test_a_lease_that_was_given_back_is_free(desk: Desk, journal: Journal) -> None:
    await journal.release_lease()
    with pytest.raises(LeaseLost):
        await journal.renew_lease()
    assert await (await desk.open()).acquire_lease("second", 10_000) == 2


async def test_giving_back_a_lost_lease_takes_it_from_nobody(desk: Desk, journal: Journal) -> None:
    second = await desk.open()
    await second.acquire_lease("second", 10_000, take_over=True)
    await journal.release_lease()
    await second.renew_lease()
    with pytest.raises(LeaseHeld, match="second holds the lease"):
        await (await desk.open()).acquire_lease("third", 10_000)
