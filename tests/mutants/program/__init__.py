"""Planted bugs of the program: built and tested one at a time."""

from __future__ import annotations

from pathlib import Path

from tests.mutants.program.catalogue import MUTANTS
from tests.mutants.program.workshop import SOURCES, TESTS, ProgramWorkshop
from tests.mutants.suite import Room, Suite

_HEAD = """# Planted bugs: the program

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

PROGRAM = Suite(
    subject="program",
    sources=SOURCES,
    tests=TESTS,
    docs=Path("docs") / "planted-bugs.md",
    head=_HEAD,
    rooms=(Room("", MUTANTS, at_least=250),),
    at_least=250,
    workshop=ProgramWorkshop.make,
)
