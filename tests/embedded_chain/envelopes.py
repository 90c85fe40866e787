"""What is wrong with (or rare in) a request as a whole: HTTP and the JSON-RPC envelope."""

from __future__ import annotations

import json
from typing import Any, Final

import aiohttp

from localnet.harness.chains import Chain

_CALL: Final = b'{"jsonrpc":"2.0","id":1,"method":"getHealth"}'

_BODIES: Final[dict[str, bytes]] = {
    "empty": b"",
    "no JSON": b"nope",
    "no UTF-8": b'"\xff\xfe"',
    "half a surrogate pair": b'{"jsonrpc":"2.0","id":"\\ud800","method":"getHealth"}',
    "a surrogate pair": b'{"jsonrpc":"2.0","id":"\\ud83d\\ude00","method":"getHealth"}',
    "a number": b"5",
    "an empty object": b"{}",
    "an empty batch": b"[]",
    "version 1.0": b'{"jsonrpc":"1.0","id":1,"method":"getHealth"}',
    "no version": b'{"id":1,"method":"getHealth"}',
    "a notification": b'{"jsonrpc":"2.0","method":"getHealth"}',
    "no method": b'{"jsonrpc":"2.0","id":1}',
    "method a number": b'{"jsonrpc":"2.0","id":1,"method":5}',
    "id a string": b'{"jsonrpc":"2.0","id":"x","method":"getHealth","params":[]}',
    "id null": b'{"jsonrpc":"2.0","id":null,"method":"getHealth"}',
    "id a fraction": b'{"jsonrpc":"2.0","id":1.5,"method":"getHealth"}',
    "id negative": b'{"jsonrpc":"2.0","id":-1,"method":"getHealth"}',
    "id a list": b'{"jsonrpc":"2.0","id":[1],"method":"getHealth"}',
    "params a number": b'{"jsonrpc":"2.0","id":1,"method":"getHealth","params":5}',
    "params null": b'{"jsonrpc":"2.0","id":1,"method":"getHealth","params":null}',
    "params an empty object": b'{"jsonrpc":"2.0","id":1,"method":"getHealth","params":{}}',
    "a batch": b'[{"jsonrpc":"2.0","id":1,"method":"getHealth"},{"jsonrpc":"2.0","id":2,"method":"nope"}]',
    "a batch with a notification": b"["
    + _CALL
    + b',{"jsonrpc":"2.0","method":"getHealth"},{"jsonrpc":"2.0","id":3,"method":"getHealth"}]',
    "a batch of notifications": b'[{"jsonrpc":"2.0","method":"getHealth"}]',
    "a batch with a number": b"[" + _CALL + b",5]",
    "a batch with an empty object": b"[" + _CALL + b",{}]",
    "nested batch": b"[[" + _CALL + b"]]",
    "deeply nested": b"[" * 10_000,
    "as large as allowed": _CALL.ljust(50 * 1024),
    "too large": _CALL.ljust(50 * 1024 + 1),
}


async def envelopes(chain: Chain) -> dict[str, Any]:
    """Status, content type and answer to each."""
    found: dict[str, Any] = {}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        json_type = {"Content-Type": "application/json"}
        for name, body in _BODIES.items():
            async with session.post(chain.rpc_url, data=body, headers=json_type) as response:
                found[name] = await _answer(response)
        async with session.post(chain.rpc_url, data=_CALL, headers={"Content-Type": "text/plain"}) as response:
            found["text/plain"] = await _answer(response)
        utf8 = {"Content-Type": "application/json; charset=utf-8"}
        async with session.post(chain.rpc_url, data=_CALL, headers=utf8) as response:
            found["with charset"] = await _answer(response)
        for method in ("GET", "PUT", "DELETE"):
            async with session.request(method, chain.rpc_url) as response:
                found[f"method {method}"] = await _answer(response)
        async with session.get(f"{chain.rpc_url}/health") as response:
            found["health page"] = {"status": response.status, "text": await response.text()}
        origin = {**json_type, "Origin": "http://page.invalid"}
        async with session.post(chain.rpc_url, data=_CALL, headers=origin) as response:
            found["from a page"] = {**await _answer(response), **_cors(response)}
        asked = {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type, solana-client",
        }
        async with session.options(chain.rpc_url, headers={"Origin": "http://page.invalid", **asked}) as response:
            found["asked by a page"] = {"status": response.status, **_cors(response)}
    return found


async def _answer(response: aiohttp.ClientResponse) -> dict[str, Any]:
    text = await response.text()
    try:
        body = json.loads(text)
    except ValueError:
        body = text
    return {"status": response.status, "content type": response.headers.get("Content-Type"), "body": body}


def _cors(response: aiohttp.ClientResponse) -> dict[str, str]:
    names = ("Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers")
    return {name: response.headers[name] for name in names if name in response.headers}
