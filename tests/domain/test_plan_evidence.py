"""What the plan makes of each piece of evidence, one by one: halts, resends, burns and relays, with their twins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.domain.builders import (
    ALPACA,
    GTN,
    NOW_TS,
    ONE_BITS,
    POLICY,
    SKEW_SECS,
    TWO_BITS,
    WALLET,
    asset_plan_of,
    custodian,
    custody,
    entry,
    journal_of,
    known,
    mint_address,
    snapshot,
    statement,
    view,
)
from tests.domain.deciding import MINT, decide, live, outcome, two_lower_statements
from xstocks_daemon.domain.decisions import Action, Reason
from xstocks_daemon.domain.intent import Intent, IntentKind, IntentState
from xstocks_daemon.domain.plan_inputs import HaltReason, LiveIntent, Order, PlanPolicy
from xstocks_daemon.domain.relays import after_relays, entries_by_asset, hold_set, statement_fault
from xstocks_daemon.domain.reserve import Terms, reserve_of
from xstocks_daemon.domain.snapshot import (
    CustodianState,
    EntryState,
    Hold,
    Scope,
    ceiling_raw,
    entry_is_fresh,
)

# -- M12: what the journal explains


@pytest.mark.parametrize(
    ("after", "explained"),
    [
        ({}, True),
        ({"minted_raw": 71}, False),
        ({"minted_raw": 50, "burnt_raw": 20}, False),
        ({"sequence": 3}, False),
        ({"distributed_raw": 1}, False),
    ],
)
def test_an_intent_under_way_explains_its_own_totals_and_no_others(after: dict[str, Any], explained: bool) -> None:
    before = view(MINT, [entry(ALPACA, 70)], supply_raw=50)
    journal = journal_of(snapshot(before), live=live(IntentKind.MINT, 20, IntentState.SUBMITTED))
    executed = replace(before.asset, **{"sequence": 2, "minted_raw": 70, **after})
    seen = replace(before, asset=executed, mint=replace(before.mint, supply_raw=50))
    halts = decide(seen, journal=journal).halts
    assert [halt.reason for halt in halts] == ([] if explained else [HaltReason.FOREIGN_SEQUENCE])


def test_what_holders_burnt_is_alerted_on_a_present_reading_only() -> None:
    one = view(MINT, [entry(ALPACA, 60)], supply_raw=50, holder_burnt_raw=10)
    journal = journal_of(snapshot(one), holder_burnt_raw=4)
    assert len(decide(one, journal=journal).alerts) == 1
    ahead = replace(journal.of(MINT), totals=replace(journal.of(MINT).totals, sequence=2))
    behind = decide(one, journal=replace(journal, assets={MINT: ahead}))
    assert (behind.alerts, behind.halts) == ((), ())
    assert outcome(behind)[2] is Reason.SNAPSHOT_BEHIND


# -- M11: resend or drop


def test_a_pending_burn_is_dropped_where_a_mint_is_wanted() -> None:
    one = view(MINT, [entry(ALPACA, 70)], supply_raw=50)
    pending = live(IntentKind.BURN, 20, IntentState.PENDING)
    decided = decide(one, journal=journal_of(snapshot(one), live=pending))
    assert (decided.resends, [drop.live for drop in decided.drops]) == ((), [pending])


@pytest.mark.parametrize("changes", [{"sequence": 2}, {"destination": WALLET}, {"order_id": b"o" * 16}])
def test_a_pending_mint_of_something_else_is_dropped(changes: Any) -> None:
    one = view(MINT, [entry(ALPACA, 70)], supply_raw=50)
    pending = live(IntentKind.MINT, 20, IntentState.PENDING)
    other = replace(pending, intent=replace(pending.intent, **changes))
    assert decide(one, journal=journal_of(snapshot(one), live=pending)).resends == (pending,)
    assert [drop.live for drop in decide(one, journal=journal_of(snapshot(one), live=other)).drops] == [other]


@pytest.mark.parametrize(("amount_raw", "resent"), [(30, True), (29, False), (31, False)])
def test_an_order_is_sent_again_as_it_was_ordered_only(amount_raw: int, resent: bool) -> None:
    order = Order(b"\x01" * 16, MINT, 30, WALLET, WALLET)
    one = view(MINT, [entry(ALPACA, 50)], supply_raw=50)
    intent = Intent(IntentKind.DISTRIBUTE, MINT, 1, amount_raw, WALLET, order.order_id)
    pending = LiveIntent(7, intent, IntentState.PENDING)
    decided = decide(one, journal=journal_of(snapshot(one), [order], live=pending))
    assert decided.resends == ((pending,) if resent else ())
    assert [drop.live for drop in decided.drops] == ([] if resent else [pending])


# -- burns


BURNING = view(MINT, [entry(ALPACA, 40)], supply_raw=60)


def test_the_twin_of_all_below_is_burnt() -> None:
    assert outcome(decide(BURNING, two_lower_statements())) == (Action.BURN, 20, Reason.TO_TARGET)


@pytest.mark.parametrize(
    ("newest", "previous", "reason"),
    [
        ({"expires_ts": NOW_TS}, {}, Reason.AWAITING_FRESH_STATEMENT),
        ({"observed_secs_ago": 3_601}, {"observed_secs_ago": 3_700}, Reason.AWAITING_FRESH_STATEMENT),
        ({"epoch": 2}, {}, Reason.AWAITING_FRESH_STATEMENT),
        ({"multiplier_bits": TWO_BITS}, {}, Reason.AWAITING_FRESH_STATEMENT),
        ({}, {"epoch": 2}, Reason.AWAITING_SECOND_STATEMENT),
        ({}, {"multiplier_bits": TWO_BITS}, Reason.AWAITING_SECOND_STATEMENT),
        ({}, {"observed_secs_ago": 10}, Reason.AWAITING_SECOND_STATEMENT),
        ({}, {"observed_secs_ago": 9}, Reason.AWAITING_SECOND_STATEMENT),
    ],
)
def test_a_burn_needs_two_present_statements(newest: Any, previous: Any, reason: Reason) -> None:
    one = replace(BURNING, asset=replace(BURNING.asset, entries=(entry(ALPACA, 40, observed_ms=NOW_TS * 1_000),)))
    custody_view = known(
        statement(ALPACA, {MINT: 40}, **newest), statement(ALPACA, {MINT: 40}, **{"observed_secs_ago": 50, **previous})
    )
    decided = decide(one, custody_view)
    assert (decided.burns, outcome(decided)) == ((), (Action.NONE, 0, reason))


@pytest.mark.parametrize(("capacity_raw", "seen_raw"), [(41, 0), (40, 3), (37, 3)])
def test_a_burn_waits_until_the_chain_has_both_numbers_of_the_newest_statement(
    capacity_raw: int, seen_raw: int
) -> None:
    """The chain has the same time already, so there is nothing to relay: only the numbers differ."""
    redeeming = view(MINT, [entry(ALPACA, 40, observed_ms=(NOW_TS - 10) * 1_000, redeemed_total_raw=3)], supply_raw=60)
    assert decide(redeeming, two_lower_statements()).burns != ()
    newest = statement(ALPACA, {MINT: capacity_raw}, redeemed_seen_raw=seen_raw)
    decided = decide(redeeming, known(newest, statement(ALPACA, {MINT: 40}, 50)))
    assert (decided.burns, outcome(decided)) == ((), (Action.NONE, 0, Reason.AWAITING_RELAY))


def test_a_burn_waits_on_a_mint_with_another_multiplier() -> None:
    differing = replace(BURNING, mint=replace(BURNING.mint, new_multiplier_bits=TWO_BITS))
    assert outcome(decide(differing, two_lower_statements())) == (Action.NONE, 0, Reason.MULTIPLIER_DIFFERS)


@pytest.mark.parametrize(("scope", "where"), [(Scope.BURN, "config"), (Scope.TRANSFERS, "config")])
def test_a_pause_of_everything_stops_a_burn(scope: Scope, where: str) -> None:
    paused = replace(snapshot(BURNING).config, paused=scope)
    assert outcome(decide(BURNING, two_lower_statements(), config=paused)) == (Action.NONE, 0, Reason.PAUSED)


def test_the_ripcord_of_any_custodian_stops_a_burn_and_a_mint() -> None:
    two = [entry(ALPACA, 20), entry(GTN, 20)]
    custody_view = custody(
        [(statement(each, {MINT: 20}), statement(each, {MINT: 20}, 50)) for each in (ALPACA, GTN)],
        ripcords={(MINT, GTN): "audit"},
    )
    for supply_raw in (60, 30):
        one = view(MINT, two, supply_raw=supply_raw)
        assert outcome(decide(one, custody_view)) == (Action.NONE, 0, Reason.RIPCORD)
        assert outcome(decide(one, replace(custody_view, ripcords={})))[0] in (Action.BURN, Action.MINT)


@pytest.mark.parametrize("state", [EntryState.ATTACHED, EntryState.DETACHED])
def test_a_burn_leaves_no_less_than_unseen_redemptions_allow(state: EntryState) -> None:
    """M6: 40 shares, of which 3 are owed for tokens burnt already: 37 stay, of 60 then 23 are burnt; a detached
    custodian's unseen redemptions count the same."""
    custodian, owing = (ALPACA, ALPACA) if state is EntryState.ATTACHED else (ALPACA, GTN)
    entries = [entry(ALPACA, 40, redeemed_total_raw=3 if custodian is owing else 0)]
    if owing is GTN:
        entries.append(entry(GTN, 0, state=state, redeemed_total_raw=3))
    one = view(MINT, entries, supply_raw=60)
    decided = decide(one, two_lower_statements())
    assert outcome(decided) == (Action.BURN, 23, Reason.TO_TARGET)
    assert ceiling_raw(one, snapshot(one).custodians, NOW_TS) == 60 - 23


