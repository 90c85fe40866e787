"""The plan beside an intent of before: it waits, sends it again, or drops it (M11)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.domain.builders import (
    ALPACA,
    asset_plan_of,
    entry,
    journal_of,
    snapshot,
    view,
)
from tests.domain.deciding import MINT, decide, live, outcome, two_lower_statements
from xstocks_daemon.domain.decisions import Action, Reason
from xstocks_daemon.domain.intent import IntentKind, IntentState
from xstocks_daemon.domain.plan_inputs import (
    HaltReason,
    PlanPolicy,
)


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
    assert decide(one, two_lower_statements(), policy, journal_of(snapshot(one), live=pending)).resends == (pending,)
