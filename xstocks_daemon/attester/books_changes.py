"""What may become of a record of the books: each change gives the record after it, or says why it cannot be."""

from __future__ import annotations

from dataclasses import replace

from xstocks_daemon.attester.books import Allotment, AssetBook, Leaving, Target
from xstocks_daemon.domain.units import UnitError, checked_u64, shares_nano_for, shares_text
from xstocks_daemon.errors import UserError, user_error


def with_deposit(book: AssetBook, target: Target, shares_nano: int) -> AssetBook:
    """Shares that arrived, allotted to `target`."""
    _require_some(shares_nano)
    if book.allotment(target) is None:
        raise _no_allotment(book)
    return replace(
        book,
        version=book.version + 1,
        shares_nano=_fits(book.shares_nano + shares_nano),
        allotments=_changed(book.allotments, target, shares_nano),
    )


def with_leaving(book: AssetBook, leaving: Leaving) -> AssetBook:
    """Shares marked to leave: from now on they are not attested."""
    _require_some(leaving.shares_nano)
    if book.allotment(leaving.target) is None:
        raise _no_allotment(book)
    attested_nano = book.attested_nano(leaving.target)
    if leaving.shares_nano > attested_nano:
        raise user_error(
            "shares",
            shares_text(leaving.shares_nano),
            f"only {shares_text(attested_nano)} shares of {book.symbol} are allotted and not leaving yet",
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
        shares_nano=book.shares_nano - leaving.shares_nano,
        allotments=_changed(book.allotments, leaving.target, -leaving.shares_nano),
    )


def with_redemptions(book: AssetBook, target: Target, seen_raw: int) -> AssetBook:
    """Redemptions counted up to a total of `seen_raw` base units: the shares owed for the newly counted ones, at the
    books' multiplier and rounded up to a billionth, are kept apart for the redeemers (M13)."""
    _require_uncounted(book, target, seen_raw)
    try:
        owed_nano = shares_nano_for(seen_raw - book.redeemed_seen_raw, book.multiplier_bits, book.decimals)
    except UnitError as error:
        raise user_error("seen raw", seen_raw, str(error)) from None
    attested_nano = book.attested_nano(target)
    if owed_nano > attested_nano:
        raise user_error(
            "seen raw",
            seen_raw,
            f"{shares_text(owed_nano)} shares are owed for it and {shares_text(attested_nano)} of {book.symbol} are "
            "allotted and not leaving: what they do not suffice for stays uncounted; take marks back or deposit first",
        )
    return replace(
        book,
        version=book.version + 1,
        shares_nano=book.shares_nano - owed_nano,
        redeemed_seen_raw=seen_raw,
        allotments=_changed(book.allotments, target, -owed_nano),
    )


def with_returned_redemptions(book: AssetBook, target: Target, seen_raw: int) -> AssetBook:
    """Redemptions passed as counted up to a total of `seen_raw` base units with nothing owed for the newly passed ones:
    the broker rejected them after the burn, so their shares stay, and back the tokens that the participant is issued
    again (M6)."""
    _require_uncounted(book, target, seen_raw)
    return replace(book, version=book.version + 1, redeemed_seen_raw=seen_raw)


def _require_uncounted(book: AssetBook, target: Target, seen_raw: int) -> None:
    if seen_raw <= book.redeemed_seen_raw:
        raise user_error(
            "seen raw", seen_raw, f"the books have counted {book.redeemed_seen_raw} of {book.symbol} already"
        )
    if book.allotment(target) is None:
        raise _no_allotment(book)
    try:
        checked_u64(seen_raw, "seen_raw")
    except UnitError as error:
        raise user_error("seen raw", seen_raw, str(error)) from None


def leaving_of(book: AssetBook, leaving_id: str) -> Leaving:
    """The leaving of an id. UserError where there is none."""
    for one in book.leaving:
        if one.id == leaving_id:
            return one
    known = ", ".join(one.id for one in book.leaving) or "none"
    raise user_error("leaving id", leaving_id, f"{book.symbol} has these: {known}")


def _changed(allotments: tuple[Allotment, ...], target: Target, by_nano: int) -> tuple[Allotment, ...]:
    return tuple(
        replace(one, shares_nano=one.shares_nano + by_nano) if one.target == target else one for one in allotments
    )


def _require_some(shares_nano: int) -> None:
    if shares_nano <= 0:
        raise user_error("shares", shares_text(shares_nano), "it must be more than 0")


def _fits(shares_nano: int) -> int:
    try:
        return checked_u64(shares_nano, "shares_nano")
    except UnitError as error:
        raise user_error("shares", shares_text(shares_nano), str(error)) from None


def _no_allotment(book: AssetBook) -> UserError:
    return user_error(
        "asset", book.symbol, "its record has no allotment to the cluster and program of the settings; add one"
    )
