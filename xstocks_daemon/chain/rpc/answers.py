"""What a node answers, and the bounds of asking it. The shapes are those of Agave's RPC (docs: solana.com/docs/rpc)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from xstocks_daemon.chain.addresses import parse_address
from xstocks_daemon.domain.units import Address

Commitment = Literal["processed", "confirmed", "finalized"]
T = TypeVar("T")

MAX_ACCOUNTS_PER_CALL = 100
"""What getMultipleAccounts takes at most."""
MAX_SIGNATURES_PER_CALL = 256
"""What getSignatureStatuses takes at most."""


@dataclass(frozen=True, slots=True)
class RpcLimits:
    """Bounds of one call. `attempts` counts the first one; only reads are tried again."""

    timeout_secs: float = 20.0
    attempts: int = 4
    first_wait_secs: float = 0.2
    max_wait_secs: float = 3.0
    max_body_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """An account as the chain stores it."""

    owner: Address
    data: bytes
    lamports: int
    executable: bool


@dataclass(frozen=True, slots=True)
class AtSlot(Generic[T]):
    """An answer and the slot it was read at (`context.slot`)."""

    slot: int
    value: T


@dataclass(frozen=True, slots=True)
class EpochInfo:
    """Slot and block height of one bank, from one answer."""

    absolute_slot: int
    block_height: int


@dataclass(frozen=True, slots=True)
class LatestBlockhash:
    """A recent blockhash and the last block height at which a transaction with it may still execute."""

    blockhash: bytes
    last_valid_block_height: int
    slot: int


@dataclass(frozen=True, slots=True)
class SignatureStatus:
    """What one node knows of a signature. `err` is the JSON of the runtime's TransactionError, None for success."""

    slot: int
    confirmation: Commitment
    err: Any


@dataclass(frozen=True, slots=True)
class Simulation:
    """The outcome of a simulated transaction."""

    err: Any
    logs: tuple[str, ...]
    units_consumed: int
    slot: int


@dataclass(frozen=True, slots=True)
class LandedTransaction:
    """A transaction of the ledger with its outcome."""

    slot: int
    err: Any
    logs: tuple[str, ...]
    units_consumed: int | None
    fee_lamports: int


def parse_uint(value: Any) -> int:
    """An unsigned integer; ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("not an unsigned integer")
    return value


def parse_account(value: Any) -> AccountInfo | None:
    """An account in base64; None where it does not exist."""
    if value is None:
        return None
    text, encoding = value["data"]
    if encoding != "base64":
        raise ValueError("another encoding than asked for")
    return AccountInfo(
        owner=parse_address(value["owner"], "owner"),
        data=base64.b64decode(text, validate=True),
        lamports=parse_uint(value["lamports"]),
        executable=bool(value["executable"]),
    )


def parse_status(value: Any) -> SignatureStatus | None:
    """What is known of a signature; None where nothing is."""
    if value is None:
        return None
    confirmation = value.get("confirmationStatus")
    if confirmation not in ("processed", "confirmed", "finalized"):
        raise ValueError("unknown confirmationStatus")
    return SignatureStatus(parse_uint(value["slot"]), confirmation, value["err"])
