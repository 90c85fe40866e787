"""Sidecars over loopback HTTP: quorum, minimum, what is left out."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from solders.keypair import Keypair

from tests.custody.builders import (
    AGENT_KEY,
    CUSTODIAN,
    CUSTODIAN_KEY,
    PROGRAM,
    SECOND_AGENT_KEY,
    STRANGER_KEY,
    asset_view,
    attester_keys,
    custodian_account,
    entry_of,
    make_settings,
    mint_of,
)
from tests.custody.fakes import FakeChain
from tests.custody.sidecars import (
    HELD,
    MINTS,
    change_book,
    liar,
    only_statement,
    quorum,
    read,
    reasons,
    shares_of,
    verified,
)
from xstocks_daemon.attester import books_deposit, books_mark_leaving
from xstocks_daemon.attester.run import serve_attester
from xstocks_daemon.domain.units import multiplier_bits_of


async def test_two_sidecars_make_a_statement_that_verifies(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        signed = only_statement(await read(world.custodian.url, tuple(reversed(MINTS))))
        assert shares_of(signed) == [1_000_000_000, 2_000_000_000, 3_000_000_000]
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
    less = [(MINTS[0], 999_999_000), (MINTS[1], 5_000_000_000), (MINTS[2], 0)]
    async with quorum(tmp_path, HELD, agent_holdings=less) as world:
        signed = only_statement(await read(world.custodian.url, MINTS))
        assert shares_of(signed) == [999_999_000, 2_000_000_000, 0]
        assert verified(signed, world.chain)


async def test_at_most_lowers_and_never_raises(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        limits = {MINTS[0]: 7, MINTS[1]: 10**12}
        signed = only_statement(await read(world.custodian.url, MINTS, at_most_nano=limits))
        assert shares_of(signed) == [7, 2_000_000_000, 3_000_000_000]


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


async def test_signatures_are_in_the_order_of_their_keys_whoever_signed_first(tmp_path: Path) -> None:
    """The program wants them so, and a lower statement goes there as it was made."""
    async with quorum(tmp_path, HELD, agent_keys=[AGENT_KEY, SECOND_AGENT_KEY]) as world:
        world.chain.custodian = custodian_account(threshold=3)
        signed = (await world.custodian.proposer.propose(CUSTODIAN, MINTS)).signed
        assert signed is not None
        # The own key signs last, and is neither the first nor the last of the three.
        order = [AGENT_KEY, CUSTODIAN_KEY, SECOND_AGENT_KEY]
        assert [one.key for one in signed.signatures] == [bytes(key.pubkey()) for key in order]


async def test_what_cannot_be_stated_is_left_out_by_name_and_the_rest_is_stated(tmp_path: Path) -> None:
    unknown, unregistered, foreign, ripped, split, ahead = (mint_of(number) for number in range(10, 16))
    held = [*HELD, *((mint, 5_000) for mint in (unregistered, foreign, ripped, split, ahead))]
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
        assert shares_of(only_statement(await read(world.custodian.url, MINTS)))[0] == 1_000_000_000
        books_deposit(world.agent_settings[0], 1, "S0x", "2.5")
        assert shares_of(only_statement(await read(world.custodian.url, MINTS)))[0] == 3_500_000_000


@pytest.mark.parametrize("who", ["custodian", "agent"])
async def test_shares_marked_to_leave_by_one_are_stated_no_more(tmp_path: Path, who: str) -> None:
    async with quorum(tmp_path, HELD) as world:
        settings = world.settings if who == "custodian" else world.agent_settings[0]
        books_mark_leaving(settings, 1, "S2x", "1.25")
        signed = only_statement(await read(world.custodian.url, MINTS))
        assert shares_of(signed)[2] == 1_750_000_000
        assert verified(signed, world.chain)


async def test_broken_books_are_a_named_failure_and_heal_when_repaired(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        path = tmp_path / "custodian" / "books.json"
        good = path.read_text()
        path.write_text(good.replace('"1000000000"', "1000000000.0", 1))
        (failure,) = (await read(world.custodian.url, MINTS)).failures
        assert "shares_nano" in failure.reason
        path.write_text(good)
        assert only_statement(await read(world.custodian.url, MINTS))


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
