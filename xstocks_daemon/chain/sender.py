"""Signing once and sending the same bytes until they land or never can (design, section 6.3).

The caller records between `sign_attempt` and `broadcast`: nothing is sent that is not in the journal (M11). What
`broadcast` returns is what nodes said; for money, chain.resolver decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import Instruction
from solders.signature import Signature

from xstocks_daemon.chain.errors import ChainError, RpcError
from xstocks_daemon.chain.program import ProgramClient
from xstocks_daemon.chain.rpc import Commitment, LandedTransaction, RpcEndpoint, RpcPool, SignatureStatus
from xstocks_daemon.chain.tasks import gather_all
from xstocks_daemon.chain.transactions import (
    ComputeBudget,
    Signers,
    budget_from_simulation,
    compile_message,
    sign_message,
    unsigned_transaction,
)
from xstocks_daemon.domain.intent import Intent
from xstocks_daemon.domain.units import Address

POLL_SECS = 0.5
RESEND_SECS = 2.0
_NO_BLOCKHASH = bytes(32)
_RANK = {"processed": 0, "confirmed": 1, "finalized": 2}

log = structlog.get_logger(__name__)

Wait = Callable[[float], Awaitable[object]]
"""Waits for so many seconds, or less where something happened (asyncio.sleep, Wakeup.wait)."""


class AttemptExpired(ChainError):
    """A transaction that is of no money did not land while its blockhash was valid."""


@dataclass(frozen=True, slots=True)
class SignedAttempt:
    """One signed transaction and the intents it carries: what the journal keeps, and all that sending needs."""

    signature: bytes
    transaction: bytes
    blockhash: bytes
    last_valid_block_height: int
    intents: tuple[Intent, ...] = ()

    @property
    def signature_text(self) -> str:
        """The signature in base58, as RPC wants it."""
        return str(Signature.from_bytes(self.signature))


@dataclass(frozen=True, slots=True)
class Seen:
    """A node has the transaction at the commitment that was waited for. `err` is None where it succeeded."""

    slot: int
    err: Any
    endpoint: RpcEndpoint


@dataclass(frozen=True, slots=True)
class WindowPassed:
    """No node has it, and the finalized block height is past the last one at which it may execute. The height came
    from nodes: only the resolver's proof makes the attempt dead."""

    block_height: int


async def sign_attempt(
    pool: RpcPool,
    *,
    payer: Address,
    instructions: Sequence[Instruction],
    signers: Signers,
    tables: Sequence[AddressLookupTableAccount] = (),
    budget: ComputeBudget | None = None,
    intents: Sequence[Intent] = (),
) -> SignedAttempt:
    """Fetch a blockhash (confirmed) and sign. Nothing is sent.

    Raises TransactionTooLarge, DurableNonceRefused, SignerMissing, RpcError, and what a signer raises.
    """
    latest = await pool.first(lambda endpoint: endpoint.latest_blockhash("confirmed"))
    head = [] if budget is None else budget.instructions()
    transaction = await sign_message(compile_message(payer, [*head, *instructions], latest.blockhash, tables), signers)
    return SignedAttempt(
        signature=bytes(transaction.signatures[0]),
        transaction=bytes(transaction),
        blockhash=latest.blockhash,
        last_valid_block_height=latest.last_valid_block_height,
        intents=tuple(intents),
    )


async def simulate(
    pool: RpcPool,
    client: ProgramClient,
    *,
    payer: Address,
    instructions: Sequence[Instruction],
    tables: Sequence[AddressLookupTableAccount] = (),
    budget: ComputeBudget | None = None,
) -> ComputeBudget:
    """Run it at a node without signatures; gives the compute budget that it needs.

    Raises the named error it fails with (ProgramError has the failing entry's index where the log tells it),
    TransactionTooLarge, RpcError.
    """
    head = [] if budget is None else budget.instructions()
    message = compile_message(payer, [*head, *instructions], _NO_BLOCKHASH, tables)
    outcome = await pool.first(lambda endpoint: endpoint.simulate(unsigned_transaction(message)))
    if outcome.err is not None:
        raise client.failure(outcome.err, outcome.logs)
    price = 0 if budget is None else budget.price_micro_lamports
    return budget_from_simulation(outcome.units_consumed, price)


