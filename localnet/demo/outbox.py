"""Sends set-up and scenario transactions and waits until they are confirmed.

For keys that act once, by hand. The daemon does not use it: what it sends goes through its journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.transaction import VersionedTransaction

from xstocks_daemon.chain.rpc import MAX_SIGNATURES_PER_CALL, LandedTransaction, RpcEndpoint
from xstocks_daemon.chain.transactions import compile_message
from xstocks_daemon.domain.units import Address

_SENDERS = 16
_POLL_SECS = 0.1
_CONFIRM_SECS = 120.0
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

    Raises TimeoutError where one is not confirmed within two minutes, RpcError where the chain cannot be asked.
    """
    pending = list(jobs)
    if not pending:
        return []
    # Duplicates would be one transaction to the chain, and the second would wait for nothing.
    async with asyncio.timeout(_CONFIRM_SECS):
        blockhash = await rpc.latest_blockhash()
        room = asyncio.Semaphore(_SENDERS)
        signed = [_signed(job, blockhash.blockhash) for job in pending]
        if len({transaction.signatures[0] for transaction in signed}) != len(signed):
            raise ValueError("two jobs are the same transaction; submit them one after the other")

        async def send(transaction: VersionedTransaction) -> str:
            async with room:
                return await rpc.send(bytes(transaction), skip_preflight=True)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(send(transaction)) for transaction in signed]
        return await _confirmed(rpc, [task.result() for task in tasks])


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


async def _confirmed(rpc: RpcEndpoint, signatures: Sequence[str]) -> list[Receipt]:
    found: dict[str, Receipt] = {}
    while missing := [signature for signature in signatures if signature not in found]:
        for start in range(0, len(missing), MAX_SIGNATURES_PER_CALL):
            chunk = missing[start : start + MAX_SIGNATURES_PER_CALL]
            statuses = await rpc.signature_statuses(chunk, search_history=False)
            for signature, status in zip(chunk, statuses.value, strict=True):
                if status is not None and status.confirmation in _CONFIRMED:
                    found[signature] = Receipt(signature, status.slot, status.err)
        if len(found) < len(signatures):
            await asyncio.sleep(_POLL_SECS)
    return [found[signature] for signature in signatures]
