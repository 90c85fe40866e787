"""Start and stop a local chain as a child process: the embedded one or solana-test-validator.

Used by the demo and by every test that talks to a chain::

    async with chain_process("embedded", programs=[UpgradeableProgram(address, so_path, authority)]) as chain:
        await chain.call("getSlot", [{"commitment": "finalized"}])

Only the standard library and aiohttp are needed. Only loopback addresses are used.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import aiohttp

from localnet.harness.paths import EMBEDDED_PYTHON, ROOT
from localnet.harness.ports import NoFreePorts, free_port_block
from localnet.harness.processes import Child, ProcessError, start, stop

ChainKind = Literal["embedded", "validator"]

EMBEDDED_MODULE = "localnet.embedded_chain"
VALIDATOR_NAME = "solana-test-validator"
VALIDATOR_ENV = "XSTOCKS_VALIDATOR_BIN"

#: Mainnet's: 64 ticks of 6.25 ms make a slot of 400 ms.
_TICK_MS = 6.25
_START_SECS = 60.0
_TOKEN_2022 = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"
_USAGE_EXIT_CODE = 2
#: TCP and UDP ports that the validator takes besides those of its RPC.
_VALIDATOR_DYNAMIC_PORTS = 32


class ChainStartError(Exception):
    """The chain could not be started; the message says why and what to do."""


class ChainRpcError(Exception):
    """The chain answered a call with a JSON-RPC error.

    `code`, `message` and `data` are those of the JSON-RPC error object.
    """

    def __init__(self, method: str, error: dict[str, Any]) -> None:
        self.code = int(error.get("code", 0))
        self.message = str(error.get("message", ""))
        self.data: Any = error.get("data")
        super().__init__(f"{method}: {self.message} (code {self.code})")


@dataclass(frozen=True, slots=True)
class UpgradeableProgram:
    """A program to load at genesis under the upgradeable loader. Addresses are base58."""

    address: str
    so_path: Path
    authority: str


@dataclass(frozen=True, slots=True)
class GenesisAccount:
    """An account to load at genesis: a file as `solana account --output json` writes it."""

    address: str
    json_path: Path


@dataclass(frozen=True, slots=True)
class Chain:
    """A running chain: its process, and the URLs under which it is reached."""

    kind: ChainKind
    rpc_url: str
    ws_url: str
    genesis_hash: str
    #: Also the id of its process group.
    pid: int
    log_path: Path

    async def call(self, method: str, params: Sequence[Any] = (), *, timeout_secs: float = 30.0) -> Any:
        """One JSON-RPC call; gives `result`.

        Raises ChainRpcError for an error answer, aiohttp.ClientError or TimeoutError where none comes.
        """
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout_secs)) as session:
            return await _call(session, self.rpc_url, method, params)

    async def advance_slots(self, slots: int) -> int:
        """Embedded chain only: make `slots` slots at once; gives the new processed slot."""
        return int(await self.call("localnet_advanceSlots", [{"slots": slots}]))

    async def advance_clock(self, secs: int) -> int:
        """Embedded chain only: put the chain's clock forward by `secs`; gives its new unix time."""
        return int(await self.call("localnet_warpClock", [{"advance_secs": secs}]))


def validator_path() -> Path | None:
    """Where solana-test-validator is: the environment's XSTOCKS_VALIDATOR_BIN, else PATH, else None.

    Raises ChainStartError where XSTOCKS_VALIDATOR_BIN names no executable file.
    """
    named = os.environ.get(VALIDATOR_ENV)
    if named:
        if not os.access(named, os.X_OK) or not Path(named).is_file():
            raise ChainStartError(f"{VALIDATOR_ENV}={named}: no executable file; name {VALIDATOR_NAME} or unset it")
        return Path(named)
    found = shutil.which(VALIDATOR_NAME)
    return Path(found) if found else None


