"""What a custodian's staff does with the books; the CLI calls these. Each raises UserError for a mistake or for
what may not be done yet."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from xstocks_daemon import clock
from xstocks_daemon.attester.books import AssetBook, Books, Leaving, Target, books_of
from xstocks_daemon.attester.books_changes import (
    leaving_of,
    with_deposit,
    with_leaving,
    with_redemptions,
    with_release,
    with_returned_redemptions,
    without_leaving,
)
from xstocks_daemon.attester.books_file import BooksFile
from xstocks_daemon.attester.chain_view import ChainView, ChainViewUnavailable, ReaderChainView
from xstocks_daemon.attester.release import Unmet, unmet_conditions
from xstocks_daemon.attester.settings import AttesterSettings, ServedCustodianSettings
from xstocks_daemon.attester.store import SignedStore
from xstocks_daemon.chain.addresses import ProgramAddresses
from xstocks_daemon.chain.program import ProgramClient
from xstocks_daemon.chain.reader import ChainReader
from xstocks_daemon.chain.rpc import RpcPool
from xstocks_daemon.domain.snapshot import ChainSnapshot
from xstocks_daemon.domain.units import MILLIS_PER_SEC, SHARE_DECIMALS, Address, UnitError, shares_nano_of
from xstocks_daemon.errors import Fault, UserError, user_error


@dataclass(frozen=True, slots=True)
class BooksChange:
    """A record after a change; `leaving` is the one that was marked or released."""

    asset: AssetBook
    leaving: Leaving | None = None


class ReleaseRefused(UserError):
    """Shares that may not leave yet; `unmet` has every condition of M13 that does not hold."""

    def __init__(self, leaving_id: str, unmet: tuple[Unmet, ...]) -> None:
        self.unmet = unmet
        super().__init__(Fault("leaving id", leaving_id, "may not leave yet: " + "; ".join(str(one) for one in unmet)))


def books_create(path: Path, custodian_id: int, records: Iterable[AssetBook]) -> None:
    """Write a first books file; see new_asset_book for the records. UserError where the file exists."""
    if path.exists():
        raise user_error("books_file", str(path), "it exists already; change it with deposit and mark-leaving")
    BooksFile(path, custodian_id).write(books_of(custodian_id, list(records)))


def books_show(settings: AttesterSettings, custodian_id: int) -> Books:
    """All records of the books file. UserError where it cannot be read or breaks a rule."""
    return _file(settings, custodian_id).load()


def books_deposit(settings: AttesterSettings, custodian_id: int, asset: str, shares: str) -> BooksChange:
    """Shares arrived (a decimal number, at most nine decimals): they are allotted to the settings' cluster and
    program. `asset` is a symbol or a mint."""
    shares_nano = parse_shares(shares)

    def change(books: Books) -> AssetBook:
        book = books.find(asset)
        return with_deposit(book, _target(settings, book), shares_nano)

    return BooksChange(_file(settings, custodian_id).update(change))


def books_count_redemptions(settings: AttesterSettings, custodian_id: int, asset: str, seen_raw: int) -> BooksChange:
    """Redemptions settled on this custodian are counted up to a total of `seen_raw` base units, as the chain's
    RedemptionSettled events name it: the shares owed are kept apart and the statements say so (M6). The same total
    twice is refused."""

    def change(books: Books) -> AssetBook:
        book = books.find(asset)
        return with_redemptions(book, _target(settings, book), seen_raw)

    return BooksChange(_file(settings, custodian_id).update(change))


def books_return_redemptions(settings: AttesterSettings, custodian_id: int, asset: str, seen_raw: int) -> BooksChange:
    """Redemptions settled on this custodian that the broker rejected after the burn are passed up to a total of
    `seen_raw` base units, with nothing owed for them: the shares stay (M6). The same total twice is refused."""

    def change(books: Books) -> AssetBook:
        book = books.find(asset)
        return with_returned_redemptions(book, _target(settings, book), seen_raw)

    return BooksChange(_file(settings, custodian_id).update(change))


def books_mark_leaving(settings: AttesterSettings, custodian_id: int, asset: str, shares: str) -> BooksChange:
    """Shares are to leave: no statement counts them any more. They may go when books_release says so."""
    shares_nano = parse_shares(shares)
    leaving_id = uuid.uuid4().hex[:12]
    custodian = custodian_address(settings, served_custodian(settings, custodian_id))

    def change(books: Books) -> AssetBook:
        book = books.find(asset)
        target = _target(settings, book)
        # A clock that was set back must not mark earlier than what was signed with these shares.
        with SignedStore(settings.store_file) as store:
            last_signed_ms = store.last_observed_ms(custodian, [target.mint])
        marked_ms = max(clock.now_ms(), last_signed_ms)
        return with_leaving(book, Leaving(leaving_id, target, shares_nano, marked_ms))

    book = _file(settings, custodian_id).update(change)
    return BooksChange(book, leaving_of(book, leaving_id))


def books_unmark(settings: AttesterSettings, custodian_id: int, asset: str, leaving_id: str) -> BooksChange:
    """Marked shares stay after all: where a redemption needs them they could neither leave nor be counted (see
    docs/money-rules-model.md, UNMARK)."""
    removed: list[Leaving] = []

    def change(books: Books) -> AssetBook:
        book = books.find(asset)
        removed[:] = [leaving_of(book, leaving_id)]
        return without_leaving(book, leaving_id)

    return BooksChange(_file(settings, custodian_id).update(change), removed[0])


async def books_release(settings: AttesterSettings, custodian_id: int, asset: str, leaving_id: str) -> BooksChange:
    """Shares leave the books, if M13 holds against the chain's finalized state. ReleaseRefused names each condition
    that does not."""
    async with RpcPool(settings.rpc_urls) as pool:
        chain_view = open_chain_view(settings, pool)
        return await release_with(chain_view, settings, custodian_id, asset, leaving_id)


async def release_with(
    chain_view: ChainView, settings: AttesterSettings, custodian_id: int, asset: str, leaving_id: str
) -> BooksChange:
    """As books_release, with the chain read through `chain_view`."""
    books_file = _file(settings, custodian_id)
    book = books_file.load().find(asset)
    leaving = leaving_of(book, leaving_id)
    custodian = custodian_address(settings, served_custodian(settings, custodian_id))
    try:
        snapshot = await chain_view.snapshot(custodian, [leaving.target.mint])
    except ChainViewUnavailable as error:
        raise user_error("rpc_urls", "the chain", f"could not be read: {error}") from error
    if (snapshot.genesis_hash, snapshot.program_id) != leaving.target[:2]:
        raise user_error("leaving id", leaving_id, "these shares are allotted to another cluster or program")

    def change(books: Books) -> AssetBook:
        # The books may have changed since: what is decided on is what stands in them under the lock.
        present = books.find(asset)
        unmet = unmet_conditions(
            present, leaving_of(present, leaving_id), custodian, snapshot, _release_skew_ms(settings, snapshot)
        )
        if unmet:
            raise ReleaseRefused(leaving_id, unmet)
        return with_release(present, leaving_id)

    return BooksChange(books_file.update(change), leaving)


def _release_skew_ms(settings: AttesterSettings, snapshot: ChainSnapshot) -> int:
    return max(settings.max_skew_ms, snapshot.config.max_skew_secs * MILLIS_PER_SEC)


def parse_shares(text: str) -> int:
    """A decimal number of shares in billionths, exactly. UserError where it is none, or has more decimals."""
    try:
        if len(text.partition(".")[2]) <= SHARE_DECIMALS:
            return shares_nano_of(text)
    except UnitError:
        pass
    raise user_error("shares", text, "it must be a plain decimal number with at most nine decimals, such as 12.5")


def custodian_address(settings: AttesterSettings, custodian: ServedCustodianSettings) -> Address:
    """The custodian's account, derived from its id. UserError where the settings' address is another one."""
    derived = ProgramAddresses(settings.program_id).custodian(custodian.id)
    if custodian.address not in (None, derived):
        raise user_error("custodians.address", custodian.id, "the address is not that of this id and program")
    return derived


def open_chain_view(settings: AttesterSettings, pool: RpcPool) -> ReaderChainView:
    """The chain as the settings' endpoints show it: two must agree where two are given."""
    client = ProgramClient(settings.program_id)
    return ReaderChainView(ChainReader(pool, client, single_endpoint=len(settings.rpc_urls) == 1))


def served_custodian(settings: AttesterSettings, custodian_id: int) -> ServedCustodianSettings:
    """The settings of a custodian by its id. UserError where there are none."""
    for custodian in settings.custodians:
        if custodian.id == custodian_id:
            return custodian
    known = ", ".join(str(custodian.id) for custodian in settings.custodians)
    raise user_error("custodian", custodian_id, f"the settings have these: {known}")


def _file(settings: AttesterSettings, custodian_id: int) -> BooksFile:
    return BooksFile(served_custodian(settings, custodian_id).books_file, custodian_id)


def _target(settings: AttesterSettings, book: AssetBook) -> Target:
    for allotment in book.allotments:
        if allotment.target[:2] == (settings.genesis_hash, settings.program_id):
            return allotment.target
    return Target(settings.genesis_hash, settings.program_id, book.mint)
