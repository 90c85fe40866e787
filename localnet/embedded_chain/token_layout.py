"""The parts of SPL token layouts (Token and Token-2022) that balances need; all integers little-endian."""

from __future__ import annotations

import struct
from typing import Final

from solders.pubkey import Pubkey

MINT_BYTES: Final = 82
ACCOUNT_BYTES: Final = 165
MULTISIG_BYTES: Final = 355
#: In an extended mint or account, this byte at ACCOUNT_BYTES says which it is.
TYPE_MINT: Final = 1
TYPE_ACCOUNT: Final = 2
#: Extension entries (type u16, length u16, value) start here.
EXTENSIONS_OFFSET: Final = ACCOUNT_BYTES + 1


def is_mint(data: bytes) -> bool:
    """Whether `data` is an initialised mint."""
    if len(data) < MINT_BYTES or data[45] != 1:
        return False
    if len(data) == MINT_BYTES:
        return True
    return len(data) > ACCOUNT_BYTES and len(data) != MULTISIG_BYTES and data[ACCOUNT_BYTES] == TYPE_MINT


def is_token_account(data: bytes) -> bool:
    """Whether `data` is an initialised token account."""
    if len(data) < ACCOUNT_BYTES or data[108] not in (1, 2):
        return False
    if len(data) == ACCOUNT_BYTES:
        return True
    return len(data) != MULTISIG_BYTES and data[ACCOUNT_BYTES] == TYPE_ACCOUNT


def mint_decimals(data: bytes) -> int | None:
    """None where it is no initialised mint."""
    return data[44] if is_mint(data) else None


def token_account_fields(data: bytes) -> tuple[Pubkey, Pubkey, int] | None:
    """(mint, owner, amount_raw), or None where it is no token account."""
    if not is_token_account(data):
        return None
    (amount_raw,) = struct.unpack_from("<Q", data, 64)
    return Pubkey(data[:32]), Pubkey(data[32:64]), amount_raw


def extensions(data: bytes) -> list[tuple[int, bytes]]:
    """(type, value) of each extension, in the order stored; what is malformed ends the list."""
    found = []
    offset = EXTENSIONS_OFFSET
    while offset + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, offset)
        offset += 4
        if kind == 0 or offset + length > len(data):
            break
        found.append((kind, bytes(data[offset : offset + length])))
        offset += length
    return found
