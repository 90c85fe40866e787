"""Halting is said once, by one function."""

from __future__ import annotations

from pathlib import Path

import structlog

from tests.journal.builders import GENESIS, MINT, OTHER, PROGRAM
from xstocks_daemon.app.halts import halt_asset
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.domain.plan_inputs import Halt, HaltReason
from xstocks_daemon.journal import open_journal

FIRST = Halt(MINT, HaltReason.UNKNOWN_INTENT_HASH, "sequence 3 executed with another hash")


async def test_a_halt_that_stands_is_not_logged_again_and_keeps_its_first_reason(tmp_path: Path) -> None:
    journal = await open_journal(tmp_path / "journal.db", GENESIS, PROGRAM)
    await journal.acquire_lease("daemon", 10_000)
    with structlog.testing.capture_logs() as logs:
        await halt_asset(journal, FIRST)
        await halt_asset(journal, FIRST)
        await halt_asset(journal, Halt(MINT, HaltReason.TOTALS_DIFFER, "another finding"))
        await halt_asset(journal, Halt(OTHER, HaltReason.TOTALS_DIFFER, "of another asset"))
    assert [(line["event"], line["mint"], line["reason"]) for line in logs] == [
        ("halted", base58(MINT), "unknown_intent_hash"),
        ("halted", base58(OTHER), "totals_differ"),
    ]
    assert (await journal.expected(MINT)).halt == FIRST
    await journal.clear_halt(MINT, "Ann")
    with structlog.testing.capture_logs() as logs:
        await halt_asset(journal, FIRST)
    assert [line["event"] for line in logs] == ["halted"], "after a person cleared it, it is said anew"
    await journal.close()
