"""Intents, attempts and statements for the journal's tests, and a dump of everything that a journal holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from xstocks_daemon.domain.intent import NO_ORDER, Intent, IntentKind
from xstocks_daemon.domain.plan_inputs import Order
from xstocks_daemon.domain.statement import AttesterSignature, SignedStatement, Statement, StatementEntry
from xstocks_daemon.domain.units import Address
from xstocks_daemon.journal import Attempt

GENESIS, PROGRAM = Address(b"G" * 32), Address(b"P" * 32)
MINT, OTHER = Address(b"1" * 32), Address(b"2" * 32)
VAULT, WALLET, CUSTODIAN = Address(b"v" * 32), Address(b"w" * 32), Address(b"c" * 32)
ORDER = Order(b"o" * 16, MINT, 30, WALLET, WALLET)


def minting(sequence: int = 0, amount_raw: int = 100, mint: Address = MINT) -> Intent:
    return Intent(IntentKind.MINT, mint, sequence, amount_raw, VAULT, NO_ORDER)


def burning(sequence: int, amount_raw: int = 10) -> Intent:
    return Intent(IntentKind.BURN, MINT, sequence, amount_raw, VAULT, NO_ORDER)


def serving(sequence: int, order: Order = ORDER) -> Intent:
    return Intent(IntentKind.DISTRIBUTE, order.mint, sequence, order.amount_raw, order.destination, order.order_id)


def attempt(number: int = 1) -> Attempt:
    return Attempt(bytes([number]) * 64, b"wire" * 200, b"h" * 32, 1_000 + number)


def signed_statement(
    capacities: Mapping[Address, int], observed_ms: int, seen_raw: int = 0, custodian: Address = CUSTODIAN
) -> SignedStatement:
    lines = tuple(StatementEntry(mint, 2**63, raw, raw, seen_raw) for mint, raw in sorted(capacities.items()))
    statement = Statement(GENESIS, PROGRAM, custodian, 1, observed_ms, 2**62, lines)
    return SignedStatement(statement, (AttesterSignature(Address(b"k" * 32), b"s" * 64),))


def dump(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables but the lease's own time."""
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}
    rows["lease"] = [row[:-1] for row in rows["lease"]]
    return rows
