"""Exactly once: journaled intents become signed attempts, and attempts are settled by proof (design, section 6.3).

commit intent -> fetch blockhash, sign -> commit attempt with signature and full bytes -> send the same bytes until it
lands or can never land -> commit what became of it. Never is an intent signed again while an attempt may execute.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Collection, Iterable, Sequence

from xstocks_daemon import clock
from xstocks_daemon.aio import gather_all
from xstocks_daemon.app.crash import CrashPoint, crash_point
from xstocks_daemon.app.halts import halt_asset
from xstocks_daemon.app.intent_transactions import Batch, IntentTransactionBuilder
from xstocks_daemon.app.logging import get_logger
from xstocks_daemon.app.metrics import Metrics
from xstocks_daemon.app.operator_transactions import OperatorTransactions
from xstocks_daemon.chain.addresses import base58
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
from xstocks_daemon.chain.sender import (
    FirstSent,
    Outcome,
    Resolved,
    Seen,
    SignedAttempt,
    Waiting,
    send_until_resolved,
)
from xstocks_daemon.chain.transactions import ComputeBudget
from xstocks_daemon.domain.batches import MAX_MINTS, intent_batches
from xstocks_daemon.domain.intent import AttemptState, Intent, IntentKind
from xstocks_daemon.domain.plan_inputs import Halt, HaltReason, LiveIntent, Order
from xstocks_daemon.domain.snapshot import ChainSnapshot
from xstocks_daemon.domain.units import Address
from xstocks_daemon.journal import Attempt

log = get_logger("attempts")

WORKERS = 4
"""Batches that are simulated and signed at the same time."""


class Attempts:
    """Sends the intents of one round and settles them: see the module for the order that makes it exactly once."""

    def __init__(
        self,
        transactions: OperatorTransactions,
        resolver: Resolver,
        genesis_hash: Address,
        metrics: Metrics,
        quarantine_secs: float,
    ) -> None:
        self._transactions = transactions
        self._resolver = resolver
        self._genesis_hash = genesis_hash
        self._metrics = metrics
        self._quarantine_ms = int(quarantine_secs * 1_000)
        self._limits: dict[Address, int] = {}
        """The batch size for assets of a batch that failed on chain without saying by which entry: halved each time."""
        self._deferred_orders: dict[bytes, float] = {}
        """Orders that failed, and when (monotonic seconds) they are tried again: a restart tries them at once."""

    # ---- settle -------------------------------------------------------------------------------------------------

    async def settle_live(self) -> AsyncGenerator[tuple[Intent, ...], None]:
        """Send every journaled live attempt once more and settle those whose outcome is known; the rest stays
        live. Gives the intents of each attempt that executed. This is what a restart begins with."""
        records = await self._transactions.journal.live_attempts()
        if not records:
            return
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
        async for landed in self._send_until_resolved(attempts, confirmation_timeout_secs=0):
            yield landed

    async def _send_until_resolved(
        self, attempts: Sequence[SignedAttempt], confirmation_timeout_secs: float
    ) -> AsyncGenerator[tuple[Intent, ...], None]:
        async for event in send_until_resolved(
            self._transactions.pool,
            attempts,
            commitment="finalized",
            confirmation_timeout_secs=confirmation_timeout_secs,
            poll_secs=self._transactions.timing.poll_secs,
        ):
            match event:
                case FirstSent():
                    crash_point(CrashPoint.AFTER_FIRST_SEND)
                case Waiting():
                    crash_point(CrashPoint.WHILE_REBROADCASTING)
                case Resolved():
                    for landed in await gather_all(self._settle(outcome) for outcome in event.outcomes):
                        if landed:
                            yield landed

    async def _settle(self, outcome: Outcome) -> tuple[Intent, ...]:
        """Journal what became of one attempt, if that is proved; gives its intents where it executed."""
        attempt = outcome.attempt
        if isinstance(outcome.said, Seen):
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
                log.info(
                    "landed",
                    signature=attempt.signature_text,
                    kind=attempt.intents[0].kind.name.lower(),
                    entries=len(attempt.intents),
                    slot=resolution.slot,
                )
                return tuple(attempt.intents)
            case Dead():
                await self._record_dead(attempt, resolution)
            case SequenceTaken():
                await self._halt_foreign_execution(attempt, resolution.facts)
            case Unknown():
                log.debug("unresolved", signature=attempt.signature_text, reason=resolution.reason)
        return ()

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
        if len(attempt.intents) == 1:
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

    async def _halt_foreign_execution(self, attempt: SignedAttempt, facts: Iterable[AssetFact]) -> None:
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
            await halt_asset(self._transactions.journal, Halt(fact.mint, HaltReason.UNKNOWN_INTENT_HASH, detail))
            if fact.found_sequence == fact.wanted_sequence + 1:
                never = detail
        if never is None:
            return
        await self._transactions.journal.mark_dead(attempt.signature, {"proof": f"taken by another: {never}"})
        self._count(attempt.intents, AttemptState.DEAD)

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
    ) -> AsyncGenerator[tuple[Intent, ...], None]:
        """Sign, journal, send the intents (PENDING ones, no live attempt) and settle what becomes known in time. Gives
        the intents of each attempt that executed.

        Raises RpcError, and TransactionFailed for what no entry is to blame for (such as a fee payer without funds).
        """
        builder = IntentTransactionBuilder(
            self._transactions, self._genesis_hash, snapshot, book, {one.order_id: one for one in orders}
        )
        gate = asyncio.Semaphore(WORKERS)

        async def prepare(batch: Batch) -> list[SignedAttempt]:
            async with gate:
                passing = await self._passing(builder, batch)
                return [await self._sign(builder, part, budget) for part, budget in passing]

        batches = self._batches(work, builder)
        attempts = [attempt for signed in await gather_all(prepare(batch) for batch in batches) for attempt in signed]
        async for landed in self._send_until_resolved(attempts, self._transactions.timing.confirmation_timeout_secs):
            yield landed

    def _batches(self, work: Collection[LiveIntent], builder: IntentTransactionBuilder) -> list[Batch]:
        """Burns first; distributions each alone; assets of a batch that failed in smaller ones."""
        batches: list[Batch] = []
        for kind in (IntentKind.BURN, IntentKind.DISTRIBUTE, IntentKind.MINT):
            by_limit: dict[int, list[LiveIntent]] = {}
            for live in work:
                if live.intent.kind is kind:
                    limit = 1 if kind is IntentKind.DISTRIBUTE else self._limits.get(live.intent.mint, MAX_MINTS)
                    by_limit.setdefault(limit, []).append(live)
            for limit, items in sorted(by_limit.items()):
                batches += intent_batches(items, _mint_of, builder.table_numbers, builder.custodians, limit)
        # The journal gives an attempt's intents by their ids: an entry's number must mean the same after a restart.
        return [tuple(sorted(batch, key=lambda live: live.id)) for batch in batches]

    async def _passing(self, builder: IntentTransactionBuilder, batch: Batch) -> list[tuple[Batch, ComputeBudget]]:
        """The parts of the batch that a simulation accepts, with what they need. An entry that it does not accept is
        found by its index or by bisecting, and quarantined with its reason."""
        if not batch:
            return []
        try:
            return [(batch, await builder.simulate(batch))]
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
            return await self._passing(builder, batch[:half]) + await self._passing(builder, batch[half:])
        await self._quarantine(batch[blamed], str(failure))
        return await self._passing(builder, batch[:blamed] + batch[blamed + 1 :])

    async def _sign(self, builder: IntentTransactionBuilder, batch: Batch, budget: ComputeBudget) -> SignedAttempt:
        # Before the blockhash is fetched: what one node says of its life is bounded by what all saw earlier.
        expiry = await self._resolver.expiry_of_now()
        attempt = with_minimum_expiry(await builder.sign(batch, budget), expiry)
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


def _mint_of(live: LiveIntent) -> Address:
    return live.intent.mint
