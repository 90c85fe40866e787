"""The books file: its rules, its operations, and that a crash or a second writer breaks nothing."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.custody.builders import CUSTODIAN_KEY, GENESIS, PROGRAM, make_settings, mint_of
from xstocks_daemon.attester import (
    AttesterSettings,
    books_count_redemptions,
    books_create,
    books_deposit,
    books_mark_leaving,
    books_return_redemptions,
    books_show,
    books_unmark,
    new_asset_book,
)
from xstocks_daemon.attester.books import AssetBook, Books, Leaving, Target, books_of
from xstocks_daemon.attester.books_changes import (
    with_deposit,
    with_leaving,
    with_redemptions,
    with_release,
    with_returned_redemptions,
)
from xstocks_daemon.attester.books_file import BooksFile, books_json, parse_books
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.domain.units import capacity_raw, shares_nano_for
from xstocks_daemon.errors import UserError

MINT = mint_of(1)
HERE = Target(GENESIS, PROGRAM, MINT)
ELSEWHERE = Target(PROGRAM, PROGRAM, MINT)


@pytest.fixture
def settings(tmp_path: Path) -> AttesterSettings:
    return make_settings(tmp_path / "sidecar", CUSTODIAN_KEY, [(MINT, 10_000_000_000), (mint_of(2), 0)])


def books_file(settings: AttesterSettings) -> Path:
    return settings.custodians[0].books_file


def test_a_deposit_is_allotted_and_the_version_rises(settings: AttesterSettings) -> None:
    change = books_deposit(settings, 1, "S0x", "0.000000001")
    assert (change.asset.shares_nano, change.asset.attested_nano(HERE), change.asset.version) == (
        10_000_000_001, 10_000_000_001, 2,
    )  # fmt: skip
    assert books_show(settings, 1).find(base58(MINT)) == change.asset


def test_leaving_shares_stay_in_the_books_but_are_not_attested(settings: AttesterSettings) -> None:
    change = books_mark_leaving(settings, 1, base58(MINT), "4")
    assert change.leaving is not None
    book = books_show(settings, 1).find("S0x")
    assert (book.shares_nano, book.attested_nano(HERE), book.leaving) == (
        10_000_000_000,
        6_000_000_000,
        (change.leaving,),
    )


def test_a_mark_to_leave_is_taken_back_once(settings: AttesterSettings) -> None:
    kept, taken_back = (books_mark_leaving(settings, 1, "S0x", shares).leaving for shares in ("1", "4"))
    assert kept is not None
    assert taken_back is not None
    with pytest.raises(UserError) as refused:
        books_unmark(settings, 1, "S0x", "another")
    assert refused.value.field == "leaving id"
    change = books_unmark(settings, 1, "S0x", taken_back.id)
    assert change.leaving == taken_back
    book = books_show(settings, 1).find("S0x")
    assert (book.attested_nano(HERE), book.leaving) == (9_000_000_000, (kept,))
    with pytest.raises(UserError):
        books_unmark(settings, 1, "S0x", taken_back.id)


@pytest.mark.parametrize("shares", ["0", "-1", "1e3", "", "1.0000000001", "x", "0.0", "1,000", "inf"])
@pytest.mark.parametrize("operation", [books_deposit, books_mark_leaving])
def test_an_amount_that_is_none_is_refused_and_nothing_changes(
    settings: AttesterSettings, operation: Callable[..., Any], shares: str
) -> None:
    before = books_file(settings).read_bytes()
    with pytest.raises(UserError) as refused:
        operation(settings, 1, "S0x", shares)
    assert refused.value.field == "shares"
    assert books_file(settings).read_bytes() == before
    operation(settings, 1, "S0x", "1")


def test_more_shares_than_are_there_cannot_leave(settings: AttesterSettings) -> None:
    books_mark_leaving(settings, 1, "S0x", "9.5")
    with pytest.raises(UserError, match=r"only 0\.5 shares"):
        books_mark_leaving(settings, 1, "S0x", "0.500000001")
    books_mark_leaving(settings, 1, "S0x", "0.5")
    assert books_show(settings, 1).find("S0x").attested_nano(HERE) == 0


def test_counted_redemptions_are_kept_apart(settings: AttesterSettings) -> None:
    """At multiplier 1 a base unit is ten billionths of a share."""
    change = books_count_redemptions(settings, 1, "S0x", 200_000_000)
    assert (change.asset.redeemed_seen_raw, change.asset.shares_nano, change.asset.version) == (
        200_000_000, 8_000_000_000, 2,
    )  # fmt: skip
    book = books_count_redemptions(settings, 1, "S0x", 200_000_001).asset
    assert (book.redeemed_seen_raw, book.attested_nano(HERE), book.unallotted_nano) == (200_000_001, 7_999_999_990, 0)
    assert books_show(settings, 1).find(base58(MINT)) == book
    before = books_file(settings).read_bytes()
    for counted in (200_000_001, 200_000_000, 0, -1):
        with pytest.raises(UserError, match="the books have counted 200000001 of S0x already"):
            books_count_redemptions(settings, 1, "S0x", counted)
    assert books_file(settings).read_bytes() == before


def test_what_the_shares_do_not_suffice_for_is_not_counted(settings: AttesterSettings) -> None:
    """M13: shares that are marked to leave pay no redemption: the mark is taken back, or less is counted."""
    leaving = books_mark_leaving(settings, 1, "S0x", "4").leaving
    assert leaving is not None
    before = books_file(settings).read_bytes()
    for too_much in (600_000_001, 2**64 - 1, 2**64):
        with pytest.raises(UserError) as refused:
            books_count_redemptions(settings, 1, "S0x", too_much)
        assert refused.value.field == "seen raw"
    assert books_file(settings).read_bytes() == before
    book = books_count_redemptions(settings, 1, "S0x", 600_000_000).asset
    assert (book.attested_nano(HERE), book.shares_nano) == (0, 4_000_000_000)
    books_unmark(settings, 1, "S0x", leaving.id)
    assert books_count_redemptions(settings, 1, "S0x", 1_000_000_000).asset.shares_nano == 0


def test_what_a_broker_rejected_after_the_burn_is_passed_with_its_shares_kept(settings: AttesterSettings) -> None:
    """M6: nothing is owed for it, so the shares stay attested; it is passed once, as counting is."""
    book = books_return_redemptions(settings, 1, "S0x", 200_000_000).asset
    assert (book.redeemed_seen_raw, book.shares_nano, book.attested_nano(HERE), book.version) == (
        200_000_000, 10_000_000_000, 10_000_000_000, 2,
    )  # fmt: skip
    before = books_file(settings).read_bytes()
    for operation in (books_return_redemptions, books_count_redemptions):
        with pytest.raises(UserError, match="the books have counted 200000000 of S0x already"):
            operation(settings, 1, "S0x", 200_000_000)
    with pytest.raises(UserError):
        books_return_redemptions(settings, 1, "S0x", 2**64)
    assert books_file(settings).read_bytes() == before
    # The next one is delivered: its shares are owed, and only its own.
    assert books_count_redemptions(settings, 1, "S0x", 300_000_000).asset.shares_nano == 9_000_000_000
    with pytest.raises(UserError):
        with_returned_redemptions(book, ELSEWHERE, 200_000_001)


def test_shares_owed_are_counted_at_the_multiplier_of_the_books() -> None:
    book = new_asset_book(HERE, "Xx", 10_000_000_000, "2.5")
    assert with_redemptions(book, HERE, 100_000_000).shares_nano == 7_500_000_000
    # A part of a billionth is owed whole.
    fine = new_asset_book(HERE, "Xx", 10_000_000_000, "1.05")
    assert with_redemptions(fine, HERE, 1).shares_nano == 10_000_000_000 - 11
    with pytest.raises(UserError, match="no allotment"):
        with_redemptions(book, ELSEWHERE, 1)


@pytest.mark.parametrize(("decimals", "raw"), [(0, 3), (6, 3_000_000), (9, 3_000_000_000)])
def test_shares_owed_are_counted_in_the_decimals_of_the_books(decimals: int, raw: int) -> None:
    book = new_asset_book(HERE, "Xx", 10_000_000_000, "1.0", decimals)
    assert with_redemptions(book, HERE, raw).shares_nano == 7_000_000_000


def test_books_that_say_no_decimals_have_eight(settings: AttesterSettings) -> None:
    value = json.loads(books_file(settings).read_text())
    assert value["assets"][base58(MINT)].pop("decimals") == 8
    books_file(settings).write_text(json.dumps(value))
    assert books_show(settings, 1).find("S0x").decimals == 8
    value["assets"][base58(MINT)]["decimals"] = 6
    books_file(settings).write_text(json.dumps(value))
    assert books_deposit(settings, 1, "S0x", "1").asset.decimals == 6
    assert books_show(settings, 1).find("S0x").decimals == 6


def test_a_symbol_of_two_records_is_refused_and_the_mint_is_not(settings: AttesterSettings) -> None:
    path = books_file(settings)
    value = json.loads(path.read_text())
    other = base58(mint_of(77))
    twin = value["assets"][base58(MINT)]
    value["assets"][other] = twin | {"allotments": [twin["allotments"][0] | {"mint": other}]}
    path.write_text(json.dumps(value))
    before = path.read_bytes()
    with pytest.raises(UserError, match="2 records have this symbol; give the mint"):
        books_deposit(settings, 1, "S0x", "1")
    assert path.read_bytes() == before
    assert books_deposit(settings, 1, other, "1").asset.mint == mint_of(77)


def test_an_unknown_asset_or_custodian_is_refused_by_name(settings: AttesterSettings) -> None:
    with pytest.raises(UserError) as refused:
        books_deposit(settings, 1, "NONEx", "1")
    assert refused.value.field == "asset"
    with pytest.raises(UserError) as refused:
        books_deposit(settings, 2, "S0x", "1")
    assert (refused.value.field, refused.value.value) == ("custodian", "2")


def test_shares_allotted_elsewhere_are_not_attested_here(settings: AttesterSettings) -> None:
    value = json.loads(books_file(settings).read_text())
    record = value["assets"][base58(MINT)]
    record["allotments"] = [
        {
            "genesis_hash": base58(PROGRAM),
            "program_id": base58(PROGRAM),
            "mint": base58(MINT),
            "shares_nano": "6000000000",
        }
    ]
    books_file(settings).write_text(json.dumps(value))
    book = books_show(settings, 1).find("S0x")
    assert (book.attested_nano(HERE), book.attested_nano(ELSEWHERE), book.unallotted_nano) == (
        0, 6_000_000_000, 4_000_000_000,
    )  # fmt: skip
    with pytest.raises(UserError, match="no allotment"):
        books_deposit(settings, 1, "S0x", "1")


def set_version(value: Any) -> None:
    value["version"] = 2


def set_custodian(value: Any) -> None:
    value["custodian"] = 2


def over_allot(value: Any) -> None:
    record = value["assets"][base58(MINT)]
    record["allotments"].append(record["allotments"][0] | {"genesis_hash": base58(PROGRAM), "shares_nano": "1"})


def allot_twice(value: Any) -> None:
    record = value["assets"][base58(MINT)]
    record["allotments"] = [record["allotments"][0] | {"shares_nano": "5"}] * 2


def over_leave(value: Any) -> None:
    record = value["assets"][base58(MINT)]
    record["leaving"] = [record["allotments"][0] | {"id": "a", "marked_ms": 1, "shares_nano": "10000000001"}]


def leave_from_nowhere(value: Any) -> None:
    record = value["assets"][base58(MINT)]
    foreign = record["allotments"][0] | {"genesis_hash": base58(PROGRAM)}
    record["leaving"] = [foreign | {"id": "a", "marked_ms": 1, "shares_nano": "1"}]


def leave_twice(value: Any) -> None:
    record = value["assets"][base58(MINT)]
    record["leaving"] = [record["allotments"][0] | {"id": "a", "marked_ms": 1, "shares_nano": "1"}] * 2


def field(name: str, bad: Any) -> Callable[[Any], None]:
    def change(value: Any) -> None:
        value["assets"][base58(MINT)][name] = bad

    return change


RECORD = f"books.assets.{base58(MINT)}"
BROKEN = [
    (set_version, "books.version"),
    (set_custodian, "books.custodian"),
    (over_allot, f"{RECORD}.allotments"),
    (allot_twice, f"{RECORD}.allotments"),
    (over_leave, f"{RECORD}.leaving"),
    (leave_from_nowhere, f"{RECORD}.leaving"),
    (leave_twice, f"{RECORD}.leaving"),
    (field("shares_nano", 10_000_000), f"{RECORD}.shares_nano"),
    (field("shares_nano", "1.5"), f"{RECORD}.shares_nano"),
    (field("multiplier", "0"), f"{RECORD}.multiplier"),
    (field("multiplier", "1e3"), f"{RECORD}.multiplier"),
    (field("multiplier", 1.0), f"{RECORD}.multiplier"),
    (field("decimals", 10), f"{RECORD}.decimals"),
    (field("decimals", -1), f"{RECORD}.decimals"),
    (field("decimals", "8"), f"{RECORD}.decimals"),
    (field("symbol", ""), f"{RECORD}.symbol"),
    (field("version", 0), f"{RECORD}.version"),
    (field("typo", 1), f"{RECORD}.typo"),
    (field("ripcord", ""), f"{RECORD}.ripcord"),
    (lambda value: value.pop("assets"), "books.assets"),
    (lambda value: value["assets"].update(x={}), "books.assets.x"),
]


@pytest.mark.parametrize(("change", "name"), BROKEN)
def test_books_that_break_a_rule_are_refused_by_record_and_field(
    settings: AttesterSettings, change: Callable[[Any], None], name: str
) -> None:
    books_show(settings, 1)
    value = json.loads(books_file(settings).read_text())
    change(value)
    books_file(settings).write_text(json.dumps(value))
    with pytest.raises(UserError) as refused:
        books_show(settings, 1)
    assert refused.value.field == name
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"version":1,"version":1}'])
def test_a_file_that_is_no_books_is_refused(settings: AttesterSettings, content: bytes) -> None:
    books_file(settings).write_bytes(content)
    with pytest.raises(UserError):
        books_show(settings, 1)


def test_a_missing_file_is_refused_by_its_setting(settings: AttesterSettings) -> None:
    books_file(settings).unlink()
    with pytest.raises(UserError) as refused:
        books_show(settings, 1)
    assert refused.value.field == "books_file"


def test_existing_books_are_not_overwritten(settings: AttesterSettings) -> None:
    before = books_file(settings).read_bytes()
    with pytest.raises(UserError):
        books_create(books_file(settings), 1, [])
    assert books_file(settings).read_bytes() == before


AMOUNTS = st.integers(1, 10**15)


def vouched(book: AssetBook) -> int:
    """capacity_raw + redeemed_seen_raw, as a statement of these books says."""
    return capacity_raw(book.attested_nano(HERE), book.multiplier_bits, 8) + book.redeemed_seen_raw


@given(st.lists(st.tuples(st.sampled_from(["deposit", "leave", "release", "redeem"]), AMOUNTS), max_size=20))
def test_no_order_of_operations_attests_a_share_twice_or_loses_one(operations: list[tuple[str, int]]) -> None:
    book: AssetBook = new_asset_book(HERE, "Xx", 10**12, "1.5")
    held_nano = 10**12
    for number, (what, amount) in enumerate(operations):
        version = book.version
        if what == "deposit":
            book, held_nano = with_deposit(book, HERE, amount), held_nano + amount
        elif what == "leave" and amount <= book.attested_nano(HERE):
            book = with_leaving(book, Leaving(str(number), HERE, amount, number))
        elif what == "release" and book.leaving:
            held_nano -= book.leaving[0].shares_nano
            book = with_release(book, book.leaving[0].id)
        elif what == "redeem" and shares_nano_for(amount, book.multiplier_bits, 8) <= book.attested_nano(HERE):
            held_nano -= shares_nano_for(amount, book.multiplier_bits, 8)
            vouched_raw = vouched(book)
            book = with_redemptions(book, HERE, book.redeemed_seen_raw + amount)
            # Counting gives away nothing twice: capacity and seen never sum to more than before (M6).
            assert vouched(book) <= vouched_raw
        else:
            continue
        assert book.version == version + 1
        assert book.shares_nano == held_nano
        assert book.attested_nano(HERE) + book.leaving_nano(HERE) == held_nano
        books = books_of(1, [book])
        assert parse_books(json.dumps(books_json(books)).encode()) == books


# ---- crashes and other writers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_crash_while_writing_leaves_the_old_books(
    settings: AttesterSettings, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    before = books_file(settings).read_bytes()

    def crash(*_: Any, **__: Any) -> None:
        raise OSError("power cut")

    with monkeypatch.context() as broken:
        broken.setattr(os, failing, crash)
        with pytest.raises(OSError, match="power cut"):
            books_deposit(settings, 1, "S0x", "1")
    assert books_file(settings).read_bytes() == before
    assert books_deposit(settings, 1, "S0x", "1").asset.shares_nano == 11_000_000_000


def test_the_new_books_are_on_disk_before_they_have_the_name(
    settings: AttesterSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    fsync, replace = os.fsync, os.replace

    def fsynced(handle: int) -> None:
        order.append("fsync")
        fsync(handle)

    def replaced(old: Path, new: Path) -> None:
        order.append("replace")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", fsynced)
    monkeypatch.setattr(os, "replace", replaced)
    books_deposit(settings, 1, "S0x", "1")
    assert order == ["fsync", "replace", "fsync"]


def test_a_torn_new_file_of_a_crash_is_no_hindrance(settings: AttesterSettings) -> None:
    path = books_file(settings)
    path.with_name(path.name + ".new").write_bytes(b"{ torn" * 10_000)
    assert books_deposit(settings, 1, "S0x", "1").asset.shares_nano == 11_000_000_000
    assert books_show(settings, 1).find("S0x").shares_nano == 11_000_000_000


def test_the_file_keeps_its_mode(settings: AttesterSettings) -> None:
    books_file(settings).chmod(0o640)
    books_deposit(settings, 1, "S0x", "1")
    assert books_file(settings).stat().st_mode & 0o777 == 0o640


def deposit_many(settings: AttesterSettings) -> None:
    for _ in range(20):
        books_deposit(settings, 1, "S0x", "1")


def test_writers_at_once_lose_no_deposit(settings: AttesterSettings) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=deposit_many, args=(settings,)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    book = books_show(settings, 1).find("S0x")
    assert (book.shares_nano, book.version) == (70_000_000_000, 61)


def test_unchanged_books_are_parsed_once(settings: AttesterSettings) -> None:
    file = BooksFile(books_file(settings), 1)
    first: Books = file.load()
    assert file.load() is first
    books_deposit(settings, 1, "S0x", "1")
    assert file.load().find("S0x").shares_nano == 11_000_000_000
