"""The signer's checks one by one: each refusal by its name beside a statement that passes, and what is put down."""

from __future__ import annotations

import asyncio
import fcntl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.custody.builders import (
    AGENT_KEY,
    CUSTODIAN,
    CUSTODIAN_KEY,
    GENESIS,
    ONE_BITS,
    PROGRAM,
    address_of,
    asset_view,
    attester_keys,
    custodian_account,
    entry_of,
    make_settings,
    mint_of,
)
from tests.custody.fakes import FakeChain
from tests.custody.sidecars import change_book
from xstocks_daemon.attester import books_mark_leaving
from xstocks_daemon.attester.books_file import BooksFile
from xstocks_daemon.attester.run import RunningAttester, serve_attester
from xstocks_daemon.attester.settings import AttesterSettings
from xstocks_daemon.attester.signer import AboveLimits, EntriesRefused, SignRefused
from xstocks_daemon.domain.snapshot import CustodianState, EntryState
from xstocks_daemon.domain.statement import Statement, StatementEntry
from xstocks_daemon.domain.units import MILLIS_PER_SEC, multiplier_bits_of

NOW_MS = 1_700_000_000_000
NOW_TS = NOW_MS // MILLIS_PER_SEC
MINTS = (mint_of(1), mint_of(2))
SHARE = 10**9
SIXTEENTH_BITS = multiplier_bits_of("0.0625")


@dataclass
class Agent:
    """The agent's sidecar alone, over a chain and a clock that the test sets."""

    running: RunningAttester
    settings: AttesterSettings
    chain: FakeChain
    clock_ms: list[int]

    @property
    def books(self) -> Path:
        return self.settings.custodians[0].books_file

    async def sign(self, statement: Statement) -> None:
        # What was read of the chain a moment ago is not believed: the test has changed it since.
        self.running.signer._chain_view._cached.clear()  # type: ignore[attr-defined]
        signed = await self.running.signer.sign(statement)
        assert (signed.key, signed.party) == (address_of(AGENT_KEY), 1)

    async def refused(self, statement: Statement) -> SignRefused:
        """The refusal; nothing was put down for it."""
        before = self.signed_ms()
        with pytest.raises(SignRefused) as refused:
            await self.sign(statement)
        assert self.signed_ms() == before
        return refused.value

    async def refused_entries(self, statement: Statement) -> list[tuple[int, str]]:
        """(number of the entry's mint, reason)"""
        refused = await self.refused(statement)
        assert isinstance(refused, EntriesRefused)
        return [(MINTS.index(one.mint) + 1, one.reason.value) for one in refused.refused]

    def signed_ms(self) -> list[int]:
        return [self.running.signer._store.last_observed_ms(CUSTODIAN, [mint]) for mint in MINTS]


@asynccontextmanager
async def agent(folder: Path, **changes: object) -> AsyncIterator[Agent]:
    chain, clock_ms = FakeChain(), [NOW_MS]
    chain.put(*(asset_view(mint) for mint in MINTS))
    settings = make_settings(folder / "agent", AGENT_KEY, [(mint, SHARE) for mint in MINTS], **changes)  # type: ignore[arg-type]
    async with serve_attester(settings, chain, now_ms=lambda: clock_ms[0]) as running:
        yield Agent(running, settings, chain, clock_ms)


def entry(number: int = 1, **changes: Any) -> StatementEntry:
    return replace(StatementEntry(MINTS[number - 1], ONE_BITS, SHARE, 10**8, 0), **changes)


def proposal(*entries: StatementEntry, **changes: Any) -> Statement:
    base = Statement(GENESIS, PROGRAM, CUSTODIAN, 3, NOW_MS, NOW_TS + 3_600, entries or (entry(1), entry(2)))
    return replace(base, **changes)


# ---- whose key ------------------------------------------------------------------------------------------------------


async def test_nothing_is_signed_for_a_retired_custodian(tmp_path: Path) -> None:
    async with agent(tmp_path) as one:
        one.chain.custodian = custodian_account(state=CustodianState.RETIRED)
        assert (await one.refused(proposal())).code == "custodian_not_active"
        one.chain.custodian = custodian_account()
        await one.sign(proposal())


