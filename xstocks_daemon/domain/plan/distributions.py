"""Which order is served."""

from __future__ import annotations

from xstocks_daemon.domain.decisions import Note, Reason
from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.plan.context import AssetContext, Decision, paused
from xstocks_daemon.domain.plan.targets import excess_raw
from xstocks_daemon.domain.plan_inputs import Order
from xstocks_daemon.domain.snapshot import AssetState, ParticipantState, Scope


def decide_distribution(context: AssetContext) -> Decision:
    """The first order that can be served; a journaled one goes first. The others say why they wait."""
    live = context.journal.live
    pending_id = live.intent.order_id if live is not None else None
    notes: list[Note] = []
    for order in sorted(context.orders, key=lambda order: order.order_id != pending_id):
        refused = _order_refused(context, order)
        if refused is None:
            asset = context.view.asset
            intent = Intent(
                IntentKind.DISTRIBUTE,
                context.mint,
                asset.sequence,
                order.amount_raw,
                order.destination,
                order.order_id,
            )
            return Decision(Reason.ORDERED, intent, tuple(notes))
        notes.append(Note(refused, order.amount_raw, detail=f"order {order.order_id.hex()}"))
    return Decision(Reason.ON_TARGET, notes=tuple(notes))


def _order_refused(context: AssetContext, order: Order) -> Reason | None:
    """M5, M7, M8: an active participant, the distribute bucket, and inventory that is not about to be burnt."""
    asset, now_ts = context.view.asset, context.snapshot.now_ts
    if asset.state is not AssetState.ACTIVE:
        return Reason.NOT_ACTIVE
    if paused(context, Scope.DISTRIBUTE):
        return Reason.PAUSED
    participant = context.snapshot.participants.get(order.wallet)
    if participant is None or participant.state is not ParticipantState.ACTIVE:
        return Reason.NO_PARTICIPANT
    if now_ts >= participant.expires_ts:
        return Reason.PARTICIPANT_EXPIRED
    if order.amount_raw > context.view.vault_raw - excess_raw(context):
        return Reason.INVENTORY
    level_raw = asset.distribute_bucket.level_at(
        now_ts, asset.policy.distribute_burst_raw, asset.policy.distribute_refill_raw_per_sec
    )
    return Reason.BUCKET if order.amount_raw > level_raw else None
