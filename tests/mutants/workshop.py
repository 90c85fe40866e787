"""Where planted bugs are tried: what both languages' workshops share."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from localnet.harness.chains import VALIDATOR_ENV, VALIDATOR_NAME
from tests.mutants.mutant import Mutant

_STARTED = re.compile(r"^(tests/[\w/.]+::\w+)", re.MULTILINE)
_FAILED = re.compile(r"^(?:FAILED|ERROR) ((tests/[\w/.]+::\w+).*)$", re.MULTILINE)


class Outcome(StrEnum):
    """What became of a bug."""

    KILLED = "killed"
    SURVIVED = "SURVIVED"
    NOT_BUILT = "did not build"
    HANGS = "HANGS"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, the test that failed (`cargo test` names or tests/... of pytest), and what it said in short."""

    mutant: str
    outcome: Outcome
    killed_by: str = ""
    said: str = ""


class SuiteBroken(Exception):
    """The tests fail without any bug, so a failure would prove nothing."""


class NotCollected(SuiteBroken):
    """pytest ended without having run the tests: they do not import, or there are none."""


class Endless(Exception):
    """A test did not come to its end in time; `test` names it ("" where none had begun)."""

    def __init__(self, test: str) -> None:
        self.test = test
        super().__init__(f"no end: {test}")


class Workshop(Protocol):
    """A folder with a copy of the sources, used by one thread at a time."""

    def baseline(self, chosen: Sequence[Mutant]) -> None:
        """The tests of these pass without a bug. SuiteBroken otherwise."""

    def judge(self, mutant: Mutant, *, killer: str = "") -> Verdict:
        """Plant it, test, take it out again. `killer` is the test that killed it last time: it goes first."""

    def close(self) -> None:
        """End what was started for it."""


Pytest = Callable[[Sequence[str], Path, Mapping[str, str], float], subprocess.CompletedProcess[str]]
"""Runs pytest with arguments in a folder, an environment, a time-out in seconds (subprocess.TimeoutExpired)."""


def new_pytest(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], timeout_secs: float
) -> subprocess.CompletedProcess[str]:
    """In a process of its own from the start."""
    return run((sys.executable, "-m", "pytest", *arguments), folder, environment, timeout_secs)


def first_failure(
    tests: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    timeout_secs: float,
    pytest: Pytest = new_pytest,
) -> tuple[str, str] | None:
    """The first of these tests that fails in `folder`, and what it said; None where all pass.

    The embedded chain only: with a validator at hand each would take minutes. Raises NotCollected, Endless.
    """
    arguments = ("-x", "-v", "-rfE", "--no-header", "-p", "no:cacheprovider", *tests)
    inherited = {name: value for name, value in os.environ.items() if name != VALIDATOR_ENV}
    inherited["PATH"] = os.pathsep.join(
        each for each in inherited["PATH"].split(os.pathsep) if not (Path(each) / VALIDATOR_NAME).exists()
    )
    # The summary says why a test failed only where there is room.
    try:
        done = pytest(arguments, folder, {**inherited, "COLUMNS": "1000", **environment}, timeout_secs)
    except subprocess.TimeoutExpired as error:
        raise Endless((_STARTED.findall(str(error.output)) or [""])[-1]) from None
    if done.returncode == 0:
        return None
    failed = _FAILED.search(done.stdout)
    if done.returncode != 1 or failed is None:
        raise NotCollected(f"pytest ended with {done.returncode}: {done.stdout[-2_000:]}{done.stderr[-2_000:]}")
    return failed[2], failed[1]


def run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None, timeout_secs: float
) -> subprocess.CompletedProcess[str]:
    """Run to its end; at a time-out it is ended with all that it started, and subprocess.TimeoutExpired raised."""
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=timeout_secs)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            stdout, stderr = process.communicate()
            raise subprocess.TimeoutExpired(command, timeout_secs, stdout, stderr) from None
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)
