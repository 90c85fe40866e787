"""Exactly once: journaled intents become signed attempts, and attempts are settled by proof (design, section 6.3).

commit intent -> fetch blockhash, sign -> commit attempt with signature and full bytes -> send the same bytes until it
lands or can never land -> commit what became of it. Never is an intent signed again while an attempt may execute.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import Instruction

from xstocks_daemon import clock
from xstocks_daemon.aio import gather_all
from xstocks_daemon.app.crash import CrashPoint, crash_point
from xstocks_daemon.app.logging import get_logger
from xstocks_daemon.app.metrics import Metrics
from xstocks_daemon.app.operator_transactions import OperatorTransactions
from xstocks_daemon.chain.addresses import associated_token_address, base58
from xstocks_daemon.chain.errors import ProgramError, TransactionFailed, TransactionTooLarge
from xstocks_daemon.chain.lookup_tables import LookupTableSet
from xstocks_daemon.chain.resolver import (
    AssetFact,
    Dead,
    FailedOnChain,
    Landed,
    Resolver,
    SequenceTaken,
    Unknown,
    with_minimum_expiry,
)
from xstocks_daemon.chain.sender import Outcome, Seen, SignedAttempt, send_until_resolved, sign_attempt, simulate
from xstocks_daemon.chain.transactions import ComputeBudget, budget_for, create_token_account
from xstocks_daemon.domain.batches import MAX_MINTS, intent_batches
from xstocks_daemon.domain.intent import AttemptState, Intent, IntentKind
from xstocks_daemon.domain.plan_inputs import Halt, HaltReason, LiveIntent, Order
from xstocks_daemon.domain.snapshot import ChainSnapshot
from xstocks_daemon.domain.units import Address
from xstocks_daemon.journal import Attempt

log = get_logger("attempts")

TOKEN_ACCOUNT_UNITS = 100_000
"""Room for creating the receiver's token account; the simulation says what is really needed."""
WORKERS = 4
"""Batches that are simulated and signed at the same time."""

Batch = tuple[LiveIntent, ...]
"""Intents of one kind that share a transaction."""


