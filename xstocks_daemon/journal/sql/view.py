"""The journal at one moment, as the plan reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from xstocks_daemon.domain.intent import IntentState
from xstocks_daemon.domain.plan_inputs import (
    AssetJournal,
    Halt,
    HaltReason,
    JournalView,
    LiveIntent,
    Quarantine,
    Totals,
)
from xstocks_daemon.domain.units import Address
from xstocks_daemon.journal.port import ViewStore
from xstocks_daemon.journal.sql import schema as t
from xstocks_daemon.journal.sql.database import SqlStore
from xstocks_daemon.journal.sql.rows import (
    LIVE_STATES,
    ORDER_OPEN,
    by_two,
    columns_of,
    intent_of,
    order_of,
    totals_of,
)


async def read_view(connection: AsyncConnection, now_ms: int, mint: Address | None = None) -> JournalView:
    """All assets and open orders, or those of one mint, within a transaction."""

    def of(query: Select[Any], column: Any) -> Select[Any]:
        return query if mint is None else query.where(column == mint)

    async def rows(query: Select[Any], column: Any) -> Sequence[Row[Any]]:
        found: Sequence[Row[Any]] = (await connection.execute(of(query, column))).all()
        return found

    totals = {row.mint: row for row in await rows(select(t.assets), t.assets.c.mint)}
    live = {
        row.mint: LiveIntent(row.id, intent_of(row), IntentState(row.state))
        for row in await rows(select(t.intents).where(t.intents.c.state.in_(LIVE_STATES)), t.intents.c.mint)
    }
    halts = {
        row.mint: Halt(row.mint, HaltReason(row.reason), row.detail)
        for row in await rows(select(t.halts).where(t.halts.c.open), t.halts.c.mint)
    }
    quarantined = {
        row.mint: Quarantine(row.reason, row.until_ms)
        for row in await rows(select(t.quarantines).where(t.quarantines.c.until_ms > now_ms), t.quarantines.c.mint)
    }
    approved = {row.mint: row.up_to_raw for row in await rows(select(t.burn_approvals), t.burn_approvals.c.mint)}
    people: dict[Address, list[int]] = {}
    for row in await rows(select(t.acknowledgements), t.acknowledgements.c.mint):
        people.setdefault(row.mint, []).append(row.up_to_raw)
    open_orders = select(t.orders).where(t.orders.c.state == ORDER_OPEN).order_by(t.orders.c.id)
    return JournalView(
        assets={
            one: AssetJournal(
                totals=totals_of(totals[one]) if one in totals else Totals(),
                holder_burnt_raw=totals[one].holder_burnt_raw if one in totals else 0,
                acknowledged_raw=by_two(people.get(one, [])),
                live=live.get(one),
                halt=halts.get(one),
                quarantine=quarantined.get(one),
                burn_approved_raw=approved.get(one, 0),
            )
            for one in {*totals, *live, *halts, *quarantined, *approved, *people}
        },
        orders=tuple(order_of(row) for row in await rows(open_orders, t.orders.c.mint)),
    )


async def know_assets(connection: AsyncConnection, mints: Sequence[Address]) -> None:
    """Give assets that the journal meets for the first time their row of zeros."""
    known = {row.mint for row in await connection.execute(select(t.assets.c.mint))}
    fresh = sorted(set(mints) - known)
    if fresh:
        await connection.execute(
            insert(t.assets), [{"mint": mint, "holder_burnt_raw": 0, **columns_of(Totals())} for mint in fresh]
        )


class SqlView(SqlStore, ViewStore):
    """The whole journal at one moment, read in one transaction."""

    async def view(self) -> JournalView:
        async with self.database.read() as connection:
            return await read_view(connection, self.database.now_ms())

    async def expected(self, mint: Address) -> AssetJournal:
        async with self.database.read() as connection:
            return (await read_view(connection, self.database.now_ms(), mint)).of(mint)
