"""How much supply there should be, and how far the present one is from it."""

from __future__ import annotations

from xstocks_daemon.domain.plan.context import AssetContext
from xstocks_daemon.domain.plan_inputs import AssetJournal, CustodyView
from xstocks_daemon.domain.snapshot import AssetView, ChainSnapshot, EntryState, backing_raw, ceiling_raw


def target_raw(planned: AssetView, snapshot: ChainSnapshot, journal: AssetJournal, custody: CustodyView) -> int:
    """M12: the ceiling less what holders burnt and nobody acknowledged, less what a newer statement lowers that is not
    (and perhaps cannot be) on chain: a lower number is believed at once."""
    unacknowledged_raw = max(0, planned.holder_burnt_raw - journal.acknowledged_raw)
    lowered_raw = 0
    for entry in planned.asset.attached:
        known = custody.evidence.get(planned.asset.mint, {}).get(entry.custodian)
        if known is not None and known.newest.observed_ms > entry.observed_ms:
            lowered_raw += max(0, entry.sum_raw - known.newest.sum_raw)
    ceiling = ceiling_raw(planned, snapshot.custodians, snapshot.now_ts)
    return max(0, ceiling - unacknowledged_raw - lowered_raw)


def twice_stated_target_raw(context: AssetContext) -> int:
    """The target by the higher of each custodian's two statements: what both agree is too much may be burnt."""
    backing = 0
    for entry in context.view.asset.entries:
        known = context.evidence_of(entry)
        if entry.state is EntryState.ATTACHED and known is not None and known.previous is not None:
            backing += max(known.newest.sum_raw, known.previous.sum_raw) - entry.redeemed_total_raw
        else:
            backing -= entry.unseen_raw
    return max(0, max(0, backing) - context.unacknowledged_raw)


def excess_raw(context: AssetContext) -> int:
    """Supply above what fresh statements back. 0 while an entry is not fresh: silence proves nothing."""
    if not context.all_fresh(context.planned):
        return 0
    backed_raw = max(0, backing_raw(context.planned, context.snapshot.custodians, context.snapshot.now_ts))
    return max(0, context.supply_raw - backed_raw)
