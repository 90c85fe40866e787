"""How much supply there should be, and how far the present one is from it."""

from __future__ import annotations

from xstocks_daemon.domain.plan.context import AssetContext
from xstocks_daemon.domain.plan_inputs import AssetJournal, CustodyView
from xstocks_daemon.domain.snapshot import (
    AssetView,
    ChainSnapshot,
    EntryState,
    backing_raw,
    ceiling_raw,
    fresh_entries,
)
from xstocks_daemon.domain.units import lacks_less_than_nano


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


def rounding_raw(context: AssetContext) -> int:
    """The excess where it is arithmetic and no missing shares, else 0.

    Capacities are rounded down, and no float is a tenth: 2.5 shares at the multiplier 0.1 back 25 tokens but for one
    base unit. Such is an excess where the shares of the entries, exactly, lack less than `policy.rounding_nano`
    billionths of a share for each entry that counts.
    """
    over_raw, asset = excess_raw(context), context.planned.asset
    if over_raw == 0:
        return 0
    now_ts = context.snapshot.now_ts
    counted = fresh_entries(asset, context.snapshot.custodians, now_ts)
    claimed_raw = context.supply_raw + sum(entry.unseen_raw for entry in asset.entries)
    lacking_nano = lacks_less_than_nano(
        claimed_raw,
        sum(entry.shares_nano for entry in counted),
        asset.effective_multiplier_bits(now_ts),
        asset.decimals,
    )
    return over_raw if lacking_nano <= context.policy.rounding_nano * len(counted) else 0
