"""The plan: what to do in one cycle, decided from data alone (design, section 6.2).

One function per rule. The plan never tells the program's refusals apart from its own caution: what the program would
refuse is not planned, and what it would allow is planned only where the journal explains the chain (M12).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from xstocks_daemon.domain.decisions import (
    Action,
    AssetPlan,
    DropIntent,
    HolderBurnAlert,
    Note,
    Plan,
    Reason,
)
from xstocks_daemon.domain.intent import Intent, IntentKind, IntentState
from xstocks_daemon.domain.plan_inputs import (
    AssetJournal,
    CustodianEvidence,
    CustodyView,
    Halt,
    HaltReason,
    JournalView,
    Order,
    PlanPolicy,
    totals_of,
)
from xstocks_daemon.domain.relays import after_relays, attached, entries_by_asset, hold_set, plan_relays, sum_raw
from xstocks_daemon.domain.snapshot import (
    AssetState,
    AssetView,
    ChainSnapshot,
    Entry,
    EntryState,
    ParticipantState,
    Scope,
    backing_raw,
    ceiling_raw,
    entry_is_fresh,
)
from xstocks_daemon.domain.units import BPS, MILLIS_PER_SEC, Address


@dataclass(frozen=True, slots=True)
class _Case:
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
        return self.view.asset.mint

    @property
    def supply_raw(self) -> int:
        return self.view.mint.supply_raw

    @property
    def unacknowledged_raw(self) -> int:
        """M12: what holders burnt and two people have not acknowledged."""
        return max(0, self.view.holder_burnt_raw - self.journal.acknowledged_raw)

    def evidence_of(self, entry: Entry) -> CustodianEvidence | None:
        return self.custody.evidence.get(self.mint, {}).get(entry.custodian)

    def fresh(self, entry: Entry) -> bool:
        custodian = self.snapshot.custodians.get(entry.custodian)
        bits = self.view.asset.effective_multiplier_bits(self.snapshot.now_ts)
        return entry_is_fresh(entry, custodian, self.view.asset.policy, bits, self.snapshot.now_ts)

    def all_fresh(self, view: AssetView) -> bool:
        entries = attached(view)
        return bool(entries) and all(self.fresh(entry) for entry in entries)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What one rule wants of an asset, or why it wants nothing (`intent` None)."""

    reason: Reason
    intent: Intent | None = None
    notes: tuple[Note, ...] = ()


