"""The journal over SQL: every subject's store on one database."""

from __future__ import annotations

from xstocks_daemon.journal.port import Journal
from xstocks_daemon.journal.sql.attempts import SqlAttempts
from xstocks_daemon.journal.sql.audit_log import SqlAuditLog
from xstocks_daemon.journal.sql.evidence import SqlEvidence
from xstocks_daemon.journal.sql.halts import SqlHalts
from xstocks_daemon.journal.sql.intents import SqlIntents
from xstocks_daemon.journal.sql.lease import SqlLease
from xstocks_daemon.journal.sql.lookup_tables import SqlLookupTables
from xstocks_daemon.journal.sql.orders import SqlOrders
from xstocks_daemon.journal.sql.supply import SqlSupply
from xstocks_daemon.journal.sql.view import SqlView


class SqlJournal(
    SqlLease,
    SqlView,
    SqlIntents,
    SqlAttempts,
    SqlEvidence,
    SqlHalts,
    SqlSupply,
    SqlOrders,
    SqlLookupTables,
    SqlAuditLog,
    Journal,
):
    """The stores together; none uses another's methods."""

    async def close(self) -> None:
        await self.database.close()
