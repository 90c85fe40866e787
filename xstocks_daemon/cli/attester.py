"""attester: the custodian's sidecar and its books."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from xstocks_daemon.app.logging import configure_logging
from xstocks_daemon.app.settings import LoggingSettings
from xstocks_daemon.attester import (
    AssetBook,
    AttesterSettings,
    Books,
    BooksChange,
    Leaving,
    ReleaseRefused,
    accept_redemption,
    books_count_redemptions,
    books_deposit,
    books_mark_leaving,
    books_release,
    books_return_redemptions,
    books_show,
    books_unmark,
    load_attester_settings,
    run_attester,
)
from xstocks_daemon.chain.addresses import base58, parse_address
from xstocks_daemon.chain.errors import AddressError
from xstocks_daemon.cli.common import JsonOption
from xstocks_daemon.cli.output import print_json, print_table, say
from xstocks_daemon.domain.units import multiplier_text, shares_text
from xstocks_daemon.errors import operation_error, user_error

AttesterConfig = Annotated[Path, typer.Option("--config", metavar="FILE", help="The sidecar's settings file (TOML).")]
CustodianOption = Annotated[
    int | None, typer.Option("--custodian", help="The custodian's id; may be left out where the settings have one.")
]
AssetArgument = Annotated[str, typer.Argument(metavar="MINT|SYMBOL", help="The asset, by mint or symbol.")]
SharesArgument = Annotated[str, typer.Argument(help="A decimal number of shares, at most nine decimals.")]
SeenArgument = Annotated[
    int, typer.Argument(metavar="TOTAL_RAW", help="Base units redeemed on this custodian in all, as the chain has it.")
]
RedemptionArgument = Annotated[str, typer.Argument(metavar="REDEMPTION", help="The Redemption account's address.")]
LeavingArgument = Annotated[str, typer.Argument(metavar="LEAVING_ID", help="The id that mark-leaving gave.")]

attester_app = typer.Typer(help="A custodian's sidecar: it signs what the books hold.", no_args_is_help=True)
books_app = typer.Typer(help="The sidecar's books.", no_args_is_help=True)
attester_app.add_typer(books_app, name="books")


@attester_app.command()
def run(config: AttesterConfig) -> None:
    """Serve statements and co-signatures until SIGTERM or SIGINT; logs JSON."""
    configure_logging(LoggingSettings())
    asyncio.run(run_attester(load_attester_settings(config)))


@attester_app.command("accept-redemption")
def accept(redemption: RedemptionArgument, config: AttesterConfig, custodian: CustodianOption = None) -> None:
    """Give the custodian's word that it delivers the shares of an open redemption. Nothing is burnt without it, and for
    the time that the asset's policy fixes the participant cannot take its tokens back."""
    settings = load_attester_settings(config)
    try:
        address = parse_address(redemption)
    except AddressError:
        raise user_error("REDEMPTION", redemption, "give the Redemption account's address in base58") from None
    accepted = asyncio.run(accept_redemption(settings, _custodian(settings, custodian), address))
    say(f"accepted: {base58(address)}, {accepted.amount_raw} base units of {base58(accepted.mint)}")


@books_app.command("show")
def show(config: AttesterConfig, custodian: CustodianOption = None, as_json: JsonOption = False) -> None:
    """The books as they are."""
    settings = load_attester_settings(config)
    books = books_show(settings, _custodian(settings, custodian))
    if as_json:
        print_json({"custodian": _custodian(settings, custodian), "assets": [_json(book) for book in _assets(books)]})
        return
    rows = [
        [
            book.symbol,
            base58(book.mint),
            shares_text(book.shares_nano),
            multiplier_text(book.multiplier_bits),
            "; ".join(f"{one.id}: {shares_text(one.shares_nano)}" for one in book.leaving),
        ]
        for book in _assets(books)
    ]
    print_table("", ["asset", "mint", "shares", "multiplier", "leaving"], rows, right=("shares",))


@books_app.command("deposit")
def deposit(
    asset: AssetArgument,
    shares: SharesArgument,
    config: AttesterConfig,
    custodian: CustodianOption = None,
    as_json: JsonOption = False,
) -> None:
    """Shares arrived and are settled: they are attested from now on."""
    settings = load_attester_settings(config)
    change = books_deposit(settings, _custodian(settings, custodian), asset, shares)
    _print(change, as_json, f"deposited: {shares} shares of {change.asset.symbol}")


