"""The model holds with all rules, and not without any single one of them."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from tests.model.actions import Model
from tests.model.explore import Problem, Result, TooManyStates, explore, walk
from tests.model.kinds import Action
from tests.model.kinds import Kind as Step
from tests.model.known_steps import KnownSteps, tidied
from tests.model.rules import ALL, Kind, Rule
from tests.model.scenarios import BESIDE, SHOWN_IN, SMALL, WORLDS
from tests.model.shown import DOCS, STUCK_RULES, generated, shown, without
from tests.model.world import backing, claims, ordered, start, unbacked

LEAST_STATES = {
    "redeem": 600,
    "move": 39_000,
    "move-1": 6_000,
    "clocks": 62_000,
    "loss": 3_000,
    "slots": 2_000,
    "slots-loss": 3_000,
    "redeem-move": 70_000,
    "action": 54_000,
    "alone-move": 1_200,
    "alone-redeem-move": 600,
    "alone-retire": 6_000,
    "alone-action": 2_000,
    "alone-action-back": 60_000,
    "alone-action-small": 2_000,
    "alone-action-redeem": 26_000,
    "alone-action-return": 20_000,
    "alone-action-move": 22_000,
}
SHOWING_ACTIONS = [world for world, states in LEAST_STATES.items() if states < 20_000]
"""Enough for every action, and quick to explore."""
LONGEST_TRACE = 16
ONLY_WITHOUT_A_RULE = {Step.FORGE, Step.SIGN_WITHOUT, Step.COUNT_INCOMING, Step.PAY_RETURNED}
SHOWABLE = [rule for rule in Rule if rule.kind is not Kind.REDUNDANT]


@cache
def whole(world: str) -> Result:
    """A world explored with all rules."""
    return explore(SMALL[world])


@pytest.mark.early
@pytest.mark.parametrize("world", SMALL)
def test_with_all_rules_nothing_is_unbacked_or_stuck(world: str) -> None:
    result = whole(world)
    assert result.problem is None, result.trace
    assert result.states >= LEAST_STATES[world]


def test_every_action_happens_in_some_world() -> None:
    happened = sum((whole(world).actions for world in SHOWING_ACTIONS), Counter[Step]())
    assert set(Step) - set(happened) == ONLY_WITHOUT_A_RULE


@pytest.mark.parametrize("rule", SHOWABLE, ids=lambda rule: rule.name)
def test_without_a_rule_a_short_trace_goes_wrong(rule: Rule) -> None:
    result = shown(rule)
    assert result.problem is (Problem.STUCK if rule in STUCK_RULES else Problem.UNBACKED)
    assert 0 < len(result.trace) <= LONGEST_TRACE
    # Step by step once more: each action is offered, only the last state is bad.
    model = Model(result.bounds, ALL - without(rule))
    states = walk(model, [step.action for step in result.trace])
    assert states == [step.state for step in result.trace]
    if result.problem is Problem.UNBACKED:
        assert [unbacked(state) for state in states] == [False] * (len(states) - 1) + [True]
        assert claims(states[-1]) == backing(states[-1]) + 1


@pytest.mark.parametrize("rule", [rule for rule in SHOWABLE if rule not in STUCK_RULES], ids=lambda rule: rule.name)
def test_with_the_rule_the_same_steps_do_no_harm(rule: Rule) -> None:
    result = shown(rule)
    model = Model(result.bounds, (ALL - without(rule)) | {rule})
    steps = [step.action for step in result.trace]
    stopped_at = next((at for at in range(1, len(steps) + 1) if not _possible(model, steps[:at])), None)
    # Every trace to unbacked tokens has a step that its rule forbids; up to there nothing is unbacked.
    assert stopped_at is not None
    assert not any(unbacked(state) for state in walk(model, steps[: stopped_at - 1]))


def _possible(model: Model, steps: list[Action]) -> bool:
    try:
        walk(model, steps)
    except ValueError:
        return False
    return True


@pytest.mark.early
@pytest.mark.parametrize(
    "rule", [rule for rule in BESIDE if rule is not Rule.LEAVE_NO_HOLD], ids=lambda rule: rule.name
)
def test_what_is_taken_away_beside_a_rule_is_not_the_cause(rule: Rule) -> None:
    """LEAVE_NO_HOLD's world is too large for here; the docs give its figures."""
    assert explore(WORLDS[SHOWN_IN[rule]], BESIDE[rule], liveness=False).problem is None


def test_a_rule_said_to_be_redundant_is_so_in_its_world() -> None:
    for rule in Rule:
        if rule.kind is Kind.REDUNDANT:
            assert shown(rule).problem is None


@pytest.mark.parametrize("world", ["redeem", "move-1", "loss", "alone-action"])
def test_steps_that_are_known_are_those_of_the_model(world: str) -> None:
    model = Model(SMALL[world], ALL)
    known = KnownSteps(model)
    reached = {start(model.bounds)}
    ahead = list(reached)
    while ahead:
        state = ahead.pop()
        steps = list(known.steps(state))
        assert steps == [(action, tidied(model, state, after)) for action, after in model.steps(state)]
        new = {ordered(model.bounds, after) for _, after in steps} - reached
        reached |= new
        ahead.extend(new)
    assert len(reached) == whole(world).states


def test_every_rule_has_its_world() -> None:
    assert set(SHOWN_IN) == set(Rule)


def test_too_many_states_are_said() -> None:
    with pytest.raises(TooManyStates, match="more than 10 states"):
        explore(SMALL["redeem"], max_states=10)


def test_an_action_that_is_not_offered_is_not_walked() -> None:
    with pytest.raises(ValueError, match="BURN is not possible"):
        walk(Model(SMALL["redeem"], ALL), [Action(Step.BURN)])
    assert walk(Model(SMALL["redeem"], ALL), [Action(Step.MINT), Action(Step.BURN)])[-1].supply == 0


def test_the_docs_are_current() -> None:
    assert generated() in DOCS.read_text(), "run: python -m tests.model --write-docs"
