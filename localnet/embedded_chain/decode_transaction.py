"""Transactions and messages out of a request's text."""

from __future__ import annotations

from typing import Final

from solders.message import Message, MessageV0
from solders.signature import Signature
from solders.transaction import SanitizeError, VersionedTransaction

from localnet.embedded_chain import base58
from localnet.embedded_chain.errors import invalid_params
from localnet.embedded_chain.params import Config, decode_base64
from localnet.embedded_chain.transaction_errors import error_text

#: A packet (solana-packet, PACKET_DATA_SIZE), and the longest texts that a validator decodes one from.
_PACKET_BYTES: Final = 1232
_BASE64_MAX_CHARS: Final = 1644
_BASE58_MAX_CHARS: Final = 1683
_TRANSACTION_TYPE: Final = "solana_transaction::versioned::VersionedTransaction"
_MESSAGE_TYPE: Final = "solana_message::versions::VersionedMessage"


def decode_transaction(text: str, config: Config) -> VersionedTransaction:
    """A sanitised transaction, legacy or version 0; base58 where the configuration names no encoding.

    Raises RpcError for what is too long, does not decode, or is of another version.
    """
    encoding = config.variant("encoding", ("binary", "base64", "base58", "json", "jsonParsed")) or "base58"
    if encoding in ("json", "jsonParsed"):
        raise invalid_params(f"unsupported encoding: {encoding}. Supported encodings: base58, base64")
    wire = _decode_text(text, "base64" if encoding == "base64" else "base58", _TRANSACTION_TYPE)
    try:
        tx = VersionedTransaction.from_bytes(wire)
    except ValueError as error:
        raise invalid_params(f"failed to deserialize {_TRANSACTION_TYPE}: {error}") from None
    if not isinstance(tx.message, Message | MessageV0):
        raise invalid_params(f"failed to deserialize {_TRANSACTION_TYPE}: unsupported message version")
    try:
        tx.sanitize()
    except SanitizeError:
        raise invalid_params(f"invalid transaction: {error_text('SanitizeFailure')}") from None
    return tx


def decode_message(text: str) -> Message | MessageV0:
    """A sanitised message, legacy or version 0, from base64. Raises RpcError."""
    wire = _decode_text(text, "base64", _MESSAGE_TYPE)
    try:
        # As a transaction without signatures: solders reads either version of a message in there.
        message = VersionedTransaction.from_bytes(b"\0" + wire).message
    except ValueError as error:
        raise invalid_params(f"failed to deserialize {_MESSAGE_TYPE}: {error}") from None
    if not isinstance(message, Message | MessageV0):
        raise invalid_params(f"failed to deserialize {_MESSAGE_TYPE}: unsupported message version")
    signatures = [Signature.default()] * message.header.num_required_signatures
    try:
        VersionedTransaction.populate(message, signatures).sanitize()
    except SanitizeError as error:
        raise invalid_params(f"invalid transaction message: {error}") from None
    return message


def _decode_text(text: str, encoding: str, what: str) -> bytes:
    max_chars = _BASE64_MAX_CHARS if encoding == "base64" else _BASE58_MAX_CHARS
    if len(text) > max_chars:
        raise invalid_params(
            f"{encoding} encoded {what} too large: {len(text)} bytes (max: encoded/raw {max_chars}/{_PACKET_BYTES})"
        )
    if encoding == "base64":
        wire = decode_base64(text)
    else:
        try:
            wire = base58.decode(text)
        except base58.InvalidCharacterError as error:
            raise invalid_params(
                f"invalid base58 encoding: InvalidCharacter {{ character: {error.character!r}, index: {error.index} }}"
            ) from None
    if len(wire) > _PACKET_BYTES:
        raise invalid_params(f"decoded {what} too large: {len(wire)} bytes (max: {_PACKET_BYTES} bytes)")
    return wire
