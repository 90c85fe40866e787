"""One sidecar as a process: what it checks at start, what it says, and that it ends when it is told to."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from solders.keypair import Keypair
from structlog.testing import capture_logs

from tests.custody.builders import CUSTODIAN, CUSTODIAN_KEY, GENESIS, asset_view, make_settings, write_key
from tests.custody.fakes import FakeChain
from tests.custody.sidecars import HELD, MINTS
from tests.custody.test_settings import rpc_of
from xstocks_daemon.attester import run_attester
from xstocks_daemon.attester.run import serve_attester
from xstocks_daemon.attester.submitter import ChainSubmitter, LoweringSubmitter
from xstocks_daemon.chain.addresses import base58

PEERS = ["http://127.0.0.1:9"]
UNSAID = "lower statements are not submitted by this sidecar: no fee_payer_file is set"


def chain() -> FakeChain:
    found = FakeChain()
    found.put(*(asset_view(mint) for mint in MINTS))
    return found


async def test_the_bounds_of_the_settings_are_the_signers(tmp_path: Path) -> None:
    bounds = {"lifetime_secs": 100, "max_skew_ms": 700, "max_proposal_age_ms": 3_000}
    settings = make_settings(tmp_path / "one", CUSTODIAN_KEY, HELD, **bounds)  # type: ignore[arg-type]
    async with serve_attester(settings, chain()) as running:
        limits = running.signer.limits
    assert (limits.lifetime_secs, limits.max_skew_ms, limits.max_age_ms) == (100, 700, 3_000)


async def test_that_lower_statements_are_not_submitted_is_said_at_start(tmp_path: Path) -> None:
    settings = make_settings(tmp_path / "one", CUSTODIAN_KEY, HELD, PEERS)
    with capture_logs() as logs:
        async with serve_attester(settings, chain()) as running:
            assert (running.lower, running.proposes_for) == (None, (CUSTODIAN,))
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == [UNSAID]


async def test_a_sidecar_that_proposes_nothing_has_nothing_to_say_of_lower_statements(tmp_path: Path) -> None:
    settings = make_settings(tmp_path / "one", CUSTODIAN_KEY, HELD)
    with capture_logs() as logs:
        async with serve_attester(settings, chain()) as running:
            assert (running.lower, running.proposes_for) == (None, ())
    assert [line for line in logs if line["log_level"] == "warning"] == []


async def test_with_a_fee_payer_the_books_are_watched_until_it_is_told_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = await rpc_of(base58(GENESIS))
    watched, ended, stop = list[tuple[object, ...]](), list[bool](), asyncio.Event()

    async def watch(self: LoweringSubmitter, custodians: tuple[object, ...]) -> None:
        assert isinstance(self._submitter, ChainSubmitter)
        watched.append(custodians)
        stop.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    monkeypatch.setattr(LoweringSubmitter, "run", watch)
    try:
        write_key(tmp_path / "payer.json", Keypair())
        settings = make_settings(
            tmp_path / "one",
            CUSTODIAN_KEY,
            HELD,
            PEERS,
            rpc_urls=[f"http://127.0.0.1:{endpoint.addresses[0][1]}/"],
            fee_payer_file="../payer.json",
        )
        async with asyncio.timeout(60):
            await run_attester(settings, stop)
    finally:
        await endpoint.cleanup()
    assert (watched, ended) == ([(CUSTODIAN,)], [True])
