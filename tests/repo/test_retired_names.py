"""Names that were retired stay retired. Their list is the first table of decision 23."""

from __future__ import annotations

import re
from pathlib import Path

from tests.repo.files import text_of, tracked

RECORD = Path("docs/decisions/0023-names.md")
#: The journal's migrations read and write the names of their time, and so does the test of the last one.
HISTORY = (
    "xstocks_daemon/journal/migrations/",
    "tests/journal/test_opening.py",
    "tests/repo/test_retired_names.py",
    "CHANGELOG.md",
    str(RECORD),
)

_ROW = re.compile(r"^\| [^|]+ \| `([^`|]+)` \| `[^|]+` \|$", re.MULTILINE)


def retired_names() -> list[str]:
    """Names that may stand nowhere."""
    everywhere = text_of(RECORD).split("\n## Retired where they were\n")[0]
    return _ROW.findall(everywhere)


def pattern_of(names: list[str]) -> re.Pattern[str]:
    """Any of these as whole words, the longest first."""
    alternatives = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?<![\w.-])(?:{alternatives})(?![\w-])")


def test_the_list_is_there() -> None:
    names = retired_names()
    assert len(names) > 100
    assert {"untold", "--until-in-line", "xstocks_assets_in_line", "LowerStatements", "Laboratory"} <= set(names)


def test_no_retired_name_is_used() -> None:
    retired = pattern_of(retired_names())
    found = []
    for path in tracked():
        if str(path).startswith(HISTORY) or path.suffix in {".json", ".lock", ".so"}:
            continue
        for number, line in enumerate(text_of(path).splitlines(), 1):
            found += [f"{path}:{number}: {match.group()}" for match in retired.finditer(line)]
    assert not found


def test_a_retired_name_would_be_seen() -> None:
    retired = pattern_of(["untold", "--until-in-line", "admin's office"])
    assert retired.findall("untold(1, 2) and run --until-in-line") == ["untold", "--until-in-line"]
    assert retired.search("uses untold_names and the admin's officer") is None
