"""The lookup tables that the operator has made, and which assets each serves."""

from __future__ import annotations

from sqlalchemy import delete, insert, or_, select, update

from xstocks_daemon.domain.units import Address
from xstocks_daemon.journal.port import LookupTableRecord, LookupTableStore
from xstocks_daemon.journal.sql import schema as t
from xstocks_daemon.journal.sql.database import SqlStore, uncancelled


class SqlLookupTables(SqlStore, LookupTableStore):
    """The tables `lookup_tables` and `lookup_table_assets`: an asset belongs to one lookup table."""

    @uncancelled
    async def record_lookup_table(self, table: LookupTableRecord) -> None:
        async with self.database.work() as connection:
            changed = await connection.execute(
                update(t.lookup_tables).where(t.lookup_tables.c.address == table.address).values(ready=table.ready)
            )
            if changed.rowcount == 0:
                await connection.execute(insert(t.lookup_tables).values(address=table.address, ready=table.ready))
            assigned = t.lookup_table_assets.c
            await connection.execute(
                delete(t.lookup_table_assets).where(
                    or_(assigned.address == table.address, assigned.mint.in_(table.assets))
                )
            )
            if table.assets:
                await connection.execute(
                    insert(t.lookup_table_assets),
                    [
                        {"mint": mint, "address": table.address, "position": position}
                        for position, mint in enumerate(table.assets)
                    ],
                )

    async def lookup_tables(self) -> tuple[LookupTableRecord, ...]:
        async with self.database.read() as connection:
            rows = (await connection.execute(select(t.lookup_tables).order_by(t.lookup_tables.c.id))).all()
            assigned: dict[Address, list[Address]] = {}
            query = select(t.lookup_table_assets).order_by(t.lookup_table_assets.c.position)
            for row in await connection.execute(query):
                assigned.setdefault(row.address, []).append(row.mint)
        return tuple(LookupTableRecord(row.address, tuple(assigned.get(row.address, ())), row.ready) for row in rows)