class Attempts:
    """Carries intents to the chain. `landed` is called with the intents of every attempt that executed."""

    def __init__(
        self,
        transactions: OperatorTransactions,
        resolver: Resolver,
        genesis_hash: Address,
        metrics: Metrics,
        quarantine_secs: float,
        landed: Callable[[Sequence[Intent]], None],
    ) -> None:
        self._transactions = transactions
        self._resolver = resolver
        self._genesis_hash = genesis_hash
        self._metrics = metrics
        self._quarantine_ms = int(quarantine_secs * 1_000)
        self._landed = landed
        self._limits: dict[Address, int] = {}
        """The batch size for assets of a batch that failed on chain without saying by which entry: halved each time."""
        self._deferred_orders: dict[bytes, float] = {}
        """Orders that failed, and when (monotonic seconds) they are tried again: a restart tries them at once."""

    # ---- settle -------------------------------------------------------------------------------------------------

    async def settle_live(self) -> int:
        """Send every journaled live attempt once more and settle those whose fate is known; the rest stays live.
        Returns how many remain. This is what a restart begins with."""
        records = await self._transactions.journal.live_attempts()
        if not records:
            return 0
        intents = {record.id: record.intent for record in await self._transactions.journal.live_intents()}
        attempts = [
            SignedAttempt(
                signature=record.attempt.signature,
                transaction=record.attempt.wire,
                blockhash=record.attempt.blockhash,
                last_valid_block_height=record.attempt.last_valid_block_height,
                intents=tuple(intents[intent_id] for intent_id in record.intent_ids),
            )
            for record in records
        ]
        return len(attempts) - await self._send_until_resolved(attempts, confirmation_timeout_secs=0)

    async def _send_until_resolved(self, attempts: Sequence[SignedAttempt], confirmation_timeout_secs: float) -> int:
        settled = 0
        async for fates in send_until_resolved(
            self._transactions.pool,
            attempts,
            commitment="finalized",
            confirmation_timeout_secs=confirmation_timeout_secs,
            poll_secs=self._transactions.timing.poll_secs,
            sent=lambda: crash_point(CrashPoint.AFTER_FIRST_SEND),
            waiting=lambda: crash_point(CrashPoint.WHILE_REBROADCASTING),
        ):
            settled += sum(await gather_all(self._settle(fate) for fate in fates))
        return settled

    async def _settle(self, fate: Outcome) -> bool:
        """Journal what became of one attempt, if that is proved."""
        attempt, outcome = fate
        if isinstance(outcome, Seen):
            crash_point(CrashPoint.AFTER_LANDED_SEEN)
        resolution = await self._resolver.resolve(attempt)
        match resolution:
            case Landed():
                crash_point(CrashPoint.BEFORE_LANDED_COMMIT)
                evidence = {"slot": resolution.slot, "by": resolution.by}
                await self._transactions.journal.mark_landed(attempt.signature, evidence)
                crash_point(CrashPoint.AFTER_LANDED_COMMIT)
                self._count(attempt.intents, AttemptState.LANDED)
                for intent in attempt.intents:
                    self._limits.pop(intent.mint, None)
                self._landed(attempt.intents)
                log.info(
                    "landed",
                    signature=attempt.signature_text,
                    kind=attempt.intents[0].kind.name.lower(),
                    entries=len(attempt.intents),
                    slot=resolution.slot,
                )
                return True
            case Dead():
                await self._record_dead(attempt, resolution)
                return True
            case SequenceTaken():
                return await self._halt_foreign_execution(attempt, resolution.facts)
            case Unknown():
                log.debug("unresolved", signature=attempt.signature_text, reason=resolution.reason)
                return False

    async def _record_dead(self, attempt: SignedAttempt, dead: Dead) -> None:
        """The proof is journaled; the intents are free again. After a failure the entry to blame is quarantined."""
        await self._transactions.journal.mark_dead(attempt.signature, {"proof": dead.proof.text()})
        self._count(attempt.intents, AttemptState.DEAD)
        log.warning("dead", signature=attempt.signature_text, proof=dead.proof.text())
        if not isinstance(dead.proof, FailedOnChain):
            return
        endpoint = self._transactions.pool.endpoints[0]
        failure = await self._transactions.failure_of(attempt, Seen(dead.proof.slot, dead.proof.err, endpoint))
        blamed = failure.entry_index if isinstance(failure, ProgramError) else None
        if blamed is None and len(attempt.intents) == 1:
            blamed = 0
        if blamed is not None and blamed < len(attempt.intents):
            mint = attempt.intents[blamed].mint
            live = (await self._transactions.journal.expected(mint)).live
            if live is not None:
                await self._quarantine(live, str(failure))
            return
        # Nobody says which entry it was: the next try goes in halves.
        for intent in attempt.intents:
            self._limits[intent.mint] = max(1, len(attempt.intents) // 2)

    async def _halt_foreign_execution(self, attempt: SignedAttempt, facts: Iterable[AssetFact]) -> bool:
        """Something that is not in this attempt executed its numbers: the assets halt (M12).

        Where the hash of the very number is another one, this attempt did not execute, and as numbers execute once
        (M4) and a transaction is atomic, it never will. Where later numbers hide that, it stays live.
        """
        never = None
        for fact in facts:
            detail = (
                f"sequence {fact.wanted_sequence} executed with last_intent_hash {fact.last_intent_hash.hex()} at "
                f"sequence {fact.found_sequence}, the journal's is {fact.wanted_intent_hash.hex()}"
            )
            await self._transactions.journal.record_halt(Halt(fact.mint, HaltReason.UNKNOWN_INTENT_HASH, detail))
            log.error("halted", mint=base58(fact.mint), reason=HaltReason.UNKNOWN_INTENT_HASH.value, detail=detail)
            if fact.found_sequence == fact.wanted_sequence + 1:
                never = detail
        if never is None:
            return False
        await self._transactions.journal.mark_dead(attempt.signature, {"proof": f"taken by another: {never}"})
        self._count(attempt.intents, AttemptState.DEAD)
        return True

    def _count(self, intents: Sequence[Intent], state: AttemptState) -> None:
        self._metrics.attempts.labels(intents[0].kind.name.lower(), state.value).inc()

    # ---- send ---------------------------------------------------------------------------------------------------

    def without_deferred(self, orders: Iterable[Order]) -> tuple[Order, ...]:
        """The orders without those that failed lately."""
        now = time.monotonic()
        self._deferred_orders = {order_id: until for order_id, until in self._deferred_orders.items() if until > now}
        return tuple(order for order in orders if order.order_id not in self._deferred_orders)

    async def send(
        self, work: Collection[LiveIntent], snapshot: ChainSnapshot, book: LookupTableSet, orders: Iterable[Order]
    ) -> None:
        """Sign, journal, send the intents (PENDING ones, no live attempt) and settle what becomes known in time.

        Raises RpcError, and TransactionFailed for what no entry is to blame for (such as a fee payer without funds).
        """
        carried = IntentTransactionBuilder(
            self._transactions, self._genesis_hash, snapshot, book, {one.order_id: one for one in orders}
        )
        gate = asyncio.Semaphore(WORKERS)

        async def prepare(batch: Batch) -> list[SignedAttempt]:
            async with gate:
                passing = await self._passing(carried, batch)
                return [await self._sign(carried, part, budget) for part, budget in passing]

        batches = self._batches(work, carried)
        attempts = [attempt for signed in await gather_all(prepare(batch) for batch in batches) for attempt in signed]
        await self._send_until_resolved(attempts, self._transactions.timing.confirmation_timeout_secs)

    def _batches(self, work: Collection[LiveIntent], carried: IntentTransactionBuilder) -> list[Batch]:
        """Burns first; distributions each alone; assets of a batch that failed in smaller ones."""
        batches: list[Batch] = []
        for kind in (IntentKind.BURN, IntentKind.DISTRIBUTE, IntentKind.MINT):
            by_limit: dict[int, list[LiveIntent]] = {}
            for live in work:
                if live.intent.kind is kind:
                    limit = 1 if kind is IntentKind.DISTRIBUTE else self._limits.get(live.intent.mint, MAX_MINTS)
                    by_limit.setdefault(limit, []).append(live)
            for limit, items in sorted(by_limit.items()):
                batches += intent_batches(items, _mint_of, carried.table_numbers, carried.custodians, limit)
        # The journal gives an attempt's intents by their ids: an entry's number must mean the same after a restart.
        return [tuple(sorted(batch, key=lambda live: live.id)) for batch in batches]

    async def _passing(self, carried: IntentTransactionBuilder, batch: Batch) -> list[tuple[Batch, ComputeBudget]]:
        """The parts of the batch that a simulation accepts, with what they need. An entry that it does not accept is
        found by its index or by bisecting, and quarantined with its reason."""
        if not batch:
            return []
        try:
            return [(batch, await carried.simulate(batch))]
        except TransactionTooLarge as error:
            failure: Exception = error
            blamed = None
        except TransactionFailed as error:
            if error.instruction_index is None:
                raise
            failure = error
            blamed = error.entry_index if isinstance(error, ProgramError) else None
        if len(batch) == 1:
            blamed = 0
        if blamed is None or blamed >= len(batch):
            half = len(batch) // 2
            return await self._passing(carried, batch[:half]) + await self._passing(carried, batch[half:])
        await self._quarantine(batch[blamed], str(failure))
        return await self._passing(carried, batch[:blamed] + batch[blamed + 1 :])

    async def _sign(self, carried: IntentTransactionBuilder, batch: Batch, budget: ComputeBudget) -> SignedAttempt:
        # Before the blockhash is fetched: what one node says of its life is bounded by what all saw earlier.
        expiry = await self._resolver.expiry_of_now()
        attempt = with_minimum_expiry(await carried.sign(batch, budget), expiry)
        crash_point(CrashPoint.BEFORE_ATTEMPT_COMMIT)
        await self._transactions.journal.record_attempt(
            Attempt(attempt.signature, attempt.transaction, attempt.blockhash, attempt.last_valid_block_height),
            [live.id for live in batch],
        )
        crash_point(CrashPoint.AFTER_ATTEMPT_COMMIT)
        self._count(attempt.intents, AttemptState.LIVE)
        return attempt

    async def _quarantine(self, live: LiveIntent, reason: str) -> None:
        """The asset is left alone for a while; of a distribution only its order: that its receiver refuses (frozen, or
        wants memos) keeps nobody else waiting."""
        if live.intent.kind is IntentKind.DISTRIBUTE:
            self._deferred_orders[live.intent.order_id] = time.monotonic() + self._quarantine_ms / 1_000
        else:
            until_ms = clock.now_ms() + self._quarantine_ms
            await self._transactions.journal.quarantine(live.intent.mint, reason, until_ms)
        await self._transactions.journal.drop_intent(live.id, reason)
        log.warning("quarantined", mint=base58(live.intent.mint), kind=live.intent.kind.name.lower(), reason=reason)


class IntentTransactionBuilder:
    """How one round's intents become transactions: which table, which custodians, which wallet."""

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


def _mint_of(live: LiveIntent) -> Address:
    return live.intent.mint
