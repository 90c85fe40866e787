"""program: any instruction of the program by the keys of those whose duty it is; one command for each of the IDL's."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any

import typer
from solders.instruction import AccountMeta, Instruction

from xstocks_daemon.app.runtime import ChainConnection, open_chain
from xstocks_daemon.app.settings import Settings
from xstocks_daemon.chain.accounts_resolver import (
    AvailableSigners,
    Input,
    duties_of,
    fill,
    inputs,
    metas,
    option,
    takes_remaining,
)
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import ProgramError, TransactionFailed
from xstocks_daemon.chain.idl import AccountSpec, ProgramInterface, load_interface
from xstocks_daemon.chain.program import REDEMPTION_ID_BYTES, Proposal
from xstocks_daemon.chain.sender import confirm_attempt, landed_transaction, sign_attempt, simulate
from xstocks_daemon.chain.transactions import MAX_COMPUTE_UNITS, ComputeBudget
from xstocks_daemon.cli import idl_values
from xstocks_daemon.cli.common import ConfigOption, JsonOption, YesOption, open_settings_of_a_role, run_async
from xstocks_daemon.cli.output import ERRORS, print_json, print_table, say
from xstocks_daemon.domain.units import Address
from xstocks_daemon.errors import EXIT_FAILURE, MISSING, operation_error, user_error
from xstocks_daemon.signing import KeyfileSigner, load_keyfile

PROGRAM = "program"

_ARGUMENTS, _ACCOUNTS = "Arguments", "Accounts that do not follow from the others"
#: What the daemon's journal must know of first.
_OF_THE_JOURNAL = ("mint", "burn", "distribute")
#: Account inputs that need not be an address.
_ALSO = {"custodian": "NUMBER|ADDRESS", "redemption": "ID|ADDRESS"}

KeyOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--key", metavar="FILE", help="A key file; again for each signer. The first pays. Default: operator.key_file."
    ),
]
ProposeOption = Annotated[
    bool, typer.Option("--propose", help="Only start its timelock: make the proposal of exactly this instruction.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Simulate and show it; send nothing.")]


@dataclass(frozen=True, slots=True)
class Request:
    """One command line, read."""

    instruction: str
    args: Mapping[str, Any]
    named: Mapping[str, Address | bytes | int]
    remaining: Sequence[AccountMeta]
    propose: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """What will be sent: `sent` itself, and `meant`, which is the same or what `sent` proposes. `state` is that of the
    proposal that is executed."""

    sent: Instruction
    meant: Instruction
    proposal: Address | None
    state: Proposal | None
    budget: ComputeBudget


class _AnyName(typer.core.TyperGroup):
    """Takes an instruction's name as the IDL writes it, too."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return super().get_command(ctx, cmd_name.replace("_", "-"))


def program_app(*, filled: bool) -> typer.Typer:
    """The group; `filled` with its commands where they are wanted."""
    app = typer.Typer(
        help="One instruction of the program, by the keys of those whose duty it is.",
        no_args_is_help=True,
        cls=_AnyName,
    )
    if filled:
        interface = load_interface()
        for name in interface.accounts_of:
            doc = interface.doc_of[name]
            app.command(
                name.replace("_", "-"),
                help=f"{doc}\n\nSigned by: {_signed_by(interface, name)}.",
                short_help=f"{doc.partition('. ')[0].rstrip('.')}.",
                rich_help_panel=_caller(interface, name),
            )(_command(interface, name))
    return app


def _caller(interface: ProgramInterface, name: str) -> str:
    """Whose instruction it is, for the list of them."""
    return _signed_by(interface, name).partition(", ")[0].capitalize()


def _signed_by(interface: ProgramInterface, name: str) -> str:
    signing = [
        " or ".join(duties_of(role) or (role.name,)).replace("_", " ")
        + (f" ({role.doc.rstrip('.').lower()})" if role.optional else "")
        for role in interface.accounts_of[name]
        if role.signer
    ]
    return ", ".join(signing) or "anyone"


def _command(interface: ProgramInterface, instruction: str) -> Callable[..., None]:
    """The function of a command: its options are the instruction's arguments, the accounts to name, and how to send."""
    parameters = [
        _parameter(name, _ARGUMENTS, idl_values.described(interface, name, kind), required=True)
        for name, kind in interface.args_of[instruction]
    ]
    parameters += [
        _parameter(each.name, _ACCOUNTS, each.doc, metavar=_ALSO.get(each.name, "ADDRESS"), required=each.required)
        for each in inputs(interface, instruction)
    ]
    if takes_remaining(interface, instruction):
        text = "A remaining account, with :w where it is writable; again for each, in order."
        remaining = typer.Option("--remaining", metavar="ADDRESS[:w]", help=text, rich_help_panel=_ACCOUNTS)
        parameters.append(_keyword("remaining", Annotated[list[str] | None, remaining], None))
    parameters.append(_keyword("key", KeyOption, None))
    if interface.timelocked(instruction):
        parameters.append(_keyword("propose", ProposeOption, False))
    parameters += [
        _keyword("dry_run", DryRunOption, False),
        _keyword("yes", YesOption, False),
        _keyword("as_json", JsonOption, False),
        _keyword("config", ConfigOption, None),
    ]

    def command(**given: Any) -> None:
        _run(interface, instruction, given)

    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {}
    return command


