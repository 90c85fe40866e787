"""Whose journal it is, and what it is made of."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.dialects import sqlite

from tests.journal.builders import GENESIS, MINT, OTHER, PROGRAM, dump, minting, signed_statement
from tests.journal.conftest import Desk
from xstocks_daemon.domain.units import U64_MAX, Address, UnitError
from xstocks_daemon.journal import Journal, JournalError, JournalTooNew, WrongJournal, open_journal
from xstocks_daemon.journal.sql import schema
from xstocks_daemon.journal.sql.journal import SqlJournal


async def test_what_was_written_is_there_after_reopening(desk: Desk, journal: Journal) -> None:
    await journal.record_intents([minting()])
    await journal.close()
    again = await desk.open()
    assert (await again.view()).of(MINT).live is not None


@pytest.mark.parametrize(
    ("genesis", "program", "name"), [(OTHER, PROGRAM, "genesis_hash"), (GENESIS, OTHER, "program_id")]
)
async def test_a_journal_of_another_cluster_or_program_is_refused(
    desk: Desk, journal: Journal, genesis: Address, program: Address, name: str
) -> None:
    before = dump(desk.path)
    with pytest.raises(WrongJournal, match=f"its {name} is .* name this cluster's own journal"):
        await desk.open(genesis, program)
    assert dump(desk.path) == before
    await desk.open()


async def test_a_journal_of_a_newer_version_is_refused_by_name(desk: Desk, journal: Journal) -> None:
    await journal.close()
    with closing(sqlite3.connect(desk.path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    before = dump(desk.path)
    with pytest.raises(JournalTooNew, match="schema 9999 is of a newer version"):
        await desk.open()
    assert dump(desk.path) == before


async def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database, " * 100)
    with pytest.raises(JournalError, match=r"notes.txt: file is not a database; name a journal"):
        await open_journal(text, GENESIS, PROGRAM)
    assert text.read_text() == "not a database, " * 100
    with pytest.raises(JournalError, match="Is a directory; name a file"):
        await open_journal(tmp_path, GENESIS, PROGRAM)


async def test_only_its_owner_reads_it(desk: Desk, journal: Journal) -> None:
    """It holds signed transactions that anybody could send."""
    assert stat.S_IMODE(desk.path.stat().st_mode) == 0o600
    for beside in desk.path.parent.glob("journal.db-*"):
        assert stat.S_IMODE(beside.stat().st_mode) == 0o600


async def test_it_survives_a_power_cut_as_far_as_sqlite_can(desk: Desk, journal: Journal) -> None:
    assert isinstance(journal, SqlJournal)
    async with journal.database.engine.connect() as connection:
        found = {
            name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


async def test_the_migrations_make_the_tables_that_the_code_knows(desk: Desk, journal: Journal) -> None:
    def differences() -> list[object]:
        engine = create_engine(f"sqlite:///{desk.path}")
        with engine.connect() as connection:
            found: list[object] = compare_metadata(MigrationContext.configure(connection), schema.metadata)
        engine.dispose()
        return found

    assert await asyncio.to_thread(differences) == []


async def test_two_processes_may_make_it_at_once(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    both = await asyncio.gather(*(open_journal(path, GENESIS, PROGRAM) for _ in range(2)))
    assert len(dump(path)["meta"]) == 1
    for journal in both:
        await journal.close()


async def test_a_journal_of_the_first_schema_keeps_what_counts_under_the_new_names(
    desk: Desk, journal: Journal
) -> None:
    """Statements counted millionths under a digest that no program takes any more: they are said again."""
    await journal.record_statements([signed_statement({MINT: 5}, 1_000)])
    await journal.quarantine(MINT, "simulation", 2**60)
    await journal.close()
    with closing(sqlite3.connect(desk.path)) as connection:  # back to what v0001 made
        connection.executescript(
            "ALTER TABLE statement_entries RENAME COLUMN shares_nano TO shares_micro;"
            "ALTER TABLE statement_entries RENAME TO statement_lines;"
            "ALTER TABLE quarantines RENAME TO set_asides;"
            "UPDATE events SET kind = 'set_aside' WHERE kind = 'quarantined';"
            "UPDATE alembic_version SET version_num = '0001';"
        )
    again = await desk.open()
    assert dict(await again.evidence()) == {}
    quarantine = (await again.view()).of(MINT).quarantine
    assert quarantine is not None
    assert quarantine.reason == "simulation"
    assert [one.kind for one in await again.events()] == ["quarantined", "lease_acquired"]


def test_numbers_are_written_so_that_they_sort_and_what_no_u64_holds_is_refused() -> None:
    column, dialect = schema.U64(), sqlite.dialect()
    written = [column.process_bind_param(number, dialect) for number in (0, 9, 10, U64_MAX)]
    assert written == sorted(each for each in written if each is not None)
    assert [column.process_result_value(each, dialect) for each in written] == [0, 9, 10, U64_MAX]
    for number in (-1, U64_MAX + 1):
        with pytest.raises(UnitError, match="journal number"):
            column.process_bind_param(number, dialect)
