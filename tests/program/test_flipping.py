"""Every byte counts: any one byte changed in the ed25519 instruction, or in the statement, and nothing is taken.

All bytes, no sample: each is flipped bit by bit and as a whole. Simulated on the embedded chain, whose state and clock
stand still meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.signature import Signature

from tests.support.deployed import AssetPool, DeployedProgram
from tests.support.edit import patched
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import LiveChain
from xstocks_daemon.domain.statement import Statement
from xstocks_daemon.domain.units import MILLIS_PER_SEC, Address

FLIPS = (*(1 << bit for bit in range(8)), 0xFF)
SIGNATURES = 2

# PrecompileError of the runtime (solana-precompile-error), as Custom numbers of the ed25519 instruction.
INVALID_PUBLIC_KEY = 0
INVALID_SIGNATURE = 2
INVALID_DATA_OFFSETS = 3
INVALID_INSTRUCTION_DATA_SIZE = 4

QUORUM, SUBMISSION = 0, 1

pytestmark = pytest.mark.embedded_only


async def outcomes(chain: LiveChain, tried: Iterable[Sequence[Instruction]]) -> list[Any]:
    """What the runtime says of each two instructions."""
    return [each.err for each in await chain.simulate_unsigned(tried)]


def refusal_of(index: int, error: int) -> Any:
    return {"InstructionError": [index, {"Custom": int(error)}]}


def expected_of_quorum(data: bytes, offset: int) -> Any:
    """How the change at `offset` fails: the padding byte, which the ed25519 program passes over, in this program by
    name; every other one in the ed25519 program itself, whose checks are (solana-ed25519-program): the data's size,
    then per signature its bounds, the key a point of the curve, the message's bounds, the signature."""
    if offset == 1:
        return refusal_of(SUBMISSION, ErrorCode.SignaturePaddingInvalid)
    count = data[0]
    if count == 0 or len(data) < 2 + 14 * count:
        return refusal_of(QUORUM, INVALID_INSTRUCTION_DATA_SIZE)
    for index in range(count):
        start = 2 + 14 * index
        fields = [int.from_bytes(data[at : at + 2], "little") for at in range(start, start + 14, 2)]
        signature_at, signature_index, key_at, key_index, message_at, message_bytes, message_index = fields
        signature = part(data, signature_index, signature_at, 64)
        key = part(data, key_index, key_at, 32)
        if signature is None or key is None:
            return refusal_of(QUORUM, INVALID_DATA_OFFSETS)
        if not Pubkey.from_bytes(key).is_on_curve():
            return refusal_of(QUORUM, INVALID_PUBLIC_KEY)
        message = part(data, message_index, message_at, message_bytes)
        if message is None:
            return refusal_of(QUORUM, INVALID_DATA_OFFSETS)
        if not Signature.from_bytes(signature).verify(Pubkey.from_bytes(key), message):
            return refusal_of(QUORUM, INVALID_SIGNATURE)
    raise AssertionError(f"the ed25519 program takes the data with byte {offset} changed")


def part(data: bytes, index: int, offset: int, size: int) -> bytes | None:
    """Bytes of the instruction itself, None beyond its end or of an instruction that the transaction does not have."""
    assert index not in (QUORUM, SUBMISSION), "one flip of 0xFFFF does not name an instruction that exists"
    return data[offset : offset + size] if index == 0xFFFF and offset + size <= len(data) else None


async def test_any_changed_byte_of_the_ed25519_instruction_is_refused(
    program: DeployedProgram, pool: AssetPool
) -> None:
    asset = await pool.take()
    quorum, submission = program.relay(await program.statement({asset: 10_000})).instructions
    data = bytes(quorum.data)
    assert len(data) == 2 + 110 * SIGNATURES + 32
    places = [(offset, flip) for offset in range(len(data)) for flip in FLIPS]
    changed = [flipped(quorum, offset, flip) for offset, flip in places]
    *refused, unchanged = await outcomes(program.chain, ((each, submission) for each in (*changed, quorum)))
    for (offset, flip), each, err in zip(places, changed, refused, strict=True):
        assert err == expected_of_quorum(bytes(each.data), offset), f"byte {offset} ^ {flip:#04x}"
    assert unchanged is None


