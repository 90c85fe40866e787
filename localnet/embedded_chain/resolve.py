"""The addresses that a transaction's lookup tables give."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from solders.account import Account
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from localnet.embedded_chain import addresses
from localnet.embedded_chain.ledger import ResolvedTransaction

#: What stands before a table's addresses (LOOKUP_TABLE_META_SIZE): type u32 (1: a table), deactivation slot u64, last
#: extended slot u64, length before that extension u8, authority as an option, padding.
_META_BYTES: Final = 56
_LAST_EXTENDED_SLOT_OFFSET: Final = 12
_LENGTH_BEFORE_OFFSET: Final = 20


class LookupTableError(Exception):
    """A lookup table does not resolve; the message is Agave's."""


def resolve(tx: VersionedTransaction, slot: int, account_at: Callable[[Pubkey], Account | None]) -> ResolvedTransaction:
    """Look up the addresses of its tables as of `slot`; `account_at` gives accounts as of it.

    Raises LookupTableError.
    """
    message = tx.message
    static_keys = tuple(message.account_keys)
    if not isinstance(message, MessageV0) or not message.address_table_lookups:
        return ResolvedTransaction(tx, static_keys, (), (), ())
    writable: list[Pubkey] = []
    readonly: list[Pubkey] = []
    tables = []
    for lookup in message.address_table_lookups:
        tables.append(lookup.account_key)
        table = account_at(lookup.account_key)
        if table is None:
            raise LookupTableError("Transaction loads an address table account that doesn't exist")
        if table.owner != addresses.LOOKUP_TABLE:
            raise LookupTableError("Transaction loads an address table account with an invalid owner")
        data = table.data
        if len(data) < _META_BYTES or data[:4] != b"\1\0\0\0":
            raise LookupTableError("Transaction loads an address table account with invalid data")
        (last_extended_slot,) = struct.unpack_from("<Q", data, _LAST_EXTENDED_SLOT_OFFSET)
        active = (len(data) - _META_BYTES) // 32
        if slot <= last_extended_slot:
            # What this very slot has added is usable from the next one on.
            active = data[_LENGTH_BEFORE_OFFSET]
        for indexes, loaded in ((lookup.writable_indexes, writable), (lookup.readonly_indexes, readonly)):
            for index in indexes:
                if index >= active:
                    raise LookupTableError("Transaction address table lookup uses an invalid index")
                start = _META_BYTES + 32 * index
                loaded.append(Pubkey(data[start : start + 32]))
    return ResolvedTransaction(tx, static_keys, tuple(writable), tuple(readonly), tuple(tables))
