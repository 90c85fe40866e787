"""The crash points that the kill tests rely on."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from xstocks_daemon.app.crash import ENV_NAME, CrashPoint, crash_point, kill_at
from xstocks_daemon.errors import UserError

_PASS_THREE_TIMES = """
from xstocks_daemon.app.crash import CrashPoint, crash_point
for number in (1, 2, 3):
    crash_point(CrashPoint.BEFORE_INTENT_COMMIT)
    crash_point(CrashPoint.AFTER_SIGNING)
    print(number, flush=True)
"""


def test_there_are_at_least_ten() -> None:
    assert len(CrashPoint) >= 10


def test_unset_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENV_NAME, raising=False)
    assert kill_at() is None
    for point in CrashPoint:
        crash_point(point)


@pytest.mark.parametrize(("value", "survived"), [("after-signing", []), ("after-signing:3", ["1", "2"])])
def test_the_process_dies_by_sigkill_at_the_nth_passing(value: str, survived: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PASS_THREE_TIMES], env={ENV_NAME: value}, capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == survived


@pytest.mark.parametrize("value", ["nowhere", "after-signing:0", "after-signing:x", "after-signing:-1"])
def test_another_name_or_count_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(ENV_NAME, value)
    with pytest.raises(UserError, match=f"^{ENV_NAME}: {value}: give <name>"):
        kill_at()
