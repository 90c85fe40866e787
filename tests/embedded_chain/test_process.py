"""The chain as a process: what it starts with, the arguments that it refuses, how it stops."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
from pathlib import Path

import aiohttp
import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from localnet.harness.chains import (
    EMBEDDED_MODULE,
    Chain,
    ChainRpcError,
    ChainStartError,
    GenesisAccount,
    UpgradeableProgram,
    chain_process,
)
from localnet.harness.paths import EMBEDDED_PYTHON, ROOT
from tests.embedded_chain.scenario import SYSTEM_PROGRAM
from tests.embedded_chain.transactions import (
    PAYER,
    RECEIVER,
    SOL,
    TOKEN_2022,
    UPGRADEABLE_LOADER,
    balance,
    blockhash,
    send,
    signed,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_upgradeable_program_has_its_programdata(chain: Chain, tmp_path: Path) -> None:
    """Loaded from the code of Token-2022, under another address."""
    found = await chain.call("getAccountInfo", [str(TOKEN_2022), {"encoding": "base64"}])
    code_at = Pubkey(base64.b64decode(found["value"]["data"][0])[4:36])
    found = await chain.call("getAccountInfo", [str(code_at), {"encoding": "base64"}])
    elf = base64.b64decode(found["value"]["data"][0])[45:]
    so_path = tmp_path / "program.so"
    so_path.write_bytes(elf)
    address, authority = Keypair().pubkey(), Keypair().pubkey()
    dumped = Keypair().pubkey()
    dump_path = tmp_path / "account.json"
    dump = {"lamports": 5 * SOL, "data": ["AQID", "base64"], "owner": str(SYSTEM_PROGRAM), "executable": False}
    dump_path.write_text(json.dumps({"pubkey": str(dumped), "account": {**dump, "rentEpoch": 0}}))
    program = UpgradeableProgram(str(address), so_path, str(authority))
    account = GenesisAccount(str(dumped), dump_path)
    async with chain_process("embedded", programs=[program], accounts=[account], manual_slots=True) as loaded:
        programdata, _ = Pubkey.find_program_address([bytes(address)], UPGRADEABLE_LOADER)
        shown = await loaded.call("getAccountInfo", [str(address), {"encoding": "jsonParsed"}])
        assert shown["value"]["executable"] is True
        assert shown["value"]["data"]["parsed"]["info"] == {"programData": str(programdata)}
        shown = await loaded.call("getAccountInfo", [str(programdata), {"encoding": "jsonParsed"}])
        assert shown["value"]["owner"] == str(UPGRADEABLE_LOADER)
        info = shown["value"]["data"]["parsed"]["info"]
        assert info == {"authority": str(authority), "data": [base64.b64encode(elf).decode(), "base64"], "slot": 0}
        await loaded.call("requestAirdrop", [str(PAYER.pubkey()), SOL])
        wire = signed([Instruction(address, b"\xc8", [])], await blockhash(loaded))
        with pytest.raises(ChainRpcError) as refusal:
            await send(loaded, wire)
        # It runs: this is Token-2022's own error for an unknown instruction.
        assert refusal.value.data["err"] == {"InstructionError": [0, {"Custom": 12}]}
        assert await balance(loaded, "finalized", dumped) == 5 * SOL


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--bind-address", "0.0.0.0"], "--bind-address"),
        (["--bind-address", "example.invalid"], "--bind-address"),
        (["--slot-ms", "0"], "--slot-ms"),
        (["--confirmed-lag", "0"], "--confirmed-lag"),
        (["--finalized-lag", "0"], "--finalized-lag"),
        (["--faucet-lamports", "0"], "--faucet-lamports"),
        (["--rpc-port", "65535"], "--rpc-port"),
        (["--rpc-port", "x"], "--rpc-port"),
        (["--upgradeable-program", "abc", "missing.so", "none"], "--upgradeable-program ADDRESS"),
        (["--upgradeable-program", str(RECEIVER), "missing.so", "none"], "--upgradeable-program FILE"),
        (["--upgradeable-program", str(RECEIVER), __file__, "none"], "no ELF file"),
        (["--upgradeable-program", str(RECEIVER), __file__, "abc"], "--upgradeable-program AUTHORITY"),
        (["--account", str(RECEIVER), "missing.json"], "--account FILE"),
        (["--account", str(RECEIVER), __file__], "no account dump"),
        (["--unknown"], "--unknown"),
    ],
)
async def test_bad_arguments_are_named(arguments: list[str], named: str) -> None:
    code, err = await run_chain("--rpc-port", "0", *arguments)
    assert code == 2
    assert named in err
    assert "Traceback" not in err


async def test_a_taken_port_is_named(chain: Chain) -> None:
    port = chain.rpc_url.rpartition(":")[2]
    code, err = await run_chain("--rpc-port", port)
    assert code == 1
    assert err.startswith(f"chain: cannot listen on 127.0.0.1:{port}: ")
    assert len(err.splitlines()) == 1


async def run_chain(*arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        str(EMBEDDED_PYTHON),
        "-m",
        EMBEDDED_MODULE,
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(30):
            _, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    return process.returncode, err.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_ready_file_and_graceful_stop(number: signal.Signals, tmp_path: Path) -> None:
    ready_file = tmp_path / "ready.json"
    process = await asyncio.create_subprocess_exec(
        str(EMBEDDED_PYTHON),
        *("-m", EMBEDDED_MODULE, "--rpc-port", "0", "--ready-file", str(ready_file)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            line = (await process.stdout.readline()).decode()
            assert "Simulated chain (LiteSVM" in line
            ready = json.loads(ready_file.read_text())
            assert set(ready) == {"rpc_url", "ws_url", "pid", "genesis_hash"}
            assert ready["pid"] == process.pid
            async with aiohttp.ClientSession() as session, session.ws_connect(ready["ws_url"]) as socket:
                await socket.send_json({"jsonrpc": "2.0", "id": 1, "method": "slotSubscribe"})
                assert (await socket.receive_json())["id"] == 1
                # A subscriber who is still there does not keep it from stopping.
                process.send_signal(number)
                while not (await socket.receive()).type.name.startswith("CLOS"):
                    pass
            _, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0
    assert err == b""


async def test_a_missing_program_file_is_told_by_the_helper(tmp_path: Path) -> None:
    program = UpgradeableProgram(str(RECEIVER), tmp_path / "missing.so", "none")
    with pytest.raises(ChainStartError, match=r"--upgradeable-program FILE: cannot read .*missing\.so"):
        async with chain_process("embedded", programs=[program], rpc_port=0):
            pass
