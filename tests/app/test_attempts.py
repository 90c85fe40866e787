"""How intents become attempts: their order, and how long an attempt may execute."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from tests.custody.world import mint_of
from xstocks_daemon.app.attempts import Attempts
from xstocks_daemon.app.lookup_tables import LookupTableManager, TablesBehind
from xstocks_daemon.app.metrics import Metrics
from xstocks_daemon.chain import lookup_tables as chain_tables
from xstocks_daemon.chain.sender import SignedAttempt
from xstocks_daemon.chain.transactions import ComputeBudget
from xstocks_daemon.domain.intent import Intent, IntentKind, IntentState
from xstocks_daemon.domain.plan_inputs import LiveIntent
from xstocks_daemon.domain.units import Address
from xstocks_daemon.journal import Attempt, LookupTableRecord

MINTS = [mint_of(number) for number in range(4)]
VAULT = mint_of(99)


def live(intent_id: int, mint: Address) -> LiveIntent:
    return LiveIntent(intent_id, Intent(IntentKind.MINT, mint, 0, 1, VAULT), IntentState.PENDING)


def attempts_of(transactions: Any = None, resolver: Any = None) -> Attempts:
    return Attempts(transactions, resolver, mint_of(50), Metrics(), 60)


def test_a_batch_is_in_the_order_in_which_the_journal_gives_it_back() -> None:
    # By mint and custodians the order would be another one.
    work = [live(7, MINTS[0]), live(5, MINTS[1]), live(6, MINTS[2]), live(1, MINTS[3])]
    carried: Any = SimpleNamespace(
        table_numbers=dict.fromkeys(MINTS, 0), custodians={mint: [mint_of(70 - at)] for at, mint in enumerate(MINTS)}
    )
    (batch,) = attempts_of()._batches(work, carried)
    assert [each.id for each in batch] == [1, 5, 6, 7]


@pytest.mark.parametrize(("reported", "journaled"), [(0, 1_100), (1_120, 1_120)])
async def test_the_journaled_expiry_is_not_one_nodes_word(reported: int, journaled: int) -> None:
    recorded: list[Attempt] = []

    class Resolver:
        async def expiry_of_now(self) -> int:
            return 1_100

    class Carried:
        async def sign(self, batch: Sequence[LiveIntent], budget: ComputeBudget) -> SignedAttempt:
            return SignedAttempt(bytes(64), b"bytes", bytes(32), reported, tuple(one.intent for one in batch))

    class Journal:
        async def record_attempt(self, attempt: Attempt, intent_ids: Sequence[int]) -> None:
            assert list(intent_ids) == [3]
            recorded.append(attempt)

    attempts = attempts_of(SimpleNamespace(journal=Journal()), Resolver())
    carried: Any = Carried()
    signed = await attempts._sign(carried, (live(3, MINTS[0]),), ComputeBudget(1_000))
    assert [each.last_valid_block_height for each in recorded] == [journaled]
    assert signed.last_valid_block_height == journaled


async def test_tables_that_a_lagging_node_does_not_show_whole_are_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = chain_tables.LookupTable(mint_of(60), tuple(MINTS), 5, active=True)
    books = [
        chain_tables.LookupTableSet((whole,), {MINTS[0]: whole}),
        chain_tables.LookupTableSet((whole,), dict.fromkeys(MINTS, whole)),
    ]
    recorded: list[LookupTableRecord] = []

    async def answer(self: LookupTableManager, endpoint: Any, snapshot: Any) -> chain_tables.LookupTableSet:
        return books.pop(0)

    class Endpoint:
        async def slot(self, commitment: str) -> int:
            return 6

    class Pool:
        async def first(self, read: Any) -> Any:
            return await read(Endpoint())

    class Journal:
        async def record_lookup_table(self, table: LookupTableRecord) -> None:
            recorded.append(table)

    monkeypatch.setattr(LookupTableManager, "_ensure", answer)
    transactions: Any = SimpleNamespace(pool=Pool(), journal=Journal())
    snapshot: Any = SimpleNamespace(assets=dict.fromkeys(MINTS), custodians={})
    subject = LookupTableManager(transactions)
    with pytest.raises(TablesBehind, match="3 of their assets"):
        await subject.ensure(snapshot)
    assert recorded == []
    book = await subject.ensure(snapshot)
    assert set(book.table_of) == set(MINTS)
    assert [table.assets for table in recorded] == [tuple(MINTS)]
