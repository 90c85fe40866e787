"""Transactions: what they hold, that they fit, that they are signed by the right keys."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import to_bytes_versioned
from solders.pubkey import Pubkey
from solders.system_program import AdvanceNonceAccountParams, advance_nonce_account
from solders.transaction import VersionedTransaction

from tests.chain.cases import CLIENT, GENESIS, KEY, WALLET, address, intent
from xstocks_daemon.chain.addresses import ED25519, associated_token_address, parse_address, pubkey
from xstocks_daemon.chain.errors import ArgumentError, DurableNonceRefused, SignerMissing, TransactionTooLarge
from xstocks_daemon.chain.lookup_tables import shared_addresses
from xstocks_daemon.chain.transactions import (
    MAX_TRANSACTION_BYTES,
    ComputeBudget,
    budget_for,
    budget_from_simulation,
    compile_message,
    create_token_account,
    quorum_instruction,
    sign_message,
    transaction_bytes,
    transfer_tokens,
    unsigned_transaction,
)
from xstocks_daemon.domain.intent import IntentKind
from xstocks_daemon.domain.statement import AttesterSignature, Statement, StatementEntry
from xstocks_daemon.domain.units import Address

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "statement.json").read_text())
BLOCKHASH = bytes([5]) * 32


def signature(number: int) -> AttesterSignature:
    return AttesterSignature(Address(bytes([number]) * 32), bytes([number + 100]) * 64)


def u16(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 2], "little")


@pytest.mark.parametrize("count", range(2, 9))
def test_quorum_instruction_has_the_one_canonical_layout(count: int) -> None:
    signatures = [signature(number) for number in range(count)]
    digest = bytes(range(32))
    built = quorum_instruction(digest, signatures)
    data = bytes(built.data)
    assert bytes(built.program_id) == ED25519
    assert built.accounts == []
    assert len(data) == 2 + 110 * count + 32
    assert data[:2] == bytes([count, 0])
    for index, each in enumerate(signatures):
        record = 2 + 14 * index
        found = [u16(data, record + 2 * field) for field in range(7)]
        key_offset = 2 + 14 * count + 96 * index
        assert found == [key_offset + 32, 0xFFFF, key_offset, 0xFFFF, 2 + 110 * count, 32, 0xFFFF]
        assert data[key_offset : key_offset + 32] == each.key
        assert data[key_offset + 32 : key_offset + 96] == each.signature
    assert data[-32:] == digest


@pytest.mark.parametrize(
    ("signatures", "digest", "message"),
    [
        ([signature(1)], bytes(32), "1 given, 2 to 8"),
        ([signature(number) for number in range(9)], bytes(32), "9 given, 2 to 8"),
        ([signature(2), signature(1)], bytes(32), "strictly ascending"),
        ([signature(1), signature(1)], bytes(32), "strictly ascending"),
        ([signature(1), signature(2)], bytes(31), "31 bytes given"),
        ([signature(1), AttesterSignature(signature(2).key, bytes(63))], bytes(32), "a signature 64"),
    ],
)
def test_other_quorums_are_refused(signatures: list[AttesterSignature], digest: bytes, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        quorum_instruction(digest, signatures)


@pytest.mark.parametrize("vector", VECTORS["statements"], ids=lambda each: f"epoch {each['epoch']}")
def test_golden_statements_make_a_quorum_instruction_and_its_submission(vector: dict[str, Any]) -> None:
    statement = Statement(
        parse_address(VECTORS["genesis_hash"]),
        parse_address(VECTORS["program_id"]),
        parse_address(VECTORS["custodian"]),
        vector["epoch"],
        vector["observed_ms"],
        vector["expires_ts"],
        tuple(
            StatementEntry(
                parse_address(entry["mint"]),
                entry["multiplier_bits"],
                entry["shares_nano"],
                entry["capacity_raw"],
                entry["redeemed_seen_raw"],
            )
            for entry in vector["entries"]
        ),
    )
    assert statement.digest().hex() == vector["digest_hex"]
    signatures = sorted(
        (
            AttesterSignature(parse_address(each["public_key"]), bytes.fromhex(each["signature_hex"]))
            for each in vector["signatures"]
        ),
        key=lambda each: each.key,
    )
    built = quorum_instruction(statement.digest(), signatures)
    assert bytes.fromhex(vector["digest_hex"]) == bytes(built.data[-32:])
    submit = CLIENT.submit_attestation(statement)
    assert len(submit.data) == 8 + 4 + 8 + 8 + 4 + 24 * len(statement.entries)
    assert len(submit.accounts) == 3 + len(statement.entries)


def table(addresses: list[Address]) -> AddressLookupTableAccount:
    return AddressLookupTableAccount(pubkey(KEY), [pubkey(each) for each in addresses])


def test_eighteen_mints_with_three_custodians_fit_one_transaction() -> None:
    custodians = [address() for _ in range(3)]
    mints = [address() for _ in range(18)]
    intents = [intent(IntentKind.MINT, mint, 2**63, 2**63, CLIENT.addresses.vault(mint)) for mint in mints]
    built = CLIENT.mint(operator=WALLET, custodians=custodians, intents=intents, genesis_hash=GENESIS)
    instructions = [*budget_for("mint", 18, price_micro_lamports=1_000).instructions(), built]
    lookup = table([*shared_addresses(CLIENT, custodians), *(a for m in mints for a in CLIENT.asset_accounts(m))])
    message = compile_message(WALLET, instructions, BLOCKHASH, [lookup])
    assert transaction_bytes(message) <= MAX_TRANSACTION_BYTES
    assert len(unsigned_transaction(message)) == transaction_bytes(message)
    with pytest.raises(TransactionTooLarge, match=r"1232 are allowed"):
        compile_message(WALLET, instructions, BLOCKHASH)


def test_statement_of_24_assets_with_two_signatures_fits_one_transaction() -> None:
    custodian, mints = address(), sorted(address() for _ in range(24))
    entries = tuple(StatementEntry(mint, 1, 2**64 - 1, 2**64 - 1, 0) for mint in mints)
    statement = Statement(GENESIS, CLIENT.program_id, custodian, 1, 2**50, 2**40, entries)
    quorum = quorum_instruction(statement.digest(), [signature(1), signature(2)])
    assets = [CLIENT.addresses.asset(mint) for mint in mints]
    lookup = table([*shared_addresses(CLIENT, [custodian]), *assets])
    message = compile_message(WALLET, [quorum, CLIENT.submit_attestation(statement)], BLOCKHASH, [lookup])
    assert transaction_bytes(message) <= MAX_TRANSACTION_BYTES


@given(st.integers(0, 40), st.integers(0, 1_100), st.booleans())
def test_size_is_what_is_sent_and_never_above_the_packet(accounts: int, data_bytes: int, lookup: bool) -> None:
    metas = [AccountMeta(Pubkey(bytes([n + 1]) * 32), is_signer=False, is_writable=n % 2 == 0) for n in range(accounts)]
    instruction = Instruction(pubkey(KEY), bytes(data_bytes), metas)
    tables = [AddressLookupTableAccount(pubkey(WALLET), [meta.pubkey for meta in metas])] if lookup else []
    try:
        message = compile_message(WALLET, [instruction], BLOCKHASH, tables)
    except TransactionTooLarge:
        assert data_bytes + 32 * accounts * (not lookup) > 900
        return
    sent = unsigned_transaction(message)
    assert len(sent) == transaction_bytes(message) <= MAX_TRANSACTION_BYTES
    assert VersionedTransaction.from_bytes(sent).message == message


def test_durable_nonce_is_refused_wherever_it_stands() -> None:
    nonce = advance_nonce_account(AdvanceNonceAccountParams(nonce_pubkey=pubkey(KEY), authorized_pubkey=pubkey(WALLET)))
    other = transfer_tokens(source=KEY, mint=KEY, destination=KEY, owner=WALLET, amount_raw=1, decimals=8)
    assert compile_message(WALLET, [other], BLOCKHASH)
    for instructions in ([nonce, other], [other, nonce]):
        with pytest.raises(DurableNonceRefused, match="use a recent blockhash"):
            compile_message(WALLET, instructions, BLOCKHASH)


def signer_of(keypair: Keypair) -> tuple[Address, Any]:
    async def sign(message: bytes) -> bytes:
        return bytes(keypair.sign_message(message))

    return Address(bytes(keypair.pubkey())), sign


async def test_message_is_signed_by_all_it_needs_in_their_order() -> None:
    payer, authority = Keypair.from_seed(bytes([1]) * 32), Keypair.from_seed(bytes([2]) * 32)
    metas = [AccountMeta(authority.pubkey(), is_signer=True, is_writable=False)]
    message = compile_message(Address(bytes(payer.pubkey())), [Instruction(pubkey(KEY), b"", metas)], BLOCKHASH)
    signed = await sign_message(message, dict([signer_of(authority), signer_of(payer)]))
    assert signed.verify_with_results() == [True, True]
    assert signed.signatures[0].verify(payer.pubkey(), to_bytes_versioned(message))
    with pytest.raises(SignerMissing, match=f"a signature of {authority.pubkey()}"):
        await sign_message(message, dict([signer_of(payer)]))


@pytest.mark.parametrize("answer", [b"", bytes(64), bytes(63)])
async def test_signer_that_answers_something_else_is_named(answer: bytes) -> None:
    payer = Keypair.from_seed(bytes([1]) * 32)
    message = compile_message(Address(bytes(payer.pubkey())), [Instruction(pubkey(KEY), b"", [])], BLOCKHASH)

    async def sign(_: bytes) -> bytes:
        return answer

    with pytest.raises(SignerMissing, match=f"the signer of {payer.pubkey()} did not answer with a signature"):
        await sign_message(message, {Address(bytes(payer.pubkey())): sign})


def test_compute_budget_is_bounded() -> None:
    limit, price = ComputeBudget(200_000, 7).instructions()
    assert bytes(limit.data) == b"\2" + (200_000).to_bytes(4, "little")
    assert bytes(price.data) == b"\3" + (7).to_bytes(8, "little")
    assert len(ComputeBudget(1).instructions()) == 1
    for units in (0, -1, 1_400_001):
        with pytest.raises(ArgumentError, match="compute units"):
            ComputeBudget(units).instructions()
    assert budget_from_simulation(2_000_000).limit_units == 1_400_000
    assert budget_from_simulation(10_000, 3) == ComputeBudget(13_000, 3)
    limits = [budget_for("mint", count).limit_units for count in range(1, 21)]
    assert all(a < b for a, b in pairwise(limits))


def test_token_instructions_are_token_2022s() -> None:
    made = create_token_account(KEY, WALLET, GENESIS)
    assert bytes(made.accounts[1].pubkey) == associated_token_address(WALLET, GENESIS)
    assert bytes(made.data) == b"\1"
    sent = transfer_tokens(source=KEY, mint=GENESIS, destination=WALLET, owner=KEY, amount_raw=5, decimals=8)
    assert bytes(sent.data) == b"\x0c" + (5).to_bytes(8, "little") + b"\x08"
