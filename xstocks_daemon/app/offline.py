"""Transactions signed in several places: their message, signatures from elsewhere, and sending what is complete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solders.compute_budget import ID as COMPUTE_BUDGET
from solders.instruction import AccountMeta, Instruction
from solders.message import MessageV0, from_bytes_versioned, to_bytes_versioned

from xstocks_daemon.app.role_instructions import Draft, RoleInstruction
from xstocks_daemon.app.runtime import ChainConnection
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import ArgumentError, ProgramError
from xstocks_daemon.chain.program import ProgramClient, ProgramEvent
from xstocks_daemon.chain.sender import SignedAttempt, confirm_attempt, landed_transaction
from xstocks_daemon.chain.transactions import (
    compile_message,
    signatures_at_hand,
    signed_transaction,
)
from xstocks_daemon.domain.units import Address
from xstocks_daemon.errors import operation_error, user_error
from xstocks_daemon.signing import Signer

_TOO_OLD = "BlockhashNotFound"


@dataclass(frozen=True, slots=True)
class OpenMessage:
    """A message that waits for signatures: who signed it already, and who has to yet. It executes up to
    `last_valid_block_height`; a multisig, which takes only its instruction over, does not care."""

    message: bytes
    blockhash: bytes
    last_valid_block_height: int
    signatures: Mapping[Address, bytes]
    missing: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """A message of one instruction of the program, as somebody reads it before he signs or sends it."""

    message: MessageV0
    instruction: str
    args: Mapping[str, Any]
    accounts: tuple[AccountMeta, ...]
    program_id: Address

    @property
    def signers(self) -> tuple[Address, ...]:
        """Who has to sign it, the payer first."""
        needed = self.message.account_keys[: self.message.header.num_required_signatures]
        return tuple(Address(bytes(key)) for key in needed)


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A finalized transaction that was put together of a message and its signatures."""

    signature: str
    slot: int
    events: tuple[ProgramEvent, ...]


async def open_message(work: RoleInstruction, draft: Draft, *, sign: bool) -> OpenMessage:
    """The message of a draft, with a fresh blockhash; signed by the keys at hand if `sign`. Nothing is sent.

    It holds the instruction alone, without a compute budget: a multisig carries it out as it stands.
    """
    latest = await work.chain.pool.first(lambda endpoint: endpoint.latest_blockhash("confirmed"))
    message = compile_message(work.payer, [draft.sent], latest.blockhash)
    signers = {key: signer.sign for key, signer in work.signers.items()} if sign else {}
    signatures, missing = await signatures_at_hand(message, signers)
    return OpenMessage(
        to_bytes_versioned(message), latest.blockhash, latest.last_valid_block_height, signatures, missing
    )


def read_message(client: ProgramClient, data: bytes) -> ReadMessage:
    """What a message says. UserError where it is none, or more or other than one instruction of the program."""
    try:
        message = from_bytes_versioned(data)
    except ValueError:
        raise user_error("MESSAGE", f"{len(data)} bytes", "give what --unsigned or --sign-only printed") from None
    if not isinstance(message, MessageV0) or message.address_table_lookups:
        raise user_error("MESSAGE", type(message).__name__, "give a version 0 message without lookup tables")
    keys = message.account_keys
    own: list[Instruction] = []
    for each in message.instructions:
        program = keys[each.program_id_index]
        if program == COMPUTE_BUDGET:
            continue
        metas = [AccountMeta(keys[at], message.is_signer(at), message.is_maybe_writable(at)) for at in each.accounts]
        own.append(Instruction(program, bytes(each.data), metas))
    if len(own) != 1 or bytes(own[0].program_id) != client.program_id:
        programs = ", ".join(str(each.program_id) for each in own)
        remedy = f"it must be one instruction of {base58(client.program_id)} and nothing else"
        raise user_error("MESSAGE", programs or "no instruction", remedy)
    try:
        name, args = client.read_instruction(bytes(own[0].data))
    except ArgumentError as error:
        raise user_error("MESSAGE", base58(client.program_id), str(error)) from None
    return ReadMessage(message, name, args, tuple(own[0].accounts), client.program_id)


async def signed_by(read: ReadMessage, signers: Mapping[Address, Signer]) -> Mapping[Address, bytes]:
    """The signatures of these keys. UserError for a key that the message does not ask for."""
    for key in signers:
        if key not in read.signers:
            wanted = ", ".join(map(base58, read.signers))
            raise user_error("--key", base58(key), f"the message is signed by {wanted}")
    signatures, _missing = await signatures_at_hand(read.message, {key: signer.sign for key, signer in signers.items()})
    return signatures


async def complete(chain: ChainConnection, read: ReadMessage, signatures: Mapping[Address, bytes]) -> SignedAttempt:
    """The whole transaction, simulated as it stands; nothing is sent. UserError for a signature that is missing or is
    none of this message, OperationError with the name of what refuses it."""
    for key in read.signers:
        if key not in signatures:
            raise user_error("--signature", base58(key), "its signature is missing; add --signature KEY=SIGNATURE")
    try:
        transaction = signed_transaction(read.message, signatures)
    except ArgumentError as error:
        raise user_error("--signature", base58(read.signers[0]), str(error)) from None
    outcome = await chain.pool.first(
        lambda endpoint: endpoint.simulate(bytes(transaction), verify_signatures=True, replace_blockhash=False)
    )
    if outcome.err == _TOO_OLD:
        remedy = "too old to be executed: make the message anew, and sign it within 150 blocks"
        raise operation_error("MESSAGE", f"blockhash {read.message.recent_blockhash}", remedy)
    if outcome.err is not None:
        failure = chain.client.failure(outcome.err, outcome.logs)
        raise _named(read, failure) if isinstance(failure, ProgramError) else failure
    # Of a younger blockhash, so it is not below the message's own: waited for no shorter than that can execute.
    latest = await chain.pool.first(lambda endpoint: endpoint.latest_blockhash("confirmed"))
    return SignedAttempt(
        signature=bytes(transaction.signatures[0]),
        transaction=bytes(transaction),
        blockhash=bytes(read.message.recent_blockhash),
        last_valid_block_height=latest.last_valid_block_height,
    )


async def confirm_message(chain: ChainConnection, read: ReadMessage, attempt: SignedAttempt) -> SentMessage:
    """Send the same bytes until they are finalized or never can be. OperationError with the name of what refuses it."""
    try:
        seen = await confirm_attempt(chain.pool, chain.client, attempt, commitment="finalized")
    except ProgramError as error:
        raise _named(read, error) from None
    landed = await landed_transaction(seen.endpoint, attempt.signature_text)
    return SentMessage(attempt.signature_text, seen.slot, tuple(chain.client.events(landed.logs if landed else ())))


def _named(read: ReadMessage, error: ProgramError) -> Exception:
    return operation_error(read.instruction, f"{error.name} ({error.code})", error.message)
