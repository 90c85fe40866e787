"""Child processes of the demo and the tests: started in a group of their own, logged to a file, ended by their id."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_STOP_SECS = 15.0
_TAIL_LINES = 5


class ProcessError(Exception):
    """A child that could not be started or ended by itself; the message ends with its last output."""


class Process(Protocol):
    """What is used here of asyncio's subprocess; `returncode` is negative where a signal ended it."""

    @property
    def pid(self) -> int:
        """Its id."""

    @property
    def returncode(self) -> int | None:
        """Its exit code; None while it runs."""

    def terminate(self) -> None:
        """Send it SIGTERM."""

    async def wait(self) -> int:
        """Its exit code, once it has ended."""


Launch = Callable[[Sequence[str], Path, Mapping[str, str]], Awaitable[Process]]
"""Starts a command in a process group of its own, logging to a file, with more environment. Raises ProcessError."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running child process. Its id is also that of its process group."""

    name: str
    process: Process
    log_path: Path

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.returncode is None

    def tail(self) -> str:
        """Its last lines of output, for an error message."""
        lines = self.log_path.read_text(errors="replace").strip().splitlines()[-_TAIL_LINES:]
        return f"{self.name}'s output ends: " + (" | ".join(lines) if lines else "(nothing)")


async def execute(command: Sequence[str], log_path: Path, environment: Mapping[str, str]) -> Process:
    """Start `command` as it stands. Raises ProcessError where it cannot be run."""
    with log_path.open("ab") as log:
        try:
            return await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        except OSError as error:
            raise ProcessError(f"cannot run {command[0]}: {error.strerror}") from error


async def start(
    name: str,
    command: Sequence[str],
    log_path: Path,
    environment: Mapping[str, str] | None = None,
    launch: Launch = execute,
) -> Child:
    """Start `command` with `environment` added to this process's. Raises ProcessError where it cannot be run."""
    log_path.parent.mkdir(parents=True, exist_ok=True)
    return Child(name, await launch(command, log_path, {"PYTHONUNBUFFERED": "1", **(environment or {})}), log_path)


def terminate(children: Iterable[Child]) -> None:
    """Ask them to end by SIGTERM, without waiting for any; nothing where one has ended already."""
    for child in children:
        if child.running:
            with contextlib.suppress(ProcessLookupError):
                child.process.terminate()


async def stop(child: Child) -> int:
    """SIGTERM, and SIGKILL to its group where it does not end in time. Gives its exit code."""
    terminate([child])
    if child.running:
        try:
            async with asyncio.timeout(_STOP_SECS):
                await child.process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.process.pid, signal.SIGKILL)
    return await child.process.wait()


@contextlib.asynccontextmanager
async def child(
    name: str,
    command: Sequence[str],
    log_path: Path,
    environment: Mapping[str, str] | None = None,
    launch: Launch = execute,
) -> AsyncIterator[Child]:
    """A child process for as long as the context lasts."""
    running = await start(name, command, log_path, environment, launch)
    try:
        yield running
    finally:
        await asyncio.shield(stop(running))
