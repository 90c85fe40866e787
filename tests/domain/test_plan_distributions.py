"""Which orders are served and what they wait for: each refusal with its reason, beside it the twin that passes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.domain.builders import (
    ALPACA,
    NOW_TS,
    WALLET,
    asset_plan_of,
    entry,
    journal_of,
    known,
    snapshot,
    statement,
    view,
)
from tests.domain.deciding import MINT, decide, outcome
from xstocks_daemon.domain.decisions import Action, Reason
from xstocks_daemon.domain.intent import Intent, IntentKind, IntentState
from xstocks_daemon.domain.plan_inputs import (
    LiveIntent,
    Order,
)
from xstocks_daemon.domain.snapshot import AssetState, Bucket, Participant, ParticipantState, Scope

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
    custody_view = known(statement(ALPACA, {MINT: 40}))
    decided = decide(one, custody_view, journal=journal_of(snapshot(one), [ORDER]))
    assert decided.distributions == ()
    assert outcome(decided) == (Action.NONE, 0, Reason.AWAITING_SECOND_STATEMENT)
    enough = view(MINT, [entry(ALPACA, 40)], supply_raw=60, vault_raw=50)
    assert len(decide(enough, custody_view, journal=journal_of(snapshot(enough), [ORDER])).distributions) == 1


def test_one_order_at_a_time_and_the_journaled_one_first() -> None:
    one = view(MINT, [entry(ALPACA, 50)], supply_raw=50)
    second = replace(ORDER, order_id=b"\x02" * 16, amount_raw=5)
    chain = snapshot(one)
    assert decide(one, journal=journal_of(chain, [ORDER, second])).distributions[0].order_id == ORDER.order_id
    pending = LiveIntent(3, Intent(IntentKind.DISTRIBUTE, MINT, 1, 5, WALLET, second.order_id), IntentState.PENDING)
    decided = decide(one, journal=journal_of(chain, [ORDER, second], live=pending))
    assert decided.resends == (pending,)
