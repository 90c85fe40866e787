"""Running several things at once: none left behind, none failing unseen, all ended by a signal."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


async def gather_all(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """All results in order. On the first error the others are cancelled and awaited, then that error itself is raised,
    not a group of it."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except BaseExceptionGroup as errors:
        first: BaseException = errors
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None
    return [task.result() for task in tasks]


async def run_until(
    stopped: asyncio.Event,
    work: Mapping[str, Coroutine[Any, Any, None]],
    on_failure: Callable[[str, Exception], None],
) -> None:
    """Run every task until `stopped` is set, then cancel and await them all.

    The first that fails ends the others: `on_failure` is given its name and error, then a group with the error is
    raised. A task that returns ends nothing.
    """

    async def watched(name: str, task: Coroutine[Any, Any, None]) -> None:
        try:
            await task
        except Exception as error:
            on_failure(name, error)
            raise

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(watched(name, task), name=name) for name, task in work.items()]
        await stopped.wait()
        for task in tasks:
            task.cancel()


def stop_on_signals(on_signal: Callable[[str], None] | None = None) -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets; `on_signal` is given the signal's name before."""
    stopped = asyncio.Event()

    def stop(number: signal.Signals) -> None:
        if on_signal is not None:
            on_signal(number.name)
        stopped.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    return stopped
