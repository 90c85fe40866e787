"""Sends set-up and scenario transactions and waits until they are confirmed.

For keys that act once, by hand. The daemon does not use it: what it sends goes through its journal.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.transaction import VersionedTransaction

from localnet.harness.wait import NotReached
from xstocks_daemon.aio import gather_all
from xstocks_daemon.chain.errors import RpcRefused
from xstocks_daemon.chain.rpc import MAX_SIGNATURES_PER_CALL, LandedTransaction, RpcEndpoint
from xstocks_daemon.chain.transactions import compile_message
from xstocks_daemon.domain.units import Address

_SENDERS = 16
_POLL_SECS = 0.1
_RESEND_SECS = 1.0
_CONFIRM_SECS = 300.0
_CONFIRMED = ("confirmed", "finalized")


@dataclass(frozen=True, slots=True)
class Job:
    """One transaction to be: `signers[0]` pays. `label` says in an error what it was for."""

    label: str
    instructions: Sequence[Instruction]
    signers: Sequence[Keypair]
    tables: Sequence[AddressLookupTableAccount] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """A transaction on the chain. `err` is None where it succeeded."""

    signature: str
    slot: int
    err: Any


class TransactionRefused(Exception):
    """A transaction that the chain executed with an error. `landed` has its logs."""

    def __init__(self, label: str, signature: str, landed: LandedTransaction | None) -> None:
        logs = " | ".join(landed.logs[-6:]) if landed else "no logs"
        super().__init__(f"{label}: {landed.err if landed else 'failed'}: {logs} ({signature})")
        self.landed = landed


async def submit(rpc: RpcEndpoint, jobs: Iterable[Job]) -> list[Receipt]:
    """Send all jobs, in no certain order, and wait until each is confirmed, with whatever outcome.

    What a node drops is sent again; what has expired at finalized, so can never execute, is signed anew.
    Raises NotReached where one is not confirmed within five minutes, RpcError where the chain cannot be asked.
    """
    pending = list(jobs)
    receipts: dict[int, Receipt] = {}
    try:
        async with asyncio.timeout(_CONFIRM_SECS):
            while len(receipts) < len(pending):
                missing = [index for index in range(len(pending)) if index not in receipts]
                found = await _round(rpc, [pending[index] for index in missing])
                receipts |= {missing[position]: receipt for position, receipt in found.items()}
    except TimeoutError:
        labels = [job.label for index, job in enumerate(pending) if index not in receipts]
        raise NotReached(f"{labels[0]}: not confirmed within {_CONFIRM_SECS:g} s") from None
    return [receipts[index] for index in range(len(pending))]


async def submit_ok(rpc: RpcEndpoint, jobs: Iterable[Job]) -> list[Receipt]:
    """As `submit`, and raises TransactionRefused with its logs where one failed."""
    pending = list(jobs)
    receipts = await submit(rpc, pending)
    for job, receipt in zip(pending, receipts, strict=True):
        if receipt.err is not None:
            raise TransactionRefused(job.label, receipt.signature, await rpc.transaction(receipt.signature))
    return receipts


def _signed(job: Job, blockhash: bytes) -> VersionedTransaction:
    payer = Address(bytes(job.signers[0].pubkey()))
    message = compile_message(payer, job.instructions, blockhash, job.tables)
    return VersionedTransaction(message, list(job.signers))


async def _round(rpc: RpcEndpoint, jobs: Sequence[Job]) -> dict[int, Receipt]:
    """Sign with one blockhash, send until confirmed or expired; gives the receipts by position."""
    latest = await rpc.latest_blockhash()
    signed = {str(each.signatures[0]): bytes(each) for each in (_signed(job, latest.blockhash) for job in jobs)}
    if len(signed) != len(jobs):
        # They would be one transaction to the chain, and the second would wait for nothing.
        raise ValueError("two jobs are the same transaction; submit them one after the other")
    order = list(signed)
    found: dict[str, Receipt] = {}
    send_at = 0.0
    clock = asyncio.get_running_loop().time
    while missing := [signature for signature in order if signature not in found]:
        if clock() >= send_at:
            # Asked before the statuses: what is missing below this height can never land.
            height = (await rpc.epoch_info()).block_height
            await _send([signed[signature] for signature in missing], rpc)
            send_at = clock() + _RESEND_SECS
        found |= await _statuses(rpc, missing)
        if height > latest.last_valid_block_height:
            break
        if len(found) < len(order):
            await asyncio.sleep(_POLL_SECS)
    return {order.index(signature): receipt for signature, receipt in found.items()}


async def _send(transactions: Sequence[bytes], rpc: RpcEndpoint) -> None:
    room = asyncio.Semaphore(_SENDERS)

    async def one(transaction: bytes) -> None:
        async with room:
            # A node may refuse what it has already executed, or what has just expired: the status decides.
            with contextlib.suppress(RpcRefused):
                await rpc.send(transaction, skip_preflight=True)

    await gather_all(one(transaction) for transaction in transactions)


async def _statuses(rpc: RpcEndpoint, signatures: Sequence[str]) -> dict[str, Receipt]:
    found: dict[str, Receipt] = {}
    for start in range(0, len(signatures), MAX_SIGNATURES_PER_CALL):
        chunk = signatures[start : start + MAX_SIGNATURES_PER_CALL]
        statuses = await rpc.signature_statuses(chunk, search_history=True)
        for signature, status in zip(chunk, statuses.value, strict=True):
            if status is not None and status.confirmation in _CONFIRMED:
                found[signature] = Receipt(signature, status.slot, status.err)
    return found