def _parameter(name: str, panel: str, text: str, *, required: bool, metavar: str = "VALUE") -> inspect.Parameter:
    # Escaped: the help reads [...] as markup.
    shown = typer.Option(option(name), metavar=metavar, help=text.replace("[", r"\["), rich_help_panel=panel)
    kind = Annotated[str, shown] if required else Annotated[str | None, shown]
    return _keyword(_variable(name), kind, inspect.Parameter.empty if required else None)


def _variable(name: str) -> str:
    """As which an argument or account is passed: those of the command itself have names such as `key`, too."""
    return f"of_{name}"


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _run(interface: ProgramInterface, instruction: str, given: Mapping[str, Any]) -> None:
    request = read_request(interface, instruction, given)
    if given["as_json"] and not (given["yes"] or given["dry_run"]):
        raise user_error("--json", instruction, "add --yes, or --dry-run: with --json nobody is asked")
    settings = open_settings_of_a_role(given["config"])
    how = {name: given[name] for name in ("dry_run", "yes", "as_json")}
    shown = run_async(_carry_out(settings, request, _signers(settings, given["key"] or []), **how))
    if given["as_json"]:
        print_json(shown)


def read_request(interface: ProgramInterface, instruction: str, given: Mapping[str, Any]) -> Request:
    """What the options say; UserError names the one that does not fit."""
    args = {
        name: idl_values.parse(interface, option(name), name, kind, given[_variable(name)])
        for name, kind in interface.args_of[instruction]
    }
    named = {
        each.name: _named(each, given[_variable(each.name)])
        for each in inputs(interface, instruction)
        if given[_variable(each.name)] is not None
    }
    remaining = [
        (Address(idl_values.parse_account("--remaining", text.removesuffix(":w"))), text.endswith(":w"))
        for text in given.get("remaining") or ()
    ]
    return Request(instruction, args, named, metas(remaining), given.get("propose", False))


def _named(each: Input, text: str) -> Address | bytes | int:
    if each.name == "custodian" and text.isascii() and text.isdecimal() and int(text) < 2**16:
        return int(text)
    if each.name == "redemption" and len(text) == 2 * REDEMPTION_ID_BYTES:
        try:
            return bytes.fromhex(text)
        except ValueError:
            pass
    return Address(idl_values.parse_account(option(each.name), text))


def _signers(settings: Settings, files: Sequence[Path]) -> dict[Address, KeyfileSigner]:
    """By public key, the payer first."""
    found = [load_keyfile(file, "--key") for file in files]
    if not found:
        if settings.operator is None:
            raise user_error("--key", MISSING, "name the key file of each signer; the first one pays")
        found = [load_keyfile(settings.operator.key_file, "operator.key_file")]
    return {signer.public_key: signer for signer in found}


