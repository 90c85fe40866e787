"""What this key has signed, kept so that it never signs two things for one time (M3): per (custodian, mint) the newest
(observed_ms, digest), on disk before the signature leaves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from xstocks_daemon.domain.units import Address
from xstocks_daemon.errors import UserError, user_error

_BUSY_SECS = 5.0


class AlreadySigned(Exception):
    """A statement that is older than, or other than, what was signed. `mint` is the first such one."""

    def __init__(self, mint: Address, observed_ms: int, *, same_time: bool) -> None:
        self.mint = mint
        self.observed_ms = observed_ms
        self.same_time = same_time
        what = "another statement" if same_time else "a newer statement"
        super().__init__(f"{what} of {observed_ms} ms was signed already")


class SignedStore:
    """SQLite in WAL mode with synchronous=FULL: a commit is on disk when it returns. Blocking; one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._db = sqlite3.connect(path, timeout=_BUSY_SECS, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS signed (custodian BLOB NOT NULL, mint BLOB NOT NULL,"
                " observed_ms INTEGER NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (custodian, mint)) WITHOUT ROWID"
            )
        except sqlite3.Error as error:
            raise _unusable(path, error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise _unusable(self._path, error) from error

    def record_signature(self, custodian: Address, mints: Iterable[Address], observed_ms: int, digest: bytes) -> None:
        """Put down that `digest` is signed for these mints at this time, durably. Again for the same digest is fine.

        AlreadySigned, and nothing put down, where one of the mints has a later time or another digest of this time;
        UserError where the file cannot be written.
        """
        with self._transaction():
            for mint in mints:
                row = self._row(custodian, mint)
                if row is not None and (row[0] > observed_ms or (row[0] == observed_ms and row[1] != digest)):
                    raise AlreadySigned(mint, row[0], same_time=row[0] == observed_ms)
                self._db.execute(
                    "INSERT INTO signed VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                    " observed_ms = excluded.observed_ms, digest = excluded.digest",
                    (custodian, mint, observed_ms, digest),
                )

    def last_observed_ms(self, custodian: Address, mints: Iterable[Address]) -> int:
        """The latest time signed for any of these mints; 0 where there is none."""
        rows = (self._row(custodian, mint) for mint in mints)
        return max((row[0] for row in rows if row is not None), default=0)

    def _row(self, custodian: Address, mint: Address) -> tuple[int, bytes] | None:
        found: tuple[int, bytes] | None = self._db.execute(
            "SELECT observed_ms, digest FROM signed WHERE custodian = ? AND mint = ?", (custodian, mint)
        ).fetchone()
        return found


def _unusable(path: Path, error: sqlite3.Error) -> UserError:
    return user_error("store_file", str(path), f"it cannot be used as a store: {error}")
