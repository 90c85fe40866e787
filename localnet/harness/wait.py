"""Waiting for a condition instead of for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_POLL_SECS = 0.05
_WAIT_SECS = 300.0


class NotReached(Exception):
    """A condition that did not come true in time; the message names it."""


async def until(probe: Callable[[], Awaitable[T | None]], what: str, timeout_secs: float = _WAIT_SECS) -> T:
    """Ask `probe` until its answer is true, and give that answer. NotReached names `what` after `timeout_secs`."""
    try:
        async with asyncio.timeout(timeout_secs):
            while not (answer := await probe()):  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(_POLL_SECS)
            return answer
    except TimeoutError:
        raise NotReached(f"{what}: not reached within {timeout_secs:g} s") from None