async def test_nothing_is_signed_for_a_custodian_that_the_chain_does_not_know(tmp_path: Path) -> None:
    async with agent(tmp_path) as one:
        one.chain.custodian = custodian_account(address=PROGRAM)
        assert (await one.refused(proposal())).code == "custodian_not_active"
        one.chain.custodian = custodian_account()
        await one.sign(proposal())


async def test_a_key_signs_until_the_moment_in_which_it_expires(tmp_path: Path) -> None:
    async with agent(tmp_path) as one:
        one.chain.custodian = custodian_account(
            keys=attester_keys((CUSTODIAN_KEY, 0), (AGENT_KEY, 1), expires_ts=NOW_TS)
        )
        assert (await one.refused(proposal())).code == "key_not_in_set"
        one.clock_ms[0] = NOW_MS - 1
        await one.sign(proposal())


async def test_a_key_that_is_not_in_the_set_does_not_sign(tmp_path: Path) -> None:
    async with agent(tmp_path) as one:
        one.chain.custodian = custodian_account(keys=attester_keys((CUSTODIAN_KEY, 0)))
        assert (await one.refused(proposal())).code == "key_not_in_set"
        one.chain.custodian = custodian_account()
        await one.sign(proposal())


@pytest.mark.parametrize("epoch", [2, 4])
async def test_another_key_epoch_is_refused(tmp_path: Path, epoch: int) -> None:
    async with agent(tmp_path) as one:
        assert (await one.refused(proposal(epoch=epoch))).code == "wrong_epoch"
        await one.sign(proposal())


# ---- times ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("own_ms", "chain_secs", "allowed_ms"), [(60_000, 2, 2_000), (500, 2, 500)])
async def test_the_smaller_of_both_skews_counts(tmp_path: Path, own_ms: int, chain_secs: int, allowed_ms: int) -> None:
    async with agent(tmp_path, max_skew_ms=own_ms) as one:
        snapshot = await one.chain.snapshot(CUSTODIAN, [])
        assert snapshot.config.max_skew_secs == chain_secs
        ahead = NOW_MS + allowed_ms + 1
        assert (await one.refused(proposal(observed_ms=ahead, expires_ts=NOW_TS + 60))).code == "clock_skew"
        await one.sign(proposal(observed_ms=ahead - 1, expires_ts=NOW_TS + 60))


async def test_the_settings_bounds_are_the_signers(tmp_path: Path) -> None:
    async with agent(tmp_path, lifetime_secs=100, max_skew_ms=700, max_proposal_age_ms=3_000) as one:
        limits = one.running.signer.limits
        assert (limits.lifetime_secs, limits.max_skew_ms, limits.max_age_ms) == (100, 700, 3_000)
        short = NOW_TS + 90
        assert (await one.refused(proposal(expires_ts=NOW_TS + 101))).code == "bad_expiry"
        assert (await one.refused(proposal(observed_ms=NOW_MS - 3_001, expires_ts=short))).code == "too_old"
        await one.sign(proposal(observed_ms=NOW_MS - 3_000, expires_ts=short))


async def test_the_clock_is_read_under_the_lock_of_the_books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """M13: a signature that waited for a mark to leave is judged by the time after the mark."""
    async with agent(tmp_path) as one:
        at_the_lock, flock = threading.Event(), fcntl.flock

        def watched(handle: int, mode: int) -> None:
            if mode == fcntl.LOCK_SH:
                at_the_lock.set()
            flock(handle, mode)

        monkeypatch.setattr(fcntl, "flock", watched)
        with BooksFile(one.books, 1).held(for_writing=True):
            signing = asyncio.create_task(one.running.signer.sign(proposal()))
            assert await asyncio.to_thread(at_the_lock.wait, 60)
            one.clock_ms[0] = NOW_MS + 60_001
        with pytest.raises(SignRefused) as refused:
            await signing
        assert refused.value.code == "too_old"
        one.clock_ms[0] = NOW_MS + 60_000
        await one.sign(proposal())


# ---- entries --------------------------------------------------------------------------------------------------------


async def test_one_entry_that_is_refused_refuses_the_statement(tmp_path: Path) -> None:
    async with agent(tmp_path) as one:
        change_book(one.books, MINTS[1], ripcord="the auditors are in")
        assert await one.refused_entries(proposal()) == [(2, "ripcord")]
        await one.sign(proposal(entry(1)))


