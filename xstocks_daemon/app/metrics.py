"""Prometheus metrics of the daemon. Every label value exists from the start, so that a rate never begins unseen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from xstocks_daemon.domain.intent import AttemptState, IntentKind
from xstocks_daemon.errors import user_error

LOOPBACK = "127.0.0.1"
CYCLE_OUTCOMES = ("done", "outage", "failed")
STATEMENT_OUTCOMES = ("verified", "rejected", "failed", "relayed", "refused")


class Metrics:
    """The daemon's metrics in a registry of their own. `custodians` are the ids the settings name."""

    def __init__(self, custodians: Iterable[int] = ()) -> None:
        self.registry = CollectorRegistry()
        self.cycle_seconds = Histogram(
            "xstocks_cycle_seconds", "Duration of a cycle.", registry=self.registry, buckets=(0.1, 0.5, 1, 2, 5, 10, 30)
        )
        self.cycles = Counter("xstocks_cycles", "Cycles by how they ended.", ["outcome"], registry=self.registry)
        self.attempts = Counter(
            "xstocks_attempts", "Signed transactions by kind and state.", ["kind", "state"], registry=self.registry
        )
        self.statements = Counter(
            "xstocks_statements",
            "Statements by custodian and outcome.",
            ["custodian", "outcome"],
            registry=self.registry,
        )
        self.assets = Gauge("xstocks_assets", "Assets looked after.", registry=self.registry)
        self.assets_on_target = Gauge(
            "xstocks_assets_on_target", "Assets whose supply is at its target.", registry=self.registry
        )
        self.assets_halted = Gauge("xstocks_assets_halted", "Assets the daemon halted.", registry=self.registry)
        self.shortfalls = Gauge(
            "xstocks_assets_short", "Assets with supply above what is backed.", registry=self.registry
        )
        self.finalized_slot = Gauge("xstocks_finalized_slot", "Slot of the last snapshot.", registry=self.registry)
        self.last_cycle_ts = Gauge(
            "xstocks_last_cycle_timestamp_seconds", "When the last cycle was done.", registry=self.registry
        )
        self.holder_burns = Counter(
            "xstocks_holder_burns", "Recorded rises of what holders burnt themselves (M12).", registry=self.registry
        )
        for outcome in CYCLE_OUTCOMES:
            self.cycles.labels(outcome)
        for kind in IntentKind:
            for state in AttemptState:
                self.attempts.labels(kind.name.lower(), state.value)
        for custodian in custodians:
            for outcome in STATEMENT_OUTCOMES:
                self.statements.labels(str(custodian), outcome)

    @contextmanager
    def serve(self, port: int | None) -> Iterator[None]:
        """Serve the registry on loopback while the context lasts; nothing where `port` is None. UserError where the
        port cannot be used."""
        if port is None:
            yield
            return
        try:
            server, thread = start_http_server(port, addr=LOOPBACK, registry=self.registry)
        except OSError as error:
            raise user_error("metrics.port", port, f"cannot be used ({error.strerror}); choose another") from None
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
