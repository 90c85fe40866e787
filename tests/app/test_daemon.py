"""The operating shell: an outage is a state, a lost lease or a mistake ends the daemon, one daemon per journal."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from xstocks_daemon.aio import run_until
from xstocks_daemon.app import daemon
from xstocks_daemon.app.cycle import Cycle
from xstocks_daemon.app.live_operator import OperatorRoleMissing
from xstocks_daemon.app.metrics import Metrics
from xstocks_daemon.app.runtime import as_user_error
from xstocks_daemon.app.settings import TimingSettings
from xstocks_daemon.chain.errors import (
    AccountMissing,
    AssetNotRegistered,
    ChainDisagreement,
    MalformedAccount,
    RpcUnreachable,
    TransactionFailed,
    WrongCluster,
)
from xstocks_daemon.domain.units import Address
from xstocks_daemon.errors import OperationError, UserError
from xstocks_daemon.journal import JournalConflict, LeaseLost
from xstocks_daemon.signing import SigningError


class FakeCycle(Cycle):
    """A cycle that fails as told."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def run(self) -> None:  # type: ignore[override]
        raise self._error


def count(metrics: Metrics, outcome: str) -> float | None:
    return metrics.registry.get_sample_value("xstocks_cycles_total", {"outcome": outcome})


@pytest.mark.parametrize(
    "error",
    [
        RpcUnreachable("http://127.0.0.1:1", "getSlot", "no connection"),
        ChainDisagreement(["a"], ["x", "y"], 1),
        TransactionFailed("BlockhashNotFound", None, "refused"),
        MalformedAccount("version 2, this daemon reads 1"),
        OperatorRoleMissing("another key"),
        SigningError("the signer is away"),
        JournalConflict("changed by a person"),
    ],
)
async def test_what_may_pass_is_an_outage(error: Exception) -> None:
    metrics = Metrics()
    assert await daemon._one(FakeCycle(error), metrics) is None
    assert (count(metrics, "outage"), count(metrics, "failed"), count(metrics, "done")) == (1, 0, 0)


@pytest.mark.parametrize(
    "error",
    [
        LeaseLost("taken over"),
        WrongCluster("another chain"),
        AssetNotRegistered([Address(bytes(32))], ["x"]),
        AccountMissing("no config"),
        ZeroDivisionError("a bug"),
    ],
)
async def test_what_will_not_pass_ends_the_daemon(error: Exception) -> None:
    metrics = Metrics()
    with pytest.raises(type(error)):
        await daemon._one(FakeCycle(error), metrics)
    assert (count(metrics, "outage"), count(metrics, "failed")) == (0, 1)


def test_two_daemons_of_one_machine_never_share_a_journal(tmp_path: Path) -> None:
    journal = tmp_path / "journal.sqlite"
    with daemon.only_daemon(journal):
        with pytest.raises(OperationError) as caught, daemon.only_daemon(journal):
            pass
        assert str(caught.value) == f"journal.path: {journal}: another daemon works with it; stop that one first"
        assert caught.value.exit_code == 1
    with daemon.only_daemon(journal):
        pass  # the lock went with its holder


async def test_metrics_are_served_on_loopback_with_every_label_from_the_start(unused_tcp_port: int) -> None:
    metrics = Metrics([1])
    with metrics.serve(unused_tcp_port):
        reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
        text = (await reader.read()).decode()
        writer.close()
        await writer.wait_closed()
    assert 'xstocks_cycles_total{outcome="outage"} 0.0' in text
    assert 'xstocks_attempts_total{kind="burn",state="dead"} 0.0' in text
    assert 'xstocks_statements_total{custodian="1",outcome="rejected"} 0.0' in text


def test_a_port_in_use_is_a_mistake_of_the_settings(unused_tcp_port: int) -> None:
    taken = socket.create_server(("127.0.0.1", unused_tcp_port))
    with taken, pytest.raises(UserError) as caught, Metrics().serve(unused_tcp_port):
        pass
    line = f"metrics.port: {unused_tcp_port}: cannot be used (Address already in use); choose another"
    assert str(caught.value) == line


async def test_a_task_that_fails_ends_the_others_and_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    async def bug() -> None:
        raise ZeroDivisionError("one by zero")

    other = asyncio.Event()

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            other.set()

    with pytest.raises(ExceptionGroup) as ended:
        await run_until(asyncio.Event(), {"cycles": bug(), "lease": waits()}, daemon._task_failed)
    assert ended.group_contains(ZeroDivisionError)
    assert other.is_set()
    shown = capsys.readouterr().out
    assert "task_failed" in shown
    assert "task=cycles" in shown


def test_errors_of_several_tasks_are_shown_only_where_all_are_understood() -> None:
    lost = LeaseLost("taken over")
    known = as_user_error(ExceptionGroup("tasks", [lost, lost]))
    assert known is not None
    assert (known.exit_code, str(known)) == (1, "journal.path: (unknown): taken over")
    assert as_user_error(ExceptionGroup("tasks", [lost, ZeroDivisionError("a bug")])) is None


@pytest.mark.parametrize(("failures", "pause_secs"), [(0, 5), (1, 10), (3, 40), (4, 60), (5_000, 60)])
def test_the_pause_doubles_up_to_its_bound_however_long_the_outage(failures: int, pause_secs: float) -> None:
    timing = TimingSettings(cycle_secs=5, backoff_max_secs=60)
    assert daemon.pause_after(failures, timing) == pause_secs
