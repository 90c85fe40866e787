"""The sidecar's HTTP server. Every refusal is a problem document (RFC 9457); only `/v1/health` needs no token."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web

from xstocks_daemon.attester.chain_view import ChainViewUnavailable
from xstocks_daemon.attester.proposer import NoQuorum, ProposalResult, Proposer
from xstocks_daemon.attester.signer import AboveLimits, EntriesRefused, SignRefused, StatementSigner
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.custody.wire import (
    MAX_BODY_BYTES,
    PROBLEM_CONTENT_TYPE,
    CosignRequest,
    ProblemDocument,
    StatementsRequest,
    WireError,
    parse_body,
    signature_json,
    statement_json,
    statement_of,
)
from xstocks_daemon.domain.units import Address
from xstocks_daemon.errors import UserError

_log = structlog.get_logger("xstocks.attester")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HEALTH_PATH = "/v1/health"
STOP_GRACE_SECS = 1.0
"""What is left to do when a sidecar stops is mostly waiting for others: an operator does not wait with it."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """`tokens` are accepted; `submits_lower` whether lower statements are submitted by the sidecar itself;
    `stop_grace_secs`: how long requests under way may go on once the server stops."""

    tokens: Sequence[str]
    request_timeout_secs: int
    submits_lower: bool
    stop_grace_secs: float = STOP_GRACE_SECS


class _Stopped(Exception):
    """A request that was ended because the server stops."""


class AttesterServer:
    """The endpoints over a signer and a proposer."""

    def __init__(self, signer: StatementSigner, proposer: Proposer, settings: ServerSettings) -> None:
        self._signer = signer
        self._proposer = proposer
        self._settings = settings
        self._tokens = [token.encode() for token in settings.tokens]
        self._under_way: set[asyncio.Task[web.StreamResponse]] = set()
        self._stopping = False

    def application(self) -> web.Application:
        """A new aiohttp application with all endpoints; one server's, for one event loop."""
        app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[self._guard])
        app.router.add_post("/v1/statements", self._statements)
        app.router.add_post("/v1/cosign", self._cosign)
        app.router.add_get("/v1/assets", self._assets)
        app.router.add_get(HEALTH_PATH, self._health)
        app.on_shutdown.append(self._finish)
        return app

    async def _finish(self, _app: web.Application) -> None:
        """No new connection is taken any more: what is under way ends by itself soon, or is ended. A signature that is
        being made is put down on disk first, whether or not its answer still arrives."""
        self._stopping = True
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=self._settings.stop_grace_secs)
            for task in late:
                task.cancel()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Authentication, the time limit, and every refusal as a problem document."""
        if request.path != HEALTH_PATH and not self._authorized(request.headers.get("Authorization", "")):
            problem = ProblemDocument(401, "unauthorized", "Unauthorized", "no accepted bearer token was sent",
                              "Authorization", "send `Authorization: Bearer <token>`")  # fmt: skip
            return problem_response(problem, {"WWW-Authenticate": "Bearer"})
        try:
            async with asyncio.timeout(self._settings.request_timeout_secs):
                return await self._handled(request, handler)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return problem_response(_http_problem(error))
        except TimeoutError:
            limit = f"not done within {self._settings.request_timeout_secs} s"
            problem = ProblemDocument(503, "timeout", "Too slow", limit, remedy="ask again, or for fewer mints")
        except _Stopped:
            problem = ProblemDocument(
                503, "stopping", "Stopping", "this sidecar is being stopped", remedy="ask again later"
            )
        except WireError as error:
            problem = ProblemDocument(400, "bad_request", "Bad request", str(error), error.field, error.remedy)
        except SignRefused as error:
            problem = _sign_problem(error)
        except NoQuorum as error:
            problem = ProblemDocument(
                503, "no_quorum", "No quorum", str(error), remedy="look at the peers named, ask again"
            )
        except ChainViewUnavailable as error:
            problem = ProblemDocument(
                503, "chain_unavailable", "Chain unavailable", str(error), remedy="ask again later"
            )
        except UserError as error:
            _log.error("books cannot be used", reason=str(error))
            problem = ProblemDocument(503, "books_unusable", "Books unusable", str(error), error.field, error.remedy)
        return problem_response(problem)

    async def _handled(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The handler's answer. Raises _Stopped where `_finish` ended it."""
        task = asyncio.ensure_future(handler(request))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            return await task
        except asyncio.CancelledError:
            own = asyncio.current_task()
            if self._stopping and own is not None and not own.cancelling():
                raise _Stopped from None
            raise

    def _authorized(self, header: str) -> bool:
        scheme, _, given = header.partition(" ")
        sent = given.strip().encode("utf-8", "surrogateescape")
        # Every token is compared, each in constant time, so the answer's time tells nothing.
        matches = [hmac.compare_digest(sent, token) for token in self._tokens]
        return scheme.lower() == "bearer" and any(matches)

    async def _statements(self, request: web.Request) -> web.Response:
        asked = parse_body(StatementsRequest, await request.read())
        mints = set(asked.mints)
        if len(mints) != len(asked.mints):
            raise WireError("mints", "with repeats", "give each mint once")
        foreign = next((mint for mint in asked.at_most if mint not in mints), None)
        if foreign is not None:
            raise WireError("at_most", base58(foreign), "give limits only for mints that are asked for")
        at_most = {mint: limit.shares_nano for mint, limit in asked.at_most.items()}
        result = await self._proposer.propose(self._custodian_of(asked), asked.mints, at_most)
        return web.json_response(result_json(result))

    def _custodian_of(self, asked: StatementsRequest) -> Address:
        if asked.custodian is not None:
            return asked.custodian
        if len(self._signer.custodians) != 1:
            raise WireError("custodian", "missing", "this sidecar serves several custodians: name one")
        return self._signer.custodians[0]

    async def _cosign(self, request: web.Request) -> web.Response:
        asked = parse_body(CosignRequest, await request.read())
        signed = await self._signer.sign(statement_of(asked.statement))
        return web.json_response(signature_json(signed.key, signed.party, signed.signature))

    async def _assets(self, _: web.Request) -> web.Response:
        here = (self._signer.genesis_hash, self._signer.program_id)
        custodians = []
        for custodian in self._signer.custodians:
            books = await self._signer.books_of(custodian)
            assets = [
                {
                    "mint": base58(target.mint),
                    "symbol": book.symbol,
                    "version": book.version,
                    "shares_nano": str(book.attested_nano(target)),
                    "ripcord": book.ripcord is not None,
                }
                for target, book in books.by_target.items()
                if target[:2] == here
            ]
            custodians.append({"custodian": base58(custodian), "id": books.custodian_id, "assets": assets})
        return web.json_response({"custodians": custodians})

    async def _health(self, _: web.Request) -> web.Response:
        problems: list[str] = []
        for custodian in self._signer.custodians:
            try:
                await self._signer.books_of(custodian)
            except UserError as error:
                problems.append(f"books of {base58(custodian)}: {error.field}")
        return web.json_response(
            {
                "status": "failing" if problems else "ok",
                "key": base58(self._signer.address),
                "custodians": [base58(custodian) for custodian in self._signer.custodians],
                "submits_lower_statements": self._settings.submits_lower,
                "problems": problems,
            },
            status=503 if problems else 200,
        )


