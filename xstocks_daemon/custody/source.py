"""Where the daemon gets statements from: a port, and its HTTP source over the custodians' sidecars."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import aiohttp
import stamina

from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.custody.http import HttpTarget, post_json
from xstocks_daemon.custody.wire import (
    ProblemRead,
    StatementsAnswer,
    WireError,
    parse_body,
    signed_statement_of,
    statements_request_json,
)
from xstocks_daemon.domain.statement import MAX_ENTRIES, SignedStatement
from xstocks_daemon.domain.units import Address
from xstocks_daemon.http import HttpAnswer, HttpUnreachable

ASK_ALONE = "ask_alone"
"""The reason by which a sidecar says that a mint needs a statement of its own."""
NOT_ANSWERED = "not_answered"
"""The reason for a mint that the answer does not mention."""


@dataclass(frozen=True, slots=True)
class Omission:
    """A mint that a custodian left out of its statement."""

    custodian: Address
    mint: Address
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Ripcord:
    """ "Do not trust my number": the custodian disowns its numbers of these mints; their minting must stop."""

    custodian: Address
    mints: tuple[Address, ...]
    details: str


@dataclass(frozen=True, slots=True)
class SourceFailure:
    """A group that gave no statement. `url` is safe to log; `reason` is one line."""

    custodian: Address
    mints: tuple[Address, ...]
    url: str
    reason: str

    def __str__(self) -> str:
        return f"custody {self.url}: {self.reason}"


@dataclass(frozen=True, slots=True)
class CustodyReading:
    """Everything that one round of asking gave. Statements are NOT verified yet; each comes with the custodian that
    was asked for it."""

    statements: tuple[tuple[Address, SignedStatement], ...] = ()
    omitted: tuple[Omission, ...] = ()
    ripcords: tuple[Ripcord, ...] = ()
    failures: tuple[SourceFailure, ...] = ()

    @staticmethod
    def merged(readings: Iterable[CustodyReading]) -> CustodyReading:
        """All of them as one, in order."""
        listed = tuple(readings)
        return CustodyReading(
            tuple(one for reading in listed for one in reading.statements),
            tuple(one for reading in listed for one in reading.omitted),
            tuple(one for reading in listed for one in reading.ripcords),
            tuple(one for reading in listed for one in reading.failures),
        )


class StatementSource(Protocol):
    """The port: asks for fresh statements, never raises for what a custodian does."""

    async def read(
        self,
        wanted: Mapping[Address, Sequence[Sequence[Address]]],
        at_most_nano: Mapping[Address, int] | None = None,
    ) -> CustodyReading:
        """Per custodian, groups of 1 to 24 mints; one statement is asked for each group. `at_most_nano` bounds the
        shares stated of a mint."""
        ...


@dataclass(frozen=True, slots=True)
class CustodianEndpoint:
    """Where a custodian's sidecar is."""

    custodian: Address
    target: HttpTarget


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """Bounds of asking. `attempts` counts the first one."""

    timeout_secs: float = 15.0
    attempts: int = 3
    first_wait_secs: float = 0.2
    max_wait_secs: float = 2.0
    concurrent_per_custodian: int = 8


