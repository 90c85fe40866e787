"""What the read-only commands show of the chain and the journal, and how `check` and `attest` end."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from tests.cli.fakes import AAPL, TSLA, Surroundings, named
from tests.custody.builders import CUSTODIAN, NEVER_TS, entry_of
from xstocks_daemon.app.checks import Check
from xstocks_daemon.app.custody import CustodyRound, Rejected
from xstocks_daemon.app.settings import Settings
from xstocks_daemon.app.views import obstacles as obstacles_of
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.cli import daemon as daemon_commands
from xstocks_daemon.custody.source import CustodyReading, SourceFailure
from xstocks_daemon.custody.verify import Rejection, RejectionReason
from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.plan_inputs import Halt, HaltReason
from xstocks_daemon.domain.snapshot import AssetState, Hold, Scope
from xstocks_daemon.domain.statement import SignedStatement
from xstocks_daemon.journal import Journal

NOW_MS = time.time_ns() // 1_000_000


def fresh(capacity_raw: int) -> Any:
    return entry_of(
        withdrawn=False,
        observed_ms=NOW_MS,
        shares_nano=10 * capacity_raw,
        capacity_raw=capacity_raw,
        expires_ts=NEVER_TS,
    )


def populate(surroundings: Surroundings) -> None:
    """AAPLx at its ceiling, with an intent; TSLAx above it, on hold and halted."""
    surroundings.views = {
        AAPL: named("AAPLx", AAPL, fresh(900), supply_raw=900),
        TSLA: named("TSLAx", TSLA, fresh(900), supply_raw=1_000, holds=Hold.RISE),
    }

    async def work(journal: Journal) -> None:
        for mint in (AAPL, TSLA):
            await journal.record_intents([Intent(IntentKind.MINT, mint, 0, 5, surroundings.views[mint].asset.vault)])
        await journal.drop_intent(1, "less is wanted")
        await journal.record_halt(Halt(TSLA, HaltReason.SUPPLY_ABOVE_CEILING, "1000 above 900"))

    surroundings.journal(work)


def test_status_counts_over_all_assets(surroundings: Surroundings) -> None:
    populate(surroundings)
    shown = json.loads(surroundings.done("status", "--json"))
    counted = (
        "assets",
        "at_ceiling",
        "above_ceiling",
        "on_hold",
        "quarantined",
        "intents_live",
        "orders_open",
        "halted",
    )
    assert [shown[name] for name in counted] == [2, 1, 1, 1, 0, 1, 0, 1]
    assert shown["halts"] == [
        {"mint": base58(TSLA), "symbol": "TSLAx", "reason": "supply_above_ceiling", "detail": "1000 above 900"}
    ]
    assert "halted: TSLAx " in surroundings.done("status")


def test_assets_are_shown_with_what_stands_in_their_way(surroundings: Surroundings) -> None:
    populate(surroundings)
    shown = json.loads(surroundings.done("assets", "--json"))["assets"]
    assert [(one["symbol"], one["supply_raw"], one["ceiling_raw"]) for one in shown] == [
        ("AAPLx", "900", "900"),
        ("TSLAx", "1000", "900"),
    ]
    aapl, tsla = (
        line for line in surroundings.done("assets").splitlines() if "x " in line and base58(AAPL)[:4] in line
    )
    assert "below supply" not in aapl
    assert "on hold, halted: supply_above_ceiling, below supply" in tsla


PLAIN: dict[str, Any] = {
    "state": "active",
    "paused": 0,
    "transfers_paused": False,
    "holds": 0,
    "halt": None,
    "quarantined": None,
    "entries": [{"fresh": True}, {"fresh": True}],
    "supply_raw": "900",
    "ceiling_raw": "900",
}


@pytest.mark.parametrize(
    ("change", "obstacles"),
    [
        ({}, []),
        ({"state": "retired"}, ["retired"]),
        ({"paused": 1}, ["paused"]),
        ({"transfers_paused": True}, ["paused"]),
        ({"holds": 2}, ["on hold"]),
        ({"halt": {"reason": "equivocation"}}, ["halted: equivocation"]),
        ({"quarantined": "simulation"}, ["quarantined"]),
        ({"entries": [{"fresh": True}, {"fresh": False}]}, ["statement not fresh"]),
        ({"entries": []}, ["no custodian"]),
        ({"supply_raw": "901"}, ["below supply"]),
        ({"supply_raw": "1000"}, ["below supply"]),
        ({"supply_raw": "90", "ceiling_raw": "100"}, []),
    ],
)
def test_each_obstacle_is_named(change: dict[str, Any], obstacles: list[str]) -> None:
    assert obstacles_of(PLAIN | change) == obstacles


def test_a_paused_asset_is_shown_so(surroundings: Surroundings) -> None:
    view = named("AAPLx", AAPL, fresh(900), supply_raw=900)
    surroundings.views = {AAPL: replace(view, asset=replace(view.asset, state=AssetState.RETIRED, paused=Scope.MINT))}
    assert "retired, paused" in surroundings.done("assets")


def test_intents_are_shown_newest_first_by_asset_and_state(surroundings: Surroundings) -> None:
    populate(surroundings)

    def ids(*options: str) -> list[int]:
        return [one["id"] for one in json.loads(surroundings.done("intents", "--json", *options))]

    assert ids() == [2, 1]
    assert ids("--asset", "AAPLx") == [1]
    assert ids("--state", "pending") == [2]
    assert ids("--state", "done") == []
    assert ids("--limit", "1") == [2]
    assert "less is wanted" in surroundings.done("intents", "--asset", base58(AAPL))
    assert surroundings.refused("intents", "--state", "lost").startswith("error: --state: lost: give one of pending")


@pytest.mark.parametrize(("passed", "code"), [(True, 0), (False, 1)])
def test_check_ends_by_what_it_found(
    surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch, passed: bool, code: int
) -> None:
    async def checks(_settings: Settings) -> list[Check]:
        return [Check("program", True, "found"), Check("journal", passed, "3 assets are halted")]

    monkeypatch.setattr(daemon_commands, "run_checks", checks)
    found, out, err = surroundings.types("check", "--json")
    assert (found, err) == (code, "")
    assert [one["passed"] for one in json.loads(out)] == [True, passed]
    found, out, _ = surroundings.types("check")
    assert (found, "FAIL" in out) == (code, not passed)


SIGNED = SignedStatement.__new__(SignedStatement)
REJECTED = Rejected(CUSTODIAN, SIGNED, (Rejection(RejectionReason.NOT_NEWER, AAPL, "there is a newer one"),))
FAILED = SourceFailure(CUSTODIAN, (AAPL,), "http://127.0.0.1:9", "no connection")


@pytest.mark.parametrize(
    ("rejected", "failures", "code", "line"),
    [
        ((), (), 0, ""),
        ((REJECTED,), (), 1, f"rejected: custodian {base58(CUSTODIAN)}: not_newer: there is a newer one\n"),
        ((), (FAILED,), 1, "failed: custody http://127.0.0.1:9: no connection\n"),
    ],
)
def test_attest_ends_by_what_was_said(
    surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch, rejected: Any, failures: Any, code: int, line: str
) -> None:
    told: list[bool] = []

    async def attest_once(_settings: Settings, *, submit: bool) -> tuple[CustodyRound, int]:
        told.append(submit)
        return CustodyRound((), rejected, CustodyReading(failures=failures), {}), 0

    monkeypatch.setattr(daemon_commands, "attest_once", attest_once)
    found, out, err = surroundings.types("attest")
    assert (found, err) == (code, "")
    assert out.endswith(line)
    assert surroundings.types("attest", "--submit")[0] == code
    assert told == [False, True], "nothing is relayed unless it is asked for"


def test_a_relay_is_refused_where_the_settings_are_not_live(surroundings: Surroundings) -> None:
    path = surroundings.settings_path
    path.write_text(path.read_text().replace("live = true", "live = false"))
    line = "error: live: False: --submit sends: set live = true and [operator] key_file"
    assert surroundings.refused("attest", "--submit") == line

    async def logged(journal: Journal) -> list[str]:
        return [event.kind for event in await journal.events()]

    assert surroundings.journal(logged) == ["lease_acquired"], "this test's own lease alone"


def test_a_plan_is_a_dry_run_whatever_the_settings_say(
    surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bool] = []

    async def plan(settings: Settings) -> Any:
        told.append(settings.live)
        raise KeyboardInterrupt

    monkeypatch.setattr(daemon_commands, "_plan", plan)
    assert surroundings.types("plan")[0] == 130
    assert told == [False]
