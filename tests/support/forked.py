"""`xstocks` processes for tests that start many: forked from one that has loaded the code already.

Loading it takes two seconds of a processor, more than most of what such a process does in a test. Each is a process
of its own as ever, with its own id, group, log and environment, and dies by signals as ever. The demo's tests start
the command itself.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

from localnet.harness.paths import XSTOCKS
from localnet.harness.processes import Process

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [__name__, *(f"xstocks_daemon.cli.{name}" for name in ("attester", "daemon", "queries", "orders", "program"))]
)


class _Forked:
    """A forked process with the face of asyncio's."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        if self.returncode is None:
            loop.add_reader(self._process.sentinel, ended.set)
            try:
                await ended.wait()
            finally:
                loop.remove_reader(self._process.sentinel)
        self._process.join()
        assert self._process.exitcode is not None
        return self._process.exitcode


async def forked(
    command: Sequence[str], log_path: Path, environment: Mapping[str, str], *, errors_path: Path | None = None
) -> Process:
    """Start `xstocks` with these arguments; as `localnet.harness.processes.execute` does.

    Its standard error goes to `errors_path`, or to the log as its output does.
    """
    assert command[0] == str(XSTOCKS), command
    paths = (str(log_path), str(errors_path or log_path))
    await asyncio.to_thread(log_path.touch)  # there from the start on, as for a command that is executed
    started = _CONTEXT.Process(target=_run, args=(list(command[1:]), *paths, {**os.environ, **environment}))
    await asyncio.to_thread(started.start)
    return _Forked(started)


def _run(arguments: list[str], log_path: str, errors_path: str, environment: dict[str, str]) -> None:
    """In the new process: what a shell would do, then the console script."""
    from xstocks_daemon.cli.main import main

    os.setsid()
    appending = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    for number, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, log_path, appending),
        (2, errors_path, appending),
    ):
        os.dup2(os.open(path, flags, 0o666), number)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [str(XSTOCKS), *arguments]
    main()
