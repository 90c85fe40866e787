"""What a signer promises, over restarts, and what it refuses by name."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.custody.builders import AGENT_KEY, GENESIS, PROGRAM, asset_view, entry_of, make_settings
from tests.custody.fakes import FakeChain
from tests.custody.sidecars import (
    HELD,
    MINTS,
    Quorum,
    a_proposal,
    change_book,
    quorum,
)
from xstocks_daemon.attester import books_mark_leaving
from xstocks_daemon.attester.books import books_of
from xstocks_daemon.attester.books_file import BooksFile
from xstocks_daemon.attester.run import serve_attester
from xstocks_daemon.attester.signer import AboveLimits, EntriesRefused, SignRefused
from xstocks_daemon.domain.statement import Statement
from xstocks_daemon.domain.units import multiplier_bits_of


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
        lower = tuple(replace(entry, shares_nano=0, capacity_raw=0) for entry in proposal.entries)
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
        lower = tuple(replace(entry, shares_nano=0, capacity_raw=0) for entry in proposal.entries)
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
        more = replace(proposal.entries[1], shares_nano=2_000_000_010, capacity_raw=200_000_001)
        refused = await refusal(world, replace(proposal, entries=(proposal.entries[0], more, proposal.entries[2])))
        assert isinstance(refused, AboveLimits)
        (limit,) = refused.limits
        assert (limit.entry.mint, limit.entry.shares_nano, limit.entry.capacity_raw) == (
            MINTS[1], 2_000_000_000, 200_000_000,
        )  # fmt: skip
        await world.agents[0].signer.sign(proposal)  # nothing was promised for the refused one


async def test_capacity_and_seen_redemptions_count_together(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD) as world:
        world.chain.put(asset_view(MINTS[0], entry_of(redeemed_total_raw=1_000)))
        change_book(tmp_path / "agent0" / "books.json", MINTS[0], redeemed_seen_raw=300)
        base = a_proposal()
        own = base.entries[0]  # 1 share: capacity 100,000,000 and 300 seen

        def one(shares_nano: int, seen_raw: int) -> Statement:
            entry = replace(own, shares_nano=shares_nano, capacity_raw=shares_nano // 10, redeemed_seen_raw=seen_raw)
            return replace(base, entries=(entry,))

        assert (await refusal(world, one(1_000_003_000, 1))).code == "above_limits"
        assert (await refusal(world, one(999_990_000, 1_001))).code == "entries_refused"
        await world.agents[0].signer.sign(one(1_000_003_000, 0))


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
        wrong: list[tuple[str, dict[str, Any]]] = [
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
            less = replace(books.assets[MINTS[0]], shares_nano=0, allotments=())
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
