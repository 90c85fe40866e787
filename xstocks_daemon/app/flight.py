"""Transactions on their way: the same bytes sent to every endpoint until a node has them or their window has passed.

One question a round asks for the fate of all of them, so that fifty batches in flight cost no more calls than one.
What comes out is what nodes said; for money, chain.resolver decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

from xstocks_daemon.app.logging import get_logger
from xstocks_daemon.chain.errors import RpcError
from xstocks_daemon.chain.rpc import MAX_SIGNATURES_PER_CALL, Commitment, RpcEndpoint, RpcPool
from xstocks_daemon.chain.sender import Seen, SignedAttempt, WindowPassed
from xstocks_daemon.chain.tasks import gather_all

log = get_logger("flight")

RESEND_SECS = 2.0
SENDS_AT_ONCE = 8
_RANK = {"processed": 0, "confirmed": 1, "finalized": 2}

Fate = tuple[SignedAttempt, Seen | WindowPassed]


def _nothing() -> None:
    """No hook."""


async def fly(
    pool: RpcPool,
    attempts: Sequence[SignedAttempt],
    *,
    commitment: Commitment,
    patience_secs: float,
    poll_secs: float,
    sent: Callable[[], None] = _nothing,
    waiting: Callable[[], None] = _nothing,
) -> AsyncIterator[list[Fate]]:
    """Send all, and give their outcomes as they become known, those of one round together.

    Those of which nothing is known after `patience_secs` are not given: they stay what they are. `sent` is called
    after the first sending, `waiting` before each later round. Endpoints that fail are passed over.
    """
    clock = asyncio.get_running_loop().time
    give_up_at = clock() + patience_secs
    flying = {attempt.signature_text: attempt for attempt in attempts}
    if not flying:
        return
    await _send(pool, attempts)
    resend_at = clock() + RESEND_SECS
    sent()
    while True:
        known = await _look(pool, list(flying), search_history=False)
        fates: list[Fate] = [
            (flying[signature], seen[0]) for signature, seen in known.items() if _reached(seen, commitment)
        ]
        unseen = [attempt for signature, attempt in flying.items() if signature not in known]
        fates += await _passed(pool, unseen, commitment)
        for attempt, _ in fates:
            del flying[attempt.signature_text]
        if fates:
            yield fates
        if not flying or clock() >= give_up_at:
            return
        waiting()
        await asyncio.sleep(poll_secs)
        if clock() >= resend_at:
            await _send(pool, [attempt for attempt in unseen if attempt.signature_text in flying])
            resend_at = clock() + RESEND_SECS


async def _send(pool: RpcPool, attempts: Sequence[SignedAttempt]) -> None:
    gate = asyncio.Semaphore(SENDS_AT_ONCE)

    async def one(attempt: SignedAttempt) -> None:
        async with gate:
            refusals = await pool.send_everywhere(attempt.transaction)
        for refusal in filter(None, refusals):
            log.debug("send_refused", signature=attempt.signature_text, endpoint=refusal.url, reason=refusal.reason)

    await gather_all(one(attempt) for attempt in attempts)


Known = tuple[Seen, Commitment]


def _reached(known: Known, commitment: Commitment) -> bool:
    return _RANK[known[1]] >= _RANK[commitment]


async def _look(pool: RpcPool, signatures: Sequence[str], *, search_history: bool) -> dict[str, Known]:
    """Per signature that any endpoint knows, the furthest it has come."""

    async def ask(endpoint: RpcEndpoint) -> dict[str, Known]:
        found: dict[str, Known] = {}
        for start in range(0, len(signatures), MAX_SIGNATURES_PER_CALL):
            part = signatures[start : start + MAX_SIGNATURES_PER_CALL]
            try:
                answer = await endpoint.signature_statuses(part, search_history=search_history)
            except RpcError as error:
                log.debug("status_not_read", endpoint=error.url, reason=error.reason)
                return found
            for signature, status in zip(part, answer.value, strict=True):
                if status is not None:
                    found[signature] = Seen(status.slot, status.err, endpoint), status.confirmation
        return found

    best: dict[str, Known] = {}
    for found in await gather_all(ask(endpoint) for endpoint in pool.endpoints):
        for signature, known in found.items():
            if signature not in best or _RANK[known[1]] > _RANK[best[signature][1]]:
                best[signature] = known
    return best


async def _passed(pool: RpcPool, unseen: Sequence[SignedAttempt], commitment: Commitment) -> list[Fate]:
    """Those that no endpoint has and whose window has passed, by the finalized height of the first that answers."""
    if not unseen:
        return []
    try:
        height = (await pool.first(lambda endpoint: endpoint.epoch_info("finalized"))).block_height
    except RpcError as error:
        log.debug("height_not_read", endpoint=error.url, reason=error.reason)
        return []
    late = [attempt for attempt in unseen if height > attempt.last_valid_block_height]
    if not late:
        return []
    # Ask again before saying so: it may have landed between the two questions, or left the status cache.
    known = await _look(pool, [attempt.signature_text for attempt in late], search_history=True)
    fates: list[Fate] = []
    for attempt in late:
        seen = known.get(attempt.signature_text)
        if seen is None:
            fates.append((attempt, WindowPassed(height)))
        elif _reached(seen, commitment):
            fates.append((attempt, seen[0]))
    return fates
