"""The lease: who may do the daemon's work on this journal."""

from __future__ import annotations

from sqlalchemy import select, update

from xstocks_daemon.journal.port import LeaseHeld, LeaseStore
from xstocks_daemon.journal.sql import schema as t
from xstocks_daemon.journal.sql.audit_log import log_event
from xstocks_daemon.journal.sql.database import ONLY_ROW, SqlStore, uncancelled


class SqlLease(SqlStore, LeaseStore):
    """Every write of the work checks the epoch that was given here (`Database.work`)."""

    @uncancelled
    async def acquire_lease(self, holder: str, ttl_ms: int, *, take_over: bool = False) -> int:
        if not holder:
            raise ValueError("holder: must not be empty")
        async with self.database.write() as connection:
            row = (await connection.execute(select(t.lease).where(t.lease.c.id == ONLY_ROW))).one()
            now_ms = self.database.now_ms()
            if row.holder not in ("", holder) and row.expires_ms > now_ms and not take_over:
                raise LeaseHeld(
                    f"{self.database.name}: {row.holder} holds the lease for {row.expires_ms - now_ms} ms more; "
                    "stop that daemon, or wait"
                )
            epoch: int = row.epoch + 1
            await connection.execute(
                update(t.lease)
                .where(t.lease.c.id == ONLY_ROW)
                .values(holder=holder, epoch=epoch, ttl_ms=ttl_ms, expires_ms=now_ms + ttl_ms)
            )
            await log_event(
                connection, self.database.now_ms(), "lease_acquired", None, {"holder": holder, "epoch": epoch}
            )
        self.database.lease_epoch = epoch
        return epoch

    @uncancelled
    async def renew_lease(self) -> None:
        async with self.database.work():
            pass

    @uncancelled
    async def release_lease(self) -> None:
        epoch, self.database.lease_epoch = self.database.lease_epoch, None
        if epoch is None:
            return
        async with self.database.write() as connection:
            await connection.execute(update(t.lease).where(t.lease.c.epoch == epoch).values(holder="", expires_ms=0))
