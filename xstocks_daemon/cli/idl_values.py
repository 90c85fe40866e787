"""Values of the program's types as people write and read them: text to value and back, by the IDL.

Lists and structs are JSON. Whatever does not fit raises one UserError that names the option, the value and the remedy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import IntEnum, IntFlag
from typing import Any

from xstocks_daemon.app.views import time_text
from xstocks_daemon.chain.addresses import base58, parse_address
from xstocks_daemon.chain.errors import AddressError
from xstocks_daemon.chain.program import CUSTODIAN_NAME_BYTES, Profile, Role
from xstocks_daemon.chain.program.idl import ProgramInterface
from xstocks_daemon.domain.snapshot import Hold, ParticipantState, Scope
from xstocks_daemon.domain.units import (
    MILLIS_PER_SEC,
    UnitError,
    decimal_text,
    multiplier_bits_of,
    multiplier_text,
    shares_text,
)
from xstocks_daemon.errors import UserError, user_error

_BOUNDS = {
    "u8": (0, 2**8 - 1),
    "u16": (0, 2**16 - 1),
    "u32": (0, 2**32 - 1),
    "u64": (0, 2**64 - 1),
    "i64": (-(2**63), 2**63 - 1),
}
#: Numbers that stand for names, by the argument's name.
_CHOICES: Mapping[str, type[IntEnum | IntFlag]] = {
    "role": Role,
    "profile": Profile,
    "scopes": Scope,
    "holds": Hold,
    "state": ParticipantState,
}
_UNITS = {
    "raw": "base units of the mint",
    "nano": "billionths of a share",
    "secs": "seconds",
    "sec": "base units per second",
    "ts": "ISO 8601 with a time zone, or Unix seconds",
    "ms": "Unix milliseconds",
    "bps": "basis points",
    "bits": "a plain decimal",
}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,19})")
_ATTESTER_KEY = {"defined": {"name": "AttesterKeyArg"}}
_MAX_TEXT = 100


def parse(interface: ProgramInterface, field: str, name: str, kind: Any, text: str) -> Any:
    """The value of an argument `name` of the IDL's type `kind`, given as `text` by the option `field`."""
    given: Any = text
    if not _is_plain(kind):
        try:
            given = json.loads(text, parse_float=str, parse_constant=str, object_pairs_hook=_without_twins)
        # RecursionError: brackets nested thousands deep.
        except (ValueError, RecursionError):
            raise _wrong(field, text, f"give JSON: {described(interface, name, kind)}") from None
    return _value(interface, field, name, kind, given)


def described(interface: ProgramInterface, name: str, kind: Any) -> str:
    """What a value of this argument looks like, with its unit; for help and remedies."""
    match kind:
        case str() if (choices := _CHOICES.get(name)) is not None:
            names = ", ".join(each.name.lower() for each in choices if each.name)
            return f"one or more, with commas, of {names}" if issubclass(choices, IntFlag) else f"one of {names}"
        case str() if kind in _BOUNDS:
            unit = _UNITS.get(name.rpartition("_")[2])
            return unit if unit is not None else f"an integer ({kind})"
        case "pubkey":
            return "an address"
        case "bytes":
            return "hex"
        case "string":
            return "text"
        case {"array": ["u8", int(length)]}:
            shown = {"country": "two letters", "name": f"text of at most {length} bytes", "genesis_hash": "base58"}
            return shown.get(name, f"{2 * length} hex digits")
        case {"vec": inner}:
            return f"[{described(interface, name, inner)}, ...]"
        case {"defined": {"name": struct}}:
            fields = (f'"{each}": {described(interface, each, of)}' for each, of in interface.fields_of[struct])
            return "{" + ", ".join(fields) + "}"
    return str(kind)


def plain(interface: ProgramInterface, kind: Any, value: Any) -> Any:
    """A value for JSON output: addresses in base58, other bytes as hex, integers as decimal strings."""
    match kind:
        case str() if kind in _BOUNDS:
            return str(int(value))
        case "pubkey":
            return base58(value)
        case "bytes" | {"array": ["u8", _]}:
            return bytes(value).hex()
        case {"vec": inner} | {"array": [inner, _]}:
            return [plain(interface, inner, each) for each in value]
        case {"defined": {"name": struct}}:
            return {each: plain(interface, of, value[each]) for each, of in interface.fields_of[struct]}
    return value


def rows(
    interface: ProgramInterface, name: str, kind: Any, value: Any, decimals: int | None
) -> Iterator[tuple[str, str, str]]:
    """A value as people read it: its name, what is sent, and that in human units, a row for each number. `decimals`
    are the mint's; None: base units are all that can be said."""
    match kind:
        case {"defined": {"name": struct}}:
            for each, of in interface.fields_of[struct]:
                for row in rows(interface, each, of, value[each], decimals):
                    yield (f"{name}.{row[0]}", *row[1:])
        case {"vec": inner}:
            for index, each in enumerate(value):
                for row in rows(interface, name, inner, each, decimals):
                    yield (f"{name}[{index}]{row[0].removeprefix(name)}", *row[1:])
        case _:
            yield name, str(plain(interface, kind, value)), _human(name, value, decimals)


