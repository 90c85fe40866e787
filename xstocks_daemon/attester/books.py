"""A sidecar's books: what one custodian holds, in one versioned JSON file.

    {"version": 1, "custodian": 1, "assets": {MINT: {
        "version": 3, "symbol": "AAPLx", "shares_micro": "12500000", "multiplier": "1.0032",
        "redeemed_seen_raw": "0", "ripcord": null,
        "allotments": [{"genesis_hash": .., "program_id": .., "mint": .., "shares_micro": "12500000"}],
        "leaving": [{"id": "..", "genesis_hash": .., "program_id": .., "mint": .., "shares_micro": "..",
                     "marked_ms": 1700000000000}]}}}

Shares are attested once (M13): an allotment to (cluster, program, mint) stands in the books once, and the allotments of
an asset sum to no more than its shares. Leaving shares still belong to their allotment but are not attested any more.
The file is replaced atomically and read again when it changed. A lock file beside it orders writers and signers.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.mint_layout import DECIMALS
from xstocks_daemon.custody.wire import (
    MAX_DETAILS_CHARS,
    AddressField,
    U64Field,
    WireError,
    WireModel,
    parse_json,
    parse_model,
)
from xstocks_daemon.domain.units import (
    Address,
    UnitError,
    checked_u64,
    multiplier_bits_of,
    shares_micro_for,
    shares_text,
)
from xstocks_daemon.errors import UserError, user_error

FORMAT_VERSION = 1
MAX_BOOKS_BYTES = 64 * 1024 * 1024


class Target(NamedTuple):
    """Where shares are allotted to: one mint of one program on one cluster."""

    genesis_hash: Address
    program_id: Address
    mint: Address


@dataclass(frozen=True, slots=True)
class Allotment:
    """Shares that back one target's tokens, leaving ones included."""

    target: Target
    shares_micro: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """Shares about to leave an allotment: not attested from `marked_ms` (Unix time) on."""

    id: str
    target: Target
    shares_micro: int
    marked_ms: int


@dataclass(frozen=True, slots=True)
class AssetBook:
    """The record of one asset. `version` rises with every change. `ripcord`: why not to trust it, None if fine."""

    mint: Address
    version: int
    symbol: str
    shares_micro: int
    multiplier: str
    multiplier_bits: int
    redeemed_seen_raw: int
    allotments: tuple[Allotment, ...]
    leaving: tuple[Leaving, ...]
    ripcord: str | None = None

    def allotment(self, target: Target) -> Allotment | None:
        """The allotment to `target`, if there is one."""
        return next((one for one in self.allotments if one.target == target), None)

    def leaving_micro(self, target: Target, until_ms: int | None = None) -> int:
        """Shares leaving `target`'s allotment; with `until_ms` only those marked up to that time."""
        return sum(
            one.shares_micro
            for one in self.leaving
            if one.target == target and (until_ms is None or one.marked_ms <= until_ms)
        )

    def attested_micro(self, target: Target) -> int:
        """Shares to attest for `target`: its allotment without those that leave."""
        allotment = self.allotment(target)
        return 0 if allotment is None else allotment.shares_micro - self.leaving_micro(target)

    @property
    def unallotted_micro(self) -> int:
        """Shares that back no token."""
        return self.shares_micro - sum(one.shares_micro for one in self.allotments)


@dataclass(frozen=True, slots=True)
class Books:
    """All records of one custodian, and which of them a target is allotted in."""

    custodian_id: int
    assets: Mapping[Address, AssetBook]
    by_target: Mapping[Target, AssetBook]

    def find(self, name: str) -> AssetBook:
        """The record of a mint (base58) or symbol. UserError where there is none, or where several records have
        the symbol: a change must not go to the wrong one."""
        found = [book for book in self.assets.values() if name in (book.symbol, base58(book.mint))]
        if len(found) > 1:
            raise user_error("asset", name, f"{len(found)} records have this symbol; give the mint")
        if not found:
            raise user_error("asset", name, "the books have no such mint or symbol; list them with `books show`")
        return found[0]


class _AllotmentJson(WireModel):
    genesis_hash: AddressField
    program_id: AddressField
    mint: AddressField
    shares_micro: U64Field


