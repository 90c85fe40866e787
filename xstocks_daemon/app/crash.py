"""Test only: end the process by SIGKILL at a named place, to prove that a crash there loses and doubles nothing.

`XSTOCKS_TEST_KILL_AT=<name>[:<nth>]` kills at the nth time the place is passed (the first by default). Unset, which
is the case everywhere but in tests, a crash point does nothing.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from enum import Enum

from xstocks_daemon.errors import user_error

ENV_NAME = "XSTOCKS_TEST_KILL_AT"


class CrashPoint(Enum):
    """The places between the decision and its confirmation, in the order they are passed."""

    BEFORE_INTENT_COMMIT = "before-intent-commit"
    AFTER_INTENT_COMMIT = "after-intent-commit"
    AFTER_BLOCKHASH = "after-blockhash"
    AFTER_SIGNING = "after-signing"
    BEFORE_ATTEMPT_COMMIT = "before-attempt-commit"
    AFTER_ATTEMPT_COMMIT = "after-attempt-commit"
    AFTER_FIRST_SEND = "after-first-send"
    WHILE_REBROADCASTING = "while-rebroadcasting"
    AFTER_LANDED_SEEN = "after-landed-seen"
    BEFORE_LANDED_COMMIT = "before-landed-commit"
    AFTER_LANDED_COMMIT = "after-landed-commit"
    BEFORE_FINAL_CHECK = "before-final-check"


_passed: Counter[CrashPoint] = Counter()


def kill_at() -> tuple[CrashPoint, int] | None:
    """What the environment asks for. UserError where it names no crash point or no positive count."""
    text = os.environ.get(ENV_NAME)
    if not text:
        return None
    name, _, nth = text.partition(":")
    names = {point.value: point for point in CrashPoint}
    if name not in names or not (nth or "1").isdecimal() or int(nth or "1") < 1:
        raise user_error(ENV_NAME, text, f"give <name>[:<nth>], the name one of {', '.join(names)}; or unset it")
    return names[name], int(nth or "1")


def crash_point(point: CrashPoint) -> None:
    """Kill this process here if the environment says so; else nothing."""
    wanted = kill_at()
    if wanted is None or wanted[0] is not point:
        return
    _passed[point] += 1
    if _passed[point] == wanted[1]:
        os.kill(os.getpid(), signal.SIGKILL)
