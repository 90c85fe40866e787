"""Transactions: v0 messages with lookup tables, compute budget, the quorum's ed25519 instruction, signing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from spl.token.constants import TOKEN_2022_PROGRAM_ID
from spl.token.instructions import (
    TransferCheckedParams,
    create_idempotent_associated_token_account,
    transfer_checked,
)

from xstocks_daemon.chain.addresses import ED25519, SYSTEM, base58, pubkey
from xstocks_daemon.chain.errors import ArgumentError, DurableNonceRefused, SignerMissing, TransactionTooLarge
from xstocks_daemon.domain.statement import AttesterSignature
from xstocks_daemon.domain.units import Address

MAX_TRANSACTION_BYTES = 1_232
"""One IPv6 packet (1,280) less its headers: the cluster's limit."""
MAX_COMPUTE_UNITS = 1_400_000
"""The cluster's limit for one transaction."""
SIGNATURE_BYTES = 64
MIN_QUORUM = 2
MAX_QUORUM = 8

_ADVANCE_NONCE = (4).to_bytes(4, "little")
_THIS_INSTRUCTION = (0xFFFF).to_bytes(2, "little")
_DIGEST_BYTES = 32

SignFunction = Callable[[bytes], Awaitable[bytes]]
Signers = Mapping[Address, SignFunction]
"""Who signs a message's bytes, by public key: `{signer.public_key: signer.sign}`."""


@dataclass(frozen=True, slots=True)
class ComputeBudget:
    """What a transaction may use and pays for priority. The price is in micro-lamports per compute unit."""

    limit_units: int
    price_micro_lamports: int = 0

    def instructions(self) -> list[Instruction]:
        """The compute budget program's instructions, to stand first in the transaction."""
        if not 0 < self.limit_units <= MAX_COMPUTE_UNITS:
            raise ArgumentError(f"compute units {self.limit_units}: must be from 1 to {MAX_COMPUTE_UNITS}")
        found = [set_compute_unit_limit(self.limit_units)]
        if self.price_micro_lamports:
            found.append(set_compute_unit_price(self.price_micro_lamports))
        return found


#: Compute units as (fixed part, per entry), by instruction: an upper bound of what bench/program_cu.py measures, with
#: room for bumps that are found late and for transactions with more custodians.
COMPUTE_TABLE: Mapping[str, tuple[int, int]] = {
    "mint": (12_000, 9_000),
    "burn": (12_000, 9_000),
    "distribute": (30_000, 0),
    "submit_attestation": (12_000, 4_000),
}


def budget_for(instruction: str, entries: int = 1, price_micro_lamports: int = 0) -> ComputeBudget:
    """The compute budget of one hot instruction with so many entries, by COMPUTE_TABLE."""
    fixed, each = COMPUTE_TABLE[instruction]
    return ComputeBudget(min(MAX_COMPUTE_UNITS, fixed + each * entries), price_micro_lamports)


