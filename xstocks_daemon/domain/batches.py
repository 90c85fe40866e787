"""Grouping of assets into transactions and statements (design, sections 4.3, 4.4 and 6.2)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

from xstocks_daemon.domain.statement import MAX_ENTRIES
from xstocks_daemon.domain.units import Address

T = TypeVar("T")

MAX_MINTS = 18
"""Entries of one mint or burn transaction: 18 fit a v0 transaction with one lookup table."""
MAX_CUSTODIANS = 5
"""Custodian accounts that one mint or burn takes."""


def intent_batches(
    items: Iterable[T],
    mint_of: Callable[[T], Address],
    tables: Mapping[Address, int],
    custodians: Mapping[Address, Collection[Address]],
    limit: int = MAX_MINTS,
) -> tuple[tuple[T, ...], ...]:
    """Group intents of one kind: at most `limit` together, of one lookup table (`tables`: mint -> table), each asset
    once, with at most MAX_CUSTODIANS custodians among them (`custodians`: mint -> those with a fresh entry).

    Deterministic whatever the order given. KeyError for an asset without a table.
    """
    batches: list[list[T]] = []
    table: int | None = None
    union: set[Address] = set()

    def rank(item: T) -> tuple[int, list[Address], Address]:
        mint = mint_of(item)
        return tables[mint], sorted(custodians.get(mint, ())), mint

    for item in sorted(items, key=rank):
        mint = mint_of(item)
        wanted = union | set(custodians.get(mint, ()))
        fits = bool(batches) and tables[mint] == table and len(batches[-1]) < limit and len(wanted) <= MAX_CUSTODIANS
        if fits:
            batches[-1].append(item)
            union = wanted
        else:
            batches.append([item])
            table, union = tables[mint], set(custodians.get(mint, ()))
    return tuple(tuple(batch) for batch in batches)


def statement_groups(
    mints: Iterable[Address],
    tables: Mapping[Address, int],
    alone: Collection[Address] = (),
    limit: int = MAX_ENTRIES,
) -> tuple[tuple[Address, ...], ...]:
    """Which assets to ask a custodian about in one statement: ascending by mint, at most `limit`, of one lookup table;
    those in `alone` (their multiplier changes before the statement would expire) get one of their own."""
    own_group = frozenset(alone)
    groups: list[list[Address]] = []
    table: int | None = None
    for mint in sorted(set(mints) - own_group, key=lambda mint: (tables[mint], mint)):
        if groups and tables[mint] == table and len(groups[-1]) < limit:
            groups[-1].append(mint)
        else:
            groups.append([mint])
            table = tables[mint]
    groups += [[mint] for mint in sorted(own_group & set(mints))]
    return tuple(tuple(group) for group in groups)
