"""The model's steps, worked out once for all states that have a custodian in common.

Most of what a custodian does depends on little but itself, and few custodians make up many states.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.model.actions import Model
from tests.model.kinds import TICK, Action, Step
from tests.model.world import Custodian, State, ticked


class _Change(NamedTuple):
    """What an action of one custodian does to a state; `supply` and `outside` are added."""

    action: Action
    custodian: Custodian
    supply: int
    outside: int
    hold: bool
    clear_signed: bool


class KnownSteps:
    """`Model.steps` with every state `tidied`: the same steps in the same order (test_model.py)."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._ticked: dict[tuple[Custodian, int], Custodian] = {}
        self._changes: dict[tuple[object, ...], tuple[list[_Change], list[_Change]]] = {}

    def steps(self, state: State) -> Iterator[Step]:
        """All actions that are possible now, each with the state after it, both custodians in their normal form."""
        model = self.model
        yield TICK, self._tick(state)
        for action, after in model.of_both(state):
            yield action, tidied(model, state, after)
        may = model.may_lose(state), model.may_settle(state), model.may_accept(state)
        for who in model.bounds.acting:
            alone, booked = self._of_one(state, who, may)
            for change in alone:
                yield change[0], _changed(state, who, change)
            for action, after in model.moving(state, who):
                yield action, tidied(model, state, after)
            for change in booked:
                yield change[0], _changed(state, who, change)

    def _tick(self, state: State) -> State:
        known, multiplier = self._ticked, state.multiplier
        after = []
        for custodian in (state.first, state.second):
            key = (custodian, multiplier)
            later = known.get(key)
            if later is None:
                later = known[key] = self.model.tidy(ticked(custodian), multiplier)
            after.append(later)
        return State(after[0], after[1], *state[2:])

    def _of_one(self, state: State, who: int, may: tuple[bool, ...]) -> tuple[list[_Change], list[_Change]]:
        """What a custodian does alone, and what it books. The key is all that those actions look at."""
        _, _, _, _, multiplier, goal, stage, hold, retired, clear_signed = state
        key = (state[who], who, multiplier, goal, stage, hold, retired, clear_signed, may)
        known = self._changes.get(key)
        if known is None:
            known = self._changes[key] = (
                [self._change(state, who, step) for step in self.model.of_one(state, who)],
                [self._change(state, who, step) for step in self.model.booking(state, who)],
            )
        return known

    def _change(self, state: State, who: int, step: Step) -> _Change:
        action, after = step
        custodian = tidied(self.model, state, after).custodians[who]
        supply, outside = after.supply - state.supply, after.outside - state.outside
        return _Change(action, custodian, supply, outside, after.hold, after.clear_signed)


def _changed(state: State, who: int, change: _Change) -> State:
    first, second, outside, supply, multiplier, goal, stage, _, retired, _ = state
    _, custodian, more_supply, more_outside, hold, clear_signed = change
    if who:
        second = custodian
    else:
        first = custodian
    return State(
        first,
        second,
        outside + more_outside,
        supply + more_supply,
        multiplier,
        goal,
        stage,
        hold,
        retired,
        clear_signed,
    )


def tidied(model: Model, before: State, after: State) -> State:
    """`after` with both custodians in their normal form, in their places."""
    first, second = after.first, after.second
    changed = after.multiplier != before.multiplier
    if changed or first is not before.first:
        first = model.tidy(first, after.multiplier)
    if changed or second is not before.second:
        second = model.tidy(second, after.multiplier)
    if first is after.first and second is after.second:
        return after
    return State(first, second, *after[2:])
