"""Planted bugs of the daemon and the attester: one catalogue file per room."""

from __future__ import annotations

from pathlib import Path

from tests.mutants.python import app, attester, chain, cli, custody, domain, journal, signing
from tests.mutants.python.workshop import SOURCES, TESTS, PythonWorkshop
from tests.mutants.suite import Room, Suite

_HEAD = """# Planted bugs: the daemon

Each row is one check of the Python code taken away or turned round. The script plants it in a copy of the repository
and runs the tests nearest to it, on the embedded chain, until one fails: that test is named. A bug that survives is
explained, or a test is missing. A test that never ends proves nothing unless the catalogue says that the bug does that.
Checks that the sources still hold each text exactly once, and that each bug has its row here, are in
`tests/mutants/test_catalogue.py`. The program's own page is [planted-bugs.md](planted-bugs.md).

```
.venv/bin/python -m tests.mutants --python                 # all, one after the other; first the tests without a bug
.venv/bin/python -m tests.mutants --python --only NAME     # some; --skip-baseline leaves the first step away
.venv/bin/python -m tests.mutants --python --jobs 4 --json # several at a time; one JSON object a line
.venv/bin/python -m tests.mutants --python --write-docs    # writes the rows of those that were tried
```
Exit codes: 0 all killed or explained, 1 a survivor, a bug that does not import or one that hangs, 2 bad arguments or
tests that fail without a bug.
"""

PYTHON = Suite(
    subject="daemon",
    sources=SOURCES,
    tests=TESTS,
    docs=Path("docs") / "planted-bugs-python.md",
    head=_HEAD,
    rooms=(
        Room("domain", domain.MUTANTS, at_least=160),
        Room("chain", chain.MUTANTS, at_least=155),
        Room("custody", custody.MUTANTS, at_least=65),
        Room("attester", attester.MUTANTS, at_least=155),
        Room("journal", journal.MUTANTS, at_least=75),
        Room("signing", signing.MUTANTS, at_least=10),
        Room("app", app.MUTANTS, at_least=130),
        Room("cli", cli.MUTANTS, at_least=40),
    ),
    at_least=800,
    workshop=PythonWorkshop.make,
)
