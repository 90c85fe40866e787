"""Which statements to submit, and what the chain knows once they are in (design, sections 4.4 and 6.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from xstocks_daemon.domain.decisions import Note, Reason, RelayStatement
from xstocks_daemon.domain.plan_inputs import CustodianEvidence, CustodyView, PlanPolicy
from xstocks_daemon.domain.snapshot import (
    AssetAccount,
    AssetView,
    ChainSnapshot,
    CustodianState,
    Entry,
    EntryState,
    Hold,
    chain_entry,
    entry_is_fresh,
)
from xstocks_daemon.domain.statement import SignedStatement, Statement, StatementEntry
from xstocks_daemon.domain.units import BPS, MILLIS_PER_SEC, Address


def hold_set(asset: AssetAccount, before: Entry, after: Entry, now_ts: int) -> Hold:
    """The hold that taking `after` in the place of `before` sets, as the program decides it (M9): compared with the
    old capacity less what is newly seen; around a multiplier change its tolerance bounds every rise until the entry has
    confirmed it, and an entry without a predecessor is not taken on trust."""
    policy = asset.policy
    old_raw = before.sum_raw - after.redeemed_seen_raw
    if before.withdrawn or old_raw <= 0:
        return Hold.CA_WINDOW if asset.around_change(now_ts) else Hold(0)
    change = (after.capacity_raw - old_raw) * BPS
    if before.multiplier_bits != after.multiplier_bits:
        return Hold.MULTIPLIER if abs(change) > old_raw * policy.ca_tolerance_bps else Hold(0)
    around_change = asset.around_change(now_ts, confirmed=before.confirmed)
    rise_bps = min(policy.max_rise_bps, policy.ca_tolerance_bps) if around_change else policy.max_rise_bps
    return Hold.RISE if change > old_raw * rise_bps else Hold(0)


def statement_fault(statement: Statement, snapshot: ChainSnapshot) -> Reason | None:
    """Why the chain would refuse the whole statement, or None (M2, M3, M6)."""
    custodian = snapshot.custodians.get(statement.custodian)
    if custodian is None or custodian.state is not CustodianState.ACTIVE:
        return Reason.STATEMENT_NOT_ATTACHED
    if statement.epoch != custodian.epoch:
        return Reason.STATEMENT_EPOCH
    if statement.expires_ts <= snapshot.now_ts:
        return Reason.STATEMENT_EXPIRED
    if statement.observed_ms > (snapshot.now_ts + snapshot.config.max_skew_secs) * MILLIS_PER_SEC:
        return Reason.STATEMENT_FUTURE
    for stated in statement.entries:
        view = snapshot.assets.get(stated.mint)
        if view is None:
            return Reason.STATEMENT_UNKNOWN_ASSET
        # The program puts its own multiplier into the digest: another one makes every signature wrong.
        if stated.multiplier_bits != view.asset.effective_multiplier_bits(snapshot.now_ts):
            return Reason.STATEMENT_MULTIPLIER
        entry = chain_entry(view, statement.custodian)
        if entry is not None and stated.redeemed_seen_raw > entry.redeemed_total_raw:
            return Reason.STATEMENT_SEEN
    return None


def fresh_until_ts(observed_ms: int, expires_ts: int, max_age_secs: int) -> int:
    """The first second at which a statement with these times is not fresh any more."""
    return min(expires_ts, observed_ms // MILLIS_PER_SEC + max_age_secs + 1)


def relay_reason(
    known: CustodianEvidence, entry: Entry, view: AssetView, snapshot: ChainSnapshot, policy: PlanPolicy
) -> Reason | None:
    """Why submitting the newest statement is useful for this asset, or None. It is taken to be without fault."""
    stated, statement = known.newest.entry, known.newest.signed.statement
    if statement.observed_ms <= entry.observed_ms:
        return None
    if statement.observed_ms < view.asset.last_change_ts(snapshot.now_ts) * MILLIS_PER_SEC:
        return None  # the chain passes over it: the next one is of after the change
    if known.newest.sum_raw < entry.sum_raw:
        return Reason.LOWER
    max_age_secs = view.asset.policy.max_age_secs
    until_ts = fresh_until_ts(statement.observed_ms, statement.expires_ts, max_age_secs)
    if until_ts <= snapshot.now_ts:
        return None  # it would not be fresh there either
    numbers = (stated.shares_nano, stated.capacity_raw, stated.redeemed_seen_raw)
    if numbers != (entry.shares_nano, entry.capacity_raw, entry.redeemed_seen_raw):
        return Reason.CHANGED
    multiplier_bits = view.asset.effective_multiplier_bits(snapshot.now_ts)
    custodian = snapshot.custodians.get(entry.custodian)
    if not entry_is_fresh(entry, custodian, view.asset.policy, multiplier_bits, snapshot.now_ts):
        return Reason.NOT_FRESH_ON_CHAIN
    # M13: shares leave only by a statement observed more than the skew after they were marked. The first lower
    # statement may be too early for that, so one from after the skew follows it.
    settled_ms = known.lowered_ms + snapshot.config.max_skew_secs * MILLIS_PER_SEC
    if known.lowered_ms and entry.observed_ms <= settled_ms < statement.observed_ms:
        return Reason.CONFIRMS_LOWER
    life_secs = until_ts - statement.observed_ms // MILLIS_PER_SEC
    remaining_secs = fresh_until_ts(entry.observed_ms, entry.expires_ts, max_age_secs) - snapshot.now_ts
    return Reason.RENEWS if remaining_secs <= min(policy.renew_before_secs, life_secs // 2) else None


def plan_relays(
    snapshot: ChainSnapshot, custody: CustodyView, policy: PlanPolicy
) -> tuple[tuple[RelayStatement, ...], dict[Address, list[Note]]]:
    """The newest statements that are useful, lower ones first, and per asset why one cannot be used."""
    newest: dict[SignedStatement, list[tuple[Address, Reason]]] = {}
    faults: dict[SignedStatement, Reason | None] = {}
    notes: dict[Address, list[Note]] = {}
    for mint in sorted(custody.evidence):
        view = snapshot.assets.get(mint)
        if view is None:
            continue
        for custodian, known in sorted(custody.evidence[mint].items()):
            signed = known.newest.signed
            entry = chain_entry(view, custodian)
            if entry is None:
                notes.setdefault(mint, []).append(Note(Reason.STATEMENT_NOT_ATTACHED, custodian=custodian))
                continue
            use = relay_reason(known, entry, view, snapshot, policy)
            if use is None:
                continue
            if signed not in faults:
                faults[signed] = statement_fault(signed.statement, snapshot)
            fault = faults[signed]
            if fault is None:
                newest.setdefault(signed, []).append((mint, use))
            else:
                notes.setdefault(mint, []).append(Note(fault, custodian=custodian))
    relays = [RelayStatement(signed, tuple(reasons)) for signed, reasons in newest.items()]
    relays.sort(key=lambda relay: (not relay.lower, relay.signed.statement.custodian, *_order(relay.signed.statement)))
    return tuple(relays), notes


def _order(statement: Statement) -> tuple[int, Address, bytes]:
    return statement.observed_ms, statement.entries[0].mint, statement.digest()


def entries_by_asset(
    relays: Iterable[RelayStatement],
) -> Mapping[Address, tuple[tuple[Statement, StatementEntry], ...]]:
    """What the relayed statements say of each asset."""
    found: dict[Address, list[tuple[Statement, StatementEntry]]] = {}
    for relay in relays:
        for stated in relay.signed.statement.entries:
            found.setdefault(stated.mint, []).append((relay.signed.statement, stated))
    return {mint: tuple(items) for mint, items in found.items()}


def after_relays(view: AssetView, relayed: Iterable[tuple[Statement, StatementEntry]]) -> AssetView:
    """The asset as it is once these entries are on chain (one that is not newer is skipped there, M3)."""
    entries = {entry.custodian: entry for entry in view.asset.attached}
    for statement, stated in relayed:
        entry = entries.get(statement.custodian)
        if entry is not None and statement.observed_ms > entry.observed_ms:
            entries[statement.custodian] = replace(
                entry,
                withdrawn=False,
                epoch=statement.epoch,
                observed_ms=statement.observed_ms,
                expires_ts=statement.expires_ts,
                shares_nano=stated.shares_nano,
                capacity_raw=stated.capacity_raw,
                redeemed_seen_raw=stated.redeemed_seen_raw,
                multiplier_bits=stated.multiplier_bits,
            )
    changed = tuple(
        entries[entry.custodian] if entry.state is EntryState.ATTACHED else entry for entry in view.asset.entries
    )
    return view if changed == view.asset.entries else replace(view, asset=replace(view.asset, entries=changed))
