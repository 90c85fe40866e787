"""Which statements are relayed, in which order, and what they are believed for before they are on chain."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.domain.builders import (
    ALPACA,
    GTN,
    NOW_TS,
    POLICY,
    SKEW_SECS,
    TWO_BITS,
    World,
    asset_plan_of,
    custody,
    entry,
    journal_of,
    known,
    mint_address,
    snapshot,
    statement,
    view,
)
from tests.domain.deciding import MINT, NEVER_ASKS, decide, outcome
from xstocks_daemon.domain.decisions import Action, Reason
from xstocks_daemon.domain.plan_inputs import (
    PlanPolicy,
)
from xstocks_daemon.domain.relays import hold_set
from xstocks_daemon.domain.snapshot import EntryState, Hold


def test_mints_up_to_what_the_relayed_statement_says() -> None:
    custody_view = known(statement(ALPACA, {MINT: 90}))
    decided = decide(view(MINT, [entry(ALPACA, 60)]), custody_view)
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
    custody_view = known(statement(ALPACA, {MINT: 60}, expires_ts=NOW_TS + 3_000))
    policy = PlanPolicy(renew_before_secs=300)
    soon = view(MINT, [entry(ALPACA, 60, expires_ts=NOW_TS + 300)], supply_raw=60)
    assert [relay.reasons for relay in decide(soon, custody_view, policy).relays] == [((MINT, Reason.RENEWS),)]
    later = view(MINT, [entry(ALPACA, 60, expires_ts=NOW_TS + 301)], supply_raw=60)
    assert decide(later, custody_view, policy).relays == ()


def test_short_lived_statements_are_not_renewed_at_once() -> None:
    """With a renewal time longer than their life every statement would be submitted."""
    custody_view = known(statement(ALPACA, {MINT: 60}, expires_ts=NOW_TS + 100))
    young = view(MINT, [entry(ALPACA, 60, expires_ts=NOW_TS + 90)], supply_raw=60)
    assert decide(young, custody_view, PlanPolicy(renew_before_secs=300)).relays == ()


def test_a_stale_entry_is_refreshed() -> None:
    custody_view = known(statement(ALPACA, {MINT: 60}))
    decided = decide(view(MINT, [entry(ALPACA, 60, epoch=0)], supply_raw=60), custody_view)
    assert [relay.reasons for relay in decided.relays] == [((MINT, Reason.NOT_FRESH_ON_CHAIN),)]
    assert outcome(decided) == (Action.NONE, 0, Reason.ON_TARGET)


def test_lower_statements_go_first() -> None:
    second = mint_address(2)
    chain = snapshot(view(MINT, [entry(ALPACA, 60)], supply_raw=60), view(second, [entry(GTN, 60)], supply_raw=60))
    custody_view = custody([(statement(ALPACA, {MINT: 70}), None), (statement(GTN, {second: 50}), None)])
    decided = World(chain, custody_view, NEVER_ASKS, journal_of(chain)).plan()
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
    custody_view = known(statement(ALPACA, {MINT: 90, mint_address(9): 1}))
    decided = decide(view(MINT, [entry(ALPACA, 60)], supply_raw=60), custody_view)
    assert decided.relays == ()
    assert [note.reason for note in asset_plan_of(decided, MINT).notes] == [Reason.STATEMENT_UNKNOWN_ASSET]


def test_a_lower_statement_is_believed_even_where_it_cannot_be_relayed() -> None:
    custody_view = known(statement(ALPACA, {MINT: 50, mint_address(9): 1}))
    decided = decide(view(MINT, [entry(ALPACA, 60)], supply_raw=40), custody_view)
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
    changes: dict[str, Any] = {"multiplier_changed_ts": NOW_TS - 1} if around_change else {}
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