def flipped(instruction: Instruction, offset: int, flip: int) -> Instruction:
    data = bytearray(instruction.data)
    data[offset] ^= flip
    return Instruction(instruction.program_id, bytes(data), instruction.accounts)


def expected_of_submission(data: bytes, offset: int, now_ts: int, skew_secs: int) -> Any:
    """How a change at this place of submit_attestation's data fails: always in the program and by name. Bounds are
    checked before signatures."""
    observed_ms = int.from_bytes(data[12:20], "little")
    expires_ts = int.from_bytes(data[20:28], "little", signed=True)
    if offset < 8:
        error = ErrorCode.InstructionFallbackNotFound
    elif 28 <= offset < 32:  # the number of entries
        error = ErrorCode.InstructionDidNotDeserialize
    elif offset < 12:
        error = ErrorCode.WrongEpoch
    elif now_ts >= expires_ts:
        error = ErrorCode.StatementExpired
    elif observed_ms > (now_ts + skew_secs) * MILLIS_PER_SEC:
        error = ErrorCode.ObservedInFuture
    else:
        error = ErrorCode.DigestMismatch
    return refusal_of(SUBMISSION, error)


async def test_any_changed_byte_of_the_statement_is_refused(program: DeployedProgram, pool: AssetPool) -> None:
    low, high = await pool.take(), await pool.take()
    quorum, submission = program.relay(await program.statement({low: 10_000, high: 20_000})).instructions
    data = bytes(submission.data)
    assert len(data) == 8 + 4 + 8 + 8 + 4 + 2 * 24
    skew_secs, now_ts = (await program.config()).max_skew_secs, await program.chain.clock_ts()
    places = [(offset, flip) for offset in range(len(data)) for flip in FLIPS]
    changed = [flipped(submission, offset, flip) for offset, flip in places]
    *refused, unchanged = await outcomes(program.chain, ((quorum, each) for each in (*changed, submission)))
    for (offset, flip), each, err in zip(places, changed, refused, strict=True):
        expected = expected_of_submission(bytes(each.data), offset, now_ts, skew_secs)
        assert err == expected, f"byte {offset} ^ {flip:#04x}"
    assert unchanged is None


async def test_any_changed_byte_of_what_is_read_from_accounts_is_refused(
    program: DeployedProgram, pool: AssetPool
) -> None:
    """Cluster, program, custodian, mint and multiplier come from accounts: who signed others signed nothing here."""
    asset = await pool.take()
    statement = await program.statement({asset: 10_000})
    [line] = statement.entries
    submission = program.client.submit_attestation(statement)

    def others() -> Iterator[Statement]:
        for at in range(32):
            yield replace(statement, genesis_hash=changed(statement.genesis_hash, at))
            yield replace(statement, program_id=changed(statement.program_id, at))
            yield replace(statement, custodian=changed(statement.custodian, at))
            yield replace(statement, entries=(replace(line, mint=changed(line.mint, at)),))
        for bit in range(64):
            yield replace(statement, entries=(replace(line, multiplier_bits=line.multiplier_bits ^ (1 << bit)),))

    tried = list(others())
    quorums = [program.relay(other).instructions[QUORUM] for other in tried]
    *refused, own = await outcomes(
        program.chain, (*((quorum, submission) for quorum in quorums), program.relay(statement).instructions)
    )
    for other, err in zip(tried, refused, strict=True):
        assert err == refusal_of(SUBMISSION, ErrorCode.DigestMismatch), other
    assert own is None


def changed(address: Address, at: int) -> Address:
    return Address(patched(address, at, bytes([address[at] ^ 1])))