def budget_from_simulation(units_consumed: int, price_micro_lamports: int = 0) -> ComputeBudget:
    """The compute budget after a simulation: a fifth more, since accounts may change until the transaction lands."""
    return ComputeBudget(min(MAX_COMPUTE_UNITS, units_consumed + units_consumed // 5 + 1_000), price_micro_lamports)


def quorum_instruction(digest: bytes, signatures: Sequence[AttesterSignature]) -> Instruction:
    """The ed25519 instruction in the only layout that submit_attestation takes (design, section 4.4).

    n, 0, n offset records, n times (key, signature), digest; keys strictly ascending. ArgumentError otherwise.
    """
    count = len(signatures)
    if not MIN_QUORUM <= count <= MAX_QUORUM:
        raise ArgumentError(f"signatures: {count} given, {MIN_QUORUM} to {MAX_QUORUM} are allowed")
    if len(digest) != _DIGEST_BYTES:
        raise ArgumentError(f"digest: {len(digest)} bytes given, it must be {_DIGEST_BYTES}")
    if any(a.key >= b.key for a, b in pairwise(signatures)):
        raise ArgumentError("signatures: keys must be strictly ascending by their bytes")
    if any(len(each.key) != 32 or len(each.signature) != SIGNATURE_BYTES for each in signatures):
        raise ArgumentError("signatures: a key has 32 bytes, a signature 64")

    def u16(value: int) -> bytes:
        return value.to_bytes(2, "little")

    digest_offset = 2 + 110 * count
    offsets = bytearray()
    for index in range(count):
        key_offset = 2 + 14 * count + 96 * index
        offsets += u16(key_offset + 32) + _THIS_INSTRUCTION
        offsets += u16(key_offset) + _THIS_INSTRUCTION
        offsets += u16(digest_offset) + u16(_DIGEST_BYTES) + _THIS_INSTRUCTION
    signed = b"".join(each.key + each.signature for each in signatures)
    return Instruction(pubkey(ED25519), bytes([count, 0]) + bytes(offsets) + signed + digest, [])


def create_token_account(payer: Address, owner: Address, mint: Address) -> Instruction:
    """Create the Token-2022 associated token account of `owner`; does nothing where it exists."""
    return create_idempotent_associated_token_account(pubkey(payer), pubkey(owner), pubkey(mint), TOKEN_2022_PROGRAM_ID)


def transfer_tokens(
    *, source: Address, mint: Address, destination: Address, owner: Address, amount_raw: int, decimals: int
) -> Instruction:
    """An ordinary Token-2022 TransferChecked between two token accounts, signed by the source's owner."""
    return transfer_checked(
        TransferCheckedParams(
            program_id=TOKEN_2022_PROGRAM_ID,
            source=pubkey(source),
            mint=pubkey(mint),
            dest=pubkey(destination),
            owner=pubkey(owner),
            amount=amount_raw,
            decimals=decimals,
        )
    )


def compile_message(
    payer: Address,
    instructions: Sequence[Instruction],
    blockhash: bytes,
    tables: Sequence[AddressLookupTableAccount] = (),
) -> MessageV0:
    """A v0 message. TransactionTooLarge above the packet's size, DurableNonceRefused for a nonce transaction."""
    for each in instructions:
        if each.program_id == Pubkey(SYSTEM) and bytes(each.data[:4]) == _ADVANCE_NONCE:
            raise DurableNonceRefused(
                "the transaction advances a durable nonce: it would never expire and could not be proved dead; "
                "use a recent blockhash"
            )
    message = MessageV0.try_compile(pubkey(payer), list(instructions), list(tables), Hash(blockhash))
    size = transaction_bytes(message)
    if size > MAX_TRANSACTION_BYTES:
        raise TransactionTooLarge(
            f"the transaction has {size} bytes, {MAX_TRANSACTION_BYTES} are allowed: fewer entries, or lookup tables "
            f"for its {len(message.account_keys)} plain accounts"
        )
    return message


def transaction_bytes(message: MessageV0) -> int:
    """The size of the signed transaction: count, signatures, message."""
    return 1 + SIGNATURE_BYTES * message.header.num_required_signatures + len(to_bytes_versioned(message))


def unsigned_transaction(message: MessageV0) -> bytes:
    """The transaction with empty signatures: enough for a simulation."""
    signatures = [Signature.default()] * message.header.num_required_signatures
    return bytes(VersionedTransaction.populate(message, signatures))


async def sign_message(message: MessageV0, signers: Signers) -> VersionedTransaction:
    """Sign with everybody the message needs. SignerMissing names a key without a signer, or whose signer answered
    with something that is no signature of this message."""
    found, missing = await signatures_at_hand(message, signers)
    if missing:
        raise SignerMissing(f"the transaction needs a signature of {base58(missing[0])}, for which there is no signer")
    return signed_transaction(message, found)


async def signatures_at_hand(message: MessageV0, signers: Signers) -> tuple[dict[Address, bytes], tuple[Address, ...]]:
    """The signatures of those who are there, and who else has to sign. SignerMissing for a signer that answered with
    something that is no signature of this message."""
    data = to_bytes_versioned(message)
    found: dict[Address, bytes] = {}
    missing: list[Address] = []
    for key in map(Address, map(bytes, message.account_keys[: message.header.num_required_signatures])):
        sign = signers.get(key)
        if sign is None:
            missing.append(key)
            continue
        raw = await sign(data)
        # A remote signer may answer anything; what is sent and journaled must be a signature.
        if not _is_signature(raw, key, data):
            raise SignerMissing(f"the signer of {base58(key)} did not answer with a signature of the message")
        found[key] = raw
    return found, tuple(missing)


def signed_transaction(message: MessageV0, signatures: Mapping[Address, bytes]) -> VersionedTransaction:
    """The message with the signatures of all who have to sign it. ArgumentError names one that is not right."""
    data = to_bytes_versioned(message)
    needed = [Address(bytes(key)) for key in message.account_keys[: message.header.num_required_signatures]]
    for key in needed:
        if not _is_signature(signatures.get(key, b""), key, data):
            raise ArgumentError(f"what is given for {base58(key)} is no signature of this message by that key")
    return VersionedTransaction.populate(message, [Signature.from_bytes(signatures[key]) for key in needed])


def _is_signature(raw: bytes, key: Address, data: bytes) -> bool:
    return len(raw) == SIGNATURE_BYTES and Signature.from_bytes(raw).verify(pubkey(key), data)
