"""distribute, reissue, cancel-order: what people order."""

from __future__ import annotations

import uuid
from fractions import Fraction
from typing import Annotated

import typer

from xstocks_daemon.app import views
from xstocks_daemon.app.runtime import Runtime, find_mint, open_runtime
from xstocks_daemon.app.settings import Settings
from xstocks_daemon.chain.addresses import associated_token_address, base58, parse_address
from xstocks_daemon.chain.errors import AddressError
from xstocks_daemon.cli.common import (
    AssetArgument,
    ConfigOption,
    JsonOption,
    PersonOption,
    open_settings,
    person_or_account,
    run_async,
)
from xstocks_daemon.cli.output import print_json, say
from xstocks_daemon.domain.plan_inputs import Order
from xstocks_daemon.domain.snapshot import ParticipantState, Redemption, RedemptionState
from xstocks_daemon.domain.units import U64_MAX, Address
from xstocks_daemon.errors import user_error
from xstocks_daemon.journal import JournalConflict


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(distribute)
    app.command()(reissue)
    app.command("cancel-order")(cancel_order)


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
    order = run_async(_distribute(settings, asset, amount, wallet, order_id, person_or_account(person)))
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


def reissue(
    redemption: Annotated[str, typer.Argument(metavar="REDEMPTION", help="The Redemption account's address.")],
    config: ConfigOption = None,
    person: PersonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Order a settled redemption's tokens for its participant again, because its broker rejected it after the burn. Its
    id is the order's, so it is done once; the daemon carries it out from what new statements let it mint."""
    settings = open_settings(config)
    order = run_async(_reissue(settings, redemption, person_or_account(person)))
    if as_json:
        print_json(views.order_json(order))
    else:
        say(f"ordered again: {order.amount_raw} base units of {base58(order.mint)} to {base58(order.wallet)}")


async def _reissue(settings: Settings, text: str, person: str) -> Order:
    try:
        address = parse_address(text)
    except AddressError:
        raise user_error("REDEMPTION", text, "give the Redemption account's address in base58") from None
    async with open_runtime(settings) as runtime:
        account = (await runtime.reader.read_groups([(address,)]))[0][0].accounts[0]
        if account is None:
            raise user_error("REDEMPTION", text, "there is no such account")
        order = order_again(runtime.client.redemption(address, account.data, account.owner))
        await _check_participant(runtime, order.wallet)
        try:
            await runtime.journal.place_order(order, person)
        except JournalConflict:
            raise user_error("REDEMPTION", text, "was ordered again before") from None
        return order


def order_again(settled: Redemption) -> Order:
    """The order that gives a settled redemption's participant its tokens again, under the redemption's id. UserError
    where nothing of it was burnt."""
    shown = base58(settled.address)
    if settled.state is not RedemptionState.SETTLED:
        raise user_error(
            "REDEMPTION", shown, f"it is {settled.state.name.lower()}: only what was burnt is issued again"
        )
    if not any(settled.id):
        raise user_error("REDEMPTION", shown, "its id is all zeros, which no order has; use distribute with another")
    owner, mint = settled.wallet, settled.mint
    return Order(settled.id, mint, settled.amount_raw, owner, associated_token_address(owner, mint))


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


def cancel_order(
    order_id: Annotated[str, typer.Argument(help="The order's id.")],
    config: ConfigOption = None,
    person: PersonOption = None,
) -> None:
    """Take an open order back, unless it is being carried out."""

    async def work(settings: Settings) -> None:
        async with open_runtime(settings) as runtime:
            try:
                await runtime.journal.cancel_order(_order_id(order_id), person_or_account(person))
            except JournalConflict as error:
                raise user_error("ORDER_ID", order_id, str(error)) from None

    run_async(work(open_settings(config)))
    say(f"cancelled: {order_id}")
