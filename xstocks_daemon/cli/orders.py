"""distribute, cancel-order, approve-burn, ack-burn, adopt-baseline, halts: what people decide."""

from __future__ import annotations

import getpass
import uuid
from fractions import Fraction
from typing import Annotated

import typer

from xstocks_daemon.app import views
from xstocks_daemon.app.daemon import only_daemon
from xstocks_daemon.app.runtime import Runtime, find_mint, find_mints, open_runtime
from xstocks_daemon.app.settings import Settings
from xstocks_daemon.chain.addresses import associated_token_address, base58, parse_address
from xstocks_daemon.chain.errors import AddressError
from xstocks_daemon.cli.common import ConfigOption, JsonOption, open_settings, run_async
from xstocks_daemon.cli.output import print_json, print_table, say
from xstocks_daemon.domain.plan_inputs import Halt, Order, totals_of
from xstocks_daemon.domain.snapshot import ParticipantState
from xstocks_daemon.domain.units import U64_MAX, Address
from xstocks_daemon.errors import user_error
from xstocks_daemon.journal import JournalConflict

AssetArgument = Annotated[str, typer.Argument(metavar="MINT|SYMBOL", help="The asset, by mint or symbol.")]
AssetsArgument = Annotated[
    list[str], typer.Argument(metavar="MINT|SYMBOL...", help="The assets, each by mint or symbol.")
]
PersonOption = Annotated[
    str | None, typer.Option("--person", help="Who decides this; by default the name of this account.")
]
UpToOption = Annotated[int, typer.Option("--up-to-raw", min=1, max=U64_MAX, help="Up to this amount, in base units.")]

halts_app = typer.Typer(help="Assets that the daemon halted.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(distribute)
    app.command("cancel-order")(cancel_order)
    app.command("approve-burn")(approve_burn)
    app.command("ack-burn")(ack_burn)
    app.command("adopt-baseline")(adopt_baseline)
    app.add_typer(halts_app, name="halts")


def distribute(
    asset: AssetArgument,
    amount: Annotated[str, typer.Argument(help="Tokens before the multiplier, as a decimal number such as 12.5.")],
    wallet: Annotated[str, typer.Argument(help="The participant's wallet.")],
    order_id: Annotated[
        str, typer.Option("--order-id", help="32 hex digits (a UUID): the same order is never served twice.")
    ],
    config: ConfigOption = None,
    person: PersonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Order a distribution from the vault to a participant's token account; the daemon carries it out."""
    settings = open_settings(config)
    order = run_async(_distribute(settings, asset, amount, wallet, order_id, _person(person)))
    if as_json:
        print_json(views.order_json(order))
    else:
        say(f"ordered: {order.amount_raw} base units of {base58(order.mint)} to {base58(order.wallet)}")


async def _distribute(settings: Settings, asset: str, amount: str, wallet: str, order_id: str, person: str) -> Order:
    order_bytes = _order_id(order_id)
    try:
        owner = parse_address(wallet)
    except AddressError:
        raise user_error("WALLET", wallet, "give the wallet's address in base58") from None
    async with open_runtime(settings) as runtime:
        mint = await find_mint(runtime, asset, "MINT|SYMBOL")
        decimals = (await runtime.reader.snapshot([mint])).assets[mint].asset.decimals
        amount_raw = _amount_raw(amount, decimals)
        await _check_participant(runtime, owner)
        order = Order(order_bytes, mint, amount_raw, owner, associated_token_address(owner, mint))
        try:
            await runtime.journal.place_order(order, person)
        except JournalConflict:
            raise user_error("--order-id", order_id, "was used before; give a new one for another order") from None
        return order


async def _check_participant(runtime: Runtime, wallet: Address) -> None:
    """A wallet that could never receive is refused at once; the program decides again when it is served."""
    address = runtime.client.addresses.participant(wallet)
    account = (await runtime.reader.read_groups([(address,)]))[0][0].accounts[0]
    if account is None:
        raise user_error("WALLET", base58(wallet), "is no participant; have the registrar put it on the allow-list")
    if runtime.client.participant(address, account.data, account.owner).state is not ParticipantState.ACTIVE:
        raise user_error("WALLET", base58(wallet), "the participant is not active; have the registrar activate it")


def _amount_raw(text: str, decimals: int) -> int:
    whole, _, part = text.partition(".")
    if not whole.isascii() or not whole.isdecimal() or (part and not (part.isascii() and part.isdecimal())):
        raise user_error("AMOUNT", text, "give a plain decimal number of tokens such as 12.5")
    if len(part) > decimals:
        raise user_error("AMOUNT", text, f"the asset has {decimals} decimals; give no more")
    amount_raw = int(Fraction(f"{whole}.{part or 0}") * 10**decimals)
    if not 0 < amount_raw <= U64_MAX:
        raise user_error("AMOUNT", text, "give more than 0, and no more than an u64 of base units holds")
    return amount_raw


def _order_id(text: str) -> bytes:
    try:
        order_id = uuid.UUID(text).bytes
    except ValueError:
        order_id = b""
    if not any(order_id):
        raise user_error("--order-id", text, "give 32 hex digits that are not all zero, such as a UUID")
    return order_id


def _person(name: str | None) -> str:
    return name or getpass.getuser()


def cancel_order(
    order_id: Annotated[str, typer.Argument(help="The order's id.")],
    config: ConfigOption = None,
    person: PersonOption = None,
) -> None:
    """Take an open order back, unless it is being carried out."""

    async def work(settings: Settings) -> None:
        async with open_runtime(settings) as runtime:
            try:
                await runtime.journal.cancel_order(_order_id(order_id), _person(person))
            except JournalConflict as error:
                raise user_error("ORDER_ID", order_id, str(error)) from None

    run_async(work(open_settings(config)))
    say(f"cancelled: {order_id}")


def approve_burn(
    asset: AssetArgument, up_to_raw: UpToOption, config: ConfigOption = None, person: PersonOption = None
) -> None:
    """Approve one burn of at most this amount, where the plan says that it needs approval."""

    async def work(settings: Settings) -> None:
        async with open_runtime(settings) as runtime:
            mint = await find_mint(runtime, asset, "MINT|SYMBOL")
            await runtime.journal.approve_burn(mint, up_to_raw, _person(person))

    run_async(work(open_settings(config)))
    say(f"approved: a burn of at most {up_to_raw} base units of {asset}")


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
                return await runtime.journal.acknowledge_holder_burn(mint, up_to_raw, _person(person))
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
                    await runtime.journal.clear_halt(mint, _person(person))
                except JournalConflict as error:
                    raise user_error("MINT|SYMBOL", asset, str(error)) from None
                say(f"cleared: {asset}")

    run_async(work(open_settings(config)))
