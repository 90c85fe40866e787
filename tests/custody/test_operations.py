"""What a custodian's staff does with the books while others work on them, and where shares are allotted elsewhere."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.custody.builders import (
    CUSTODIAN,
    CUSTODIAN_KEY,
    GENESIS,
    PROGRAM,
    asset_view,
    entry_of,
    make_settings,
    mint_of,
)
from tests.custody.fakes import FakeChain
from tests.custody.sidecars import change_book
from xstocks_daemon.attester import ReleaseRefused, books_mark_leaving, books_show, books_unmark
from xstocks_daemon.attester import operations as operations_module
from xstocks_daemon.attester.books import books_of
from xstocks_daemon.attester.books_file import BooksFile, books_json, parse_books
from xstocks_daemon.attester.operations import custodian_address, release_with
from xstocks_daemon.attester.release import Condition
from xstocks_daemon.attester.settings import AttesterSettings
from xstocks_daemon.attester.store import SignedStore
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.domain.snapshot import ChainSnapshot
from xstocks_daemon.domain.units import Address
from xstocks_daemon.errors import UserError

MINT = mint_of(1)
SKEW_MS = 60_000


@pytest.fixture
def settings(tmp_path: Path) -> AttesterSettings:
    return make_settings(tmp_path / "sidecar", CUSTODIAN_KEY, [(MINT, 10_000_000_000)], max_skew_ms=500)


def books_file(settings: AttesterSettings) -> Path:
    return settings.custodians[0].books_file


def marked(settings: AttesterSettings, shares: str = "4") -> tuple[str, int]:
    leaving = books_mark_leaving(settings, 1, "S0x", shares).leaving
    assert leaving is not None
    return leaving.id, leaving.marked_ms


@dataclass
class Chain(FakeChain):
    """Its clock allows `skew_secs`, and it may be another cluster's."""

    skew_secs: int = 60
    genesis: Address = GENESIS

    async def snapshot(self, custodian: Address, mints: Sequence[Address]) -> ChainSnapshot:
        found = await super().snapshot(custodian, mints)
        config = replace(found.config, max_skew_secs=self.skew_secs)
        return replace(found, config=config, genesis_hash=self.genesis)

    def stated(self, observed_ms: int, shares_nano: int = 6_000_000_000) -> None:
        self.put(
            asset_view(
                MINT,
                entry_of(
                    withdrawn=False,
                    observed_ms=observed_ms,
                    shares_nano=shares_nano,
                    capacity_raw=shares_nano // 10,
                ),
            )
        )


async def test_the_chains_skew_counts_where_it_is_the_larger_one(settings: AttesterSettings) -> None:
    leaving_id, marked_ms = marked(settings)
    chain = Chain()
    chain.stated(marked_ms + SKEW_MS)
    with pytest.raises(ReleaseRefused) as refused:
        await release_with(chain, settings, 1, "S0x", leaving_id)
    assert [one.condition for one in refused.value.unmet] == [Condition.OBSERVED_AFTER_MARK]
    chain.stated(marked_ms + SKEW_MS + 1)
    await release_with(chain, settings, 1, "S0x", leaving_id)


async def test_a_release_is_decided_by_the_books_as_they_are_by_then(settings: AttesterSettings) -> None:
    """Of two marks the earlier one is taken back while the chain is read: what the statement counts is too much now."""
    earlier, _ = marked(settings, "1")
    later, marked_ms = marked(settings, "4")
    chain = Chain()
    chain.stated(marked_ms + SKEW_MS + 1, shares_nano=5_000_000_000)

    class Meanwhile(Chain):
        async def snapshot(self, custodian: Address, mints: Sequence[Address]) -> ChainSnapshot:
            found = await chain.snapshot(custodian, mints)
            books_file(settings).write_text(json.dumps(books_json(changed)))
            return found

    book = books_show(settings, 1).find("S0x")
    (allotment,) = book.allotments
    fewer = replace(
        book,
        version=book.version + 1,
        shares_nano=9_000_000_000,
        allotments=(replace(allotment, shares_nano=9_000_000_000),),
    )
    changed = books_of(1, [fewer])
    with pytest.raises(ReleaseRefused) as refused:
        await release_with(Meanwhile(), settings, 1, "S0x", later)
    assert [one.condition for one in refused.value.unmet] == [Condition.WITHOUT_THE_SHARES]
    assert books_show(settings, 1).find("S0x") == fewer
    books_unmark(settings, 1, "S0x", earlier)
    chain.stated(marked_ms + SKEW_MS + 1, shares_nano=5_000_000_000)
    change = await release_with(chain, settings, 1, "S0x", later)
    assert change.asset.shares_nano == 5_000_000_000


async def test_a_mark_that_was_taken_back_meanwhile_releases_nothing(settings: AttesterSettings) -> None:
    leaving_id, marked_ms = marked(settings)
    chain = Chain()
    chain.stated(marked_ms + SKEW_MS + 1)

    class Meanwhile(Chain):
        async def snapshot(self, custodian: Address, mints: Sequence[Address]) -> ChainSnapshot:
            books_unmark(settings, 1, "S0x", leaving_id)
            return await chain.snapshot(custodian, mints)

    with pytest.raises(UserError) as refused:
        await release_with(Meanwhile(), settings, 1, "S0x", leaving_id)
    assert refused.value.field == "leaving id"
    assert books_show(settings, 1).find("S0x").shares_nano == 10_000_000_000


