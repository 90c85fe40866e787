"""Traces and tables in words, for people and for docs/money-rules-model.md."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from tests.model.explore import Problem, Result
from tests.model.kinds import Action
from tests.model.rules import Kind, Rule
from tests.model.scenarios import BESIDE, SHOWN_IN
from tests.model.world import SKEW, Custodian, EntryState, Stage, State, Statement, backing, claims

NAMES = ("A", "B")


def action_words(action: Action) -> str:
    """One step; A is the first custodian of the start."""
    who = NAMES[action.who] if action.who >= 0 else ""
    statement = "" if action.statement is None else _statement_words(action.statement)
    return action.kind.words.format(who=who, statement=statement, goal=Fraction(2) ** action.goal)


def _statement_words(statement: Statement) -> str:
    words = f"capacity {statement.capacity}"
    if statement.seen:
        words += f" + seen {statement.seen}"
    if statement.multiplier:
        words += f" at the new multiplier {Fraction(2) ** statement.multiplier}"
    if statement.observed > SKEW:
        return words + " (stamped far ahead)"
    if statement.observed == SKEW:
        return words + " (stamped a tick ahead)"
    return words + (" (older)" if statement.observed < 0 else "")


def ending(result: Result) -> str:
    """What is wrong at the end of a trace, or that nothing is."""
    if result.problem is None:
        return "no trace"
    state = result.trace[-1].state
    if result.problem is Problem.STUCK:
        return "stuck: no honest step leads to an end"
    return f"unbacked: {claims(state)} claimed, {backing(state)} in hand"


def state_words(state: State) -> str:
    """A state in a line."""
    parts = [f"supply {state.supply}"]
    if state.goal:
        parts.append(f"change {state.stage.name.lower()}" if state.stage != Stage.NONE else "no change scheduled")
    parts += [word for word, there in (("HOLD", state.hold), ("retired", state.retired)) if there]
    parts += [_custodian_words(name, one) for name, one in zip(NAMES, state.custodians, strict=True)]
    return " | ".join(parts)


def _custodian_words(name: str, custodian: Custodian) -> str:
    books, entry, flight = custodian
    words = f"{name}: in hand {books.in_hand}"
    if books.leaving:
        words += f", leaving {books.leaving}"
    if books.redeemed > books.paid:
        words += f", owes {books.redeemed - books.paid}"
    if books.half_booked:
        words += ", half booked"
    said = f"capacity {entry.capacity}" if entry.state == EntryState.ATTACHED else entry.state.name.lower()
    unseen = f", unseen {entry.total - entry.seen}" if entry.total > entry.seen else ""
    return words + f"; entry {said}{unseen}" + (f"; {len(flight)} in flight" if flight else "")


def trace_words(result: Result) -> str:
    """A trace, a step a line, each with the state after it."""
    lines = []
    for number, step in enumerate(result.trace, 1):
        lines.append(f"{number:3}. {action_words(step.action)}")
        lines.append(f"       {state_words(step.state)}")
    return "\n".join([*lines, f"  => {ending(result)}"])


def tables(results: Mapping[Rule, Result]) -> str:
    """The generated part of the docs: a table for each kind of rule, and the traces."""
    lines: list[str] = []
    for kind in Kind:
        rules = [rule for rule in results if rule.kind is kind]
        if rules:
            lines += [f"### Rules: {kind.value}", "", "| rule | no. | sentence | without it | steps | world |"]
            lines += ["|---|---|---|---|---|---|", *(_row(rule, results[rule]) for rule in rules), ""]
    lines += ["### The traces", ""]
    for rule, result in results.items():
        if result.trace:
            lines += [f"**{rule.name}** ({_world(rule)}). " + _sentence(result), ""]
    return "\n".join(lines)


def _row(rule: Rule, result: Result) -> str:
    steps = len(result.trace) or "-"
    return f"| {rule.name} | {rule.number} | {rule.sentence} | {ending(result)} | {steps} | {_world(rule)} |"


def _world(rule: Rule) -> str:
    beside = "".join(f", without {one.name} too" for one in sorted(BESIDE.get(rule, ()), key=lambda one: one.name))
    return SHOWN_IN[rule] + beside


def _sentence(result: Result) -> str:
    steps = "; ".join(f"({number}) {action_words(step.action)}" for number, step in enumerate(result.trace, 1))
    return f"{steps}. Then {ending(result)}."
