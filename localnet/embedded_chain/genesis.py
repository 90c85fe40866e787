"""Programs and accounts that are there from the start."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from solders.account import Account
from solders.pubkey import Pubkey

from localnet.embedded_chain import addresses
from localnet.embedded_chain.bank import Bank

_ELF_MAGIC: Final = b"\x7fELF"
_PROGRAM_TAG: Final = (2).to_bytes(4, "little")
_PROGRAMDATA_TAG: Final = (3).to_bytes(4, "little")
_MAX_U64: Final = 2**64 - 1
_T = TypeVar("_T")


class GenesisError(Exception):
    """An argument is no use; the message names it, its value and the remedy."""


def parse_address(field: str, text: str) -> Pubkey:
    """Raises GenesisError."""
    try:
        return Pubkey.from_string(text)
    except ValueError:
        raise GenesisError(f"{field}: {text!r} is no address; give 32 bytes in base58") from None


def load_upgradeable_program(bank: Bank, address: str, so_path: str, authority: str) -> None:
    """A Program account and its ProgramData, as a deployment by `authority` ("none": immutable) leaves them.

    Raises GenesisError.
    """
    program = parse_address("--upgradeable-program ADDRESS", address)
    holder = None if authority == "none" else parse_address("--upgradeable-program AUTHORITY", authority)
    elf = _read("--upgradeable-program FILE", Path(so_path), Path.read_bytes)
    if not elf.startswith(_ELF_MAGIC):
        raise GenesisError(f"--upgradeable-program FILE: {so_path} is no ELF file; build the program first")
    programdata, _ = Pubkey.find_program_address([bytes(program)], addresses.UPGRADEABLE_LOADER)
    # ProgramData: tag u32, slot u64, authority as an option that takes 33 bytes either way, then the ELF.
    option = b"\0" * 33 if holder is None else b"\1" + bytes(holder)
    data = _PROGRAMDATA_TAG + (0).to_bytes(8, "little") + option + elf
    loader = addresses.UPGRADEABLE_LOADER
    try:
        # The data first: LiteSVM loads the program when its account appears.
        bank.set_genesis_account(programdata, Account(bank.rent_exempt_lamports(len(data)), data, loader))
        pointer = _PROGRAM_TAG + bytes(programdata)
        lamports = bank.rent_exempt_lamports(len(pointer))
        bank.set_genesis_account(program, Account(lamports, pointer, loader, True))
    except ValueError as error:
        raise GenesisError(f"--upgradeable-program FILE: {so_path} does not load: {error}") from None


def load_account(bank: Bank, address: str, json_path: str) -> None:
    """An account from a file as `solana account --output json` writes it. ADDRESS `-` takes the file's.

    Raises GenesisError.
    """
    text = _read("--account FILE", Path(json_path), Path.read_text)
    try:
        dumped, lamports, owner_text, data, executable = _dump_fields(text)
    except (ValueError, KeyError, TypeError, IndexError):
        raise GenesisError(
            f"--account FILE: {json_path} is no account dump; make one with `solana account --output json`"
        ) from None
    named = dumped if address == "-" else address
    pubkey = parse_address("--account ADDRESS", str(named))
    owner = parse_address(f"--account FILE: owner in {json_path}", str(owner_text))
    try:
        bank.set_genesis_account(pubkey, Account(lamports, data, owner, executable))
    except ValueError as error:
        raise GenesisError(f"--account FILE: {json_path} does not load: {error}") from None


def _dump_fields(text: str) -> tuple[Any, int, Any, bytes, bool]:
    """Address, lamports, owner, data, executable. Raises ValueError, KeyError, TypeError or IndexError."""
    document: Any = json.loads(text)
    account = document["account"]
    encoded, encoding = account["data"]
    lamports, executable = account["lamports"], account.get("executable", False)
    if encoding != "base64" or type(executable) is not bool:
        raise ValueError("wrong type")
    if type(lamports) is not int or not 0 <= lamports <= _MAX_U64:
        raise ValueError("wrong type")
    return document.get("pubkey"), lamports, account["owner"], base64.b64decode(encoded, validate=True), executable


def _read(field: str, path: Path, read: Callable[[Path], _T]) -> _T:
    try:
        return read(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no text"
        raise GenesisError(f"{field}: cannot read {path}: {reason}") from None
