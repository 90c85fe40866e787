"""The journal in SQLite (WAL, synchronous=FULL, foreign keys), by SQLAlchemy Core."""

from __future__ import annotations

import asyncio
import functools
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Row, Select, bindparam, delete, event, insert, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from xstocks_daemon.domain.intent import NO_ORDER, AttemptState, Intent, IntentKind, IntentState
from xstocks_daemon.domain.lifecycle import IntentEvent, step
from xstocks_daemon.domain.plan_inputs import (
    AssetJournal,
    CustodianEvidence,
    Halt,
    HaltReason,
    JournalView,
    LiveIntent,
    Order,
    Quarantine,
    Totals,
)
from xstocks_daemon.domain.statement import SignedStatement
from xstocks_daemon.domain.units import Address, address_text
from xstocks_daemon.journal.port import (
    Attempt,
    AttemptRecord,
    Equivocation,
    Event,
    IntentRecord,
    Journal,
    JournalConflict,
    JournalError,
    JournalTooNew,
    LeaseHeld,
    LeaseLost,
    LookupTableRecord,
    WrongJournal,
)
from xstocks_daemon.journal.sql import schema as t
from xstocks_daemon.journal.sql.codec import detail_of, detail_text
from xstocks_daemon.journal.sql.evidence import keep_statements, read_evidence
from xstocks_daemon.journal.sql.rows import (
    attempt_of,
    by_two,
    columns_of,
    intent_of,
    intent_record_of,
    order_of,
    person_name,
    totals_of,
)

