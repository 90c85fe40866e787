"""Authenticated POST of JSON to a sidecar: what the daemon's source and a sidecar's peers share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from xstocks_daemon.custody.wire import MAX_BODY_BYTES, ProblemRead, WireError, parse_body
from xstocks_daemon.http import HttpAnswer, HttpUnreachable, bearer, bounded_request
from xstocks_daemon.redaction import redact_url, shown


@dataclass(frozen=True, slots=True)
class HttpTarget:
    """A base URL and the bearer token it wants; the token is never shown."""

    url: str
    token: str = field(repr=False)

    @property
    def safe(self) -> str:
        """The URL as it may be logged."""
        return redact_url(self.url)


async def post_json(
    session: aiohttp.ClientSession,
    target: HttpTarget,
    path: str,
    value: Mapping[str, Any],
    *,
    timeout_secs: float,
    max_body_bytes: int = MAX_BODY_BYTES,
) -> HttpAnswer:
    """POST once. HttpUnreachable where asking again may help, status 429 and those from 500 on included; other refusals
    come back as the answer."""
    try:
        answer = await bounded_request(
            session,
            "POST",
            target.url.rstrip("/") + path,
            timeout_secs=timeout_secs,
            max_body_bytes=max_body_bytes,
            body=json.dumps(value, separators=(",", ":")),
            headers=bearer(target.token),
        )
    except HttpUnreachable as error:
        raise HttpUnreachable(target.safe, error.reason) from None
    if answer.status == 429 or answer.status >= 500:
        raise HttpUnreachable(target.safe, f"HTTP status {answer.status}{_problem_detail(answer.body)}")
    return answer


def _problem_detail(body: bytes) -> str:
    try:
        return f": {shown(parse_body(ProblemRead, body).detail)}"
    except WireError:
        return ""
