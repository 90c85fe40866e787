"""Websocket subscriptions that only wake: what a notification says is not used, truth is polled (design, 6.4)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog

from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.rpc import Commitment
from xstocks_daemon.domain.units import Address
from xstocks_daemon.redaction import redact_url

FIRST_RECONNECT_SECS = 0.5
MAX_RECONNECT_SECS = 30.0
CONNECT_SECS = 10.0
HEARTBEAT_SECS = 15.0
MAX_MESSAGE_BYTES = 4 * 1024 * 1024

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A `...Subscribe` call of the websocket API with its parameters."""

    method: str
    params: tuple[Any, ...] = ()


def account_subscription(address: Address, commitment: Commitment = "finalized") -> Subscription:
    """Wakes when the account changes."""
    return Subscription("accountSubscribe", (base58(address), {"commitment": commitment, "encoding": "base64"}))


def program_subscription(program_id: Address, commitment: Commitment = "finalized") -> Subscription:
    """Wakes when any account of the program changes."""
    return Subscription("programSubscribe", (base58(program_id), {"commitment": commitment, "encoding": "base64"}))


def slot_subscription() -> Subscription:
    """Wakes at every slot."""
    return Subscription("slotSubscribe")


class Wakeup:
    """Keeps one websocket with its subscriptions alive; `run` is the task to supervise, `wait` what others call.

    Losing the connection loses nothing but time: everybody who waits has a timeout of his own.
    """

    def __init__(self, url: str, subscriptions: Sequence[Subscription] = ()) -> None:
        self._url = url
        self._fixed = tuple(subscriptions)
        self._watched: list[Subscription] = []
        self._changed = asyncio.Event()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._ids = itertools.count(1)
        self.name = redact_url(url)
        """The endpoint's URL as it may be logged."""

    async def wait(self, timeout_secs: float) -> bool:
        """Wait until something happened (True) or the time is over (False). All who wait are woken."""
        changed = self._changed
        try:
            async with asyncio.timeout(timeout_secs):
                await changed.wait()
        except TimeoutError:
            return False
        return True

    @contextlib.asynccontextmanager
    async def watching(self, signature: str, commitment: Commitment = "finalized") -> AsyncIterator[None]:
        """Also wake when this transaction reaches the commitment, as long as the context lasts, over reconnects too.
        (The server ends a signature subscription by itself once it has notified.)"""
        subscription = Subscription("signatureSubscribe", (signature, {"commitment": commitment}))
        self._watched.append(subscription)
        try:
            await self._subscribe(subscription)
            yield
        finally:
            self._watched.remove(subscription)

    async def run(self) -> None:
        """Connect, subscribe, wake; connect again after a pause that doubles up to MAX_RECONNECT_SECS. Never returns:
        cancel it."""
        pause_secs = FIRST_RECONNECT_SECS
        async with aiohttp.ClientSession(trust_env=False) as session:
            while True:
                try:
                    async with asyncio.timeout(CONNECT_SECS):
                        socket = await session.ws_connect(
                            self._url, heartbeat=HEARTBEAT_SECS, max_msg_size=MAX_MESSAGE_BYTES
                        )
                    try:
                        await self._serve(socket)
                        pause_secs = FIRST_RECONNECT_SECS
                    finally:
                        self._socket = None
                        await socket.close()
                    reason = "closed by the other side"
                except (aiohttp.ClientError, OSError, TimeoutError) as error:
                    # The error's own text may hold the URL with its token: the kind is enough.
                    reason = type(error).__name__
                log.info("websocket_lost", endpoint=self.name, reason=reason, retry_secs=pause_secs)
                # Jitter, so that many daemons do not come back in step.
                await asyncio.sleep(pause_secs * (0.5 + random.random() / 2))  # noqa: S311
                pause_secs = min(MAX_RECONNECT_SECS, pause_secs * 2)

    async def _serve(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        for subscription in (*self._fixed, *self._watched):
            await self._subscribe(subscription)
        self._wake()  # whatever happened while there was no connection was missed
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            try:
                content = json.loads(message.data)
            # RecursionError: brackets nested thousands deep.
            except (ValueError, RecursionError):
                log.warning("websocket_not_json", endpoint=self.name)
                continue
            if not isinstance(content, dict):
                continue
            if "error" in content:
                log.warning("subscription_refused", endpoint=self.name, error=content["error"])
            elif str(content.get("method", "")).endswith("Notification"):
                self._wake()

    async def _subscribe(self, subscription: Subscription) -> None:
        if (socket := self._socket) is None:
            return  # the next connection subscribes
        request = {"jsonrpc": "2.0", "id": next(self._ids), "method": subscription.method}
        # A connection that breaks here is noticed by `run`, which subscribes anew.
        with contextlib.suppress(aiohttp.ClientError, ConnectionError):
            await socket.send_str(json.dumps({**request, "params": list(subscription.params)}))

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
