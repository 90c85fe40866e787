"""A journal on a file of its own, with a clock that the test turns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from tests.journal.builders import GENESIS, PROGRAM
from xstocks_daemon.domain.units import Address
from xstocks_daemon.journal import Journal, open_journal


@dataclass
class Clock:
    """Unix milliseconds."""

    now_ms: int = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now_ms


@dataclass
class Desk:
    """Opens journals on one file and closes them at the end."""

    path: Path
    clock: Clock = field(default_factory=Clock)
    opened: list[Journal] = field(default_factory=list)

    async def open(self, genesis: Address = GENESIS, program: Address = PROGRAM) -> Journal:
        journal = await open_journal(self.path, genesis, program, clock_ms=self.clock)
        self.opened.append(journal)
        return journal


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    one = Desk(tmp_path / "journal.db")
    yield one
    for journal in one.opened:
        await journal.close()


@pytest_asyncio.fixture
async def journal(desk: Desk) -> Journal:
    """Opened, with the lease."""
    one = await desk.open()
    await one.acquire_lease("first", 10_000)
    return one


@pytest.fixture
def clock(desk: Desk) -> Clock:
    return desk.clock
