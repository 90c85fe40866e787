"""HTTP and websocket in front of the methods."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import WSCloseCode, WSMsgType, web

from localnet.embedded_chain import jsonrpc
from localnet.embedded_chain.errors import RpcError, method_not_found
from localnet.embedded_chain.rpc_context import Json, Method
from localnet.embedded_chain.subscriptions import Subscriptions

#: Agave's limit for a request's body.
MAX_REQUEST_BYTES: Final = 50 * 1024
#: A websocket client that leaves this many messages unread is disconnected.
MAX_QUEUED_MESSAGES: Final = 100_000

_JSON = "application/json"
#: A client that does not answer a goodbye is not waited for longer.
_CLOSE_SECS = 1.0


class WsConnection:
    """One websocket: messages are queued here and written by its own task."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Json] = asyncio.Queue()
        self.overrun = asyncio.Event()

    def send(self, message: Json) -> None:
        """Queue a message; with MAX_QUEUED_MESSAGES unread ones `overrun` is set instead."""
        if self._queue.qsize() >= MAX_QUEUED_MESSAGES:
            self.overrun.set()
        else:
            self._queue.put_nowait(message)

    async def write_all(self, socket: web.WebSocketResponse) -> None:
        """Write what is queued, for ever. Raises ConnectionError once the client has gone."""
        while True:
            await socket.send_str(jsonrpc.dumps(await self._queue.get()))


class Server:
    """Requests and websockets on one side, methods and subscriptions on the other."""

    def __init__(self, methods: Mapping[str, Method], subscriptions: Subscriptions) -> None:
        self._methods = methods
        self._subscriptions = subscriptions
        self._sockets: set[web.WebSocketResponse] = set()

    def rpc_app(self) -> web.Application:
        """JSON-RPC by POST; a websocket is taken here too."""
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        app.router.add_get("/health", self._health)
        app.router.add_route("*", "/{tail:.*}", self._rpc_or_ws)
        return app

    def ws_app(self) -> web.Application:
        """Websockets only: a validator has them on the port after that of its JSON-RPC."""
        app = web.Application()
        app.router.add_get("/{tail:.*}", self._websocket)
        return app

    async def close_websockets(self) -> None:
        """Say goodbye to every client, before the listeners close."""
        async with asyncio.TaskGroup() as closing:
            for socket in list(self._sockets):
                closing.create_task(socket.close(code=WSCloseCode.GOING_AWAY, message=b"the chain stops"))

    def run(self, method: str, params: Any) -> Any:
        """Raises RpcError."""
        found = self._methods.get(method)
        if found is None:
            raise method_not_found()
        return found(params)

    async def _health(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _rpc_or_ws(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._websocket(request)
        if request.method == "OPTIONS":
            return web.Response(headers=_cors(request), content_type=_JSON)
        if request.method != "POST":
            text = "Used HTTP Method is not allowed. POST or OPTIONS is required\n"
            return web.Response(status=405, text=text)
        if request.content_type != _JSON:
            text = "Supplied content type is not allowed. Content-Type: application/json is required\n"
            return web.Response(status=415, text=text)
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413, text="request body size exceeds allowed maximum")
        try:
            request_text = body.decode()
        except UnicodeDecodeError as error:
            text = f"utf-8 encoding error at byte {error.start} in request body"
            return web.Response(status=400, text=text)
        text = jsonrpc.handle(request_text, self.run)
        return web.Response(text=text, content_type=_JSON, charset="utf-8", headers=_cors(request))

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(timeout=_CLOSE_SECS, heartbeat=60, max_msg_size=MAX_REQUEST_BYTES)
        await socket.prepare(request)
        connection = WsConnection()
        self._sockets.add(socket)
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write(connection, socket))
                overrun = tasks.create_task(self._close_on_overrun(connection, socket))
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        self._ws_message(connection, message.data)
                writer.cancel()
                overrun.cancel()
        finally:
            self._sockets.discard(socket)
            self._subscriptions.drop_connection(connection)
        return socket

    async def _write(self, connection: WsConnection, socket: web.WebSocketResponse) -> None:
        # A client may go at any moment; the reading side then ends too.
        with contextlib.suppress(ConnectionError):
            await connection.write_all(socket)

    async def _close_on_overrun(self, connection: WsConnection, socket: web.WebSocketResponse) -> None:
        await connection.overrun.wait()
        await socket.close(code=WSCloseCode.MESSAGE_TOO_BIG, message=b"too many unread notifications")

    def _ws_message(self, connection: WsConnection, text: str) -> None:
        try:
            request = jsonrpc.parse(text)
        except RpcError as error:
            connection.send(jsonrpc.error_answer(error, None))
            return
        for item in request if isinstance(request, list) else [request]:
            if not isinstance(item, jsonrpc.Call):
                connection.send(item)
                continue
            afterwards: list[Any] = []

            def run(method: str, params: Any, afterwards: list[Any] = afterwards) -> Any:
                result, after = self._subscriptions.call(connection, method, params)
                if after is not None:
                    afterwards.append(after)
                return result

            answer = jsonrpc.answer_call(item, run)
            if answer is not None:
                connection.send(answer)
            for after in afterwards:
                after()


def _cors(request: web.Request) -> dict[str, str]:
    """A page in a browser may call, as it may call a validator."""
    origin = request.headers.get("Origin")
    if origin is None:
        return {}
    headers = {
        "Access-Control-Allow-Methods": "OPTIONS, POST",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Max-Age": "86400",
        "Vary": "origin",
    }
    asked = request.headers.get("Access-Control-Request-Headers")
    if asked is not None:
        headers["Access-Control-Allow-Headers"] = asked
    return headers
