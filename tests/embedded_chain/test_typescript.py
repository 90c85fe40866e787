"""The TypeScript clients @solana/kit and @solana/web3.js work on the chain unchanged, websocket included."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from localnet.harness.chains import ChainKind, chain_process
from tests.support.node import node_packages, run
from tests.support.on_validator import chain_params

pytestmark = pytest.mark.xdist_group("typescript")


@pytest.fixture(scope="module")
def packages() -> None:
    """The packages of package-lock.json; skips, saying why, where there is no Node to run them."""
    asyncio.run(node_packages())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", chain_params(metafunc), indirect=False, scope="function")


async def play(kind: ChainKind, script: str) -> dict[str, Any]:
    async with chain_process(kind, slot_ms=50, finalized_lag=8) as chain:
        return dict(json.loads(await run("node", script, chain.rpc_url, chain.ws_url)))


@pytest.mark.usefixtures("packages")
async def test_kit(kind: ChainKind) -> None:
    said = await play(kind, "kit.mjs")
    refused = said.pop("refused")
    assert said == {
        "balance_raw": "40000000",
        "balance_ui": "0.6",
        "decoded_raw": "40000000",
        "multiplier": 1.5,
        "notified_lamports": "2000000",
        "parsed": ["transferChecked", "transfer"],
    }
    # Token-2022's error 1: insufficient funds.
    assert (refused["context"], refused["index"]) == (1, 0)
    assert "Program log: Error: insufficient funds" in refused["logs"]


@pytest.mark.usefixtures("packages")
async def test_web3(kind: ChainKind) -> None:
    assert await play(kind, "web3.mjs") == {
        "account_notified": True,
        "airdrop_err": None,
        "balance": 1_500_000_000,
        "from_table": ["transaction", "transaction", "lookupTable"],
        "history": 2,
        "logs_notified": True,
        "lookup_table": [True],
        "parsed": ["transfer"],
        "refused": ("Transaction simulation failed: Error processing Instruction 0: custom program error: 0x1"),
        "simulated_units": 150,
    }
