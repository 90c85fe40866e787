"""What is burnt, on which evidence, and what stops it: each refusal with its reason, beside it the twin that passes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.domain.builders import (
    ALPACA,
    GTN,
    NOW_TS,
    World,
    asset_plan_of,
    custodian,
    entry,
    journal_of,
    known,
    snapshot,
    statement,
    vault_of,
    view,
)
from tests.domain.chain_model import applied
from tests.domain.deciding import MINT, NEVER_ASKS, decide, outcome, two_lower_statements
from xstocks_daemon.domain.decisions import Action, Reason
from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.plan_inputs import (
    CustodyView,
    PlanPolicy,
)
from xstocks_daemon.domain.snapshot import AssetState, Bucket, Hold, Scope


def test_burns_what_two_statements_leave_unbacked() -> None:
    decided = decide(view(MINT, [entry(ALPACA, 40)], supply_raw=60), two_lower_statements())
    assert decided.burns == (Intent(IntentKind.BURN, MINT, 1, 20, vault_of(MINT)),)
    assert outcome(decided) == (Action.BURN, 20, Reason.TO_TARGET)


def test_burns_only_what_both_statements_agree_on() -> None:
    decided = decide(view(MINT, [entry(ALPACA, 40)], supply_raw=60), two_lower_statements(previous_raw=45))
    assert outcome(decided) == (Action.BURN, 15, Reason.TO_TARGET)
    none = decide(view(MINT, [entry(ALPACA, 40)], supply_raw=60), two_lower_statements(previous_raw=60))
    assert outcome(none) == (Action.NONE, 0, Reason.AWAITING_SECOND_STATEMENT)


def test_the_bucket_of_burns_lowers_a_burn_and_is_named() -> None:
    shrunk = view(MINT, [entry(ALPACA, 40)], supply_raw=60, burn_bucket=Bucket(7, NOW_TS))
    decided = decide(shrunk, two_lower_statements())
    assert outcome(decided) == (Action.BURN, 7, Reason.TO_TARGET)
    assert [(note.reason, note.amount_raw) for note in asset_plan_of(decided, MINT).notes] == [(Reason.BUCKET, 7)]
    empty = view(MINT, [entry(ALPACA, 40)], supply_raw=60, burn_bucket=Bucket(0, NOW_TS))
    assert outcome(decide(empty, two_lower_statements())) == (Action.NONE, 0, Reason.BUCKET)
    enough = view(MINT, [entry(ALPACA, 40)], supply_raw=60, burn_bucket=Bucket(20, NOW_TS))
    assert outcome(decide(enough, two_lower_statements())) == (Action.BURN, 20, Reason.TO_TARGET)


def test_a_large_burn_that_the_bucket_cuts_into_pieces_waits_for_a_person() -> None:
    pieces = view(MINT, [entry(ALPACA, 40)], supply_raw=60, burn_bucket=Bucket(5, NOW_TS))
    asks = PlanPolicy(burn_approval_bps=3_000)  # 18 of 60
    assert outcome(decide(pieces, two_lower_statements(), policy=asks)) == (Action.NONE, 0, Reason.NEEDS_APPROVAL)
    for approved, expected in ((19, Reason.NEEDS_APPROVAL), (20, Reason.TO_TARGET)):
        decided = decide(pieces, two_lower_statements(), asks, journal_of(snapshot(pieces), burn_approved_raw=approved))
        assert outcome(decided)[2] is expected
    never = decide(pieces, two_lower_statements(), policy=PlanPolicy(burn_approval_bps=3_400))
    assert outcome(never) == (Action.BURN, 5, Reason.TO_TARGET)


def test_the_lower_statement_is_relayed_before_the_burn() -> None:
    chain = snapshot(view(MINT, [entry(ALPACA, 60)], supply_raw=60))
    world = World(chain, two_lower_statements(), NEVER_ASKS, journal_of(chain))
    first = world.plan()
    assert [relay.lower for relay in first.relays] == [True]
    assert outcome(first) == (Action.NONE, 0, Reason.AWAITING_RELAY)
    assert outcome(applied(world, first).plan()) == (Action.BURN, 20, Reason.TO_TARGET)


@pytest.mark.parametrize(
    ("entries", "custody_view", "changes", "reason"),
    [
        ([entry(ALPACA, 40)], CustodyView(), {}, Reason.AWAITING_FRESH_STATEMENT),
        ([entry(ALPACA, 40)], known(statement(ALPACA, {MINT: 40})), {}, Reason.AWAITING_SECOND_STATEMENT),
        ([entry(ALPACA, 40), entry(GTN, 0)], two_lower_statements(), {}, Reason.AWAITING_FRESH_STATEMENT),
        ([entry(ALPACA, 40, expires_ts=NOW_TS)], two_lower_statements(), {}, Reason.AWAITING_FRESH_STATEMENT),
        ([entry(ALPACA, 0, withdrawn=True)], two_lower_statements(), {}, Reason.AWAITING_FRESH_STATEMENT),
        ([entry(ALPACA, 40)], two_lower_statements(ripcords={(MINT, ALPACA): "audit"}), {}, Reason.RIPCORD),
        ([entry(ALPACA, 40)], two_lower_statements(failures={ALPACA: "no answer"}), {}, Reason.SOURCE_FAILED),
        ([entry(ALPACA, 40)], two_lower_statements(), {"holds": Hold.RISE}, Reason.HELD),
        # Books with the one half of a corporate action look like fewer shares.
        (
            [entry(ALPACA, 40)],
            two_lower_statements(),
            {"multiplier_effective_ts": NOW_TS + 1},
            Reason.MULTIPLIER_CHANGE,
        ),
        ([entry(ALPACA, 40)], two_lower_statements(), {"paused": Scope.BURN}, Reason.PAUSED),
        ([entry(ALPACA, 40)], two_lower_statements(), {"state": AssetState.HALTED}, Reason.NOT_ACTIVE),
        ([entry(ALPACA, 40)], two_lower_statements(), {"mint_changes": {"paused": True}}, Reason.PAUSED),
        ([], CustodyView(), {}, Reason.NO_ENTRY),
    ],
)
def test_what_stops_a_burn(entries: Any, custody_view: CustodyView, changes: Any, reason: Reason) -> None:
    """Silence, staleness or a new epoch never burn."""
    decided = decide(view(MINT, entries, supply_raw=60, **changes), custody_view)
    assert decided.burns == ()
    assert outcome(decided) == (Action.NONE, 0, reason)


def test_a_new_epoch_never_burns() -> None:
    custodians = {ALPACA: custodian(ALPACA, epoch=2)}
    one = view(MINT, [entry(ALPACA, 40, epoch=2)], supply_raw=60)
    custody_view = known(statement(ALPACA, {MINT: 40}, epoch=2), statement(ALPACA, {MINT: 40}, 50, epoch=1))
    assert outcome(decide(one, custody_view, custodians=custodians)) == (
        Action.NONE,
        0,
        Reason.AWAITING_SECOND_STATEMENT,
    )
    custody_view = known(statement(ALPACA, {MINT: 40}, epoch=2), statement(ALPACA, {MINT: 40}, 50, epoch=2))
    assert outcome(decide(one, custody_view, custodians=custodians)) == (Action.BURN, 20, Reason.TO_TARGET)


def test_a_retired_asset_still_burns() -> None:
    retired = view(MINT, [entry(ALPACA, 40)], supply_raw=60, state=AssetState.RETIRED)
    assert outcome(decide(retired, two_lower_statements())) == (Action.BURN, 20, Reason.TO_TARGET)


def test_what_the_vault_does_not_cover_is_a_shortfall() -> None:
    decided = decide(view(MINT, [entry(ALPACA, 40)], supply_raw=60, vault_raw=5), two_lower_statements())
    line = asset_plan_of(decided, MINT)
    assert outcome(decided) == (Action.BURN, 5, Reason.TO_TARGET)
    assert (line.excess_raw, line.shortfall_raw) == (20, 15)
    assert [(note.reason, note.amount_raw) for note in line.notes] == [(Reason.SHORTFALL, 15)]
    empty = decide(view(MINT, [entry(ALPACA, 40)], supply_raw=60, vault_raw=0), two_lower_statements())
    assert outcome(empty) == (Action.NONE, 0, Reason.SHORTFALL)


def test_a_large_burn_waits_for_approval() -> None:
    one, policy = view(MINT, [entry(ALPACA, 40)], supply_raw=60), PlanPolicy(burn_approval_bps=2_000)
    chain = snapshot(one)
    assert outcome(decide(one, two_lower_statements(), policy)) == (Action.NONE, 0, Reason.NEEDS_APPROVAL)
    for approved, expected in ((19, Reason.NEEDS_APPROVAL), (20, Reason.TO_TARGET)):
        journal = journal_of(chain, burn_approved_raw=approved)
        assert outcome(decide(one, two_lower_statements(), policy, journal))[2] is expected
    small = view(MINT, [entry(ALPACA, 48)], supply_raw=60)
    assert outcome(decide(small, two_lower_statements(48, 48), policy)) == (Action.BURN, 12, Reason.TO_TARGET)
