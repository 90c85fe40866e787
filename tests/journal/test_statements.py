"""Statements as evidence: two successive ones per custodian and asset, and equivocation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.journal.builders import CUSTODIAN, GENESIS, MINT, OTHER, PROGRAM, dump, signed_statement
from tests.journal.conftest import Desk
from xstocks_daemon.domain.plan_inputs import CustodianEvidence
from xstocks_daemon.domain.statement import AttesterSignature, SignedStatement, Statement, StatementEntry
from xstocks_daemon.domain.units import Address
from xstocks_daemon.journal import Equivocation, Journal
from xstocks_daemon.journal.sql.codec import statement_of, statement_text


async def known(journal: Journal, mint: Address = MINT) -> CustodianEvidence:
    return (await journal.evidence())[mint][CUSTODIAN]


async def test_the_newest_and_the_one_before_it_are_kept(desk: Desk, journal: Journal) -> None:
    first, second, third = (signed_statement({MINT: 60, OTHER: 5}, time) for time in (1, 2, 3))
    await journal.record_statements([first])
    assert (await known(journal)).previous is None
    await journal.record_statements([third, second])
    found = await known(journal)
    assert found.previous is not None
    assert (found.newest.signed, found.previous.signed) == (third, second)
    assert found.newest.entry == third.statement.entries[0]
    assert len(dump(desk.path)["statements"]) == 2


async def test_a_statement_of_some_assets_leaves_the_others(journal: Journal) -> None:
    both, one = signed_statement({MINT: 60, OTHER: 5}, 1), signed_statement({MINT: 50}, 2)
    await journal.record_statements([both, one])
    found, other = await known(journal), await known(journal, OTHER)
    assert found.previous is not None
    assert (found.newest.signed, found.previous.signed) == (one, both)
    assert (other.newest.signed, other.previous) == (both, None)


async def test_custodians_do_not_mix(journal: Journal) -> None:
    gtn = Address(b"g" * 32)
    await journal.record_statements([signed_statement({MINT: 1}, 1), signed_statement({MINT: 2}, 1, custodian=gtn)])
    assert {
        custodian: line.newest.entry.capacity_raw for custodian, line in (await journal.evidence())[MINT].items()
    } == {
        CUSTODIAN: 1,
        gtn: 2,
    }
    await journal.record_statements([signed_statement({MINT: 3}, 2)])
    kept = (await journal.evidence())[MINT]
    assert {custodian: each.newest.entry.capacity_raw for custodian, each in kept.items()} == {CUSTODIAN: 3, gtn: 2}


async def test_what_is_not_newer_changes_nothing(desk: Desk, journal: Journal) -> None:
    await journal.record_statements([signed_statement({MINT: 60}, 5)])
    before = dump(desk.path)
    assert await journal.record_statements([signed_statement({MINT: 60}, 5), signed_statement({MINT: 70}, 4)]) == ()
    assert dump(desk.path) == before


async def test_equivocation_is_reported_and_the_first_word_stays(journal: Journal) -> None:
    await journal.record_statements([signed_statement({MINT: 60, OTHER: 5}, 5)])
    found = await journal.record_statements([signed_statement({MINT: 61, OTHER: 5}, 5)])
    assert found == (Equivocation(MINT, CUSTODIAN, 5),)
    assert (await known(journal)).newest.entry.capacity_raw == 60
    assert [one.kind for one in await journal.events(mint=MINT)] == ["equivocation"]


@pytest.mark.parametrize(
    ("steps", "lowered_ms"),
    [
        ([(60, 0)], 0),
        ([(60, 0), (60, 0)], 0),
        ([(60, 0), (61, 0)], 0),
        ([(60, 0), (59, 0)], 2),
        ([(60, 0), (59, 0), (59, 0), (80, 0)], 2),
        ([(60, 0), (59, 0), (58, 0)], 3),
        ([(60, 0), (50, 10)], 0),  # redeemed and counted: the custodian vouches for as much as before
        ([(60, 0), (49, 10)], 2),
    ],
)
async def test_when_a_custodian_last_said_less(journal: Journal, steps: list[tuple[int, int]], lowered_ms: int) -> None:
    for time, (capacity, seen) in enumerate(steps, 1):
        await journal.record_statements([signed_statement({MINT: capacity}, time, seen)])
    assert (await known(journal)).lowered_ms == lowered_ms


U64 = st.integers(0, 2**64 - 1)
ADDRESSES = st.binary(min_size=32, max_size=32).map(Address)


@given(
    st.dictionaries(ADDRESSES, st.tuples(U64, U64, U64, U64), min_size=1, max_size=24),
    U64,
    st.integers(0, 2**63 - 1),
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(ADDRESSES, st.binary(min_size=64, max_size=64)), max_size=3),
)
def test_a_statement_survives_its_text(
    entries: dict[Address, tuple[int, int, int, int]],
    observed_ms: int,
    expires_ts: int,
    epoch: int,
    keys: list[tuple[Address, bytes]],
) -> None:
    signed = SignedStatement(
        Statement(
            GENESIS,
            PROGRAM,
            CUSTODIAN,
            epoch,
            observed_ms,
            expires_ts,
            tuple(StatementEntry(mint, *numbers) for mint, numbers in sorted(entries.items())),
        ),
        tuple(AttesterSignature(key, signature) for key, signature in keys),
    )
    assert statement_of(statement_text(signed)) == signed
