"""Planted bugs of xstocks_daemon/domain."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, of, swap

MUTANTS: tuple[Mutant, ...] = (
    *of(
        "domain/batches.py",
        "domain/batches",
        swap("batch-limit", "len(batches[-1]) < limit and", "", "keeps to 18 entries in a transaction"),
    ),
)
