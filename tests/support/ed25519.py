"""Data of ed25519 instructions, canonical or not: n, padding, n offset records, keys with signatures, message.

Layout of a record: solana-ed25519-program `Ed25519SignatureOffsets`, seven u16 little endian.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from xstocks_daemon.domain.statement import AttesterSignature

THIS_INSTRUCTION = 0xFFFF
HEADER_BYTES = 2
RECORD_BYTES = 14
KEY_BYTES = 32
SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Record:
    """Where one signature, its key and its message stand."""

    signature_offset: int
    signature_index: int
    key_offset: int
    key_index: int
    message_offset: int
    message_bytes: int
    message_index: int

    def encoded(self) -> bytes:
        """The record's 14 bytes."""
        fields = (
            self.signature_offset,
            self.signature_index,
            self.key_offset,
            self.key_index,
            self.message_offset,
            self.message_bytes,
            self.message_index,
        )
        return b"".join(field.to_bytes(2, "little") for field in fields)


@dataclass(frozen=True, slots=True)
class Layout:
    """An instruction's data before it is put together. Each method changes one thing."""

    records: tuple[Record, ...]
    signed: tuple[bytes, ...]
    message: bytes
    padding: int = 0

    def but(self, **changes: Any) -> Layout:
        """The same with other fields."""
        return replace(self, **changes)

    def key_offset(self, index: int) -> int:
        """Where a key stands."""
        return self.records[index].key_offset

    def record(self, index: int, **changes: int) -> Layout:
        """The same with one record changed."""
        records = list(self.records)
        records[index] = replace(records[index], **changes)
        return replace(self, records=tuple(records))

    def swapped(self) -> Layout:
        """Every signature before its key, as some libraries write it."""
        changed = self
        for index, record in enumerate(self.records):
            start = record.key_offset
            changed = changed.record(index, signature_offset=start, key_offset=start + SIGNATURE_BYTES)
        return changed.but(signed=tuple(pair[KEY_BYTES:] + pair[:KEY_BYTES] for pair in self.signed))

    def message_at(self, index: int, offset: int) -> Layout:
        """One signature's message somewhere else."""
        return self.record(index, message_offset=offset)

    def message_bytes(self, size: int) -> Layout:
        """Only the first bytes of the message signed."""
        changed = self
        for index in range(len(self.records)):
            changed = changed.record(index, message_bytes=size)
        return changed

    def indexes(
        self,
        index: int,
        *,
        signature: int = THIS_INSTRUCTION,
        key: int = THIS_INSTRUCTION,
        message: int = THIS_INSTRUCTION,
    ) -> Layout:
        """One record that names instructions of the transaction by their numbers."""
        return self.record(index, signature_index=signature, key_index=key, message_index=message)


def canonical(signed: Sequence[AttesterSignature], digest: bytes) -> Layout:
    """Everything where submit_attestation wants it; keys in the order given."""
    count = len(signed)
    keys_at = HEADER_BYTES + RECORD_BYTES * count
    pair_bytes = KEY_BYTES + SIGNATURE_BYTES
    message_at = keys_at + pair_bytes * count
    records = tuple(
        Record(
            signature_offset=keys_at + pair_bytes * index + KEY_BYTES,
            signature_index=THIS_INSTRUCTION,
            key_offset=keys_at + pair_bytes * index,
            key_index=THIS_INSTRUCTION,
            message_offset=message_at,
            message_bytes=len(digest),
            message_index=THIS_INSTRUCTION,
        )
        for index in range(count)
    )
    return Layout(records, tuple(each.key + each.signature for each in signed), digest)


def assemble(layout: Layout) -> bytes:
    """The instruction's data."""
    head = bytes([len(layout.records), layout.padding])
    records = b"".join(record.encoded() for record in layout.records)
    return head + records + b"".join(layout.signed) + layout.message
