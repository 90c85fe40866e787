"""The workshop of the daemon's bugs is itself tried: with bugs whose fate is known."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutants.mutant import Mutant, of, swap
from tests.mutants.python import workshop as python_workshop
from tests.mutants.python.workshop import SOURCES, PythonWorkshop
from tests.mutants.workshop import Endless, Outcome, SuiteBroken, run

BATCHES = "domain/batches.py"
LIMIT = "MAX_CUSTODIANS = 5"
KILLER = "tests/domain/test_batches.py::test_batches_keep_all_limits_lose_nothing_and_do_not_depend_on_order"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PythonWorkshop]:
    place = PythonWorkshop.make(tmp_path_factory.mktemp("workshop") / "copy")
    yield place
    place.close()


def planted(replacement: str, *, source: str = LIMIT, hangs: bool = False) -> Mutant:
    (mutant,) = of(BATCHES, "domain/batches", swap("planted", source, replacement, "does anything", hangs=hangs))
    return mutant


def test_a_bug_is_killed_by_the_test_that_is_named_and_the_source_is_as_before(place: PythonWorkshop) -> None:
    path = place.folder / SOURCES / BATCHES
    before = path.read_bytes()
    verdict = place.judge(planted("MAX_CUSTODIANS = 6"))
    assert (verdict.outcome, verdict.killed_by.partition("::")[0]) == (Outcome.KILLED, "tests/domain/test_batches.py")
    assert path.read_bytes() == before


def test_a_change_that_changes_nothing_survives(place: PythonWorkshop) -> None:
    assert place.judge(planted("MAX_CUSTODIANS = 4 + 1"), killer=KILLER).outcome is Outcome.SURVIVED


@pytest.mark.parametrize("text", ["MAX_CUSTODIANS = = 5", "MAX_CUSTODIANS = NO_SUCH_NAME"])
def test_what_does_not_import_proves_nothing(place: PythonWorkshop, text: str) -> None:
    verdict = place.judge(planted(text))
    assert verdict.outcome is Outcome.NOT_BUILT
    assert verdict.said != ""


@pytest.mark.parametrize(("hangs", "outcome"), [(False, Outcome.HANGS), (True, Outcome.KILLED)])
def test_a_test_without_end_kills_only_where_the_catalogue_says_so(
    place: PythonWorkshop, monkeypatch: pytest.MonkeyPatch, hangs: bool, outcome: Outcome
) -> None:
    def endless(*_: object) -> None:
        raise Endless(KILLER)

    monkeypatch.setattr(python_workshop, "first_failure", endless)
    verdict = place.judge(planted("MAX_CUSTODIANS = 6", hangs=hangs))
    assert (verdict.outcome, verdict.killed_by) == (outcome, KILLER)


def test_what_a_command_without_end_had_said_is_kept_and_its_children_end_too(tmp_path: Path) -> None:
    """The child would hold the pipe open for ever."""
    with pytest.raises(subprocess.TimeoutExpired) as caught:
        run(("sh", "-c", "echo begun; sleep 100000 & wait"), tmp_path, None, 3.0)
    assert caught.value.output == "begun\n"


def test_a_test_that_fails_without_a_bug_stops_everything(place: PythonWorkshop) -> None:
    path = place.folder / SOURCES / BATCHES
    before = path.read_text(encoding="utf-8")
    place.baseline([planted(LIMIT)])
    path.write_text(before.replace("MAX_CUSTODIANS = 5", "MAX_CUSTODIANS = 500"), encoding="utf-8")
    try:
        with pytest.raises(SuiteBroken, match="fails without a bug"):
            place.baseline([planted(LIMIT)])
    finally:
        path.write_text(before, encoding="utf-8")
