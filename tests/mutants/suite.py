"""A catalogue of planted bugs with all that it takes to try them: one of the program, one of the daemon."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.mutant import Mutant
from tests.mutants.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Room:
    """A part of the catalogue: its heading in the page ("" for none), and how many bugs it must not fall below."""

    title: str
    mutants: tuple[Mutant, ...]
    at_least: int


@dataclass(frozen=True, slots=True)
class Suite:
    """`subject` no longer does what a mutant removes. `sources` and `tests` are folders, `docs` is the page, all from
    the repository's root; `head` begins the page; `workshop` makes a place to try the bugs in an empty folder."""

    subject: str
    sources: Path
    tests: Path
    docs: Path
    head: str
    rooms: tuple[Room, ...]
    at_least: int
    workshop: Callable[[Path], Workshop]

    @property
    def mutants(self) -> tuple[Mutant, ...]:
        """All, in the order of the page."""
        return tuple(mutant for room in self.rooms for mutant in room.mutants)

    def test_file(self, name: str) -> Path:
        """The test file that `Mutant.tests` calls so: "domain/units" is <tests>/domain/test_units.py."""
        return named_test(self.tests, name)

    def ambiguous(self) -> list[str]:
        """Names that more than one bug has."""
        return [name for name, count in Counter(each.name for each in self.mutants).items() if count > 1]


def named_test(folder: Path, name: str) -> Path:
    """ "domain/units" of the folder tests is tests/domain/test_units.py."""
    path = folder / name
    return path.with_name(f"test_{path.name}.py")
