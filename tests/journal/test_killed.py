"""A process killed with SIGKILL before any statement of a write: the write is there as a whole or not at all."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.journal.builders import GENESIS, PROGRAM, dump
from tests.journal.killed import WORK, prepare
from xstocks_daemon.journal import open_journal

ROOT = Path(__file__).parents[2]


def state(path: Path) -> dict[str, Any]:
    """The rows that the work is about."""
    return {name: dump(path)[name] for name in ("assets", "intents", "attempts", "attempt_intents")}


def copies_of(path: Path) -> list[Path]:
    """One for each try, the one that was not killed last."""
    found = [copy for copy in path.parent.glob(f"{path.name}.*") if copy.suffix[1:].isdecimal()]
    return sorted(found, key=lambda copy: int(copy.suffix[1:]))


@pytest.mark.parametrize("name", WORK)
async def test_killed_at_every_statement(tmp_path: Path, name: str) -> None:
    path = tmp_path / "journal.db"
    await prepare(path, name)
    before = state(path)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.journal.killed", str(path), name, cwd=ROOT
    )
    assert await process.wait() == 0
    *killed, finished = copies_of(path)
    assert state(finished) != before
    # The last kill comes right before COMMIT; none of them leaves a part.
    assert len(killed) >= 4
    for copy in killed:
        assert state(copy) == before
    # And the work can be done again on what is left.
    journal = await open_journal(killed[-1], GENESIS, PROGRAM)
    await journal.acquire_lease("daemon", 10_000)
    await WORK[name](journal)
    await journal.close()
    assert state(killed[-1]) != before