@contextlib.asynccontextmanager
async def chain_process(
    kind: ChainKind,
    *,
    programs: Sequence[UpgradeableProgram] = (),
    accounts: Sequence[GenesisAccount] = (),
    slot_ms: int = 400,
    finalized_lag: int = 32,
    confirmed_lag: int = 1,
    manual_slots: bool = False,
    rpc_port: int = 0,
    validator_bin: Path | None = None,
    work_dir: Path | None = None,
) -> AsyncIterator[Chain]:
    """Run a chain for as long as the context lasts; stopped by its process group's id on the way out.

    `rpc_port` 0 takes a free one; the websocket is on the next. `finalized_lag`, `confirmed_lag` (slots)
    and `manual_slots` are of the embedded chain; the validator's are always 32 and about one, and its
    `slot_ms` is rounded to whole ticks. `work_dir` gets ledger and log; by default a temporary folder that
    goes with the chain.

    Raises ChainStartError where the chain does not start.
    """
    with contextlib.ExitStack() as stack:
        folder = work_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chain-")))
        folder.mkdir(parents=True, exist_ok=True)
        if kind == "validator":
            programs = (*programs, await _mainnets_token_2022(folder))
        for attempt_left in (2, 1, 0):
            port = rpc_port or _free_port(kind)
            if kind == "embedded":
                command = embedded_command(
                    programs=programs,
                    accounts=accounts,
                    slot_ms=slot_ms,
                    finalized_lag=finalized_lag,
                    confirmed_lag=confirmed_lag,
                    manual_slots=manual_slots,
                    rpc_port=port,
                )
            else:
                command = validator_command(
                    programs=programs,
                    accounts=accounts,
                    slot_ms=slot_ms,
                    rpc_port=port,
                    ledger=folder / "ledger",
                    validator_bin=validator_bin,
                )
            log_path = folder / f"{kind}.log"
            running = await _start(kind, command, log_path)
            try:
                genesis_hash = await _ready(running, port, manual_slots=manual_slots)
            except ChainStartError:
                exit_code = await stop(running)
                # Another process may have taken a port between the look and the start. Wrong usage stays wrong.
                if attempt_left and not rpc_port and exit_code != _USAGE_EXIT_CODE:
                    continue
                raise
            except BaseException:
                await asyncio.shield(stop(running))
                raise
            break
        try:
            yield Chain(
                kind=kind,
                rpc_url=f"http://127.0.0.1:{port}",
                ws_url=f"ws://127.0.0.1:{port + 1}",
                genesis_hash=genesis_hash,
                pid=running.process.pid,
                log_path=log_path,
            )
        finally:
            await asyncio.shield(stop(running))


def embedded_command(
    *,
    programs: Sequence[UpgradeableProgram] = (),
    accounts: Sequence[GenesisAccount] = (),
    slot_ms: int = 400,
    finalized_lag: int = 32,
    confirmed_lag: int = 1,
    manual_slots: bool = False,
    rpc_port: int = 8899,
) -> list[str]:
    """The embedded chain's command line; run it with `PYTHONPATH` set to ROOT.

    Raises ChainStartError where its environment has not been made.
    """
    if not EMBEDDED_PYTHON.is_file():
        raise ChainStartError(f"{EMBEDDED_PYTHON} is missing; make it with ./localnet.sh setup")
    command = [str(EMBEDDED_PYTHON), "-m", EMBEDDED_MODULE, "--rpc-port", str(rpc_port), "--slot-ms", str(slot_ms)]
    command += ["--finalized-lag", str(finalized_lag), "--confirmed-lag", str(confirmed_lag)]
    if manual_slots:
        command.append("--manual-slots")
    return command + _genesis_arguments(programs, accounts)


