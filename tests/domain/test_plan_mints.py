"""What is minted and what stops it: each refusal with its reason, beside it the twin that passes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.domain.builders import (
    ALPACA,
    GTN,
    NOW_TS,
    POLICY,
    TWO_BITS,
    asset_plan_of,
    config,
    entry,
    known,
    statement,
    vault_of,
    view,
)
from tests.domain.deciding import MINT, NEVER_ASKS, decide, outcome
from xstocks_daemon.domain.decisions import Action, Reason
from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.plan_inputs import (
    CustodyView,
    PlanPolicy,
)
from xstocks_daemon.domain.snapshot import AssetState, Bucket, EntryState, Hold, Scope


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
    custody_view = CustodyView(ripcords={(MINT, ALPACA): "audit"})
    one = view(MINT, [entry(ALPACA, 60)])
    assert outcome(decide(one, custody_view)) == (Action.NONE, 0, Reason.RIPCORD)
    other = CustodyView(ripcords={(MINT, GTN): "of a custodian that is not attached"})
    assert outcome(decide(one, other)) == (Action.MINT, 60, Reason.TO_TARGET)


def test_the_mint_line_says_what_people_need() -> None:
    custody_view = known(statement(ALPACA, {MINT: 90}))
    line = asset_plan_of(decide(view(MINT, [entry(ALPACA, 60)], supply_raw=30, vault_raw=10), custody_view), MINT)
    assert (line.symbol, line.decimals) == ("AAPLx", 8)
    assert (line.supply_raw, line.vault_raw, line.ceiling_raw, line.planned_ceiling_raw, line.target_raw) == (
        30,
        10,
        60,
        90,
        90,
    )
