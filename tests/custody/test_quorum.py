"""Sidecars over loopback HTTP: quorum, minimum, promises over restarts."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from solders.keypair import Keypair

from tests.custody.world import (
    AGENT_KEY,
    CUSTODIAN,
    CUSTODIAN_KEY,
    GENESIS,
    PROGRAM,
    SECOND_AGENT_KEY,
    STRANGER_KEY,
    TOKEN,
    FakeChain,
    Quorum,
    asset_view,
    attester_keys,
    custodian_account,
    entry_of,
    make_settings,
    mint_of,
    quorum,
    snapshot_of,
)
from xstocks_daemon.attester import books_deposit, books_mark_leaving
from xstocks_daemon.attester.books import AssetBook, books_of
from xstocks_daemon.attester.books_file import BooksFile
from xstocks_daemon.attester.chain_view import CachedChainView
from xstocks_daemon.attester.run import serve_attester
from xstocks_daemon.attester.signer import AboveLimits, EntriesRefused, SignRefused
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.custody.http import HttpTarget
from xstocks_daemon.custody.source import CustodianEndpoint, CustodyReading, HttpStatementSource, SourceLimits
from xstocks_daemon.custody.verify import SeenStatements, VerifyLimits, verify_statement
from xstocks_daemon.custody.wire import MAX_BODY_BYTES
from xstocks_daemon.domain.statement import SignedStatement, Statement, StatementEntry
from xstocks_daemon.domain.units import Address, multiplier_bits_of
from xstocks_daemon.http import http_session

MINTS = tuple(mint_of(number) for number in range(1, 4))
HELD = [(mint, 1_000_000 * (index + 1)) for index, mint in enumerate(MINTS)]
NO_RETRIES = SourceLimits(attempts=1)


async def read(
    url: str,
    *groups: tuple[Address, ...],
    at_most_micro: dict[Address, int] | None = None,
    limits: SourceLimits = NO_RETRIES,
    token: str = TOKEN,
) -> CustodyReading:
    async with http_session() as session:
        source = HttpStatementSource([CustodianEndpoint(CUSTODIAN, HttpTarget(url, token))], session, limits)
        return await source.read({CUSTODIAN: groups}, at_most_micro)


def only_statement(reading: CustodyReading) -> SignedStatement:
    assert reading.failures == ()
    ((custodian, signed),) = reading.statements
    assert custodian == CUSTODIAN
    return signed


def verified(signed: SignedStatement, chain: FakeChain) -> bool:
    verdict = verify_statement(
        signed,
        asked_custodian=CUSTODIAN,
        snapshot=snapshot_of(*chain.views.values(), custodian=chain.custodian),
        seen=SeenStatements(),
        limits=VerifyLimits(max_skew_ms=2_000, max_lifetime_secs=3_600),
        now_ms=time.time_ns() // 1_000_000,
    )
    return verdict.accepted


def shares_of(signed: SignedStatement) -> list[int]:
    return [entry.shares_micro for entry in signed.statement.entries]


def change_book(settings_file: Path, mint: Address, **changes: object) -> None:
    """What an editor does to a books file."""

    def changed(books: object) -> AssetBook:
        book: AssetBook = file.load().assets[mint]
        return replace(book, version=book.version + 1, **changes)  # type: ignore[arg-type]

    file = BooksFile(settings_file, 1)
    file.update(changed)


async def test_two_sidecars_make_a_statement_that_verifies(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        signed = only_statement(await read(world.custodian.url, tuple(reversed(MINTS))))
        assert shares_of(signed) == [1_000_000, 2_000_000, 3_000_000]
        assert len(signed.signatures) == 2
        assert verified(signed, world.chain)


async def test_times_strictly_rise_and_are_never_ahead_of_the_clock(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        times = []
        for _ in range(5):
            times.append(only_statement(await read(world.custodian.url, MINTS)).statement.observed_ms)
            assert times[-1] <= time.time_ns() // 1_000_000
        assert times == sorted(set(times))


async def test_requests_at_once_for_the_same_mints_all_get_a_statement_of_their_own_time(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        readings = await asyncio.gather(*(read(world.custodian.url, MINTS) for _ in range(6)))
        assert len({only_statement(reading).statement.observed_ms for reading in readings}) == 6


async def test_the_minimum_of_both_books_is_stated(tmp_path: Path) -> None:
    less = [(MINTS[0], 999_999), (MINTS[1], 5_000_000), (MINTS[2], 0)]
    async with quorum(tmp_path, HELD, agent_holdings=less) as world:
        signed = only_statement(await read(world.custodian.url, MINTS))
        assert shares_of(signed) == [999_999, 2_000_000, 0]
        assert verified(signed, world.chain)


async def test_at_most_lowers_and_never_raises(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        limits = {MINTS[0]: 7, MINTS[1]: 10**12}
        signed = only_statement(await read(world.custodian.url, MINTS, at_most_micro=limits))
        assert shares_of(signed) == [7, 2_000_000, 3_000_000]


async def test_a_peer_that_is_away_is_replaced_by_the_next_one(tmp_path: Path) -> None:
    chain = FakeChain()
    chain.put(*(asset_view(mint) for mint in MINTS))
    async with quorum(tmp_path, HELD, agent_keys=[SECOND_AGENT_KEY], chain=chain) as world:
        peers = ["http://127.0.0.1:9", world.agents[0].url]
        settings = make_settings(tmp_path / "other", CUSTODIAN_KEY, HELD, peers)
        async with serve_attester(settings, chain) as custodian:
            assert verified(only_statement(await read(custodian.url, MINTS)), chain)


async def test_a_peer_that_is_no_attester_of_the_custodian_makes_no_quorum(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD, agent_keys=[STRANGER_KEY]) as world:
        (failure,) = (await read(world.custodian.url, MINTS)).failures
        assert "key_not_in_set" in failure.reason
        assert "127.0.0.1" in failure.url


async def test_a_second_key_of_the_same_party_makes_no_quorum(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        world.chain.custodian = custodian_account(keys=attester_keys((CUSTODIAN_KEY, 0), (AGENT_KEY, 0)))
        (failure,) = (await read(world.custodian.url, MINTS)).failures
        assert "503" in failure.reason


async def test_a_threshold_of_three_takes_both_agents(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD, agent_keys=[AGENT_KEY, SECOND_AGENT_KEY]) as world:
        assert len(only_statement(await read(world.custodian.url, MINTS)).signatures) == 2
        world.chain.custodian = custodian_account(threshold=3, epoch=4)
        # The sidecars believe for up to a second what they read last.
        for running in (world.custodian, *world.agents):
            running.signer._chain_view._cached.clear()  # type: ignore[attr-defined]
        signed = only_statement(await read(world.custodian.url, MINTS))
        assert len(signed.signatures) == 3
        assert signed.statement.epoch == 4
        assert verified(signed, world.chain)


def reasons(reading: CustodyReading) -> dict[Address, str]:
    return {one.mint: one.reason for one in reading.omitted}


async def test_what_cannot_be_stated_is_left_out_by_name_and_the_rest_is_stated(tmp_path: Path) -> None:
    unknown, unregistered, foreign, ripped, split, ahead = (mint_of(number) for number in range(10, 16))
    held = [*HELD, *((mint, 5) for mint in (unregistered, foreign, ripped, split, ahead))]
    async with quorum(tmp_path, held) as world:
        del world.chain.views[unregistered]
        world.chain.put(
            asset_view(foreign, entry_of(PROGRAM)),
            asset_view(split, multiplier_bits=multiplier_bits_of("2.0")),
            asset_view(ahead, entry_of(observed_ms=time.time_ns() // 1_000_000 + 60_000)),
        )
        change_book(tmp_path / "custodian" / "books.json", ripped, ripcord="the auditors are in")
        reading = await read(world.custodian.url, (*MINTS, unknown, unregistered, foreign, ripped, split, ahead))
        assert [entry.mint for entry in only_statement(reading).statement.entries] == list(MINTS)
        assert reasons(reading) == {
            unknown: "unknown_asset",
            unregistered: "not_registered",
            foreign: "not_attached",
            ripped: "ripcord",
            split: "multiplier_differs",
            ahead: "too_early",
        }
        ((ripcord),) = reading.ripcords
        assert (ripcord.mints, ripcord.details) == ((ripped,), "the auditors are in")


async def test_nothing_left_to_state_is_no_failure(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        reading = await read(world.custodian.url, (mint_of(99),))
        assert (reading.statements, reading.failures) == ((), ())
        assert reasons(reading) == {mint_of(99): "unknown_asset"}


async def test_a_mint_that_no_peer_signs_is_left_out(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        change_book(tmp_path / "agent0" / "books.json", MINTS[1], ripcord="not so sure")
        reading = await read(world.custodian.url, MINTS)
        assert [entry.mint for entry in only_statement(reading).statement.entries] == [MINTS[0], MINTS[2]]
        assert reasons(reading) == {MINTS[1]: "ripcord"}


async def test_a_mint_that_one_peer_refuses_is_signed_by_the_other(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD, agent_keys=[AGENT_KEY, SECOND_AGENT_KEY]) as world:
        change_book(tmp_path / "agent0" / "books.json", MINTS[1], ripcord="not so sure")
        assert len(shares_of(only_statement(await read(world.custodian.url, MINTS)))) == 3


async def test_an_asset_about_to_change_its_multiplier_gets_a_statement_of_its_own(tmp_path: Path) -> None:
    chain = FakeChain()
    chain.put(asset_view(MINTS[1], change=(int(time.time()) + 600, multiplier_bits_of("2.0"))))
    async with quorum(tmp_path, HELD, chain=chain) as world:
        reading = await read(world.custodian.url, MINTS)
        mints = [[entry.mint for entry in signed.statement.entries] for _, signed in reading.statements]
        assert mints == [[MINTS[0], MINTS[2]], [MINTS[1]]]
        assert reading.omitted == ()


# ---- books that change -----------------------------------------------------------------------------------------


async def test_a_deposit_counts_when_both_books_have_it(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        books_deposit(world.settings, 1, "S0x", "2.5")
        assert shares_of(only_statement(await read(world.custodian.url, MINTS)))[0] == 1_000_000
        books_deposit(world.agent_settings[0], 1, "S0x", "2.5")
        assert shares_of(only_statement(await read(world.custodian.url, MINTS)))[0] == 3_500_000


@pytest.mark.parametrize("who", ["custodian", "agent"])
async def test_shares_marked_to_leave_by_one_are_stated_no_more(tmp_path: Path, who: str) -> None:
    async with quorum(tmp_path, HELD) as world:
        settings = world.settings if who == "custodian" else world.agent_settings[0]
        books_mark_leaving(settings, 1, "S2x", "1.25")
        signed = only_statement(await read(world.custodian.url, MINTS))
        assert shares_of(signed)[2] == 1_750_000
        assert verified(signed, world.chain)


async def test_broken_books_are_a_named_failure_and_heal_when_repaired(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        path = tmp_path / "custodian" / "books.json"
        good = path.read_text()
        path.write_text(good.replace('"1000000"', "1000000.0", 1))
        (failure,) = (await read(world.custodian.url, MINTS)).failures
        assert "shares_micro" in failure.reason
        path.write_text(good)
        assert only_statement(await read(world.custodian.url, MINTS))


# ---- what a signer promises ------------------------------------------------------------------------------------


def a_proposal() -> Statement:
    now_ms = time.time_ns() // 1_000_000
    one_bits = multiplier_bits_of("1.0")
    entries = tuple(StatementEntry(mint, one_bits, shares, shares * 100, 0) for mint, shares in HELD)
    return Statement(GENESIS, PROGRAM, CUSTODIAN, 3, now_ms, now_ms // 1_000 + 3_600, entries)


async def refusal(world: Quorum, proposal: Statement) -> SignRefused:
    with pytest.raises(SignRefused) as refused:
        await world.agents[0].signer.sign(proposal)
    return refused.value


async def test_the_same_statement_is_signed_again_alike_but_no_other_of_its_time_nor_an_older_one(
    tmp_path: Path,
) -> None:
    async with quorum(tmp_path, HELD) as world:
        proposal = a_proposal()
        first = await world.agents[0].signer.sign(proposal)
        assert await world.agents[0].signer.sign(proposal) == first
        lower = tuple(replace(entry, shares_micro=0, capacity_raw=0) for entry in proposal.entries)
        assert (await refusal(world, replace(proposal, entries=lower))).code == "not_newer"
        assert (await refusal(world, replace(proposal, observed_ms=proposal.observed_ms - 1))).code == "not_newer"
        only_one = replace(proposal, entries=lower[:1], observed_ms=proposal.observed_ms - 1)
        assert (await refusal(world, only_one)).code == "not_newer"
        await world.agents[0].signer.sign(replace(proposal, entries=lower, observed_ms=proposal.observed_ms + 1))


async def test_a_restart_forgets_no_record_signature(tmp_path: Path) -> None:
    chain = FakeChain()
    async with quorum(tmp_path, HELD, chain=chain) as world:
        proposal = a_proposal()
        first = await world.agents[0].signer.sign(proposal)
    async with quorum(tmp_path, HELD, chain=chain) as world:
        lower = tuple(replace(entry, shares_micro=0, capacity_raw=0) for entry in proposal.entries)
        assert (await refusal(world, replace(proposal, entries=lower))).code == "not_newer"
        assert (await refusal(world, replace(proposal, observed_ms=proposal.observed_ms - 1))).code == "not_newer"
        assert await world.agents[0].signer.sign(proposal) == first


async def test_a_lost_store_is_made_good_by_what_the_chain_shows(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        proposal = a_proposal()
        world.chain.put(*(asset_view(mint, entry_of(observed_ms=proposal.observed_ms)) for mint in MINTS))
        refused = await refusal(world, proposal)
        assert isinstance(refused, EntriesRefused)
        assert {line.reason.value for line in refused.refused} == {"too_early"}
        await world.agents[0].signer.sign(replace(proposal, observed_ms=proposal.observed_ms + 1))


async def test_above_the_own_books_nothing_is_signed_and_the_own_numbers_are_told(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        proposal = a_proposal()
        more = replace(proposal.entries[1], shares_micro=2_000_001, capacity_raw=200_000_100)
        refused = await refusal(world, replace(proposal, entries=(proposal.entries[0], more, proposal.entries[2])))
        assert isinstance(refused, AboveLimits)
        (limit,) = refused.limits
        assert (limit.entry.mint, limit.entry.shares_micro, limit.entry.capacity_raw) == (
            MINTS[1], 2_000_000, 200_000_000,
        )  # fmt: skip
        await world.agents[0].signer.sign(proposal)  # nothing was promised for the refused one


async def test_capacity_and_seen_redemptions_count_together(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        world.chain.put(asset_view(MINTS[0], entry_of(redeemed_total_raw=1_000)))
        change_book(tmp_path / "agent0" / "books.json", MINTS[0], redeemed_seen_raw=300)
        base = a_proposal()
        own = base.entries[0]  # 1 share: capacity 100,000,000 and 300 seen

        def one(shares_micro: int, seen_raw: int) -> Statement:
            entry = replace(own, shares_micro=shares_micro, capacity_raw=shares_micro * 100, redeemed_seen_raw=seen_raw)
            return replace(base, entries=(entry,))

        assert (await refusal(world, one(1_000_003, 1))).code == "above_limits"
        assert (await refusal(world, one(999_990, 1_001))).code == "entries_refused"
        await world.agents[0].signer.sign(one(1_000_003, 0))


REFUSED = [
    ("genesis_hash", {"genesis_hash": PROGRAM}, "wrong_genesis_hash"),
    ("program_id", {"program_id": GENESIS}, "wrong_program_id"),
    ("custodian", {"custodian": GENESIS}, "unknown_custodian"),
    ("epoch", {"epoch": 2}, "wrong_epoch"),
]


@pytest.mark.parametrize(("changes", "code"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
async def test_a_statement_of_another_place_is_refused_by_name(
    tmp_path: Path, changes: dict[str, object], code: str
) -> None:
    async with quorum(tmp_path, HELD) as world:
        proposal = a_proposal()
        assert (await refusal(world, replace(proposal, **changes))).code == code  # type: ignore[arg-type]
        await world.agents[0].signer.sign(proposal)


async def test_times_out_of_bounds_are_refused_by_name(tmp_path: Path) -> None:
    chain = FakeChain()
    chain.put(*(asset_view(mint) for mint in MINTS))
    clock = [1_700_000_000_000]
    settings = make_settings(tmp_path / "agent", AGENT_KEY, HELD)
    async with serve_attester(settings, chain, now_ms=lambda: clock[0]) as agent:
        base = replace(a_proposal(), observed_ms=clock[0], expires_ts=clock[0] // 1_000 + 3_600)
        wrong = [
            ("clock_skew", {"observed_ms": clock[0] + 2_001}),
            ("too_old", {"observed_ms": clock[0] - 60_001}),
            ("bad_expiry", {"expires_ts": clock[0] // 1_000}),
            ("bad_expiry", {"expires_ts": base.expires_ts + 1}),
        ]
        for code, changes in wrong:
            with pytest.raises(SignRefused) as refused:
                await agent.signer.sign(replace(base, **changes))
            assert refused.value.code == code
        for observed_ms in (clock[0] - 60_000, clock[0], clock[0] + 2_000):
            expires_ts = observed_ms // 1_000 + 3_600
            await agent.signer.sign(replace(base, observed_ms=observed_ms, expires_ts=expires_ts))


async def test_a_multiplier_of_the_books_that_is_not_the_chains_stops_signing(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        two_bits = multiplier_bits_of("2.0")
        world.chain.put(asset_view(MINTS[0], multiplier_bits=two_bits))
        proposal = a_proposal()
        alone = replace(proposal, entries=proposal.entries[:1])
        assert (await refusal(world, alone)).code == "entries_refused"
        change_book(tmp_path / "agent0" / "books.json", MINTS[0], multiplier="2.0", multiplier_bits=two_bits)
        assert (await refusal(world, alone)).code == "entries_refused"  # the proposal still has the old one
        entry = replace(alone.entries[0], multiplier_bits=two_bits, capacity_raw=50_000_000)
        await world.agents[0].signer.sign(replace(alone, entries=(entry,)))


async def test_a_clock_that_went_back_far_proposes_nothing(tmp_path: Path) -> None:
    chain = FakeChain()
    chain.put(*(asset_view(mint) for mint in MINTS))
    clock = [time.time_ns() // 1_000_000]
    async with quorum(tmp_path, HELD, chain=chain) as world:
        settings = make_settings(tmp_path / "other", CUSTODIAN_KEY, HELD, [world.agents[0].url])
        async with serve_attester(settings, chain, now_ms=lambda: clock[0]) as custodian:
            only_statement(await read(custodian.url, MINTS))
            clock[0] -= 5_000
            (failure,) = (await read(custodian.url, MINTS)).failures
            assert "behind what it signed last" in failure.reason


async def test_a_signer_lets_an_asset_that_changes_its_multiplier_stand_alone(tmp_path: Path) -> None:
    chain = FakeChain()
    chain.put(asset_view(MINTS[1], change=(int(time.time()) + 600, multiplier_bits_of("2.0"))))
    async with quorum(tmp_path, HELD, chain=chain) as world:
        proposal = a_proposal()
        refused = await refusal(world, proposal)
        assert isinstance(refused, EntriesRefused)
        assert [(line.mint, line.reason.value) for line in refused.refused] == [(MINTS[1], "ask_alone")]
        await world.agents[0].signer.sign(replace(proposal, entries=proposal.entries[1:2]))


async def test_a_signature_waits_for_whoever_writes_the_books(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        file = BooksFile(tmp_path / "agent0" / "books.json", 1)
        with file.held(for_writing=True) as books:
            signing = asyncio.create_task(world.agents[0].signer.sign(a_proposal()))
            done, _ = await asyncio.wait({signing}, timeout=0.3)
            assert not done
            less = replace(books.assets[MINTS[0]], shares_micro=0, allotments=())
            file.write(books_of(1, [less, *(books.assets[mint] for mint in MINTS[1:])]))
        with pytest.raises(EntriesRefused):
            await signing


async def test_shares_are_never_marked_earlier_than_what_was_signed_with_them(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        proposal = a_proposal()
        ahead = replace(proposal, observed_ms=proposal.observed_ms + 1_900)
        await world.agents[0].signer.sign(ahead)
        leaving = books_mark_leaving(world.agent_settings[0], 1, "S0x", "1").leaving
        assert leaving is not None
        assert leaving.marked_ms >= ahead.observed_ms


async def test_redemptions_counted_beyond_the_chains_are_left_out(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        change_book(tmp_path / "custodian" / "books.json", MINTS[0], redeemed_seen_raw=1)
        (one,) = (await read(world.custodian.url, MINTS)).omitted
        assert (one.mint, one.reason) == (MINTS[0], "seen_above_total")
        assert one.detail.startswith("the books count")
        world.chain.put(asset_view(MINTS[0], entry_of(redeemed_total_raw=1)))
        world.custodian.signer._chain_view._cached.clear()  # type: ignore[attr-defined]
        world.agents[0].signer._chain_view._cached.clear()  # type: ignore[attr-defined]
        change_book(tmp_path / "agent0" / "books.json", MINTS[0], redeemed_seen_raw=1)
        assert reasons(await read(world.custodian.url, MINTS)) == {}


async def test_two_agents_without_the_custodian_are_no_quorum(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD, agent_keys=[AGENT_KEY]) as world:
        settings = make_settings(tmp_path / "second", SECOND_AGENT_KEY, HELD, [world.agents[0].url])
        async with serve_attester(settings, world.chain) as second_agent:
            (failure,) = (await read(second_agent.url, MINTS)).failures
            assert "503" in failure.reason


async def test_the_chain_is_read_once_for_a_moment_and_again_later() -> None:
    chain = FakeChain()
    chain.put(*(asset_view(mint) for mint in MINTS))
    now = [10.0]
    cached = CachedChainView(chain, lambda: now[0], cache_secs=1.0)
    first = await cached.snapshot(CUSTODIAN, MINTS[:2])
    now[0] += 0.9
    assert (await cached.snapshot(CUSTODIAN, MINTS[:2])).assets == first.assets
    assert chain.reads == 1
    assert list((await cached.snapshot(CUSTODIAN, MINTS)).assets) == list(MINTS)
    assert chain.reads == 2  # only the third was missing
    now[0] += 0.1
    chain.put(asset_view(MINTS[0], supply_raw=7))
    assert (await cached.snapshot(CUSTODIAN, MINTS)).assets[MINTS[0]].mint.supply_raw == 7
    assert chain.reads == 3


# ---- sidecars that lie -----------------------------------------------------------------------------------------


@asynccontextmanager
async def liar(path: str, answer: Callable[[Any], Any]) -> AsyncIterator[str]:
    """A server that answers what it likes."""

    async def handle(request: web.Request) -> web.Response:
        body = answer(await request.json())
        return web.Response(body=body if isinstance(body, bytes) else json.dumps(body).encode())

    app = web.Application()
    app.router.add_post(path, handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("key", [AGENT_KEY, STRANGER_KEY])
async def test_a_peers_false_signature_makes_no_quorum(tmp_path: Path, key: Keypair) -> None:
    signature = {"key": str(key.pubkey()), "party": 1, "signature": bytes(key.sign_message(b"else")).hex()}
    chain = FakeChain()
    chain.put(*(asset_view(mint) for mint in MINTS))
    async with liar("/v1/cosign", lambda _: signature) as url:
        settings = make_settings(tmp_path / "custodian", CUSTODIAN_KEY, HELD, [url])
        async with serve_attester(settings, chain) as custodian:
            (failure,) = (await read(custodian.url, MINTS)).failures
            assert "not of a present key" in failure.reason


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


# ---- the source ------------------------------------------------------------------------------------------------


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
    async with quorum(tmp_path, [(mint, 1_000_000) for mint in mints]) as world:
        groups = [tuple(mints[start : start + 24]) for start in range(0, len(mints), 24)]
        reading = await read(world.custodian.url, *groups)
        assert reading.failures == ()
        stated = [entry.mint for _, signed in reading.statements for entry in signed.statement.entries]
        assert sorted(stated) == mints
        assert all(verified(signed, world.chain) for _, signed in reading.statements)
