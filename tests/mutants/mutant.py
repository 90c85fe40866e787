"""What a planted bug is, and the short ways to write one down that both languages share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One check less: `source`, which stands exactly once in `file`, becomes `replacement`.

    `removes` ends the sentence "the program (the daemon) no longer ..."; `file` is under the suite's sources and
    `tests` are the names of the test files to begin with, nearest first (see `Suite.test_file`).
    `equivalent` says why no test can tell the difference, where that is so; a mutant with one is expected to survive.
    `hangs` says that the tests wait for ever where the bug is in, so that a time-out counts as killed.
    """

    name: str
    source: str
    replacement: str
    removes: str
    equivalent: str = ""
    file: str = ""
    tests: tuple[str, ...] = ()
    hangs: bool = False

    def applied(self, text: str) -> str:
        """The file with the bug. ValueError where the source text is not in it exactly once."""
        found = text.count(self.source)
        if found != 1:
            raise ValueError(f"{self.name}: {self.file} has {found} times, not once: {self.source!r}")
        return text.replace(self.source, self.replacement)


def swap(
    name: str,
    source: str,
    replacement: str,
    removes: str,
    *,
    equivalent: str = "",
    tests: str = "",
    hangs: bool = False,
) -> Mutant:
    """Other text. `tests` replaces the test files of the group that the mutant is in."""
    return Mutant(name, source, replacement, removes, equivalent, tests=tuple(tests.split()), hangs=hangs)


def gone(name: str, text: str, removes: str, *, equivalent: str = "", tests: str = "") -> Mutant:
    """Text is left away."""
    return swap(name, text, "", removes, equivalent=equivalent, tests=tests)


def of(file: str, tests: str, *mutants: Mutant) -> Iterable[Mutant]:
    """Mutants of one file, with the names of the tests that know it best."""
    return (replace(each, file=file, tests=each.tests or tuple(tests.split())) for each in mutants)