def plan(snapshot: ChainSnapshot, custody: CustodyView, policy: PlanPolicy, journal: JournalView) -> Plan:
    """Decide one cycle. Pure: the same arguments give the same plan, whatever the order of their mappings.

    `snapshot` is finalized and its slot is not below that of an earlier cycle; `journal` was read after the attempts
    that the snapshot can show were sent. At most one intent per asset: a burn before a distribution before a mint.
    """
    relays, relay_notes = plan_relays(snapshot, custody, policy)
    lines = entries_by_asset(relays)
    orders: dict[Address, list[Order]] = {}
    for order in journal.orders:
        orders.setdefault(order.mint, []).append(order)
    decided = [
        _decide(
            _Case(
                view=view,
                planned=after_relays(view, lines.get(mint, ())),
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
            one.journal.live for one in decided if one.line.action is Action.RESEND and one.journal.live is not None
        ),
        drops=tuple(
            DropIntent(one.journal.live, one.line.reason)
            for one in decided
            if one.line.action is Action.DROP and one.journal.live is not None
        ),
        halts=tuple(one.halt for one in decided if one.halt is not None),
        alerts=tuple(one.alert for one in decided if one.alert is not None),
        assets=tuple(one.line for one in decided),
    )


def _of_kind(intents: Iterable[Intent], kind: IntentKind) -> tuple[Intent, ...]:
    return tuple(intent for intent in intents if intent.kind is kind)


@dataclass(frozen=True, slots=True)
class _Decided:
    line: AssetPlan
    journal: AssetJournal
    intent: Intent | None = None
    halt: Halt | None = None
    alert: HolderBurnAlert | None = None


def _decide(case: _Case, relay_notes: tuple[Note, ...]) -> _Decided:
    """One asset: is it explained, is something under way, and if neither stops it, what is wanted."""
    journal = case.journal
    halt = unexplained(case.view, journal)
    alert = _holder_burn_alert(case) if halt is None else None
    if journal.halt is not None:
        # A halted asset is reported, and halted once only.
        notes: tuple[Note, ...] = (Note(Reason.HALTED, detail=f"{journal.halt.reason.value}: {journal.halt.detail}"),)
        return _Decided(_line(case, Action.NONE, 0, Reason.HALTED, notes + relay_notes), journal)
    if halt is not None:
        note = Note(Reason.UNEXPLAINED, detail=f"{halt.reason.value}: {halt.detail}")
        return _Decided(_line(case, Action.HALT, 0, Reason.UNEXPLAINED, (note, *relay_notes)), journal, halt=halt)
    waiting = _waiting(case)
    if waiting is not None:
        return _Decided(_line(case, Action.NONE, 0, waiting.reason, waiting.notes + relay_notes), journal, alert=alert)
    wish = _wish(case)
    notes = wish.notes + _standing_notes(case, wish.reason) + relay_notes
    live = journal.live
    if live is not None:
        # It is PENDING: nothing of it is under way. It is sent again only where the rules still want at least it.
        action, reason = (
            (Action.RESEND, Reason.STILL_RIGHT)
            if _covers(wish.intent, live.intent)
            else (Action.DROP, Reason.NO_LONGER_WANTED)
        )
        return _Decided(_line(case, action, live.intent.amount_raw, reason, notes), journal, alert=alert)
    if wish.intent is None:
        return _Decided(_line(case, Action.NONE, 0, wish.reason, notes), journal, alert=alert)
    action = Action[wish.intent.kind.name]
    line = _line(case, action, wish.intent.amount_raw, wish.reason, notes)
    return _Decided(line, journal, intent=wish.intent, alert=alert)


def unexplained(view: AssetView, journal: AssetJournal) -> Halt | None:
    """M12: a sequence or total that the journal lacks, or a fall of holder_burnt, halts the asset. A sequence below
    the journal's is an old reading and halts nothing."""
    seen, known = totals_of(view.asset), journal.totals
    if seen.sequence < known.sequence:
        return None
    executed = journal.live is not None and journal.live.state is IntentState.SUBMITTED
    if seen != known and not (executed and seen == journal.planned):
        reason = HaltReason.TOTALS_DIFFER if seen.sequence == known.sequence else HaltReason.FOREIGN_SEQUENCE
        return Halt(view.asset.mint, reason, f"chain {_numbers(seen)}, journal {_numbers(known)}")
    if view.holder_burnt_raw < journal.holder_burnt_raw:
        numbers = f"chain {view.holder_burnt_raw}, journal {journal.holder_burnt_raw}"
        return Halt(view.asset.mint, HaltReason.HOLDER_BURNT_FELL, numbers)
    return None


def _numbers(totals: object) -> str:
    fields = ("sequence", "adopted_raw", "minted_raw", "burnt_raw", "distributed_raw")
    return " ".join(f"{name}={getattr(totals, name)}" for name in fields)


def _holder_burn_alert(case: _Case) -> HolderBurnAlert | None:
    """M12: a rise of holder_burnt is recorded and alerted, and halts nothing."""
    burnt, recorded = case.view.holder_burnt_raw, case.journal.holder_burnt_raw
    behind = case.view.asset.sequence < case.journal.totals.sequence
    return HolderBurnAlert(case.mint, recorded, burnt) if burnt > recorded and not behind else None


def _waiting(case: _Case) -> _Wish | None:
    """M11: nothing new while an attempt may execute; nothing on an old reading; nothing on an asset in quarantine."""
    journal = case.journal
    if case.view.asset.sequence < journal.totals.sequence:
        return _Wish(Reason.SNAPSHOT_BEHIND)
    if journal.live is not None and journal.live.state is IntentState.SUBMITTED:
        return _Wish(Reason.IN_FLIGHT, notes=(Note(Reason.IN_FLIGHT, journal.live.intent.amount_raw),))
    if journal.quarantine is not None:
        return _Wish(Reason.QUARANTINED, notes=(Note(Reason.QUARANTINED, detail=journal.quarantine.reason),))
    return None


def _covers(wanted: Intent | None, pending: Intent) -> bool:
    """Whether the rules that want `wanted` also want `pending`: the same, or less of a mint or burn."""
    if wanted is None or pending.amount_raw > wanted.amount_raw:
        return False
    exact = pending.kind is IntentKind.DISTRIBUTE
    return pending == (wanted if exact else replace(wanted, amount_raw=pending.amount_raw))


def _wish(case: _Case) -> _Wish:
    """A burn goes before a distribution (both take from the vault), and that before a mint."""
    target = target_raw(case.planned, case.snapshot, case.journal, case.custody)
    gap_raw = target - case.supply_raw
    burn = _burn(case) if gap_raw < 0 else None
    if burn is not None and burn.intent is not None:
        return burn
    distribution = _distribute(case)
    if distribution.intent is not None:
        return replace(distribution, notes=distribution.notes + _as_notes(burn))
    rest = burn if burn is not None else _mint(case, gap_raw)
    return replace(rest, notes=rest.notes + distribution.notes)


def _as_notes(wish: _Wish | None) -> tuple[Note, ...]:
    return () if wish is None else (Note(wish.reason), *wish.notes)


def target_raw(planned: AssetView, snapshot: ChainSnapshot, journal: AssetJournal, custody: CustodyView) -> int:
    """M12: the ceiling less what holders burnt and nobody acknowledged, less what a newer statement lowers that is not
    (and perhaps cannot be) on chain: a lower number is believed at once."""
    unacknowledged_raw = max(0, planned.holder_burnt_raw - journal.acknowledged_raw)
    lowered_raw = 0
    for entry in attached(planned):
        known = custody.evidence.get(planned.asset.mint, {}).get(entry.custodian)
        if known is not None and known.newest.observed_ms > entry.observed_ms:
            lowered_raw += max(0, sum_raw(entry) - known.newest.sum_raw)
    ceiling = ceiling_raw(planned, snapshot.custodians, snapshot.now_ts)
    return max(0, ceiling - unacknowledged_raw - lowered_raw)


def _paused(case: _Case, scope: Scope) -> bool:
    """M8, section 4.6: globally, of the asset, or of the mint itself (a transfers pause stops everything)."""
    on = case.snapshot.config.paused | case.view.asset.paused
    return case.view.mint.paused or bool(on & (scope | Scope.TRANSFERS))


def _ripcord(case: _Case) -> Note | None:
    for entry in attached(case.view):
        words = case.custody.ripcords.get((case.mint, entry.custodian))
        if words is not None:
            return Note(Reason.RIPCORD, custodian=entry.custodian, detail=words)
    return None


def _stale(case: _Case, view: AssetView) -> tuple[Note, ...]:
    return tuple(
        Note(Reason.AWAITING_FRESH_STATEMENT, custodian=entry.custodian)
        for entry in attached(view)
        if not case.fresh(entry)
    )


def _multiplier_differs(case: _Case) -> bool:
    now_ts = case.snapshot.now_ts
    return case.view.mint.effective_multiplier_bits(now_ts) != case.view.asset.effective_multiplier_bits(now_ts)


def _hold_expected(case: _Case) -> bool:
    """M9: whether a statement that is being relayed will set a hold."""
    after = {entry.custodian: entry for entry in attached(case.planned)}
    return any(
        entry != after[entry.custodian]
        and hold_set(case.view.asset, entry, after[entry.custodian], case.snapshot.now_ts)
        for entry in attached(case.view)
    )


def _mint_blocked(case: _Case) -> Reason | None:
    """Section 4.5, in the program's order, then the daemon's own caution."""
    if case.view.asset.state is not AssetState.ACTIVE:
        return Reason.NOT_ACTIVE
    if _paused(case, Scope.MINT):
        return Reason.PAUSED
    if case.view.asset.holds:
        return Reason.HELD
    if case.view.asset.change_announced:
        return Reason.MULTIPLIER_CHANGE
    if _multiplier_differs(case):
        return Reason.MULTIPLIER_DIFFERS
    if _ripcord(case) is not None:
        return Reason.RIPCORD
    if _hold_expected(case):
        return Reason.HOLD_EXPECTED
    return None


def _mint(case: _Case, gap_raw: int) -> _Wish:
    """M1, M5: mint up to the target, within the supply limit, the bucket with the one-time allowance, and policy."""
    if not attached(case.planned):
        return _Wish(Reason.NO_ENTRY)
    stale = _stale(case, case.planned)
    if gap_raw == 0:
        return _Wish(Reason.AWAITING_FRESH_STATEMENT if stale else Reason.ON_TARGET, notes=stale)
    blocked = _mint_blocked(case)
    if blocked is not None:
        return _Wish(blocked, notes=(Note(blocked, gap_raw), *stale))
    asset = case.view.asset
    bucket_raw = asset.mint_bucket.level_at(
        case.snapshot.now_ts, asset.policy.mint_burst_raw, asset.policy.mint_refill_raw_per_sec
    )
    limits = [
        (gap_raw, Reason.TO_TARGET),
        (max(0, asset.policy.supply_limit_raw - case.supply_raw), Reason.SUPPLY_LIMIT),
        (bucket_raw + asset.initial_mint_raw, Reason.BUCKET),
    ]
    if case.policy.max_mint_raw is not None:
        limits.append((case.policy.max_mint_raw, Reason.POLICY_LIMIT))
    amount_raw, limit = min(limits, key=lambda pair: pair[0])
    notes = stale if limit is Reason.TO_TARGET else (Note(limit, amount_raw), *stale)
    if amount_raw == 0:
        return _Wish(limit, notes=notes)
    return _Wish(Reason.TO_TARGET, Intent(IntentKind.MINT, case.mint, asset.sequence, amount_raw, asset.vault), notes)


def _burn_blocked(case: _Case) -> Note | None:
    """Section 6.2: positive evidence or no burn. Silence, staleness or a new epoch never burn."""
    if not attached(case.view):
        return Note(Reason.NO_ENTRY)
    if case.view.asset.state not in (AssetState.ACTIVE, AssetState.RETIRED):
        return Note(Reason.NOT_ACTIVE)
    if _paused(case, Scope.BURN):
        return Note(Reason.PAUSED)
    if case.view.asset.holds:
        return Note(Reason.HELD)
    if case.view.asset.change_announced:
        # Shares that are booked and a multiplier that is not, or the other way round, look like too few shares.
        return Note(Reason.MULTIPLIER_CHANGE)
    if _multiplier_differs(case):
        return Note(Reason.MULTIPLIER_DIFFERS)
    ripcord = _ripcord(case)
    if ripcord is not None:
        return ripcord
    for entry in attached(case.view):
        if entry.custodian in case.custody.failures:
            detail = case.custody.failures[entry.custodian]
            return Note(Reason.SOURCE_FAILED, custodian=entry.custodian, detail=detail)
        missing = _evidence_missing(case, entry)
        if missing is not None:
            return Note(missing, custodian=entry.custodian)
    return None


def _evidence_missing(case: _Case, entry: Entry) -> Reason | None:
    """What of one entry's evidence for a burn is missing: fresh on chain, the newest statement on chain, and a
    previous one of the same epoch and multiplier."""
    known = case.evidence_of(entry)
    if not case.fresh(entry) or known is None:
        return Reason.AWAITING_FRESH_STATEMENT
    if (known.newest.entry.capacity_raw, known.newest.entry.redeemed_seen_raw) != (
        entry.capacity_raw,
        entry.redeemed_seen_raw,
    ):
        return Reason.AWAITING_RELAY
    statement = known.newest.signed.statement
    now_ts, max_age_secs = case.snapshot.now_ts, case.view.asset.policy.max_age_secs
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


def _proved_target_raw(case: _Case) -> int:
    """The target by the higher of each custodian's two statements: what both agree is too much may be burnt."""
    backing = 0
    for entry in case.view.asset.entries:
        known = case.evidence_of(entry)
        if entry.state is EntryState.ATTACHED and known is not None and known.previous is not None:
            backing += max(known.newest.sum_raw, known.previous.sum_raw) - entry.redeemed_total_raw
        else:
            backing -= entry.unseen_raw
    return max(0, max(0, backing) - case.unacknowledged_raw)


def _burn(case: _Case) -> _Wish:
    """M7, section 6.2: burn what two successive statements both leave unbacked, from the vault only."""
    blocked = _burn_blocked(case)
    if blocked is not None:
        return _Wish(blocked.reason, notes=(blocked,))
    proved_raw = case.supply_raw - _proved_target_raw(case)
    if proved_raw <= 0:
        return _Wish(Reason.AWAITING_SECOND_STATEMENT)
    amount_raw = min(proved_raw, case.view.vault_raw)
    rest_raw = proved_raw - amount_raw
    notes = (Note(Reason.SHORTFALL, rest_raw),) if rest_raw else ()
    if amount_raw == 0:
        return _Wish(Reason.SHORTFALL, notes=notes)
    live = case.journal.live
    # An approval is used up by the intent that it let through; that intent still has it.
    passed_raw = live.intent.amount_raw if live is not None and live.intent.kind is IntentKind.BURN else 0
    approved_raw = max(case.journal.burn_approved_raw, passed_raw)
    if amount_raw * BPS > case.supply_raw * case.policy.burn_approval_bps and amount_raw > approved_raw:
        return _Wish(Reason.NEEDS_APPROVAL, notes=(Note(Reason.NEEDS_APPROVAL, amount_raw), *notes))
    asset = case.view.asset
    intent = Intent(IntentKind.BURN, case.mint, asset.sequence, amount_raw, asset.vault)
    return _Wish(Reason.TO_TARGET, intent, notes)


def _distribute(case: _Case) -> _Wish:
    """The first order that can be served; a journaled one goes first. The others say why they wait."""
    live = case.journal.live
    pending_id = live.intent.order_id if live is not None else None
    notes: list[Note] = []
    for order in sorted(case.orders, key=lambda order: order.order_id != pending_id):
        refused = _order_refused(case, order)
        if refused is None:
            asset = case.view.asset
            intent = Intent(
                IntentKind.DISTRIBUTE,
                case.mint,
                asset.sequence,
                order.amount_raw,
                order.destination,
                order.order_id,
            )
            return _Wish(Reason.ORDERED, intent, tuple(notes))
        notes.append(Note(refused, order.amount_raw, detail=f"order {order.order_id.hex()}"))
    return _Wish(Reason.ON_TARGET, notes=tuple(notes))


def _order_refused(case: _Case, order: Order) -> Reason | None:
    """M5, M7, M8: an active participant, the distribute bucket, and inventory that is not about to be burnt."""
    asset, now_ts = case.view.asset, case.snapshot.now_ts
    if asset.state is not AssetState.ACTIVE:
        return Reason.NOT_ACTIVE
    if _paused(case, Scope.DISTRIBUTE):
        return Reason.PAUSED
    participant = case.snapshot.participants.get(order.wallet)
    if participant is None or participant.state is not ParticipantState.ACTIVE:
        return Reason.NO_PARTICIPANT
    if now_ts >= participant.expires_ts:
        return Reason.PARTICIPANT_EXPIRED
    if order.amount_raw > case.view.vault_raw - _excess_raw(case):
        return Reason.INVENTORY
    level_raw = asset.distribute_bucket.level_at(
        now_ts, asset.policy.distribute_burst_raw, asset.policy.distribute_refill_raw_per_sec
    )
    return Reason.BUCKET if order.amount_raw > level_raw else None


def _excess_raw(case: _Case) -> int:
    """Supply above what fresh statements back. 0 while an entry is not fresh: silence proves nothing."""
    if not case.all_fresh(case.planned):
        return 0
    backed_raw = max(0, backing_raw(case.planned, case.snapshot.custodians, case.snapshot.now_ts))
    return max(0, case.supply_raw - backed_raw)


def _standing_notes(case: _Case, reason: Reason) -> tuple[Note, ...]:
    """What a person should see of the asset even where it is not what decided."""
    notes: list[Note] = []
    if case.unacknowledged_raw:
        notes.append(Note(Reason.HOLDER_BURNT, case.unacknowledged_raw))
    if reason is not Reason.HELD and case.view.asset.holds:
        notes.append(Note(Reason.HELD, detail=str(case.view.asset.holds.value)))
    ripcord = _ripcord(case)
    if reason is not Reason.RIPCORD and ripcord is not None:
        notes.append(ripcord)
    if reason is not Reason.SOURCE_FAILED:
        notes += [
            Note(Reason.SOURCE_FAILED, custodian=entry.custodian, detail=case.custody.failures[entry.custodian])
            for entry in attached(case.view)
            if entry.custodian in case.custody.failures
        ]
    return tuple(notes)


def _line(case: _Case, action: Action, amount_raw: int, reason: Reason, notes: tuple[Note, ...]) -> AssetPlan:
    snapshot, excess_raw = case.snapshot, _excess_raw(case)
    return AssetPlan(
        mint=case.mint,
        symbol=case.view.mint.symbol,
        decimals=case.view.asset.decimals,
        supply_raw=case.supply_raw,
        vault_raw=case.view.vault_raw,
        ceiling_raw=ceiling_raw(case.view, snapshot.custodians, snapshot.now_ts),
        planned_ceiling_raw=ceiling_raw(case.planned, snapshot.custodians, snapshot.now_ts),
        target_raw=target_raw(case.planned, snapshot, case.journal, case.custody),
        holder_burnt_raw=case.view.holder_burnt_raw,
        acknowledged_raw=case.journal.acknowledged_raw,
        excess_raw=excess_raw,
        shortfall_raw=max(0, excess_raw - case.view.vault_raw),
        action=action,
        amount_raw=amount_raw,
        reason=reason,
        notes=notes,
    )
