"""One database and its transactions: readings, writes of people, and the daemon's work under the lease."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xstocks_daemon.domain.units import Address
from xstocks_daemon.journal.port import JournalConflict, JournalError, LeaseLost
from xstocks_daemon.journal.sql import schema as t

ONLY_ROW = 1
"""The id of the one row of `meta` and of `lease`."""

P = ParamSpec("P")
R = TypeVar("R")


def uncancelled(method: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """A write that is finished even if its caller is cancelled; the caller gets its cancellation afterwards."""

    @functools.wraps(method)
    async def finished(*args: P.args, **kwargs: P.kwargs) -> R:
        task = asyncio.ensure_future(method(*args, **kwargs))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            while not task.done():
                try:
                    await asyncio.wait({task})
                except asyncio.CancelledError:
                    continue
            task.exception()  # retrieved: the caller asked to stop, not for the outcome
            raise

    return finished


class Database:
    """An engine with what every statement on it needs.

    `name` begins its errors, such as "journal PATH". `clock_ms`: Unix time in milliseconds. A transaction that is
    begun with the execution option `write` must shut other writers out from its begin on.
    """

    def __init__(
        self, engine: AsyncEngine, name: str, genesis_hash: Address, program_id: Address, clock_ms: Callable[[], int]
    ) -> None:
        self.engine = engine
        self.name = name
        self.genesis_hash = genesis_hash
        self.program_id = program_id
        self.now_ms = clock_ms
        self.lease_epoch: int | None = None
        """The epoch of the lease that this process holds."""
        self._writer = engine.execution_options(write=True)
        self._write_lock = asyncio.Lock()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One consistent reading."""
        try:
            async with self.engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise self._unusable(error) from error

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction of a person or of the lease itself: all or nothing, durable at the end."""
        async with self._write_lock:
            try:
                async with self._writer.begin() as connection:
                    yield connection
            except DBAPIError as error:
                raise self._unusable(error) from error

    @asynccontextmanager
    async def work(self) -> AsyncIterator[AsyncConnection]:
        """One transaction of the daemon's work: carries and checks the lease epoch, and prolongs the lease."""
        async with self.write() as connection:
            await self._check_lease(connection)
            yield connection

    async def _check_lease(self, connection: AsyncConnection) -> None:
        if self.lease_epoch is None:
            raise LeaseLost(f"{self.name}: this process does not hold the lease")
        renewed = await connection.execute(
            update(t.lease)
            .where(t.lease.c.id == ONLY_ROW, t.lease.c.epoch == self.lease_epoch)
            .values(expires_ms=self.now_ms() + t.lease.c.ttl_ms)
        )
        if renewed.rowcount != 1:
            raise LeaseLost(f"{self.name}: another process has taken the lease over; this one must stop")

    def _unusable(self, error: DBAPIError) -> JournalError:
        if isinstance(error, IntegrityError):
            return JournalConflict(f"{self.name}: {error.orig}")
        return JournalError(f"{self.name}: {error.orig}; name a journal that can be read and written")

    async def close(self) -> None:
        """Close the connections, once no write is under way."""
        async with self._write_lock:
            await self.engine.dispose()


class SqlStore:
    """One subject of the journal, kept in a database."""

    def __init__(self, database: Database) -> None:
        self.database = database
