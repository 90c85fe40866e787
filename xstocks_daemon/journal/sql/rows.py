"""Rows of the journal's tables as the types that others use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from xstocks_daemon.domain.intent import NO_ORDER, AttemptState, Intent, IntentKind, IntentState
from xstocks_daemon.domain.plan_inputs import Order, Totals
from xstocks_daemon.journal.port import Attempt, AttemptRecord, IntentRecord
from xstocks_daemon.journal.sql.codec import detail_of

LIVE_STATES = (IntentState.PENDING.value, IntentState.SUBMITTED.value)
"""The states of intents that are neither done nor dropped."""
ORDER_OPEN, ORDER_DONE, ORDER_CANCELLED = "open", "done", "cancelled"


def person_name(name: str) -> str:
    """One spelling per person, so that nobody is two people."""
    plain = " ".join(name.split()).casefold()
    if not plain:
        raise ValueError("person: must not be empty")
    return plain


def by_two(amounts: Sequence[int]) -> int:
    """What at least two people have acknowledged: each gives a total, so the second highest."""
    return sorted(amounts)[-2] if len(amounts) >= 2 else 0


def columns_of(totals: Totals) -> dict[str, int]:
    """The columns that hold these totals."""
    return {
        "sequence": totals.sequence,
        "adopted_raw": totals.adopted_raw,
        "minted_raw": totals.minted_raw,
        "burnt_raw": totals.burnt_raw,
        "distributed_raw": totals.distributed_raw,
    }


def totals_of(row: Row[Any]) -> Totals:
    """The totals of a row of `assets`."""
    return Totals(row.sequence, row.adopted_raw, row.minted_raw, row.burnt_raw, row.distributed_raw)


def order_of(row: Row[Any]) -> Order:
    """The order of a row of `orders`."""
    return Order(row.order_id, row.mint, row.amount_raw, row.wallet, row.destination)


def intent_of(row: Row[Any]) -> Intent:
    """The intent of a row of `intents`."""
    order_id = NO_ORDER if row.order_id is None else row.order_id
    return Intent(IntentKind(row.kind), row.mint, row.sequence, row.amount_raw, row.destination, order_id)


def intent_record_of(row: Row[Any]) -> IntentRecord:
    """The record of a row of `intents`."""
    state = IntentState(row.state)
    return IntentRecord(row.id, intent_of(row), row.intent_hash, state, row.note, row.created_ms, row.changed_ms)


def attempt_of(row: Row[Any], intent_ids: tuple[int, ...]) -> AttemptRecord:
    """The record of a row of `attempts`, with the ids of its intents."""
    attempt = Attempt(row.signature, row.wire, row.blockhash, row.last_valid_block_height)
    return AttemptRecord(attempt, AttemptState(row.state), intent_ids, detail_of(row.evidence), row.created_ms)
