"""M13: shares leave only when every condition holds at finalized; each is broken alone, beside a passing twin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.custody.builders import (
    CUSTODIAN,
    CUSTODIAN_KEY,
    GENESIS,
    POLICY,
    PROGRAM,
    asset_view,
    custodian_account,
    entry_of,
    make_settings,
    mint_of,
    snapshot_of,
)
from tests.custody.fakes import FakeChain
from xstocks_daemon.attester import ReleaseRefused, books_mark_leaving, books_show
from xstocks_daemon.attester.books import AssetBook, Leaving, Target, new_asset_book
from xstocks_daemon.attester.books_changes import with_leaving
from xstocks_daemon.attester.operations import release_with
from xstocks_daemon.attester.release import Condition, unmet_conditions
from xstocks_daemon.chain.addresses import ProgramAddresses
from xstocks_daemon.domain.snapshot import AssetView, EntryState, Hold
from xstocks_daemon.domain.units import multiplier_bits_of
from xstocks_daemon.errors import UserError

MINT = mint_of(1)
HERE = Target(GENESIS, PROGRAM, MINT)
SKEW_MS = 2_000
MARKED_MS = 1_700_000_000_000
NOW_TS = MARKED_MS // 1_000 + 60
LEAVING = Leaving("a", HERE, 4_000_000_000, MARKED_MS)
BOOK = with_leaving(new_asset_book(HERE, "Xx", 10_000_000_000, "1.0"), LEAVING)
RELEASABLE = entry_of(
    withdrawn=False,
    observed_ms=MARKED_MS + SKEW_MS + 1,
    shares_nano=6_000_000_000,
    capacity_raw=600_000_000,
    redeemed_total_raw=100,
    redeemed_seen_raw=100,
)
OTHER = ProgramAddresses(PROGRAM).custodian(2)


def unmet(view: AssetView, book: AssetBook = BOOK, leaving: Leaving = LEAVING, **custodian: object) -> set[Condition]:
    other = custodian_account(address=OTHER, id=2)
    snapshot = snapshot_of(view, custodian=custodian_account(**custodian), now_ts=NOW_TS)
    snapshot = replace(snapshot, custodians={**snapshot.custodians, OTHER: other})
    found = unmet_conditions(book, leaving, CUSTODIAN, snapshot, SKEW_MS)
    return {one.condition for one in found}


def view(*, supply_raw: int = 600_000_000, holds: Hold | None = None, **entry: object) -> AssetView:
    return asset_view(MINT, replace(RELEASABLE, **entry), supply_raw=supply_raw, holds=holds)  # type: ignore[arg-type]


def test_shares_leave_when_everything_holds() -> None:
    assert unmet(view()) == set()


@pytest.mark.parametrize("hold", list(Hold))
def test_a_hold_keeps_them(hold: Hold) -> None:
    assert unmet(view(holds=hold)) == {Condition.NO_HOLD}


@pytest.mark.parametrize(
    ("change", "changed_ts", "stays"),
    [
        ((NOW_TS + 1, multiplier_bits_of("2")), 0, True),
        (None, NOW_TS - POLICY.ca_window_secs + 1, True),
        (None, NOW_TS - POLICY.ca_window_secs, False),
    ],
)
def test_a_multiplier_change_keeps_them_until_its_window_is_over(
    change: tuple[int, int] | None, changed_ts: int, stays: bool
) -> None:
    around = asset_view(MINT, RELEASABLE, supply_raw=1, change=change, changed_ts=changed_ts)
    assert unmet(around) == ({Condition.NOT_AROUND_CHANGE} if stays else set())


def test_a_change_that_the_entry_has_confirmed_keeps_them_no_more() -> None:
    around = asset_view(MINT, replace(RELEASABLE, confirmed=True), supply_raw=1, changed_ts=NOW_TS - 1)
    assert unmet(around) == set()
    cancelled = replace(around, asset=replace(around.asset, change_cancelled_ts=NOW_TS - 1))
    assert unmet(cancelled) == {Condition.NOT_AROUND_CHANGE}


def test_books_entry_and_chain_have_one_multiplier() -> None:
    two = multiplier_bits_of("2")
    assert unmet(view(), replace(BOOK, multiplier_bits=two)) == {Condition.NOT_AROUND_CHANGE}
    other_chain = asset_view(MINT, RELEASABLE, multiplier_bits=two)
    assert unmet(other_chain) == {Condition.NOT_AROUND_CHANGE}
    # An entry of another multiplier backs no supply either.
    other_entry = replace(RELEASABLE, multiplier_bits=two)
    assert unmet(asset_view(MINT, other_entry, supply_raw=1)) == {Condition.NOT_AROUND_CHANGE, Condition.SUPPLY_BACKED}
    assert unmet(asset_view(MINT, other_entry)) == {Condition.NOT_AROUND_CHANGE}
    everywhere = asset_view(MINT, replace(RELEASABLE, multiplier_bits=two), multiplier_bits=two)
    assert unmet(everywhere, replace(BOOK, multiplier_bits=two)) == set()


def test_an_entry_with_one_billionth_of_them_keeps_them() -> None:
    # Capacity stays, so nothing but the shares is wrong.
    assert unmet(view(shares_nano=6_000_000_001)) == {Condition.WITHOUT_THE_SHARES}
    assert unmet(view(shares_nano=6_000_000_000)) == set()


def test_a_statement_within_the_skew_after_the_mark_keeps_them() -> None:
    assert unmet(view(observed_ms=MARKED_MS + SKEW_MS)) == {Condition.OBSERVED_AFTER_MARK}
    assert unmet(view(observed_ms=MARKED_MS + SKEW_MS + 1)) == set()


def test_unseen_redemptions_above_the_own_capacity_keep_them() -> None:
    # Another custodian backs the supply, so only the own entry is wrong.
    other = entry_of(OTHER, withdrawn=False, observed_ms=MARKED_MS, shares_nano=10**12, capacity_raw=10**11)

    def with_unseen(unseen_raw: int) -> AssetView:
        own = replace(RELEASABLE, redeemed_total_raw=100 + unseen_raw)
        return asset_view(MINT, own, other, supply_raw=0)

    assert unmet(with_unseen(600_000_001)) == {Condition.COVERS_UNSEEN}
    assert unmet(with_unseen(600_000_000)) == set()


def test_supply_above_what_is_backed_keeps_them() -> None:
    assert unmet(view(supply_raw=600_000_001)) == {Condition.SUPPLY_BACKED}
    assert unmet(view(supply_raw=600_000_000)) == set()


def test_unseen_redemptions_reduce_what_is_backed_and_the_floor_at_zero_does_not_count() -> None:
    assert unmet(view(redeemed_total_raw=101)) == {Condition.SUPPLY_BACKED}
    assert unmet(view(redeemed_total_raw=101, supply_raw=599_999_999)) == set()
    detached = entry_of(OTHER, state=EntryState.DETACHED, redeemed_total_raw=600_000_001)
    assert unmet(asset_view(MINT, RELEASABLE, detached, supply_raw=0)) == {Condition.SUPPLY_BACKED}
    enough = replace(detached, redeemed_total_raw=600_000_000)
    assert unmet(asset_view(MINT, RELEASABLE, enough, supply_raw=0)) == set()


STALE: list[dict[str, object]] = [
    {"expires_ts": NOW_TS},
    {"epoch": 2},
]


@pytest.mark.parametrize("stale", STALE)
def test_a_stale_entry_backs_no_supply(stale: dict[str, object]) -> None:
    assert unmet(view(**stale)) == {Condition.SUPPLY_BACKED}  # type: ignore[arg-type]
    assert unmet(view(supply_raw=0, **stale)) == set()  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [{"withdrawn": True}, {"state": EntryState.DETACHED}, {"custodian": OTHER}])
def test_without_a_quorum_statement_of_the_custodian_they_stay(change: dict[str, object]) -> None:
    assert unmet(view(supply_raw=0, **change)) == {Condition.QUORUM_ENTRY}  # type: ignore[arg-type]


def test_without_an_asset_they_stay() -> None:
    foreign = asset_view(mint_of(2))
    assert unmet(foreign) == {Condition.QUORUM_ENTRY}


def test_of_two_leavings_the_earlier_goes_by_a_statement_that_still_has_the_later() -> None:
    later = Leaving("b", HERE, 1_000_000_000, MARKED_MS + 10_000)
    book = with_leaving(BOOK, later)
    assert unmet(view(), book, LEAVING) == set()
    assert unmet(view(), book, later) == {Condition.WITHOUT_THE_SHARES, Condition.OBSERVED_AFTER_MARK}
    without_both = view(observed_ms=later.marked_ms + SKEW_MS + 1, shares_nano=5_000_000_000)
    assert unmet(without_both, book, later) == set()


def test_everything_unmet_is_named_at_once() -> None:
    wrong = view(
        shares_nano=10_000_000_000, observed_ms=MARKED_MS, capacity_raw=1, redeemed_total_raw=200, holds=Hold.RISE
    )
    wrong = replace(wrong, asset=replace(wrong.asset, multiplier_changed_ts=NOW_TS))
    assert unmet(wrong) == set(Condition) - {Condition.QUORUM_ENTRY}


async def test_the_operation_releases_only_what_may_leave(tmp_path: Path) -> None:
    settings = make_settings(tmp_path / "sidecar", CUSTODIAN_KEY, [(MINT, 10_000_000_000)], max_skew_ms=SKEW_MS)
    leaving = books_mark_leaving(settings, 1, "S0x", "4").leaving
    assert leaving is not None
    chain = FakeChain()
    needed_ms = leaving.marked_ms + SKEW_MS + 1
    chain.put(asset_view(MINT, replace(RELEASABLE, observed_ms=needed_ms - 1), supply_raw=1))
    before = settings.custodians[0].books_file.read_bytes()
    with pytest.raises(ReleaseRefused) as refused:
        await release_with(chain, settings, 1, "S0x", leaving.id)
    assert [one.condition for one in refused.value.unmet] == [Condition.OBSERVED_AFTER_MARK]
    assert "observed_after_mark" in str(refused.value)
    assert settings.custodians[0].books_file.read_bytes() == before

    chain.put(asset_view(MINT, replace(RELEASABLE, observed_ms=needed_ms), supply_raw=1))
    change = await release_with(chain, settings, 1, "S0x", leaving.id)
    assert (change.asset.shares_nano, change.asset.leaving) == (6_000_000_000, ())
    assert books_show(settings, 1).find("S0x") == change.asset
    with pytest.raises(UserError) as gone:
        await release_with(chain, settings, 1, "S0x", leaving.id)
    assert (gone.value.field, gone.value.value) == ("leaving id", leaving.id)


async def test_the_larger_of_both_skews_counts(tmp_path: Path) -> None:
    settings = make_settings(tmp_path / "sidecar", CUSTODIAN_KEY, [(MINT, 10_000_000_000)], max_skew_ms=50_000)
    leaving = books_mark_leaving(settings, 1, "S0x", "4").leaving
    assert leaving is not None
    chain = FakeChain()
    chain.put(asset_view(MINT, replace(RELEASABLE, observed_ms=leaving.marked_ms + 50_000)))
    with pytest.raises(ReleaseRefused):
        await release_with(chain, settings, 1, "S0x", leaving.id)
    chain.put(asset_view(MINT, replace(RELEASABLE, observed_ms=leaving.marked_ms + 50_001)))
    await release_with(chain, settings, 1, "S0x", leaving.id)


async def test_a_chain_that_cannot_be_read_releases_nothing(tmp_path: Path) -> None:
    settings = make_settings(tmp_path / "sidecar", CUSTODIAN_KEY, [(MINT, 10_000_000_000)])
    leaving = books_mark_leaving(settings, 1, "S0x", "4").leaving
    assert leaving is not None
    with pytest.raises(UserError) as refused:
        await release_with(FakeChain(failing_reads=1), settings, 1, "S0x", leaving.id)
    assert refused.value.field == "rpc_urls"
    assert books_show(settings, 1).find("S0x").shares_nano == 10_000_000_000