async def test_shares_of_another_cluster_are_not_released_by_this_ones_chain(settings: AttesterSettings) -> None:
    leaving_id, marked_ms = marked(settings)
    chain = Chain(genesis=PROGRAM)
    chain.stated(marked_ms + SKEW_MS + 1)
    before = books_file(settings).read_bytes()
    with pytest.raises(UserError, match="allotted to another cluster or program") as refused:
        await release_with(chain, settings, 1, "S0x", leaving_id)
    assert (refused.value.field, refused.value.value) == ("leaving id", leaving_id)
    assert books_file(settings).read_bytes() == before
    chain.genesis = GENESIS
    await release_with(chain, settings, 1, "S0x", leaving_id)


def test_a_mark_is_of_this_machines_clock_unless_something_later_was_signed(
    settings: AttesterSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 5_000_999_999)
    assert marked(settings, "1")[1] == 5_000
    for signed_ms, marked_ms in ((4_999, 5_000), (5_001, 5_001)):
        with SignedStore(settings.store_file) as store:
            store.record_signature(CUSTODIAN, [MINT], signed_ms, bytes(32))
        assert marked(settings, "1")[1] == marked_ms


def test_redemptions_of_an_asset_with_several_allotments_are_refused(settings: AttesterSettings) -> None:
    """Whose they are could not be told: one chain's would pay for another's (M13)."""
    (allotment,) = books_show(settings, 1).find("S0x").allotments
    halves = tuple(
        replace(allotment, target=allotment.target._replace(genesis_hash=genesis), shares_nano=5_000_000_000)
        for genesis in (GENESIS, PROGRAM)
    )
    change_book(books_file(settings), MINT, allotments=halves)
    before = books_file(settings).read_bytes()
    for change in (
        lambda: change_book(books_file(settings), MINT, redeemed_seen_raw=1),
        lambda: parse_books(before.replace(b'"redeemed_seen_raw": "0"', b'"redeemed_seen_raw": "1"')),
        lambda: operations_module.books_count_redemptions(settings, 1, "S0x", 1),
    ):
        with pytest.raises(UserError) as refused:
            change()
        assert refused.value.field == f"books.assets.{base58(MINT)}.redeemed_seen_raw"
    assert books_file(settings).read_bytes() == before
    change_book(books_file(settings), MINT, allotments=(allotment,))
    change_book(books_file(settings), MINT, redeemed_seen_raw=1)


def test_leaving_shares_of_one_allotment_are_not_those_of_another(settings: AttesterSettings) -> None:
    (allotment,) = books_show(settings, 1).find("S0x").allotments
    there = replace(allotment, target=allotment.target._replace(genesis_hash=PROGRAM), shares_nano=4_000_000_000)
    change_book(books_file(settings), MINT, allotments=(replace(allotment, shares_nano=6_000_000_000), there))
    marked(settings, "1")
    book = books_show(settings, 1).find("S0x")
    assert [book.attested_nano(one.target) for one in book.allotments] == [5_000_000_000, 4_000_000_000]


def test_more_shares_than_a_statement_can_say_are_refused(settings: AttesterSettings) -> None:
    most = 2**64 - 1
    book = books_show(settings, 1).find("S0x")
    change_book(
        books_file(settings),
        MINT,
        shares_nano=most,
        allotments=(replace(book.allotments[0], shares_nano=most),),
    )
    before = books_file(settings).read_bytes()
    with pytest.raises(UserError) as refused:
        operations_module.books_deposit(settings, 1, "S0x", "0.000000001")
    assert refused.value.field == "shares"
    assert books_file(settings).read_bytes() == before


def test_an_address_of_the_settings_must_be_the_ids(settings: AttesterSettings) -> None:
    custodian = settings.custodians[0]
    assert custodian_address(settings, custodian) == CUSTODIAN
    assert custodian_address(settings, custodian.model_copy(update={"address": CUSTODIAN})) == CUSTODIAN
    with pytest.raises(UserError) as refused:
        custodian_address(settings, custodian.model_copy(update={"address": GENESIS}))
    assert refused.value.field == "custodians.address"


@pytest.mark.parametrize(("urls", "single"), [(["http://127.0.0.1:1"], True), (["http://a", "http://b"], False)])
def test_two_endpoints_must_agree_where_two_are_given(
    settings: AttesterSettings, monkeypatch: pytest.MonkeyPatch, urls: list[str], single: bool
) -> None:
    told: list[bool] = []
    monkeypatch.setattr(operations_module, "ChainReader", lambda *_, single_endpoint: told.append(single_endpoint))
    several = settings.model_copy(update={"rpc_urls": urls})
    operations_module.open_chain_view(several, None)  # type: ignore[arg-type]
    assert told == [single]


def test_a_writer_holds_the_lock_alone(settings: AttesterSettings) -> None:
    """A second writer, and a signer, would have to wait: neither gets the lock at once."""
    file = BooksFile(books_file(settings), 1)
    lock = books_file(settings).with_name("books.json.lock")

    def tried(mode: int) -> bool:
        with lock.open("r+b") as other:
            try:
                fcntl.flock(other, mode | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    def change(books: object) -> None:
        assert [tried(fcntl.LOCK_SH), tried(fcntl.LOCK_EX)] == [False, False]
        raise ReleaseRefused("x", ())

    with pytest.raises(ReleaseRefused):
        file.update(change)  # type: ignore[arg-type]
    with file.held():
        assert [tried(fcntl.LOCK_SH), tried(fcntl.LOCK_EX)] == [True, False]
    assert [tried(fcntl.LOCK_SH), tried(fcntl.LOCK_EX)] == [True, True]


def test_a_change_that_breaks_a_rule_is_not_written(settings: AttesterSettings) -> None:
    before = books_file(settings).read_bytes()
    with pytest.raises(UserError) as refused:
        change_book(books_file(settings), MINT, shares_nano=9_999_999_999)
    assert refused.value.field == f"books.assets.{base58(MINT)}.allotments"
    assert books_file(settings).read_bytes() == before
