"""Which instructions a test saw accepted and refused: the promises of the list of tests for a validator are checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from solders.instruction import Instruction

from xstocks_daemon.chain.program.idl import discriminator

_DISCRIMINATOR_BYTES = 8


@dataclass(slots=True)
class Outcomes:
    """The instructions that were accepted and refused since the test began, by their discriminators."""

    _accepted: set[bytes] = field(default_factory=set)
    _refused: set[bytes] = field(default_factory=set)

    def begin(self) -> None:
        """Start counting for another test."""
        self._accepted.clear()
        self._refused.clear()

    def accept(self, instructions: Iterable[Instruction]) -> None:
        """All of them passed."""
        self._accepted |= {bytes(each.data)[:_DISCRIMINATOR_BYTES] for each in instructions}

    def refuse(self, instruction: Instruction) -> None:
        """A program refused it."""
        self._refused.add(bytes(instruction.data)[:_DISCRIMINATOR_BYTES])

    def shows_both(self, name: str) -> bool:
        """Whether this instruction of the program was accepted and refused."""
        wanted = discriminator("global", name)
        return wanted in self._accepted and wanted in self._refused


OUTCOMES = Outcomes()
"""Of the test that runs."""