class _LeavingJson(_AllotmentJson):
    id: Annotated[str, Field(min_length=1, max_length=64)]
    marked_ms: Annotated[int, Field(ge=0, lt=2**63)]


class _AssetJson(WireModel):
    version: Annotated[int, Field(ge=1, lt=2**63)]
    symbol: Annotated[str, Field(min_length=1, max_length=32)]
    shares_micro: U64Field
    allotments: Annotated[list[_AllotmentJson], Field(max_length=64)]
    leaving: Annotated[tuple[_LeavingJson, ...], Field(max_length=256, strict=False)] = ()
    redeemed_seen_raw: U64Field = 0
    multiplier: str
    ripcord: Annotated[str, Field(min_length=1, max_length=MAX_DETAILS_CHARS)] | None = None


class _BooksJson(WireModel):
    version: int
    custodian: Annotated[int, Field(ge=0, lt=2**16)]
    assets: dict[AddressField, _AssetJson]


def parse_books(raw: bytes) -> Books:
    """The books of a file's bytes. UserError names the record and field that breaks a rule."""
    try:
        parsed = parse_model(_BooksJson, parse_json(raw, MAX_BOOKS_BYTES))
    except WireError as error:
        raise user_error(f"books.{error.field}", error.value, error.remedy) from None
    if parsed.version != FORMAT_VERSION:
        raise user_error("books.version", parsed.version, f"this sidecar reads version {FORMAT_VERSION}")
    return books_of(parsed.custodian, [_asset_of(mint, asset) for mint, asset in parsed.assets.items()])


def books_of(custodian_id: int, records: list[AssetBook]) -> Books:
    """Books of records, every rule checked. UserError names the record and field."""
    assets: dict[Address, AssetBook] = {}
    by_target: dict[Target, AssetBook] = {}
    for book in records:
        _check_asset(book)
        assets[book.mint] = book
        for allotment in book.allotments:
            if allotment.target in by_target:
                raise user_error(
                    f"books.assets.{base58(book.mint)}.allotments",
                    base58(allotment.target.mint),
                    "the same cluster, program and mint is allotted to twice: no share is attested twice (M13)",
                )
            by_target[allotment.target] = book
    return Books(custodian_id, assets, by_target)


def _asset_of(mint: Address, asset: _AssetJson) -> AssetBook:
    try:
        multiplier_bits = multiplier_bits_of(asset.multiplier)
    except UnitError as error:
        field = f"books.assets.{base58(mint)}.multiplier"
        raise user_error(field, asset.multiplier, str(error)) from None
    return AssetBook(
        mint=mint,
        version=asset.version,
        symbol=asset.symbol,
        shares_micro=asset.shares_micro,
        multiplier=asset.multiplier,
        multiplier_bits=multiplier_bits,
        redeemed_seen_raw=asset.redeemed_seen_raw,
        allotments=tuple(Allotment(_target(one), one.shares_micro) for one in asset.allotments),
        leaving=tuple(Leaving(one.id, _target(one), one.shares_micro, one.marked_ms) for one in asset.leaving),
        ripcord=asset.ripcord,
    )


def _target(one: _AllotmentJson) -> Target:
    return Target(one.genesis_hash, one.program_id, one.mint)


def _check_asset(book: AssetBook) -> None:
    where = f"books.assets.{base58(book.mint)}"
    if book.unallotted_micro < 0:
        raise user_error(
            f"{where}.allotments",
            shares_text(book.shares_micro - book.unallotted_micro),
            f"allotments may sum to no more than the {shares_text(book.shares_micro)} shares held (M13)",
        )
    ids = [one.id for one in book.leaving]
    if len(set(ids)) != len(ids):
        raise user_error(f"{where}.leaving", ids, "each leaving needs an id of its own")
    for one in book.leaving:
        if book.attested_micro(one.target) < 0 or book.allotment(one.target) is None:
            raise user_error(f"{where}.leaving", one.id, "more shares leave an allotment than are allotted to it")
    if book.redeemed_seen_raw and len(book.allotments) > 1:
        raise user_error(
            f"{where}.redeemed_seen_raw",
            book.redeemed_seen_raw,
            "redemptions of an asset with several allotments are not told apart yet: keep it at 0",
        )


