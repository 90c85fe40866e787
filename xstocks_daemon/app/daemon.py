"""The operating shell: cycles one after another, each task supervised, an outage a state and not a crash."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from xstocks_daemon.aio import run_until, stop_on_signals
from xstocks_daemon.app.crash import kill_at
from xstocks_daemon.app.custody import CustodyRound
from xstocks_daemon.app.cycle import Cycle, CycleReport, Progress, no_progress
from xstocks_daemon.app.live_operator import OperatorRoleMissing
from xstocks_daemon.app.logging import get_logger
from xstocks_daemon.app.metrics import Metrics
from xstocks_daemon.app.runtime import Runtime, open_runtime
from xstocks_daemon.app.settings import Settings, TimingSettings
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import (
    AccountMissing,
    AssetNotRegistered,
    ChainError,
    SingleEndpoint,
    WrongCluster,
)
from xstocks_daemon.chain.wakeup import Wakeup, program_subscription
from xstocks_daemon.errors import operation_error, user_error
from xstocks_daemon.journal import JournalConflict
from xstocks_daemon.signing import SigningError

log = get_logger("daemon")

#: Mistakes of the settings, not outages: going on would never help.
_FATAL = (WrongCluster, SingleEndpoint, AssetNotRegistered, AccountMissing)


async def run_daemon(
    settings: Settings,
    *,
    until_on_target: bool = False,
    progress: Progress = no_progress,
    stop: asyncio.Event | None = None,
) -> None:
    """Run until `stop` is set (by default by SIGTERM and SIGINT), or, with `until_on_target`, until every asset is.

    Raises UserError for settings that cannot work, LeaseHeld where another daemon lives, and the error of any task that
    fails; the rest is stopped first. Attempts under way stay in the journal for the next start.
    """
    kill_at()
    metrics = Metrics(custodian.id for custodian in settings.custodians)
    stopped = stop or stop_on_signals(_stopping)
    async with open_runtime(settings) as runtime:
        if settings.cluster.single_endpoint:
            log.warning("single_endpoint", endpoint=runtime.pool.endpoints[0].name, remedy="M10 wants two: add another")
        if not runtime.live:
            log.warning("dry_run", remedy="nothing is written or sent; set live = true and [operator] key_file")
            with metrics.serve(settings.metrics.port):
                await _supervise(runtime, metrics, progress, stopped, until_on_target=until_on_target)
            return
        async with leased(runtime) as epoch:
            log.info("started", program=base58(settings.program_id), lease_epoch=epoch, pid=os.getpid())
            with metrics.serve(settings.metrics.port):
                await _supervise(runtime, metrics, progress, stopped, until_on_target=until_on_target)
            log.info("stopped")


async def attest_once(settings: Settings, *, submit: bool) -> tuple[CustodyRound, int]:
    """Ask the custodians once; with `submit` (which needs a live runtime and the lease) relay what is useful. Gives the
    round and how many statements are on chain by it."""
    metrics = Metrics(custodian.id for custodian in settings.custodians)
    async with open_runtime(settings) as runtime:
        if not submit:
            return await Cycle(runtime, metrics).ask(), 0
        if not runtime.live:
            raise user_error("live", settings.live, "--submit sends: set live = true and [operator] key_file")
        async with leased(runtime):
            return await Cycle(runtime, metrics).relay_once()


@asynccontextmanager
async def leased(runtime: Runtime) -> AsyncIterator[int]:
    """Be the journal's one daemon; gives the lease's epoch. OperationError or LeaseHeld where there is another."""
    settings = runtime.settings
    # The lock file tells daemons of one machine apart, so that a restart after a crash need not wait.
    with only_daemon(settings.journal.path):
        epoch = await runtime.journal.acquire_lease(socket.gethostname(), int(settings.timing.lease_secs * 1_000))
        try:
            yield epoch
        finally:
            await runtime.journal.release_lease()


async def _supervise(
    runtime: Runtime, metrics: Metrics, progress: Progress, stopped: asyncio.Event, *, until_on_target: bool
) -> None:
    """All tasks until `stopped`; the first failure ends them all."""
    url = runtime.settings.cluster.ws_url
    wakeup = Wakeup(url, [program_subscription(runtime.client.program_id)]) if url is not None else None
    work: dict[str, Coroutine[Any, Any, None]] = {
        "cycles": _cycles(runtime, metrics, progress, stopped, wakeup, until_on_target=until_on_target)
    }
    if runtime.live:
        work["lease"] = _renew_lease(runtime)
    if wakeup is not None:
        work["websocket"] = wakeup.run()
    # Journal writes finish though cancelled; what is sent is journaled, and the next start goes on with it.
    await run_until(stopped, work, _task_failed)


def _task_failed(name: str, error: Exception) -> None:
    """Which task ended the daemon, and why."""
    log.critical("task_failed", task=name, kind=type(error).__name__, reason=str(error))


async def _cycles(
    runtime: Runtime,
    metrics: Metrics,
    progress: Progress,
    stopped: asyncio.Event,
    wakeup: Wakeup | None,
    *,
    until_on_target: bool,
) -> None:
    cycle = Cycle(runtime, metrics, progress)
    timing = runtime.settings.timing
    failures = 0
    while True:
        report = await _one(cycle, metrics)
        failures = 0 if report is not None else failures + 1
        if report is not None and until_on_target and report.settled:
            stopped.set()
            return
        pause_secs = pause_after(failures, timing)
        if wakeup is not None and not failures:
            await wakeup.wait(pause_secs)
        else:
            await asyncio.sleep(pause_secs)


def pause_after(failures: int, timing: TimingSettings) -> float:
    """Seconds until the next cycle: doubled by each failure in a row, up to `backoff_max_secs`."""
    # The bound keeps the power within a float, however long the outage.
    doubled_secs = timing.cycle_secs * 2 ** min(failures, 32)
    return min(timing.backoff_max_secs, doubled_secs) if failures else timing.cycle_secs


async def _one(cycle: Cycle, metrics: Metrics) -> CycleReport | None:
    """One cycle; None where it could not be finished for a reason that may pass."""
    outcome = "failed"
    try:
        report = await cycle.run()
        outcome = "done"
    except _FATAL:
        raise
    except (ChainError, OperatorRoleMissing, SigningError, JournalConflict) as error:
        outcome = "outage"
        log.warning("outage", kind=type(error).__name__, reason=str(error))
        return None
    finally:
        metrics.cycles.labels(outcome).inc()
    metrics.last_cycle_ts.set(time.time())
    return report


async def _renew_lease(runtime: Runtime) -> None:
    """Prolong the lease also while nothing is written. LeaseLost ends the daemon."""
    while True:
        await asyncio.sleep(runtime.settings.timing.lease_secs / 3)
        await runtime.journal.renew_lease()


@contextmanager
def only_daemon(journal: Path) -> Iterator[None]:
    """Keep other daemons of this machine off the journal. OperationError where one is there; a killed one is not."""
    path = journal.with_name(journal.name + ".lock")
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise operation_error(
                "journal.path", journal, "another daemon works with it; stop that one first"
            ) from None
        yield


def _stopping(signal: str) -> None:
    log.info("stopping", signal=signal)
