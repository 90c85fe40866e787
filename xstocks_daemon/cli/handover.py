"""hand-over: what a present holder of a live mint's authorities signs between begin_adopt and finish_adopt; and
adopt check: what finish_adopt cannot see."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from xstocks_daemon.aio import gather_all
from xstocks_daemon.app.adopt_check import AdoptCheck, check_adoptions
from xstocks_daemon.app.handover import FIELD, HandoverPart, confirm_part, plan_handover, sign_part
from xstocks_daemon.app.runtime import ChainConnection, open_chain
from xstocks_daemon.app.settings import Settings
from xstocks_daemon.chain.addresses import base58, parse_address
from xstocks_daemon.chain.errors import AddressError
from xstocks_daemon.cli.common import ConfigOption, JsonOption, YesOption, open_settings_of_a_role, run_async
from xstocks_daemon.cli.output import ERRORS, print_json, say
from xstocks_daemon.domain.units import Address
from xstocks_daemon.errors import EXIT_FAILURE, user_error
from xstocks_daemon.signing import KeyfileSigner, load_keyfile

SENT_AT_ONCE = 8
"""Transactions that are under way at a time: each takes until it is finalized."""


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("hand-over")(hand_over)
    adopt = typer.Typer(help="What to look at before and after a live mint is adopted.", no_args_is_help=True)
    adopt.callback()(_adopt)
    adopt.command("check")(adopt_check)
    app.add_typer(adopt, name="adopt")


def _adopt() -> None:
    """A group, though it has one command; the help text is the group's."""


def adopt_check(
    mints: Annotated[list[str], typer.Argument(metavar="MINT...", help="Mints to be adopted, or that were.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the accounts of permissioned mints that were thawed before the adoption and can change hands.

    Exit code 1 where there is one: freeze it, and thaw its owner's associated account instead (docs/adoption.md).
    """
    checks = run_async(_adopt_check(open_settings_of_a_role(config), mints))
    if as_json:
        print_json([_check_json(check) for check in checks])
    else:
        for check in checks:
            _say_check(check)
    if any(check.transferable for check in checks):
        raise typer.Exit(EXIT_FAILURE)


async def _adopt_check(settings: Settings, mints: Sequence[str]) -> list[AdoptCheck]:
    async with open_chain(settings) as chain:
        return await check_adoptions(chain, list(dict.fromkeys(map(_mint, mints))))


def _check_json(check: AdoptCheck) -> dict[str, object]:
    return {
        "mint": base58(check.mint),
        "permissioned": check.permissioned,
        "transferable": [
            {"account": base58(address), "owner": base58(each.owner), "amount_raw": str(each.amount_raw)}
            for address, each in check.transferable
        ],
    }


def _say_check(check: AdoptCheck) -> None:
    mint = base58(check.mint)
    if not check.permissioned:
        say(f"not permissioned: {mint}: anybody may hold it")
    elif not check.transferable:
        say(f"none: {mint}: no thawed account can change hands")
    for address, each in check.transferable:
        say(f"can change hands: {mint}: {base58(address)}: {each.amount_raw} base units of {base58(each.owner)}")


def hand_over(
    mints: Annotated[list[str], typer.Argument(metavar="MINT...", help="Mints whose adoption the admin has begun.")],
    keys: Annotated[
        list[Path],
        typer.Option("--key", metavar="FILE", help="A holder's key file; again for each. Each pays for itself."),
    ],
    config: ConfigOption = None,
    yes: YesOption = False,
) -> None:
    """Hand every authority of these mints that the keys hold over to the mint's asset. `abort-adopt` gives them back.

    What is handed over already is passed by, so it may be run again.
    """
    signers = {signer.public_key: signer for signer in (load_keyfile(file, "--key") for file in keys)}
    run_async(_hand_over(open_settings_of_a_role(config), mints, signers, yes=yes))


async def _hand_over(
    settings: Settings, mints: Sequence[str], signers: Mapping[Address, KeyfileSigner], *, yes: bool
) -> None:
    async with open_chain(settings) as chain:
        handover = await plan_handover(chain, list(dict.fromkeys(map(_mint, mints))), signers)
        for mint, others in handover.held_by_others.items():
            say(f"held by others: {base58(mint)}: {', '.join(others)}")
        for part in handover.parts:
            say(f"to hand over: {part.text}")
        if not handover.parts:
            say("nothing is left to hand over by these keys")
            return
        if not yes and not typer.confirm(f"Hand over to program {base58(settings.program_id)}?", err=True):
            say("not sent")
            raise typer.Exit(EXIT_FAILURE)
        gate = asyncio.Semaphore(SENT_AT_ONCE)
        await gather_all(_send(settings, chain, part, signers[part.holder], gate) for part in handover.parts)


def _mint(text: str) -> Address:
    try:
        return parse_address(text)
    except AddressError:
        raise user_error(FIELD, text, "give the mint's address in base58") from None


async def _send(
    settings: Settings, chain: ChainConnection, part: HandoverPart, signer: KeyfileSigner, gate: asyncio.Semaphore
) -> None:
    """Send one transaction; its signature is printed before, so that who interrupts this can look it up."""
    async with gate:
        attempt = await sign_part(settings, chain, part, signer)
        ERRORS.print(f"sending: {attempt.signature_text}")
        await confirm_part(chain, attempt)
        say(f"handed over: {part.text}")