class HttpStatementSource(StatementSource):
    """Statements by `POST /v1/statements`."""

    def __init__(
        self,
        endpoints: Iterable[CustodianEndpoint],
        session: aiohttp.ClientSession,
        limits: SourceLimits | None = None,
    ) -> None:
        self._endpoints = {endpoint.custodian: endpoint for endpoint in endpoints}
        self._session = session
        self._limits = limits or SourceLimits()
        self._slots = {
            custodian: asyncio.Semaphore(self._limits.concurrent_per_custodian) for custodian in self._endpoints
        }

    async def read(
        self,
        wanted: Mapping[Address, Sequence[Sequence[Address]]],
        at_most_nano: Mapping[Address, int] | None = None,
    ) -> CustodyReading:
        """As StatementSource says. A custodian without an endpoint, or a group of a wrong size, is a mistake of the
        caller: ValueError."""
        for custodian, groups in wanted.items():
            if custodian not in self._endpoints:
                raise ValueError("a custodian without an endpoint was asked for")
            if any(not 1 <= len(group) <= MAX_ENTRIES for group in groups):
                raise ValueError(f"a group must have 1 to {MAX_ENTRIES} mints")
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(self._group(self._endpoints[custodian], tuple(group), at_most_nano or {}))
                for custodian, groups in wanted.items()
                for group in groups
            ]
        return CustodyReading.merged(task.result() for task in running)

    async def _group(
        self, endpoint: CustodianEndpoint, mints: tuple[Address, ...], at_most_nano: Mapping[Address, int]
    ) -> CustodyReading:
        reading = await self._ask(endpoint, mints, at_most_nano)
        alone = tuple(one.mint for one in reading.omitted if one.reason == ASK_ALONE) if len(mints) > 1 else ()
        if not alone:
            return reading
        rest = CustodyReading(
            reading.statements,
            tuple(one for one in reading.omitted if one.reason != ASK_ALONE),
            reading.ripcords,
            reading.failures,
        )
        singles = [await self._ask(endpoint, (mint,), at_most_nano) for mint in alone]
        return CustodyReading.merged([rest, *singles])

    async def _ask(
        self, endpoint: CustodianEndpoint, mints: tuple[Address, ...], at_most_nano: Mapping[Address, int]
    ) -> CustodyReading:
        custodian, target = endpoint.custodian, endpoint.target
        body = statements_request_json(custodian, mints, at_most_nano)
        try:
            async with self._slots[custodian]:
                answer = await self._post(target, body)
            if answer.status != 200:
                problem = parse_body(ProblemRead, answer.body)
                reason = f"refused with status {answer.status}: {problem.code}: {problem.detail}"
                return _failed(endpoint, mints, reason)
            return _reading_of(endpoint, mints, parse_body(StatementsAnswer, answer.body))
        except HttpUnreachable as error:
            return _failed(endpoint, mints, error.reason)
        except WireError as error:
            return _failed(endpoint, mints, f"the answer's {error}")

    async def _post(self, target: HttpTarget, body: Mapping[str, object]) -> HttpAnswer:
        limits = self._limits
        async for attempt in stamina.retry_context(
            on=HttpUnreachable,
            attempts=limits.attempts,
            timeout=None,
            wait_initial=limits.first_wait_secs,
            wait_max=limits.max_wait_secs,
        ):
            with attempt:
                return await post_json(self._session, target, "/v1/statements", body, timeout_secs=limits.timeout_secs)
        raise AssertionError("stamina either returns or raises")


def _failed(endpoint: CustodianEndpoint, mints: tuple[Address, ...], reason: str) -> CustodyReading:
    failure = SourceFailure(endpoint.custodian, mints, endpoint.target.safe, reason)
    return CustodyReading(failures=(failure,))


def _reading_of(endpoint: CustodianEndpoint, mints: tuple[Address, ...], answer: StatementsAnswer) -> CustodyReading:
    asked = set(mints)
    signed = signed_statement_of(answer)
    stated = [entry.mint for entry in signed.statement.entries] if signed else []
    ripped = answer.ripcord.mints if answer.ripcord else []
    for mint in (*stated, *(one.mint for one in answer.omitted), *ripped):
        if mint not in asked:
            raise WireError("mint", base58(mint), "it was not asked for")
    answered = {*stated, *(one.mint for one in answer.omitted)}
    return CustodyReading(
        statements=((endpoint.custodian, signed),) if signed else (),
        omitted=(
            *(Omission(endpoint.custodian, mint, NOT_ANSWERED, "") for mint in mints if mint not in answered),
            *(Omission(endpoint.custodian, one.mint, one.reason, one.detail) for one in answer.omitted),
        ),
        ripcords=(
            (Ripcord(endpoint.custodian, tuple(answer.ripcord.mints), answer.ripcord.details),)
            if answer.ripcord
            else ()
        ),
    )
