"""Run the embedded chain: `python -m localnet.embedded_chain`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ipaddress
import json
import logging
import os
import signal
import socket
import sys
from pathlib import Path

from aiohttp import web

from localnet.embedded_chain.bank import Bank, BankConfig
from localnet.embedded_chain.genesis import GenesisError, load_account, load_upgradeable_program
from localnet.embedded_chain.rpc_accounts import account_methods
from localnet.embedded_chain.rpc_cluster import cluster_methods
from localnet.embedded_chain.rpc_context import RpcContext
from localnet.embedded_chain.rpc_fees import fee_methods
from localnet.embedded_chain.rpc_history import history_methods
from localnet.embedded_chain.rpc_localnet import localnet_methods
from localnet.embedded_chain.rpc_tokens import token_methods
from localnet.embedded_chain.rpc_transactions import transaction_methods
from localnet.embedded_chain.server import Server
from localnet.embedded_chain.subscriptions import Subscriptions

_DEFAULT_RPC_PORT = 8899
_PORT_PAIR_TRIES = 50


def main() -> int:
    """Run the chain until SIGTERM or SIGINT. Exit code 2 for an argument that is no use, 1 where it cannot listen."""
    options = _options().parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        _check(options)
        asyncio.run(_run(options))
    except GenesisError as error:
        print(f"chain: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"chain: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m localnet.embedded_chain",
        description="A simulated Solana chain (LiteSVM) with a validator's JSON-RPC and websocket.",
    )
    parser.add_argument("--bind-address", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    parser.add_argument(
        "--rpc-port",
        type=int,
        default=_DEFAULT_RPC_PORT,
        help="JSON-RPC here, websocket here and on the next port; 0 takes free ones (default: %(default)s)",
    )
    parser.add_argument("--slot-ms", type=int, default=400, help="time of a slot (default: %(default)s)")
    parser.add_argument(
        "--confirmed-lag", type=int, default=1, help="slots until a slot is confirmed (default: %(default)s)"
    )
    parser.add_argument(
        "--finalized-lag", type=int, default=32, help="slots until a slot is final (default: %(default)s)"
    )
    parser.add_argument("--manual-slots", action="store_true", help="slots advance by localnet_advanceSlots only")
    parser.add_argument(
        "--upgradeable-program",
        nargs=3,
        action="append",
        default=[],
        metavar=("ADDRESS", "FILE.so", "AUTHORITY"),
        help='load a program under the upgradeable loader; authority "none" makes it immutable',
    )
    parser.add_argument(
        "--account",
        nargs=2,
        action="append",
        default=[],
        metavar=("ADDRESS", "FILE.json"),
        help="load an account dump of the Solana CLI",
    )
    parser.add_argument("--faucet-lamports", type=int, default=1_000_000 * 10**9, help="what airdrops can give in all")
    parser.add_argument("--ready-file", type=Path, help="written once the chain listens: JSON with its URLs")
    return parser


def _check(options: argparse.Namespace) -> None:
    """Raises GenesisError for a value out of range."""

    def require(holds: bool, field: str, value: object, remedy: str) -> None:
        if not holds:
            raise GenesisError(f"{field}: {value} is out of range; give {remedy}")

    try:
        loopback = ipaddress.ip_address(options.bind_address).is_loopback
    except ValueError:
        loopback = False
    require(loopback, "--bind-address", options.bind_address, "a loopback address such as 127.0.0.1")
    require(0 <= options.rpc_port < 65_535, "--rpc-port", options.rpc_port, "0 to 65534")
    require(10 <= options.slot_ms <= 60_000, "--slot-ms", options.slot_ms, "10 to 60000")
    require(1 <= options.confirmed_lag <= 128, "--confirmed-lag", options.confirmed_lag, "1 to 128")
    require(
        options.confirmed_lag <= options.finalized_lag <= 256,
        "--finalized-lag",
        options.finalized_lag,
        "at least --confirmed-lag and at most 256",
    )
    require(
        10**9 <= options.faucet_lamports < 2**63,
        "--faucet-lamports",
        options.faucet_lamports,
        "1000000000 to 2^63-1",
    )


async def _run(options: argparse.Namespace) -> None:
    bank = Bank(BankConfig(options.confirmed_lag, options.finalized_lag, options.faucet_lamports))
    for program in options.upgradeable_program:
        load_upgradeable_program(bank, *program)
    for account in options.account:
        load_account(bank, *account)
    rpc = RpcContext(bank)
    subscriptions = Subscriptions(rpc)
    bank.observers.append(subscriptions)
    methods = {
        **account_methods(rpc),
        **token_methods(rpc),
        **transaction_methods(rpc),
        **fee_methods(rpc),
        **history_methods(rpc),
        **cluster_methods(rpc),
        **localnet_methods(rpc),
    }
    server = Server(methods, subscriptions)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    rpc_socket, ws_socket = _listen(options.bind_address, options.rpc_port)
    async with contextlib.AsyncExitStack() as stack:
        for app, listening in ((server.rpc_app(), rpc_socket), (server.ws_app(), ws_socket)):
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
            stack.push_async_callback(runner.cleanup)
            await runner.setup()
            await web.SockSite(runner, listening).start()
        stack.push_async_callback(server.close_websockets)
        host = f"[{options.bind_address}]" if ":" in options.bind_address else options.bind_address
        rpc_url = f"http://{host}:{rpc_socket.getsockname()[1]}"
        ws_url = f"ws://{host}:{ws_socket.getsockname()[1]}"
        if options.ready_file is not None:
            _write_ready(options.ready_file, rpc_url, ws_url, str(bank.timeline.genesis_hash))
        print(f"Simulated chain (LiteSVM, not a validator): {rpc_url} and {ws_url}", flush=True)
        async with asyncio.TaskGroup() as tasks:
            slots = None
            if not options.manual_slots:
                slots = tasks.create_task(_make_slots(bank, options.slot_ms / 1000))
            await stop.wait()
            if slots is not None:
                slots.cancel()


def _listen(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """Two listening sockets on neighbouring ports. Raises OSError."""
    for tries_left in range(_PORT_PAIR_TRIES, -1, -1):
        first = _listening(host, port)
        try:
            return first, _listening(host, first.getsockname()[1] + 1)
        except (OSError, OverflowError):
            first.close()
            if port or not tries_left:
                raise
    raise AssertionError("unreachable")


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise OSError(
            error.errno, f"cannot listen on {host}:{port}: {error.strerror}; stop what does, or take another --rpc-port"
        ) from None
    return listening


def _write_ready(path: Path, rpc_url: str, ws_url: str, genesis_hash: str) -> None:
    ready = {"rpc_url": rpc_url, "ws_url": ws_url, "pid": os.getpid(), "genesis_hash": genesis_hash}
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(ready) + "\n")
    partial.replace(path)


async def _make_slots(bank: Bank, slot_secs: float) -> None:
    """Begin a slot each `slot_secs`; what a busy moment has delayed is made up for."""
    loop = asyncio.get_running_loop()
    next_at = loop.time() + slot_secs
    while True:
        await asyncio.sleep(max(0.0, next_at - loop.time()))
        due = 1 + max(0, int((loop.time() - next_at) / slot_secs))
        bank.advance(due)
        next_at += due * slot_secs


if __name__ == "__main__":
    sys.exit(main())
