"""The books as one versioned JSON file.

    {"version": 1, "custodian": 1, "assets": {MINT: {
        "version": 3, "symbol": "AAPLx", "shares_nano": "12500000", "multiplier": "1.0032",
        "decimals": 8, "redeemed_seen_raw": "0", "ripcord": null,
        "allotments": [{"genesis_hash": .., "program_id": .., "mint": .., "shares_nano": "12500000"}],
        "leaving": [{"id": "..", "genesis_hash": .., "program_id": .., "mint": .., "shares_nano": "..",
                     "marked_ms": 1700000000000}]}}}

The file is replaced atomically and read again when it changed. A lock file beside it orders writers and signers.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from xstocks_daemon.attester.books import Allotment, AssetBook, Books, Leaving, Target, books_of
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.mint_layout import DECIMALS, MAX_DECIMALS
from xstocks_daemon.custody.wire import (
    MAX_DETAILS_CHARS,
    AddressField,
    U64Field,
    WireError,
    WireModel,
    parse_json,
    parse_model,
)
from xstocks_daemon.domain.units import Address, UnitError, multiplier_bits_of
from xstocks_daemon.errors import user_error

FORMAT_VERSION = 1
MAX_BOOKS_BYTES = 64 * 1024 * 1024


class _AllotmentJson(WireModel):
    genesis_hash: AddressField
    program_id: AddressField
    mint: AddressField
    shares_nano: U64Field


class _LeavingJson(_AllotmentJson):
    id: Annotated[str, Field(min_length=1, max_length=64)]
    marked_ms: Annotated[int, Field(ge=0, lt=2**63)]


class _AssetJson(WireModel):
    version: Annotated[int, Field(ge=1, lt=2**63)]
    symbol: Annotated[str, Field(min_length=1, max_length=32)]
    shares_nano: U64Field
    allotments: Annotated[list[_AllotmentJson], Field(max_length=64)]
    leaving: Annotated[tuple[_LeavingJson, ...], Field(max_length=256, strict=False)] = ()
    redeemed_seen_raw: U64Field = 0
    multiplier: str
    decimals: Annotated[int, Field(ge=0, le=MAX_DECIMALS)] = DECIMALS
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
        shares_nano=asset.shares_nano,
        multiplier=asset.multiplier,
        multiplier_bits=multiplier_bits,
        redeemed_seen_raw=asset.redeemed_seen_raw,
        allotments=tuple(Allotment(_target(one), one.shares_nano) for one in asset.allotments),
        leaving=tuple(Leaving(one.id, _target(one), one.shares_nano, one.marked_ms) for one in asset.leaving),
        decimals=asset.decimals,
        ripcord=asset.ripcord,
    )


def _target(one: _AllotmentJson) -> Target:
    return Target(one.genesis_hash, one.program_id, one.mint)


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
        "shares_nano": str(book.shares_nano),
        "multiplier": book.multiplier,
        "decimals": book.decimals,
        "redeemed_seen_raw": str(book.redeemed_seen_raw),
        "ripcord": book.ripcord,
        "allotments": [_target_json(one.target) | {"shares_nano": str(one.shares_nano)} for one in book.allotments],
        "leaving": [
            {"id": one.id}
            | _target_json(one.target)
            | {"shares_nano": str(one.shares_nano), "marked_ms": one.marked_ms}
            for one in book.leaving
        ],
    }


def _target_json(target: Target) -> dict[str, Any]:
    return {
        "genesis_hash": base58(target.genesis_hash),
        "program_id": base58(target.program_id),
        "mint": base58(target.mint),
    }


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
