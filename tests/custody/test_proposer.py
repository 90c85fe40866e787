"""A proposal while the world changes under it: what peers answer, and what the own key says in the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.custody.builders import (
    AGENT_KEY,
    CUSTODIAN,
    CUSTODIAN_KEY,
    PROGRAM,
    TOKEN,
    asset_view,
    attester_keys,
    custodian_account,
    entry_of,
    mint_of,
)
from tests.custody.sidecars import HELD, MINTS, Quorum, a_proposal, change_book, liar, quorum, verified
from xstocks_daemon.attester import books_deposit, books_mark_leaving
from xstocks_daemon.attester.peers import (
    PEER_REST_SECS,
    HttpPeer,
    PeerAnswer,
    PeerLimits,
    PeerRefused,
    PeerSigned,
    PeerUnavailable,
)
from xstocks_daemon.attester.proposer import MAX_ROUNDS, NoQuorum, ProposalResult, Proposer
from xstocks_daemon.attester.signer import SignRefused
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.custody.http import HttpTarget
from xstocks_daemon.custody.wire import LimitWire
from xstocks_daemon.domain.statement import AttesterSignature, Statement
from xstocks_daemon.http import http_session

LIMIT = {"shares_nano": "50", "capacity_raw": "5", "redeemed_seen_raw": "300"}
Meanwhile = Callable[[Statement], Awaitable[PeerAnswer | None]]


@dataclass
class Peer:
    """Signs as the agent does, after `meanwhile`, which may answer something else instead."""

    world: Quorum
    meanwhile: Meanwhile
    name: str = "peer"
    rests: bool = False
    asked: list[Statement] = field(default_factory=list)

    def resting(self) -> bool:
        return self.rests

    async def cosign(self, statement: Statement) -> PeerAnswer:
        self.asked.append(statement)
        answer = await self.meanwhile(statement)
        if answer is not None:
            return answer
        signed = await self.world.agents[0].signer.sign(statement)
        return PeerSigned(AttesterSignature(signed.key, signed.signature))


def proposer(world: Quorum, *peers: Peer) -> Proposer:
    return Proposer(world.custodian.signer, world.chain, {CUSTODIAN: peers})


def custodian_books(world: Quorum) -> Path:
    return world.settings.custodians[0].books_file


def shares(result: ProposalResult) -> list[int]:
    assert result.signed is not None
    return [entry.shares_nano for entry in result.signed.statement.entries]


def once(answer: PeerAnswer) -> Meanwhile:
    """This answer to the first proposal; the later ones are signed."""
    answers = [answer]

    async def meanwhile(_: Statement) -> PeerAnswer | None:
        return answers.pop() if answers else None

    return meanwhile


async def signs(_: Statement) -> PeerAnswer | None:
    return None


@asynccontextmanager
async def watched(folder: Path, meanwhile: Meanwhile) -> AsyncIterator[tuple[Quorum, Peer]]:
    async with quorum(folder, HELD) as world:
        yield world, Peer(world, meanwhile)


async def test_own_books_that_fall_meanwhile_lower_the_next_proposal(tmp_path: Path) -> None:
    """M13: the own key does not sign what left while the peers were asked."""
    async with quorum(tmp_path, HELD) as world:

        async def marks(_: Statement) -> None:
            if len(peer.asked) == 1:
                books_mark_leaving(world.settings, 1, "S1x", "0.5")

        peer = Peer(world, marks)
        result = await proposer(world, peer).propose(CUSTODIAN, MINTS)
        assert [entry.shares_nano for entry in peer.asked[0].entries] == [1_000_000_000, 2_000_000_000, 3_000_000_000]
        assert shares(result) == [1_000_000_000, 1_500_000_000, 3_000_000_000]
        assert result.signed is not None
        assert verified(result.signed, world.chain)
        assert len(peer.asked) == 2


async def test_a_mint_that_the_own_books_disown_meanwhile_is_left_out(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:

        async def disowns(_: Statement) -> None:
            if len(peer.asked) == 1:
                change_book(custodian_books(world), MINTS[1], ripcord="the count is being checked")

        peer = Peer(world, disowns)
        result = await proposer(world, peer).propose(CUSTODIAN, MINTS)
        assert shares(result) == [1_000_000_000, 3_000_000_000]
        assert [(one.mint, one.reason) for one in result.omitted] == [(MINTS[1], "ripcord")]
        assert [one.mint for one in result.ripcord] == [MINTS[1]]


async def test_an_own_signature_of_a_later_time_leads_to_a_later_proposal(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:

        async def overtakes(statement: Statement) -> None:
            if len(peer.asked) == 1:
                await world.custodian.signer.sign(replace(statement, observed_ms=statement.observed_ms + 1))

        peer = Peer(world, overtakes)
        result = await proposer(world, peer).propose(CUSTODIAN, MINTS)
        assert result.signed is not None
        first, second = (statement.observed_ms for statement in peer.asked)
        assert result.signed.statement.observed_ms == second > first + 1


async def test_why_the_own_key_does_not_sign_is_said_at_once(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:

        async def new_epoch(statement: Statement) -> PeerAnswer:
            signature = AttesterSignature(statement.custodian, bytes(64))
            signed = await world.agents[0].signer.sign(statement)
            world.chain.custodian = custodian_account(epoch=4)
            world.custodian.signer._chain_view._cached.clear()  # type: ignore[attr-defined]
            return PeerSigned(replace(signature, key=signed.key, signature=signed.signature))

        peer = Peer(world, new_epoch)
        with pytest.raises(SignRefused) as refused:
            await proposer(world, peer).propose(CUSTODIAN, MINTS)
        assert refused.value.code == "wrong_epoch"
        assert len(peer.asked) == 1
        peer.meanwhile = signs
        world.agents[0].signer._chain_view._cached.clear()  # type: ignore[attr-defined]
        assert shares(await proposer(world, peer).propose(CUSTODIAN, MINTS)) == [nano for _, nano in HELD]


async def test_a_peer_that_signed_a_later_time_gets_a_later_proposal(tmp_path: Path) -> None:
    async with watched(tmp_path, once(PeerRefused("not_newer", "a newer statement was signed", {}))) as (world, peer):
        assert shares(await proposer(world, peer).propose(CUSTODIAN, MINTS)) == [nano for _, nano in HELD]
        assert peer.asked[1].observed_ms > peer.asked[0].observed_ms


async def test_a_peer_that_refuses_the_whole_is_not_asked_again(tmp_path: Path) -> None:
    async with watched(tmp_path, once(PeerRefused("clock_skew", "set the clocks", {}))) as (world, peer):
        with pytest.raises(NoQuorum, match="peer: clock_skew: set the clocks"):
            await proposer(world, peer).propose(CUSTODIAN, MINTS)
        assert len(peer.asked) == 1
        assert shares(await proposer(world, peer).propose(CUSTODIAN, MINTS)) == [nano for _, nano in HELD]


async def test_peers_that_never_agree_end_the_rounds(tmp_path: Path) -> None:
    async def never(_: Statement) -> PeerAnswer:
        return PeerRefused("not_newer", "a newer statement was signed", {})

    async with watched(tmp_path, never) as (world, peer):
        with pytest.raises(NoQuorum, match="not_newer"):
            await proposer(world, peer).propose(CUSTODIAN, MINTS)
        assert len(peer.asked) == MAX_ROUNDS
        assert world.custodian.signer._store.last_observed_ms(CUSTODIAN, MINTS) == 0, "the own key signs last"


async def test_the_minimum_is_of_seen_redemptions_too(tmp_path: Path) -> None:
    """Of mints that were not asked for a peer's numbers are nothing."""
    async with quorum(tmp_path, HELD) as world:
        world.chain.put(asset_view(MINTS[0], entry_of(redeemed_total_raw=900)))
        for books in (custodian_books(world), world.agent_settings[0].custodians[0].books_file):
            change_book(books, MINTS[0], redeemed_seen_raw=900)
        less = LimitWire.model_validate(LIMIT)
        peer = Peer(world, once(PeerLimits({MINTS[0]: less, mint_of(77): less})))
        result = await proposer(world, peer).propose(CUSTODIAN, MINTS[:1])
        assert result.signed is not None
        (entry,) = result.signed.statement.entries
        assert (entry.shares_nano, entry.capacity_raw, entry.redeemed_seen_raw) == (50, 5, 300)


async def test_the_peer_that_rests_is_asked_last(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        resting, ready = Peer(world, signs, rests=True), Peer(world, signs)
        await proposer(world, resting, ready).propose(CUSTODIAN, MINTS)
        assert (len(resting.asked), len(ready.asked)) == (0, 1)
        ready.rests, resting.rests = True, False
        await proposer(world, resting, ready).propose(CUSTODIAN, MINTS)
        assert (len(resting.asked), len(ready.asked)) == (1, 1)


async def test_the_own_key_is_checked_before_a_peer_is_asked(tmp_path: Path) -> None:
    async with watched(tmp_path, signs) as (world, peer):
        world.chain.custodian = custodian_account(keys=attester_keys((AGENT_KEY, 1)))
        with pytest.raises(SignRefused) as refused:
            await proposer(world, peer).propose(CUSTODIAN, MINTS)
        assert (refused.value.code, peer.asked) == ("key_not_in_set", [])
        world.chain.custodian = custodian_account()
        await proposer(world, peer).propose(CUSTODIAN, MINTS)


async def test_a_custodian_that_is_not_served_is_refused_by_name(tmp_path: Path) -> None:
    async with watched(tmp_path, signs) as (world, peer):
        with pytest.raises(SignRefused) as refused:
            await proposer(world, peer).propose(PROGRAM, MINTS)
        assert (refused.value.code, peer.asked) == ("unknown_custodian", [])


async def test_two_parties_are_needed_whatever_the_threshold(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        world.chain.custodian = custodian_account(threshold=1, keys=attester_keys((CUSTODIAN_KEY, 0), (AGENT_KEY, 1)))
        with pytest.raises(NoQuorum):
            await proposer(world).propose(CUSTODIAN, MINTS)
        assert len(shares(await proposer(world, Peer(world, signs)).propose(CUSTODIAN, MINTS))) == 3


async def test_a_threshold_of_three_is_not_met_by_two(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        world.chain.custodian = custodian_account(threshold=3)

        async def away(_: Statement) -> PeerAnswer:
            return PeerUnavailable("no answer within 10 s")

        with pytest.raises(NoQuorum, match="peer: no answer within 10 s"):
            await proposer(world, Peer(world, signs), Peer(world, away)).propose(CUSTODIAN, MINTS)
        world.chain.custodian = custodian_account()
        assert len(shares(await proposer(world, Peer(world, signs), Peer(world, away)).propose(CUSTODIAN, MINTS))) == 3


@pytest.mark.parametrize(("seen_raw", "lowers"), [(100, False), (99, True)])
async def test_a_fall_is_one_of_capacity_and_seen_redemptions_together(
    tmp_path: Path, seen_raw: int, lowers: bool
) -> None:
    async with quorum(tmp_path, HELD) as world:
        stated = entry_of(withdrawn=False, shares_nano=1_000_001_000, capacity_raw=100_000_100, redeemed_total_raw=100)
        world.chain.put(asset_view(MINTS[0], stated))
        for books in (custodian_books(world), world.agent_settings[0].custodians[0].books_file):
            change_book(books, MINTS[0], redeemed_seen_raw=seen_raw)
        result = await proposer(world, Peer(world, signs)).propose(CUSTODIAN, MINTS[:1])
        assert result.lowers is lowers


async def test_a_deposit_while_peers_are_asked_waits_for_the_next_statement(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:

        async def deposits(_: Statement) -> None:
            books_deposit(world.settings, 1, "S0x", "1")

        result = await proposer(world, Peer(world, deposits)).propose(CUSTODIAN, MINTS)
        assert shares(result) == [1_000_000_000, 2_000_000_000, 3_000_000_000]


# ---- asking over HTTP -----------------------------------------------------------------------------------------------


async def test_a_peer_that_does_not_answer_rests_for_a_time() -> None:
    now = [100.0]
    async with http_session() as session:
        peer = HttpPeer(HttpTarget("http://127.0.0.1:9/secret", TOKEN), session, lambda: now[0])
        assert not peer.resting()
        answer = await peer.cosign(a_proposal())
        assert isinstance(answer, PeerUnavailable)
        assert "secret" not in peer.name + answer.detail
        now[0] += PEER_REST_SECS - 1
        assert peer.resting()
        now[0] += 1
        assert not peer.resting()


async def cosigned(answer: object, status: int) -> PeerAnswer:
    async with liar("/v1/cosign", lambda _: answer, status=status) as url, http_session() as session:
        peer = HttpPeer(HttpTarget(url, TOKEN), session, lambda: 0.0)
        said = await peer.cosign(a_proposal())
        assert not peer.resting()
        return said


async def test_what_a_peer_refuses_with_is_read() -> None:
    mint = base58(MINTS[0])
    kind = "urn:xstocks:problem:"
    above = await cosigned({"type": f"{kind}above_limits", "limits": {mint: LIMIT}}, 409)
    assert above == PeerLimits({MINTS[0]: LimitWire.model_validate(LIMIT)})
    refused = [{"mint": mint, "reason": "ripcord", "detail": "x"}]
    of_entries = await cosigned({"type": f"{kind}entries_refused", "detail": "x", "refused": refused}, 409)
    assert of_entries == PeerRefused("entries_refused", "x", {MINTS[0]: "ripcord"})
    assert await cosigned({"type": f"{kind}too_old", "detail": "y"}, 409) == PeerRefused("too_old", "y", {})


@pytest.mark.parametrize(("answer", "status"), [(b"<html>", 200), (b"<html>", 404), ({"key": 1}, 200), ([], 409)])
async def test_an_answer_that_is_none_is_no_signature(answer: object, status: int) -> None:
    said = await cosigned(answer, status)
    assert isinstance(said, PeerUnavailable)
    assert said.detail.startswith("its answer's ")
