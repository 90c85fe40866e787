"""Every reference into the design exists there: sections by number, money rules by theirs (decision 22)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repo.files import ROOT, text_of, tracked

DESIGN = Path("docs/design.md")
CITING = ("*.py", "*.rs", "*.sh", "docs/*.md", "README.md", "SECURITY.md", "CONTRIBUTING.md")

_SECTIONS = re.compile(r"\bsections? (\d(?:\.\d)?(?:(?:, | and | to |, and )\d(?:\.\d)?)*)", re.IGNORECASE)
_NUMBER = re.compile(r"\d(?:\.\d)?")
_RULE = re.compile(r"\bM(\d{1,2})\b")
_HEADING = re.compile(r"^#{2,3} (\d(?:\.\d)?)[. ]", re.MULTILINE)
_RULE_ROW = re.compile(r"^\| M(\d{1,2}) \|", re.MULTILINE)


def headings(design: str) -> set[str]:
    """Numbers of the sections that the design has."""
    return set(_HEADING.findall(design))


def cited_sections(text: str) -> Iterator[str]:
    """Numbers of the sections that a text cites, "sections 6.2 and 6.5" as two."""
    for group in _SECTIONS.findall(text):
        yield from _NUMBER.findall(group)


def test_the_design_has_its_sections_and_all_thirteen_rules() -> None:
    design = text_of(DESIGN)
    assert {"1", "2", "3", "4", "4.5", "5", "6.1", "6.5", "7", "8", "9"} <= headings(design)
    assert [int(number) for number in _RULE_ROW.findall(design)[:13]] == list(range(1, 14))


def test_every_section_and_rule_that_is_cited_exists() -> None:
    known, missing, cited = headings(text_of(DESIGN)), [], 0
    for path in tracked(*CITING):
        if path.is_relative_to("tests/repo") or path.is_relative_to("docs/decisions"):
            continue
        text = text_of(path)
        for number in cited_sections(text):
            cited += 1
            if number not in known:
                missing.append(f"{path}: section {number}")
        missing += [f"{path}: M{number}" for number in _RULE.findall(text) if not 1 <= int(number) <= 13]
    assert not missing
    assert cited >= 39, "references were lost, or are written in another form"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("(design, section 6.3)", ["6.3"]),
        ("sections 4.3, 4.4 and 6.2", ["4.3", "4.4", "6.2"]),
        ("Section 4.5, in the program's order", ["4.5"]),
        ("no such thing", []),
    ],
)
def test_references_are_read_in_each_form_that_is_used(text: str, numbers: list[str]) -> None:
    assert list(cited_sections(text)) == numbers


def test_links_between_the_documents_lead_somewhere() -> None:
    broken = [
        f"{path}: {target}"
        for path in tracked("*.md")
        for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", text_of(path))
        if not (ROOT / path.parent / target).exists()
    ]
    assert not broken


def test_every_decision_has_a_status_and_its_line_in_the_index() -> None:
    index = text_of(Path("docs/decisions/README.md"))
    for path in tracked("docs/decisions/0*.md"):
        text, number = text_of(path), int(path.name[:4])
        title = text.splitlines()[0].removeprefix(f"# {number}. ")
        assert re.search(r"^\*\*Status\.\*\* \w+, \d{4}-\d{2}-\d{2}", text, re.MULTILINE), path
        assert f"| {number} | [{title}]({path.name}) |" in index, path
    listed = [int(number) for number in re.findall(r"^\| (\d+) \|", index, re.MULTILINE)]
    assert listed == sorted(set(listed)), "one line for each number, in their order"
