"""Orders: distributions that people ask for."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from xstocks_daemon.domain.plan_inputs import Order
from xstocks_daemon.journal.port import JournalConflict, OrderStore
from xstocks_daemon.journal.sql import schema as t
from xstocks_daemon.journal.sql.audit_log import log_event
from xstocks_daemon.journal.sql.database import Database, SqlStore, uncancelled
from xstocks_daemon.journal.sql.rows import LIVE_STATES, ORDER_CANCELLED, ORDER_OPEN, person_name


async def move_orders(database: Database, connection: AsyncConnection, order_ids: Sequence[bytes], state: str) -> None:
    """Open orders to `state`, all or none, within a transaction."""
    moved = await connection.execute(
        update(t.orders)
        .where(t.orders.c.order_id.in_(order_ids), t.orders.c.state == ORDER_OPEN)
        .values(state=state, changed_ms=database.now_ms())
    )
    if moved.rowcount != len(order_ids):
        names = ", ".join(order_id.hex() for order_id in order_ids)
        raise JournalConflict(f"{database.name}: order {names} is not open")


class SqlOrders(SqlStore, OrderStore):
    """The table `orders`: an id is used once, for ever."""

    @uncancelled
    async def place_order(self, order: Order, person: str) -> None:
        name, now_ms = person_name(person), self.database.now_ms()
        async with self.database.write() as connection:
            await connection.execute(
                insert(t.orders).values(
                    order_id=order.order_id,
                    mint=order.mint,
                    amount_raw=order.amount_raw,
                    wallet=order.wallet,
                    destination=order.destination,
                    state=ORDER_OPEN,
                    person=name,
                    created_ms=now_ms,
                    changed_ms=now_ms,
                )
            )
            detail = {"order_id": order.order_id.hex(), "amount_raw": str(order.amount_raw), "person": name}
            await log_event(connection, self.database.now_ms(), "order_placed", order.mint, detail)

    @uncancelled
    async def cancel_order(self, order_id: bytes, person: str) -> None:
        name = person_name(person)
        async with self.database.write() as connection:
            live = select(t.intents.c.id).where(t.intents.c.order_id == order_id, t.intents.c.state.in_(LIVE_STATES))
            if (await connection.execute(live)).first() is not None:
                raise JournalConflict(f"{self.database.name}: order {order_id.hex()} is being served")
            await move_orders(self.database, connection, [order_id], ORDER_CANCELLED)
            await log_event(
                connection,
                self.database.now_ms(),
                "order_cancelled",
                None,
                {"order_id": order_id.hex(), "person": name},
            )
