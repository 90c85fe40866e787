"""One asset with all that its decision depends on, and what several rules ask of it."""

from __future__ import annotations

from dataclasses import dataclass

from xstocks_daemon.domain.decisions import Note, Reason
from xstocks_daemon.domain.intent import Intent
from xstocks_daemon.domain.plan_inputs import AssetJournal, CustodianEvidence, CustodyView, Order, PlanPolicy
from xstocks_daemon.domain.snapshot import AssetView, ChainSnapshot, Entry, Scope, entry_is_fresh
from xstocks_daemon.domain.units import Address


@dataclass(frozen=True, slots=True)
class AssetContext:
    """One asset with all that its decision depends on. `planned`: the asset once the relayed statements are in."""

    view: AssetView
    planned: AssetView
    snapshot: ChainSnapshot
    custody: CustodyView
    policy: PlanPolicy
    journal: AssetJournal
    orders: tuple[Order, ...]

    @property
    def mint(self) -> Address:
        """The asset's mint."""
        return self.view.asset.mint

    @property
    def supply_raw(self) -> int:
        """The mint's supply."""
        return self.view.mint.supply_raw

    @property
    def unacknowledged_raw(self) -> int:
        """M12: what holders burnt and two people have not acknowledged."""
        return max(0, self.view.holder_burnt_raw - self.journal.acknowledged_raw)

    def evidence_of(self, entry: Entry) -> CustodianEvidence | None:
        """What the entry's custodian has said of the asset, as far as it was believed."""
        return self.custody.evidence.get(self.mint, {}).get(entry.custodian)

    def fresh(self, entry: Entry) -> bool:
        """Whether the entry counts in the ceiling now."""
        custodian = self.snapshot.custodians.get(entry.custodian)
        bits = self.view.asset.effective_multiplier_bits(self.snapshot.now_ts)
        return entry_is_fresh(entry, custodian, self.view.asset.policy, bits, self.snapshot.now_ts)

    def all_fresh(self, view: AssetView) -> bool:
        """Whether there is an attached entry, and each is fresh."""
        entries = view.asset.attached
        return bool(entries) and all(self.fresh(entry) for entry in entries)


@dataclass(frozen=True, slots=True)
class Decision:
    """What one rule wants of an asset, or why it wants nothing (`intent` None)."""

    reason: Reason
    intent: Intent | None = None
    notes: tuple[Note, ...] = ()


def paused(context: AssetContext, scope: Scope) -> bool:
    """M8, section 4.6: globally, of the asset, or of the mint itself (a transfers pause stops everything)."""
    on = context.snapshot.config.paused | context.view.asset.paused
    return context.view.mint.paused or bool(on & (scope | Scope.TRANSFERS))


def ripcord(context: AssetContext) -> Note | None:
    """The first custodian that says "do not trust my number", with its words."""
    for entry in context.view.asset.attached:
        words = context.custody.ripcords.get((context.mint, entry.custodian))
        if words is not None:
            return Note(Reason.RIPCORD, custodian=entry.custodian, detail=words)
    return None


def stale_notes(context: AssetContext, view: AssetView) -> tuple[Note, ...]:
    """A note for each attached entry that is not fresh."""
    return tuple(
        Note(Reason.AWAITING_FRESH_STATEMENT, custodian=entry.custodian)
        for entry in view.asset.attached
        if not context.fresh(entry)
    )


def multiplier_differs(context: AssetContext) -> bool:
    """Whether the mint's multiplier in force is not the Asset account's."""
    now_ts = context.snapshot.now_ts
    return context.view.mint.effective_multiplier_bits(now_ts) != context.view.asset.effective_multiplier_bits(now_ts)
