"""Intents: what was decided, each with its asset's number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from xstocks_daemon.domain.intent import NO_ORDER, Intent, IntentKind, IntentState
from xstocks_daemon.domain.lifecycle import IntentEvent, step
from xstocks_daemon.domain.plan_inputs import AssetJournal, LiveIntent, Order
from xstocks_daemon.domain.units import Address, address_text
from xstocks_daemon.journal.port import IntentRecord, IntentStore, JournalConflict
from xstocks_daemon.journal.sql import schema as t
from xstocks_daemon.journal.sql.database import Database, SqlStore, uncancelled
from xstocks_daemon.journal.sql.rows import LIVE_STATES, intent_record_of
from xstocks_daemon.journal.sql.view import know_assets, read_view


async def move_intents(
    database: Database,
    connection: AsyncConnection,
    intent_ids: Sequence[int],
    before: IntentState,
    event: IntentEvent,
    *,
    note: str = "",
) -> None:
    """Move intents along one edge of the life cycle, all or none."""
    after = step(before, event)
    moved = await connection.execute(
        update(t.intents)
        .where(t.intents.c.id.in_(intent_ids), t.intents.c.state == before.value)
        .values(state=after.value, note=note, changed_ms=database.now_ms())
    )
    if moved.rowcount != len(intent_ids):
        raise JournalConflict(
            f"{database.name}: {moved.rowcount} of the intents {sorted(intent_ids)} are {before.value}, "
            f"all must be to become {after.value}"
        )


class SqlIntents(SqlStore, IntentStore):
    """The table `intents`; a new one is the next of its asset and alone."""

    @uncancelled
    async def record_intents(self, intents: Sequence[Intent]) -> tuple[LiveIntent, ...]:
        if not intents:
            return ()
        now_ms, state = self.database.now_ms(), step(None, IntentEvent.RECORDED)
        async with self.database.work() as connection:
            known = await read_view(connection, self.database.now_ms())
            orders = {order.order_id: order for order in known.orders}
            await know_assets(connection, [one.mint for one in intents])
            for one in intents:
                self._check_intent(one, known.of(one.mint), orders)
            added = await connection.execute(
                insert(t.intents).returning(t.intents.c.id, sort_by_parameter_order=True),
                [
                    {
                        "mint": one.mint,
                        "sequence": one.sequence,
                        "kind": int(one.kind),
                        "amount_raw": one.amount_raw,
                        "destination": one.destination,
                        "order_id": None if one.order_id == NO_ORDER else one.order_id,
                        "intent_hash": one.intent_hash(self.database.genesis_hash, self.database.program_id),
                        "state": state.value,
                        "note": "",
                        "created_ms": now_ms,
                        "changed_ms": now_ms,
                    }
                    for one in intents
                ],
            )
            ids = added.scalars().all()
            for one in intents:
                if one.kind is IntentKind.BURN and known.of(one.mint).burn_approved_raw:
                    rest_raw = max(0, known.of(one.mint).burn_approved_raw - one.amount_raw)
                    approval = t.burn_approvals.c.mint == one.mint
                    await connection.execute(update(t.burn_approvals).where(approval).values(up_to_raw=rest_raw))
        return tuple(LiveIntent(intent_id, one, state) for intent_id, one in zip(ids, intents, strict=True))

    def _check_intent(self, intent: Intent, known: AssetJournal, orders: Mapping[bytes, Order]) -> None:
        name = f"{self.database.name}: intent for {address_text(intent.mint)}"
        if known.halt is not None:
            raise JournalConflict(f"{name}: the asset is halted ({known.halt.reason.value})")
        if known.live is not None:
            raise JournalConflict(f"{name}: intent {known.live.id} is still {known.live.state.value}")
        if intent.sequence != known.totals.sequence:
            raise JournalConflict(f"{name}: sequence {intent.sequence} given, {known.totals.sequence} is next")
        if intent.kind is IntentKind.DISTRIBUTE:
            order = orders.get(intent.order_id)
            wanted = (intent.mint, intent.amount_raw, intent.destination)
            if order is None or (order.mint, order.amount_raw, order.destination) != wanted:
                raise JournalConflict(f"{name}: order {intent.order_id.hex()} is not an open one with these values")
        elif intent.order_id != NO_ORDER:
            raise JournalConflict(f"{name}: only a distribution has an order")

    @uncancelled
    async def drop_intent(self, intent_id: int, why: str) -> None:
        async with self.database.work() as connection:
            await move_intents(
                self.database, connection, [intent_id], IntentState.PENDING, IntentEvent.NOT_WANTED, note=why
            )

    async def live_intents(self) -> tuple[IntentRecord, ...]:
        async with self.database.read() as connection:
            query = select(t.intents).where(t.intents.c.state.in_(LIVE_STATES)).order_by(t.intents.c.id)
            return tuple(intent_record_of(row) for row in await connection.execute(query))

    async def intents(
        self, *, mint: Address | None = None, state: IntentState | None = None, limit: int = 100
    ) -> tuple[IntentRecord, ...]:
        query = select(t.intents).order_by(t.intents.c.id.desc()).limit(limit)
        if mint is not None:
            query = query.where(t.intents.c.mint == mint)
        if state is not None:
            query = query.where(t.intents.c.state == state.value)
        async with self.database.read() as connection:
            return tuple(intent_record_of(row) for row in await connection.execute(query))
