"""HTTP as every room speaks it: one request at a time, bounded in size and time, its URL never shown whole."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import aiohttp

from xstocks_daemon.redaction import redact_url

_CHUNK_BYTES = 65_536


class HttpUnreachable(Exception):
    """No usable answer: no connection, a timeout, an answer that is too large. `url` is safe to log. Asking again may
    help."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(f"{url}: {reason}")


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete answer, of whatever status."""

    status: int
    body: bytes


def http_session() -> aiohttp.ClientSession:
    """A session without timeouts of its own (each request has one), cookies or proxy settings of the surroundings."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=None), cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )


def bearer(token: str) -> dict[str, str]:
    """The header that carries a bearer token."""
    return {"Authorization": f"Bearer {token}"}


async def bounded_request(
    session: aiohttp.ClientSession,
    method: Literal["GET", "POST"],
    url: str,
    *,
    timeout_secs: float,
    max_body_bytes: int,
    body: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpAnswer:
    """One request, answer and all, within `timeout_secs`; redirects are not followed. A `body` is sent as JSON.

    Raises HttpUnreachable.
    """
    sent = {"Content-Type": "application/json"} if body is not None else {}
    sent |= headers or {}
    try:
        async with (
            asyncio.timeout(timeout_secs),
            session.request(method, url, data=body, headers=sent, allow_redirects=False) as response,
        ):
            received = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                received += chunk
                if len(received) > max_body_bytes:
                    raise HttpUnreachable(redact_url(url), f"the answer is larger than {max_body_bytes} bytes")
            return HttpAnswer(response.status, bytes(received))
    except TimeoutError:
        raise HttpUnreachable(redact_url(url), f"no answer within {timeout_secs:g} s") from None
    except (aiohttp.ClientError, OSError) as error:
        # The error's own text may hold the URL with its user info: the kind is enough.
        raise HttpUnreachable(redact_url(url), f"no connection ({type(error).__name__})") from None
    except ValueError as error:
        # aiohttp raises it for header values that cannot be sent.
        raise HttpUnreachable(redact_url(url), f"the request cannot be sent ({type(error).__name__})") from None
