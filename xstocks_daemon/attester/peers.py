"""Asking another sidecar to co-sign."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import aiohttp

from xstocks_daemon.custody.http import HttpTarget, post_json
from xstocks_daemon.custody.wire import (
    LimitWire,
    ProblemRead,
    SignatureWire,
    WireError,
    parse_body,
    statement_json,
)
from xstocks_daemon.domain.statement import AttesterSignature, Statement
from xstocks_daemon.domain.units import Address
from xstocks_daemon.http import HttpUnreachable

PEER_REST_SECS = 30.0
_TIMEOUT_SECS = 10.0


@dataclass(frozen=True, slots=True)
class PeerSigned:
    """The peer checked the proposal and signed it."""

    signature: AttesterSignature


@dataclass(frozen=True, slots=True)
class PeerLimits:
    """The peer holds less of some mints: its own numbers."""

    limits: Mapping[Address, LimitWire]


@dataclass(frozen=True, slots=True)
class PeerRefused:
    """The peer refuses some mints ({mint: reason}), or for `code` the statement as a whole (no mints)."""

    code: str
    detail: str
    mints: Mapping[Address, str]


@dataclass(frozen=True, slots=True)
class PeerUnavailable:
    """The peer gave no usable answer; says why, without secrets."""

    detail: str


PeerAnswer = PeerSigned | PeerLimits | PeerRefused | PeerUnavailable


class Peer(Protocol):
    """Another sidecar of the same custodian, asked to co-sign. A port: HttpPeer, or a test's own."""

    name: str

    async def cosign(self, statement: Statement) -> PeerAnswer:
        """Ask once; never raises for what the peer does."""
        ...

    def resting(self) -> bool:
        """Whether it did not answer lately: such a peer is asked last."""
        ...


class HttpPeer(Peer):
    """A sidecar over HTTP. `monotonic` is a clock in seconds."""

    def __init__(self, target: HttpTarget, session: aiohttp.ClientSession, monotonic: Callable[[], float]) -> None:
        self._target = target
        self._session = session
        self._monotonic = monotonic
        self._rests_until = float("-inf")
        self.name = target.safe

    def resting(self) -> bool:
        return self._monotonic() < self._rests_until

    async def cosign(self, statement: Statement) -> PeerAnswer:
        body = {"statement": statement_json(statement)}
        try:
            answer = await post_json(self._session, self._target, "/v1/cosign", body, timeout_secs=_TIMEOUT_SECS)
            if answer.status == 200:
                signed = parse_body(SignatureWire, answer.body)
                return PeerSigned(AttesterSignature(signed.key, signed.signature))
            problem = parse_body(ProblemRead, answer.body)
        except HttpUnreachable as error:
            self._rests_until = self._monotonic() + PEER_REST_SECS
            return PeerUnavailable(error.reason)
        except WireError as error:
            return PeerUnavailable(f"its answer's {error}")
        if problem.limits:
            return PeerLimits(problem.limits)
        return PeerRefused(problem.code, problem.detail, {one.mint: one.reason for one in problem.refused})
