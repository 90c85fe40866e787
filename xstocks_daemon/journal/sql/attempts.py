"""Attempts: signed transactions, and what became of them and of their intents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from xstocks_daemon.domain.intent import AttemptState, IntentState
from xstocks_daemon.domain.lifecycle import IntentEvent
from xstocks_daemon.domain.plan_inputs import Totals
from xstocks_daemon.domain.units import Address, address_text
from xstocks_daemon.journal.port import Attempt, AttemptRecord, AttemptStore, IntentRecord, JournalConflict
from xstocks_daemon.journal.sql import schema as t
from xstocks_daemon.journal.sql.codec import detail_text
from xstocks_daemon.journal.sql.database import Database, SqlStore, uncancelled
from xstocks_daemon.journal.sql.intents import move_intents
from xstocks_daemon.journal.sql.orders import move_orders
from xstocks_daemon.journal.sql.rows import ORDER_DONE, attempt_of, columns_of, intent_of, intent_record_of, totals_of


class SqlAttempts(SqlStore, AttemptStore):
    """The table `attempts`: each ends once, and moves its intents and their assets' totals with it."""

    @uncancelled
    async def record_attempt(self, attempt: Attempt, intent_ids: Sequence[int]) -> None:
        if not intent_ids or len(set(intent_ids)) != len(intent_ids):
            raise ValueError("intent_ids: an attempt carries at least one intent, and each once")
        now_ms = self.database.now_ms()
        async with self.database.work() as connection:
            added = await connection.execute(
                insert(t.attempts).values(
                    signature=attempt.signature,
                    wire=attempt.wire,
                    blockhash=attempt.blockhash,
                    last_valid_block_height=attempt.last_valid_block_height,
                    state=AttemptState.LIVE.value,
                    evidence="{}",
                    created_ms=now_ms,
                    changed_ms=now_ms,
                )
            )
            (attempt_id,) = added.inserted_primary_key or (0,)
            await move_intents(self.database, connection, intent_ids, IntentState.PENDING, IntentEvent.ATTEMPT_RECORDED)
            await connection.execute(
                insert(t.attempt_intents),
                [{"attempt_id": attempt_id, "intent_id": intent_id} for intent_id in intent_ids],
            )

    @uncancelled
    async def mark_landed(self, signature: bytes, evidence: Mapping[str, int | str]) -> None:
        async with self.database.work() as connection:
            rows = await _end_attempt(self.database, connection, signature, AttemptState.LANDED, evidence)
            await move_intents(
                self.database, connection, [row.id for row in rows], IntentState.SUBMITTED, IntentEvent.LANDED
            )
            mints = [row.mint for row in rows]
            query = select(t.assets).where(t.assets.c.mint.in_(mints))
            known = {row.mint: totals_of(row) for row in await connection.execute(query)}
            moved = await connection.execute(
                update(t.assets)
                .where(t.assets.c.mint == bindparam("of_mint"), t.assets.c.sequence == bindparam("of_sequence"))
                .values({name: bindparam(name) for name in columns_of(Totals())}),
                [
                    {
                        "of_mint": row.mint,
                        "of_sequence": row.sequence,
                        **columns_of(known[row.mint].after(intent_of(row))),
                    }
                    for row in rows
                ],
            )
            if moved.rowcount != len(rows):
                raise JournalConflict(
                    f"{self.database.name}: an intent of {address_text(signature)} is not its asset's next"
                )
            served = [row.order_id for row in rows if row.order_id is not None]
            if served:
                await move_orders(self.database, connection, served, ORDER_DONE)

    @uncancelled
    async def mark_dead(self, signature: bytes, proof: Mapping[str, int | str]) -> None:
        async with self.database.work() as connection:
            rows = await _end_attempt(self.database, connection, signature, AttemptState.DEAD, proof)
            await move_intents(
                self.database, connection, [row.id for row in rows], IntentState.SUBMITTED, IntentEvent.PROVED_DEAD
            )

    async def live_attempts(self) -> tuple[AttemptRecord, ...]:
        async with self.database.read() as connection:
            query = select(t.attempts).where(t.attempts.c.state == AttemptState.LIVE.value)
            return await _read_attempts(connection, query.order_by(t.attempts.c.id))

    async def all_attempts_for(self, mint: Address, sequence: int) -> tuple[tuple[AttemptRecord, IntentRecord], ...]:
        async with self.database.read() as connection:
            mine = select(t.intents).where(t.intents.c.mint == mint, t.intents.c.sequence == sequence)
            intents = {row.id: intent_record_of(row) for row in await connection.execute(mine)}
            ids = select(t.attempt_intents.c.attempt_id).where(t.attempt_intents.c.intent_id.in_(intents))
            query = select(t.attempts).where(t.attempts.c.id.in_(ids)).order_by(t.attempts.c.id)
            return tuple(
                (attempt, intents[intent_id])
                for attempt in await _read_attempts(connection, query)
                for intent_id in attempt.intent_ids
                if intent_id in intents
            )


async def _end_attempt(
    database: Database,
    connection: AsyncConnection,
    signature: bytes,
    state: AttemptState,
    evidence: Mapping[str, int | str],
) -> Sequence[Row[Any]]:
    """LIVE to `state`; returns the attempt's intents."""
    ended = await connection.execute(
        update(t.attempts)
        .where(t.attempts.c.signature == signature, t.attempts.c.state == AttemptState.LIVE.value)
        .values(state=state.value, evidence=detail_text(evidence), changed_ms=database.now_ms())
    )
    if ended.rowcount != 1:
        raise JournalConflict(f"{database.name}: attempt {address_text(signature)} is not live")
    query = (
        select(t.intents)
        .join(t.attempt_intents, t.attempt_intents.c.intent_id == t.intents.c.id)
        .join(t.attempts, t.attempts.c.id == t.attempt_intents.c.attempt_id)
        .where(t.attempts.c.signature == signature)
    )
    return (await connection.execute(query)).all()


async def _read_attempts(connection: AsyncConnection, query: Select[Any]) -> tuple[AttemptRecord, ...]:
    rows = (await connection.execute(query)).all()
    links = select(t.attempt_intents).where(t.attempt_intents.c.attempt_id.in_([row.id for row in rows]))
    carried: dict[int, list[int]] = {}
    for link in await connection.execute(links.order_by(t.attempt_intents.c.intent_id)):
        carried.setdefault(link.attempt_id, []).append(link.intent_id)
    return tuple(attempt_of(row, tuple(carried.get(row.id, ()))) for row in rows)
