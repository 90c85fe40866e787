"""This machine's clock, in the units that statements, entries and the journal use."""

from __future__ import annotations

import time


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def now_ts() -> int:
    """Unix time in whole seconds."""
    return time.time_ns() // 1_000_000_000
