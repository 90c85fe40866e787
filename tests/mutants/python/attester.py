"""Planted bugs of xstocks_daemon/custody/attester."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MUTANTS: tuple[Mutant, ...] = ()
