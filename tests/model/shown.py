"""Each rule taken away in the world that shows it; and the generated part of the docs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tests.model.explore import Result, explore
from tests.model.rules import Kind, Rule
from tests.model.scenarios import BESIDE, SHOWN_IN, WORLDS
from tests.model.words import tables

DOCS = Path(__file__).parents[2] / "docs" / "money-rules-model.md"
BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"
STUCK_RULES = frozenset(rule for rule in Rule if rule.kind is Kind.LIVENESS) | {Rule.UNMARK, Rule.SEEN_AT_MOST_TOTAL}
"""Rules whose lack shows, or would show, as a stuck state."""


def without(rule: Rule) -> frozenset[Rule]:
    """What is taken away to show `rule`."""
    return BESIDE.get(rule, frozenset()) | {rule}


@cache
def shown(rule: Rule) -> Result:
    """The exploration that shows what happens without `rule`."""
    return explore(WORLDS[SHOWN_IN[rule]], without(rule), liveness=rule in STUCK_RULES)


def generated() -> str:
    """The docs' generated part, between its marks."""
    return f"{BEGIN}\n{tables({rule: shown(rule) for rule in Rule})}{END}"


def write_docs() -> None:
    """Put the generated part into the docs. ValueError where the marks are missing."""
    text = DOCS.read_text()
    begin, end = text.index(BEGIN), text.index(END) + len(END)
    DOCS.write_text(text[:begin] + generated() + text[end:])
