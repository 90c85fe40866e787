"""The life of an intent as one table (design, section 6.3). The journal moves intents by it, and the diagram in
docs/intent-life-cycle.md is made from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from xstocks_daemon.domain.intent import IntentState


class IntentEvent(Enum):
    """What can happen to an intent: the labels of the life cycle's edges."""

    RECORDED = "recorded"
    ATTEMPT_RECORDED = "attempt recorded"
    LANDED = "landed"
    PROVED_DEAD = "proved dead"
    NOT_WANTED = "not wanted"
    RESTARTED = "restarted"


@dataclass(frozen=True, slots=True)
class Edge:
    """From `before` (None: it does not exist yet) by `event` to `after`; `effect` says what is done at it."""

    before: IntentState | None
    event: IntentEvent
    after: IntentState
    effect: str


LIFE_CYCLE: tuple[Edge, ...] = (
    Edge(
        None,
        IntentEvent.RECORDED,
        IntentState.PENDING,
        "its sequence number is taken; a burn uses up its approval",
    ),
    Edge(
        IntentState.PENDING,
        IntentEvent.ATTEMPT_RECORDED,
        IntentState.SUBMITTED,
        "signature and full bytes are committed, then sent",
    ),
    Edge(IntentState.PENDING, IntentEvent.NOT_WANTED, IntentState.DROPPED, "its sequence number is free again"),
    Edge(IntentState.PENDING, IntentEvent.RESTARTED, IntentState.PENDING, "the plan resends or drops it"),
    Edge(
        IntentState.SUBMITTED,
        IntentEvent.LANDED,
        IntentState.DONE,
        "the journal's totals move, its order is done",
    ),
    Edge(IntentState.SUBMITTED, IntentEvent.PROVED_DEAD, IntentState.PENDING, "the plan resends or drops it"),
    Edge(
        IntentState.SUBMITTED,
        IntentEvent.RESTARTED,
        IntentState.SUBMITTED,
        "the same bytes are sent until they land or are proved dead",
    ),
    Edge(IntentState.DONE, IntentEvent.RESTARTED, IntentState.DONE, "final"),
    Edge(IntentState.DROPPED, IntentEvent.RESTARTED, IntentState.DROPPED, "final"),
)

_STEPS = {(edge.before, edge.event): edge.after for edge in LIFE_CYCLE}


class IllegalStep(ValueError):
    """The life cycle has no such edge."""


def step(before: IntentState | None, event: IntentEvent) -> IntentState:
    """The state after `event`. Raises IllegalStep where the table has no edge."""
    try:
        return _STEPS[before, event]
    except KeyError:
        state = "nothing" if before is None else before.value
        raise IllegalStep(f"an intent that is {state} cannot be {event.value}") from None


def mermaid() -> str:
    """The table as a Mermaid state diagram, for the docs."""
    lines = ["stateDiagram-v2"]
    for edge in LIFE_CYCLE:
        before = "[*]" if edge.before is None else edge.before.value
        lines.append(f"    {before} --> {edge.after.value}: {edge.event.value} ({edge.effect})")
    ends = [state for state in IntentState if not any(e.before is state is not e.after for e in LIFE_CYCLE)]
    lines += [f"    {state.value} --> [*]" for state in ends]
    return "\n".join(lines) + "\n"
