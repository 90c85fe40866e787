"""program: any instruction of the program by the keys of its roles; one command for each of the IDL's."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer

from xstocks_daemon.app.names import ANY_NAME, NAMING, check_names
from xstocks_daemon.app.offline import open_message
from xstocks_daemon.app.role_instructions import Request, RoleInstruction
from xstocks_daemon.app.runtime import open_chain
from xstocks_daemon.app.settings import Settings
from xstocks_daemon.chain.program import REDEMPTION_ID_BYTES
from xstocks_daemon.chain.program.accounts_resolver import (
    Input,
    inputs,
    option,
    remaining_metas,
)
from xstocks_daemon.chain.program.idl import ProgramInterface, RemainingGroup, load_interface
from xstocks_daemon.cli import idl_values, program_offline
from xstocks_daemon.cli.common import ConfigOption, JsonOption, YesOption, open_settings_of_a_role, run_async
from xstocks_daemon.cli.output import ERRORS, print_json, say
from xstocks_daemon.cli.program_offline import KeyOption
from xstocks_daemon.cli.program_shown import draft_json, sent_json, show_draft, show_sent
from xstocks_daemon.domain.units import Address
from xstocks_daemon.errors import EXIT_FAILURE, user_error
from xstocks_daemon.signing import KeyfileSigner

PROGRAM = "program"

_ARGUMENTS, _ACCOUNTS = "Arguments", "Accounts that do not follow from the others"
#: Account inputs that need not be an address.
_ALSO = {"custodian": "NUMBER|ADDRESS", "retired": "NUMBER|ADDRESS", "redemption": "ID|ADDRESS"}

ProposeOption = Annotated[
    bool, typer.Option("--propose", help="Only start its timelock: make the proposal of exactly this instruction.")
]
SignerOption = Annotated[
    list[str] | None,
    typer.Option(
        "--signer",
        metavar="ADDRESS",
        help="Who signs elsewhere, such as a multisig's vault; again for each. With --unsigned or --sign-only.",
    ),
]
UnsignedOption = Annotated[
    bool, typer.Option("--unsigned", help="Send nothing: print the message, for a multisig or for signing elsewhere.")
]
SignOnlyOption = Annotated[
    bool, typer.Option("--sign-only", help="Send nothing: print the message, and its signatures by the keys at hand.")
]
AnyNameOption = Annotated[
    bool,
    typer.Option(ANY_NAME, help="Take name and symbol also where they hide characters or look like another asset's."),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Simulate and show it; send nothing.")]


class _AnyName(typer.core.TyperGroup):
    """Takes an instruction's name as the IDL writes it, too."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return super().get_command(ctx, cmd_name.replace("_", "-"))


def program_app(*, filled: bool) -> typer.Typer:
    """The group; `filled` with its commands where they are wanted."""
    app = typer.Typer(
        help="One instruction of the program, by the keys of those whose role it is.",
        no_args_is_help=True,
        cls=_AnyName,
    )
    if filled:
        program_offline.add_to(app)
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
        " or ".join(spec.roles or (spec.name,)).replace("_", " ")
        + (f" ({spec.doc.rstrip('.').lower()})" if spec.optional else "")
        for spec in interface.accounts_of[name]
        if spec.signer
    ]
    return ", ".join(signing) or "anyone"


def _listed(groups: Sequence[RemainingGroup]) -> str:
    """What stands behind the named accounts, for people."""
    return "; then ".join(
        ", ".join(f"{each.name}{':w' if each.writable else ''}" for each in group.accounts)
        + (f" for each of {group.per}" if group.per else f", {group.least} to {group.most} times")
        + (f", ascending by {group.ascending_by}" if group.ascending_by else "")
        for group in groups
    )


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
    if groups := interface.remaining_of[instruction]:
        text = f"A remaining account, with :w where it is writable; again for each, in order: {_listed(groups)}."
        remaining = typer.Option("--remaining", metavar="ADDRESS[:w]", help=text, rich_help_panel=_ACCOUNTS)
        parameters.append(_keyword("remaining", Annotated[list[str] | None, remaining], None))
    parameters.append(_keyword("key", KeyOption, None))
    parameters.append(_keyword("signer", SignerOption, None))
    if instruction in interface.timelocked:
        parameters.append(_keyword("propose", ProposeOption, False))
    if instruction in NAMING:
        parameters.append(_keyword("any_name", AnyNameOption, False))
    parameters += [
        _keyword("unsigned", UnsignedOption, False),
        _keyword("sign_only", SignOnlyOption, False),
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
    offline = given["unsigned"] or given["sign_only"]
    if given["as_json"] and not (given["yes"] or given["dry_run"] or offline):
        raise user_error("--json", instruction, "add --yes, or --dry-run: with --json nobody is asked")
    if given["signer"] and not offline:
        remedy = "add --unsigned or --sign-only: who signs elsewhere cannot sign what is sent at once"
        raise user_error("--signer", given["signer"][0], remedy)
    absent = tuple(Address(idl_values.parse_account("--signer", text)) for text in given["signer"] or ())
    settings = open_settings_of_a_role(given["config"])
    how = {name: given[name] for name in ("unsigned", "sign_only", "dry_run", "yes", "as_json")}
    how["any_name"] = given.get("any_name", False)
    signers = {} if absent and not given["key"] else program_offline.signers_of(settings, given["key"] or [])
    shown = run_async(_carry_out(settings, request, signers, absent=absent, **how))
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
    return Request(instruction, args, named, remaining_metas(remaining), given.get("propose", False))


def _named(each: Input, text: str) -> Address | bytes | int:
    if each.name in ("custodian", "retired") and text.isascii() and text.isdecimal() and int(text) < 2**16:
        return int(text)
    if each.name == "redemption" and len(text) == 2 * REDEMPTION_ID_BYTES:
        try:
            return bytes.fromhex(text)
        except ValueError:
            pass
    return Address(idl_values.parse_account(option(each.name), text))


async def _carry_out(
    settings: Settings,
    request: Request,
    signers: Mapping[Address, KeyfileSigner],
    *,
    absent: tuple[Address, ...],
    unsigned: bool,
    sign_only: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    any_name: bool,
) -> dict[str, Any]:
    """Draft, show, ask, sign and send the request, as far as the options say; gives what --json prints."""
    async with open_chain(settings) as chain:
        if not any_name:
            await check_names(chain, request)
        work = RoleInstruction(settings, chain, request, signers, absent)
        draft = await work.draft()
        shown = draft_json(work, draft)
        if not as_json:
            show_draft(chain.client.interface, request, shown, await work.mint_decimals())
        if dry_run:
            return shown
        if unsigned or sign_only:
            message = program_offline.message_json(await open_message(work, draft, sign=sign_only))
            if not as_json:
                program_offline.show_message(message)
            return shown | message
        if not yes and not typer.confirm("Send it?", err=True):
            say("not sent")
            raise typer.Exit(EXIT_FAILURE)
        attempt = await work.sign(draft)
        # First of all: whoever interrupts this can look it up.
        ERRORS.print(f"sending: {attempt.signature_text}")
        sent = sent_json(chain.client.interface, draft, await work.confirm(draft, attempt))
        if not as_json:
            show_sent(sent)
        return shown | sent
