"""program sign, program send: transactions that are signed in several places."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import based58
import typer
from solders.signature import Signature

from xstocks_daemon.app.offline import OpenMessage, complete, confirm_message, read_message, signed_by
from xstocks_daemon.app.runtime import open_chain
from xstocks_daemon.app.settings import Settings
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.program import ProgramClient
from xstocks_daemon.cli import idl_values
from xstocks_daemon.cli.common import ConfigOption, JsonOption, YesOption, open_settings_of_a_role, run_async
from xstocks_daemon.cli.output import ERRORS, print_json, say
from xstocks_daemon.cli.program_shown import events_json, read_json, show_events, show_read
from xstocks_daemon.domain.units import Address
from xstocks_daemon.errors import EXIT_FAILURE, MISSING, user_error
from xstocks_daemon.signing import KeyfileSigner, load_keyfile

_PANEL = "Signed elsewhere"

KeyOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--key", metavar="FILE", help="A key file; again for each signer. The first pays. Default: operator.key_file."
    ),
]
MessageArgument = Annotated[str, typer.Argument(metavar="MESSAGE", help="What --unsigned or --sign-only printed.")]
SignatureOption = Annotated[
    list[str] | None,
    typer.Option("--signature", metavar="KEY=SIGNATURE", help="One from elsewhere, in base58; again for each."),
]
OwnKeyOption = Annotated[
    list[Path] | None, typer.Option("--key", metavar="FILE", help="A key file; again for each signer that is here.")
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("sign", rich_help_panel=_PANEL)(sign)
    app.command("send", rich_help_panel=_PANEL)(send)


def sign(
    message: MessageArgument, key: OwnKeyOption = None, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """Show what a message says, and print its signatures by the keys that are named. Asks no node and sends nothing."""
    settings = open_settings_of_a_role(config)
    client, signers = ProgramClient(settings.program_id), signers_of(settings, key) if key else {}
    read = read_message(client, _decoded(message))
    shown = read_json(client.interface, read)
    if not as_json:
        show_read(client.interface, shown)
    signatures = _signatures_json(run_async(signed_by(read, signers)))
    if as_json:
        print_json(shown | {"signatures": signatures})
    else:
        _show_signatures(signatures)


def send(
    message: MessageArgument,
    signature: SignatureOption = None,
    key: OwnKeyOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Put a message and its signatures together, and send the transaction."""
    if as_json and not yes:
        raise user_error("--json", "send", "add --yes: with --json nobody is asked")
    settings = open_settings_of_a_role(config)
    given = dict(_signature(text) for text in signature or ())
    signers = signers_of(settings, key) if key else {}
    shown = run_async(_send(settings, _decoded(message), given, signers, yes=yes, as_json=as_json))
    if as_json:
        print_json(shown)


async def _send(
    settings: Settings,
    data: bytes,
    given: Mapping[Address, bytes],
    signers: Mapping[Address, KeyfileSigner],
    *,
    yes: bool,
    as_json: bool,
) -> dict[str, Any]:
    async with open_chain(settings) as chain:
        read = read_message(chain.client, data)
        attempt = await complete(chain, read, {**given, **await signed_by(read, signers)})
        shown = read_json(chain.client.interface, read)
        if not as_json:
            show_read(chain.client.interface, shown)
        if not yes and not typer.confirm("Send it?", err=True):
            say("not sent")
            raise typer.Exit(EXIT_FAILURE)
        ERRORS.print(f"sending: {attempt.signature_text}")
        sent = events_json(chain.client.interface, await confirm_message(chain, read, attempt))
        if not as_json:
            show_events(sent)
        return shown | sent


def signers_of(settings: Settings, files: Sequence[Path]) -> dict[Address, KeyfileSigner]:
    """The signers of key files, by public key, in their order; without files the operator's. UserError without any."""
    found = [load_keyfile(file, "--key") for file in files]
    if not found:
        if settings.operator is None:
            raise user_error("--key", MISSING, "name the key file of each signer; the first one pays")
        found = [load_keyfile(settings.operator.key_file, "operator.key_file")]
    return {signer.public_key: signer for signer in found}


def message_json(message: OpenMessage) -> dict[str, Any]:
    """A message that waits for signatures, as JSON values."""
    return {
        "message": base64.b64encode(message.message).decode(),
        "message_base58": based58.b58encode(message.message).decode(),
        "blockhash": base58(message.blockhash),
        "last_valid_block_height": message.last_valid_block_height,
        "signatures": _signatures_json(message.signatures),
        "missing": [base58(key) for key in message.missing],
    }


def show_message(shown: Mapping[str, Any]) -> None:
    """The same for a person; each value a line of its own, to be copied."""
    say(f"nothing is sent; it can be until block height {shown['last_valid_block_height']}")
    say(f"message:\n{shown['message']}")
    say(f"message in base58, as Squads imports it:\n{shown['message_base58']}")
    _show_signatures(shown["signatures"])
    for key in shown["missing"]:
        say(f"not signed yet: {key}")


def _show_signatures(signatures: Mapping[str, str]) -> None:
    for key, text in signatures.items():
        say(f"signature: {key}={text}")


def _signatures_json(signatures: Mapping[Address, bytes]) -> dict[str, str]:
    return {base58(key): str(Signature.from_bytes(raw)) for key, raw in signatures.items()}


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise user_error(
            "MESSAGE", text, "give the message in base64, as --unsigned or --sign-only printed it"
        ) from None


def _signature(text: str) -> tuple[Address, bytes]:
    key, mark, value = text.partition("=")
    try:
        raw = bytes(Signature.from_string(value))
    except ValueError:
        mark = ""
        raw = b""
    if not mark:
        raise user_error("--signature", text, "give KEY=SIGNATURE, both in base58")
    return Address(idl_values.parse_account("--signature", key)), raw
