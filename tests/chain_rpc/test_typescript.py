"""The TypeScript clients @solana/kit and @solana/web3.js work on the chain unchanged, websocket included."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from localnet.demo.chains import ChainKind, chain_process, validator_path

NODE_FOLDER = Path(__file__).resolve().parent / "node"
_NODE_MAJOR = 20
_TIMEOUT_SECS = 120


async def run(*command: str) -> str:
    """Standard output of a command that must succeed."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=NODE_FOLDER, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(_TIMEOUT_SECS):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, f"{command[0]}: {err.decode()[-2000:]}"
    return out.decode()


@pytest.fixture(scope="module")
def packages() -> None:
    """The packages of package-lock.json; skips, saying why, where there is no Node to run them."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not on PATH: the TypeScript clients are not tried")
    version = asyncio.run(run("node", "--version")).strip()
    if int(version.removeprefix("v").split(".")[0]) < _NODE_MAJOR:
        pytest.skip(f"node {version} is older than {_NODE_MAJOR}: the TypeScript clients are not tried")
    installed, locked = NODE_FOLDER / "node_modules" / ".package-lock.json", NODE_FOLDER / "package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < locked.stat().st_mtime:
        asyncio.run(run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"))


@pytest.fixture(params=["embedded", "validator"])
def kind(request: pytest.FixtureRequest) -> ChainKind:
    if request.param == "validator" and validator_path() is None:
        pytest.skip("solana-test-validator is neither in XSTOCKS_VALIDATOR_BIN nor on PATH")
    return "embedded" if request.param == "embedded" else "validator"


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
