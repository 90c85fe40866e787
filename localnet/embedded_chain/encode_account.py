"""Accounts as the RPC shows them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from solders.account import Account
from solders.pubkey import Pubkey

from localnet.embedded_chain import addresses, base58
from localnet.embedded_chain.errors import RpcError
from localnet.embedded_chain.parsed_accounts import parse
from localnet.embedded_chain.ui_amount import MintDisplay

ENCODINGS: Final = ("binary", "base58", "base64", "jsonParsed", "base64+zstd")
_BASE58_MAX_BYTES: Final = 128
_ZSTD_BLOCK_MAX_BYTES: Final = 128 * 1024
_RENT_EPOCH_NEVER: Final = 2**64 - 1


@dataclass(frozen=True, slots=True)
class DataSlice:
    """The part of the data that a client asks for, in bytes."""

    offset: int
    length: int


def encode_account(
    pubkey: Pubkey,
    account: Account,
    encoding: str,
    data_slice: DataSlice | None,
    mint_display: Callable[[Pubkey], MintDisplay | None],
) -> dict[str, Any]:
    """Raises RpcError for data too long for base58."""
    return {
        "data": _data(pubkey, account, encoding, data_slice, mint_display),
        "executable": account.executable,
        "lamports": account.lamports,
        "owner": str(account.owner),
        # Accounts of the runtime itself show 0, all others that they never pay rent.
        "rentEpoch": 0 if account.owner in (addresses.SYSVAR_OWNER, addresses.NATIVE_LOADER) else _RENT_EPOCH_NEVER,
        "space": len(account.data),
    }


def _data(
    pubkey: Pubkey,
    account: Account,
    encoding: str,
    data_slice: DataSlice | None,
    mint_display: Callable[[Pubkey], MintDisplay | None],
) -> Any:
    if encoding == "jsonParsed":
        parsed = parse(pubkey, account, mint_display)
        if parsed is not None:
            return parsed
        encoding = "base64"
    data = account.data
    if data_slice is not None:
        data = data[data_slice.offset : data_slice.offset + data_slice.length]
    if encoding in ("binary", "base58"):
        if len(data) > _BASE58_MAX_BYTES:
            raise RpcError(
                -32600,
                "Encoded binary (base 58) data should be less than 128 bytes, please use Base64 encoding.",
            )
        text = base58.encode(data)
        return text if encoding == "binary" else [text, "base58"]
    if encoding == "base64+zstd":
        return [base64.b64encode(zstd_frame(data)).decode(), "base64+zstd"]
    return [base64.b64encode(data).decode(), "base64"]


def zstd_frame(data: bytes) -> bytes:
    """`data` in a Zstandard frame of raw blocks: a valid frame, though nothing is compressed (RFC 8878).

    The standard library has no Zstandard before Python 3.14, and on loopback size does not matter.
    """
    # One segment, the content's size in four bytes.
    frame = b"\x28\xb5\x2f\xfd" + b"\xa0" + len(data).to_bytes(4, "little")
    starts = range(0, len(data), _ZSTD_BLOCK_MAX_BYTES) if data else (0,)
    for start in starts:
        block = data[start : start + _ZSTD_BLOCK_MAX_BYTES]
        is_last = start + _ZSTD_BLOCK_MAX_BYTES >= len(data)
        frame += (len(block) << 3 | is_last).to_bytes(3, "little") + block
    return frame
