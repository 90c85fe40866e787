"""Reading a request's parameters, with the error messages that a validator gives for wrong ones."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from localnet.embedded_chain import base58
from localnet.embedded_chain.commitment import Commitment
from localnet.embedded_chain.errors import RpcError, invalid_param, invalid_params

_U64_MAX = 2**64 - 1
_PUBKEY_MAX_CHARS = 44
_SIGNATURE_MAX_CHARS = 88


class Params:
    """Positional parameters: `required` at least, `required + optional` at most."""

    def __init__(self, raw: Any, required: int, optional: int = 0) -> None:
        if raw is None:
            raw = []
        if isinstance(raw, dict) and required + optional == 0:
            raise RpcError(-32602, "Invalid parameters: No parameters were expected", _debug(raw))
        if not isinstance(raw, list):
            raise invalid_params("`params` should be an array")
        if len(raw) < required:
            if optional:
                raise invalid_params(f"`params` should have at least {required} argument(s)")
            raise invalid_params(f"Invalid params: invalid length {len(raw)}, expected a tuple of size {required}.")
        if len(raw) > required + optional:
            if required + optional == 0:
                raise RpcError(-32602, "Invalid parameters: No parameters were expected", _debug(raw))
            if not optional:
                raise invalid_params(f"Invalid params: invalid length {len(raw)}, expected fewer elements in array.")
            raise RpcError(
                -32602,
                f"Invalid parameters: Expected from {required} to {required + optional} parameters.",
                f'"Got: {len(raw)}"',
            )
        self._raw: list[Any] = raw

    def value(self, index: int) -> Any:
        """The parameter as it came; None where it was left out."""
        return self._raw[index] if index < len(self._raw) else None

    def string(self, index: int) -> str:
        """Raises RpcError where it is no text."""
        return as_string(self.value(index))

    def strings(self, index: int) -> list[str]:
        """Raises RpcError where it is no list of texts."""
        return [as_string(item) for item in as_list(self.value(index))]

    def u64(self, index: int) -> int:
        """Raises RpcError where it is no whole number of 0 to 2^64 - 1."""
        return as_u64(self.value(index))

    def usize(self, index: int) -> int:
        """As `u64`; only the error names another type."""
        return as_u64(self.value(index), "usize")

    def optional_u64(self, index: int) -> int | None:
        """As `u64`; None where it was left out."""
        value = self.value(index)
        return None if value is None else as_u64(value)

    def pubkey(self, index: int) -> Pubkey:
        """Raises RpcError where it is no 32 bytes in base58."""
        return as_pubkey(self.string(index))

    def config(self, index: int, struct: str) -> Config:
        """The optional configuration object; `struct` is its name in error messages."""
        value = self.value(index)
        if value is None:
            return Config({})
        if not isinstance(value, dict):
            raise invalid_params(f"Invalid params: invalid type: {serde_name(value)}, expected struct {struct}.")
        return Config(value)


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration object. Unknown fields are ignored, as a validator does."""

    fields: dict[str, Any]

    @property
    def commitment(self) -> Commitment:
        """An unknown commitment is the default one, as for a validator."""
        value = self.fields.get("commitment")
        if isinstance(value, str) and value in Commitment.__members__.values():
            return Commitment(value)
        return Commitment.FINALIZED

    def u64(self, name: str) -> int | None:
        """None where absent. Raises RpcError where it is no whole number of 0 to 2^64 - 1."""
        value = self.fields.get(name)
        return None if value is None else as_u64(value)

    def usize(self, name: str) -> int | None:
        """As `u64`; only the error names another type."""
        value = self.fields.get(name)
        return None if value is None else as_u64(value, "usize")

    def required_usize(self, name: str) -> int:
        """As `usize`; an absent one raises RpcError too."""
        if name not in self.fields:
            raise invalid_params(f"Invalid params: missing field `{name}`.")
        return as_u64(self.fields[name], "usize")

    def boolean(self, name: str, default: bool = False) -> bool:
        """`default` where absent. Raises RpcError where it is neither true nor false."""
        value = self.fields.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise invalid_params(f"Invalid params: invalid type: {serde_name(value)}, expected a boolean.")
        return value

    def string(self, name: str) -> str | None:
        """None where absent. Raises RpcError where it is no text."""
        value = self.fields.get(name)
        return None if value is None else as_string(value)

    def variant(self, name: str, allowed: Sequence[str]) -> str | None:
        """One of the `allowed` names; None where absent. Raises RpcError for any other."""
        value = self.fields.get(name)
        return None if value is None else as_variant(value, allowed)

    def config(self, name: str, struct: str) -> Config | None:
        """An object inside; None where absent. `struct` is its name in the RpcError for anything else."""
        value = self.fields.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise invalid_params(f"Invalid params: invalid type: {serde_name(value)}, expected struct {struct}.")
        return Config(value)


