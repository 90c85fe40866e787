"""Executed transactions: by signature, by slot and by address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import TransactionMetadata


@dataclass(frozen=True, slots=True)
class TokenBalance:
    """A token account's balance before or after a transaction; `account_index` counts in its account keys."""

    account_index: int
    mint: Pubkey
    owner: Pubkey
    program: Pubkey
    amount_raw: int
    decimals: int


@dataclass(frozen=True, slots=True)
class ResolvedTransaction:
    """A transaction with the addresses that its lookup tables give."""

    tx: VersionedTransaction
    static_keys: tuple[Pubkey, ...]
    loaded_writable: tuple[Pubkey, ...]
    loaded_readonly: tuple[Pubkey, ...]
    table_keys: tuple[Pubkey, ...]

    @property
    def keys(self) -> tuple[Pubkey, ...]:
        """All account keys, in the order that instruction indexes count."""
        return self.static_keys + self.loaded_writable + self.loaded_readonly

    def is_writable(self, index: int) -> bool:
        """What the message asks for; the runtime demotes programs and sysvars."""
        header = self.tx.message.header
        static_count = len(self.static_keys)
        if index >= static_count:
            return index < static_count + len(self.loaded_writable)
        if index < header.num_required_signatures:
            return index < header.num_required_signatures - header.num_readonly_signed_accounts
        return index < static_count - header.num_readonly_unsigned_accounts

    @property
    def signature(self) -> Signature:
        """The first one, by which a transaction is known."""
        return self.tx.signatures[0]

    @property
    def version(self) -> int | str:
        """`legacy` or 0, as the RPC names it."""
        return 0 if isinstance(self.tx.message, MessageV0) else "legacy"


@dataclass(frozen=True, slots=True)
class TransactionRecord:
    """A transaction that has landed, whether its instructions succeeded (`err` is None) or not."""

    resolved: ResolvedTransaction
    slot: int
    index_in_slot: int
    err: Any
    meta: TransactionMetadata
    fee_lamports: int
    pre_balances: Sequence[int]
    post_balances: Sequence[int]
    pre_token_balances: Sequence[TokenBalance]
    post_token_balances: Sequence[TokenBalance]
    loaded_accounts_data_size: int


class Ledger:
    """All that has landed since genesis, kept in memory."""

    def __init__(self) -> None:
        self._by_signature: dict[Signature, TransactionRecord] = {}
        self._by_slot: dict[int, list[TransactionRecord]] = {}
        self._by_address: dict[Pubkey, list[TransactionRecord]] = defaultdict(list)

    def append(self, record: TransactionRecord) -> None:
        """Records come in the order of their execution: slots never fall."""
        self._by_signature[record.resolved.signature] = record
        self._by_slot.setdefault(record.slot, []).append(record)
        for key in record.resolved.keys:
            self._by_address[key].append(record)

    def find(self, signature: Signature) -> TransactionRecord | None:
        """The transaction of that signature, None where none has landed."""
        return self._by_signature.get(signature)

    def find_position(self, signature: Signature | None) -> tuple[int, int] | None:
        """Slot and index in it: the order in which transactions were executed."""
        record = None if signature is None else self._by_signature.get(signature)
        return None if record is None else (record.slot, record.index_in_slot)

    def in_slot(self, slot: int) -> Sequence[TransactionRecord]:
        """What landed in `slot`, in order."""
        return self._by_slot.get(slot, ())

    def of_address(self, address: Pubkey) -> Sequence[TransactionRecord]:
        """Oldest first."""
        return self._by_address.get(address, ())

    def count_through(self, slot: int) -> int:
        """How many transactions have landed up to and with `slot`."""
        newer = sum(len(records) for kept, records in self._newest_first() if kept > slot)
        return len(self._by_signature) - newer

    def _newest_first(self) -> list[tuple[int, list[TransactionRecord]]]:
        # Only slots that are not final can be asked for: a bounded number at the end.
        return list(self._by_slot.items())[-512:]
