"""Assets that are left alone: halted until a person clears them, or quarantined for a while."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from xstocks_daemon.domain.plan_inputs import Halt
from xstocks_daemon.domain.units import Address, address_text
from xstocks_daemon.journal.port import HaltStore, JournalConflict
from xstocks_daemon.journal.sql import schema as t
from xstocks_daemon.journal.sql.audit_log import log_event
from xstocks_daemon.journal.sql.database import SqlStore, uncancelled
from xstocks_daemon.journal.sql.rows import person_name


class SqlHalts(SqlStore, HaltStore):
    """The tables `halts`, of which one per asset is open, and `quarantines`."""

    @uncancelled
    async def record_halt(self, halt: Halt) -> bool:
        async with self.database.work() as connection:
            if await _open_halt(connection, halt.mint):
                return False
            await connection.execute(
                insert(t.halts).values(
                    mint=halt.mint,
                    reason=halt.reason.value,
                    detail=halt.detail,
                    at_ms=self.database.now_ms(),
                    open=True,
                    cleared_by="",
                    cleared_ms=0,
                )
            )
            await log_event(
                connection,
                self.database.now_ms(),
                "halt",
                halt.mint,
                {"reason": halt.reason.value, "detail": halt.detail},
            )
            return True

    @uncancelled
    async def clear_halt(self, mint: Address, person: str) -> None:
        name = person_name(person)
        async with self.database.write() as connection:
            cleared = await connection.execute(
                update(t.halts)
                .where(t.halts.c.mint == mint, t.halts.c.open)
                .values(open=False, cleared_by=name, cleared_ms=self.database.now_ms())
            )
            if cleared.rowcount != 1:
                raise JournalConflict(f"{self.database.name}: {address_text(mint)} is not halted")
            await log_event(connection, self.database.now_ms(), "halt_cleared", mint, {"person": name})

    @uncancelled
    async def quarantine(self, mint: Address, reason: str, until_ms: int) -> None:
        async with self.database.work() as connection:
            await connection.execute(delete(t.quarantines).where(t.quarantines.c.mint == mint))
            await connection.execute(insert(t.quarantines).values(mint=mint, reason=reason, until_ms=until_ms))
            await log_event(
                connection, self.database.now_ms(), "quarantined", mint, {"reason": reason, "until_ms": until_ms}
            )


async def _open_halt(connection: AsyncConnection, mint: Address) -> bool:
    query = select(t.halts.c.id).where(t.halts.c.mint == mint, t.halts.c.open)
    return (await connection.execute(query)).first() is not None
