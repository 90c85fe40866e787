"""docs/threat-model.md names tests that exist, and errors with their numbers, which those tests assert."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.error_codes import ErrorCode

ROOT = Path(__file__).resolve().parents[2]
DOC = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ERROR = re.compile(r"`([A-Z]\w+)` (\d+)")
ATTACKS = (
    "Forged signature layouts", "Quorum", "Account substitution", "Replay", "Redemptions and entries that come back",
    "Shares counted twice", "Stale supply", "Time", "Creation", "Hostile mint and destination", "Limits", "Authority",
    "Griefing", "Corporate action",
)  # fmt: skip


def rows() -> Iterator[str]:
    """The rows of all tables that name a test."""
    return (line for line in DOC.splitlines() if line.startswith("|") and "tests/" in line)


def test_every_kind_of_attack_has_its_section() -> None:
    for attack in ATTACKS:
        assert f"### {attack}\n" in DOC
    assert "## One stolen key\n" in DOC


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.split("|")[1].strip()[:60])
def test_a_row_names_tests_and_the_errors_they_assert(row: str) -> None:
    tests = TEST.findall(row)
    assert tests
    sources = [(ROOT / file).read_text(encoding="utf-8") for file, _name in tests]
    for (file, name), source in zip(tests, sources, strict=True):
        assert re.search(rf"^(async )?def {name}\(", source, re.MULTILINE), f"{file} has no {name}"
    for name, number in ERROR.findall(row):
        assert ErrorCode[name] == int(number)
        assert any(f"ErrorCode.{name}" in source for source in sources), f"no file of {tests} asserts {name}"


def test_every_error_is_written_with_its_number() -> None:
    alone = [name for name in re.findall(r"`([A-Z]\w+)`(?! \d)", DOC) if name in ErrorCode.__members__]
    assert alone == []
