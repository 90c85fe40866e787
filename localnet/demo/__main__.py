"""`./localnet.sh demo|up|down|status`."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from localnet.catalogue.reader import CatalogueError, TooManyAssets, load_catalogue
from localnet.demo.day import DayFailed
from localnet.demo.show import Show, ShowOptions
from localnet.harness.chains import ChainStartError
from localnet.harness.paths import RUNS_DIR
from localnet.harness.processes import ProcessError
from localnet.harness.state import NoLocalnet, end, load
from localnet.harness.submit import TransactionRefused
from localnet.harness.wait import NotReached
from xstocks_daemon.chain.errors import ChainError

_EXPECTED = (
    CatalogueError,
    ChainStartError,
    ChainError,
    DayFailed,
    NoLocalnet,
    NotReached,
    ProcessError,
    TooManyAssets,
    TransactionRefused,
)
UP_PORT = 8899
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit code: 0 fine, 1 a step failed, 2 a mistake in the command, 130 interrupted."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True)
    code = 1
    try:
        code = _run(options, console)
    except* _EXPECTED as group:
        errors = _leaves(group)
        for error in errors:
            console.print(f"error: {error}", style="red", markup=False)
        code = 2 if any(isinstance(error, NoLocalnet | TooManyAssets) for error in errors) else 1
    except* (KeyboardInterrupt, asyncio.CancelledError):
        console.print("interrupted; everything is stopped")
        code = INTERRUPTED
    return code


def _run(options: argparse.Namespace, console: Console) -> int:
    if options.command == "status":
        return _status(console)
    if options.command == "down":
        end(load())
        console.print("stopped")
        return 0
    return asyncio.run(_show(options, console))


async def _show(options: argparse.Namespace, console: Console) -> int:
    # SIGINT cancels this task already; a SIGTERM must not leave children behind either.
    this = asyncio.current_task()
    if this is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    if options.command == "up":
        _refuse_second()
    assets = load_catalogue()
    folder = RUNS_DIR / f"{options.command}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    show = Show(
        console,
        ShowOptions(
            kind=options.chain,
            assets=assets,
            count=options.assets,
            validator_bin=options.validator_bin,
            rpc_port=UP_PORT if options.command == "up" else 0,
        ),
        folder,
    )
    fine = False
    try:
        if options.command == "up":
            await show.up()
        else:
            fine = await show.demo(keep=options.keep)
    finally:
        if fine:
            shutil.rmtree(folder, ignore_errors=True)
        elif folder.exists():
            console.print(f"logs, journal and books are in {folder}", markup=False)
    return 0 if fine else 1


def _refuse_second() -> None:
    try:
        kept = load()
    except NoLocalnet:
        return
    if any(kept.running().values()):
        raise NoLocalnet("a localnet runs already: ./localnet.sh status shows it, ./localnet.sh down ends it")


def _status(console: Console) -> int:
    kept = load()
    for name, url in kept.urls.items():
        console.print(f"{name:28} {url}", markup=False)
    running = kept.running()
    for name, runs in running.items():
        console.print(f"{name:28} {'running' if runs else 'ended'} (pid {kept.processes[name][0]})", markup=False)
    console.print(f"{'files':28} {kept.folder}", markup=False)
    return 0 if all(running.values()) else 1


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    return [
        leaf
        for error in group.exceptions
        for leaf in (_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./localnet.sh", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("demo", "play the whole system, check it, and stop it"),
        ("up", "start a localnet and keep it"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--assets", type=_count, metavar="N", help="only N assets of the catalogue")
        command.add_argument("--chain", choices=("embedded", "validator"), default="embedded")
        command.add_argument("--validator-bin", type=Path, metavar="PATH", help="solana-test-validator, if not on PATH")
        if name == "demo":
            command.add_argument("--keep", action="store_true", help="leave everything running at the end")
    commands.add_parser("down", help="end the localnet that was left running")
    commands.add_parser("status", help="show the localnet that was left running")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number of assets, 1 or more")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
