"""The journal in an SQLite file: opening it, and the mode that makes a commit durable."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import create_async_engine

from xstocks_daemon import clock
from xstocks_daemon.domain.units import Address
from xstocks_daemon.journal.port import Journal, JournalError
from xstocks_daemon.journal.sql.database import Database
from xstocks_daemon.journal.sql.journal import SqlJournal
from xstocks_daemon.journal.sql.opening import prepare

BUSY_TIMEOUT_SECS = 10
"""How long a write waits for another process that is writing."""


async def open_journal(
    path: Path,
    genesis_hash: Address,
    program_id: Address,
    *,
    clock_ms: Callable[[], int] = clock.now_ms,
) -> Journal:
    """Open the journal at `path`, or make one for this cluster and program (mode 0600).

    Raises WrongJournal where it is of another cluster or program, JournalTooNew where a newer version wrote it, and
    JournalError where it cannot be read or written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise JournalError(f"journal {path}: {error.strerror}; name a file that can be written") from error
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_SECS})
    event.listen(engine.sync_engine, "connect", _set_pragmas)
    event.listen(engine.sync_engine, "begin", _begin)
    database = Database(engine, f"journal {path}", genesis_hash, program_id, clock_ms)
    try:
        await prepare(database)
    except BaseException:
        await engine.dispose()
        raise
    return SqlJournal(database)


def _set_pragmas(connection: Any, _record: object) -> None:
    # The driver would start transactions by itself, and late; `_begin` does it instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    # FULL: in WAL mode NORMAL may lose the last commits at a power cut, and with them a transaction that was sent.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A writer takes the lock at once: a read first and a write later could fail in between.
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
