"""submit_attestation: the one layout of the ed25519 instruction, and what else stands around it."""

from __future__ import annotations

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair

from tests.support.deployed import Asset, DeployedProgram, sign
from tests.support.ed25519 import assemble, canonical
from tests.support.edit import with_account, with_accounts
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import Call, address_of, call
from xstocks_daemon.chain.addresses import COMPUTE_BUDGET, ED25519, INSTRUCTIONS_SYSVAR, pubkey
from xstocks_daemon.domain.statement import AttesterSignature
from xstocks_daemon.domain.units import Address

# ---- the one layout of the ed25519 instruction (S1 to S11) -----------------------------------------------------------


async def test_the_signatures_stand_directly_before(program: DeployedProgram, asset: Asset) -> None:
    statement = await program.statement({asset: 10_000})
    quorum, submission = program.relay(statement).instructions
    # limit_units None: otherwise the compute budget's instruction is the one before.
    await program.refused(Call((submission,), limit_units=None), ErrorCode.SignatureInstructionMissing)
    await program.refused(Call((submission,)), ErrorCode.SignatureProgramInvalid)
    other = program.relay(await program.statement({asset: 20_000})).instructions[1]
    await program.refused(call((quorum, submission, other)), ErrorCode.SignatureProgramInvalid)
    assert (await asset.entry()).capacity_raw == 0
    await program.accepted(call((quorum, submission)))


async def test_one_quorum_does_not_serve_an_instruction_further_behind(program: DeployedProgram, asset: Asset) -> None:
    statement = await program.statement({asset: 10_000})
    quorum, submission = program.relay(statement).instructions
    wallet = Keypair()
    between = program.client.set_participant(
        registrar=program.keys.registrar.address,
        wallet=address_of(wallet),
        active=True,
        expires_ts=2**40,
        country="CH",
    )
    registrar = program.keys.registrar.keypair
    await program.refused(call((quorum, between, submission), registrar), ErrorCode.SignatureProgramInvalid)
    await program.accepted(call((between, quorum, submission), registrar))


async def test_the_ed25519_instruction_has_no_accounts(program: DeployedProgram, asset: Asset) -> None:
    statement = await program.statement({asset: 10_000})
    quorum, submission = program.relay(statement).instructions
    meta = AccountMeta(pubkey(asset.mint), is_signer=False, is_writable=False)
    await program.refused(call((with_accounts(quorum, [meta]), submission)), ErrorCode.SignatureAccountsInvalid)
    await program.accepted(call((quorum, submission)))


async def test_another_program_that_carries_the_same_bytes_is_refused(program: DeployedProgram, asset: Asset) -> None:
    """A program that accepts anything, here the compute budget with a heap request, signs nothing."""
    statement = await program.statement({asset: 10_000})
    quorum, submission = program.relay(statement).instructions
    heap_frame = bytes([1]) + (65_536).to_bytes(4, "little")
    other = Instruction(pubkey(COMPUTE_BUDGET), heap_frame, [])
    await program.refused(call((other, submission)), ErrorCode.SignatureProgramInvalid)
    await program.accepted(call((other, quorum, submission)))


async def test_layouts_that_the_ed25519_program_takes_and_this_one_does_not(
    program: DeployedProgram, asset: Asset
) -> None:
    """Each of these verifies: the signatures are real. Only where they stand is not canonical."""
    statement = await program.statement({asset: 10_000})
    digest = statement.digest()
    own, agent = sorted(program.quorum(), key=address_of)
    signed = sign(digest, (own, agent))
    submission = program.client.submit_attestation(statement)
    good = canonical(signed, digest)
    second_key = address_of(agent)
    variants: dict[str, tuple[bytes, ErrorCode]] = {
        "padding": (assemble(good.but(padding=1)), ErrorCode.SignaturePaddingInvalid),
        "a byte behind": (assemble(good) + b"\0", ErrorCode.SignatureLengthInvalid),
        "one signature": (assemble(canonical(signed[:1], digest)), ErrorCode.SignatureCountInvalid),
        "no signature": (b"\0\0", ErrorCode.SignatureCountInvalid),
        "signature before key": (assemble(good.swapped()), ErrorCode.SignatureOffsetInvalid),
        "descending keys": (assemble(canonical(signed[::-1], digest)), ErrorCode.SignersNotAscending),
        "one key twice": (assemble(canonical([signed[0], signed[0]], digest)), ErrorCode.SignersNotAscending),
        "message elsewhere": (
            assemble(canonical([sign_bytes(own, second_key), signed[1]], digest).message_at(0, good.key_offset(1))),
            ErrorCode.MessageOffsetInvalid,
        ),
        "a shorter message": (
            assemble(canonical(sign(digest[:31], (own, agent)), digest).message_bytes(31)),
            ErrorCode.MessageSizeInvalid,
        ),
        "signature by index": (assemble(good.indexes(0, signature=1)), ErrorCode.SignatureIndexInvalid),
        "key by index": (assemble(good.indexes(1, key=1)), ErrorCode.SignatureIndexInvalid),
        "message by index": (assemble(good.indexes(1, message=1)), ErrorCode.SignatureIndexInvalid),
    }
    for what, (data, error) in variants.items():
        quorum = Instruction(pubkey(ED25519), data, [])
        precompile = await program.chain.simulate(call(quorum))
        assert precompile.err is None, f"{what}: the ed25519 program itself refuses it: {precompile.err}"
        await program.refused(call((quorum, submission)), error)
    await program.accepted(call((Instruction(pubkey(ED25519), assemble(good), []), submission)))


def sign_bytes(key: Keypair, message: bytes) -> AttesterSignature:
    [signed] = sign(message, (key,))
    return signed


async def test_a_sysvar_of_ones_own_is_refused(program: DeployedProgram, asset: Asset) -> None:
    statement = await program.statement({asset: 10_000})
    quorum, submission = program.relay(statement).instructions
    sysvar_index = 2
    assert Address(bytes(submission.accounts[sysvar_index].pubkey)) == INSTRUCTIONS_SYSVAR
    fake = with_account(submission, sysvar_index, asset.mint)
    await program.refused(call((quorum, fake)), ErrorCode.ConstraintAddress)
    await program.accepted(call((quorum, submission)))
