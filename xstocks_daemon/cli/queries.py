"""status, assets, intents: what the chain and the journal say. These read only and take no lease."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from xstocks_daemon.app import views
from xstocks_daemon.app.runtime import Runtime, find_mint, open_runtime
from xstocks_daemon.app.settings import Settings
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.cli.common import ConfigOption, JsonOption, open_settings, run_async
from xstocks_daemon.cli.output import print_json, print_table, say
from xstocks_daemon.domain.intent import IntentState
from xstocks_daemon.domain.plan_inputs import JournalView
from xstocks_daemon.domain.snapshot import ChainSnapshot
from xstocks_daemon.domain.units import decimal_text
from xstocks_daemon.errors import user_error


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(status)
    app.command()(assets)
    app.command()(intents)


async def _read(runtime: Runtime) -> tuple[ChainSnapshot, JournalView]:
    return await runtime.reader.snapshot(await runtime.mints()), await runtime.journal.view()


def status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Numbers over all assets: in circulation, under way, halted, open orders."""
    settings = open_settings(config)
    found = run_async(status_of(settings))
    if as_json:
        print_json(found)
        return
    print_table(
        "", ["", ""], [[name.replace("_", " "), str(value)] for name, value in found.items() if name != "halts"]
    )
    for halt in found["halts"]:
        say(f"halted: {halt['symbol']} {halt['mint']}: {halt['reason']}: {halt['detail']}")


async def status_of(settings: Settings) -> dict[str, Any]:
    """The JSON values that `status` prints: numbers over all assets, and the halts."""
    async with open_runtime(settings) as runtime:
        snapshot, journal = await _read(runtime)
        intents, attempts = await runtime.journal.live_intents(), await runtime.journal.live_attempts()
        return views.status_json(snapshot, journal, intents_live=len(intents), attempts_live=len(attempts))


def assets(
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every asset: supply, ceiling, inventory, and what stands in its way."""
    settings = open_settings(config)
    snapshot, journal = run_async(_assets(settings))
    shown = [views.asset_json(view, snapshot, journal.of(mint)) for mint, view in snapshot.assets.items()]
    if as_json:
        print_json({"slot": snapshot.slot, "now_ts": snapshot.now_ts, "assets": shown})
        return
    rows = [
        [
            one["symbol"],
            one["mint"],
            *(decimal_text(int(one[name]), one["decimals"]) for name in ("supply_raw", "ceiling_raw", "vault_raw")),
            one["multiplier"],
            str(one["sequence"]),
            ", ".join(views.obstacles(one)),
        ]
        for one in sorted(shown, key=lambda one: str(one["symbol"]))
    ]
    columns = ["asset", "mint", "supply", "ceiling", "inventory", "multiplier", "sequence", "notes"]
    print_table(f"Finalized slot {snapshot.slot}", columns, rows, right=("supply", "ceiling", "inventory", "sequence"))


async def _assets(settings: Settings) -> tuple[ChainSnapshot, JournalView]:
    async with open_runtime(settings) as runtime:
        return await _read(runtime)


def intents(
    config: ConfigOption = None,
    as_json: JsonOption = False,
    asset: Annotated[str | None, typer.Option("--asset", help="Only this mint or symbol.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="pending, submitted, done or dropped.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000_000)] = 50,
) -> None:
    """The newest intents of the journal, newest first."""
    settings = open_settings(config)
    states = {each.value: each for each in IntentState}
    if state is not None and state not in states:
        raise user_error("--state", state, f"give one of {', '.join(states)}")
    wanted = None if state is None else states[state]
    records = run_async(_intents(settings, asset, wanted, limit))
    if as_json:
        print_json([views.record_json(record) for record in records])
        return
    rows = [
        [
            str(record.id),
            record.intent.kind.name.lower(),
            base58(record.intent.mint),
            str(record.intent.sequence),
            str(record.intent.amount_raw),
            record.state.value,
            record.note,
        ]
        for record in records
    ]
    columns = ["id", "kind", "mint", "sequence", "amount_raw", "state", "note"]
    print_table("", columns, rows, right=("id", "sequence", "amount_raw"))


async def _intents(settings: Settings, asset: str | None, state: IntentState | None, limit: int) -> Any:
    async with open_runtime(settings) as runtime:
        mint = None if asset is None else await find_mint(runtime, asset, "--asset")
        return await runtime.journal.intents(mint=mint, state=state, limit=limit)
