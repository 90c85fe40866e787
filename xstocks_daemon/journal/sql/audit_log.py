"""The audit log: what was done, by whom, for people."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from xstocks_daemon.domain.units import Address
from xstocks_daemon.journal.port import AuditLog, Event
from xstocks_daemon.journal.sql import schema as t
from xstocks_daemon.journal.sql.codec import detail_of, detail_text
from xstocks_daemon.journal.sql.database import SqlStore, uncancelled

EVENTS_KEPT = 100_000
"""Lines of the audit log that are kept."""


async def log_event(
    connection: AsyncConnection, at_ms: int, kind: str, mint: Address | None, detail: Mapping[str, int | str]
) -> None:
    """Add a line within a transaction."""
    added = await connection.execute(
        insert(t.events).values(at_ms=at_ms, kind=kind, mint=mint, detail=detail_text(detail))
    )
    (last_id,) = added.inserted_primary_key or (0,)
    await connection.execute(delete(t.events).where(t.events.c.id <= last_id - EVENTS_KEPT))


class SqlAuditLog(SqlStore, AuditLog):
    """The table `events`, cut down to the newest EVENTS_KEPT lines."""

    @uncancelled
    async def record_event(self, kind: str, mint: Address | None, detail: Mapping[str, int | str]) -> None:
        async with self.database.work() as connection:
            await log_event(connection, self.database.now_ms(), kind, mint, detail)

    async def events(self, *, mint: Address | None = None, limit: int = 100) -> tuple[Event, ...]:
        query = select(t.events).order_by(t.events.c.id.desc()).limit(limit)
        if mint is not None:
            query = query.where(t.events.c.mint == mint)
        async with self.database.read() as connection:
            return tuple(
                Event(row.id, row.at_ms, row.kind, row.mint, detail_of(row.detail))
                for row in await connection.execute(query)
            )
