"""How settled a slot is."""

from __future__ import annotations

from enum import StrEnum


class Commitment(StrEnum):
    """A validator's three levels, by their names in requests; here each is a lag in slots behind the newest one."""

    PROCESSED = "processed"
    CONFIRMED = "confirmed"
    FINALIZED = "finalized"
