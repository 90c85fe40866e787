"""Verified statements to the chain, lower ones first (design, section 6.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from solders.instruction import Instruction

from xstocks_daemon.aio import gather_all
from xstocks_daemon.app.logging import get_logger
from xstocks_daemon.app.metrics import Metrics
from xstocks_daemon.app.operator_transactions import OperatorTransactions
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import ProgramError, TransactionFailed, TransactionTooLarge
from xstocks_daemon.chain.lookup_tables import LookupTableSet
from xstocks_daemon.chain.sender import SignedAttempt, simulate
from xstocks_daemon.chain.transactions import budget_for, quorum_instruction
from xstocks_daemon.domain.decisions import RelayStatement
from xstocks_daemon.domain.statement import SignedStatement
from xstocks_daemon.domain.units import Address

log = get_logger("relay")

SIMULATIONS_AT_ONCE = 4
#: Somebody else brought this statement or a newer one: the chain knows at least as much.
_NOT_NEWER = "StatementNotNewer"


@dataclass(frozen=True, slots=True)
class Relay:
    """Sends statements. `custodians`: address -> id, for the metrics."""

    transactions: OperatorTransactions
    custodians: Mapping[Address, int]
    metrics: Metrics

    async def send(self, relays: Sequence[RelayStatement], book: LookupTableSet) -> frozenset[Address]:
        """Relay all, the lower ones confirmed before the others are sent. Returns the assets of those statements that
        are not known to be on chain: what was decided for them must wait."""
        missing: set[Address] = set()
        for lower in (True, False):
            wave = [relay.signed for relay in relays if relay.lower is lower]
            missing |= await self._wave(wave, book)
        return frozenset(missing)

    async def _wave(self, wave: Sequence[SignedStatement], book: LookupTableSet) -> set[Address]:
        gate = asyncio.Semaphore(SIMULATIONS_AT_ONCE)

        async def one(signed: SignedStatement) -> SignedAttempt | TransactionFailed | TransactionTooLarge:
            async with gate:
                try:
                    return await self._prepare(signed, book)
                except (TransactionFailed, TransactionTooLarge) as error:
                    return error

        prepared = dict(zip(wave, await gather_all(one(signed) for signed in wave), strict=True))
        flying = {signed: attempt for signed, attempt in prepared.items() if isinstance(attempt, SignedAttempt)}
        outcomes = await self.transactions.send("statements", list(flying.values()))
        missing: set[Address] = set()
        for signed, result in prepared.items():
            failure = outcomes.get(result.signature, _UNSEEN) if isinstance(result, SignedAttempt) else result
            if not self._arrived(signed, failure):
                missing.update(entry.mint for entry in signed.statement.entries)
        return missing

    async def _prepare(self, signed: SignedStatement, book: LookupTableSet) -> SignedAttempt:
        statement = signed.statement
        instructions: list[Instruction] = [
            quorum_instruction(statement.digest(), signed.signatures),
            self.transactions.client.submit_attestation(statement),
        ]
        found = {table.address: table for entry in statement.entries if (table := book.table_of.get(entry.mint))}
        tables = [table.account() for table in found.values()]
        budget = await simulate(
            self.transactions.pool,
            self.transactions.client,
            payer=self.transactions.operator,
            instructions=instructions,
            tables=tables,
            budget=budget_for("submit_attestation", len(statement.entries), self.transactions.price_micro_lamports),
        )
        return await self.transactions.sign(instructions, tables, budget)

    def _arrived(self, signed: SignedStatement, failure: Exception | None) -> bool:
        custodian = self.custodians.get(signed.statement.custodian)
        name = failure.name if isinstance(failure, ProgramError) else None
        arrived = failure is None or name == _NOT_NEWER
        if custodian is not None:
            self.metrics.statements.labels(str(custodian), "relayed" if arrived else "refused").inc()
        if not arrived:
            log.warning(
                "statement_not_relayed",
                custodian=base58(signed.statement.custodian),
                assets=len(signed.statement.entries),
                reason=str(failure),
            )
        return arrived


_UNSEEN = TransactionFailed(None, None, "not confirmed in time")
