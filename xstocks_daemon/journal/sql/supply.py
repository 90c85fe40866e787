"""What explains an asset's supply beside its intents (M12): holders' burns, and what people vouch for."""

from __future__ import annotations

from sqlalchemy import delete, insert, update

from xstocks_daemon.domain.plan_inputs import Totals
from xstocks_daemon.domain.units import Address, address_text
from xstocks_daemon.journal.port import JournalConflict, SupplyStore
from xstocks_daemon.journal.sql import schema as t
from xstocks_daemon.journal.sql.audit_log import log_event
from xstocks_daemon.journal.sql.database import SqlStore, uncancelled
from xstocks_daemon.journal.sql.rows import columns_of, person_name
from xstocks_daemon.journal.sql.view import know_assets, read_view


class SqlSupply(SqlStore, SupplyStore):
    """Holders' burns, acknowledgements, approvals and baselines."""

    @uncancelled
    async def record_holder_burn(self, mint: Address, holder_burnt_raw: int) -> None:
        async with self.database.work() as connection:
            await know_assets(connection, [mint])
            recorded = await connection.execute(
                update(t.assets)
                .where(t.assets.c.mint == mint, t.assets.c.holder_burnt_raw <= holder_burnt_raw)
                .values(holder_burnt_raw=holder_burnt_raw)
            )
            if recorded.rowcount != 1:
                raise JournalConflict(
                    f"{self.database.name}: holder_burnt_raw {holder_burnt_raw} of {address_text(mint)} "
                    "is below what is recorded"
                )
            await log_event(
                connection, self.database.now_ms(), "holder_burn", mint, {"holder_burnt_raw": str(holder_burnt_raw)}
            )

    @uncancelled
    async def acknowledge_holder_burn(self, mint: Address, up_to_raw: int, person: str) -> int:
        name = person_name(person)
        async with self.database.write() as connection:
            recorded = (await read_view(connection, self.database.now_ms(), mint)).of(mint).holder_burnt_raw
            if up_to_raw > recorded:
                raise JournalConflict(
                    f"{self.database.name}: {up_to_raw} given, holders have burnt {recorded} of {address_text(mint)}"
                )
            mine = t.acknowledgements.c.mint == mint, t.acknowledgements.c.person == name
            await connection.execute(delete(t.acknowledgements).where(*mine))
            await connection.execute(
                insert(t.acknowledgements).values(
                    mint=mint, person=name, up_to_raw=up_to_raw, at_ms=self.database.now_ms()
                )
            )
            detail = {"up_to_raw": str(up_to_raw), "person": name}
            await log_event(connection, self.database.now_ms(), "holder_burn_acknowledged", mint, detail)
            return (await read_view(connection, self.database.now_ms(), mint)).of(mint).acknowledged_raw

    @uncancelled
    async def approve_burn(self, mint: Address, up_to_raw: int, person: str) -> None:
        name = person_name(person)
        async with self.database.write() as connection:
            await connection.execute(delete(t.burn_approvals).where(t.burn_approvals.c.mint == mint))
            await connection.execute(
                insert(t.burn_approvals).values(
                    mint=mint, up_to_raw=up_to_raw, person=name, at_ms=self.database.now_ms()
                )
            )
            await log_event(
                connection, self.database.now_ms(), "burn_approved", mint, {"up_to_raw": str(up_to_raw), "person": name}
            )

    @uncancelled
    async def adopt_baseline(
        self, mint: Address, totals: Totals, holder_burnt_raw: int, people: tuple[str, str]
    ) -> None:
        first, second = (person_name(person) for person in people)
        if first == second:
            raise JournalConflict(f"{self.database.name}: two different people must adopt a baseline")
        async with self.database.write() as connection:
            live = (await read_view(connection, self.database.now_ms(), mint)).of(mint).live
            if live is not None:
                raise JournalConflict(
                    f"{self.database.name}: intent {live.id} of {address_text(mint)} is {live.state.value}"
                )
            await know_assets(connection, [mint])
            await connection.execute(
                update(t.assets)
                .where(t.assets.c.mint == mint)
                .values(holder_burnt_raw=holder_burnt_raw, **columns_of(totals))
            )
            detail = {name: str(value) for name, value in columns_of(totals).items()}
            detail |= {"holder_burnt_raw": str(holder_burnt_raw), "people": f"{first}, {second}"}
            await log_event(connection, self.database.now_ms(), "baseline_adopted", mint, detail)
