"""Signing once and sending the same bytes until they land or never can (design, section 6.3).

The caller records between `sign_attempt` and `send_until_resolved`: nothing is sent that is not in the journal (M11).
What `send_until_resolved` gives is what nodes said; for money, chain.resolver decides.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import Instruction
from solders.signature import Signature

from xstocks_daemon.aio import gather_all
from xstocks_daemon.chain.errors import ChainError, RpcError, RpcRefused
from xstocks_daemon.chain.program import ProgramClient
from xstocks_daemon.chain.rpc import MAX_SIGNATURES_PER_CALL, Commitment, LandedTransaction, RpcEndpoint, RpcPool
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
SENDS_AT_ONCE = 8
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """An attempt and what nodes say became of it."""

    attempt: SignedAttempt
    said: Seen | WindowPassed


@dataclass(frozen=True, slots=True)
class FirstSent:
    """Every attempt was sent to every endpoint once."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Some attempts are unresolved; after a pause they are asked for again, and sent again."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The outcomes that became known in one round, at least one."""

    outcomes: tuple[Outcome, ...]


SendEvent = FirstSent | Waiting | Resolved


@dataclass(frozen=True, slots=True)
class _Known:
    """What an endpoint knows of a transaction, and how far it has come there."""

    seen: Seen
    confirmation: Commitment

    def reached(self, commitment: Commitment) -> bool:
        """Whether it has come at least as far as `commitment`."""
        return _RANK[self.confirmation] >= _RANK[commitment]


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


async def send_until_resolved(
    pool: RpcPool,
    attempts: Sequence[SignedAttempt],
    *,
    commitment: Commitment,
    confirmation_timeout_secs: float | None,
    poll_secs: float = POLL_SECS,
    resend_secs: float = RESEND_SECS,
    wait: Wait = asyncio.sleep,
) -> AsyncGenerator[SendEvent, None]:
    """Send all, the same bytes to every endpoint again and again, and give what happens: FirstSent, then round by
    round the outcomes that became known, and Waiting before each later round. One question a round asks for all of
    them, so fifty in flight cost no more calls than one.

    Those of which nothing is known after `confirmation_timeout_secs` (None: for ever) are not given: they stay what
    they are, as all do where the caller cancels. Endpoints that fail are passed over.
    """
    clock = asyncio.get_running_loop().time
    give_up_at = None if confirmation_timeout_secs is None else clock() + confirmation_timeout_secs
    unresolved = {attempt.signature_text: attempt for attempt in attempts}
    if not unresolved:
        return
    await _send(pool, attempts)
    resend_at = clock() + resend_secs
    yield FirstSent()
    while True:
        known = await _look(pool.endpoints, list(unresolved), search_history=False)
        outcomes = [
            Outcome(unresolved[signature], each.seen) for signature, each in known.items() if each.reached(commitment)
        ]
        unseen = [attempt for signature, attempt in unresolved.items() if signature not in known]
        outcomes += await _passed(pool, unseen, commitment)
        for outcome in outcomes:
            del unresolved[outcome.attempt.signature_text]
        if outcomes:
            yield Resolved(tuple(outcomes))
        if not unresolved or (give_up_at is not None and clock() >= give_up_at):
            return
        yield Waiting()
        await wait(poll_secs)
        if clock() >= resend_at:
            await _send(pool, [attempt for attempt in unseen if attempt.signature_text in unresolved])
            resend_at = clock() + resend_secs


async def broadcast(
    pool: RpcPool,
    attempt: SignedAttempt,
    *,
    commitment: Commitment = "finalized",
    poll_secs: float = POLL_SECS,
    resend_secs: float = RESEND_SECS,
    wait: Wait = asyncio.sleep,
) -> Seen | WindowPassed:
    """`send_until_resolved` for one attempt, until its outcome is known."""
    events = send_until_resolved(
        pool,
        [attempt],
        commitment=commitment,
        confirmation_timeout_secs=None,
        poll_secs=poll_secs,
        resend_secs=resend_secs,
        wait=wait,
    )
    async with contextlib.aclosing(events):
        async for event in events:
            if isinstance(event, Resolved):
                return event.outcomes[0].said
    raise AssertionError("without a time limit it ends with an outcome")


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
    return await confirm_attempt(pool, client, attempt, commitment=commitment, wait=wait)


async def confirm_attempt(
    pool: RpcPool,
    client: ProgramClient,
    attempt: SignedAttempt,
    *,
    commitment: Commitment = "confirmed",
    wait: Wait = asyncio.sleep,
) -> Seen:
    """The second half of `send_and_confirm`, for those who show the signature before anything is sent."""
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


async def _send(pool: RpcPool, attempts: Sequence[SignedAttempt]) -> None:
    gate = asyncio.Semaphore(SENDS_AT_ONCE)

    async def one(attempt: SignedAttempt) -> None:
        async with gate:
            refusals = await pool.send_everywhere(attempt.transaction)
        for refusal in filter(None, refusals):
            log.debug("send_refused", signature=attempt.signature_text, endpoint=refusal.url, reason=refusal.reason)

    await gather_all(one(attempt) for attempt in attempts)


async def _ask(endpoint: RpcEndpoint, signatures: Sequence[str], *, search_history: bool) -> dict[str, _Known]:
    """What one endpoint knows, by signature. Raises RpcError."""
    found: dict[str, _Known] = {}
    for start in range(0, len(signatures), MAX_SIGNATURES_PER_CALL):
        part = signatures[start : start + MAX_SIGNATURES_PER_CALL]
        answer = await endpoint.signature_statuses(part, search_history=search_history)
        for signature, status in zip(part, answer.value, strict=True):
            if status is not None:
                found[signature] = _Known(Seen(status.slot, status.err, endpoint), status.confirmation)
    return found


async def _look(
    endpoints: Sequence[RpcEndpoint], signatures: Sequence[str], *, search_history: bool
) -> dict[str, _Known]:
    """Per signature that any endpoint knows, the furthest it has come."""

    async def ask(endpoint: RpcEndpoint) -> dict[str, _Known]:
        try:
            return await _ask(endpoint, signatures, search_history=search_history)
        except RpcError as error:
            log.debug("status_not_read", endpoint=error.url, reason=error.reason)
            return {}

    return _furthest(await gather_all(ask(endpoint) for endpoint in endpoints))


def _furthest(answers: Iterable[Mapping[str, _Known]]) -> dict[str, _Known]:
    best: dict[str, _Known] = {}
    for found in answers:
        for signature, known in found.items():
            if signature not in best or not best[signature].reached(known.confirmation):
                best[signature] = known
    return best


async def _passed(pool: RpcPool, unseen: Sequence[SignedAttempt], commitment: Commitment) -> list[Outcome]:
    """Those that no endpoint has and whose window has passed, by the finalized height of one that was then asked for
    them: another one's silence says nothing, it may lag behind."""
    for endpoint in pool.endpoints if unseen else ():
        try:
            height = (await endpoint.epoch_info("finalized")).block_height
            late = [attempt for attempt in unseen if height > attempt.last_valid_block_height]
            if not late:
                return []
            # Ask again before saying so: it may have landed between the two questions, or left the status cache.
            signatures = [attempt.signature_text for attempt in late]
            try:
                known = await _ask(endpoint, signatures, search_history=True)
            except RpcRefused:
                # It keeps no history; its status cache outlasts the window.
                known = await _ask(endpoint, signatures, search_history=False)
        except RpcError as error:
            log.debug("window_not_read", endpoint=error.url, reason=error.reason)
            continue
        others = [each for each in pool.endpoints if each is not endpoint]
        known = _furthest([known, await _look(others, signatures, search_history=True)])
        outcomes: list[Outcome] = []
        for attempt in late:
            found = known.get(attempt.signature_text)
            if found is None:
                outcomes.append(Outcome(attempt, WindowPassed(height)))
            elif found.reached(commitment):
                outcomes.append(Outcome(attempt, found.seen))
        return outcomes
    return []
