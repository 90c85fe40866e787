"""The daemon's decision to mint, burn or distribute one amount of one asset (design, sections 2, 4.3 and 6.3)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum, IntEnum

from xstocks_daemon.domain.units import Address, checked_u64

INTENT_TAG = b"xstocks:intent:v1"
NO_ORDER = bytes(16)


class IntentKind(IntEnum):
    """What the intent does; the numbers are part of the hash."""

    MINT = 0
    BURN = 1
    DISTRIBUTE = 2


class IntentState(Enum):
    """The life of an intent; its edges are in `lifecycle.LIFE_CYCLE`, nothing else is allowed.

    PENDING: journaled, no live attempt. SUBMITTED: an attempt exists that may execute. DONE: it executed, once.
    DROPPED: it can never execute and nothing of it did (its sequence number is free again).
    """

    PENDING = "pending"
    SUBMITTED = "submitted"
    DONE = "done"
    DROPPED = "dropped"


class AttemptState(Enum):
    """The life of one signed transaction. LIVE may still execute; LANDED executed; DEAD is proved never to execute."""

    LIVE = "live"
    LANDED = "landed"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Intent:
    """One amount (base units) of one asset under one sequence number. `destination` is the token account that
    receives (the vault for mint and burn); `order_id` is 16 bytes, zeros where there is none."""

    kind: IntentKind
    mint: Address
    sequence: int
    amount_raw: int
    destination: Address
    order_id: bytes = NO_ORDER

    def __post_init__(self) -> None:
        checked_u64(self.sequence, "sequence")
        checked_u64(self.amount_raw, "amount_raw")
        if len(self.order_id) != 16:
            raise ValueError(f"order_id: {len(self.order_id)} bytes given, it must be 16")

    def preimage(self, genesis_hash: Address, program_id: Address) -> bytes:
        """The bytes that intent_hash is made of."""
        return b"".join(
            (
                INTENT_TAG,
                genesis_hash,
                program_id,
                self.mint,
                int(self.kind).to_bytes(1, "little"),
                self.sequence.to_bytes(8, "little"),
                self.amount_raw.to_bytes(8, "little"),
                self.destination,
                self.order_id,
            )
        )

    def intent_hash(self, genesis_hash: Address, program_id: Address) -> bytes:
        """The 16 bytes that the asset keeps as `last_intent_hash`."""
        return hashlib.sha256(self.preimage(genesis_hash, program_id)).digest()[:16]