def books_json(books: Books) -> dict[str, Any]:
    """The books as JSON values, as they stand in the file."""
    return {
        "version": FORMAT_VERSION,
        "custodian": books.custodian_id,
        "assets": {base58(mint): _asset_json(book) for mint, book in books.assets.items()},
    }


def _asset_json(book: AssetBook) -> dict[str, Any]:
    return {
        "version": book.version,
        "symbol": book.symbol,
        "shares_micro": str(book.shares_micro),
        "multiplier": book.multiplier,
        "redeemed_seen_raw": str(book.redeemed_seen_raw),
        "ripcord": book.ripcord,
        "allotments": [_target_json(one.target) | {"shares_micro": str(one.shares_micro)} for one in book.allotments],
        "leaving": [
            {"id": one.id}
            | _target_json(one.target)
            | {"shares_micro": str(one.shares_micro), "marked_ms": one.marked_ms}
            for one in book.leaving
        ],
    }


def _target_json(target: Target) -> dict[str, Any]:
    return {
        "genesis_hash": base58(target.genesis_hash),
        "program_id": base58(target.program_id),
        "mint": base58(target.mint),
    }


def new_asset_book(target: Target, symbol: str, shares_micro: int, multiplier: str) -> AssetBook:
    """A first record: all shares allotted to one target. UnitError for a multiplier or amount that is none."""
    return AssetBook(
        mint=target.mint,
        version=1,
        symbol=symbol,
        shares_micro=checked_u64(shares_micro, "shares_micro"),
        multiplier=multiplier,
        multiplier_bits=multiplier_bits_of(multiplier),
        redeemed_seen_raw=0,
        allotments=(Allotment(target, shares_micro),),
        leaving=(),
    )


def with_deposit(book: AssetBook, target: Target, shares_micro: int) -> AssetBook:
    """Shares that arrived, allotted to `target`."""
    _require_some(shares_micro)
    if book.allotment(target) is None:
        raise _no_allotment(book)
    return replace(
        book,
        version=book.version + 1,
        shares_micro=_fits(book.shares_micro + shares_micro),
        allotments=_changed(book.allotments, target, shares_micro),
    )


def with_leaving(book: AssetBook, leaving: Leaving) -> AssetBook:
    """Shares marked to leave: from now on they are not attested."""
    _require_some(leaving.shares_micro)
    if book.allotment(leaving.target) is None:
        raise _no_allotment(book)
    attested_micro = book.attested_micro(leaving.target)
    if leaving.shares_micro > attested_micro:
        raise user_error(
            "shares",
            shares_text(leaving.shares_micro),
            f"only {shares_text(attested_micro)} shares of {book.symbol} are allotted and not leaving yet",
        )
    return replace(book, version=book.version + 1, leaving=(*book.leaving, leaving))


def without_leaving(book: AssetBook, leaving_id: str) -> AssetBook:
    """The mark is taken back: the shares are attested again. A later mark has its own, later time."""
    leaving = leaving_of(book, leaving_id)
    return replace(book, version=book.version + 1, leaving=tuple(one for one in book.leaving if one.id != leaving.id))


def with_release(book: AssetBook, leaving_id: str) -> AssetBook:
    """Shares that left. Whether they may is `release`'s to decide."""
    leaving = leaving_of(book, leaving_id)
    return replace(
        without_leaving(book, leaving_id),
        shares_micro=book.shares_micro - leaving.shares_micro,
        allotments=_changed(book.allotments, leaving.target, -leaving.shares_micro),
    )