def test_what_was_redeemed_and_seen_is_no_reason_to_burn() -> None:
    """The same 3 counted by both statements: the capacity says it already."""
    one = view(MINT, [entry(ALPACA, 40, redeemed_total_raw=3, redeemed_seen_raw=3)], supply_raw=60)
    custody_view = known(
        statement(ALPACA, {MINT: 40}, redeemed_seen_raw=3), statement(ALPACA, {MINT: 40}, 50, redeemed_seen_raw=3)
    )
    assert outcome(decide(one, custody_view)) == (Action.BURN, 20, Reason.TO_TARGET)
    # Before: 43 and none of it seen. Both statements vouch for the same.
    before = known(statement(ALPACA, {MINT: 40}, redeemed_seen_raw=3), statement(ALPACA, {MINT: 43}, 50))
    assert outcome(decide(one, before)) == (Action.BURN, 20, Reason.TO_TARGET)


def test_what_holders_burnt_is_not_counted_against_them_twice() -> None:
    """M12: 40 backed, of which holders burnt 10 that nobody acknowledged: 30 stay."""
    one = view(MINT, [entry(ALPACA, 40)], supply_raw=60, holder_burnt_raw=10)
    assert outcome(decide(one, two_lower_statements())) == (Action.BURN, 30, Reason.TO_TARGET)
    acknowledged = journal_of(snapshot(one), acknowledged_raw=10)
    assert outcome(decide(one, two_lower_statements(), journal=acknowledged)) == (Action.BURN, 20, Reason.TO_TARGET)


