"""One case per rule of the plan: the refusal with its reason, and beside it the twin that passes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.domain.deciding import MINT, NEVER_ASKS, decide, live, lower_told, outcome
from tests.domain.world import (
    ALPACA,
    GTN,
    NOW_TS,
    POLICY,
    SKEW_SECS,
    TWO_BITS,
    WALLET,
    World,
    applied,
    asset_plan_of,
    config,
    custodian,
    custody,
    entry,
    journal_of,
    known,
    mint_address,
    model_submit,
    snapshot,
    statement,
    vault_of,
    view,
)
from xstocks_daemon.domain.decisions import Action, Reason
from xstocks_daemon.domain.intent import Intent, IntentKind, IntentState
from xstocks_daemon.domain.plan_inputs import (
    AssetJournal,
    CustodyView,
    Halt,
    HaltReason,
    JournalView,
    LiveIntent,
    Order,
    PlanPolicy,
    Quarantine,
    Totals,
)
from xstocks_daemon.domain.relays import hold_set
from xstocks_daemon.domain.snapshot import AssetState, Bucket, EntryState, Hold, Participant, ParticipantState, Scope

# -- mint


def test_mints_the_gap_to_the_ceiling_into_the_vault() -> None:
    decided = decide(view(MINT, [entry(ALPACA, 60), entry(GTN, 40)], supply_raw=30))
    assert decided.mints == (Intent(IntentKind.MINT, MINT, 1, 70, vault_of(MINT)),)
    assert outcome(decided) == (Action.MINT, 70, Reason.TO_TARGET)


def test_on_target_at_the_ceiling() -> None:
    decided = decide(view(MINT, [entry(ALPACA, 60)], supply_raw=60))
    assert decided.idle
    assert outcome(decided) == (Action.NONE, 0, Reason.ON_TARGET)


@pytest.mark.parametrize(
    ("asset_changes", "mint_changes", "config_changes", "reason"),
    [
        ({"state": AssetState.HALTED}, {}, {}, Reason.NOT_ACTIVE),
        ({"state": AssetState.RETIRED}, {}, {}, Reason.NOT_ACTIVE),
        ({"state": AssetState.RELEASED}, {}, {}, Reason.NOT_ACTIVE),
        ({"paused": Scope.MINT}, {}, {}, Reason.PAUSED),
        ({"paused": Scope.TRANSFERS}, {}, {}, Reason.PAUSED),
        ({}, {"paused": True}, {}, Reason.PAUSED),
        ({}, {}, {"paused": Scope.MINT}, Reason.PAUSED),
        ({"holds": Hold.RISE}, {}, {}, Reason.HELD),
        ({"holds": Hold.CA_WINDOW}, {}, {}, Reason.HELD),
        ({}, {"new_multiplier_bits": TWO_BITS}, {}, Reason.MULTIPLIER_DIFFERS),
        ({"multiplier_effective_ts": NOW_TS + 1}, {}, {}, Reason.MULTIPLIER_CHANGE),
        ({"policy": replace(POLICY, supply_limit_raw=10)}, {}, {}, Reason.SUPPLY_LIMIT),
        ({"policy": replace(POLICY, mint_burst_raw=0)}, {}, {}, Reason.BUCKET),
    ],
)
def test_what_stops_a_mint(asset_changes: Any, mint_changes: Any, config_changes: Any, reason: Reason) -> None:
    entries = [entry(ALPACA, 60)]
    stopped = view(MINT, entries, supply_raw=10, mint_changes=mint_changes, **asset_changes)
    assert outcome(decide(stopped, config=config(**config_changes))) == (Action.NONE, 0, reason)
    # A pause of something else stops nothing, and without the obstacle it mints.
    free = view(MINT, entries, supply_raw=10, paused=Scope.BURN | Scope.DISTRIBUTE)
    assert outcome(decide(free)) == (Action.MINT, 50, Reason.TO_TARGET)


@pytest.mark.parametrize(
    ("changes", "policy", "amount_raw", "limit"),
    [
        ({"policy": replace(POLICY, supply_limit_raw=25)}, NEVER_ASKS, 15, Reason.SUPPLY_LIMIT),
        ({"mint_bucket": Bucket(7, NOW_TS)}, NEVER_ASKS, 7, Reason.BUCKET),
        ({"mint_bucket": Bucket(7, NOW_TS), "initial_mint_raw": 20}, NEVER_ASKS, 27, Reason.BUCKET),
        ({}, PlanPolicy(max_mint_raw=5), 5, Reason.POLICY_LIMIT),
    ],
)
def test_a_limit_lowers_a_mint_and_is_named(changes: Any, policy: PlanPolicy, amount_raw: int, limit: Reason) -> None:
    decided = decide(view(MINT, [entry(ALPACA, 60)], supply_raw=10, **changes), policy=policy)
    assert outcome(decided) == (Action.MINT, amount_raw, Reason.TO_TARGET)
    assert [note.reason for note in asset_plan_of(decided, MINT).notes] == [limit]


@pytest.mark.parametrize(
    "changes",
    [
        {"withdrawn": True},
        {"epoch": 0},
        {"expires_ts": NOW_TS},
        {"observed_ms": (NOW_TS - POLICY.max_age_secs) * 1_000 - 1},
        {"multiplier_bits": TWO_BITS},
    ],
)
def test_an_entry_that_is_not_fresh_counts_nothing(changes: Any) -> None:
    decided = decide(view(MINT, [entry(ALPACA, 60, **changes)]))
    assert outcome(decided) == (Action.NONE, 0, Reason.AWAITING_FRESH_STATEMENT)
    edge = entry(ALPACA, 60, expires_ts=NOW_TS + 1, observed_ms=(NOW_TS - POLICY.max_age_secs) * 1_000)
    assert outcome(decide(view(MINT, [edge]))) == (Action.MINT, 60, Reason.TO_TARGET)


def test_no_entry() -> None:
    for entries in ([], [entry(ALPACA, 60, state=EntryState.DETACHED)]):
        assert outcome(decide(view(MINT, entries))) == (Action.NONE, 0, Reason.NO_ENTRY)


def test_unseen_redemptions_of_a_detached_entry_keep_counting() -> None:
    """M6."""
    gone = entry(GTN, 0, state=EntryState.DETACHED, redeemed_total_raw=9, redeemed_seen_raw=2)
    assert outcome(decide(view(MINT, [entry(ALPACA, 60), gone]))) == (Action.MINT, 53, Reason.TO_TARGET)


def test_a_ripcord_stops_minting() -> None:
    told = CustodyView(ripcords={(MINT, ALPACA): "audit"})
    one = view(MINT, [entry(ALPACA, 60)])
    assert outcome(decide(one, told)) == (Action.NONE, 0, Reason.RIPCORD)
    other = CustodyView(ripcords={(MINT, GTN): "of a custodian that is not attached"})
    assert outcome(decide(one, other)) == (Action.MINT, 60, Reason.TO_TARGET)


# -- relays


def test_mints_up_to_what_the_relayed_statement_says() -> None:
    told = known(statement(ALPACA, {MINT: 90}))
    decided = decide(view(MINT, [entry(ALPACA, 60)]), told)
    assert [relay.reasons for relay in decided.relays] == [((MINT, Reason.CHANGED),)]
    assert outcome(decided) == (Action.MINT, 90, Reason.TO_TARGET)


def test_a_statement_that_changes_nothing_is_not_relayed() -> None:
    decided = decide(view(MINT, [entry(ALPACA, 60)], supply_raw=60), known(statement(ALPACA, {MINT: 60})))
    assert decided.idle


def test_a_statement_that_is_not_newer_is_not_relayed() -> None:
    old = known(statement(ALPACA, {MINT: 90}, observed_secs_ago=100))
    assert decide(view(MINT, [entry(ALPACA, 60)], supply_raw=60), old).relays == ()
    newer = known(statement(ALPACA, {MINT: 90}, observed_secs_ago=99))
    assert len(decide(view(MINT, [entry(ALPACA, 60)], supply_raw=60), newer).relays) == 1


def test_an_entry_is_renewed_before_it_goes_stale() -> None:
    told = known(statement(ALPACA, {MINT: 60}, expires_ts=NOW_TS + 3_000))
    policy = PlanPolicy(renew_before_secs=300)
    soon = view(MINT, [entry(ALPACA, 60, expires_ts=NOW_TS + 300)], supply_raw=60)
    assert [relay.reasons for relay in decide(soon, told, policy).relays] == [((MINT, Reason.RENEWS),)]
    later = view(MINT, [entry(ALPACA, 60, expires_ts=NOW_TS + 301)], supply_raw=60)
    assert decide(later, told, policy).relays == ()


def test_short_lived_statements_are_not_renewed_at_once() -> None:
    """With a renewal time longer than their life every statement would be submitted."""
    told = known(statement(ALPACA, {MINT: 60}, expires_ts=NOW_TS + 100))
    young = view(MINT, [entry(ALPACA, 60, expires_ts=NOW_TS + 90)], supply_raw=60)
    assert decide(young, told, PlanPolicy(renew_before_secs=300)).relays == ()


def test_a_stale_entry_is_refreshed() -> None:
    told = known(statement(ALPACA, {MINT: 60}))
    decided = decide(view(MINT, [entry(ALPACA, 60, epoch=0)], supply_raw=60), told)
    assert [relay.reasons for relay in decided.relays] == [((MINT, Reason.NOT_FRESH_ON_CHAIN),)]
    assert outcome(decided) == (Action.NONE, 0, Reason.ON_TARGET)


def test_lower_statements_go_first() -> None:
    second = mint_address(2)
    chain = snapshot(view(MINT, [entry(ALPACA, 60)], supply_raw=60), view(second, [entry(GTN, 60)], supply_raw=60))
    told = custody([(statement(ALPACA, {MINT: 70}), None), (statement(GTN, {second: 50}), None)])
    decided = World(chain, told, NEVER_ASKS, journal_of(chain)).plan()
    assert [(relay.signed.statement.custodian, relay.lower) for relay in decided.relays] == [
        (GTN, True),
        (ALPACA, False),
    ]


def test_a_lower_number_is_confirmed_past_the_skew_so_that_shares_may_leave() -> None:
    """M13: the statement must be observed more than the skew after the marking."""
    lowered_ms = (NOW_TS - 100) * 1_000
    one = view(MINT, [entry(ALPACA, 60, observed_ms=lowered_ms)], supply_raw=60)
    too_early = known(statement(ALPACA, {MINT: 60}, 100 - SKEW_SECS), lowered_ms=lowered_ms)
    assert decide(one, too_early).relays == ()
    past = known(statement(ALPACA, {MINT: 60}, 99 - SKEW_SECS), lowered_ms=lowered_ms)
    assert [relay.reasons for relay in decide(one, past).relays] == [((MINT, Reason.CONFIRMS_LOWER),)]
    confirmed = view(MINT, [entry(ALPACA, 60, observed_ms=(NOW_TS - 99 + SKEW_SECS) * 1_000)], supply_raw=60)
    newest = known(statement(ALPACA, {MINT: 60}, 1), lowered_ms=lowered_ms)
    assert decide(confirmed, newest).relays == ()


@pytest.mark.parametrize(
    ("changes", "entry_changes", "reason"),
    [
        ({"epoch": 2}, {}, Reason.STATEMENT_EPOCH),
        ({"multiplier_bits": TWO_BITS}, {}, Reason.STATEMENT_MULTIPLIER),
        ({"redeemed_seen_raw": 1}, {}, Reason.STATEMENT_SEEN),
        ({"observed_secs_ago": -SKEW_SECS - 1}, {}, Reason.STATEMENT_FUTURE),
        ({}, {"state": EntryState.DETACHED}, Reason.STATEMENT_NOT_ATTACHED),
    ],
)
def test_a_statement_that_the_chain_would_refuse_is_kept_back(changes: Any, entry_changes: Any, reason: Reason) -> None:
    one = view(MINT, [entry(ALPACA, 60, **entry_changes)], supply_raw=60)
    decided = decide(one, known(statement(ALPACA, {MINT: 90}, **changes)))
    assert decided.relays == ()
    assert reason in [note.reason for note in asset_plan_of(decided, MINT).notes]
    good = statement(ALPACA, {MINT: 90}, observed_secs_ago=-SKEW_SECS)
    assert len(decide(view(MINT, [entry(ALPACA, 60)], supply_raw=60), known(good)).relays) == 1


def test_one_bad_line_keeps_the_whole_statement_back() -> None:
    """The digest covers all of its lines."""
    told = known(statement(ALPACA, {MINT: 90, mint_address(9): 1}))
    decided = decide(view(MINT, [entry(ALPACA, 60)], supply_raw=60), told)
    assert decided.relays == ()
    assert [note.reason for note in asset_plan_of(decided, MINT).notes] == [Reason.STATEMENT_UNKNOWN_ASSET]


def test_a_lower_statement_is_believed_even_where_it_cannot_be_relayed() -> None:
    told = known(statement(ALPACA, {MINT: 50, mint_address(9): 1}))
    decided = decide(view(MINT, [entry(ALPACA, 60)], supply_raw=40), told)
    assert outcome(decided) == (Action.MINT, 10, Reason.TO_TARGET)


@pytest.mark.parametrize(
    ("before", "after", "around_change", "hold"),
    [
        # A rise from the predecessor, less what is newly seen.
        ({"capacity_raw": 10_000}, {"capacity_raw": 15_000}, False, Hold(0)),
        ({"capacity_raw": 10_000}, {"capacity_raw": 15_001}, False, Hold.RISE),
        ({"capacity_raw": 10_000}, {"capacity_raw": 0}, False, Hold(0)),
        ({"capacity_raw": 10_000}, {"capacity_raw": 7_500, "redeemed_seen_raw": 5_000}, False, Hold(0)),
        ({"capacity_raw": 10_000}, {"capacity_raw": 7_501, "redeemed_seen_raw": 5_000}, False, Hold.RISE),
        # Around a change its tolerance (10 bps).
        ({"capacity_raw": 10_000}, {"capacity_raw": 10_010}, True, Hold(0)),
        ({"capacity_raw": 10_000}, {"capacity_raw": 10_011}, True, Hold.RISE),
        # With another multiplier both ways.
        ({"capacity_raw": 10_000}, {"capacity_raw": 9_990, "multiplier_bits": TWO_BITS}, False, Hold(0)),
        ({"capacity_raw": 10_000}, {"capacity_raw": 9_989, "multiplier_bits": TWO_BITS}, False, Hold.MULTIPLIER),
        ({"capacity_raw": 10_000}, {"capacity_raw": 10_011, "multiplier_bits": TWO_BITS}, False, Hold.MULTIPLIER),
        # Without a predecessor: withdrawn, zero, or all of it redeemed.
        ({"capacity_raw": 0}, {"capacity_raw": 5}, False, Hold(0)),
        ({"capacity_raw": 0}, {"capacity_raw": 5}, True, Hold.CA_WINDOW),
        ({"capacity_raw": 9, "withdrawn": True}, {"capacity_raw": 9}, True, Hold.CA_WINDOW),
        ({"capacity_raw": 9}, {"capacity_raw": 9, "redeemed_seen_raw": 9}, True, Hold.CA_WINDOW),
    ],
)
def test_the_hold_that_a_statement_sets(before: Any, after: Any, around_change: bool, hold: Hold) -> None:
    """The same cases as in the program (submit_attestation.rs)."""
    changes = {"multiplier_changed_ts": NOW_TS - 1} if around_change else {}
    asset = view(MINT, [], policy=replace(POLICY, max_rise_bps=5_000, ca_tolerance_bps=10), **changes).asset
    old = replace(entry(ALPACA, 0), **before)
    assert hold_set(asset, old, replace(old, withdrawn=False, **after), NOW_TS) is hold


def test_no_mint_on_a_statement_that_will_set_a_hold() -> None:
    """M9: a rise by more than max_rise_bps."""
    policy = replace(POLICY, max_rise_bps=5_000)
    one = view(MINT, [entry(ALPACA, 60)], supply_raw=10, policy=policy)
    held = decide(one, known(statement(ALPACA, {MINT: 91})))
    assert len(held.relays) == 1
    assert outcome(held) == (Action.NONE, 0, Reason.HOLD_EXPECTED)
    assert outcome(decide(one, known(statement(ALPACA, {MINT: 90})))) == (Action.MINT, 80, Reason.TO_TARGET)


# -- burn


def test_burns_what_two_statements_leave_unbacked() -> None:
    decided = decide(view(MINT, [entry(ALPACA, 40)], supply_raw=60), lower_told())
    assert decided.burns == (Intent(IntentKind.BURN, MINT, 1, 20, vault_of(MINT)),)
    assert outcome(decided) == (Action.BURN, 20, Reason.TO_TARGET)


def test_burns_only_what_both_statements_agree_on() -> None:
    decided = decide(view(MINT, [entry(ALPACA, 40)], supply_raw=60), lower_told(previous_raw=45))
    assert outcome(decided) == (Action.BURN, 15, Reason.TO_TARGET)
    none = decide(view(MINT, [entry(ALPACA, 40)], supply_raw=60), lower_told(previous_raw=60))
    assert outcome(none) == (Action.NONE, 0, Reason.AWAITING_SECOND_STATEMENT)


def test_the_lower_statement_is_relayed_before_the_burn() -> None:
    chain = snapshot(view(MINT, [entry(ALPACA, 60)], supply_raw=60))
    world = World(chain, lower_told(), NEVER_ASKS, journal_of(chain))
    first = world.plan()
    assert [relay.lower for relay in first.relays] == [True]
    assert outcome(first) == (Action.NONE, 0, Reason.AWAITING_RELAY)
    assert outcome(applied(world, first).plan()) == (Action.BURN, 20, Reason.TO_TARGET)


@pytest.mark.parametrize(
    ("entries", "told", "changes", "reason"),
    [
        ([entry(ALPACA, 40)], CustodyView(), {}, Reason.AWAITING_FRESH_STATEMENT),
        ([entry(ALPACA, 40)], known(statement(ALPACA, {MINT: 40})), {}, Reason.AWAITING_SECOND_STATEMENT),
        ([entry(ALPACA, 40), entry(GTN, 0)], lower_told(), {}, Reason.AWAITING_FRESH_STATEMENT),
        ([entry(ALPACA, 40, expires_ts=NOW_TS)], lower_told(), {}, Reason.AWAITING_FRESH_STATEMENT),
        ([entry(ALPACA, 0, withdrawn=True)], lower_told(), {}, Reason.AWAITING_FRESH_STATEMENT),
        ([entry(ALPACA, 40)], lower_told(ripcords={(MINT, ALPACA): "audit"}), {}, Reason.RIPCORD),
        ([entry(ALPACA, 40)], lower_told(failures={ALPACA: "no answer"}), {}, Reason.SOURCE_FAILED),
        ([entry(ALPACA, 40)], lower_told(), {"holds": Hold.RISE}, Reason.HELD),
        # Books with the one half of a corporate action look like fewer shares.
        ([entry(ALPACA, 40)], lower_told(), {"multiplier_effective_ts": NOW_TS + 1}, Reason.MULTIPLIER_CHANGE),
        ([entry(ALPACA, 40)], lower_told(), {"paused": Scope.BURN}, Reason.PAUSED),
        ([entry(ALPACA, 40)], lower_told(), {"state": AssetState.HALTED}, Reason.NOT_ACTIVE),
        ([entry(ALPACA, 40)], lower_told(), {"mint_changes": {"paused": True}}, Reason.PAUSED),
        ([], CustodyView(), {}, Reason.NO_ENTRY),
    ],
)
def test_what_stops_a_burn(entries: Any, told: CustodyView, changes: Any, reason: Reason) -> None:
    """Silence, staleness or a new epoch never burn."""
    decided = decide(view(MINT, entries, supply_raw=60, **changes), told)
    assert decided.burns == ()
    assert outcome(decided) == (Action.NONE, 0, reason)


def test_a_new_epoch_never_burns() -> None:
    custodians = {ALPACA: custodian(ALPACA, epoch=2)}
    one = view(MINT, [entry(ALPACA, 40, epoch=2)], supply_raw=60)
    told = known(statement(ALPACA, {MINT: 40}, epoch=2), statement(ALPACA, {MINT: 40}, 50, epoch=1))
    assert outcome(decide(one, told, custodians=custodians)) == (Action.NONE, 0, Reason.AWAITING_SECOND_STATEMENT)
    told = known(statement(ALPACA, {MINT: 40}, epoch=2), statement(ALPACA, {MINT: 40}, 50, epoch=2))
    assert outcome(decide(one, told, custodians=custodians)) == (Action.BURN, 20, Reason.TO_TARGET)


def test_a_retired_asset_still_burns() -> None:
    retired = view(MINT, [entry(ALPACA, 40)], supply_raw=60, state=AssetState.RETIRED)
    assert outcome(decide(retired, lower_told())) == (Action.BURN, 20, Reason.TO_TARGET)


def test_what_the_vault_does_not_cover_is_a_shortfall() -> None:
    decided = decide(view(MINT, [entry(ALPACA, 40)], supply_raw=60, vault_raw=5), lower_told())
    line = asset_plan_of(decided, MINT)
    assert outcome(decided) == (Action.BURN, 5, Reason.TO_TARGET)
    assert (line.excess_raw, line.shortfall_raw) == (20, 15)
    assert [(note.reason, note.amount_raw) for note in line.notes] == [(Reason.SHORTFALL, 15)]
    empty = decide(view(MINT, [entry(ALPACA, 40)], supply_raw=60, vault_raw=0), lower_told())
    assert outcome(empty) == (Action.NONE, 0, Reason.SHORTFALL)


def test_a_large_burn_waits_for_approval() -> None:
    one, policy = view(MINT, [entry(ALPACA, 40)], supply_raw=60), PlanPolicy(burn_approval_bps=2_000)
    chain = snapshot(one)
    assert outcome(decide(one, lower_told(), policy)) == (Action.NONE, 0, Reason.NEEDS_APPROVAL)
    for approved, expected in ((19, Reason.NEEDS_APPROVAL), (20, Reason.TO_TARGET)):
        journal = journal_of(chain, burn_approved_raw=approved)
        assert outcome(decide(one, lower_told(), policy, journal))[2] is expected
    small = view(MINT, [entry(ALPACA, 48)], supply_raw=60)
    assert outcome(decide(small, lower_told(48, 48), policy)) == (Action.BURN, 12, Reason.TO_TARGET)


# -- an adopted asset


def test_an_adopted_asset_is_attested_first_and_then_minted_up_to_its_ceiling() -> None:
    """Two people say once that its supply is right (adopt-baseline); the statement that makes it active is relayed."""
    told = known(statement(ALPACA, {MINT: 100}))
    adopted = {"sequence": 0, "minted_raw": 0, "adopted_raw": 60}
    halted = view(MINT, [entry(ALPACA, 0, withdrawn=True)], supply_raw=60, state=AssetState.HALTED, **adopted)
    [halt] = decide(halted, told, journal=JournalView()).halts
    assert halt.reason is HaltReason.TOTALS_DIFFER
    first = decide(halted, told)
    assert [relay.signed.statement for relay in first.relays] == [told.evidence[MINT][ALPACA].newest.signed.statement]
    assert outcome(first) == (Action.NONE, 0, Reason.NOT_ACTIVE)
    chain = model_submit(snapshot(halted), first.relays[0].signed)
    active = chain.assets[MINT]
    assert active.asset.state is AssetState.ACTIVE
    assert outcome(decide(active, told)) == (Action.MINT, 40, Reason.TO_TARGET)


# -- M12


def test_a_holder_burn_is_alerted_and_not_minted_again_until_acknowledged() -> None:
    one = view(MINT, [entry(ALPACA, 60)], supply_raw=50, holder_burnt_raw=10)
    chain = snapshot(one)
    fresh = decide(one, journal=journal_of(chain, holder_burnt_raw=4))
    assert [(alert.recorded_raw, alert.holder_burnt_raw) for alert in fresh.alerts] == [(4, 10)]
    assert fresh.halts == ()
    assert outcome(fresh) == (Action.NONE, 0, Reason.ON_TARGET)
    known_burn = decide(one, journal=journal_of(chain))
    assert known_burn.alerts == ()
    assert asset_plan_of(known_burn, MINT).target_raw == 50
    acknowledged = decide(one, journal=journal_of(chain, acknowledged_raw=10))
    assert outcome(acknowledged) == (Action.MINT, 10, Reason.TO_TARGET)


@pytest.mark.parametrize("state", [EntryState.ATTACHED, EntryState.DETACHED])
def test_a_settled_redemption_is_explained_and_is_no_holders_burn(state: EntryState) -> None:
    """Slots are never freed, so the totals of all entries explain what was burnt without an intent."""
    keeping, gone = entry(ALPACA, 60), entry(GTN, 0, state=state)
    before = view(MINT, [keeping, gone], supply_raw=60)
    journal = journal_of(snapshot(before))
    settled = replace(
        before,
        asset=replace(before.asset, burnt_raw=10, entries=(keeping, replace(gone, redeemed_total_raw=10))),
        mint=replace(before.mint, supply_raw=50),
        vault_raw=50,
    )
    decided = decide(settled, known(statement(ALPACA, {MINT: 60})), journal=journal)
    assert (decided.halts, decided.alerts) == ((), ())
    assert (asset_plan_of(decided, MINT).holder_burnt_raw, asset_plan_of(decided, MINT).ceiling_raw) == (0, 50)
    assert outcome(decided)[0] is Action.NONE
    # Its twins: a burn that no entry counts, and an entry that counts what was not burnt.
    for burnt_raw, redeemed_raw in ((10, 0), (10, 9), (10, 11)):
        counted = (keeping, replace(gone, redeemed_total_raw=redeemed_raw))
        wrong = replace(settled, asset=replace(settled.asset, burnt_raw=burnt_raw, entries=counted))
        assert [halt.reason for halt in decide(wrong, journal=journal).halts] == [HaltReason.TOTALS_DIFFER]


def test_a_redemption_settled_while_an_intent_is_under_way_is_explained() -> None:
    before = view(MINT, [entry(ALPACA, 60)], supply_raw=50)
    under_way = Intent(IntentKind.MINT, MINT, before.asset.sequence, 10, vault_of(MINT))
    live = LiveIntent(1, under_way, IntentState.SUBMITTED)
    journal = journal_of(snapshot(before), live=live)
    redeemed = replace(before.asset.entries[0], redeemed_total_raw=5)
    for executed in (False, True):
        asset = replace(before.asset, burnt_raw=5, entries=(redeemed,))
        if executed:
            asset = replace(asset, sequence=under_way.sequence + 1, minted_raw=asset.minted_raw + 10)
        supply_raw = 45 + 10 * executed
        after = replace(before, asset=asset, mint=replace(before.mint, supply_raw=supply_raw), vault_raw=supply_raw)
        decided = decide(after, journal=journal)
        assert (decided.halts, decided.alerts) == ((), ())
        assert outcome(decided)[2] is Reason.IN_FLIGHT


def test_after_a_redemption_the_target_waits_for_the_custodian_to_count_it() -> None:
    """M6: burnt 10, not minted again on a statement that has not counted them; counted, the shares decide."""
    one = view(MINT, [entry(ALPACA, 60, redeemed_total_raw=10)], supply_raw=50)
    assert outcome(decide(one, known(statement(ALPACA, {MINT: 60})))) == (Action.NONE, 0, Reason.ON_TARGET)
    counted = known(statement(ALPACA, {MINT: 50}, redeemed_seen_raw=10))
    assert outcome(decide(one, counted)) == (Action.NONE, 0, Reason.ON_TARGET)
    bought = known(statement(ALPACA, {MINT: 60}, redeemed_seen_raw=10))
    assert outcome(decide(one, bought)) == (Action.MINT, 10, Reason.TO_TARGET)
    # Nothing is burnt for it once more, though two statements say less than there was.
    twice = known(*(statement(ALPACA, {MINT: 50}, age, redeemed_seen_raw=10) for age in (10, 20)))
    assert decide(one, twice).burns == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"holder_burnt_raw": 11}, HaltReason.HOLDER_BURNT_FELL),
        ({"totals": Totals()}, HaltReason.FOREIGN_SEQUENCE),
        ({"totals": Totals(sequence=1, minted_raw=59)}, HaltReason.TOTALS_DIFFER),
        ({"totals": Totals(sequence=1, minted_raw=60, distributed_raw=1)}, HaltReason.TOTALS_DIFFER),
        ({"totals": Totals(sequence=1, minted_raw=60, adopted_raw=1)}, HaltReason.TOTALS_DIFFER),
    ],
)
def test_what_the_journal_does_not_explain_halts(changes: Any, reason: HaltReason) -> None:
    one = view(MINT, [entry(ALPACA, 70)], supply_raw=50, holder_burnt_raw=10)
    chain = snapshot(one)
    decided = decide(one, journal=journal_of(chain, **changes))
    assert [(halt.mint, halt.reason) for halt in decided.halts] == [(MINT, reason)]
    assert outcome(decided) == (Action.HALT, 0, Reason.UNEXPLAINED)
    assert decide(one, journal=journal_of(chain)).halts == ()


def test_an_empty_journal_takes_an_asset_at_sequence_0_and_no_other() -> None:
    empty = JournalView()
    assert outcome(decide(view(MINT, [entry(ALPACA, 60)]), journal=empty)) == (Action.MINT, 60, Reason.TO_TARGET)
    foreign = decide(view(MINT, [entry(ALPACA, 60)], supply_raw=1), journal=empty)
    assert [halt.reason for halt in foreign.halts] == [HaltReason.FOREIGN_SEQUENCE]


def test_an_old_reading_of_the_chain_decides_nothing() -> None:
    one = view(MINT, [entry(ALPACA, 70)], supply_raw=50)
    behind = Totals(sequence=2, minted_raw=70)
    decided = decide(one, journal=JournalView({MINT: AssetJournal(totals=behind, holder_burnt_raw=5)}))
    assert decided.idle
    assert outcome(decided) == (Action.NONE, 0, Reason.SNAPSHOT_BEHIND)


def test_a_halted_asset_is_left_alone_but_its_statements_go_on() -> None:
    one = view(MINT, [entry(ALPACA, 70)], supply_raw=50)
    halt = Halt(MINT, HaltReason.ENDPOINTS_DIFFER, "three times")
    decided = decide(one, known(statement(ALPACA, {MINT: 60})), journal=journal_of(snapshot(one), halt=halt))
    assert decided.intents == ()
    assert decided.halts == ()
    assert outcome(decided) == (Action.NONE, 0, Reason.HALTED)
    assert [relay.lower for relay in decided.relays] == [True]


def test_a_quarantined_asset_waits() -> None:
    one = view(MINT, [entry(ALPACA, 70)], supply_raw=50)
    aside = journal_of(snapshot(one), quarantine=Quarantine("simulation: error 6021", NOW_TS * 1_000))
    assert outcome(decide(one, journal=aside)) == (Action.NONE, 0, Reason.QUARANTINED)


# -- intents under way (M11)


def test_nothing_new_while_an_attempt_may_execute() -> None:
    before = view(MINT, [entry(ALPACA, 70)], supply_raw=50)
    submitted = live(IntentKind.MINT, 20, IntentState.SUBMITTED)
    journal = journal_of(snapshot(before), live=submitted)
    assert outcome(decide(before, journal=journal)) == (Action.NONE, 0, Reason.IN_FLIGHT)
    # It has landed and the journal does not know yet: still explained.
    after = view(MINT, [entry(ALPACA, 70)], supply_raw=70, sequence=2)
    landed = decide(after, journal=journal)
    assert landed.halts == ()
    assert outcome(landed) == (Action.NONE, 0, Reason.IN_FLIGHT)
    # A pending intent has no attempt: then nobody of ours executed it.
    foreign = decide(after, journal=journal_of(snapshot(before), live=replace(submitted, state=IntentState.PENDING)))
    assert [halt.reason for halt in foreign.halts] == [HaltReason.FOREIGN_SEQUENCE]


@pytest.mark.parametrize(("amount_raw", "action"), [(20, Action.RESEND), (19, Action.RESEND), (21, Action.DROP)])
def test_a_pending_intent_is_sent_again_or_dropped(amount_raw: int, action: Action) -> None:
    one = view(MINT, [entry(ALPACA, 70)], supply_raw=50)
    pending = live(IntentKind.MINT, amount_raw, IntentState.PENDING)
    decided = decide(one, journal=journal_of(snapshot(one), live=pending))
    assert decided.intents == ()
    assert asset_plan_of(decided, MINT).action is action
    assert decided.resends == ((pending,) if action is Action.RESEND else ())
    assert [drop.live for drop in decided.drops] == ([pending] if action is Action.DROP else [])


def test_a_pending_burn_keeps_the_approval_that_it_used_up() -> None:
    one, policy = view(MINT, [entry(ALPACA, 40)], supply_raw=60), PlanPolicy(burn_approval_bps=0)
    pending = live(IntentKind.BURN, 20, IntentState.PENDING)
    assert decide(one, lower_told(), policy, journal_of(snapshot(one), live=pending)).resends == (pending,)


# -- orders


ORDER = Order(b"\x01" * 16, MINT, 30, WALLET, WALLET)


def test_an_order_is_served_before_a_mint() -> None:
    one = view(MINT, [entry(ALPACA, 70)], supply_raw=50)
    decided = decide(one, journal=journal_of(snapshot(one), [ORDER]))
    assert decided.distributions == (Intent(IntentKind.DISTRIBUTE, MINT, 1, 30, WALLET, ORDER.order_id),)
    assert outcome(decided) == (Action.DISTRIBUTE, 30, Reason.ORDERED)


@pytest.mark.parametrize(
    ("changes", "participant", "reason"),
    [
        ({"vault_raw": 29}, {}, Reason.INVENTORY),
        ({"distribute_bucket": Bucket(29, NOW_TS)}, {}, Reason.BUCKET),
        ({"paused": Scope.DISTRIBUTE}, {}, Reason.PAUSED),
        ({"state": AssetState.RETIRED}, {}, Reason.NOT_ACTIVE),
        ({}, {"state": ParticipantState.INACTIVE}, Reason.NO_PARTICIPANT),
        ({}, {"expires_ts": NOW_TS}, Reason.PARTICIPANT_EXPIRED),
    ],
)
def test_what_an_order_waits_for(changes: Any, participant: Any, reason: Reason) -> None:
    one = view(MINT, [entry(ALPACA, 50)], supply_raw=50, **changes)
    wallet = replace(Participant(WALLET, WALLET, ParticipantState.ACTIVE, "CH", NOW_TS + 1), **participant)
    decided = decide(one, journal=journal_of(snapshot(one), [ORDER]), participants={WALLET: wallet})
    assert decided.distributions == ()
    assert [note.reason for note in asset_plan_of(decided, MINT).notes] == [reason]
    passing = view(MINT, [entry(ALPACA, 50)], supply_raw=50, vault_raw=30, distribute_bucket=Bucket(30, NOW_TS))
    assert len(decide(passing, journal=journal_of(snapshot(passing), [ORDER])).distributions) == 1


def test_an_order_of_a_stranger_waits() -> None:
    one = view(MINT, [entry(ALPACA, 50)], supply_raw=50)
    decided = decide(one, journal=journal_of(snapshot(one), [ORDER]), participants={})
    assert [note.reason for note in asset_plan_of(decided, MINT).notes] == [Reason.NO_PARTICIPANT]


def test_inventory_that_is_to_be_burnt_is_not_distributed() -> None:
    """The statement is known, the burn still waits for the second one."""
    one = view(MINT, [entry(ALPACA, 40)], supply_raw=60, vault_raw=49)
    told = known(statement(ALPACA, {MINT: 40}))
    decided = decide(one, told, journal=journal_of(snapshot(one), [ORDER]))
    assert decided.distributions == ()
    assert outcome(decided) == (Action.NONE, 0, Reason.AWAITING_SECOND_STATEMENT)
    enough = view(MINT, [entry(ALPACA, 40)], supply_raw=60, vault_raw=50)
    assert len(decide(enough, told, journal=journal_of(snapshot(enough), [ORDER])).distributions) == 1


def test_one_order_at_a_time_and_the_journaled_one_first() -> None:
    one = view(MINT, [entry(ALPACA, 50)], supply_raw=50)
    second = replace(ORDER, order_id=b"\x02" * 16, amount_raw=5)
    chain = snapshot(one)
    assert decide(one, journal=journal_of(chain, [ORDER, second])).distributions[0].order_id == ORDER.order_id
    pending = LiveIntent(3, Intent(IntentKind.DISTRIBUTE, MINT, 1, 5, WALLET, second.order_id), IntentState.PENDING)
    decided = decide(one, journal=journal_of(chain, [ORDER, second], live=pending))
    assert decided.resends == (pending,)


def test_the_mint_line_says_what_people_need() -> None:
    told = known(statement(ALPACA, {MINT: 90}))
    line = asset_plan_of(decide(view(MINT, [entry(ALPACA, 60)], supply_raw=30, vault_raw=10), told), MINT)
    assert (line.symbol, line.decimals) == ("AAPLx", 8)
    assert (line.supply_raw, line.vault_raw, line.ceiling_raw, line.planned_ceiling_raw, line.target_raw) == (
        30,
        10,
        60,
        90,
        90,
    )
