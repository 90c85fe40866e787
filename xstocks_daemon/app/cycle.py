"""One cycle (design, section 6.2): settle what is under way, look, ask custody, plan, journal, relay, mint or burn."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from xstocks_daemon.app.crash import CrashPoint, crash_point
from xstocks_daemon.app.custody import CustodyReader, CustodyRound, with_verified
from xstocks_daemon.app.halts import halt_asset
from xstocks_daemon.app.live_operator import LiveOperator
from xstocks_daemon.app.logging import get_logger
from xstocks_daemon.app.metrics import Metrics
from xstocks_daemon.app.runtime import Runtime
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import ChainDisagreement
from xstocks_daemon.chain.lookup_tables import MAX_ASSETS_PER_TABLE, LookupTableSet
from xstocks_daemon.domain.decisions import Plan, Reason, RelayStatement
from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.plan import plan, unexplained
from xstocks_daemon.domain.plan_inputs import CustodyView, Halt, HaltReason, JournalView, LiveIntent
from xstocks_daemon.domain.relays import after_relays, entries_by_asset, plan_relays
from xstocks_daemon.domain.snapshot import ChainSnapshot, Participant, backing_raw
from xstocks_daemon.domain.units import Address

log = get_logger("cycle")

MINTS_REFRESH_SECS = 60.0
"""How often the list of registered assets is read again where all are looked after."""

Progress = Callable[[int, int], None]
"""Called with the number of assets on target and that of all, whenever one of them changes."""


def no_progress(_on_target: int, _total: int) -> None:
    """A Progress that ignores the numbers: for runs that nobody watches."""


@dataclass(frozen=True, slots=True)
class CycleReport:
    """What a cycle decided and what of it is done. `under_way` counts attempts whose outcome is not known yet."""

    plan: Plan
    landed: tuple[Intent, ...]
    under_way: int

    @property
    def on_target(self) -> int:
        """Assets whose supply was at its target when the plan was made."""
        return sum(one.on_target for one in self.plan.assets)

    @property
    def settled(self) -> bool:
        """Every asset on target, nothing to do and nothing under way."""
        return self.on_target == len(self.plan.assets) and not self.under_way


class Cycle:
    """Runs cycles over one runtime. Without a signer, or not live, it decides and neither writes nor sends."""

    def __init__(self, runtime: Runtime, metrics: Metrics, progress: Progress = no_progress) -> None:
        self._runtime = runtime
        self._metrics = metrics
        self._progress = progress
        self._custody = CustodyReader(runtime.source, runtime.custodians, runtime.settings.policy, metrics)
        self._policy = runtime.settings.policy.plan_policy()
        self._remembers = False
        self._mints: tuple[Address, ...] = ()
        self._mints_read_at: float | None = None
        self._on_target = self._total = 0
        self._operator = LiveOperator(runtime, metrics) if runtime.live else None

    async def run(self) -> CycleReport:
        """One cycle. Raises RpcError, ChainError, JournalError, SigningError; whatever was begun is in the journal and
        goes on in the next cycle."""
        with self._metrics.cycle_seconds.time():
            return await (self._live(self._operator) if self._operator is not None else self._dry())

    async def ask(self) -> CustodyRound:
        """Only ask the custodians and verify; nothing is written or sent."""
        snapshot = await self._snapshot(await self._runtime.journal.view())
        return await self._ask(snapshot, _numbers_without_tables(snapshot))

    async def relay_once(self) -> tuple[CustodyRound, int]:
        """Ask, keep, and relay the statements that are useful; gives the round and how many are on chain now.
        ValueError where this is not live. Needs the lease."""
        if self._operator is None:
            raise ValueError("relaying needs a live runtime")
        snapshot = await self._snapshot(await self._runtime.journal.view())
        book = await self._operator.tables.ensure(snapshot)
        answers = await self._ask(snapshot, _numbers(book))
        relays, _ = plan_relays(snapshot, await self._keep(answers), self._policy)
        missing = await self._operator.relay.send(relays, book)
        return answers, sum(not missing.intersection(_mints_of(relay)) for relay in relays)

    async def _dry(self) -> CycleReport:
        snapshot = await self._snapshot(await self._runtime.journal.view())
        answers = await self._ask(snapshot, _numbers_without_tables(snapshot))
        evidence = with_verified(await self._runtime.journal.evidence(), answers.verified)
        custody = CustodyView(evidence, answers.ripcords, answers.failures)
        decided = plan(snapshot, custody, self._policy, await self._runtime.journal.view())
        self._observe(snapshot, decided)
        return CycleReport(decided, (), 0)

    async def _live(self, operator: LiveOperator) -> CycleReport:
        settled = await self._landed(operator.attempts.settle_live())
        snapshot = await self._snapshot(await self._runtime.journal.view())
        operator.check_role(snapshot)
        book = await operator.tables.ensure(snapshot)
        custody = await self._keep(await self._ask(snapshot, _numbers(book)))
        journal = await self._runtime.journal.view()
        journal = replace(journal, orders=operator.attempts.without_deferred(journal.orders))
        decided = plan(snapshot, custody, self._policy, journal)
        self._observe(snapshot, decided)
        work = await self._journal(decided)
        missing = await operator.relay.send(decided.relays, book)
        ready = [live for live in work if live.intent.mint not in missing]
        carried_out = await self._landed(operator.attempts.send(ready, snapshot, book, journal.orders))
        await self._assert_rules(snapshot, decided, settled, carried_out)
        under_way = len(await self._runtime.journal.live_attempts())
        return CycleReport(decided, (*settled, *carried_out), under_way)

    # ---- look ---------------------------------------------------------------------------------------------------

    async def _snapshot(self, journal: JournalView) -> ChainSnapshot:
        """The finalized chain (M10). Assets that the endpoints show differently are halted and left out, until a person
        has cleared them."""
        apart = {
            mint
            for mint, known in journal.assets.items()
            if known.halt is not None and known.halt.reason is HaltReason.ENDPOINTS_DIFFER
        }
        mints = [mint for mint in await self._wanted() if mint not in apart]
        custodians = sorted(self._runtime.custodians)
        try:
            snapshot = await self._runtime.reader.snapshot(mints, custodians)
        except ChainDisagreement as error:
            differing = {
                mint for mint in mints if base58(self._runtime.client.addresses.asset(mint)) in error.addresses
            }
            if not differing or self._operator is None:
                raise
            for mint in sorted(differing):
                await halt_asset(self._runtime.journal, Halt(mint, HaltReason.ENDPOINTS_DIFFER, str(error)))
            snapshot = await self._runtime.reader.snapshot(
                [mint for mint in mints if mint not in differing], custodians
            )
        return replace(snapshot, participants=await self._participants(journal))

    async def _wanted(self) -> tuple[Address, ...]:
        now = time.monotonic()
        if self._mints_read_at is None or now - self._mints_read_at > MINTS_REFRESH_SECS:
            self._mints = await self._runtime.mints()
            self._mints_read_at = now
        return self._mints

    async def _participants(self, journal: JournalView) -> dict[Address, Participant]:
        """The participants that open orders name, by wallet."""
        client, wallets = self._runtime.client, sorted({order.wallet for order in journal.orders})
        groups = [(client.addresses.participant(wallet),) for wallet in wallets]
        reads = await self._runtime.reader.read_groups(groups) if groups else []
        return {
            wallet: client.participant(address, account.data, account.owner)
            for wallet, (address,), read in zip(wallets, groups, reads, strict=True)
            if (account := read[0].accounts[0]) is not None
        }

    async def _ask(self, snapshot: ChainSnapshot, numbers: Mapping[Address, int]) -> CustodyRound:
        if not self._remembers:
            self._custody.remember(await self._runtime.journal.evidence())
            self._remembers = True
        return await self._custody.read(snapshot, numbers)

    # ---- journal ------------------------------------------------------------------------------------------------

    async def _keep(self, answers: CustodyRound) -> CustodyView:
        """Statements are evidence: kept before anything is decided on them."""
        journal = self._runtime.journal
        for one in await journal.record_statements(answers.verified):
            detail = f"custodian {base58(one.custodian)} signed two entries of {one.observed_ms} ms"
            await halt_asset(journal, Halt(one.mint, HaltReason.EQUIVOCATION, detail))
        for halt in answers.equivocations:
            await halt_asset(journal, halt)
        return CustodyView(await journal.evidence(), answers.ripcords, answers.failures)

    async def _journal(self, decided: Plan) -> list[LiveIntent]:
        """Commit the plan; returns the intents to send."""
        journal = self._runtime.journal
        for halt in decided.halts:
            await halt_asset(journal, halt)
        for alert in decided.alerts:
            await journal.record_holder_burn(alert.mint, alert.holder_burnt_raw)
            self._metrics.holder_burns.inc()
            log.warning(
                "holder_burn",
                mint=base58(alert.mint),
                recorded_raw=alert.recorded_raw,
                holder_burnt_raw=alert.holder_burnt_raw,
            )
        for drop in decided.drops:
            await journal.drop_intent(drop.live.id, drop.reason.value)
        if not decided.intents:
            return list(decided.resends)
        crash_point(CrashPoint.BEFORE_INTENT_COMMIT)
        recorded = await journal.record_intents(decided.intents)
        crash_point(CrashPoint.AFTER_INTENT_COMMIT)
        return [*decided.resends, *recorded]

    # ---- after --------------------------------------------------------------------------------------------------

    async def _assert_rules(
        self, before: ChainSnapshot, decided: Plan, settled: Sequence[Intent], carried_out: Sequence[Intent]
    ) -> None:
        """M12 on what the chain says now of every asset that something was done with, and M1 where this very plan was
        carried out: what an earlier cycle minted was minted on what `before` need not show any more."""
        touched = sorted({intent.mint for intent in (*settled, *carried_out)})
        if not touched:
            return
        crash_point(CrashPoint.BEFORE_FINAL_CHECK)
        after = await self._runtime.reader.snapshot(touched, sorted(self._runtime.custodians))
        journal = await self._runtime.journal.view()
        relayed = entries_by_asset(decided.relays)
        minted = {intent.mint for intent in carried_out if intent.kind is IntentKind.MINT}
        for mint, view in after.assets.items():
            halt = unexplained(view, journal.of(mint))
            if halt is None and mint in minted and mint in before.assets:
                # A statement that came since may say less: only the entries that were minted on are judged, all of
                # them as fresh as they were then.
                planned = after_relays(before.assets[mint], relayed.get(mint, ()))
                backed_raw = backing_raw(planned, before.custodians, before.now_ts)
                if view.mint.supply_raw > max(0, backed_raw) and view.asset.entries == planned.asset.entries:
                    numbers = f"supply {view.mint.supply_raw}, backed {backed_raw}"
                    halt = Halt(mint, HaltReason.SUPPLY_ABOVE_CEILING, numbers)
            if halt is not None:
                await halt_asset(self._runtime.journal, halt)

    def _observe(self, snapshot: ChainSnapshot, decided: Plan) -> None:
        self._total = len(decided.assets)
        self._on_target = sum(one.on_target for one in decided.assets)
        metrics = self._metrics
        metrics.finalized_slot.set(snapshot.slot)
        metrics.assets.set(self._total)
        metrics.assets_on_target.set(self._on_target)
        metrics.assets_halted.set(sum(one.reason in (Reason.HALTED, Reason.UNEXPLAINED) for one in decided.assets))
        metrics.shortfalls.set(sum(one.shortfall_raw > 0 for one in decided.assets))
        self._progress(self._on_target, self._total)
        if not decided.idle:
            log.info(
                "planned",
                slot=decided.slot,
                on_target=self._on_target,
                assets=self._total,
                relays=len(decided.relays),
                mints=len(decided.mints),
                burns=len(decided.burns),
                distributions=len(decided.distributions),
                resends=len(decided.resends),
                drops=len(decided.drops),
                halts=len(decided.halts),
            )

    async def _landed(self, landings: AsyncIterator[Sequence[Intent]]) -> list[Intent]:
        """All that landed, shown as it does: each brings its asset to its target, as far as one can say before the next
        plan."""
        landed: list[Intent] = []
        async for intents in landings:
            landed += intents
            self._on_target = min(self._total, self._on_target + len(intents))
            self._progress(self._on_target, self._total)
        return landed


def _numbers(book: LookupTableSet) -> dict[Address, int]:
    """Per mint the number of its lookup table, by the tables' order in the set."""
    numbers = {table.address: number for number, table in enumerate(book.tables)}
    return {mint: numbers[table.address] for mint, table in book.table_of.items()}


def _numbers_without_tables(snapshot: ChainSnapshot) -> dict[Address, int]:
    """As tables would be filled, for a dry run that makes none."""
    return {mint: index // MAX_ASSETS_PER_TABLE for index, mint in enumerate(sorted(snapshot.assets))}


def _mints_of(relay: RelayStatement) -> set[Address]:
    return {entry.mint for entry in relay.signed.statement.entries}
