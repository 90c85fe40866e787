"""The operator's lookup tables, made and extended as assets come (design, section 6.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from solders.instruction import Instruction

from xstocks_daemon.app.logging import get_logger
from xstocks_daemon.app.operator_transactions import OperatorTransactions
from xstocks_daemon.chain.errors import ChainError, RpcRefused
from xstocks_daemon.chain.lookup_tables import LookupTableSet, ensure_lookup_tables
from xstocks_daemon.chain.rpc import RpcEndpoint
from xstocks_daemon.domain.snapshot import ChainSnapshot
from xstocks_daemon.domain.units import Address
from xstocks_daemon.journal import LookupTableRecord

log = get_logger("lookup")


class TablesBehind(ChainError):
    """A node does not show yet what was put into the lookup tables; it will."""


class LookupTableManager:
    """Which table serves which asset; asks the chain only when assets or custodians have come."""

    def __init__(self, transactions: OperatorTransactions) -> None:
        self._transactions = transactions
        self._book = LookupTableSet((), {})
        self._served: tuple[frozenset[Address], frozenset[Address]] | None = None

    async def ensure(self, snapshot: ChainSnapshot) -> LookupTableSet:
        """LookupTableManager for all assets and custodians of the snapshot, usable now. Raises TablesBehind."""
        wanted = frozenset(snapshot.assets), frozenset(snapshot.custodians)
        if wanted == self._served:
            return self._book
        book = await self._transactions.pool.first(lambda endpoint: self._ensure(endpoint, snapshot))
        if missing := len(wanted[0] - book.table_of.keys()):
            # The node that was asked is behind the one that confirmed the change.
            raise TablesBehind(f"the lookup tables do not show {missing} of their assets yet")
        self._book = book
        for table in self._book.tables:
            assets = tuple(mint for mint, serving in sorted(self._book.table_of.items()) if serving is table)
            await self._transactions.journal.record_lookup_table(LookupTableRecord(table.address, assets, ready=True))
        await self._usable()
        self._served = wanted
        log.info("lookup_tables", tables=len(self._book.tables), assets=len(self._book.table_of))
        return self._book

    async def _ensure(self, endpoint: RpcEndpoint, snapshot: ChainSnapshot) -> LookupTableSet:
        async def send(instructions: Sequence[Instruction]) -> None:
            await self._transactions.send_one("lookup_table", instructions)

        async def ensure(known: Sequence[Address] | None) -> LookupTableSet:
            return await ensure_lookup_tables(
                endpoint,
                self._transactions.client,
                sorted(snapshot.assets),
                custodians=snapshot.custodians,
                authority=self._transactions.operator,
                payer=self._transactions.operator,
                send=send,
                known=known,
            )

        try:
            return await ensure(None)
        except RpcRefused:
            # Some providers refuse the search by authority: the journal remembers.
            return await ensure([table.address for table in await self._transactions.journal.lookup_tables()])

    async def _usable(self) -> None:
        """A table's addresses count in slots after the one that added them."""
        last_slot = max((table.last_extended_slot for table in self._book.tables), default=0)
        while await self._transactions.pool.first(lambda endpoint: endpoint.slot("confirmed")) <= last_slot:  # noqa: ASYNC110
            await asyncio.sleep(self._transactions.timing.poll_secs)
