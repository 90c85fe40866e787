"""Groups never straddle lookup tables and never lose or repeat anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.world import mint_address
from xstocks_daemon.domain.batches import MAX_CUSTODIANS, MAX_MINTS, intent_batches, statement_groups
from xstocks_daemon.domain.statement import MAX_ENTRIES
from xstocks_daemon.domain.units import Address

MINTS = [mint_address(number) for number in range(200)]
TABLES = {mint: number // 83 for number, mint in enumerate(MINTS)}
CUSTODIANS = st.dictionaries(
    st.sampled_from(MINTS), st.sets(st.binary(min_size=32, max_size=32).map(Address), max_size=4)
)


@given(st.lists(st.sampled_from(MINTS), unique=True), CUSTODIANS, st.randoms(use_true_random=False))
def test_intent_batches(mints: Sequence[Address], custodians: Mapping[Address, set[Address]], chance: object) -> None:
    batches = intent_batches(mints, lambda mint: mint, TABLES, custodians)
    assert sorted(mint for batch in batches for mint in batch) == sorted(mints)
    for batch in batches:
        assert 1 <= len(batch) <= MAX_MINTS
        assert len({TABLES[mint] for mint in batch}) == 1
        assert len(set().union(*(custodians.get(mint, set()) for mint in batch))) <= MAX_CUSTODIANS
    mixed = list(mints)
    chance.shuffle(mixed)
    assert intent_batches(mixed, lambda mint: mint, TABLES, custodians) == batches


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