def test_with_everything_owed_no_more_than_the_supply_is_burnt() -> None:
    one = view(MINT, [entry(ALPACA, 0, redeemed_total_raw=9)], supply_raw=5, vault_raw=5)
    decided = decide(one, two_lower_statements(0, 0))
    assert outcome(decided) == (Action.BURN, 5, Reason.TO_TARGET)
    assert asset_plan_of(decided, MINT).notes == ()


def test_tokens_that_wait_for_redemption_are_not_burnt() -> None:
    one = replace(view(MINT, [entry(ALPACA, 40)], supply_raw=60, vault_raw=5), redemption_vault_raw=55)
    assert outcome(decide(one, two_lower_statements())) == (Action.BURN, 5, Reason.TO_TARGET)
    assert one.circulating_raw == 0


@pytest.mark.parametrize("kind", [IntentKind.MINT, IntentKind.BURN])
def test_only_a_pending_burn_has_an_approval(kind: IntentKind) -> None:
    pending = live(kind, 20, IntentState.PENDING)
    decided = decide(
        BURNING, two_lower_statements(), PlanPolicy(burn_approval_bps=0), journal_of(snapshot(BURNING), live=pending)
    )
    assert decided.resends == ((pending,) if kind is IntentKind.BURN else ())
    assert [drop.live for drop in decided.drops] == ([] if kind is IntentKind.BURN else [pending])
    asked = [note.reason for note in asset_plan_of(decided, MINT).notes]
    assert asked == ([] if kind is IntentKind.BURN else [Reason.NEEDS_APPROVAL])


