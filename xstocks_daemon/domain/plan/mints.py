"""When and how much is minted."""

from __future__ import annotations

from xstocks_daemon.domain.decisions import Note, Reason
from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.plan.context import AssetContext, Decision, multiplier_differs, paused, ripcord, stale_notes
from xstocks_daemon.domain.relays import hold_set
from xstocks_daemon.domain.snapshot import AssetState, Scope


def decide_mint(context: AssetContext, gap_raw: int) -> Decision:
    """M1, M5: mint up to the target, within the supply limit, the bucket with the one-time allowance, and policy."""
    if not context.planned.asset.attached:
        return Decision(Reason.NO_ENTRY)
    stale = stale_notes(context, context.planned)
    if gap_raw == 0:
        return Decision(Reason.AWAITING_FRESH_STATEMENT if stale else Reason.ON_TARGET, notes=stale)
    blocked = _mint_blocked(context)
    if blocked is not None:
        return Decision(blocked, notes=(Note(blocked, gap_raw), *stale))
    asset = context.view.asset
    bucket_raw = asset.mint_bucket.level_at(
        context.snapshot.now_ts, asset.policy.mint_burst_raw, asset.policy.mint_refill_raw_per_sec
    )
    limits = [
        (gap_raw, Reason.TO_TARGET),
        (max(0, asset.policy.supply_limit_raw - context.supply_raw), Reason.SUPPLY_LIMIT),
        (bucket_raw + asset.initial_mint_raw, Reason.BUCKET),
    ]
    if context.policy.max_mint_raw is not None:
        limits.append((context.policy.max_mint_raw, Reason.POLICY_LIMIT))
    amount_raw, limit = min(limits, key=lambda pair: pair[0])
    notes = stale if limit is Reason.TO_TARGET else (Note(limit, amount_raw), *stale)
    if amount_raw == 0:
        return Decision(limit, notes=notes)
    return Decision(
        Reason.TO_TARGET, Intent(IntentKind.MINT, context.mint, asset.sequence, amount_raw, asset.vault), notes
    )


def _mint_blocked(context: AssetContext) -> Reason | None:
    """Section 4.5, in the program's order, then the daemon's own caution."""
    if context.view.asset.state is not AssetState.ACTIVE:
        return Reason.NOT_ACTIVE
    if paused(context, Scope.MINT):
        return Reason.PAUSED
    if context.view.asset.holds:
        return Reason.HELD
    if context.view.asset.change_announced:
        return Reason.MULTIPLIER_CHANGE
    if multiplier_differs(context):
        return Reason.MULTIPLIER_DIFFERS
    if ripcord(context) is not None:
        return Reason.RIPCORD
    if _hold_expected(context):
        return Reason.HOLD_EXPECTED
    return None


def _hold_expected(context: AssetContext) -> bool:
    """M9: whether a statement that is being relayed will set a hold."""
    after = {entry.custodian: entry for entry in context.planned.asset.attached}
    return any(
        entry != after[entry.custodian]
        and hold_set(context.view.asset, entry, after[entry.custodian], context.snapshot.now_ts)
        for entry in context.view.asset.attached
    )
