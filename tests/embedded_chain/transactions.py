"""Short ways to make, send and look at transactions of one payer to one receiver."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from localnet.harness.chains import Chain
from tests.embedded_chain.scenario import SYSTEM_PROGRAM

SOL = 10**9
LAG = 8
"""Slots until a slot is final, on the chain of the tests."""
OWNED = {"lamports": 1, "owner": str(SYSTEM_PROGRAM)}
FEE = 5_000
"""Lamports that one signature costs."""
UPGRADEABLE_LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")
TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
PAYER = Keypair.from_seed(sha256(b"behaviour payer").digest())
RECEIVER = Keypair.from_seed(sha256(b"behaviour receiver").digest()).pubkey()


async def blockhash(chain: Chain, commitment: str = "processed") -> Hash:
    """The latest one at that commitment."""
    latest = await chain.call("getLatestBlockhash", [{"commitment": commitment}])
    return Hash.from_string(latest["value"]["blockhash"])


def pay(lamports: int, to: Pubkey = RECEIVER) -> Instruction:
    """A transfer from the payer."""
    return transfer(TransferParams(from_pubkey=PAYER.pubkey(), to_pubkey=to, lamports=lamports))


def signed(instructions: Sequence[Instruction], recent: Hash, *signers: Keypair) -> VersionedTransaction:
    """A version 0 transaction that the payer pays; `signers` are the others, in the order of the message."""
    message = MessageV0.try_compile(PAYER.pubkey(), list(instructions), [], recent)
    return VersionedTransaction(message, [PAYER, *signers])


async def send(chain: Chain, tx: VersionedTransaction, **options: Any) -> str:
    """Send it, with preflight at `processed` unless `options` say otherwise; gives its signature."""
    wire = base64.b64encode(bytes(tx)).decode()
    return str(
        await chain.call(
            "sendTransaction", [wire, {"encoding": "base64", "preflightCommitment": "processed", **options}]
        )
    )


async def balance(chain: Chain, commitment: str, of: Pubkey = RECEIVER) -> int:
    """Lamports of an account at that commitment."""
    return int((await chain.call("getBalance", [str(of), {"commitment": commitment}]))["value"])


async def status(chain: Chain, signature: str, **options: Any) -> dict[str, Any] | None:
    """The signature's status; None where there is none."""
    answer = await chain.call("getSignatureStatuses", [[signature], options])
    found: dict[str, Any] | None = answer["value"][0]
    return found


async def balances(chain: Chain) -> tuple[int, int, int]:
    """The receiver's lamports: processed, confirmed, finalized."""
    levels = [await balance(chain, level) for level in ("processed", "confirmed", "finalized")]
    return levels[0], levels[1], levels[2]
