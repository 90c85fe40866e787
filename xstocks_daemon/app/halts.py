"""Stopping the work on an asset until a person clears it (M10, M12)."""

from __future__ import annotations

from xstocks_daemon.app.logging import get_logger
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.domain.plan_inputs import Halt
from xstocks_daemon.journal import HaltStore

log = get_logger("halts")


async def halt_asset(journal: HaltStore, halt: Halt) -> None:
    """Halt the asset and say so. One that is halted already keeps its first reason and is not logged again."""
    if await journal.record_halt(halt):
        log.error("halted", mint=base58(halt.mint), reason=halt.reason.value, detail=halt.detail)
