"""Groups never straddle lookup tables and never lose or repeat anything."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.builders import mint_address
from xstocks_daemon.domain.batches import MAX_CUSTODIANS, MAX_MINTS, intent_batches, statement_groups
from xstocks_daemon.domain.statement import MAX_ENTRIES
from xstocks_daemon.domain.units import Address

MINTS = [mint_address(number) for number in range(200)]
TABLES = {mint: number // 83 for number, mint in enumerate(MINTS)}
#: Few enough of them that a batch of many assets meets the limit again and again, and now and then stays below it.
CUSTODIANS = [Address(bytes([number]) * 32) for number in range(1, 9)]
CUSTODIANS_OF_MINTS = st.dictionaries(
    st.sampled_from(MINTS), st.sets(st.sampled_from(CUSTODIANS), max_size=4), min_size=20
)


@given(st.lists(st.sampled_from(MINTS), unique=True), CUSTODIANS_OF_MINTS, st.randoms(use_true_random=False))
def test_batches_keep_all_limits_lose_nothing_and_do_not_depend_on_order(
    mints: Sequence[Address], custodians: Mapping[Address, set[Address]], chance: random.Random
) -> None:
    batches = intent_batches(mints, lambda mint: mint, TABLES, custodians)
    assert sorted(mint for batch in batches for mint in batch) == sorted(mints)
    for batch in batches:
        assert 1 <= len(batch) <= MAX_MINTS
        assert len({TABLES[mint] for mint in batch}) == 1
        assert len(set().union(*(custodians.get(mint, set()) for mint in batch))) <= MAX_CUSTODIANS
    mixed = list(mints)
    chance.shuffle(mixed)
    assert intent_batches(mixed, lambda mint: mint, TABLES, custodians) == batches


def test_five_custodians_fit_one_transaction_and_a_sixth_begins_the_next() -> None:
    """One custodian an asset, in the order of the custodians."""
    custodians = {mint: [custodian] for mint, custodian in zip(MINTS, CUSTODIANS, strict=False)}
    five, six = MINTS[:5], MINTS[:6]
    assert intent_batches(five, lambda mint: mint, TABLES, custodians) == (tuple(five),)
    assert intent_batches(six, lambda mint: mint, TABLES, custodians) == (tuple(five), (six[5],))


def test_a_new_batch_counts_the_custodians_of_its_own_assets_only() -> None:
    custodians = {MINTS[0]: CUSTODIANS[:4], MINTS[1]: CUSTODIANS[4:8], MINTS[2]: CUSTODIANS[4:8]}
    assert intent_batches(MINTS[:3], lambda mint: mint, TABLES, custodians) == ((MINTS[0],), (MINTS[1], MINTS[2]))


@given(st.lists(st.sampled_from(MINTS), unique=True), st.sets(st.sampled_from(MINTS), max_size=5))
def test_statement_groups(mints: Sequence[Address], alone: set[Address]) -> None:
    groups = statement_groups(mints, TABLES, alone)
    assert sorted(mint for group in groups for mint in group) == sorted(mints)
    for group in groups:
        assert 1 <= len(group) <= MAX_ENTRIES
        assert list(group) == sorted(group)
        assert len({TABLES[mint] for mint in group}) == 1
        assert len(group) == 1 or not set(group) & alone


def test_groups_are_full() -> None:
    assert [len(batch) for batch in intent_batches(MINTS[:83], lambda mint: mint, TABLES, {})] == [18] * 4 + [11]
    assert [len(group) for group in statement_groups(MINTS[:83], TABLES)] == [24] * 3 + [11]


def test_an_asset_without_a_table_is_an_error() -> None:
    with pytest.raises(KeyError):
        statement_groups([mint_address(999)], TABLES)
