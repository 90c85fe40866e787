"""One round of asking the custodians: what they say, verified, kept as evidence (design, sections 6.2 and 6.5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from xstocks_daemon import clock
from xstocks_daemon.app.logging import get_logger
from xstocks_daemon.app.metrics import Metrics
from xstocks_daemon.app.settings import PolicySettings
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.custody.source import CustodyReading, StatementSource
from xstocks_daemon.custody.verify import (
    Rejection,
    RejectionReason,
    SeenStatements,
    VerifyLimits,
    pending_change_ts,
    verify_statement,
)
from xstocks_daemon.domain.batches import statement_groups
from xstocks_daemon.domain.plan_inputs import CustodianEvidence, Evidence, Halt, HaltReason
from xstocks_daemon.domain.snapshot import ChainSnapshot, chain_entry
from xstocks_daemon.domain.statement import SignedStatement
from xstocks_daemon.domain.units import MILLIS_PER_SEC, Address

log = get_logger("custody")

Groups = Mapping[Address, Sequence[Sequence[Address]]]
EvidenceMap = Mapping[Address, Mapping[Address, CustodianEvidence]]
"""mint -> custodian -> what is known."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A statement that is not believed, with the custodian that was asked."""

    custodian: Address
    signed: SignedStatement
    rejections: tuple[Rejection, ...]


@dataclass(frozen=True, slots=True)
class CustodyRound:
    """What one round gave: statements that passed, those that did not, and what the custodians left out."""

    verified: tuple[SignedStatement, ...]
    rejected: tuple[Rejected, ...]
    reading: CustodyReading
    ripcords: Mapping[tuple[Address, Address], str]
    """(mint, custodian) -> the custodian's words, until a statement of that mint passes again."""

    @property
    def failures(self) -> dict[Address, str]:
        """custodian -> why its source gave nothing for some of its assets."""
        return {each.custodian: each.reason for each in self.reading.failures}

    @property
    def equivocations(self) -> tuple[Halt, ...]:
        """A halt for each mint for which a custodian signed two different entries of one time."""
        return tuple(
            Halt(rejection.mint, HaltReason.EQUIVOCATION, f"custodian {base58(each.custodian)}: {rejection.detail}")
            for each in self.rejected
            for rejection in each.rejections
            if rejection.reason is RejectionReason.EQUIVOCATION and rejection.mint is not None
        )


