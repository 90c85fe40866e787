"""When and how much is burnt."""

from __future__ import annotations

from xstocks_daemon.domain.decisions import Note, Reason
from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.plan.context import AssetContext, Decision, multiplier_differs, paused, ripcord
from xstocks_daemon.domain.plan.targets import rounding_raw, target_raw, twice_stated_target_raw
from xstocks_daemon.domain.snapshot import AssetState, Entry, Scope
from xstocks_daemon.domain.units import BPS, MILLIS_PER_SEC


def decide_burn(context: AssetContext) -> Decision:
    """M5, M7, section 6.2: burn what two successive statements both leave unbacked, from the vault only and within the
    bucket."""
    blocked = _burn_blocked(context)
    if blocked is not None:
        return Decision(blocked.reason, notes=(blocked,))
    arithmetic_raw = rounding_raw(context)
    target = target_raw(context.planned, context.snapshot, context.journal, context.custody)
    if context.supply_raw - target <= arithmetic_raw:
        return Decision(Reason.ROUNDING, notes=(Note(Reason.ROUNDING, arithmetic_raw),))
    proved_raw = context.supply_raw - twice_stated_target_raw(context)
    if proved_raw <= 0:
        return Decision(Reason.AWAITING_SECOND_STATEMENT)
    burnable_raw = min(proved_raw, context.view.vault_raw)
    rest_raw = proved_raw - burnable_raw
    notes = (Note(Reason.SHORTFALL, rest_raw),) if rest_raw else ()
    if burnable_raw == 0:
        return Decision(Reason.SHORTFALL, notes=notes)
    asset = context.view.asset
    bucket_raw = asset.burn_bucket.level_at(
        context.snapshot.now_ts, asset.policy.burn_burst_raw, asset.policy.burn_refill_raw_per_sec
    )
    amount_raw = min(burnable_raw, bucket_raw)
    if amount_raw < burnable_raw:
        notes = (Note(Reason.BUCKET, amount_raw), *notes)
    if amount_raw == 0:
        return Decision(Reason.BUCKET, notes=notes)
    live = context.journal.live
    # An intent uses up what it burns of an approval; the live one still has it.
    passed_raw = live.intent.amount_raw if live is not None and live.intent.kind is IntentKind.BURN else 0
    approved_raw = context.journal.burn_approved_raw + passed_raw
    # A burn that the bucket cuts into pieces is judged, and approved, whole.
    is_large = burnable_raw * BPS > context.supply_raw * context.policy.burn_approval_bps
    if is_large and burnable_raw > approved_raw:
        return Decision(Reason.NEEDS_APPROVAL, notes=(Note(Reason.NEEDS_APPROVAL, burnable_raw), *notes))
    intent = Intent(IntentKind.BURN, context.mint, asset.sequence, amount_raw, asset.vault)
    return Decision(Reason.TO_TARGET, intent, notes)


def _burn_blocked(context: AssetContext) -> Note | None:
    """Section 6.2: positive evidence or no burn. Silence, staleness or a new epoch never burn."""
    if not context.view.asset.attached:
        return Note(Reason.NO_ENTRY)
    if context.view.asset.state not in (AssetState.ACTIVE, AssetState.RETIRED):
        return Note(Reason.NOT_ACTIVE)
    if paused(context, Scope.BURN):
        return Note(Reason.PAUSED)
    if context.view.asset.holds:
        return Note(Reason.HELD)
    if context.view.asset.change_announced:
        # Shares that are booked and a multiplier that is not, or the other way round, look like too few shares.
        return Note(Reason.MULTIPLIER_CHANGE)
    if multiplier_differs(context):
        return Note(Reason.MULTIPLIER_DIFFERS)
    pulled = ripcord(context)
    if pulled is not None:
        return pulled
    for entry in context.view.asset.attached:
        if entry.custodian in context.custody.failures:
            detail = context.custody.failures[entry.custodian]
            return Note(Reason.SOURCE_FAILED, custodian=entry.custodian, detail=detail)
        missing = _evidence_missing(context, entry)
        if missing is not None:
            return Note(missing, custodian=entry.custodian)
    return None


def _evidence_missing(context: AssetContext, entry: Entry) -> Reason | None:
    """What of one entry's evidence for a burn is missing: fresh on chain, the newest statement on chain, and a
    previous one of the same epoch and multiplier."""
    known = context.evidence_of(entry)
    if not context.fresh(entry) or known is None:
        return Reason.AWAITING_FRESH_STATEMENT
    if (known.newest.entry.capacity_raw, known.newest.entry.redeemed_seen_raw) != (
        entry.capacity_raw,
        entry.redeemed_seen_raw,
    ):
        return Reason.AWAITING_RELAY
    statement = known.newest.signed.statement
    now_ts, max_age_secs = context.snapshot.now_ts, context.view.asset.policy.max_age_secs
    if (
        (statement.epoch, known.newest.entry.multiplier_bits) != (entry.epoch, entry.multiplier_bits)
        or now_ts >= statement.expires_ts
        or now_ts * MILLIS_PER_SEC - statement.observed_ms > max_age_secs * MILLIS_PER_SEC
    ):
        return Reason.AWAITING_FRESH_STATEMENT
    previous = known.previous
    if (
        previous is None
        or previous.observed_ms >= statement.observed_ms
        or (previous.signed.statement.epoch, previous.entry.multiplier_bits) != (entry.epoch, entry.multiplier_bits)
    ):
        return Reason.AWAITING_SECOND_STATEMENT
    return None