EVENTS_KEPT = 100_000
"""Lines of the audit log that are kept."""
BUSY_TIMEOUT_SECS = 10
"""How long a write waits for another process that is writing."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_ONLY = 1  # the id of the one row of `meta` and of `lease`
_LIVE = (IntentState.PENDING.value, IntentState.SUBMITTED.value)
_OPEN, _DONE, _CANCELLED = "open", "done", "cancelled"

P = ParamSpec("P")
R = TypeVar("R")


def _uncancelled(
    method: Callable[Concatenate[SqliteJournal, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[SqliteJournal, P], Coroutine[Any, Any, R]]:
    """A write that is finished even if its caller is cancelled; the caller gets its cancellation afterwards."""

    @functools.wraps(method)
    async def finished(self: SqliteJournal, /, *args: P.args, **kwargs: P.kwargs) -> R:
        task = asyncio.ensure_future(method(self, *args, **kwargs))
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


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def open_journal(
    path: Path,
    genesis_hash: Address,
    program_id: Address,
    *,
    clock_ms: Callable[[], int] = _now_ms,
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
    journal = SqliteJournal(engine, path, genesis_hash, program_id, clock_ms)
    try:
        await journal.prepare()
    except BaseException:
        await engine.dispose()
        raise
    return journal


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


class SqliteJournal:
    """Implements `port.Journal`; its methods are described there."""

    def __init__(
        self,
        engine: AsyncEngine,
        path: Path,
        genesis_hash: Address,
        program_id: Address,
        clock_ms: Callable[[], int],
    ) -> None:
        """Use `open_journal`."""
        self._engine = engine
        self._writer = engine.execution_options(write=True)
        self._path = path
        self._genesis_hash = genesis_hash
        self._program_id = program_id
        self._clock_ms = clock_ms
        self._lease_epoch: int | None = None
        self._write_lock = asyncio.Lock()

    # -- transactions

    @asynccontextmanager
    async def _read(self) -> AsyncIterator[AsyncConnection]:
        """One consistent reading."""
        try:
            async with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise self._unusable(error) from error

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction of a person or of the lease itself: all or nothing, durable at the end."""
        async with self._write_lock:
            try:
                async with self._writer.begin() as connection:
                    yield connection
            except DBAPIError as error:
                raise self._unusable(error) from error

    @asynccontextmanager
    async def _work(self) -> AsyncIterator[AsyncConnection]:
        """One transaction of the daemon's work: carries and checks the lease epoch, and prolongs the lease."""
        async with self._write() as connection:
            await self._check_lease(connection)
            yield connection

    async def _check_lease(self, connection: AsyncConnection) -> None:
        if self._lease_epoch is None:
            raise LeaseLost(f"journal {self._path}: this process does not hold the lease")
        renewed = await connection.execute(
            update(t.lease)
            .where(t.lease.c.id == _ONLY, t.lease.c.epoch == self._lease_epoch)
            .values(expires_ms=self._clock_ms() + t.lease.c.ttl_ms)
        )
        if renewed.rowcount != 1:
            raise LeaseLost(f"journal {self._path}: another process has taken the lease over; this one must stop")

    def _unusable(self, error: DBAPIError) -> JournalError:
        if isinstance(error.orig, sqlite3.IntegrityError):
            return JournalConflict(f"journal {self._path}: {error.orig}")
        return JournalError(f"journal {self._path}: {error.orig}; name a journal that can be read and written")

    async def _log(
        self, connection: AsyncConnection, kind: str, mint: Address | None, detail: Mapping[str, int | str]
    ) -> None:
        added = await connection.execute(
            insert(t.events).values(at_ms=self._clock_ms(), kind=kind, mint=mint, detail=detail_text(detail))
        )
        (last_id,) = added.inserted_primary_key or (0,)
        await connection.execute(delete(t.events).where(t.events.c.id <= last_id - EVENTS_KEPT))

    # -- opening

    async def prepare(self) -> None:
        """Migrate, and check whose journal it is. Called by `open_journal`."""
        async with self._write() as connection:
            await connection.run_sync(self._migrate)
            row = (await connection.execute(select(t.meta))).one_or_none()
            if row is None:
                await connection.execute(
                    insert(t.meta).values(
                        id=_ONLY,
                        genesis_hash=self._genesis_hash,
                        program_id=self._program_id,
                        created_ms=self._clock_ms(),
                    )
                )
                await connection.execute(insert(t.lease).values(id=_ONLY, holder="", epoch=0, ttl_ms=0, expires_ms=0))
                return
        for name, kept, given in (
            ("genesis_hash", row.genesis_hash, self._genesis_hash),
            ("program_id", row.program_id, self._program_id),
        ):
            if kept != given:
                raise WrongJournal(
                    f"journal {self._path}: its {name} is {address_text(kept)}, but {address_text(given)} is used "
                    "here; name this cluster's own journal, or a new file"
                )

    def _migrate(self, connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        unknown = set(MigrationContext.configure(connection).get_current_heads()) - known
        if unknown:
            raise JournalTooNew(
                f"journal {self._path}: its schema {', '.join(sorted(unknown))} is of a newer version of this "
                "software; use that version, or name another file"
            )
        command.upgrade(config, "head")

    # -- lease

    @_uncancelled
    async def acquire_lease(self, holder: str, ttl_ms: int, *, take_over: bool = False) -> int:
        """See the port."""
        if not holder:
            raise ValueError("holder: must not be empty")
        async with self._write() as connection:
            row = (await connection.execute(select(t.lease).where(t.lease.c.id == _ONLY))).one()
            now_ms = self._clock_ms()
            if row.holder not in ("", holder) and row.expires_ms > now_ms and not take_over:
                raise LeaseHeld(
                    f"journal {self._path}: {row.holder} holds the lease for {row.expires_ms - now_ms} ms more; "
                    "stop that daemon, or wait"
                )
            epoch: int = row.epoch + 1
            await connection.execute(
                update(t.lease)
                .where(t.lease.c.id == _ONLY)
                .values(holder=holder, epoch=epoch, ttl_ms=ttl_ms, expires_ms=now_ms + ttl_ms)
            )
            await self._log(connection, "lease_acquired", None, {"holder": holder, "epoch": epoch})
        self._lease_epoch = epoch
        return epoch

    @_uncancelled
    async def renew_lease(self) -> None:
        """See the port."""
        async with self._work():
            pass

    @_uncancelled
    async def release_lease(self) -> None:
        """See the port."""
        epoch, self._lease_epoch = self._lease_epoch, None
        if epoch is None:
            return
        async with self._write() as connection:
            await connection.execute(update(t.lease).where(t.lease.c.epoch == epoch).values(holder="", expires_ms=0))

    # -- what the plan reads

    async def view(self) -> JournalView:
        """See the port."""
        async with self._read() as connection:
            return await self._view(connection, None)

    async def expected(self, mint: Address) -> AssetJournal:
        """See the port."""
        async with self._read() as connection:
            return (await self._view(connection, mint)).of(mint)

    async def _view(self, connection: AsyncConnection, mint: Address | None) -> JournalView:
        def of(query: Select[Any], column: Any) -> Select[Any]:
            return query if mint is None else query.where(column == mint)

        async def rows(query: Select[Any], column: Any) -> Sequence[Row[Any]]:
            found: Sequence[Row[Any]] = (await connection.execute(of(query, column))).all()
            return found

        totals = {row.mint: row for row in await rows(select(t.assets), t.assets.c.mint)}
        live = {
            row.mint: LiveIntent(row.id, intent_of(row), IntentState(row.state))
            for row in await rows(select(t.intents).where(t.intents.c.state.in_(_LIVE)), t.intents.c.mint)
        }
        halts = {
            row.mint: Halt(row.mint, HaltReason(row.reason), row.detail)
            for row in await rows(select(t.halts).where(t.halts.c.open), t.halts.c.mint)
        }
        quarantined = {
            row.mint: Quarantine(row.reason, row.until_ms)
            for row in await rows(
                select(t.quarantines).where(t.quarantines.c.until_ms > self._clock_ms()), t.quarantines.c.mint
            )
        }
        approved = {row.mint: row.up_to_raw for row in await rows(select(t.burn_approvals), t.burn_approvals.c.mint)}
        people: dict[Address, list[int]] = {}
        for row in await rows(select(t.acknowledgements), t.acknowledgements.c.mint):
            people.setdefault(row.mint, []).append(row.up_to_raw)
        open_orders = select(t.orders).where(t.orders.c.state == _OPEN).order_by(t.orders.c.id)
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

    # -- intents and attempts

    @_uncancelled
    async def record_intents(self, intents: Sequence[Intent]) -> tuple[LiveIntent, ...]:
        """See the port."""
        if not intents:
            return ()
        now_ms, state = self._clock_ms(), step(None, IntentEvent.RECORDED)
        async with self._work() as connection:
            known = await self._view(connection, None)
            orders = {order.order_id: order for order in known.orders}
            await self._know_assets(connection, [one.mint for one in intents])
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
                        "intent_hash": one.intent_hash(self._genesis_hash, self._program_id),
                        "state": state.value,
                        "note": "",
                        "created_ms": now_ms,
                        "changed_ms": now_ms,
                    }
                    for one in intents
                ],
            )
            ids = added.scalars().all()
            burnt = [one.mint for one in intents if one.kind is IntentKind.BURN]
            if burnt:
                await connection.execute(delete(t.burn_approvals).where(t.burn_approvals.c.mint.in_(burnt)))
        return tuple(LiveIntent(intent_id, one, state) for intent_id, one in zip(ids, intents, strict=True))

    def _check_intent(self, intent: Intent, known: AssetJournal, orders: Mapping[bytes, Order]) -> None:
        name = f"journal {self._path}: intent for {address_text(intent.mint)}"
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

    async def _know_assets(self, connection: AsyncConnection, mints: Sequence[Address]) -> None:
        """Give assets that the journal meets for the first time their row of zeros."""
        known = {row.mint for row in await connection.execute(select(t.assets.c.mint))}
        fresh = sorted(set(mints) - known)
        if fresh:
            await connection.execute(
                insert(t.assets), [{"mint": mint, "holder_burnt_raw": 0, **columns_of(Totals())} for mint in fresh]
            )

    @_uncancelled
    async def drop_intent(self, intent_id: int, why: str) -> None:
        """See the port."""
        async with self._work() as connection:
            await self._move(connection, [intent_id], IntentState.PENDING, IntentEvent.NOT_WANTED, note=why)

    async def _move(
        self,
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
            .values(state=after.value, note=note, changed_ms=self._clock_ms())
        )
        if moved.rowcount != len(intent_ids):
            raise JournalConflict(
                f"journal {self._path}: {moved.rowcount} of the intents {sorted(intent_ids)} are {before.value}, "
                f"all must be to become {after.value}"
            )

    @_uncancelled
    async def record_attempt(self, attempt: Attempt, intent_ids: Sequence[int]) -> None:
        """See the port."""
        if not intent_ids or len(set(intent_ids)) != len(intent_ids):
            raise ValueError("intent_ids: an attempt carries at least one intent, and each once")
        now_ms = self._clock_ms()
        async with self._work() as connection:
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
            await self._move(connection, intent_ids, IntentState.PENDING, IntentEvent.ATTEMPT_RECORDED)
            await connection.execute(
                insert(t.attempt_intents),
                [{"attempt_id": attempt_id, "intent_id": intent_id} for intent_id in intent_ids],
            )

    @_uncancelled
    async def mark_landed(self, signature: bytes, evidence: Mapping[str, int | str]) -> None:
        """See the port."""
        async with self._work() as connection:
            rows = await self._end_attempt(connection, signature, AttemptState.LANDED, evidence)
            await self._move(connection, [row.id for row in rows], IntentState.SUBMITTED, IntentEvent.LANDED)
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
                    f"journal {self._path}: an intent of {address_text(signature)} is not its asset's next"
                )
            served = [row.order_id for row in rows if row.order_id is not None]
            if served:
                await self._move_order(connection, served, _DONE)

    @_uncancelled
    async def mark_dead(self, signature: bytes, proof: Mapping[str, int | str]) -> None:
        """See the port."""
        async with self._work() as connection:
            rows = await self._end_attempt(connection, signature, AttemptState.DEAD, proof)
            await self._move(connection, [row.id for row in rows], IntentState.SUBMITTED, IntentEvent.PROVED_DEAD)

    async def _end_attempt(
        self,
        connection: AsyncConnection,
        signature: bytes,
        state: AttemptState,
        evidence: Mapping[str, int | str],
    ) -> Sequence[Row[Any]]:
        """LIVE to `state`; returns the attempt's intents."""
        ended = await connection.execute(
            update(t.attempts)
            .where(t.attempts.c.signature == signature, t.attempts.c.state == AttemptState.LIVE.value)
            .values(state=state.value, evidence=detail_text(evidence), changed_ms=self._clock_ms())
        )
        if ended.rowcount != 1:
            raise JournalConflict(f"journal {self._path}: attempt {address_text(signature)} is not live")
        query = (
            select(t.intents)
            .join(t.attempt_intents, t.attempt_intents.c.intent_id == t.intents.c.id)
            .join(t.attempts, t.attempts.c.id == t.attempt_intents.c.attempt_id)
            .where(t.attempts.c.signature == signature)
        )
        return (await connection.execute(query)).all()

    async def live_attempts(self) -> tuple[AttemptRecord, ...]:
        """See the port."""
        async with self._read() as connection:
            query = select(t.attempts).where(t.attempts.c.state == AttemptState.LIVE.value)
            return await self._attempts(connection, query.order_by(t.attempts.c.id))

    async def _attempts(self, connection: AsyncConnection, query: Select[Any]) -> tuple[AttemptRecord, ...]:
        rows = (await connection.execute(query)).all()
        links = select(t.attempt_intents).where(t.attempt_intents.c.attempt_id.in_([row.id for row in rows]))
        carried: dict[int, list[int]] = {}
        for link in await connection.execute(links.order_by(t.attempt_intents.c.intent_id)):
            carried.setdefault(link.attempt_id, []).append(link.intent_id)
        return tuple(attempt_of(row, tuple(carried.get(row.id, ()))) for row in rows)

    async def all_attempts_for(self, mint: Address, sequence: int) -> tuple[tuple[AttemptRecord, IntentRecord], ...]:
        """See the port."""
        async with self._read() as connection:
            mine = select(t.intents).where(t.intents.c.mint == mint, t.intents.c.sequence == sequence)
            intents = {row.id: intent_record_of(row) for row in await connection.execute(mine)}
            ids = select(t.attempt_intents.c.attempt_id).where(t.attempt_intents.c.intent_id.in_(intents))
            query = select(t.attempts).where(t.attempts.c.id.in_(ids)).order_by(t.attempts.c.id)
            return tuple(
                (attempt, intents[intent_id])
                for attempt in await self._attempts(connection, query)
                for intent_id in attempt.intent_ids
                if intent_id in intents
            )

    async def live_intents(self) -> tuple[IntentRecord, ...]:
        """See the port."""
        async with self._read() as connection:
            query = select(t.intents).where(t.intents.c.state.in_(_LIVE)).order_by(t.intents.c.id)
            return tuple(intent_record_of(row) for row in await connection.execute(query))

    async def intents(
        self, *, mint: Address | None = None, state: IntentState | None = None, limit: int = 100
    ) -> tuple[IntentRecord, ...]:
        """See the port."""
        query = select(t.intents).order_by(t.intents.c.id.desc()).limit(limit)
        if mint is not None:
            query = query.where(t.intents.c.mint == mint)
        if state is not None:
            query = query.where(t.intents.c.state == state.value)
        async with self._read() as connection:
            return tuple(intent_record_of(row) for row in await connection.execute(query))

    # -- statements

    @_uncancelled
    async def record_statements(self, statements: Sequence[SignedStatement]) -> tuple[Equivocation, ...]:
        """See the port."""
        async with self._work() as connection:
            found = await keep_statements(connection, statements)
            for one in found:
                detail = {"custodian": address_text(one.custodian), "observed_ms": str(one.observed_ms)}
                await self._log(connection, "equivocation", one.mint, detail)
            return found

    async def evidence(self) -> Mapping[Address, Mapping[Address, CustodianEvidence]]:
        """See the port."""
        async with self._read() as connection:
            return await read_evidence(connection)

    # -- M12

    @_uncancelled
    async def record_holder_burn(self, mint: Address, holder_burnt_raw: int) -> None:
        """See the port."""
        async with self._work() as connection:
            await self._know_assets(connection, [mint])
            recorded = await connection.execute(
                update(t.assets)
                .where(t.assets.c.mint == mint, t.assets.c.holder_burnt_raw <= holder_burnt_raw)
                .values(holder_burnt_raw=holder_burnt_raw)
            )
            if recorded.rowcount != 1:
                raise JournalConflict(
                    f"journal {self._path}: holder_burnt_raw {holder_burnt_raw} of {address_text(mint)} "
                    "is below what is recorded"
                )
            await self._log(connection, "holder_burn", mint, {"holder_burnt_raw": str(holder_burnt_raw)})

    @_uncancelled
    async def record_halt(self, halt: Halt) -> bool:
        """See the port."""
        async with self._work() as connection:
            if await self._open_halt(connection, halt.mint):
                return False
            await connection.execute(
                insert(t.halts).values(
                    mint=halt.mint,
                    reason=halt.reason.value,
                    detail=halt.detail,
                    at_ms=self._clock_ms(),
                    open=True,
                    cleared_by="",
                    cleared_ms=0,
                )
            )
            await self._log(connection, "halt", halt.mint, {"reason": halt.reason.value, "detail": halt.detail})
            return True

    async def _open_halt(self, connection: AsyncConnection, mint: Address) -> bool:
        query = select(t.halts.c.id).where(t.halts.c.mint == mint, t.halts.c.open)
        return (await connection.execute(query)).first() is not None

    @_uncancelled
    async def quarantine(self, mint: Address, reason: str, until_ms: int) -> None:
        """See the port."""
        async with self._work() as connection:
            await connection.execute(delete(t.quarantines).where(t.quarantines.c.mint == mint))
            await connection.execute(insert(t.quarantines).values(mint=mint, reason=reason, until_ms=until_ms))
            await self._log(connection, "quarantined", mint, {"reason": reason, "until_ms": until_ms})

    # -- lookup tables

    @_uncancelled
    async def record_lookup_table(self, table: LookupTableRecord) -> None:
        """See the port."""
        async with self._work() as connection:
            changed = await connection.execute(
                update(t.lookup_tables).where(t.lookup_tables.c.address == table.address).values(ready=table.ready)
            )
            if changed.rowcount == 0:
                await connection.execute(insert(t.lookup_tables).values(address=table.address, ready=table.ready))
            assigned = t.lookup_table_assets.c
            await connection.execute(
                delete(t.lookup_table_assets).where(
                    or_(assigned.address == table.address, assigned.mint.in_(table.assets))
                )
            )
            if table.assets:
                await connection.execute(
                    insert(t.lookup_table_assets),
                    [
                        {"mint": mint, "address": table.address, "position": position}
                        for position, mint in enumerate(table.assets)
                    ],
                )

    async def lookup_tables(self) -> tuple[LookupTableRecord, ...]:
        """See the port."""
        async with self._read() as connection:
            rows = (await connection.execute(select(t.lookup_tables).order_by(t.lookup_tables.c.id))).all()
            assigned: dict[Address, list[Address]] = {}
            query = select(t.lookup_table_assets).order_by(t.lookup_table_assets.c.position)
            for row in await connection.execute(query):
                assigned.setdefault(row.address, []).append(row.mint)
        return tuple(LookupTableRecord(row.address, tuple(assigned.get(row.address, ())), row.ready) for row in rows)

    # -- audit log

    @_uncancelled
    async def record_event(self, kind: str, mint: Address | None, detail: Mapping[str, int | str]) -> None:
        """See the port."""
        async with self._work() as connection:
            await self._log(connection, kind, mint, detail)

    async def events(self, *, mint: Address | None = None, limit: int = 100) -> tuple[Event, ...]:
        """See the port."""
        query = select(t.events).order_by(t.events.c.id.desc()).limit(limit)
        if mint is not None:
            query = query.where(t.events.c.mint == mint)
        async with self._read() as connection:
            return tuple(
                Event(row.id, row.at_ms, row.kind, row.mint, detail_of(row.detail))
                for row in await connection.execute(query)
            )

    # -- people

    @_uncancelled
    async def place_order(self, order: Order, person: str) -> None:
        """See the port."""
        name, now_ms = person_name(person), self._clock_ms()
        async with self._write() as connection:
            await connection.execute(
                insert(t.orders).values(
                    order_id=order.order_id,
                    mint=order.mint,
                    amount_raw=order.amount_raw,
                    wallet=order.wallet,
                    destination=order.destination,
                    state=_OPEN,
                    person=name,
                    created_ms=now_ms,
                    changed_ms=now_ms,
                )
            )
            detail = {"order_id": order.order_id.hex(), "amount_raw": str(order.amount_raw), "person": name}
            await self._log(connection, "order_placed", order.mint, detail)

    @_uncancelled
    async def cancel_order(self, order_id: bytes, person: str) -> None:
        """See the port."""
        name = person_name(person)
        async with self._write() as connection:
            live = select(t.intents.c.id).where(t.intents.c.order_id == order_id, t.intents.c.state.in_(_LIVE))
            if (await connection.execute(live)).first() is not None:
                raise JournalConflict(f"journal {self._path}: order {order_id.hex()} is being served")
            await self._move_order(connection, [order_id], _CANCELLED)
            await self._log(connection, "order_cancelled", None, {"order_id": order_id.hex(), "person": name})

    async def _move_order(self, connection: AsyncConnection, order_ids: Sequence[bytes], state: str) -> None:
        moved = await connection.execute(
            update(t.orders)
            .where(t.orders.c.order_id.in_(order_ids), t.orders.c.state == _OPEN)
            .values(state=state, changed_ms=self._clock_ms())
        )
        if moved.rowcount != len(order_ids):
            names = ", ".join(order_id.hex() for order_id in order_ids)
            raise JournalConflict(f"journal {self._path}: order {names} is not open")

    @_uncancelled
    async def acknowledge_holder_burn(self, mint: Address, up_to_raw: int, person: str) -> int:
        """See the port."""
        name = person_name(person)
        async with self._write() as connection:
            recorded = (await self._view(connection, mint)).of(mint).holder_burnt_raw
            if up_to_raw > recorded:
                raise JournalConflict(
                    f"journal {self._path}: {up_to_raw} given, holders have burnt {recorded} of {address_text(mint)}"
                )
            mine = t.acknowledgements.c.mint == mint, t.acknowledgements.c.person == name
            await connection.execute(delete(t.acknowledgements).where(*mine))
            await connection.execute(
                insert(t.acknowledgements).values(mint=mint, person=name, up_to_raw=up_to_raw, at_ms=self._clock_ms())
            )
            detail = {"up_to_raw": str(up_to_raw), "person": name}
            await self._log(connection, "holder_burn_acknowledged", mint, detail)
            return (await self._view(connection, mint)).of(mint).acknowledged_raw

    @_uncancelled
    async def approve_burn(self, mint: Address, up_to_raw: int, person: str) -> None:
        """See the port."""
        name = person_name(person)
        async with self._write() as connection:
            await connection.execute(delete(t.burn_approvals).where(t.burn_approvals.c.mint == mint))
            await connection.execute(
                insert(t.burn_approvals).values(mint=mint, up_to_raw=up_to_raw, person=name, at_ms=self._clock_ms())
            )
            await self._log(connection, "burn_approved", mint, {"up_to_raw": str(up_to_raw), "person": name})

    @_uncancelled
    async def clear_halt(self, mint: Address, person: str) -> None:
        """See the port."""
        name = person_name(person)
        async with self._write() as connection:
            cleared = await connection.execute(
                update(t.halts)
                .where(t.halts.c.mint == mint, t.halts.c.open)
                .values(open=False, cleared_by=name, cleared_ms=self._clock_ms())
            )
            if cleared.rowcount != 1:
                raise JournalConflict(f"journal {self._path}: {address_text(mint)} is not halted")
            await self._log(connection, "halt_cleared", mint, {"person": name})

    @_uncancelled
    async def adopt_baseline(
        self, mint: Address, totals: Totals, holder_burnt_raw: int, people: tuple[str, str]
    ) -> None:
        """See the port."""
        first, second = (person_name(person) for person in people)
        if first == second:
            raise JournalConflict(f"journal {self._path}: two different people must adopt a baseline")
        async with self._write() as connection:
            live = (await self._view(connection, mint)).of(mint).live
            if live is not None:
                raise JournalConflict(
                    f"journal {self._path}: intent {live.id} of {address_text(mint)} is {live.state.value}"
                )
            await self._know_assets(connection, [mint])
            await connection.execute(
                update(t.assets)
                .where(t.assets.c.mint == mint)
                .values(holder_burnt_raw=holder_burnt_raw, **columns_of(totals))
            )
            detail = {name: str(value) for name, value in columns_of(totals).items()}
            detail |= {"holder_burnt_raw": str(holder_burnt_raw), "people": f"{first}, {second}"}
            await self._log(connection, "baseline_adopted", mint, detail)

    async def close(self) -> None:
        """See the port."""
        async with self._write_lock:
            await self._engine.dispose()
