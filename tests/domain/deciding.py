"""Short ways to decide one asset by the plan, for its tests."""

from __future__ import annotations

from typing import Any

from tests.domain.builders import (
    ALPACA,
    World,
    asset_plan_of,
    journal_of,
    known,
    mint_address,
    snapshot,
    statement,
    vault_of,
)
from xstocks_daemon.domain.decisions import Action, Plan, Reason
from xstocks_daemon.domain.intent import Intent, IntentKind, IntentState
from xstocks_daemon.domain.plan_inputs import CustodyView, JournalView, LiveIntent, PlanPolicy

MINT = mint_address(1)
NEVER_ASKS = PlanPolicy(burn_approval_bps=10_000)


def decide(
    one: Any,
    custody_view: CustodyView | None = None,
    policy: PlanPolicy = NEVER_ASKS,
    journal: JournalView | None = None,
    **chain_changes: Any,
) -> Plan:
    chain = snapshot(one, **chain_changes)
    return World(chain, custody_view or CustodyView(), policy, journal or journal_of(chain)).plan()


def outcome(decided: Plan) -> tuple[Action, int, Reason]:
    line = asset_plan_of(decided, MINT)
    return line.action, line.amount_raw, line.reason


def two_lower_statements(newest_raw: int = 40, previous_raw: int = 40, **changes: Any) -> CustodyView:
    newest, previous = statement(ALPACA, {MINT: newest_raw}), statement(ALPACA, {MINT: previous_raw}, 50)
    return known(newest, previous, **changes)


def live(kind: IntentKind, amount_raw: int, state: IntentState, sequence: int = 1) -> LiveIntent:
    return LiveIntent(7, Intent(kind, MINT, sequence, amount_raw, vault_of(MINT)), state)
