"""Short ways to write down a bug in Python (beside `gone` and `swap` of tests.mutants.mutant)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, swap


def off(name: str, condition: str, removes: str, *, equivalent: str = "", tests: str = "") -> Mutant:
    """`if condition:` is never so."""
    return swap(name, f"if {condition}:", f"if False and ({condition}):", removes, equivalent=equivalent, tests=tests)


def skip(name: str, statement: str, removes: str, *, equivalent: str = "", tests: str = "") -> Mutant:
    """A whole statement does nothing."""
    return swap(name, statement, "pass", removes, equivalent=equivalent, tests=tests)
