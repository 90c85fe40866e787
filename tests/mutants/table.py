"""The pages of planted bugs: one row per bug. Rows of bugs that were not tried again stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from tests.mutants.mutant import ROOT, Mutant
from tests.mutants.suite import Suite
from tests.mutants.workshop import Outcome, Verdict

_ROW = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \| (.+?) \| (.+?) \|$", re.MULTILINE)


def documented(suite: Suite) -> dict[str, tuple[str, str, str]]:
    """Of each bug in the suite's page: file, what it removes, what became of it."""
    page = ROOT / suite.docs
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    return {name: (file, removes, fate) for name, file, removes, fate in _ROW.findall(text)}


def fate(mutant: Mutant, verdict: Verdict) -> str:
    """The last column."""
    match verdict.outcome:
        case Outcome.KILLED:
            return f"`{verdict.killed_by}`"
        case Outcome.SURVIVED if mutant.equivalent:
            return f"survives: {mutant.equivalent}"
        case outcome:
            return str(outcome)


def killers(suite: Suite) -> dict[str, str]:
    """The test that killed each bug when it was tried last, where it is still there."""
    tests = {name: fate.strip("`") for name, (_file, _removes, fate) in documented(suite).items()}
    return {name: test for name, test in tests.items() if is_test(test)}


def is_test(test: str) -> bool:
    """Whether "tests/...py::name" names a test."""
    file, found, function = test.partition("::")
    path = ROOT / file
    return bool(found) and path.is_file() and f"def {function}(" in path.read_text(encoding="utf-8")


def write_docs(suite: Suite, verdicts: Iterable[Verdict]) -> None:
    """Write the page with these verdicts; other bugs keep theirs."""
    fates = {name: fate for name, (_file, _removes, fate) in documented(suite).items()}
    by_name = {each.name: each for each in suite.mutants}
    fates |= {each.mutant: fate(by_name[each.mutant], each) for each in verdicts}
    (ROOT / suite.docs).write_text("\n".join(_lines(suite, fates)) + "\n", encoding="utf-8")


def _lines(suite: Suite, fates: Mapping[str, str]) -> Iterator[str]:
    yield suite.head
    for room in suite.rooms:
        if room.title:
            yield f"## {room.title}\n"
        survivors = sum(fates.get(each.name, "").startswith("survives") for each in room.mutants)
        yield f"{len(room.mutants)} bugs, {len(room.mutants) - survivors} killed, {survivors} explained.\n"
        yield f"| bug | file of `{suite.sources}` | the {suite.subject} no longer | killed by |"
        yield "|---|---|---|---|"
        for each in room.mutants:
            yield f"| `{each.name}` | `{each.file}` | {each.removes} | {fates.get(each.name, 'not tried')} |"
        if room is not suite.rooms[-1]:
            yield ""
