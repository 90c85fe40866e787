"""check, run, plan, attest: what the operator does."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from xstocks_daemon.app import views
from xstocks_daemon.app.checks import run_checks
from xstocks_daemon.app.cycle import Cycle, CycleReport, no_progress
from xstocks_daemon.app.daemon import attest_once, run_daemon
from xstocks_daemon.app.metrics import Metrics
from xstocks_daemon.app.runtime import open_runtime
from xstocks_daemon.app.settings import Settings
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.cli.common import ConfigOption, JsonOption, open_settings, run_async
from xstocks_daemon.cli.output import print_json, print_table, say
from xstocks_daemon.domain.decisions import Action, AssetPlan
from xstocks_daemon.domain.units import decimal_text, shares_text
from xstocks_daemon.errors import EXIT_FAILURE


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(check)
    app.command()(run)
    app.command()(plan)
    app.command()(attest)


def check(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Check endpoints, program, key, custodians and journal; send nothing. Exit code 1 where one fails."""
    checks = run_async(run_checks(open_settings(config)))
    if as_json:
        print_json([{"name": one.name, "passed": one.passed, "detail": one.detail} for one in checks])
    else:
        print_table(
            "", ["check", "", "detail"], [[one.name, "ok" if one.passed else "FAIL", one.detail] for one in checks]
        )
    if not all(one.passed for one in checks):
        raise typer.Exit(EXIT_FAILURE)


def run(
    config: ConfigOption = None,
    until_on_target: Annotated[
        bool, typer.Option("--until-on-target", help="Stop once every asset's supply is at its target.")
    ] = False,
    progress: Annotated[
        bool | None, typer.Option("--progress/--no-progress", help="Show a progress bar (by default on a terminal).")
    ] = None,
) -> None:
    """Run the daemon. Without `live = true` and a key it is a dry run: it decides and sends nothing."""
    settings = open_settings(config, quiet=False)
    shown = sys.stdout.isatty() if progress is None else progress
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(),
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with bar if shown else nullcontext():
        task = bar.add_task("assets on target", total=None)

        def show(on_target: int, total: int) -> None:
            bar.update(task, completed=on_target, total=total)

        run_async(run_daemon(settings, until_on_target=until_on_target, progress=show if shown else no_progress))


def plan(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Print what the daemon would decide now, with the reasons. Sends nothing, writes nothing, takes no lease."""
    settings = open_settings(config, live=False)
    decided = run_async(_plan(settings)).plan
    if as_json:
        print_json(views.plan_json(decided))
        return
    rows = [
        [
            asset.symbol,
            _tokens(asset.supply_raw, asset),
            _tokens(asset.target_raw, asset),
            "" if asset.action is Action.NONE else f"{asset.action.value} {_tokens(asset.amount_raw, asset)}",
            "; ".join([asset.reason.text, *(_note(note.reason.text, note.detail) for note in asset.notes)]),
        ]
        for asset in decided.assets
    ]
    print_table(
        f"Plan at slot {decided.slot}: {len(decided.relays)} statements to relay, {len(decided.intents)} intents",
        ["asset", "supply", "target", "action", "why"],
        rows,
        right=("supply", "target"),
    )


async def _plan(settings: Settings) -> CycleReport:
    async with open_runtime(settings) as runtime:
        return await Cycle(runtime, Metrics(runtime.custodians.values())).run()


def _tokens(amount_raw: int, asset: AssetPlan) -> str:
    return decimal_text(amount_raw, asset.decimals)


def _note(text: str, detail: str) -> str:
    return f"{text} ({detail})" if detail else text


def attest(
    config: ConfigOption = None,
    as_json: JsonOption = False,
    submit: Annotated[
        bool, typer.Option("--submit", help="Relay what is useful once (needs live = true and the key).")
    ] = False,
) -> None:
    """Ask the custodians for statements, verify them, and print them."""
    settings = open_settings(config)
    answers, relayed = run_async(attest_once(settings, submit=submit))
    if as_json:
        print_json(views.round_json(answers) | {"relayed": relayed})
    else:
        rows = [
            [base58(signed.statement.custodian), base58(entry.mint), shares_text(entry.shares_nano)]
            for signed in answers.verified
            for entry in signed.statement.entries
        ]
        title = f"{len(answers.verified)} verified statements" + (f", {relayed} relayed" if submit else "")
        print_table(title, ["custodian", "mint", "shares"], rows, right=("shares",))
        for each in answers.rejected:
            for one in each.rejections:
                say(f"rejected: custodian {base58(each.custodian)}: {one.reason.value}: {one.detail}")
        for failure in answers.reading.failures:
            say(f"failed: {failure}")
    if answers.rejected or answers.reading.failures:
        raise typer.Exit(EXIT_FAILURE)