def test_a_burn_goes_before_an_order() -> None:
    order = Order(b"\x01" * 16, MINT, 5, WALLET, WALLET)
    decided = decide(BURNING, two_lower_statements(), journal=journal_of(snapshot(BURNING), [order]))
    assert (decided.distributions, outcome(decided)[:2]) == ((), (Action.BURN, 20))


@pytest.mark.parametrize("raw", [28, 29])
def test_silence_is_no_excess_and_a_relayed_statement_is_one(raw: int) -> None:
    """30 of 60 are stated on chain; where that entry is stale all inventory may be ordered, and where a newer
    statement says `raw` so much is kept back as that one leaves unbacked."""
    order = Order(b"\x01" * 16, MINT, raw, WALLET, WALLET)
    stale = view(MINT, [entry(ALPACA, 30, expires_ts=NOW_TS)], supply_raw=60)
    assert len(decide(stale, journal=journal_of(snapshot(stale), [order])).distributions) == 1
    custody_view = known(statement(ALPACA, {MINT: 28}))
    fresh = view(MINT, [entry(ALPACA, 30)], supply_raw=60)
    decided = decide(fresh, custody_view, journal=journal_of(snapshot(fresh), [order]))
    assert len(decided.relays) == 1
    assert bool(decided.distributions) is (raw <= 28)


# -- target


@pytest.mark.parametrize(
    ("told_raw", "secs_ago", "target_raw"), [(50, 10, 50), (50, 100, 60), (50, 101, 60), (70, 10, 60)]
)
def test_a_newer_lower_number_is_believed_before_it_is_on_chain(told_raw: int, secs_ago: int, target_raw: int) -> None:
    """The statement is of another epoch: the chain would not take it."""
    one = view(MINT, [entry(ALPACA, 60)], supply_raw=40)
    decided = decide(one, known(statement(ALPACA, {MINT: told_raw}, secs_ago, epoch=2)))
    assert (decided.relays, asset_plan_of(decided, MINT).target_raw) == ((), target_raw)


def test_a_counted_redemption_is_no_lower_number() -> None:
    one = view(MINT, [entry(ALPACA, 60, redeemed_total_raw=10)], supply_raw=40)
    counted = known(statement(ALPACA, {MINT: 50}, epoch=2, redeemed_seen_raw=10))
    assert asset_plan_of(decide(one, counted), MINT).target_raw == 50


def test_a_supply_above_its_limit_leaves_no_room() -> None:
    one = view(MINT, [entry(ALPACA, 60)], supply_raw=40, policy=replace(POLICY, supply_limit_raw=30))
    assert outcome(decide(one)) == (Action.NONE, 0, Reason.SUPPLY_LIMIT)


def test_the_hold_of_one_of_two_statements_is_foreseen() -> None:
    one = view(MINT, [entry(ALPACA, 20), entry(GTN, 20)], supply_raw=10, policy=replace(POLICY, max_rise_bps=5_000))
    custody_view = custody([(statement(ALPACA, {MINT: 21}), None), (statement(GTN, {MINT: 31}), None)])
    decided = decide(one, custody_view)
    assert len(decided.relays) == 2
    assert outcome(decided) == (Action.NONE, 0, Reason.HOLD_EXPECTED)
    calm = custody([(statement(ALPACA, {MINT: 21}), None), (statement(GTN, {MINT: 30}), None)])
    assert outcome(decide(one, calm)) == (Action.MINT, 41, Reason.TO_TARGET)


