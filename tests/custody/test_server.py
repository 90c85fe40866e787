"""The sidecar's HTTP face: every refusal is a problem document that names the field."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.custody.builders import (
    AGENT_KEY,
    CUSTODIAN,
    GENESIS,
    PROGRAM,
    TOKEN,
    address_of,
    asset_view,
    make_settings,
    mint_of,
)
from tests.custody.fakes import FakeChain
from tests.custody.sidecars import Quorum, quorum
from xstocks_daemon.attester.run import serve_attester
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.custody.wire import MAX_BODY_BYTES, statement_json
from xstocks_daemon.domain.snapshot import ChainSnapshot
from xstocks_daemon.domain.statement import Statement, StatementEntry
from xstocks_daemon.domain.units import Address, multiplier_bits_of
from xstocks_daemon.http import http_session

MINT = mint_of(1)
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@dataclass(frozen=True)
class Client:
    world: Quorum
    session: aiohttp.ClientSession

    async def post(
        self, path: str, body: bytes | object, headers: dict[str, str] | None = None, *, agent: bool = True
    ) -> tuple[int, dict[str, Any]]:
        running = self.world.agents[0] if agent else self.world.custodian
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.session.post(running.url + path, data=data, headers=headers or BEARER) as response:
            if response.status != 200:
                assert response.content_type == "application/problem+json"
            return response.status, await response.json()


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with quorum(tmp_path, [(MINT, 1_000_000_000)]) as world, http_session() as session:
        yield Client(world, session)


def proposal(**changes: Any) -> dict[str, Any]:
    now_ms = time.time_ns() // 1_000_000
    entry = StatementEntry(MINT, multiplier_bits_of("1.0"), 1_000_000_000, 100_000_000, 0)
    value = statement_json(Statement(GENESIS, PROGRAM, CUSTODIAN, 3, now_ms, now_ms // 1_000 + 3_600, (entry,)))
    return {"statement": value | changes}


async def test_a_right_proposal_is_signed_and_the_signature_named(client: Client) -> None:
    status, answer = await client.post("/v1/cosign", proposal())
    assert status == 200
    assert (answer["key"], answer["party"], len(answer["signature"])) == (base58(address_of(AGENT_KEY)), 1, 128)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer \u00e9"},
        {"X-Other": "1"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/statements", "/v1/cosign"])
async def test_without_an_accepted_token_nothing_is_answered(
    client: Client, headers: dict[str, str], path: str
) -> None:
    status, problem = await client.post(path, proposal(), headers)
    assert (status, problem["type"], problem["field"]) == (401, "urn:xstocks:problem:unauthorized", "Authorization")


async def test_assets_need_a_token_and_health_needs_none(client: Client) -> None:
    url = client.world.agents[0].url
    async with client.session.get(url + "/v1/assets") as response:
        assert response.status == 401
    async with client.session.get(url + "/v1/assets", headers=BEARER) as response:
        listed = await response.json()
    assert [(one["mint"], one["shares_nano"]) for one in listed["custodians"][0]["assets"]] == [
        (base58(MINT), "1000000000")
    ]
    async with client.session.get(url + "/v1/health") as response:
        health = await response.json()
    assert (response.status, health["status"], health["submits_lower_statements"]) == (200, "ok", False)
    assert TOKEN not in json.dumps(health)


async def test_health_says_that_the_books_are_broken(client: Client, tmp_path: Path) -> None:
    (tmp_path / "agent0" / "books.json").write_text("{")
    async with client.session.get(client.world.agents[0].url + "/v1/health") as response:
        health = await response.json()
    assert (response.status, health["status"]) == (503, "failing")
    assert health["problems"]


REFUSED: list[tuple[str, str, Any, int, str, str]] = [
    ("not JSON", "/v1/cosign", b"{", 400, "bad_request", "body"),
    ("a list", "/v1/statements", [], 400, "bad_request", "body"),
    ("too large", "/v1/cosign", b" " * (MAX_BODY_BYTES + 1), 413, "too_large", "body"),
    ("float", "/v1/cosign", proposal(epoch=3.5), 400, "bad_request", "statement.epoch"),
    ("unknown key", "/v1/cosign", proposal(note="x"), 400, "bad_request", "statement.note"),
    ("no mints", "/v1/statements", {"mints": []}, 400, "bad_request", "mints"),
    ("25 mints", "/v1/statements", {"mints": [base58(mint_of(n)) for n in range(25)]}, 400, "bad_request", "mints"),
    ("repeats", "/v1/statements", {"mints": [base58(MINT)] * 2}, 400, "bad_request", "mints"),
    (
        "float limit",
        "/v1/statements",
        {"mints": [base58(MINT)], "at_most": {base58(MINT): {"shares_nano": 1.5}}},
        400,
        "bad_request",
        f"at_most.{base58(MINT)}.shares_nano",
    ),
    (
        "limit of another",
        "/v1/statements",
        {"mints": [base58(MINT)], "at_most": {base58(PROGRAM): {"shares_nano": "1"}}},
        400,
        "bad_request",
        "at_most",
    ),
    (
        "unknown custodian",
        "/v1/statements",
        {"mints": [base58(MINT)], "custodian": base58(GENESIS)},
        404,
        "unknown_custodian",
        "custodian",
    ),
    (
        "unknown custodian",
        "/v1/cosign",
        proposal(custodian=base58(GENESIS)),
        404,
        "unknown_custodian",
        "statement.custodian",
    ),
    (
        "cluster",
        "/v1/cosign",
        proposal(genesis_hash=base58(PROGRAM)),
        422,
        "wrong_genesis_hash",
        "statement.genesis_hash",
    ),
    ("program", "/v1/cosign", proposal(program_id=base58(GENESIS)), 422, "wrong_program_id", "statement.program_id"),
    ("epoch", "/v1/cosign", proposal(epoch=4), 409, "wrong_epoch", "statement.epoch"),
    ("replay", "/v1/cosign", proposal(observed_ms=1, expires_ts=2), 409, "too_old", "statement.observed_ms"),
    ("no endpoint", "/v1/other", {}, 404, "not_found", "path"),
    ("method", "/v1/assets", {}, 405, "method_not_allowed", "method"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "field"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED]
)
async def test_a_wrong_request_is_a_problem_document(
    client: Client, path: str, body: Any, status: int, code: str, field: str
) -> None:
    found, problem = await client.post(path, body)
    assert (found, problem["status"], problem["type"]) == (status, status, f"urn:xstocks:problem:{code}")
    assert problem["field"] == field
    assert problem["title"]
    assert problem["detail"]
    if code in ("unknown_custodian", "wrong_genesis_hash", "wrong_program_id"):
        wrong = body.get("custodian") or body["statement"][field.removeprefix("statement.")]
        assert wrong in problem["detail"], "the value is named too"
    assert "Traceback" not in json.dumps(problem)


async def test_limits_are_told_with_a_409(client: Client) -> None:
    value = proposal()
    value["statement"]["entries"][0] |= {"shares_nano": "1000000010", "capacity_raw": "100000001"}
    status, problem = await client.post("/v1/cosign", value)
    assert status == 409
    assert problem["limits"] == {
        base58(MINT): {"shares_nano": "1000000000", "capacity_raw": "100000000", "redeemed_seen_raw": "0"}
    }


async def test_forged_capacity_is_refused_by_entry(client: Client) -> None:
    value = proposal()
    value["statement"]["entries"][0]["capacity_raw"] = "99999999"
    status, problem = await client.post("/v1/cosign", value)
    assert (status, problem["type"]) == (409, "urn:xstocks:problem:entries_refused")
    assert [(one["mint"], one["reason"]) for one in problem["refused"]] == [(base58(MINT), "wrong_capacity")]


async def test_a_statement_of_an_unanswering_quorum_is_a_503_that_names_the_peer(tmp_path: Path) -> None:
    chain = FakeChain()
    chain.put(asset_view(MINT))
    settings = make_settings(tmp_path / "alone", AGENT_KEY, [(MINT, 5_000)], ["http://127.0.0.1:9/secret-path"])
    async with serve_attester(settings, chain) as running, http_session() as session:
        body = json.dumps({"mints": [base58(MINT)]})
        async with session.post(running.url + "/v1/statements", data=body, headers=BEARER) as response:
            problem = await response.json()
    assert (response.status, problem["type"]) == (503, "urn:xstocks:problem:no_quorum")
    assert "http://127.0.0.1:9" in problem["detail"]
    assert "secret-path" not in problem["detail"]


async def test_a_chain_that_hangs_ends_in_a_timeout_problem(tmp_path: Path) -> None:
    class Hanging(FakeChain):
        async def snapshot(self, custodian: Any, mints: Any) -> Any:
            await asyncio.Event().wait()

    settings = make_settings(tmp_path / "slow", AGENT_KEY, [(MINT, 5_000)], request_timeout_secs=1)
    async with serve_attester(settings, Hanging()) as running, http_session() as session:
        body = json.dumps(proposal())
        async with session.post(running.url + "/v1/cosign", data=body, headers=BEARER) as response:
            problem = await response.json()
    assert (response.status, problem["type"]) == (503, "urn:xstocks:problem:timeout")


async def test_a_sidecar_of_several_custodians_wants_one_named(tmp_path: Path) -> None:
    settings = make_settings(tmp_path / "two", AGENT_KEY, [(MINT, 5_000)])
    second = tmp_path / "two" / "books2.json"
    second.write_text(settings.custodians[0].books_file.read_text().replace('"custodian": 1', '"custodian": 2'))
    custodians = [{"id": 1, "books_file": "books.json"}, {"id": 2, "books_file": "books2.json"}]
    settings = make_settings(tmp_path / "two", AGENT_KEY, [], custodians=custodians)
    async with serve_attester(settings, FakeChain()) as running, http_session() as session:
        body = json.dumps({"mints": [base58(MINT)]})
        async with session.post(running.url + "/v1/statements", data=body, headers=BEARER) as response:
            problem = await response.json()
    assert (response.status, problem["field"]) == (400, "custodian")


class Gated(FakeChain):
    """Answers once `gate` is open; `asked` is set when it is waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.gate = asyncio.Event(), asyncio.Event()

    async def snapshot(self, custodian: Address, mints: Sequence[Address]) -> ChainSnapshot:
        self.asked.set()
        await self.gate.wait()
        return await super().snapshot(custodian, mints)