def as_string(value: Any) -> str:
    """`value` if it is a text. Raises RpcError."""
    if not isinstance(value, str):
        raise invalid_params(f"Invalid params: invalid type: {serde_name(value)}, expected a string.")
    return value


def as_list(value: Any) -> list[Any]:
    """`value` if it is a list. Raises RpcError."""
    if not isinstance(value, list):
        raise invalid_params(f"Invalid params: invalid type: {serde_name(value)}, expected a sequence.")
    return value


def as_u64(value: Any, kind: str = "u64") -> int:
    """`value` if it is a whole number of 0 to 2^64 - 1; `kind` names the type in the error. Raises RpcError."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid_params(f"Invalid params: invalid type: {serde_name(value)}, expected {kind}.")
    if not 0 <= value <= _U64_MAX:
        raise invalid_params(f"Invalid params: invalid value: {serde_name(value)}, expected {kind}.")
    return value


def as_variant(value: Any, allowed: Sequence[str]) -> str:
    """`value` if it is one of the `allowed` names. Raises RpcError."""
    if not isinstance(value, str):
        raise invalid_params(f"Invalid params: invalid type: {serde_name(value)}, expected string or map.")
    if value not in allowed:
        names = ", ".join(f"`{name}`" for name in allowed)
        raise invalid_params(f"Invalid params: unknown variant `{value}`, expected one of {names}.")
    return value


def as_pubkey(text: str) -> Pubkey:
    """32 bytes in base58. Raises RpcError."""
    return Pubkey(_fixed(text, 32, _PUBKEY_MAX_CHARS))


def as_signature(text: str) -> Signature:
    """64 bytes in base58. Raises RpcError."""
    return Signature(_fixed(text, 64, _SIGNATURE_MAX_CHARS))


def as_hash(text: str) -> Hash:
    """Its errors name no parameter, as a validator's do not."""
    try:
        return Hash(_fixed(text, 32, _PUBKEY_MAX_CHARS))
    except RpcError as error:
        raise invalid_params(error.message.removeprefix("Invalid param: ")) from None


def _fixed(text: str, length: int, max_chars: int) -> bytes:
    if len(text) > max_chars:
        raise invalid_param("WrongSize")
    try:
        raw = base58.decode(text)
    except base58.InvalidCharacterError:
        raise invalid_param("Invalid") from None
    if len(raw) != length:
        raise invalid_param("WrongSize")
    return raw


_BASE64_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


def decode_base64(text: str) -> bytes:
    """Raises RpcError with the message of Rust's decoder."""
    raw = text.encode()
    try:
        return base64.b64decode(raw, validate=True)
    except binascii.Error:
        symbols = raw.rstrip(b"=")
        for index, byte in enumerate(symbols):
            if byte not in _BASE64_ALPHABET:
                detail = f"InvalidByte({index}, {byte})"
                break
        else:
            # One symbol more than a multiple of four can end no byte.
            detail = f"InvalidLength({len(symbols)})" if len(symbols) % 4 == 1 else "InvalidPadding"
        raise invalid_params(f"invalid base64 encoding: {detail}") from None


def serde_name(value: Any) -> str:
    """How serde names an unexpected value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"boolean `{str(value).lower()}`"
    if isinstance(value, int):
        return f"integer `{value}`"
    if isinstance(value, float):
        return f"floating point `{value}`"
    if isinstance(value, str):
        return f"string {json.dumps(value)}"
    return "sequence" if isinstance(value, list) else "map"


def _debug(value: Any) -> str:
    """A JSON value as Rust prints it for debugging."""
    if isinstance(value, list):
        return f"Array([{', '.join(map(_debug, value))}])"
    if isinstance(value, dict):
        return f"Map({{{', '.join(f'{json.dumps(name)}: {_debug(item)}' for name, item in value.items())}}})"
    if isinstance(value, bool):
        return f"Bool({str(value).lower()})"
    if value is None:
        return "Null"
    return f"String({json.dumps(value)})" if isinstance(value, str) else f"Number({value})"
