"""The plan of one cycle, asset by asset."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from xstocks_daemon.domain.decisions import Action, AssetPlan, DropIntent, HolderBurnAlert, Note, Plan, Reason
from xstocks_daemon.domain.intent import Intent, IntentKind, IntentState
from xstocks_daemon.domain.plan.burns import decide_burn
from xstocks_daemon.domain.plan.context import AssetContext, Decision, ripcord
from xstocks_daemon.domain.plan.distributions import decide_distribution
from xstocks_daemon.domain.plan.explained import holder_burn_alert, unexplained
from xstocks_daemon.domain.plan.mints import decide_mint
from xstocks_daemon.domain.plan.targets import excess_raw, rounding_raw, target_raw
from xstocks_daemon.domain.plan_inputs import AssetJournal, CustodyView, Halt, JournalView, Order, PlanPolicy
from xstocks_daemon.domain.relays import after_relays, entries_by_asset, plan_relays
from xstocks_daemon.domain.snapshot import ChainSnapshot, ceiling_raw
from xstocks_daemon.domain.units import Address


def plan(snapshot: ChainSnapshot, custody: CustodyView, policy: PlanPolicy, journal: JournalView) -> Plan:
    """Decide one cycle. Pure: the same arguments give the same plan, whatever the order of their mappings.

    `snapshot` is finalized and its slot is not below that of an earlier cycle; `journal` was read after the attempts
    that the snapshot can show were sent. At most one intent per asset: a burn before a distribution before a mint.
    """
    relays, relay_notes = plan_relays(snapshot, custody, policy)
    entries = entries_by_asset(relays)
    orders: dict[Address, list[Order]] = {}
    for order in journal.orders:
        orders.setdefault(order.mint, []).append(order)
    decided = [
        _decide(
            AssetContext(
                view=view,
                planned=after_relays(view, entries.get(mint, ())),
                snapshot=snapshot,
                custody=custody,
                policy=policy,
                journal=journal.of(mint),
                orders=tuple(orders.get(mint, ())),
            ),
            tuple(relay_notes.get(mint, ())),
        )
        for mint, view in sorted(snapshot.assets.items())
    ]
    intents = [one.intent for one in decided if one.intent is not None]
    return Plan(
        slot=snapshot.slot,
        now_ts=snapshot.now_ts,
        relays=relays,
        mints=_of_kind(intents, IntentKind.MINT),
        burns=_of_kind(intents, IntentKind.BURN),
        distributions=_of_kind(intents, IntentKind.DISTRIBUTE),
        resends=tuple(
            one.journal.live for one in decided if one.shown.action is Action.RESEND and one.journal.live is not None
        ),
        drops=tuple(
            DropIntent(one.journal.live, one.shown.reason)
            for one in decided
            if one.shown.action is Action.DROP and one.journal.live is not None
        ),
        halts=tuple(one.halt for one in decided if one.halt is not None),
        alerts=tuple(one.alert for one in decided if one.alert is not None),
        assets=tuple(one.shown for one in decided),
    )


def _of_kind(intents: Iterable[Intent], kind: IntentKind) -> tuple[Intent, ...]:
    return tuple(intent for intent in intents if intent.kind is kind)


@dataclass(frozen=True, slots=True)
class _AssetDecided:
    """What one asset contributes to the plan."""

    shown: AssetPlan
    journal: AssetJournal
    intent: Intent | None = None
    halt: Halt | None = None
    alert: HolderBurnAlert | None = None


def _decide(context: AssetContext, relay_notes: tuple[Note, ...]) -> _AssetDecided:
    """One asset: is it explained, is something under way, and if neither stops it, what is wanted."""
    journal = context.journal
    halt = unexplained(context.view, journal)
    alert = holder_burn_alert(context) if halt is None else None
    if journal.halt is not None:
        # A halted asset is reported, and halted once only.
        notes: tuple[Note, ...] = (Note(Reason.HALTED, detail=f"{journal.halt.reason.value}: {journal.halt.detail}"),)
        return _AssetDecided(_asset_plan(context, Action.NONE, 0, Reason.HALTED, notes + relay_notes), journal)
    if halt is not None:
        note = Note(Reason.UNEXPLAINED, detail=f"{halt.reason.value}: {halt.detail}")
        return _AssetDecided(
            _asset_plan(context, Action.HALT, 0, Reason.UNEXPLAINED, (note, *relay_notes)), journal, halt=halt
        )
    waiting = _waiting(context)
    if waiting is not None:
        return _AssetDecided(
            _asset_plan(context, Action.NONE, 0, waiting.reason, waiting.notes + relay_notes), journal, alert=alert
        )
    wanted = _wanted(context)
    notes = wanted.notes + _standing_notes(context, wanted.reason) + relay_notes
    live = journal.live
    if live is not None:
        # It is PENDING: nothing of it is under way. It is sent again only where the rules still want at least it.
        action, reason = (
            (Action.RESEND, Reason.STILL_RIGHT)
            if _covers(wanted.intent, live.intent)
            else (Action.DROP, Reason.NO_LONGER_WANTED)
        )
        return _AssetDecided(_asset_plan(context, action, live.intent.amount_raw, reason, notes), journal, alert=alert)
    if wanted.intent is None:
        return _AssetDecided(_asset_plan(context, Action.NONE, 0, wanted.reason, notes), journal, alert=alert)
    action = Action[wanted.intent.kind.name]
    shown = _asset_plan(context, action, wanted.intent.amount_raw, wanted.reason, notes)
    return _AssetDecided(shown, journal, intent=wanted.intent, alert=alert)


def _waiting(context: AssetContext) -> Decision | None:
    """M11: nothing new while an attempt may execute; nothing on an old reading; nothing on an asset in quarantine."""
    journal = context.journal
    if context.view.asset.sequence < journal.totals.sequence:
        return Decision(Reason.SNAPSHOT_BEHIND)
    if journal.live is not None and journal.live.state is IntentState.SUBMITTED:
        return Decision(Reason.IN_FLIGHT, notes=(Note(Reason.IN_FLIGHT, journal.live.intent.amount_raw),))
    if journal.quarantine is not None:
        return Decision(Reason.QUARANTINED, notes=(Note(Reason.QUARANTINED, detail=journal.quarantine.reason),))
    return None


def _covers(wanted: Intent | None, pending: Intent) -> bool:
    """Whether the rules that want `wanted` also want `pending`: the same, or less of a mint or burn."""
    if wanted is None or pending.amount_raw > wanted.amount_raw:
        return False
    exact = pending.kind is IntentKind.DISTRIBUTE
    return pending == (wanted if exact else replace(wanted, amount_raw=pending.amount_raw))


def _wanted(context: AssetContext) -> Decision:
    """A burn goes before a distribution (both take from the vault), and that before a mint."""
    target = target_raw(context.planned, context.snapshot, context.journal, context.custody)
    gap_raw = target - context.supply_raw
    burn = decide_burn(context) if gap_raw < 0 else None
    if burn is not None and burn.intent is not None:
        return burn
    distribution = decide_distribution(context)
    if distribution.intent is not None:
        return replace(distribution, notes=distribution.notes + _as_notes(burn))
    rest = burn if burn is not None else decide_mint(context, gap_raw)
    return replace(rest, notes=rest.notes + distribution.notes)


def _as_notes(decision: Decision | None) -> tuple[Note, ...]:
    return () if decision is None else (Note(decision.reason), *decision.notes)


def _standing_notes(context: AssetContext, reason: Reason) -> tuple[Note, ...]:
    """What a person should see of the asset even where it is not what decided."""
    notes: list[Note] = []
    if context.unacknowledged_raw:
        notes.append(Note(Reason.HOLDER_BURNT, context.unacknowledged_raw))
    if reason is not Reason.HELD and context.view.asset.holds:
        notes.append(Note(Reason.HELD, detail=str(context.view.asset.holds.value)))
    pulled = ripcord(context)
    if reason is not Reason.RIPCORD and pulled is not None:
        notes.append(pulled)
    if reason is not Reason.SOURCE_FAILED:
        notes += [
            Note(Reason.SOURCE_FAILED, custodian=entry.custodian, detail=context.custody.failures[entry.custodian])
            for entry in context.view.asset.attached
            if entry.custodian in context.custody.failures
        ]
    return tuple(notes)


def _asset_plan(
    context: AssetContext, action: Action, amount_raw: int, reason: Reason, notes: tuple[Note, ...]
) -> AssetPlan:
    snapshot, over_raw, arithmetic_raw = context.snapshot, excess_raw(context), rounding_raw(context)
    return AssetPlan(
        mint=context.mint,
        symbol=context.view.mint.symbol,
        decimals=context.view.asset.decimals,
        supply_raw=context.supply_raw,
        vault_raw=context.view.vault_raw,
        ceiling_raw=ceiling_raw(context.view, snapshot.custodians, snapshot.now_ts),
        planned_ceiling_raw=ceiling_raw(context.planned, snapshot.custodians, snapshot.now_ts),
        target_raw=target_raw(context.planned, snapshot, context.journal, context.custody),
        holder_burnt_raw=context.view.holder_burnt_raw,
        acknowledged_raw=context.journal.acknowledged_raw,
        excess_raw=over_raw,
        rounding_raw=arithmetic_raw,
        shortfall_raw=0 if arithmetic_raw else max(0, over_raw - context.view.vault_raw),
        action=action,
        amount_raw=amount_raw,
        reason=reason,
        notes=notes,
    )