async def test_one_entry_above_the_books_refuses_the_statement(tmp_path: Path) -> None:
    async with agent(tmp_path) as one:
        more = entry(1, shares_nano=SHARE + 10, capacity_raw=10**8 + 1)
        refused = await one.refused(proposal(more, entry(2)))
        assert isinstance(refused, AboveLimits)
        assert [line.entry for line in refused.limits] == [entry(1)]
        await one.sign(proposal())


@pytest.mark.parametrize("raw", [10**8 - 1, 10**8 + 1])
async def test_a_capacity_that_does_not_follow_from_the_shares_is_refused(tmp_path: Path, raw: int) -> None:
    async with agent(tmp_path) as one:
        assert await one.refused_entries(proposal(entry(1, capacity_raw=raw))) == [(1, "wrong_capacity")]
        await one.sign(proposal(entry(1)))


async def test_a_capacity_that_no_u64_holds_is_refused(tmp_path: Path) -> None:
    async with agent(tmp_path) as one:
        _sixteen_tokens_to_the_share(one)
        huge = entry(1, multiplier_bits=SIXTEENTH_BITS, shares_nano=2**63 + 2**62, capacity_raw=5)
        assert await one.refused_entries(proposal(huge)) == [(1, "out_of_range")]
        await one.sign(proposal(entry(1, multiplier_bits=SIXTEENTH_BITS, capacity_raw=16 * 10**8)))


def _sixteen_tokens_to_the_share(one: Agent) -> None:
    """A multiplier at which an u64 of shares backs more than an u64 of tokens."""
    one.chain.put(asset_view(MINTS[0], multiplier_bits=SIXTEENTH_BITS))
    change_book(one.books, MINTS[0], multiplier="0.0625", multiplier_bits=SIXTEENTH_BITS)


async def test_books_whose_capacity_no_u64_holds_sign_nothing(tmp_path: Path) -> None:
    async with agent(tmp_path) as one:
        (allotment,) = BooksFile(one.books, 1).load().assets[MINTS[0]].allotments
        _sixteen_tokens_to_the_share(one)
        most = 2**63 + 2**62
        change_book(one.books, MINTS[0], shares_nano=most, allotments=(replace(allotment, shares_nano=most),))
        nothing = entry(1, multiplier_bits=SIXTEENTH_BITS, shares_nano=0, capacity_raw=0)
        assert await one.refused_entries(proposal(nothing)) == [(1, "out_of_range")]
        await one.sign(proposal(entry(2)))


