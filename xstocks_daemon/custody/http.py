"""Bounded, authenticated POST of JSON: what the daemon's source and a sidecar's peers share."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from xstocks_daemon.chain.rpc import safe_url
from xstocks_daemon.custody.errors import shown
from xstocks_daemon.custody.wire import MAX_BODY_BYTES, ProblemRead, WireError, parse_body

_CHUNK_BYTES = 65_536


class HttpUnreachable(Exception):
    """No usable answer: no connection, a timeout, an answer that is too large, a failing server. `url` is safe to
    log. Asking again may help."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(f"{url}: {reason}")


@dataclass(frozen=True, slots=True)
class HttpTarget:
    """A base URL and the bearer token it wants; the token is never shown."""

    url: str
    token: str = field(repr=False)

    @property
    def safe(self) -> str:
        """The URL as it may be logged."""
        return safe_url(self.url)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete answer below status 500 and other than 429."""

    status: int
    body: bytes


async def post_json(
    session: aiohttp.ClientSession,
    target: HttpTarget,
    path: str,
    value: Mapping[str, Any],
    *,
    timeout_secs: float,
    max_body_bytes: int = MAX_BODY_BYTES,
) -> HttpAnswer:
    """POST once. HttpUnreachable where asking again may help; other refusals come back as the answer."""
    try:
        async with (
            asyncio.timeout(timeout_secs),
            session.post(
                target.url.rstrip("/") + path,
                data=json.dumps(value, separators=(",", ":")),
                headers={"Content-Type": "application/json", "Authorization": f"Bearer {target.token}"},
                allow_redirects=False,
            ) as response,
        ):
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                body += chunk
                if len(body) > max_body_bytes:
                    raise HttpUnreachable(target.safe, f"the answer is larger than {max_body_bytes} bytes")
            if response.status == 429 or response.status >= 500:
                raise HttpUnreachable(target.safe, f"HTTP status {response.status}{_problem_detail(bytes(body))}")
            return HttpAnswer(response.status, bytes(body))
    except TimeoutError:
        raise HttpUnreachable(target.safe, f"no answer within {timeout_secs:g} s") from None
    except aiohttp.ClientError as error:
        # The error's own text may hold the URL with its user info: the kind is enough.
        raise HttpUnreachable(target.safe, f"no connection ({type(error).__name__})") from None
    except ValueError as error:
        # aiohttp raises it for header values that cannot be sent.
        raise HttpUnreachable(target.safe, f"the request cannot be sent ({type(error).__name__})") from None


def _problem_detail(body: bytes) -> str:
    try:
        return f": {shown(parse_body(ProblemRead, body).detail)}"
    except WireError:
        return ""


def http_session() -> aiohttp.ClientSession:
    """A session without timeouts of its own (each call has one), cookies or proxy settings of the surroundings."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=None), cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )
