"""The daemon's source of statements: what sidecars may answer, and what is made of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.custody.builders import GENESIS, TOKEN, mint_of
from tests.custody.sidecars import (
    HELD,
    MINTS,
    liar,
    only_statement,
    quorum,
    read,
    reasons,
    verified,
)
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.custody.source import SourceLimits
from xstocks_daemon.custody.wire import MAX_BODY_BYTES, statement_json
from xstocks_daemon.domain.units import Address


def omitted(*mints: Address) -> dict[str, Any]:
    lines = [{"mint": base58(mint), "reason": "ripcord"} for mint in mints]
    return {"statement": None, "signatures": [], "omitted": lines}


LIES: list[tuple[str, Any]] = [
    ("larger than", b"x" * (MAX_BODY_BYTES + 1)),
    ("not JSON", b"<html>"),
    ("statement", {"signatures": []}),
    ("not asked for", omitted(mint_of(50))),
    ("not asked for", omitted() | {"ripcord": {"mints": [base58(mint_of(50))], "details": "x"}}),
    ("signatures.0.signature", omitted() | {"signatures": [{"key": base58(GENESIS), "party": 0, "signature": "00"}]}),
    ("omitted", omitted(*(mint_of(number) for number in range(25)))),
]


@pytest.mark.parametrize(("named", "lie"), LIES)
async def test_an_answer_that_is_none_is_a_named_failure(named: str, lie: Any) -> None:
    async with liar("/v1/statements", lambda _: lie) as url:
        reading = await read(url, MINTS)
    (failure,) = reading.failures
    assert named in failure.reason
    assert (reading.statements, reading.ripcords) == ((), ())


async def test_a_mint_that_an_answer_passes_over_is_told() -> None:
    async with liar("/v1/statements", lambda _: omitted(MINTS[0])) as url:
        assert reasons(await read(url, MINTS)) == {
            MINTS[0]: "ripcord",
            MINTS[1]: "not_answered",
            MINTS[2]: "not_answered",
        }


async def test_a_sidecar_that_is_away_is_a_named_failure_without_its_token(tmp_path: Path) -> None:
    reading = await read("http://user:secret-in-url@127.0.0.1:9/path?key=secret", MINTS)
    (failure,) = reading.failures
    assert failure.mints == MINTS
    assert failure.url.startswith("http://127.0.0.1:9")
    assert "secret" not in str(failure)
    assert TOKEN not in str(failure)


async def test_a_wrong_token_is_a_named_failure(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        (failure,) = (await read(world.custodian.url, MINTS, token="x" * 30)).failures
        assert "unauthorized" in failure.reason


async def test_reads_are_tried_again(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        world.chain.failing_reads = 1
        (failure,) = (await read(world.custodian.url, MINTS)).failures
        assert "no connection" in failure.reason
        world.chain.failing_reads = 1
        patient = SourceLimits(attempts=3, first_wait_secs=0.001, max_wait_secs=0.001)
        assert only_statement(await read(world.custodian.url, MINTS, limits=patient))
        assert world.chain.failing_reads == 0


async def test_826_assets_go_in_35_groups(tmp_path: Path) -> None:
    mints = [mint_of(number) for number in range(826)]
    async with quorum(tmp_path, [(mint, 1_000_000_000) for mint in mints]) as world:
        groups = [tuple(mints[start : start + 24]) for start in range(0, len(mints), 24)]
        reading = await read(world.custodian.url, *groups)
        assert reading.failures == ()
        stated = [entry.mint for _, signed in reading.statements for entry in signed.statement.entries]
        assert sorted(stated) == mints
        assert all(verified(signed, world.chain) for _, signed in reading.statements)


def noting(asked: list[Any], answer: Any) -> Callable[[Any], Any]:
    """Answers so, and keeps what was asked."""

    def answering(body: Any) -> Any:
        asked.append(body)
        return answer

    return answering


async def test_a_group_of_no_mint_or_of_25_is_a_mistake_of_the_caller() -> None:
    asked: list[Any] = []
    async with liar("/v1/statements", noting(asked, omitted())) as url:
        for count in (0, 25):
            with pytest.raises(ValueError, match="1 to 24 mints"):
                await read(url, tuple(mint_of(number) for number in range(count)))
        assert asked == []
        await read(url, tuple(mint_of(number) for number in range(24)))
        assert [len(body["mints"]) for body in asked] == [24]


async def test_limits_of_other_mints_are_kept_out_of_a_question() -> None:
    asked: list[Any] = []
    async with liar("/v1/statements", noting(asked, omitted())) as url:
        await read(url, MINTS[:1], at_most_nano={MINTS[0]: 7_000, MINTS[1]: 8_000})
        await read(url, MINTS[2:], at_most_nano={MINTS[0]: 7_000})
    assert [body.get("at_most") for body in asked] == [{base58(MINTS[0]): {"shares_nano": "7000"}}, None]


async def test_a_mint_alone_that_is_to_be_asked_alone_is_asked_once() -> None:
    asked: list[Any] = []
    alone = {"statement": None, "signatures": [], "omitted": [{"mint": base58(MINTS[0]), "reason": "ask_alone"}]}
    async with liar("/v1/statements", noting(asked, alone)) as url:
        assert reasons(await read(url, MINTS[:1])) == {MINTS[0]: "ask_alone"}
    assert len(asked) == 1


async def test_the_signatures_of_an_answer_come_in_the_chains_order(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        signed = only_statement(await read(world.custodian.url, MINTS))
    keys = [one.key for one in signed.signatures]
    assert keys == sorted(keys)
    wire = [{"key": base58(one.key), "party": 0, "signature": one.signature.hex()} for one in signed.signatures]
    for order in (wire, wire[::-1]):
        answer = {"statement": statement_json(signed.statement), "signatures": order}
        async with liar("/v1/statements", lambda _, answer=answer: answer) as url:  # type: ignore[misc]
            assert only_statement(await read(url, MINTS)) == signed


async def test_only_so_many_questions_are_open_at_one_custodian() -> None:
    groups = [(mint_of(number),) for number in range(6)]
    arrived: list[Any] = []
    two_are_there, go_on = asyncio.Event(), asyncio.Event()

    async def hold(body: Any) -> dict[str, Any]:
        arrived.append(body)
        if len(arrived) == 2:
            two_are_there.set()
        await go_on.wait()
        return {"statement": None, "signatures": [], "omitted": []}

    async with liar("/v1/statements", hold) as url, asyncio.TaskGroup() as tasks:
        limits = SourceLimits(attempts=1, concurrent_per_custodian=2)
        reading = tasks.create_task(read(url, *groups, limits=limits))
        await two_are_there.wait()
        # The server answers others meanwhile, so a third question would be there by now.
        for _ in range(10):
            await read(url + "/elsewhere", MINTS[:1])
        assert len(arrived) == 2
        go_on.set()
    assert set(reasons(reading.result()).values()) == {"not_answered"}
    assert len(arrived) == len(groups)