async def test_books_of_other_decimals_sign_nothing(tmp_path: Path) -> None:
    async with agent(tmp_path) as one:
        shares = BooksFile(one.books, 1).load().assets[MINTS[0]].shares_nano
        whole = entry(1, shares_nano=shares, capacity_raw=shares // 10**3)
        one.chain.put(asset_view(MINTS[0], decimals=6))
        assert await one.refused_entries(proposal(whole)) == [(1, "decimals_differ")]
        change_book(one.books, MINTS[0], decimals=6)
        await one.sign(proposal(whole))


async def test_another_multiplier_is_refused_though_the_capacity_is_that_of_the_books(tmp_path: Path) -> None:
    async with agent(tmp_path) as one:
        other = entry(1, multiplier_bits=multiplier_bits_of("2.0"))
        assert await one.refused_entries(proposal(other)) == [(1, "multiplier_differs")]
        await one.sign(proposal(entry(1)))


async def test_more_redemptions_than_the_chain_counts_are_refused(tmp_path: Path) -> None:
    async with agent(tmp_path) as one:
        one.chain.put(asset_view(MINTS[0], entry_of(redeemed_total_raw=40)))
        lower = {"shares_nano": 0, "capacity_raw": 0}
        assert await one.refused_entries(proposal(entry(1, redeemed_seen_raw=41, **lower))) == [(1, "seen_above_total")]
        await one.sign(proposal(entry(1, redeemed_seen_raw=40, **lower)))


async def test_seen_redemptions_come_from_the_books_and_not_from_the_chain(tmp_path: Path) -> None:
    """M13: what the chain counts may still be owed out of these shares."""
    async with agent(tmp_path) as one:
        one.chain.put(asset_view(MINTS[0], entry_of(redeemed_total_raw=40)))
        assert isinstance(await one.refused(proposal(entry(1, redeemed_seen_raw=1))), AboveLimits)
        await one.sign(proposal(entry(1)))


@pytest.mark.parametrize("change", [{"custodian": PROGRAM}, {"state": EntryState.DETACHED}])
async def test_an_asset_without_this_custodian_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    async with agent(tmp_path) as one:
        one.chain.put(asset_view(MINTS[0], entry_of(**change)))
        assert await one.refused_entries(proposal()) == [(1, "not_attached")]
        one.chain.put(asset_view(MINTS[0]))
        await one.sign(proposal())


async def test_the_time_of_the_chains_entry_is_too_early(tmp_path: Path) -> None:
    async with agent(tmp_path) as one:
        one.chain.put(asset_view(MINTS[0], entry_of(observed_ms=NOW_MS)))
        assert await one.refused_entries(proposal()) == [(1, "too_early")]
        await one.sign(proposal(observed_ms=NOW_MS + 1))


@pytest.mark.parametrize(("change_ts", "alone"), [(NOW_TS + 3_599, True), (NOW_TS + 3_600, False)])
async def test_an_asset_stands_alone_only_if_it_changes_before_the_expiry(
    tmp_path: Path, change_ts: int, alone: bool
) -> None:
    async with agent(tmp_path) as one:
        # The chain's own clock tells what is pending; it is that of this machine.
        expires_ts = (await one.chain.snapshot(CUSTODIAN, [])).now_ts + 3_000
        shift = expires_ts - (NOW_TS + 3_600)
        one.clock_ms[0] += shift * MILLIS_PER_SEC
        one.chain.put(asset_view(MINTS[1], change=(change_ts + shift, multiplier_bits_of("2.0"))))
        shared = proposal(observed_ms=NOW_MS + shift * MILLIS_PER_SEC, expires_ts=expires_ts)
        if alone:
            assert await one.refused_entries(shared) == [(2, "ask_alone")]
            shared = replace(shared, entries=shared.entries[1:])
        await one.sign(shared)


async def test_shares_allotted_elsewhere_or_leaving_are_not_signed_for(tmp_path: Path) -> None:
    async with agent(tmp_path) as one:
        book = BooksFile(one.books, 1).load().assets[MINTS[0]]
        here = book.allotments[0]
        there = replace(here, target=here.target._replace(genesis_hash=PROGRAM), shares_nano=600_000_000)
        change_book(one.books, MINTS[0], allotments=(replace(here, shares_nano=400_000_000), there))
        books_mark_leaving(one.settings, 1, "S0x", "0.1")
        above = entry(1, shares_nano=300_000_010, capacity_raw=30_000_001)
        assert isinstance(await one.refused(proposal(above)), AboveLimits)
        await one.sign(proposal(entry(1, shares_nano=300_000_000, capacity_raw=30_000_000)))


# ---- what is promised -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2])
async def test_every_mint_of_a_statement_is_promised(tmp_path: Path, number: int) -> None:
    async with agent(tmp_path) as one:
        await one.sign(proposal())
        assert one.signed_ms() == [NOW_MS, NOW_MS]
        other = entry(number, shares_nano=0, capacity_raw=0)
        assert (await one.refused(proposal(other))).code == "not_newer"
        await one.sign(proposal(other, observed_ms=NOW_MS + 1))


async def test_the_promise_is_on_disk_before_the_key_signs(tmp_path: Path) -> None:
    async with agent(tmp_path) as one:
        signer, promised = one.running.signer, list[int]()

        class Key:
            def sign_message(self, digest: bytes) -> object:
                promised.append(signer._store.last_observed_ms(CUSTODIAN, MINTS))
                return AGENT_KEY.sign_message(digest)

        signer._key = Key()  # type: ignore[assignment]
        await one.sign(proposal())
        assert promised == [NOW_MS]


async def test_what_is_signed_is_what_was_proposed(tmp_path: Path) -> None:
    async with agent(tmp_path) as one:
        lower = proposal(entry(1, shares_nano=5_000, capacity_raw=500), expires_ts=NOW_TS + 77)
        signed = await one.running.signer.sign(lower)
        assert signed.signature == bytes(AGENT_KEY.sign_message(lower.digest()))
