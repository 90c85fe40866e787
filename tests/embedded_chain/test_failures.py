"""What lands with an error, what does not land at all, and what each costs."""

from __future__ import annotations

import base64
import struct
from hashlib import sha256
from typing import Any

import pytest
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.signature import Signature
from solders.system_program import (
    AdvanceNonceAccountParams,
    CreateAccountParams,
    InitializeNonceAccountParams,
    advance_nonce_account,
    create_account,
    initialize_nonce_account,
)
from solders.transaction import VersionedTransaction

from localnet.harness.chains import Chain, ChainRpcError
from tests.embedded_chain.scenario import ED25519_PROGRAM, LOOKUP_TABLE_PROGRAM, MEMO_PROGRAM, SYSTEM_PROGRAM
from tests.embedded_chain.transactions import FEE, PAYER, SOL, balance, blockhash, pay, send, signed, status

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_landed_failure_pays_and_is_recorded(chain: Chain) -> None:
    before = await balance(chain, "processed", PAYER.pubkey())
    tx = signed([pay(SOL), pay(10**15)], await blockhash(chain))
    signature = await send(chain, tx, skipPreflight=True)
    found = await status(chain, signature)
    assert found is not None
    assert found["err"] == {"InstructionError": [1, {"Custom": 1}]}
    assert await balance(chain, "processed", PAYER.pubkey()) == before - FEE
    assert await balance(chain, "processed") == 0


async def test_what_cannot_pay_does_not_land(chain: Chain) -> None:
    stranger = Keypair()
    message = MessageV0.try_compile(stranger.pubkey(), [], [], await blockhash(chain))
    signature = await send(chain, VersionedTransaction(message, [stranger]), skipPreflight=True)
    assert await status(chain, signature, searchTransactionHistory=True) is None


async def test_a_forged_signature_does_not_land(chain: Chain) -> None:
    good = signed([pay(SOL)], await blockhash(chain))
    forged = VersionedTransaction.populate(good.message, [Signature(bytes([3] * 64))])
    signature = await send(chain, forged, skipPreflight=True)
    assert await status(chain, signature) is None
    assert await balance(chain, "processed") == 0
    await send(chain, good)
    assert await balance(chain, "processed") == SOL


async def test_a_transaction_locks_64_accounts_at_most(chain: Chain) -> None:
    table = Keypair().pubkey()
    entries = [Keypair().pubkey() for _ in range(63)]
    # Lookup table: tag 1, not deactivated, extended in slot 0, authority none; addresses from byte 56.
    head = struct.pack("<IQQBB", 1, 2**64 - 1, 0, 0, 0).ljust(56, b"\0")
    content = base64.b64encode(head + b"".join(map(bytes, entries))).decode()
    account = {"lamports": SOL, "owner": str(LOOKUP_TABLE_PROGRAM), "data": [content, "base64"]}
    await chain.call("localnet_setAccount", [str(table), account])
    await chain.advance_slots(1)
    recent = await blockhash(chain)

    async def simulated_err(count: int) -> Any:
        """With the payer and the program, `count` accounts."""
        metas = [AccountMeta(entry, False, False) for entry in entries[: count - 2]]
        lookups = [AddressLookupTableAccount(table, entries)]
        message = MessageV0.try_compile(PAYER.pubkey(), [Instruction(MEMO_PROGRAM, b"", metas)], lookups, recent)
        wire = base64.b64encode(bytes(VersionedTransaction(message, [PAYER]))).decode()
        options = {"encoding": "base64", "commitment": "processed"}
        return (await chain.call("simulateTransaction", [wire, options]))["value"]["err"]

    assert await simulated_err(64) is None
    assert await simulated_err(65) == "TooManyAccountLocks"


async def test_a_failed_nonce_transaction_uses_the_nonce_up(chain: Chain) -> None:
    nonce = Keypair()
    make = create_account(
        CreateAccountParams(
            from_pubkey=PAYER.pubkey(), to_pubkey=nonce.pubkey(), lamports=SOL, space=80, owner=SYSTEM_PROGRAM
        )
    )
    set_up = initialize_nonce_account(
        InitializeNonceAccountParams(nonce_pubkey=nonce.pubkey(), authority=PAYER.pubkey())
    )
    await send(chain, signed([make, set_up], await blockhash(chain), nonce))
    await chain.advance_slots(1)

    async def stored() -> Hash:
        found = await chain.call(
            "getAccountInfo", [str(nonce.pubkey()), {"encoding": "base64", "commitment": "processed"}]
        )
        return Hash(base64.b64decode(found["value"]["data"][0])[40:72])

    advance = advance_nonce_account(
        AdvanceNonceAccountParams(nonce_pubkey=nonce.pubkey(), authorized_pubkey=PAYER.pubkey())
    )
    first = await stored()
    failing = signed([advance, pay(10**15)], first)
    signature = await send(chain, failing, skipPreflight=True)
    found = await status(chain, signature)
    assert found is not None
    assert found["err"] == {"InstructionError": [1, {"Custom": 1}]}
    second = await stored()
    assert second != first
    with pytest.raises(ChainRpcError) as refusal:
        await send(chain, signed([advance, pay(SOL)], first))
    assert refusal.value.data["err"] == "BlockhashNotFound"
    await chain.advance_slots(200)
    await send(chain, signed([advance, pay(SOL)], second))
    assert await balance(chain, "processed") == SOL


def ed25519(message: bytes, key: Keypair, signature: bytes) -> Instruction:
    """One signature; key, signature and message inside the instruction itself."""
    offsets = struct.pack("<7H", 48, 0xFFFF, 16, 0xFFFF, 112, len(message), 0xFFFF)
    return Instruction(ED25519_PROGRAM, b"\1\0" + offsets + bytes(key.pubkey()) + signature + message, [])


async def test_ed25519_precompile(chain: Chain) -> None:
    message = sha256(b"a statement").digest()
    good = bytes(PAYER.sign_message(message))
    before = await balance(chain, "processed", PAYER.pubkey())
    await send(chain, signed([ed25519(message, PAYER, good), pay(SOL)], await blockhash(chain)))
    # The precompile's signature is paid for too.
    assert await balance(chain, "processed", PAYER.pubkey()) == before - SOL - 2 * FEE
    bad = bytes([good[0] ^ 1]) + good[1:]
    with pytest.raises(ChainRpcError) as refusal:
        await send(chain, signed([ed25519(message, PAYER, bad), pay(SOL)], await blockhash(chain)))
    ((kind, (index, _)),) = refusal.value.data["err"].items()
    assert (kind, index) == ("InstructionError", 0)
    assert await balance(chain, "processed") == SOL
