"""JSON-RPC nodes on loopback that answer as they are told, faults included."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from xstocks_daemon.chain.addresses import CLOCK_SYSVAR, base58, parse_address
from xstocks_daemon.chain.rpc import AccountInfo, RpcLimits
from xstocks_daemon.domain.units import Address

GENESIS = Address(bytes([7]) * 32)
#: No waiting between attempts, so that tests take no time; the timeout is met only by the test that wants it.
QUICK = RpcLimits(timeout_secs=5, attempts=3, first_wait_secs=0, max_wait_secs=0)

Fault = Callable[[web.Request, dict[str, Any]], Any]
"""Makes the answer to one request in place of the node: a web.Response, or what becomes `result`."""


def http_error(status: int, body: str = "busy") -> Fault:
    return lambda request, call: web.Response(status=status, text=body)


def rpc_error(code: int, message: str, data: Any = None) -> Fault:
    return lambda request, call: web.json_response(
        {"jsonrpc": "2.0", "id": call["id"], "error": {"code": code, "message": message, "data": data}}
    )


def raw_body(body: bytes) -> Fault:
    return lambda request, call: web.Response(body=body, content_type="application/json")


def no_answer(request: web.Request, call: dict[str, Any]) -> Any:
    """Never answers: ends when the client gives up."""
    return asyncio.Event().wait()


def cut_off(request: web.Request, call: dict[str, Any]) -> Any:
    """Closes the connection in place of an answer."""
    assert request.transport is not None
    request.transport.close()
    return asyncio.Event().wait()


@dataclass
class FakeNode:
    """One node: what it would answer, what it was asked, and faults that come first, in order, by method."""

    slot: int = 1_000
    block_height: int = 900
    genesis_hash: Address = GENESIS
    now_ts: int = 1_700_000_000
    #: Of the clock sysvar.
    clock_bytes: int = 40
    accounts: dict[Address, AccountInfo] = field(default_factory=dict)
    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)
    transactions: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    calls: list[tuple[str, list[Any]]] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    simulation: dict[str, Any] = field(default_factory=lambda: {"err": None, "logs": [], "unitsConsumed": 1_000})
    #: Called before each answer, to let time pass: the method and the node.
    before: Callable[[str, FakeNode], None] = lambda method, node: None

    def fail(self, method: str, *faults: Fault) -> None:
        self.faults.setdefault(method, deque()).extend(faults)

    def count(self, method: str) -> int:
        return sum(called == method for called, _ in self.calls)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        call = json.loads(await request.text())
        method, params = call["method"], call["params"]
        self.calls.append((method, params))
        self.before(method, self)
        waiting = self.faults.get(method)
        result = waiting.popleft()(request, call) if waiting else getattr(self, f"_{method}")(params)
        if asyncio.iscoroutine(result):
            result = await result
        if isinstance(result, web.StreamResponse):
            return result
        return web.json_response({"jsonrpc": "2.0", "id": call["id"], "result": result})

    def _context(self, value: Any) -> dict[str, Any]:
        return {"context": {"slot": self.slot, "apiVersion": "4.0.0"}, "value": value}

    def _getGenesisHash(self, params: list[Any]) -> str:
        return base58(self.genesis_hash)

    def _getEpochInfo(self, params: list[Any]) -> dict[str, Any]:
        return {"absoluteSlot": self.slot, "blockHeight": self.block_height, "epoch": 1, "slotIndex": 3}

    def _getSlot(self, params: list[Any]) -> int:
        return self.slot

    def _getLatestBlockhash(self, params: list[Any]) -> dict[str, Any]:
        return self._context({"blockhash": base58(bytes([9]) * 32), "lastValidBlockHeight": self.block_height + 150})

    def _getMultipleAccounts(self, params: list[Any]) -> dict[str, Any]:
        return self._context([self._account(parse_address(text)) for text in params[0]])

    def _account(self, address: Address) -> dict[str, Any] | None:
        info = self.accounts.get(address)
        if address == CLOCK_SYSVAR:
            data = self.slot.to_bytes(8, "little") + bytes(24) + self.now_ts.to_bytes(8, "little", signed=True)
            info = AccountInfo(Address(bytes(32)), data.ljust(self.clock_bytes, b"\0"), 1, executable=False)
        if info is None:
            return None
        return {
            "owner": base58(info.owner),
            "data": [base64.b64encode(info.data).decode(), "base64"],
            "lamports": info.lamports,
            "executable": info.executable,
            "rentEpoch": 2**64 - 1,
            "space": len(info.data),
        }

    def _getProgramAccounts(self, params: list[Any]) -> list[Any]:
        return [
            {"pubkey": base58(address), "account": self._account(address)}
            for address, info in self.accounts.items()
            if base58(info.owner) == params[0]
        ]

    def _getSignatureStatuses(self, params: list[Any]) -> dict[str, Any]:
        return self._context([self.statuses.get(text) for text in params[0]])

    def _getTransaction(self, params: list[Any]) -> Any:
        return self.transactions.get(params[0])

    def _simulateTransaction(self, params: list[Any]) -> dict[str, Any]:
        return self._context(self.simulation)

    def _sendTransaction(self, params: list[Any]) -> str:
        self.sent.append(base64.b64decode(params[0]))
        return base58(bytes([1]) * 32)


def status(slot: int, confirmation: str, err: Any = None) -> dict[str, Any]:
    return {"slot": slot, "confirmations": None, "err": err, "status": {}, "confirmationStatus": confirmation}


@contextlib.asynccontextmanager
async def serving(*nodes: FakeNode) -> AsyncIterator[list[str]]:
    """The nodes' URLs."""
    async with contextlib.AsyncExitStack() as stack:
        urls = []
        for node in nodes:
            app = web.Application()
            app.router.add_post("/", node.handle)
            server = TestServer(app)
            await server.start_server()
            stack.push_async_callback(server.close)
            urls.append(str(server.make_url("/")))
        yield urls
