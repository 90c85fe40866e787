"""Statements as evidence: the newest and the previous per custodian and asset (design, section 6.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from xstocks_daemon.domain.plan_inputs import CustodianEvidence, Evidence, last_lowered_ms
from xstocks_daemon.domain.statement import SignedStatement
from xstocks_daemon.domain.units import Address, address_text
from xstocks_daemon.journal.port import Equivocation, EvidenceStore
from xstocks_daemon.journal.sql import schema as t
from xstocks_daemon.journal.sql.audit_log import log_event
from xstocks_daemon.journal.sql.codec import statement_of, statement_text
from xstocks_daemon.journal.sql.database import SqlStore, uncancelled

_EntryRow = dict[str, Any]
_NUMBERS = ("multiplier_bits", "shares_nano", "capacity_raw", "redeemed_seen_raw")


async def keep_statements(
    connection: AsyncConnection, statements: Sequence[SignedStatement]
) -> tuple[Equivocation, ...]:
    """Keep what is newer than the entries kept so far; return what contradicts one of them."""
    rows = await connection.execute(select(t.statement_entries))
    entries: dict[tuple[Address, Address], Mapping[str, Any]] = {
        (row.custodian, row.mint): dict(row._mapping) for row in rows
    }
    changed: dict[tuple[Address, Address], _EntryRow] = {}
    bodies: dict[bytes, str] = {}
    found: list[Equivocation] = []
    for signed in sorted(statements, key=lambda signed: signed.statement.observed_ms):
        newer, contradictions = _newer_entries(signed, entries)
        found += contradictions
        if newer:
            bodies[newer[0]["newest"]] = statement_text(signed)
        for row in newer:
            key = row["custodian"], row["mint"]
            entries[key] = changed[key] = row
    if changed:
        await _replace_entries(connection, bodies, list(changed.values()))
    return tuple(found)


def _newer_entries(
    signed: SignedStatement, entries: Mapping[tuple[Address, Address], Mapping[str, Any]]
) -> tuple[list[_EntryRow], list[Equivocation]]:
    """The statement's entries that are newer than those kept, and those that contradict one of the same time."""
    statement, digest = signed.statement, signed.statement.digest()
    newer: list[_EntryRow] = []
    contradictions: list[Equivocation] = []
    for entry in statement.entries:
        numbers = {name: getattr(entry, name) for name in _NUMBERS}
        old = entries.get((statement.custodian, entry.mint))
        if old is not None and statement.observed_ms <= old["observed_ms"]:
            if statement.observed_ms == old["observed_ms"] and numbers != {name: old[name] for name in _NUMBERS}:
                contradictions.append(Equivocation(entry.mint, statement.custodian, statement.observed_ms))
            continue
        lowered_ms = 0
        if old is not None:
            sum_raw = entry.capacity_raw + entry.redeemed_seen_raw
            sum_before_raw = old["capacity_raw"] + old["redeemed_seen_raw"]
            lowered_ms = last_lowered_ms(statement.observed_ms, sum_raw, sum_before_raw, old["lowered_ms"])
        newer.append(
            {
                "custodian": statement.custodian,
                "mint": entry.mint,
                "newest": digest,
                "previous": None if old is None else old["newest"],
                "observed_ms": statement.observed_ms,
                "lowered_ms": lowered_ms,
                **numbers,
            }
        )
    return newer, contradictions


async def _replace_entries(connection: AsyncConnection, bodies: Mapping[bytes, str], rows: Sequence[_EntryRow]) -> None:
    """Write changed entries with their statements, and forget statements that no entry names any more."""
    kept = {row.digest for row in await connection.execute(select(t.statements.c.digest))}
    fresh = [{"digest": digest, "body": body} for digest, body in bodies.items() if digest not in kept]
    if fresh:
        await connection.execute(insert(t.statements), fresh)
    await connection.execute(
        delete(t.statement_entries).where(
            t.statement_entries.c.custodian == bindparam("of_custodian"),
            t.statement_entries.c.mint == bindparam("of_mint"),
        ),
        [{"of_custodian": row["custodian"], "of_mint": row["mint"]} for row in rows],
    )
    await connection.execute(insert(t.statement_entries), rows)
    needed = select(t.statement_entries.c.newest).union(
        select(t.statement_entries.c.previous).where(t.statement_entries.c.previous.is_not(None))
    )
    await connection.execute(delete(t.statements).where(t.statements.c.digest.not_in(needed)))


async def read_evidence(connection: AsyncConnection) -> Mapping[Address, Mapping[Address, CustodianEvidence]]:
    """mint -> custodian -> newest and previous statement."""
    known: dict[bytes, dict[Address, Evidence]] = {}
    for row in await connection.execute(select(t.statements)):
        signed = statement_of(row.body)
        known[row.digest] = {entry.mint: Evidence(signed, entry) for entry in signed.statement.entries}
    evidence: dict[Address, dict[Address, CustodianEvidence]] = {}
    for row in await connection.execute(select(t.statement_entries)):
        evidence.setdefault(row.mint, {})[row.custodian] = CustodianEvidence(
            newest=known[row.newest][row.mint],
            previous=None if row.previous is None else known[row.previous][row.mint],
            lowered_ms=row.lowered_ms,
        )
    return evidence


class SqlEvidence(SqlStore, EvidenceStore):
    """The newest and the previous statement per custodian and asset."""

    @uncancelled
    async def record_statements(self, statements: Sequence[SignedStatement]) -> tuple[Equivocation, ...]:
        async with self.database.work() as connection:
            found = await keep_statements(connection, statements)
            for one in found:
                detail = {"custodian": address_text(one.custodian), "observed_ms": str(one.observed_ms)}
                await log_event(connection, self.database.now_ms(), "equivocation", one.mint, detail)
            return found

    async def evidence(self) -> Mapping[Address, Mapping[Address, CustodianEvidence]]:
        async with self.database.read() as connection:
            return await read_evidence(connection)
