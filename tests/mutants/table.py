"""docs/planted-bugs.md: one row per bug. Rows of bugs that were not tried again stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import ROOT, Mutant
from tests.mutants.workshop import Outcome, Verdict

DOCS = ROOT / "docs" / "planted-bugs.md"
_ROW = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \| (.+?) \| (.+?) \|$", re.MULTILINE)

_HEAD = """# Planted bugs

Each row is one check of the program taken away or turned round. The script plants it in a copy of the sources, builds
the program and runs the tests (the host's, then `tests/program` on the embedded chain) until one fails: that test is
named. A bug that survives is explained, or a test is missing. Checks that the sources still hold each text exactly
once, and that each bug has its row here, are in `tests/mutants/test_catalogue.py`.

```
.venv/bin/python -m tests.mutants                          # all, one after the other; first the suite without a bug
.venv/bin/python -m tests.mutants --only NAME [--only ...]  # some; --skip-baseline leaves the first step away
.venv/bin/python -m tests.mutants --jobs 4 --json          # several at a time; one JSON object a line
.venv/bin/python -m tests.mutants --write-docs             # writes the rows of those that were tried
```
It needs what `programs/build.sh` needs. Exit codes: 0 all killed or explained, 1 a survivor or a bug that does not
build, 2 bad arguments or a suite that fails without a bug.
"""


def rows(text: str) -> dict[str, tuple[str, str, str]]:
    """Of each bug in the table: file, what it removes, what became of it."""
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


def killers() -> dict[str, str]:
    """The test that killed each bug when it was tried last, where it is still there."""
    known = rows(DOCS.read_text(encoding="utf-8")) if DOCS.exists() else {}
    tests = {name: fate.strip("`") for name, (_file, _removes, fate) in known.items()}
    return {name: test for name, test in tests.items() if _exists(test)}


def _exists(test: str) -> bool:
    file, found, function = test.partition("::")
    path = ROOT / file
    return bool(found) and path.is_file() and f"def {function}(" in path.read_text(encoding="utf-8")


def write_docs(verdicts: Iterable[Verdict]) -> None:
    """Write the table with these verdicts; other bugs keep theirs."""
    known = rows(DOCS.read_text(encoding="utf-8")) if DOCS.exists() else {}
    fates = {name: fate for name, (_file, _removes, fate) in known.items()}
    by_name = {each.name: each for each in MUTANTS}
    fates |= {each.mutant: fate(by_name[each.mutant], each) for each in verdicts}
    DOCS.write_text(_document(fates), encoding="utf-8")


def _document(fates: Mapping[str, str]) -> str:
    survivors = sum(fates.get(each.name, "").startswith("survives") for each in MUTANTS)
    summary = f"{len(MUTANTS)} bugs, {len(MUTANTS) - survivors} killed, {survivors} explained."
    lines = [
        f"| `{each.name}` | `{each.file}` | {each.removes} | {fates.get(each.name, 'not tried')} |" for each in MUTANTS
    ]
    table = [
        "| bug | file of `programs/xstocks_mint/src` | the program no longer | killed by |",
        "|---|---|---|---|",
        *lines,
    ]
    return f"{_HEAD}\n{summary}\n\n" + "\n".join(table) + "\n"
