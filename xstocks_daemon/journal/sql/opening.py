"""What is done once with each database before it is used: its schema, and whose journal it is."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, select

from xstocks_daemon.domain.units import address_text
from xstocks_daemon.journal.port import JournalTooNew, WrongJournal
from xstocks_daemon.journal.sql import schema as t
from xstocks_daemon.journal.sql.database import ONLY_ROW, Database

_MIGRATIONS = Path(__file__).parents[1] / "migrations"


async def prepare(database: Database) -> None:
    """Make the schema the present one, and the database this cluster's and program's where it is nobody's.

    Raises WrongJournal where it is of another cluster or program, JournalTooNew where a newer version wrote it.
    """
    async with database.write() as connection:
        await connection.run_sync(_migrate, database.name)
        row = (await connection.execute(select(t.meta))).one_or_none()
        if row is None:
            await connection.execute(
                insert(t.meta).values(
                    id=ONLY_ROW,
                    genesis_hash=database.genesis_hash,
                    program_id=database.program_id,
                    created_ms=database.now_ms(),
                )
            )
            await connection.execute(insert(t.lease).values(id=ONLY_ROW, holder="", epoch=0, ttl_ms=0, expires_ms=0))
            return
    for name, kept, given in (
        ("genesis_hash", row.genesis_hash, database.genesis_hash),
        ("program_id", row.program_id, database.program_id),
    ):
        if kept != given:
            raise WrongJournal(
                f"{database.name}: its {name} is {address_text(kept)}, but {address_text(given)} is used "
                "here; name this cluster's own journal, or a new file"
            )


def _migrate(connection: Connection, name: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    unknown = set(MigrationContext.configure(connection).get_current_heads()) - known
    if unknown:
        raise JournalTooNew(
            f"{name}: its schema {', '.join(sorted(unknown))} is of a newer version of this "
            "software; use that version, or name another file"
        )
    command.upgrade(config, "head")
