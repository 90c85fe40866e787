"""Breadth-first exploration: every reachable state once, the first bad one with its shortest trace."""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from tests.model.actions import Model
from tests.model.kinds import Action, Kind, Step
from tests.model.known_steps import KnownSteps, tidied
from tests.model.rules import ALL, Rule
from tests.model.world import Bounds, State, ordered, settled, start, unbacked


class TooManyStates(Exception):
    """The exploration was larger than allowed."""


class Problem(Enum):
    """What is wrong with the last state of a trace."""

    UNBACKED = "unbacked"
    STUCK = "stuck"


@dataclass(slots=True)
class Graph:
    """What was explored. `states[0]` is the start; `parents` give the way back. `back` are honest edges reversed."""

    states: list[State] = field(default_factory=list)
    parents: array[int] = field(default_factory=lambda: array("q"))
    actions: Counter[Kind] = field(default_factory=Counter)
    edges_from: array[int] = field(default_factory=lambda: array("q"))
    edges_to: array[int] = field(default_factory=lambda: array("q"))
    transitions: int = 0
    depth: int = 0


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One step of a trace in words, the state after it, custodians in the order A, B."""

    action: Action
    state: State


@dataclass(frozen=True, slots=True)
class Result:
    """`seconds` of processor time. `trace`: the shortest to a bad state, empty where there is no problem."""

    bounds: Bounds
    states: int
    transitions: int
    depth: int
    seconds: float
    actions: Counter[Kind]
    problem: Problem | None
    trace: tuple[TraceStep, ...]


def explore(
    bounds: Bounds, without: frozenset[Rule] = frozenset(), *, liveness: bool = True, max_states: int = 50_000_000
) -> Result:
    """Search for unbacked tokens and, with `liveness`, for states from which nothing honest leads to `settled`. Where
    shares may be missing not everything can be settled, and the second search is left out.

    TooManyStates above `max_states`.
    """
    began = time.process_time()
    model = Model(bounds, ALL - without)
    liveness = liveness and not bounds.loss
    graph, found = _search(model, max_states, keep_edges=liveness)
    stuck = found is None and liveness
    if stuck:
        found = _first_stuck(bounds, graph)
    trace = () if found is None else replay(model, _path(graph, found))
    seconds = time.process_time() - began
    problem = None if found is None else Problem.STUCK if stuck else Problem.UNBACKED
    return Result(bounds, len(graph.states), graph.transitions, graph.depth, seconds, graph.actions, problem, trace)


def _search(model: Model, max_states: int, *, keep_edges: bool) -> tuple[Graph, int | None]:
    graph, known_steps, bounds = Graph(), KnownSteps(model), model.bounds
    kinds = graph.actions
    first = start(bounds)
    known = {first: 0}
    graph.states.append(first)
    graph.parents.append(-1)
    level_end, index = 1, 0
    while index < len(graph.states):
        if index == level_end:
            graph.depth += 1
            level_end = len(graph.states)
        before = graph.states[index]
        for action, after in known_steps.steps(before):
            state = ordered(bounds, after)
            graph.transitions += 1
            kinds[action.kind] += 1
            number = known.get(state)
            if number is None:
                number = len(graph.states)
                known[state] = number
                graph.states.append(state)
                graph.parents.append(index)
                if unbacked(state):
                    graph.depth += 1
                    return graph, number
                if number >= max_states:
                    raise TooManyStates(f"more than {max_states} states within {bounds}")
            if keep_edges and action.kind.honest and number != index:
                graph.edges_from.append(number)
                graph.edges_to.append(index)
        index += 1
    return graph, None


def _path(graph: Graph, number: int) -> list[State]:
    path = []
    while number >= 0:
        path.append(graph.states[number])
        number = graph.parents[number]
    return path[::-1]


def replay(model: Model, path: list[State]) -> tuple[TraceStep, ...]:
    """Walk the path again from the start, each step by an action that the model offers, without exchanging the
    custodians: so A stays A. Raises ValueError where no action leads on."""
    state, trace = path[0], []
    for target in path[1:]:
        action, state = _step_to(model, state, target)
        trace.append(TraceStep(action, state))
    return tuple(trace)


def _step_to(model: Model, state: State, target: State) -> Step:
    for action, after in model.steps(state):
        pruned = tidied(model, state, after)
        if ordered(model.bounds, pruned) == target:
            return action, pruned
    raise ValueError(f"no action leads from {state} to {target}")


def walk(model: Model, actions: Sequence[Action]) -> list[State]:
    """The states after each of these actions, from the start. ValueError for an action that is not possible."""
    state, states = start(model.bounds), []
    for action in actions:
        after = next((after for offered, after in model.steps(state) if offered == action), None)
        if after is None:
            raise ValueError(f"{action.kind.name} is not possible in {state}")
        state = tidied(model, state, after)
        states.append(state)
    return states


def _first_stuck(bounds: Bounds, graph: Graph) -> int | None:
    """The first state from which no honest steps reach a settled one, found backwards from the settled ones."""
    begins = array("q", [0]) * (len(graph.states) + 1)
    for number in graph.edges_from:
        begins[number + 1] += 1
    for number in range(len(graph.states)):
        begins[number + 1] += begins[number]
    place, before = array("q", begins), array("q", [0]) * len(graph.edges_to)
    for number, predecessor in zip(graph.edges_from, graph.edges_to, strict=True):
        before[place[number]] = predecessor
        place[number] += 1
    fine = bytearray(len(graph.states))
    ahead = [number for number, state in enumerate(graph.states) if settled(bounds, state)]
    for number in ahead:
        fine[number] = 1
    while ahead:
        number = ahead.pop()
        for predecessor in before[begins[number] : begins[number + 1]]:
            if not fine[predecessor]:
                fine[predecessor] = 1
                ahead.append(predecessor)
    stuck = fine.find(0)
    return None if stuck < 0 else stuck
