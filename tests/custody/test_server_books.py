"""What a sidecar answers of its books: ripcords beside statements, the most that was asked for, and its own assets."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.custody.builders import PROGRAM, TOKEN, asset_view
from tests.custody.sidecars import HELD, MINTS, Quorum, change_book, only_statement, quorum, read, shares_of
from xstocks_daemon.attester.books_file import BooksFile
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.http import http_session

BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def asked(world: Quorum, path: str, body: object | None = None) -> tuple[int, dict[str, Any]]:
    async with http_session() as session:
        method = "GET" if body is None else "POST"
        data = None if body is None else json.dumps(body)
        async with session.request(method, world.custodian.url + path, data=data, headers=BEARER) as response:
            return response.status, await response.json()


async def test_a_ripcord_comes_beside_the_statement_of_the_other_mints(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        change_book(tmp_path / "custodian" / "books.json", MINTS[1], ripcord="the auditors are in")
        reading = await read(world.custodian.url, MINTS)
        assert shares_of(only_statement(reading)) == [1_000_000_000, 3_000_000_000]
        assert [(one.mints, one.details) for one in reading.ripcords] == [((MINTS[1],), "the auditors are in")]


async def test_all_mints_may_be_disowned_at_once(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        for mint in MINTS:
            change_book(tmp_path / "custodian" / "books.json", mint, ripcord="the auditors are in")
        reading = await read(world.custodian.url, MINTS)
        assert (reading.statements, reading.failures) == ((), ())
        assert [(one.mints, one.details) for one in reading.ripcords] == [(MINTS, "the auditors are in")]


async def test_the_most_that_was_asked_for_is_kept_to(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        body = {"mints": [base58(MINTS[0])], "at_most": {base58(MINTS[0]): {"shares_nano": "7"}}}
        status, answer = await asked(world, "/v1/statements", body)
        assert status == 200
        assert [one["shares_nano"] for one in answer["statement"]["entries"]] == ["7"]


async def test_assets_of_another_cluster_are_not_listed(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        books = tmp_path / "custodian" / "books.json"
        (allotment,) = BooksFile(books, 1).load().assets[MINTS[0]].allotments
        there = replace(allotment, target=allotment.target._replace(genesis_hash=PROGRAM))
        change_book(books, MINTS[0], allotments=(there,))
        change_book(books, MINTS[1], ripcord="the auditors are in")
        status, answer = await asked(world, "/v1/assets")
        assert status == 200
        (listed,) = answer["custodians"]
        assert [(one["mint"], one["ripcord"]) for one in listed["assets"]] == [
            (base58(MINTS[1]), True),
            (base58(MINTS[2]), False),
        ]


@pytest.mark.parametrize("path", ["/v1/cosign", "/v1/statements", "/v1/assets"])
async def test_every_path_but_health_wants_the_token(tmp_path: Path, path: str) -> None:
    async with quorum(tmp_path, HELD) as world, http_session() as session:
        world.chain.put(asset_view(MINTS[0]))
        for headers in ({}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": "Bearer of-something-else"}):
            async with session.post(world.custodian.url + path, data=b"{}", headers=headers) as response:
                assert response.status == 401