class CustodyReader:
    """Asks, verifies and remembers. `custodians`: address -> id, those that the settings name."""

    def __init__(
        self, source: StatementSource, custodians: Mapping[Address, int], policy: PolicySettings, metrics: Metrics
    ) -> None:
        self._source = source
        self._custodians = dict(custodians)
        self._policy = policy
        self._metrics = metrics
        self._seen = SeenStatements()
        # A custodian that falls silent has not taken its words back.
        self._ripcords: dict[tuple[Address, Address], str] = {}

    def remember(self, evidence: EvidenceMap) -> None:
        """Take up what the journal knows, so that a restart forgets no statement."""
        for by_custodian in evidence.values():
            for known in by_custodian.values():
                self._seen.record(known.newest.signed.statement)

    async def read(self, snapshot: ChainSnapshot, tables: Mapping[Address, int]) -> CustodyRound:
        """One round over all assets of `snapshot`. `tables`: mint -> its lookup table's number.

        Where single entries of a statement are not believed, the rest of its assets is asked for once more, without
        them: one bad entry must not silence 23 others.
        """
        first = await self._ask(self._wanted(snapshot, tables), snapshot)
        again = {
            custodian: statement_groups(mints, tables) for custodian, mints in _rest_of(first.rejected).items() if mints
        }
        if not again:
            return first
        second = await self._ask(again, snapshot)
        return CustodyRound(
            first.verified + second.verified,
            first.rejected + second.rejected,
            CustodyReading.merged((first.reading, second.reading)),
            second.ripcords,
        )

    def _wanted(self, snapshot: ChainSnapshot, tables: Mapping[Address, int]) -> Groups:
        """Per custodian the groups to ask for: its attached assets, those alone whose multiplier is about to change."""
        until_ts = snapshot.now_ts + self._policy.max_statement_lifetime_secs
        changes = {mint: pending_change_ts(view, snapshot.now_ts) for mint, view in snapshot.assets.items()}
        alone = {mint for mint, change_ts in changes.items() if change_ts is not None and change_ts < until_ts}
        wanted = {}
        for custodian in self._custodians:
            mints = [mint for mint, view in snapshot.assets.items() if chain_entry(view, custodian) is not None]
            if mints and custodian in snapshot.custodians:
                wanted[custodian] = statement_groups(mints, tables, alone)
        return wanted

    async def _ask(self, wanted: Groups, snapshot: ChainSnapshot) -> CustodyRound:
        reading = await self._source.read(wanted)
        verified: list[SignedStatement] = []
        rejected: list[Rejected] = []
        # The snapshot may be some seconds old: the statement's freshness is judged by the clock of this machine.
        now_ms = clock.now_ms()
        limits = VerifyLimits(
            max_skew_ms=snapshot.config.max_skew_secs * MILLIS_PER_SEC,
            max_lifetime_secs=self._policy.max_statement_lifetime_secs,
            max_rise_bps=self._policy.max_statement_rise_bps,
        )
        for custodian, signed in reading.statements:
            verdict = verify_statement(
                signed, asked_custodian=custodian, snapshot=snapshot, seen=self._seen, limits=limits, now_ms=now_ms
            )
            if verdict.accepted:
                verified.append(signed)
                self._seen.record(signed.statement)
            else:
                rejected.append(Rejected(custodian, signed, verdict.rejections))
        for signed in verified:
            for entry in signed.statement.entries:
                self._ripcords.pop((entry.mint, signed.statement.custodian), None)
        for ripcord in reading.ripcords:
            self._ripcords.update({(mint, ripcord.custodian): ripcord.details for mint in ripcord.mints})
        self._report(verified, rejected, reading)
        return CustodyRound(tuple(verified), tuple(rejected), reading, dict(self._ripcords))

    def _report(
        self, verified: Iterable[SignedStatement], rejected: Collection[Rejected], reading: CustodyReading
    ) -> None:
        for signed in verified:
            self._count(signed.statement.custodian, "verified")
        for each in rejected:
            self._count(each.custodian, "rejected")
            for rejection in each.rejections:
                log.warning(
                    "statement_rejected",
                    custodian=self._custodians[each.custodian],
                    reason=rejection.reason.value,
                    mint=base58(rejection.mint) if rejection.mint is not None else None,
                    detail=rejection.detail,
                )
        left_out = Counter((self._custodians[each.custodian], each.reason) for each in reading.omitted)
        for (custodian, reason), count in sorted(left_out.items()):
            log.info("statement_without", custodian=custodian, reason=reason, assets=count)
        for failure in reading.failures:
            self._count(failure.custodian, "failed")
            log.warning(
                "custody_failed",
                custodian=self._custodians[failure.custodian],
                source=failure.url,
                assets=len(failure.mints),
                reason=failure.reason,
            )

    def _count(self, custodian: Address, outcome: str) -> None:
        self._metrics.statements.labels(str(self._custodians[custodian]), outcome).inc()


def _rest_of(rejected: Iterable[Rejected]) -> dict[Address, set[Address]]:
    """Per custodian the assets of statements of which only single entries were not believed, without those entries."""
    rest: dict[Address, set[Address]] = {}
    for each in rejected:
        bad = {rejection.mint for rejection in each.rejections}
        if None not in bad:
            rest.setdefault(each.custodian, set()).update(
                entry.mint for entry in each.signed.statement.entries if entry.mint not in bad
            )
    return rest


def with_verified(evidence: EvidenceMap, verified: Iterable[SignedStatement]) -> EvidenceMap:
    """The evidence as it will be once the journal has taken up `verified`; for a dry run, which writes nothing."""
    after = {mint: dict(by_custodian) for mint, by_custodian in evidence.items()}
    for signed in sorted(verified, key=lambda each: each.statement.observed_ms):
        for entry in signed.statement.entries:
            known = after.setdefault(entry.mint, {})
            old = known.get(signed.statement.custodian)
            new = Evidence(signed, entry)
            if old is None:
                known[signed.statement.custodian] = CustodianEvidence(new)
            elif new.observed_ms > old.newest.observed_ms:
                known[signed.statement.custodian] = old.after(new)
    return after
