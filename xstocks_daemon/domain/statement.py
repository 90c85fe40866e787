"""What a custodian's quorum signs (design, section 4.4), byte for byte."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise

from xstocks_daemon.domain.units import Address, checked_u64

STATEMENT_TAG = b"xstocks:statement:v2"
MAX_ENTRIES = 24


class StatementError(ValueError):
    """A statement that breaks the form of section 4.4; the message names the field and the rule."""


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One asset's line: what is held, what it can back, and how much redemption those shares already exclude."""

    mint: Address
    multiplier_bits: int
    shares_nano: int
    capacity_raw: int
    redeemed_seen_raw: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A custodian's statement. Entries are ordered strictly by mint bytes, 1 to 24 of them.

    `observed_ms` is the Unix time of observation in milliseconds, `expires_ts` the expiry in seconds.
    """

    genesis_hash: Address
    program_id: Address
    custodian: Address
    epoch: int
    observed_ms: int
    expires_ts: int
    entries: tuple[StatementEntry, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.entries) <= MAX_ENTRIES:
            raise StatementError(f"entries: {len(self.entries)} given, 1 to {MAX_ENTRIES} are allowed")
        for name in ("genesis_hash", "program_id", "custodian"):
            if len(getattr(self, name)) != 32:
                raise StatementError(f"{name}: must be 32 bytes")
        mints = [entry.mint for entry in self.entries]
        if any(len(mint) != 32 for mint in mints):
            raise StatementError("entries: every mint must be 32 bytes")
        if any(a >= b for a, b in pairwise(mints)):
            raise StatementError("entries: mints must be strictly ascending by their bytes")
        if not 0 <= self.epoch < 2**32:
            raise StatementError(f"epoch: {self.epoch} does not fit an u32")
        checked_u64(self.observed_ms, "observed_ms")
        if not 0 <= self.expires_ts < 2**63:
            raise StatementError(f"expires_ts: {self.expires_ts} does not fit an i64 or is negative")
        for entry in self.entries:
            for name in ("multiplier_bits", "shares_nano", "capacity_raw", "redeemed_seen_raw"):
                checked_u64(getattr(entry, name), name)

    def preimage(self) -> bytes:
        """The bytes whose sha256 is signed."""
        head = b"".join(
            (
                STATEMENT_TAG,
                self.genesis_hash,
                self.program_id,
                self.custodian,
                self.epoch.to_bytes(4, "little"),
                self.observed_ms.to_bytes(8, "little"),
                self.expires_ts.to_bytes(8, "little"),
                len(self.entries).to_bytes(1, "little"),
            )
        )
        return head + b"".join(
            entry.mint
            + entry.multiplier_bits.to_bytes(8, "little")
            + entry.shares_nano.to_bytes(8, "little")
            + entry.capacity_raw.to_bytes(8, "little")
            + entry.redeemed_seen_raw.to_bytes(8, "little")
            for entry in self.entries
        )

    def digest(self) -> bytes:
        """The 32 bytes that attesters sign."""
        return hashlib.sha256(self.preimage()).digest()


@dataclass(frozen=True, slots=True)
class AttesterSignature:
    """One attester's ed25519 signature (64 bytes) of a statement's digest."""

    key: Address
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A statement with its quorum's signatures, sorted strictly by key, as the chain wants them."""

    statement: Statement
    signatures: tuple[AttesterSignature, ...]
