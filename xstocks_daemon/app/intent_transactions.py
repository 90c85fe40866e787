"""How one round's intents become transactions: which lookup table, which custodians, which wallet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import Instruction

from xstocks_daemon.app.operator_transactions import OperatorTransactions
from xstocks_daemon.chain.addresses import associated_token_address
from xstocks_daemon.chain.lookup_tables import LookupTableSet
from xstocks_daemon.chain.sender import SignedAttempt, sign_attempt, simulate
from xstocks_daemon.chain.transactions import ComputeBudget, budget_for, create_token_account
from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.plan_inputs import LiveIntent, Order
from xstocks_daemon.domain.snapshot import ChainSnapshot
from xstocks_daemon.domain.units import Address

TOKEN_ACCOUNT_UNITS = 100_000
"""Room for creating the receiver's token account; the simulation says what is really needed."""

Batch = tuple[LiveIntent, ...]
"""Intents of one kind that share a transaction."""


class IntentTransactionBuilder:
    """Builds, simulates and signs batches. `table_numbers`: mint -> the place of its lookup table; `custodians`: mint
    -> those whose statements count."""

    def __init__(
        self,
        transactions: OperatorTransactions,
        genesis_hash: Address,
        snapshot: ChainSnapshot,
        book: LookupTableSet,
        orders: Mapping[bytes, Order],
    ) -> None:
        self._transactions = transactions
        self._genesis_hash = genesis_hash
        self._book = book
        self._orders = orders
        numbers = {table.address: number for number, table in enumerate(book.tables)}
        self.table_numbers = {mint: numbers[table.address] for mint, table in book.table_of.items()}
        self.custodians = {
            mint: [entry.custodian for entry in view.asset.entries if entry.custodian in snapshot.custodians]
            for mint, view in snapshot.assets.items()
        }

    async def simulate(self, batch: Batch) -> ComputeBudget:
        """What the batch needs. Raises TransactionFailed (ProgramError) and TransactionTooLarge."""
        transactions, kind = self._transactions, batch[0].intent.kind
        budget = budget_for(kind.name.lower(), len(batch), transactions.price_micro_lamports)
        if kind is IntentKind.DISTRIBUTE:
            budget = replace(budget, limit_units=budget.limit_units + TOKEN_ACCOUNT_UNITS)
        return await simulate(
            transactions.pool,
            transactions.client,
            payer=transactions.operator,
            instructions=self._instructions(batch),
            tables=self._tables(batch),
            budget=budget,
        )

    async def sign(self, batch: Batch, budget: ComputeBudget) -> SignedAttempt:
        """Signed with a new blockhash; nothing is sent."""
        transactions = self._transactions
        return await sign_attempt(
            transactions.pool,
            payer=transactions.operator,
            instructions=self._instructions(batch),
            signers=transactions.signers,
            tables=self._tables(batch),
            budget=budget,
            intents=[live.intent for live in batch],
        )

    def _tables(self, batch: Batch) -> list[AddressLookupTableAccount]:
        return [self._book.table_of[batch[0].intent.mint].account()]

    def _instructions(self, batch: Batch) -> list[Instruction]:
        client, operator = self._transactions.client, self._transactions.operator
        intents = [live.intent for live in batch]
        custodians = {custodian for intent in intents for custodian in self.custodians[intent.mint]}
        match intents[0].kind:
            case IntentKind.MINT:
                return [
                    client.mint(
                        operator=operator, custodians=custodians, intents=intents, genesis_hash=self._genesis_hash
                    )
                ]
            case IntentKind.BURN:
                return [
                    client.burn(
                        operator=operator, custodians=custodians, intents=intents, genesis_hash=self._genesis_hash
                    )
                ]
            case IntentKind.DISTRIBUTE:
                return self._distribution(intents[0])

    def _distribution(self, intent: Intent) -> list[Instruction]:
        wallet = self._orders[intent.order_id].wallet
        send = self._transactions.client.distribute(
            operator=self._transactions.operator, intent=intent, wallet=wallet, genesis_hash=self._genesis_hash
        )
        if intent.destination != associated_token_address(wallet, intent.mint):
            return [send]
        return [create_token_account(self._transactions.operator, wallet, intent.mint), send]
