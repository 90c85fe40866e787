"""approve-burn, ack-burn, adopt-baseline, halts: what people vouch for."""

from __future__ import annotations

from typing import Annotated

import typer

from xstocks_daemon.app.daemon import only_daemon
from xstocks_daemon.app.runtime import find_mint, find_mints, open_runtime
from xstocks_daemon.app.settings import Settings
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.cli.common import (
    AssetArgument,
    ConfigOption,
    JsonOption,
    PersonOption,
    open_settings,
    person_or_account,
    run_async,
)
from xstocks_daemon.cli.output import print_json, print_table, say
from xstocks_daemon.domain.plan_inputs import Halt, totals_of
from xstocks_daemon.domain.units import U64_MAX
from xstocks_daemon.errors import user_error
from xstocks_daemon.journal import JournalConflict

AssetsArgument = Annotated[
    list[str], typer.Argument(metavar="MINT|SYMBOL...", help="The assets, each by mint or symbol.")
]
UpToOption = Annotated[int, typer.Option("--up-to-raw", min=1, max=U64_MAX, help="Up to this amount, in base units.")]

halts_app = typer.Typer(help="Assets that the daemon halted.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("approve-burn")(approve_burn)
    app.command("ack-burn")(ack_burn)
    app.command("adopt-baseline")(adopt_baseline)
    app.add_typer(halts_app, name="halts")


def approve_burn(
    asset: AssetArgument, up_to_raw: UpToOption, config: ConfigOption = None, person: PersonOption = None
) -> None:
    """Approve burns of at most this amount in all, where the plan says that it needs approval."""

    async def work(settings: Settings) -> None:
        async with open_runtime(settings) as runtime:
            mint = await find_mint(runtime, asset, "MINT|SYMBOL")
            await runtime.journal.approve_burn(mint, up_to_raw, person_or_account(person))

    run_async(work(open_settings(config)))
    say(f"approved: burns of at most {up_to_raw} base units of {asset} in all")


def ack_burn(
    asset: AssetArgument,
    up_to_raw: UpToOption,
    config: ConfigOption = None,
    person: PersonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Acknowledge what holders burnt themselves, up to this total; by two people it is minted again (M12)."""

    async def work(settings: Settings) -> int:
        async with open_runtime(settings) as runtime:
            mint = await find_mint(runtime, asset, "MINT|SYMBOL")
            try:
                return await runtime.journal.acknowledge_holder_burn(mint, up_to_raw, person_or_account(person))
            except JournalConflict as error:
                raise user_error("--up-to-raw", up_to_raw, str(error)) from None

    acknowledged_raw = run_async(work(open_settings(config)))
    if as_json:
        print_json({"acknowledged_raw": str(acknowledged_raw)})
    else:
        say(f"acknowledged by two people by now: {acknowledged_raw} base units of {asset}")


def adopt_baseline(
    assets: AssetsArgument,
    people: Annotated[list[str], typer.Option("--person", help="Who vouches for it; give it twice, two people.")],
    config: ConfigOption = None,
) -> None:
    """Take the chain's finalized state as the journal's: of live mints that were adopted, or after a journal was lost
    (M12). Stop the daemon first.

    Both people vouch that no other daemon works on the assets, and that no transaction of them is under way.
    """
    if len({name.strip() for name in people}) != 2 or len(people) != 2:
        raise user_error("--person", ", ".join(people), "give it twice, with the names of two different people")
    first, second = people
    settings = open_settings(config)

    async def work() -> None:
        async with open_runtime(settings) as runtime:
            mints = await find_mints(runtime, assets, "MINT|SYMBOL")
            with only_daemon(settings.journal.path):
                views = (await runtime.reader.snapshot(sorted(set(mints.values())))).assets
                for asset, mint in mints.items():
                    totals = totals_of(views[mint].asset)
                    try:
                        await runtime.journal.adopt_baseline(
                            mint, totals, views[mint].holder_burnt_raw, (first, second)
                        )
                    except JournalConflict as error:
                        raise user_error("MINT|SYMBOL", asset, str(error)) from None
                    halted = (await runtime.journal.expected(mint)).halt is not None
                    rest = f"; `xstocks halts clear {asset}` lets the daemon work on it" if halted else ""
                    say(f"adopted: {asset} from sequence {totals.sequence} on{rest}")

    run_async(work())


@halts_app.command("list")
def list_halts(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Every halted asset with its reason."""

    async def work(settings: Settings) -> list[tuple[str, Halt]]:
        async with open_runtime(settings) as runtime:
            known = (await runtime.journal.view()).assets
            halts = [one.halt for one in known.values() if one.halt is not None]
            views = (await runtime.reader.snapshot([halt.mint for halt in halts])).assets if halts else {}
            return [(views[halt.mint].mint.symbol, halt) for halt in halts]

    found = run_async(work(open_settings(config)))
    if as_json:
        print_json(
            [
                {"symbol": symbol, "mint": base58(halt.mint), "reason": halt.reason.value, "detail": halt.detail}
                for symbol, halt in found
            ]
        )
        return
    rows = [[symbol, base58(halt.mint), halt.reason.value, halt.detail] for symbol, halt in found]
    print_table("", ["asset", "mint", "reason", "detail"], rows)


@halts_app.command("clear")
def clear_halt(assets: AssetsArgument, config: ConfigOption = None, person: PersonOption = None) -> None:
    """Let the daemon work on halted assets again."""

    async def work(settings: Settings) -> None:
        async with open_runtime(settings) as runtime:
            for asset, mint in (await find_mints(runtime, assets, "MINT|SYMBOL")).items():
                try:
                    await runtime.journal.clear_halt(mint, person_or_account(person))
                except JournalConflict as error:
                    raise user_error("MINT|SYMBOL", asset, str(error)) from None
                say(f"cleared: {asset}")

    run_async(work(open_settings(config)))