async def broadcast(
    pool: RpcPool,
    attempt: SignedAttempt,
    *,
    commitment: Commitment = "finalized",
    wait: Wait = asyncio.sleep,
    poll_secs: float = POLL_SECS,
    resend_secs: float = RESEND_SECS,
) -> Seen | WindowPassed:
    """Send the same bytes to every endpoint, again and again, until a node has the transaction at `commitment` or its
    window has passed by finalized height. Endpoints that fail are passed over; with none left it goes on trying, so
    the caller may cancel it at any time: the attempt stays what it is.
    """
    clock = asyncio.get_running_loop().time
    resend_at = clock()
    while True:
        if clock() >= resend_at:
            refusals = await pool.send_everywhere(attempt.transaction)
            for refusal in filter(None, refusals):
                log.debug("send_refused", signature=attempt.signature_text, endpoint=refusal.url, reason=refusal.reason)
            resend_at = clock() + resend_secs
        statuses = await _statuses(pool, attempt, search_history=False)
        if (seen := _best(statuses, commitment)) is not None:
            return seen
        if not statuses and (height := await _finalized_height(pool)) > attempt.last_valid_block_height:
            # Ask again before saying so: it may have landed between the two questions, or left the status cache.
            if (seen := _best(await _statuses(pool, attempt, search_history=True), commitment)) is not None:
                return seen
            return WindowPassed(height)
        await wait(poll_secs)


async def send_and_confirm(
    pool: RpcPool,
    client: ProgramClient,
    *,
    payer: Address,
    instructions: Sequence[Instruction],
    signers: Signers,
    tables: Sequence[AddressLookupTableAccount] = (),
    budget: ComputeBudget | None = None,
    commitment: Commitment = "confirmed",
    wait: Wait = asyncio.sleep,
) -> Seen:
    """Sign, send, wait: for transactions that carry no intents (administration, lookup tables, statements).

    Raises the named error of a transaction that failed, AttemptExpired where it did not land.
    """
    attempt = await sign_attempt(
        pool, payer=payer, instructions=instructions, signers=signers, tables=tables, budget=budget
    )
    outcome = await broadcast(pool, attempt, commitment=commitment, wait=wait)
    if isinstance(outcome, WindowPassed):
        raise AttemptExpired(
            f"transaction {attempt.signature_text} did not land before block height {attempt.last_valid_block_height}: "
            "check the fee payer's balance and the endpoints, then try again"
        )
    if outcome.err is not None:
        landed = await landed_transaction(outcome.endpoint, attempt.signature_text)
        raise client.failure(outcome.err, landed.logs if landed else ())
    return outcome


async def landed_transaction(endpoint: RpcEndpoint, signature: str) -> LandedTransaction | None:
    """A transaction with its log, for messages only; None where the node does not give it (or not yet)."""
    try:
        return await endpoint.transaction(signature)
    except RpcError as error:
        log.debug("transaction_not_read", signature=signature, endpoint=error.url, reason=error.reason)
        return None


async def _statuses(
    pool: RpcPool, attempt: SignedAttempt, *, search_history: bool
) -> list[tuple[RpcEndpoint, SignatureStatus]]:
    """What those endpoints say that know the signature."""

    async def one(endpoint: RpcEndpoint) -> tuple[RpcEndpoint, SignatureStatus] | None:
        try:
            answer = await endpoint.signature_statuses([attempt.signature_text], search_history=search_history)
        except RpcError as error:
            log.debug("status_not_read", endpoint=error.url, reason=error.reason)
            return None
        return None if answer.value[0] is None else (endpoint, answer.value[0])

    return [each for each in await gather_all(one(endpoint) for endpoint in pool.endpoints) if each is not None]


def _best(statuses: Sequence[tuple[RpcEndpoint, SignatureStatus]], commitment: Commitment) -> Seen | None:
    for endpoint, status in statuses:
        if _RANK[status.confirmation] >= _RANK[commitment]:
            return Seen(status.slot, status.err, endpoint)
    return None


async def _finalized_height(pool: RpcPool) -> int:
    """The finalized block height by the first endpoint that answers, 0 where none does."""
    try:
        return (await pool.first(lambda endpoint: endpoint.epoch_info("finalized"))).block_height
    except RpcError as error:
        log.debug("height_not_read", endpoint=error.url, reason=error.reason)
        return 0
