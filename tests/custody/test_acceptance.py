"""Which redemptions a custodian's sidecar accepts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.custody.builders import GENESIS, PROGRAM, mint_of
from xstocks_daemon.attester.acceptance import require_acceptable
from xstocks_daemon.attester.books import AssetBook, Leaving, Target, books_of, new_asset_book
from xstocks_daemon.domain.snapshot import Redemption, RedemptionState
from xstocks_daemon.domain.units import Address
from xstocks_daemon.errors import UserError

MINT = mint_of(1)
HERE = Target(GENESIS, PROGRAM, MINT)
BOOK = new_asset_book(HERE, "S0x", 10_000_000_000, "2")
"""Ten shares, two of them to a token."""
OPEN = Redemption(
    address=Address(bytes([7] * 32)),
    state=RedemptionState.REQUESTED,
    id=bytes([1] * 16),
    mint=MINT,
    wallet=Address(bytes([2] * 32)),
    source=Address(bytes([3] * 32)),
    amount_raw=500_000_000,
    requested_ts=1,
    closed_ts=None,
    custodian=None,
    accepted_epoch=0,
    locked_until_ts=0,
    on_hold=False,
)
"""Of five tokens: all ten shares."""


def acceptable(book: AssetBook = BOOK, **changes: Any) -> AssetBook:
    return require_acceptable(replace(OPEN, **changes), books_of(1, [book]), HERE)


def test_what_the_books_have_the_shares_for_is_accepted() -> None:
    assert acceptable() == BOOK


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": RedemptionState.SETTLED}, "it was settled before"),
        ({"state": RedemptionState.CANCELLED}, "it was cancelled before"),
        ({"on_hold": True}, "compliance holds it"),
        ({"amount_raw": 500_000_001}, r"it takes 10\.00000002 shares, 10 of S0x are allotted"),
        ({"amount_raw": 2**64 - 1}, "."),
    ],
)
def test_what_cannot_be_settled_or_delivered_is_not_accepted(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        acceptable(**changes)
    assert refused.value.field == "redemption"


def test_shares_are_owed_in_the_decimals_of_the_books() -> None:
    """The same base units are a hundred times the tokens where a token has two decimals fewer."""
    assert acceptable(replace(BOOK, decimals=6), amount_raw=5_000_000).decimals == 6
    with pytest.raises(UserError, match=r"it takes 1,000 shares|it takes 1000 shares"):
        acceptable(replace(BOOK, decimals=6))


def test_shares_about_to_leave_are_promised_to_nobody() -> None:
    leaving = Leaving("a", HERE, 1, 5)
    with pytest.raises(UserError, match="not leaving"):
        acceptable(replace(BOOK, leaving=(leaving,)))


def test_books_without_an_allotment_promise_nothing() -> None:
    other = Target(GENESIS, Address(bytes([77] * 32)), MINT)
    with pytest.raises(UserError, match="no allotment"):
        require_acceptable(OPEN, books_of(1, [BOOK]), other)