# -- relays


def test_a_retired_custodian_counts_nothing_and_is_not_relayed() -> None:
    one = view(MINT, [entry(ALPACA, 20), entry(GTN, 20)], supply_raw=10)
    retired = {ALPACA: custodian(ALPACA), GTN: replace(custodian(GTN), state=CustodianState.RETIRED)}
    chain = snapshot(one, custodians=retired)
    assert not entry_is_fresh(one.asset.entries[1], retired[GTN], POLICY, ONE_BITS, NOW_TS)
    assert entry_is_fresh(one.asset.entries[1], custodian(GTN), POLICY, ONE_BITS, NOW_TS)
    assert (ceiling_raw(one, retired, NOW_TS), ceiling_raw(one, snapshot(one).custodians, NOW_TS)) == (20, 40)
    signed = statement(GTN, {MINT: 30})
    assert statement_fault(signed.statement, chain) is Reason.STATEMENT_NOT_ATTACHED
    assert statement_fault(signed.statement, snapshot(one)) is None
    decided = decide(one, known(signed), custodians=retired)
    assert (decided.relays, outcome(decided)[:2]) == ((), (Action.MINT, 10))
    reserve = reserve_of(
        chain.config,
        one.asset,
        MINT,
        one.mint,
        retired.values(),
        NOW_TS,
        upgrade_authority=None,
        terms=Terms(0, None),
    )
    assert reserve.ceiling_raw == 20


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, None),
        ({"epoch": 2}, Reason.STATEMENT_EPOCH),
        ({"expires_ts": NOW_TS}, Reason.STATEMENT_EXPIRED),
        ({"expires_ts": NOW_TS + 1}, None),
        ({"observed_secs_ago": -SKEW_SECS}, None),
        ({"observed_secs_ago": -SKEW_SECS - 1}, Reason.STATEMENT_FUTURE),
        ({"multiplier_bits": TWO_BITS}, Reason.STATEMENT_MULTIPLIER),
        ({"redeemed_seen_raw": 3}, None),
        ({"redeemed_seen_raw": 4}, Reason.STATEMENT_SEEN),
    ],
)
def test_why_the_chain_would_refuse_a_statement(changes: Any, fault: Reason | None) -> None:
    chain = snapshot(view(MINT, [entry(ALPACA, 60, redeemed_total_raw=3)], supply_raw=10))
    assert statement_fault(statement(ALPACA, {MINT: 60}, **changes).statement, chain) is fault


def test_a_statement_about_an_asset_that_the_snapshot_lacks_is_kept_back() -> None:
    chain = snapshot(view(MINT, [entry(ALPACA, 60)], supply_raw=10))
    signed = statement(ALPACA, {MINT: 60, mint_address(9): 1})
    assert statement_fault(signed.statement, chain) is Reason.STATEMENT_UNKNOWN_ASSET


@pytest.mark.parametrize("changed", ["shares_nano", "redeemed_seen_raw"])
def test_every_number_of_a_statement_is_brought_to_the_chain(changed: str) -> None:
    """A capacity that stays the same hides neither other shares nor counted redemptions."""
    one = view(MINT, [entry(ALPACA, 60, redeemed_total_raw=3)], supply_raw=10)
    signed = statement(ALPACA, {MINT: 60})
    line = replace(signed.statement.entries[0], **{changed: getattr(signed.statement.entries[0], changed) + 3})
    other = replace(signed, statement=replace(signed.statement, entries=(line,)))
    assert decide(one, known(signed)).relays == ()
    assert len(decide(one, known(other)).relays) == 1


def test_the_newer_of_two_relayed_statements_stays() -> None:
    one = view(MINT, [entry(ALPACA, 60)], supply_raw=10)
    older, newer = statement(ALPACA, {MINT: 50}, 20).statement, statement(ALPACA, {MINT: 70}, 10).statement
    for order in ((older, newer), (newer, older)):
        after = after_relays(one, [(each, each.entries[0]) for each in order])
        assert after.asset.entries[0].capacity_raw == 70
    assert after_relays(one, [(replace(older, observed_ms=0), older.entries[0])]) == one