def result_json(result: ProposalResult) -> dict[str, Any]:
    """The answer of `POST /v1/statements`."""
    signed = result.signed
    body: dict[str, Any] = {
        "statement": statement_json(signed.statement) if signed else None,
        "signatures": [
            signature_json(one.key, result.parties[one.key], one.signature)
            for one in (signed.signatures if signed else ())
        ],
        "omitted": [{"mint": base58(one.mint), "reason": one.reason, "detail": one.detail} for one in result.omitted],
    }
    if result.ripcord:
        details = "; ".join(dict.fromkeys(one.detail for one in result.ripcord))
        body["ripcord"] = {"mints": [base58(one.mint) for one in result.ripcord], "details": details[:2_000]}
    return body


def problem_response(problem: ProblemDocument, headers: Mapping[str, str] | None = None) -> web.Response:
    """A problem document as a response."""
    return web.Response(
        status=problem.status,
        text=json.dumps(problem.json()),
        content_type=PROBLEM_CONTENT_TYPE,
        headers=headers,
    )


def _sign_problem(error: SignRefused) -> ProblemDocument:
    members: dict[str, Any] = {}
    if isinstance(error, AboveLimits):
        members["limits"] = {
            base58(own.entry.mint): {
                "shares_nano": str(own.entry.shares_nano),
                "capacity_raw": str(own.entry.capacity_raw),
                "redeemed_seen_raw": str(own.entry.redeemed_seen_raw),
            }
            for own in error.limits
        }
    if isinstance(error, EntriesRefused):
        members["refused"] = [
            {"mint": base58(one.mint), "reason": one.reason.value, "detail": one.detail} for one in error.refused
        ]
    title = error.code.replace("_", " ").capitalize()
    return ProblemDocument(error.status, error.code, title, error.detail, error.field, error.remedy, members)


def _http_problem(error: web.HTTPException) -> ProblemDocument:
    match error.status:
        case 404:
            return ProblemDocument(404, "not_found", "Not found", "there is no such endpoint", "path")
        case 405:
            return ProblemDocument(
                405, "method_not_allowed", "Method not allowed", "the endpoint has another method", "method"
            )
        case 413:
            detail = f"the body is larger than {MAX_BODY_BYTES} bytes"
            return ProblemDocument(413, "too_large", "Body too large", detail, "body", "ask for fewer mints")
        case status:
            return ProblemDocument(status, "refused", error.reason, error.reason)
