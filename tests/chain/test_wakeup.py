"""Websockets wake, reconnect, and say nothing that is believed."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.chain.cases import KEY, MINT
from xstocks_daemon.chain import wakeup
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.wakeup import Wakeup, account_subscription, program_subscription, slot_subscription

PATIENCE_SECS = 10


class PushNode:
    """A websocket server that keeps what was subscribed and pushes what it is told."""

    def __init__(self) -> None:
        self.sockets: list[web.WebSocketResponse] = []
        self.subscribed: list[dict[str, Any]] = []
        self.news = asyncio.Condition()

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async with self.news:
            self.sockets.append(socket)
            self.news.notify_all()
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                async with self.news:
                    self.subscribed.append(json.loads(message.data))
                    self.news.notify_all()
        return socket

    async def until(self, subscriptions: int, connections: int = 1) -> None:
        async with asyncio.timeout(PATIENCE_SECS), self.news:
            await self.news.wait_for(lambda: len(self.subscribed) >= subscriptions and len(self.sockets) >= connections)


@pytest.fixture
async def node() -> AsyncIterator[tuple[PushNode, str]]:
    pushing = PushNode()
    app = web.Application()
    app.router.add_get("/", pushing.handle)
    async with TestServer(app) as server:
        yield pushing, str(server.make_url("/")).replace("http", "ws")


@contextlib.asynccontextmanager
async def running(subject: Wakeup) -> AsyncIterator[None]:
    task = asyncio.create_task(subject.run())
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def notification(method: str = "accountNotification") -> str:
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": {"result": {}, "subscription": 1}})


async def connected(subject: Wakeup) -> None:
    """Every connection wakes once: what happened before it was missed."""
    assert await subject.wait(PATIENCE_SECS)


async def test_subscribes_and_wakes_everybody_who_waits(node: tuple[PushNode, str]) -> None:
    pushing, url = node
    subject = Wakeup(url, [account_subscription(KEY), program_subscription(MINT), slot_subscription()])
    waiting = asyncio.create_task(connected(subject))
    async with running(subject):
        await pushing.until(3)
        await waiting
        assert [(each["method"], each["params"]) for each in pushing.subscribed] == [
            ("accountSubscribe", [base58(KEY), {"commitment": "finalized", "encoding": "base64"}]),
            ("programSubscribe", [base58(MINT), {"commitment": "finalized", "encoding": "base64"}]),
            ("slotSubscribe", []),
        ]
        waiters = [asyncio.create_task(subject.wait(PATIENCE_SECS)) for _ in range(3)]
        await asyncio.sleep(0)
        await pushing.sockets[0].send_str(notification())
        assert await asyncio.gather(*waiters) == [True, True, True]


class Counting(Wakeup):
    wakes = 0

    def _wake(self) -> None:
        self.wakes += 1
        super()._wake()


async def test_what_is_no_notification_does_not_wake(node: tuple[PushNode, str]) -> None:
    pushing, url = node
    subject = Counting(url, [slot_subscription()])
    waiting = asyncio.create_task(connected(subject))
    async with running(subject):
        await waiting
        woken = asyncio.create_task(subject.wait(PATIENCE_SECS))
        await asyncio.sleep(0)
        for text in (
            "not json",
            "[" * 200_000,
            "[]",
            '{"id":1,"result":5}',
            '{"id":1,"error":{"code":-32601,"message":"no"}}',
        ):
            await pushing.sockets[0].send_str(text)
        await pushing.sockets[0].send_bytes(b"binary")
        await pushing.sockets[0].send_str(notification("slotNotification"))
        assert await woken
        # Messages come in order: by now all were read, and only the connection and the last one woke.
        assert subject.wakes == 2


async def test_time_over_is_said(node: tuple[PushNode, str]) -> None:
    assert await Wakeup(node[1]).wait(0) is False


async def test_reconnects_subscribes_again_and_wakes(
    node: tuple[PushNode, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeup, "FIRST_RECONNECT_SECS", 0.0)
    pushing, url = node
    subject = Wakeup(url, [slot_subscription()])
    waiting = asyncio.create_task(connected(subject))
    async with running(subject):
        await waiting
        async with subject.watching("signature one", "confirmed"):
            await pushing.until(2)
            woken = asyncio.create_task(subject.wait(PATIENCE_SECS))
            await asyncio.sleep(0)
            await pushing.sockets[0].close()
            assert await woken
            await pushing.until(4, connections=2)
        assert [each["method"] for each in pushing.subscribed] == ["slotSubscribe", "signatureSubscribe"] * 2
        assert pushing.subscribed[1]["params"] == ["signature one", {"commitment": "confirmed"}]
        await pushing.sockets[1].close()
        await pushing.until(5, connections=3)
        assert [each["method"] for each in pushing.subscribed[4:]] == ["slotSubscribe"]


async def test_server_that_is_not_there_is_tried_again(
    node: tuple[PushNode, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0
    enough = asyncio.Event()

    async def connect(self: aiohttp.ClientSession, url: str, **settings: Any) -> Any:
        nonlocal tries
        tries += 1
        if tries == 3:
            enough.set()
        raise aiohttp.ClientConnectionError(url)

    monkeypatch.setattr(wakeup, "FIRST_RECONNECT_SECS", 0.0)
    monkeypatch.setattr(aiohttp.ClientSession, "ws_connect", connect)
    subject = Wakeup("ws://127.0.0.1:1/secret-token")
    async with running(subject), asyncio.timeout(PATIENCE_SECS):
        await enough.wait()
    assert subject.name == "ws://127.0.0.1:1/..."


async def test_watching_without_a_connection_is_harmless(node: tuple[PushNode, str]) -> None:
    subject = Wakeup(node[1])
    async with subject.watching("signature"):
        assert await subject.wait(0) is False