@books_app.command("count-redemptions")
def count_redemptions(
    asset: AssetArgument,
    seen_raw: SeenArgument,
    config: AttesterConfig,
    custodian: CustodianOption = None,
    as_json: JsonOption = False,
) -> None:
    """Redemptions settled on this custodian are counted: the shares owed are kept apart and not attested any more."""
    settings = load_attester_settings(config)
    change = books_count_redemptions(settings, _custodian(settings, custodian), asset, seen_raw)
    _print(change, as_json, f"counted: {seen_raw} base units of {change.asset.symbol} redeemed in all")


@books_app.command("return-redemptions")
def return_redemptions(
    asset: AssetArgument,
    seen_raw: SeenArgument,
    config: AttesterConfig,
    custodian: CustodianOption = None,
    as_json: JsonOption = False,
) -> None:
    """Redemptions that the broker rejected after the burn: nothing is owed for them, and their shares stay attested."""
    settings = load_attester_settings(config)
    change = books_return_redemptions(settings, _custodian(settings, custodian), asset, seen_raw)
    _print(
        change, as_json, f"returned: {seen_raw} base units of {change.asset.symbol} redeemed in all, the shares stay"
    )


@books_app.command("mark-leaving")
def mark_leaving(
    asset: AssetArgument,
    shares: SharesArgument,
    config: AttesterConfig,
    custodian: CustodianOption = None,
    as_json: JsonOption = False,
) -> None:
    """Shares are to leave: they are not attested any more. They may go by `release` (M13)."""
    settings = load_attester_settings(config)
    change = books_mark_leaving(settings, _custodian(settings, custodian), asset, shares)
    leaving_id = change.leaving.id if change.leaving is not None else ""
    _print(change, as_json, f"marked: {shares} shares of {change.asset.symbol} leave as {leaving_id}")


@books_app.command("unmark")
def unmark(
    asset: AssetArgument,
    leaving_id: LeavingArgument,
    config: AttesterConfig,
    custodian: CustodianOption = None,
    as_json: JsonOption = False,
) -> None:
    """Marked shares stay after all: they are attested again."""
    settings = load_attester_settings(config)
    change = books_unmark(settings, _custodian(settings, custodian), asset, leaving_id)
    _print(change, as_json, f"taken back: {leaving_id} of {change.asset.symbol} stays")


@books_app.command("release")
def release(
    asset: AssetArgument,
    leaving_id: LeavingArgument,
    config: AttesterConfig,
    custodian: CustodianOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let marked shares go, if the chain shows that no token needs them (M13); exit code 1 while it does not."""
    settings = load_attester_settings(config)
    try:
        change = asyncio.run(books_release(settings, _custodian(settings, custodian), asset, leaving_id))
    except ReleaseRefused as refused:
        raise operation_error(refused.field, refused.value, refused.remedy) from None
    _print(change, as_json, f"released: {leaving_id} of {change.asset.symbol}")


def _custodian(settings: AttesterSettings, custodian_id: int | None) -> int:
    """The id that was given, or the only one there is."""
    if custodian_id is not None:
        return custodian_id
    ids = [one.id for one in settings.custodians]
    if len(ids) != 1:
        raise user_error("--custodian", "(missing)", f"the settings have several: give one of {ids}")
    return ids[0]


def _print(change: BooksChange, as_json: bool, text: str) -> None:
    if as_json:
        leaving = None if change.leaving is None else _leaving_json(change.leaving)
        print_json({"asset": _json(change.asset), "leaving": leaving})
    else:
        say(text)


def _assets(books: Books) -> list[AssetBook]:
    return sorted(books.assets.values(), key=lambda book: book.symbol)


def _json(book: AssetBook) -> dict[str, Any]:
    return {
        "mint": base58(book.mint),
        "symbol": book.symbol,
        "version": book.version,
        "shares_nano": str(book.shares_nano),
        "unallotted_nano": str(book.unallotted_nano),
        "multiplier": multiplier_text(book.multiplier_bits),
        "decimals": book.decimals,
        "redeemed_seen_raw": str(book.redeemed_seen_raw),
        "ripcord": book.ripcord,
        "leaving": [_leaving_json(one) for one in book.leaving],
    }


def _leaving_json(leaving: Leaving) -> dict[str, Any]:
    return {"id": leaving.id, "shares_nano": str(leaving.shares_nano), "marked_ms": leaving.marked_ms}
