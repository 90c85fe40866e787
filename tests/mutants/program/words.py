"""Short ways to write down a bug in Rust."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, swap


def off(name: str, condition: str, removes: str, *, equivalent: str = "") -> Mutant:
    """`if condition` is never so."""
    return swap(name, f"if {condition} {{", f"if false && ({condition}) {{", removes, equivalent=equivalent)