def test_a_relayed_statement_ends_a_withdrawal_and_leaves_detached_entries_alone() -> None:
    detached = entry(GTN, 5, state=EntryState.DETACHED)
    one = view(MINT, [entry(ALPACA, 0, withdrawn=True), detached], supply_raw=0)
    custody_view = custody([(statement(ALPACA, {MINT: 70}), None), (statement(GTN, {MINT: 70}), None)])
    decided = decide(one, custody_view)
    assert [relay.signed.statement.custodian for relay in decided.relays] == [ALPACA]
    assert outcome(decided) == (Action.MINT, 70, Reason.TO_TARGET)
    said = statement(GTN, {MINT: 70}).statement
    assert after_relays(one, [(said, said.entries[0])]) == one
    assert entries_by_asset(decided.relays)[MINT][0][1].capacity_raw == 70


@pytest.mark.parametrize(("renew_before_secs", "renewed"), [(99, False), (100, True)])
def test_an_entry_is_renewed_so_long_before_its_end(renew_before_secs: int, renewed: bool) -> None:
    one = view(MINT, [entry(ALPACA, 60, expires_ts=NOW_TS + 100)], supply_raw=60)
    policy = PlanPolicy(renew_before_secs=renew_before_secs)
    assert bool(decide(one, known(statement(ALPACA, {MINT: 60})), policy).relays) is renewed


def test_a_statement_that_is_stale_itself_is_not_relayed() -> None:
    one = view(MINT, [entry(ALPACA, 60, observed_ms=(NOW_TS - 9_000) * 1_000)], supply_raw=60)
    for secs_ago, relayed in ((3_600, True), (3_601, False)):
        assert bool(decide(one, known(statement(ALPACA, {MINT: 60}, secs_ago))).relays) is relayed


# -- holds


@pytest.mark.parametrize(
    ("before", "after", "asset", "hold"),
    [
        ({}, {"capacity_raw": 110}, {}, Hold(0)),
        ({}, {"capacity_raw": 111}, {}, Hold.RISE),
        # 10 counted as redeemed: 90 are expected, of which 99 are a rise of a tenth.
        ({"redeemed_total_raw": 10}, {"capacity_raw": 99, "redeemed_seen_raw": 10}, {}, Hold(0)),
        ({"redeemed_total_raw": 10}, {"capacity_raw": 100, "redeemed_seen_raw": 10}, {}, Hold.RISE),
        ({"withdrawn": True}, {"capacity_raw": 500}, {}, Hold(0)),
        ({"withdrawn": True}, {"capacity_raw": 500}, {"multiplier_changed_ts": NOW_TS - 1}, Hold.CA_WINDOW),
        ({}, {"capacity_raw": 105}, {"multiplier_changed_ts": NOW_TS - 1}, Hold.RISE),
        ({}, {"capacity_raw": 105}, {"multiplier_effective_ts": NOW_TS + 1}, Hold.RISE),
        ({}, {"capacity_raw": 105}, {"multiplier_changed_ts": NOW_TS - POLICY.ca_window_secs}, Hold(0)),
        ({}, {"capacity_raw": 105}, {"multiplier_changed_ts": NOW_TS - POLICY.ca_window_secs + 1}, Hold.RISE),
        ({}, {"capacity_raw": 100, "multiplier_bits": TWO_BITS}, {}, Hold(0)),
        ({}, {"capacity_raw": 99, "multiplier_bits": TWO_BITS}, {}, Hold.MULTIPLIER),
        ({}, {"capacity_raw": 101, "multiplier_bits": TWO_BITS}, {}, Hold.MULTIPLIER),
    ],
)
def test_the_hold_of_a_change(before: Any, after: Any, asset: Any, hold: Hold) -> None:
    old = entry(ALPACA, 100, **before)
    one = view(MINT, [old], supply_raw=10, policy=replace(POLICY, max_rise_bps=1_000), **asset)
    assert hold_set(one.asset, old, replace(old, withdrawn=False, **after), NOW_TS) == hold
