"""What may become of a record of the books: each change gives the record after it, or says why it cannot be."""

from __future__ import annotations

from dataclasses import replace

from xstocks_daemon.attester.books import Allotment, AssetBook, Leaving, Target
from xstocks_daemon.chain.mint_layout import DECIMALS
from xstocks_daemon.domain.units import UnitError, checked_u64, shares_micro_for, shares_text
from xstocks_daemon.errors import UserError, user_error


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
