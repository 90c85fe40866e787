"""The life of an intent is what its table says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstocks_daemon.domain.intent import IntentState
from xstocks_daemon.domain.lifecycle import LIFE_CYCLE, IllegalStep, IntentEvent, mermaid, step

DOCS = Path(__file__).parents[2] / "docs" / "intent-life-cycle.md"


@given(st.lists(st.sampled_from(IntentEvent), max_size=30))
def test_whatever_happens_it_executes_at_most_once_and_never_after_its_end(events: Sequence[IntentEvent]) -> None:
    state: IntentState | None = None
    landed, attempts_alive = 0, 0
    for event in events:
        try:
            after = step(state, event)
        except IllegalStep:
            continue
        assert state not in (IntentState.DONE, IntentState.DROPPED) or after is state
        attempts_alive += event is IntentEvent.ATTEMPT_RECORDED
        attempts_alive -= event in (IntentEvent.LANDED, IntentEvent.PROVED_DEAD)
        landed += event is IntentEvent.LANDED
        state = after
        # M11: one attempt at a time, and the state says whether one may still execute.
        assert attempts_alive == (state is IntentState.SUBMITTED)
        assert landed == (state is IntentState.DONE)


@pytest.mark.parametrize("state", IntentState)
def test_every_state_survives_a_restart_and_is_reachable(state: IntentState) -> None:
    assert step(state, IntentEvent.RESTARTED) is state
    reached: set[IntentState | None] = {None}
    for _ in IntentState:
        reached |= {edge.after for edge in LIFE_CYCLE if edge.before in reached}
    assert state in reached


def test_one_edge_for_a_state_and_an_event() -> None:
    assert len({(edge.before, edge.event) for edge in LIFE_CYCLE}) == len(LIFE_CYCLE)


def test_an_illegal_step_is_named() -> None:
    with pytest.raises(IllegalStep, match="an intent that is pending cannot be landed"):
        step(IntentState.PENDING, IntentEvent.LANDED)
    assert step(IntentState.SUBMITTED, IntentEvent.LANDED) is IntentState.DONE


def test_the_diagram_in_the_docs_is_made_from_the_table() -> None:
    assert f"```mermaid\n{mermaid()}```" in DOCS.read_text()
