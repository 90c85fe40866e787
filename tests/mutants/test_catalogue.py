"""The lists of planted bugs do not rot: each still fits the sources, and the tables in docs are of these lists."""

from __future__ import annotations

import re

import pytest

from tests.mutants.mutant import ROOT, Mutant
from tests.mutants.program import PROGRAM
from tests.mutants.python import PYTHON
from tests.mutants.suite import Suite
from tests.mutants.table import documented, is_test

SUITES = [pytest.param(each, id=each.subject) for each in (PROGRAM, PYTHON)]
BUGS = [
    pytest.param(suite, mutant, id=f"{suite.subject}-{mutant.name}")
    for suite in (PROGRAM, PYTHON)
    for mutant in suite.mutants
]


@pytest.mark.parametrize("suite", SUITES)
def test_there_are_enough_bugs_and_each_has_its_own_name(suite: Suite) -> None:
    assert len(suite.mutants) >= suite.at_least
    assert [room.title for room in suite.rooms if len(room.mutants) < room.at_least] == []
    assert suite.ambiguous() == []


@pytest.mark.parametrize(("suite", "mutant"), BUGS)
def test_each_bug_changes_the_sources_in_one_place(suite: Suite, mutant: Mutant) -> None:
    """Where this fails the source has changed: let the bug follow, and try it again (`--only NAME --write-docs`)."""
    original = (ROOT / suite.sources / mutant.file).read_text(encoding="utf-8")
    assert mutant.applied(original) != original
    assert [name for name in mutant.tests if not (ROOT / suite.test_file(name)).is_file()] == []
    assert mutant.tests or suite is PROGRAM, "the program's other tests are run for a bug without any, the daemon's not"


@pytest.mark.parametrize("suite", SUITES)
def test_the_table_has_each_bug_and_no_other(suite: Suite) -> None:
    """Where this fails: `.venv/bin/python -m tests.mutants [--python] --only NAME --write-docs`."""
    assert {name: (file, removes) for name, (file, removes, _fate) in documented(suite).items()} == {
        each.name: (each.file, each.removes) for each in suite.mutants
    }


@pytest.mark.parametrize("suite", SUITES)
def test_the_table_names_a_test_that_exists_or_the_explanation(suite: Suite) -> None:
    """Whether that test fails with the bug is tried by `python -m tests.mutants`, and of some by test_workshop.py."""
    explained = {each.name: each.equivalent for each in suite.mutants if each.equivalent}
    host_tests = {
        name
        for path in (ROOT / PROGRAM.sources).rglob("*.rs")
        for name in re.findall(r"\bfn (\w+)\(", path.read_text(encoding="utf-8"))
    }
    for name, (_file, _removes, fate) in documented(suite).items():
        if name in explained:
            assert fate == f"survives: {explained[name]}"
        elif suite is PROGRAM and (rust := re.fullmatch(r"`cargo test \S*?(\w+)`", fate)):
            assert rust[1] in host_tests, fate
        else:
            assert fate.startswith(f"`{suite.tests}/"), f"{name}: {fate}"
            assert is_test(fate.strip("`")), f"{name}: {fate}"
