"""Run as a process: does one piece of work on a journal, and kills itself with SIGKILL before its Nth SQL statement.

`python killed.py JOURNAL WORK`: for N = 1, 2, ... forks a child that opens a copy of JOURNAL made for it and dies; ends
with the first N that the work does not reach. Prints nothing; the copies are JOURNAL.1, JOURNAL.2, ...
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path

from sqlalchemy import event

from tests.journal.builders import GENESIS, PROGRAM, attempt, minting
from xstocks_daemon.domain.units import Address
from xstocks_daemon.journal import Journal, open_journal
from xstocks_daemon.journal.sql.journal import SqlJournal

AMOUNTS = (100, 7)
INTENTS = tuple(
    minting(mint=Address(bytes([number]) * 32), amount_raw=amount) for number, amount in enumerate(AMOUNTS, 1)
)
WORK = {
    "record_intents": lambda journal: journal.record_intents(INTENTS),
    "record_attempt": lambda journal: journal.record_attempt(attempt(), [1, 2]),
    "mark_landed": lambda journal: journal.mark_landed(attempt().signature, {"slot": 1}),
    "mark_dead": lambda journal: journal.mark_dead(attempt().signature, {"height": 1}),
}


async def work(path: Path, name: str, deadly: int) -> None:
    journal = await open_journal(path, GENESIS, PROGRAM)
    await journal.acquire_lease("daemon", 10_000)
    counted = 0

    def die(*_: object) -> None:
        nonlocal counted
        counted += 1
        if counted == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    assert isinstance(journal, SqlJournal)
    engine = journal.database.engine.sync_engine
    for moment in ("before_cursor_execute", "commit"):
        event.listen(engine, moment, die)
    await WORK[name](journal)
    event.remove(engine, "commit", die)
    event.remove(engine, "before_cursor_execute", die)
    await journal.close()


async def prepare(path: Path, name: str) -> None:
    """A journal in which `name` is the next piece of work."""
    journal: Journal = await open_journal(path, GENESIS, PROGRAM)
    await journal.acquire_lease("daemon", 10_000)
    for step in ("record_intents", "record_attempt"):
        if step == name:
            break
        await WORK[step](journal)
    await journal.close()


def main(path: Path, name: str) -> None:
    deadly, killed = 0, True
    while killed:
        deadly += 1
        copy = path.with_name(f"{path.name}.{deadly}")
        shutil.copyfile(path, copy)
        child = os.fork()
        if child == 0:
            asyncio.run(work(copy, name, deadly))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        if not killed and status != 0:
            sys.exit(f"{name} failed at {deadly}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