def with_redemptions(book: AssetBook, target: Target, seen_raw: int) -> AssetBook:
    """Redemptions counted up to a total of `seen_raw` base units: the shares owed for the newly counted ones, at the
    books' multiplier and rounded up to a millionth, are kept apart for the redeemers (M13)."""
    if seen_raw <= book.redeemed_seen_raw:
        raise user_error(
            "seen raw", seen_raw, f"the books have counted {book.redeemed_seen_raw} of {book.symbol} already"
        )
    if book.allotment(target) is None:
        raise _no_allotment(book)
    try:
        checked_u64(seen_raw, "seen_raw")
        owed_micro = shares_micro_for(seen_raw - book.redeemed_seen_raw, book.multiplier_bits, DECIMALS)
    except UnitError as error:
        raise user_error("seen raw", seen_raw, str(error)) from None
    attested_micro = book.attested_micro(target)
    if owed_micro > attested_micro:
        raise user_error(
            "seen raw",
            seen_raw,
            f"{shares_text(owed_micro)} shares are owed for it and {shares_text(attested_micro)} of {book.symbol} are "
            "allotted and not leaving: what they do not suffice for stays uncounted; take marks back or deposit first",
        )
    return replace(
        book,
        version=book.version + 1,
        shares_micro=book.shares_micro - owed_micro,
        redeemed_seen_raw=seen_raw,
        allotments=_changed(book.allotments, target, -owed_micro),
    )


def leaving_of(book: AssetBook, leaving_id: str) -> Leaving:
    """The leaving of an id. UserError where there is none."""
    for one in book.leaving:
        if one.id == leaving_id:
            return one
    known = ", ".join(one.id for one in book.leaving) or "none"
    raise user_error("leaving id", leaving_id, f"{book.symbol} has these: {known}")


def _changed(allotments: tuple[Allotment, ...], target: Target, by_micro: int) -> tuple[Allotment, ...]:
    return tuple(
        replace(one, shares_micro=one.shares_micro + by_micro) if one.target == target else one for one in allotments
    )


def _require_some(shares_micro: int) -> None:
    if shares_micro <= 0:
        raise user_error("shares", shares_text(shares_micro), "it must be more than 0")


def _fits(shares_micro: int) -> int:
    try:
        return checked_u64(shares_micro, "shares_micro")
    except UnitError as error:
        raise user_error("shares", shares_text(shares_micro), str(error)) from None


def _no_allotment(book: AssetBook) -> UserError:
    return user_error(
        "asset", book.symbol, "its record has no allotment to the cluster and program of the settings; add one"
    )


class BooksFile:
    """The file, its lock and its last reading. Blocking: call it from a thread, or from the CLI."""

    def __init__(self, path: Path, custodian_id: int) -> None:
        self.path = path
        self._custodian_id = custodian_id
        self._lock_path = path.with_name(path.name + ".lock")
        self._read: tuple[tuple[int, int, int], Books] | None = None

    def load(self) -> Books:
        """The books as they are now. UserError where they cannot be read or break a rule."""
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                version = (status.st_ino, status.st_mtime_ns, status.st_size)
                if self._read is not None and self._read[0] == version:
                    return self._read[1]
                raw = file.read(MAX_BOOKS_BYTES + 1)
        except OSError as error:
            raise user_error("books_file", str(self.path), f"it cannot be read: {error.strerror}") from None
        books = parse_books(raw)
        if books.custodian_id != self._custodian_id:
            raise user_error(
                "books.custodian", books.custodian_id, f"the settings name custodian {self._custodian_id} for this file"
            )
        self._read = (version, books)
        return books

    @contextmanager
    def held(self, *, for_writing: bool = False) -> Iterator[Books]:
        """The books, unchanged by anybody while the block runs: many may sign, or one may write.

        What is signed under this lock was therefore signed before, or without, every leaving (M13).
        """
        try:
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise user_error("books_file", str(self._lock_path), f"no lock: {error.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX if for_writing else fcntl.LOCK_SH)
            yield self.load()
        finally:
            os.close(lock)  # lets go of the lock too

    def update(self, change: Callable[[Books], AssetBook]) -> AssetBook:
        """Put one changed record into the file, under the lock; gives the record."""
        with self.held(for_writing=True) as books:
            book = change(books)
            self.write(books_of(books.custodian_id, list({**books.assets, book.mint: book}.values())))
            return book

    def write(self, books: Books) -> None:
        """Replace the file: a crash leaves the old or the new books, never a part. Callers hold the lock, save for
        a first file."""
        new = self.path.with_name(self.path.name + ".new")
        raw = json.dumps(books_json(books), indent=1, ensure_ascii=False).encode()
        mode = stat.S_IMODE(self.path.stat().st_mode) if self.path.exists() else 0o600
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)  # the new name is on disk only after this
        finally:
            os.close(folder)
