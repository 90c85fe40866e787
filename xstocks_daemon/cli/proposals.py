"""proposals: what waits under the timelock, for those who may cancel it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Annotated, Any

import typer

from xstocks_daemon.app.proposals import Proposals, ReadProposal, Standing, read_proposals, who_cancels
from xstocks_daemon.app.runtime import open_chain
from xstocks_daemon.app.settings import Settings
from xstocks_daemon.app.views import time_text
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.program.idl import ProgramInterface, load_interface
from xstocks_daemon.cli import idl_values
from xstocks_daemon.cli.common import ConfigOption, JsonOption, open_settings_of_a_role, run_async
from xstocks_daemon.cli.output import print_json, print_table, say


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(proposals)


def proposals(
    config: ConfigOption = None,
    as_json: JsonOption = False,
    every: Annotated[
        bool, typer.Option("--all", help="Also what was executed or cancelled, has expired, or is an older admin's.")
    ] = False,
) -> None:
    """What the admin may execute now or soon: each instruction with its arguments, and who may cancel it until when."""
    settings, interface = open_settings_of_a_role(config), load_interface()
    read = run_async(_proposals(settings))
    shown = [each for each in read.found if every or each.standing.is_open]
    if as_json:
        print_json([_proposal_json(interface, settings, read, each) for each in shown])
        return
    if not shown:
        say("no proposal is waiting" if not every else "nothing was ever proposed")
    for each in shown:
        _show(interface, each, _proposal_json(interface, settings, read, each))


async def _proposals(settings: Settings) -> Proposals:
    async with open_chain(settings) as chain:
        return await read_proposals(chain, single_endpoint=settings.cluster.single_endpoint)


def _proposal_json(
    interface: ProgramInterface, settings: Settings, read: Proposals, each: ReadProposal
) -> dict[str, Any]:
    proposal, name = each.proposal, each.instruction
    return {
        "address": base58(proposal.address),
        "standing": each.standing.value,
        "instruction": name,
        "arguments": _arguments(interface, each),
        "data": proposal.data.hex(),
        "accounts": _accounts(interface, settings, each),
        "accepted": None if proposal.role is None else proposal.accepted,
        "ready_ts": proposal.ready_ts,
        "expires_ts": proposal.expires_ts,
        "cancelled_by": [
            {role: base58(key) for role, key in keys.items()} for keys in who_cancels(proposal, read.config)
        ]
        if each.standing.is_open
        else [],
    }


def _arguments(interface: ProgramInterface, each: ReadProposal) -> dict[str, Any]:
    if each.instruction is None:
        return {}
    kinds = interface.args_of[each.instruction]
    return {name: idl_values.plain(interface, kind, each.args[name]) for name, kind in kinds}


def _accounts(interface: ProgramInterface, settings: Settings, each: ReadProposal) -> Sequence[Mapping[str, Any]]:
    """By the names of the IDL; the last one it names is the proposal itself, which is not among them."""
    named = () if each.instruction is None else interface.accounts_of[each.instruction][:-1]
    return [
        {
            "name": "remaining" if spec is None else spec.name,
            "address": None if spec is not None and spec.optional and key == settings.program_id else base58(key),
        }
        for spec, key in zip_longest(named, each.proposal.accounts)
        if key is not None
    ]


def _show(interface: ProgramInterface, each: ReadProposal, shown: Mapping[str, Any]) -> None:
    name = each.instruction
    say("no instruction of this version of the program" if name is None else f"{name}: {interface.doc_of[name]}")
    facts = [("proposal", shown["address"]), ("standing", _standing_text(each))]
    if shown["accepted"] is not None:
        facts.append(("new key", "has accepted" if shown["accepted"] else "has not accepted"))
    facts += [
        ("cancelled by", " and ".join(f"{role} {key}" for role, key in together.items()))
        for together in shown["cancelled_by"]
    ]
    print_table("", ["", ""], facts)
    kinds = () if name is None else interface.args_of[name]
    # Amounts stay base units: the mint, which knows its decimals, is not read.
    rows = [
        row
        for argument, kind in kinds
        for row in idl_values.rows(interface, argument, kind, each.args[argument], decimals=None)
    ]
    if rows:
        print_table("", ["argument", "value", "that is"], rows)
    print_table("", ["account", "address"], [(one["name"], one["address"] or "(none)") for one in shown["accounts"]])


def _standing_text(each: ReadProposal) -> str:
    ready, expires = time_text(each.proposal.ready_ts), time_text(each.proposal.expires_ts)
    match each.standing:
        case Standing.WAITING:
            return f"waiting: may be executed from {ready} on, until {expires}; cancel it before"
        case Standing.READY:
            return f"ready since {ready}: may be executed at any moment until {expires}; cancel it now"
    return each.standing.value