def _human(name: str, value: Any, decimals: int | None) -> str:
    if isinstance(value, bytes):
        if name in ("name", "country"):
            return value.rstrip(b"\0").decode(errors="replace")
        return base58(value) if name == "genesis_hash" else ""
    if not isinstance(value, int):
        return ""
    if (choices := _CHOICES.get(name)) is not None:
        return _choice_text(choices, value)
    match name.rpartition("_")[2]:
        case "raw":
            return "" if decimals is None else f"{decimal_text(value, decimals)} tokens before the multiplier"
        case "nano":
            return f"{shares_text(value)} shares"
        case "bits":
            return multiplier_text(value)
        case "bps":
            return f"{decimal_text(value, 2)} %"
        case "ts":
            return time_text(value)
        case "ms":
            return time_text(value // MILLIS_PER_SEC) if value else ""
        case "secs":
            return _duration(value)
    return ""


def _duration(secs: int) -> str:
    try:
        return str(timedelta(seconds=secs))
    except OverflowError:
        return ""


def _choice_text(choices: type[IntEnum | IntFlag], value: int) -> str:
    if issubclass(choices, IntFlag):
        return ", ".join(each.name.lower() for each in choices if each.name and each & value)
    return next((each.name.lower() for each in choices if each == value), "")


def _is_plain(kind: Any) -> bool:
    match kind:
        case str() | {"array": ["u8", _]}:
            return True
    return False


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _value(interface: ProgramInterface, field: str, name: str, kind: Any, given: Any) -> Any:
    match kind:
        case {"defined": {"name": struct}}:
            return _struct(interface, field, name, struct, given)
        case {"vec": inner}:
            return _list(interface, field, name, kind, inner, given)
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if not isinstance(given, str):
        raise _wrong(field, given, f"give {described(interface, name, kind)}")
    return _leaf(interface, field, name, kind, given)


def _struct(interface: ProgramInterface, field: str, name: str, struct: str, given: Any) -> dict[str, Any]:
    fields = dict(interface.fields_of[struct])
    if not isinstance(given, dict):
        raise _wrong(field, given, f"give {described(interface, name, {'defined': {'name': struct}})}")
    if unknown := sorted(set(given) - set(fields)):
        raise _wrong(
            f"{field}.{unknown[0]}", given[unknown[0]], f"there is no such field; they are {', '.join(fields)}"
        )
    if lacking := [each for each in fields if each not in given]:
        remedy = f"give it: {described(interface, lacking[0], fields[lacking[0]])}"
        raise _wrong(f"{field}.{lacking[0]}", "(missing)", remedy)
    return {each: _value(interface, f"{field}.{each}", each, of, given[each]) for each, of in fields.items()}


def _list(interface: ProgramInterface, field: str, name: str, kind: Any, inner: Any, given: Any) -> list[Any]:
    if not isinstance(given, list):
        raise _wrong(field, given, f"give {described(interface, name, kind)}")
    found = [_value(interface, f"{field}[{index}]", name, inner, each) for index, each in enumerate(given)]
    # The program wants attester keys ascending by their bytes, an order in which nobody writes them.
    return sorted(found, key=lambda each: each["key"]) if inner == _ATTESTER_KEY else found


def _leaf(interface: ProgramInterface, field: str, name: str, kind: Any, text: str) -> Any:
    match kind:
        case str() if kind in _BOUNDS:
            return _integer(interface, field, name, kind, text)
        case "pubkey":
            return parse_account(field, text)
        case "bytes":
            return _hex(field, text, None)
        case {"array": ["u8", int(length)]}:
            return _bytes(field, name, length, text)
    return text


def parse_account(field: str, text: str) -> bytes:
    """Parse an address in base58. UserError names `field`, the value and the remedy."""
    try:
        return parse_address(text)
    except AddressError:
        raise _wrong(field, text, "give an address: 32 bytes in base58") from None


def _bytes(field: str, name: str, length: int, text: str) -> bytes:
    if name == "genesis_hash":
        return parse_account(field, text)
    if name not in ("country", "name"):
        return _hex(field, text, length)
    raw = text.encode()
    if len(raw) > length or (name == "country" and len(raw) != length):
        least = "at most " if length == CUSTODIAN_NAME_BYTES else ""
        raise _wrong(field, text, f"it has {len(raw)} bytes of UTF-8; give {least}{length}")
    return raw.ljust(length, b"\0")


def _hex(field: str, text: str, length: int | None) -> bytes:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = None
    if raw is None or (length is not None and len(raw) != length):
        raise _wrong(field, text, "give hex digits" if length is None else f"give {2 * length} hex digits")
    return raw


def _integer(interface: ProgramInterface, field: str, name: str, kind: str, text: str) -> int:
    if name.endswith("_bits"):
        try:
            return multiplier_bits_of(text)
        except UnitError as error:
            raise _wrong(field, text, str(error).removeprefix(f"multiplier {text!r} ")) from None
    if _INTEGER.fullmatch(text):
        low, high = _BOUNDS[kind]
        if not low <= int(text) <= high:
            raise _wrong(field, text, f"give an integer from {low} to {high}")
        return int(text)
    if (choices := _CHOICES.get(name)) is not None:
        return _choice(interface, field, name, kind, choices, text)
    if name.endswith("_ts"):
        return _time(field, text)
    raise _wrong(field, text, f"give {described(interface, name, kind)}, as an integer")


def _choice(
    interface: ProgramInterface, field: str, name: str, kind: str, choices: type[IntEnum | IntFlag], text: str
) -> int:
    words = text.split(",") if issubclass(choices, IntFlag) else [text]
    values = {each.name.lower(): int(each) for each in choices if each.name}
    try:
        return sum({values[word.strip().lower().replace("-", "_")] for word in words})
    except KeyError:
        raise _wrong(field, text, f"give {described(interface, name, kind)}") from None


def _time(field: str, text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or at.microsecond:
        raise _wrong(field, text, "give whole Unix seconds, or ISO 8601 with a time zone such as 2027-01-31T15:00:00Z")
    return int(at.timestamp())


def _wrong(field: str, value: object, remedy: str) -> UserError:
    text = value if isinstance(value, str) else json.dumps(value)
    return user_error(field, text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 3]}...", remedy)
