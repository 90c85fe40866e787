"""A sidecar's books: what one custodian holds, and what must hold of it.

Shares are attested once (M13): an allotment to (cluster, program, mint) stands in the books once, and the allotments of
an asset sum to no more than its shares. Leaving shares still belong to their allotment but are not attested any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.mint_layout import DECIMALS
from xstocks_daemon.domain.units import Address, checked_u64, multiplier_bits_of, shares_text
from xstocks_daemon.errors import user_error


class Target(NamedTuple):
    """Where shares are allotted to: one mint of one program on one cluster."""

    genesis_hash: Address
    program_id: Address
    mint: Address


@dataclass(frozen=True, slots=True)
class Allotment:
    """Shares that back one target's tokens, leaving ones included."""

    target: Target
    shares_nano: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """Shares about to leave an allotment: not attested from `marked_ms` (Unix time) on."""

    id: str
    target: Target
    shares_nano: int
    marked_ms: int


@dataclass(frozen=True, slots=True)
class AssetBook:
    """The record of one asset. `version` rises with every change. `decimals` are the mint's. `ripcord`: why not to
    trust it, None if fine."""

    mint: Address
    version: int
    symbol: str
    shares_nano: int
    multiplier: str
    multiplier_bits: int
    redeemed_seen_raw: int
    allotments: tuple[Allotment, ...]
    leaving: tuple[Leaving, ...]
    decimals: int
    ripcord: str | None = None

    def allotment(self, target: Target) -> Allotment | None:
        """The allotment to `target`, if there is one."""
        return next((one for one in self.allotments if one.target == target), None)

    def leaving_nano(self, target: Target, until_ms: int | None = None) -> int:
        """Shares leaving `target`'s allotment; with `until_ms` only those marked up to that time."""
        return sum(
            one.shares_nano
            for one in self.leaving
            if one.target == target and (until_ms is None or one.marked_ms <= until_ms)
        )

    def attested_nano(self, target: Target) -> int:
        """Shares to attest for `target`: its allotment without those that leave."""
        allotment = self.allotment(target)
        return 0 if allotment is None else allotment.shares_nano - self.leaving_nano(target)

    @property
    def unallotted_nano(self) -> int:
        """Shares that back no token."""
        return self.shares_nano - sum(one.shares_nano for one in self.allotments)


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


def _check_asset(book: AssetBook) -> None:
    where = f"books.assets.{base58(book.mint)}"
    if book.unallotted_nano < 0:
        raise user_error(
            f"{where}.allotments",
            shares_text(book.shares_nano - book.unallotted_nano),
            f"allotments may sum to no more than the {shares_text(book.shares_nano)} shares held (M13)",
        )
    ids = [one.id for one in book.leaving]
    if len(set(ids)) != len(ids):
        raise user_error(f"{where}.leaving", ids, "each leaving needs an id of its own")
    for one in book.leaving:
        if book.attested_nano(one.target) < 0 or book.allotment(one.target) is None:
            raise user_error(f"{where}.leaving", one.id, "more shares leave an allotment than are allotted to it")
    if book.redeemed_seen_raw and len(book.allotments) > 1:
        raise user_error(
            f"{where}.redeemed_seen_raw",
            book.redeemed_seen_raw,
            "redemptions of an asset with several allotments are not told apart yet: keep it at 0",
        )


def new_asset_book(
    target: Target, symbol: str, shares_nano: int, multiplier: str, decimals: int = DECIMALS
) -> AssetBook:
    """A first record: all shares allotted to one target. UnitError for a multiplier or amount that is none."""
    return AssetBook(
        mint=target.mint,
        version=1,
        symbol=symbol,
        shares_nano=checked_u64(shares_nano, "shares_nano"),
        multiplier=multiplier,
        multiplier_bits=multiplier_bits_of(multiplier),
        redeemed_seen_raw=0,
        allotments=(Allotment(target, shares_nano),),
        leaving=(),
        decimals=decimals,
    )