async def answer_while_stopping(
    folder: Path, chain: Gated, *, stop_grace_secs: float, open_once_stopping: bool = False
) -> tuple[int, str]:
    """A co-signature is under way when the sidecar is told to stop: its status and the problem's code."""
    chain.put(asset_view(MINT))
    settings = make_settings(folder / "stopped", AGENT_KEY, [(MINT, 1_000_000_000)], request_timeout_secs=300)
    async with http_session() as session, asyncio.TaskGroup() as tasks:

        async def ask(url: str) -> tuple[int, str]:
            async with session.post(url + "/v1/cosign", data=json.dumps(proposal()), headers=BEARER) as response:
                return response.status, (await response.json()).get("type", "")

        async with serve_attester(settings, chain, stop_grace_secs=stop_grace_secs) as running:
            asking = tasks.create_task(ask(running.url))
            await chain.asked.wait()
            if open_once_stopping:
                tasks.create_task(open_once_refusing(chain.gate, running.url))
    return asking.result()


async def open_once_refusing(gate: asyncio.Event, url: str) -> None:
    """Opens the gate once the server takes no connection any more."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    while True:
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except ConnectionError:
            break
        writer.close()
        await writer.wait_closed()
    gate.set()


async def test_a_request_that_waits_for_others_does_not_keep_a_sidecar_from_stopping(tmp_path: Path) -> None:
    status, code = await answer_while_stopping(tmp_path, Gated(), stop_grace_secs=0)
    assert (status, code) == (503, "urn:xstocks:problem:stopping")


async def test_a_request_that_is_nearly_done_is_answered_before_a_sidecar_stops(tmp_path: Path) -> None:
    status, code = await answer_while_stopping(tmp_path, Gated(), stop_grace_secs=300, open_once_stopping=True)
    assert (status, code) == (200, "")