async def _carry_out(
    settings: Settings,
    request: Request,
    signers: Mapping[Address, KeyfileSigner],
    *,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> dict[str, Any]:
    """All of it; gives what --json prints."""
    async with open_chain(settings) as chain:
        work = _Work(settings, chain, request, signers)
        draft = await work.draft()
        shown = work.json(draft)
        if not as_json:
            _show(chain.client.interface, request, shown)
        if dry_run:
            return shown
        if not yes and not typer.confirm("Send it?", err=True):
            say("not sent")
            raise typer.Exit(EXIT_FAILURE)
        sent = await work.send(draft)
        if not as_json:
            _show_sent(sent)
        return shown | sent


@dataclass(frozen=True, slots=True)
class _Work:
    """One command on a chain. The first of `signers` pays."""

    settings: Settings
    chain: ChainConnection
    request: Request
    signers: Mapping[Address, KeyfileSigner]

    @property
    def payer(self) -> Address:
        """Who pays the fee."""
        return next(iter(self.signers))

    async def draft(self) -> Draft:
        """Built and simulated. UserError for what is missing; OperationError with the name of what refuses it."""
        client, request = self.chain.client, self.request
        config = None if request.instruction == "initialize" else await self.chain.reader.config()
        signatories = AvailableSigners(list(self.signers), config)
        meant = fill(
            client,
            request.instruction,
            request.args,
            request.named,
            signatories,
            request.remaining,
            present=not request.propose,
        )
        if request.propose:
            admin = signatories.of("propose", client.interface.accounts_of["propose"][0], None)
            assert admin is not None, "the admin of propose is not optional"
            sent = client.propose(admin=admin, instruction=meant)
            return Draft(sent, meant, client.proposal_address(meant), None, await self._budget(sent, None))
        if not client.interface.timelocked(request.instruction) or config is None or not config.sealed:
            return Draft(meant, meant, None, None, await self._budget(meant, None))
        address = client.proposal_address(meant)
        state = await self._proposal(address)
        if state is None:
            remedy = "no proposal of exactly this instruction; make it with --propose, and wait for its timelock"
            raise user_error("proposal", base58(address), remedy)
        sent = client.with_proposal(meant)
        return Draft(sent, sent, address, state, await self._budget(sent, state))

    async def _budget(self, sent: Instruction, state: Proposal | None) -> ComputeBudget:
        """Simulated: what it may use."""
        operator = self.settings.operator
        limits = ComputeBudget(MAX_COMPUTE_UNITS, operator.price_micro_lamports if operator else 0)
        try:
            return await simulate(
                self.chain.pool, self.chain.client, payer=self.payer, instructions=[sent], budget=limits
            )
        except ProgramError as error:
            raise self._refused(error, state) from None
        except TransactionFailed as error:
            if error.instruction_index is not None:
                raise
            remedy = f"the first key pays the fee, and cannot ({error.err}): send it some SOL"
            raise operation_error("--key", base58(self.payer), remedy) from None

    def _refused(self, error: ProgramError, state: Proposal | None) -> Exception:
        """The program's error by name, with its message and, of a proposal, its state."""
        told = "" if state is None else f"; the proposal is {_state_text(state.state.name.lower(), state.ready_ts)}"
        return operation_error(self.request.instruction, f"{error.name} ({error.code})", f"{error.message}{told}")

    async def _proposal(self, address: Address, min_slot: int = 0) -> Proposal | None:
        reads = await self.chain.reader.read_groups([(address,)], min_slot=min_slot)
        account = reads[0][0].accounts[0]
        return None if account is None else self.chain.client.proposal(address, account.data, account.owner)

    async def send(self, draft: Draft) -> dict[str, Any]:
        """One signed transaction, the same bytes until it is finalized or never can be."""
        pool, client = self.chain.pool, self.chain.client
        attempt = await sign_attempt(
            pool,
            payer=self.payer,
            instructions=[draft.sent],
            signers={key: signer.sign for key, signer in self.signers.items()},
            budget=draft.budget,
        )
        # First of all: whoever interrupts this can look it up.
        ERRORS.print(f"sending: {attempt.signature_text}")
        try:
            seen = await confirm_attempt(pool, client, attempt, commitment="finalized")
        except ProgramError as error:
            raise self._refused(error, draft.state) from None
        landed = await landed_transaction(seen.endpoint, attempt.signature_text)
        state = draft.state
        if draft.proposal is not None:
            state = await self._proposal(draft.proposal, seen.slot)
        return {
            "signature": attempt.signature_text,
            "slot": seen.slot,
            "events": [
                {"name": event.name, **idl_values.plain(client.interface, _struct(event.name), event.fields)}
                for event in client.events(landed.logs if landed else ())
            ],
            "proposal": _proposal_json(draft.proposal, state),
        }

    def json(self, draft: Draft) -> dict[str, Any]:
        """What is about to be done."""
        interface, request = self.chain.client.interface, self.request
        roles, own = interface.accounts_of[request.instruction], base58(self.settings.program_id)
        signing = {base58(self.payer): None}
        signing |= {str(meta.pubkey): None for meta in draft.sent.accounts if meta.is_signer}
        return {
            "instruction": request.instruction,
            "propose": request.propose,
            "program_id": own,
            "genesis_hash": base58(self.settings.cluster.genesis_hash),
            "arguments": {
                name: idl_values.plain(interface, kind, request.args[name])
                for name, kind in interface.args_of[request.instruction]
            },
            "accounts": [_account_json(role, meta, own) for role, meta in zip_longest(roles, draft.meant.accounts)],
            "payer": base58(self.payer),
            "signers": list(signing),
            "compute_units": draft.budget.limit_units,
            "proposal": _proposal_json(draft.proposal, draft.state),
            "signature": None,
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
    return f"{state}, ready at {idl_values.time_text(ready_ts)}" if state == "pending" else state


def _show(interface: ProgramInterface, request: Request, shown: Mapping[str, Any]) -> None:
    """What is about to be done, for a person to read."""
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
        for row in idl_values.rows(interface, name, kind, request.args[name])
    ]
    if rows:
        print_table("", ["argument", "value", "that is"], rows)
    accounts = [
        (
            each["name"],
            each["address"] or "(none)",
            " ".join(word for word, on in (("signs", each["signer"]), ("changes", each["writable"])) if on),
        )
        for each in shown["accounts"]
    ]
    print_table("", ["account", "address", ""], accounts)
    if instruction in _OF_THE_JOURNAL:
        say("The daemon does not know of it and halts the asset (foreign_sequence): leave it to the daemon.")


def _show_sent(sent: Mapping[str, Any]) -> None:
    say(f"done: {sent['signature']} finalized in slot {sent['slot']}")
    for event in sent["events"]:
        say(f"event: {' '.join(f'{name}={value}' for name, value in event.items())}")
    proposal = sent["proposal"]
    if proposal is not None and proposal["state"] is not None:
        say(f"proposal: {proposal['address']} is {_state_text(proposal['state'], proposal['ready_ts'])}")
