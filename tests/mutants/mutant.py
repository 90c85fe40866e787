"""What a planted bug is, and the short ways to write one down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = Path("programs") / "xstocks_mint" / "src"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One check less: `source`, which stands exactly once in `file`, becomes `replacement`.

    `removes` ends the sentence "the program no longer ..."; `tests` are the files of tests/program to begin with.
    `equivalent` says why no test can tell the difference, where that is so; a mutant with one is expected to survive.
    """

    name: str
    source: str
    replacement: str
    removes: str
    equivalent: str = ""
    file: str = ""
    tests: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The changed file, from the root of the repository."""
        return SOURCES / self.file

    def applied(self, text: str) -> str:
        """The file with the bug. ValueError where the source text is not in it exactly once."""
        found = text.count(self.source)
        if found != 1:
            raise ValueError(f"{self.name}: {self.path} has {found} times, not once: {self.source!r}")
        return text.replace(self.source, self.replacement)


def off(name: str, condition: str, removes: str, *, equivalent: str = "") -> Mutant:
    """`if condition` is never so."""
    return Mutant(name, f"if {condition} {{", f"if false && ({condition}) {{", removes, equivalent)


def gone(name: str, statement: str, removes: str, *, equivalent: str = "") -> Mutant:
    """A statement is left away."""
    return Mutant(name, statement, "", removes, equivalent)


def swap(name: str, source: str, replacement: str, removes: str, *, equivalent: str = "") -> Mutant:
    """Other text."""
    return Mutant(name, source, replacement, removes, equivalent)


def of(file: str, tests: str, *mutants: Mutant) -> Iterable[Mutant]:
    """Mutants of one file, with the tests that know it best (names without test_ and .py)."""
    return (replace(each, file=file, tests=tuple(tests.split())) for each in mutants)
