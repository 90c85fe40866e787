"""An instruction of the program as people and scripts see it, before it is sent and after."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from solders.instruction import AccountMeta

from xstocks_daemon.app.offline import ReadMessage, SentMessage
from xstocks_daemon.app.role_instructions import Draft, Request, RoleInstruction, Sent
from xstocks_daemon.app.views import time_text
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.program import Proposal
from xstocks_daemon.chain.program.idl import AccountSpec, ProgramInterface
from xstocks_daemon.cli import idl_values
from xstocks_daemon.cli.output import print_table, say
from xstocks_daemon.domain.units import Address

#: What the daemon's journal must know of first.
_OF_THE_JOURNAL = ("mint", "burn", "distribute")


def draft_json(work: RoleInstruction, draft: Draft) -> dict[str, Any]:
    """The instruction that will be sent, as JSON values."""
    interface, request = work.chain.client.interface, work.request
    roles, own = interface.accounts_of[request.instruction], base58(work.settings.program_id)
    signing = {base58(work.payer): None}
    signing |= {str(meta.pubkey): None for meta in draft.sent.accounts if meta.is_signer}
    return {
        "instruction": request.instruction,
        "propose": request.propose,
        "program_id": own,
        "genesis_hash": base58(work.settings.cluster.genesis_hash),
        "arguments": {
            name: idl_values.plain(interface, kind, request.args[name])
            for name, kind in interface.args_of[request.instruction]
        },
        "accounts": [_account_json(role, meta, own) for role, meta in zip_longest(roles, draft.meant.accounts)],
        "payer": base58(work.payer),
        "signers": list(signing),
        "compute_units": draft.budget.limit_units,
        "proposal": _proposal_json(draft.proposal, draft.state),
        "signature": None,
    }


def sent_json(interface: ProgramInterface, draft: Draft, sent: Sent) -> dict[str, Any]:
    """The finalized transaction with its events, as JSON values."""
    return {**events_json(interface, sent), "proposal": _proposal_json(draft.proposal, sent.state)}


def events_json(interface: ProgramInterface, sent: Sent | SentMessage) -> dict[str, Any]:
    """A finalized transaction's signature, slot and events, as JSON values."""
    return {
        "signature": sent.signature,
        "slot": sent.slot,
        "events": [
            {"name": event.name, **idl_values.plain(interface, _struct(event.name), event.fields)}
            for event in sent.events
        ],
    }


def read_json(interface: ProgramInterface, read: ReadMessage) -> dict[str, Any]:
    """What a message says, as JSON values."""
    specs, own = interface.accounts_of[read.instruction], base58(read.program_id)
    return {
        "instruction": read.instruction,
        "program_id": own,
        "arguments": {
            name: idl_values.plain(interface, kind, read.args[name])
            for name, kind in interface.args_of[read.instruction]
        },
        "accounts": [_account_json(spec, meta, own) for spec, meta in zip_longest(specs, read.accounts)],
        "signers": [base58(key) for key in read.signers],
    }


def _account_json(role: AccountSpec | None, meta: AccountMeta, program_id: str) -> dict[str, Any]:
    """`role` None: a remaining account. An optional one that is not given stands as the program's own address."""
    absent = role is not None and role.optional and str(meta.pubkey) == program_id
    return {
        "name": "remaining" if role is None else role.name,
        "address": None if absent else str(meta.pubkey),
        "signer": meta.is_signer,
        "writable": meta.is_writable,
    }


def _struct(name: str) -> dict[str, Any]:
    return {"defined": {"name": name}}


def _proposal_json(address: Address | None, state: Proposal | None) -> dict[str, Any] | None:
    if address is None:
        return None
    return {
        "address": base58(address),
        "state": None if state is None else state.state.name.lower(),
        "ready_ts": None if state is None else state.ready_ts,
    }


def _state_text(state: str, ready_ts: int) -> str:
    return f"{state}, ready at {time_text(ready_ts)}" if state == "pending" else state


def show_read(interface: ProgramInterface, shown: Mapping[str, Any]) -> None:
    """What a message says, for a person to read before he signs or sends it."""
    say(f"{shown['instruction']}: {interface.doc_of[shown['instruction']]}")
    payer, *_ = shown["signers"]
    print_table(
        "", ["", ""], [("program", shown["program_id"]), ("signed by", ", ".join(shown["signers"])), ("paid by", payer)]
    )
    arguments = [(name, str(value)) for name, value in shown["arguments"].items()]
    if arguments:
        print_table("", ["argument", "value"], arguments)
    _show_accounts(shown)


def show_draft(interface: ProgramInterface, request: Request, shown: Mapping[str, Any], decimals: int | None) -> None:
    """What is about to be done, for a person to read; amounts in tokens where the mint's `decimals` are known."""
    instruction, proposal = request.instruction, shown["proposal"]
    say(f"{'propose ' if request.propose else ''}{instruction}: {interface.doc_of[instruction]}")
    facts = [
        ("program", shown["program_id"]),
        ("network", f"genesis hash {shown['genesis_hash']}"),
        ("signed by", ", ".join(shown["signers"])),
        ("paid by", shown["payer"]),
        ("simulated", f"passes; at most {shown['compute_units']} compute units"),
    ]
    if proposal is not None:
        made = "made by this" if request.propose else _state_text(proposal["state"], proposal["ready_ts"])
        facts.append(("proposal", f"{proposal['address']}: {made}"))
    print_table("", ["", ""], facts)
    rows = [
        row
        for name, kind in interface.args_of[instruction]
        for row in idl_values.rows(interface, name, kind, request.args[name], decimals)
    ]
    if rows:
        print_table("", ["argument", "value", "that is"], rows)
    _show_accounts(shown)
    if instruction in _OF_THE_JOURNAL:
        say("The daemon does not know of it and halts the asset (foreign_sequence): leave it to the daemon.")


def _show_accounts(shown: Mapping[str, Any]) -> None:
    accounts = [
        (
            each["name"],
            each["address"] or "(none)",
            " ".join(word for word, on in (("signs", each["signer"]), ("changes", each["writable"])) if on),
        )
        for each in shown["accounts"]
    ]
    print_table("", ["account", "address", ""], accounts)


def show_sent(sent: Mapping[str, Any]) -> None:
    show_events(sent)
    proposal = sent["proposal"]
    if proposal is not None and proposal["state"] is not None:
        say(f"proposal: {proposal['address']} is {_state_text(proposal['state'], proposal['ready_ts'])}")


def show_events(sent: Mapping[str, Any]) -> None:
    """A finalized transaction, for people."""
    say(f"done: {sent['signature']} finalized in slot {sent['slot']}")
    for event in sent["events"]:
        say(f"event: {' '.join(f'{name}={value}' for name, value in event.items())}")