def validator_command(
    *,
    programs: Sequence[UpgradeableProgram] = (),
    accounts: Sequence[GenesisAccount] = (),
    slot_ms: int = 400,
    rpc_port: int = 8899,
    ledger: Path,
    validator_bin: Path | None = None,
) -> list[str]:
    """solana-test-validator's command line. Takes the ports from `rpc_port` on (see _free_port).

    Raises ChainStartError where there is no validator.
    """
    binary = validator_bin or validator_path()
    if binary is None:
        raise ChainStartError(f"{VALIDATOR_NAME} is neither in {VALIDATOR_ENV} nor on PATH; install it or name it")
    command = [str(binary), "--bind-address", "127.0.0.1", "--quiet", "--reset", "--ledger", str(ledger)]
    command += ["--rpc-port", str(rpc_port), "--faucet-port", str(rpc_port + 2)]
    command += ["--gossip-port", str(rpc_port + 3)]
    command += ["--dynamic-port-range", f"{rpc_port + 4}-{rpc_port + 4 + _VALIDATOR_DYNAMIC_PORTS}"]
    command += ["--faucet-per-request-sol-cap", "1000000", "--faucet-per-time-sol-cap", "1000000000"]
    ticks = max(2, round(slot_ms / _TICK_MS))
    command += ["--ticks-per-slot", str(ticks)]
    return command + _genesis_arguments(programs, accounts)


def _genesis_arguments(programs: Sequence[UpgradeableProgram], accounts: Sequence[GenesisAccount]) -> list[str]:
    arguments: list[str] = []
    for program in programs:
        arguments += ["--upgradeable-program", program.address, str(program.so_path), program.authority]
    for account in accounts:
        arguments += ["--account", account.address, str(account.json_path)]
    return arguments


async def _mainnets_token_2022(folder: Path) -> UpgradeableProgram:
    """The Token-2022 that the embedded chain runs, as mainnet does; the validator brings an older release, which lacks
    the Batch instruction."""
    so_path = folder / "token_2022.so"
    command = [str(EMBEDDED_PYTHON), "-m", f"{EMBEDDED_MODULE}.token_2022", str(so_path)]
    writing = await _start("token_2022", command, folder / "token_2022.log")
    try:
        async with asyncio.timeout(_START_SECS):
            await writing.process.wait()
    except TimeoutError:
        raise ChainStartError(f"writing {so_path} took more than {_START_SECS:.0f} s; {writing.tail()}") from None
    finally:
        exit_code = await asyncio.shield(stop(writing))
    if exit_code != 0:
        raise ChainStartError(f"{so_path} could not be written: code {exit_code}; {writing.tail()}")
    return UpgradeableProgram(_TOKEN_2022, so_path, "none")


def _free_port(kind: ChainKind) -> int:
    """The first of as many neighbouring ports as the chain takes."""
    try:
        return free_port_block(2 if kind == "embedded" else 4 + _VALIDATOR_DYNAMIC_PORTS + 1)
    except NoFreePorts as error:
        raise ChainStartError(str(error)) from error


async def _start(name: str, command: Sequence[str], log_path: Path) -> Child:
    try:
        return await start(name, command, log_path, {"PYTHONPATH": str(ROOT)})
    except ProcessError as error:
        raise ChainStartError(str(error)) from error


async def _ready(running: Child, port: int, *, manual_slots: bool = False) -> str:
    """Wait until the chain is healthy and has confirmed a block; gives its genesis hash."""
    url = f"http://127.0.0.1:{port}"
    try:
        async with (
            asyncio.timeout(_START_SECS),
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
        ):
            while running.running:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError, ChainRpcError):
                    if manual_slots:
                        # Nobody else makes the slot that confirms the first one.
                        await _call(session, url, "localnet_advanceSlots", [{"slots": 1}])
                    # A validator answers before it can take an airdrop: its first confirmed slot says it can.
                    if (
                        await _call(session, url, "getHealth", ()) == "ok"
                        and await _call(session, url, "getSlot", [{"commitment": "confirmed"}]) > 0
                    ):
                        return str(await _call(session, url, "getGenesisHash", ()))
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise ChainStartError(f"chain not ready after {_START_SECS:.0f} s; {running.tail()}") from None
    raise ChainStartError(f"chain ended with code {running.process.returncode}; {running.tail()}")


async def _call(session: aiohttp.ClientSession, url: str, method: str, params: Sequence[Any]) -> Any:
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    async with session.post(url, json=request) as response:
        answer = json.loads(await response.read())
    if "error" in answer:
        raise ChainRpcError(method, answer["error"])
    return answer["result"]
