"""The list of planted bugs does not rot: each still fits the sources, and the table in docs is of this list."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import ROOT, SOURCES, Mutant
from tests.mutants.table import DOCS, rows
from tests.mutants.workshop import TESTS

AT_LEAST = 50


def test_there_are_enough_bugs_and_each_has_its_own_name() -> None:
    assert len(MUTANTS) >= AT_LEAST
    assert [name for name, count in Counter(each.name for each in MUTANTS).items() if count > 1] == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_bug_changes_the_sources_in_one_place(mutant: Mutant) -> None:
    """Where this fails the source has changed: let the bug follow, and try it again (`--only NAME --write-docs`)."""
    original = (ROOT / mutant.path).read_text(encoding="utf-8")
    assert mutant.applied(original) != original
    assert all((ROOT / TESTS / f"test_{each}.py").is_file() for each in mutant.tests)


def test_the_table_has_each_bug_and_no_other() -> None:
    """Where this fails: `.venv/bin/python -m tests.mutants --only NAME --write-docs`."""
    documented = rows(DOCS.read_text(encoding="utf-8"))
    assert {name: (file, removes) for name, (file, removes, _fate) in documented.items()} == {
        each.name: (each.file, each.removes) for each in MUTANTS
    }


def test_each_bug_was_killed_by_a_test_that_exists_or_is_explained() -> None:
    explained = {each.name: each.equivalent for each in MUTANTS if each.equivalent}
    host_tests = set(re.findall(r"\bfn (\w+)\(", "".join(path.read_text() for path in (ROOT / SOURCES).rglob("*.rs"))))
    for name, (_file, _removes, fate) in rows(DOCS.read_text(encoding="utf-8")).items():
        if name in explained:
            assert fate == f"survives: {explained[name]}"
        elif rust := re.fullmatch(r"`cargo test \S*?(\w+)`", fate):
            assert rust[1] in host_tests, fate
        else:
            python = re.fullmatch(r"`(tests/program/\w+\.py)::(\w+)`", fate)
            assert python, f"{name}: {fate}"
            assert f"def {python[2]}(" in (ROOT / python[1]).read_text(encoding="utf-8"), fate
