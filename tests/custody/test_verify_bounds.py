"""The daemon's verification at its bounds: the last value that passes beside the first that does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.keypair import Keypair

from tests.custody.builders import (
    AGENT_KEY,
    CUSTODIAN,
    CUSTODIAN_KEY,
    GENESIS,
    asset_view,
    attester_keys,
    custodian_account,
    signed_by,
)
from tests.custody.test_verify import (
    LAST,
    LIMITS,
    MINTS,
    NOW_MS,
    NOW_TS,
    check,
    line,
    only_reason,
    quorum_signs,
    second,
    snapshot,
    statement,
)
from xstocks_daemon.custody.verify import MAX_SIGNATURES, RejectionReason, SeenStatements
from xstocks_daemon.domain.snapshot import ChainSnapshot, CustodianState
from xstocks_daemon.domain.statement import StatementEntry


def test_more_signatures_than_a_custodian_has_keys_are_out_of_form() -> None:
    strangers = [Keypair.from_seed(bytes([100 + number]) * 32) for number in range(MAX_SIGNATURES + 1)]
    assert only_reason(check(signed_by(statement(), *strangers))) == (RejectionReason.FORM, None)
    assert only_reason(check(signed_by(statement(), *strangers[1:]))) == (RejectionReason.UNKNOWN_KEY, None)


def test_a_custodian_that_the_chain_does_not_know_is_rejected_though_it_was_asked() -> None:
    unknown = quorum_signs(statement(custodian=GENESIS))
    assert only_reason(check(unknown, asked=GENESIS)) == (RejectionReason.UNKNOWN_CUSTODIAN, None)
    assert check(quorum_signs(statement()), asked=CUSTODIAN).accepted


def test_the_answer_of_another_custodian_than_was_asked_is_rejected() -> None:
    other = custodian_account(address=GENESIS, id=2)
    chain = snapshot(custodians={CUSTODIAN: custodian_account(), GENESIS: other})
    assert only_reason(check(quorum_signs(statement()), chain, asked=GENESIS)) == (
        RejectionReason.UNKNOWN_CUSTODIAN,
        None,
    )
    assert check(quorum_signs(statement()), chain).accepted


def test_a_retired_custodian_is_rejected() -> None:
    retired = snapshot(custodians={CUSTODIAN: custodian_account(state=CustodianState.RETIRED)})
    assert only_reason(check(quorum_signs(statement()), retired)) == (RejectionReason.UNKNOWN_CUSTODIAN, None)


def test_an_expired_key_is_rejected_beside_others_that_are_not() -> None:
    keys = (*attester_keys((CUSTODIAN_KEY, 0)), *attester_keys((AGENT_KEY, 1), expires_ts=NOW_TS))
    chain = snapshot(custodians={CUSTODIAN: custodian_account(keys=tuple(sorted(keys, key=lambda one: one.key)))})
    assert only_reason(check(quorum_signs(statement()), chain)) == (RejectionReason.KEY_EXPIRED, None)


def test_the_time_of_a_withdrawal_is_no_statement_to_contradict() -> None:
    withdrawn = replace(LAST, withdrawn=True, shares_nano=0, capacity_raw=0, redeemed_seen_raw=0)
    chain = snapshot(assets={mint: asset_view(mint, withdrawn) for mint in MINTS})
    at_that_time = quorum_signs(statement(observed_ms=LAST.observed_ms, expires_ts=NOW_TS + 60))
    assert {one.reason for one in check(at_that_time, chain).rejections} == {RejectionReason.NOT_NEWER}
    assert check(quorum_signs(statement()), chain).accepted


SAME = {"shares_nano": LAST.shares_nano, "capacity_raw": LAST.capacity_raw}
LAST_ENTRIES = tuple(line(mint, redeemed_seen_raw=LAST.redeemed_seen_raw, **SAME) for mint in MINTS)


def test_other_seen_redemptions_of_the_chains_time_are_equivocation() -> None:
    """The shares and the capacity are the same."""
    other = replace(LAST_ENTRIES[1], redeemed_seen_raw=LAST.redeemed_seen_raw + 1)
    at_that_time = statement(observed_ms=LAST.observed_ms, expires_ts=NOW_TS + 60, entries=(LAST_ENTRIES[0], other))
    found = [(one.reason, one.mint) for one in check(quorum_signs(at_that_time)).rejections]
    assert found == [(RejectionReason.NOT_NEWER, MINTS[0]), (RejectionReason.EQUIVOCATION, MINTS[1])]


def risen(capacity_raw: int, seen_raw: int) -> StatementEntry:
    return line(MINTS[1], shares_nano=10 * capacity_raw, capacity_raw=capacity_raw, redeemed_seen_raw=seen_raw)


def judged(entry: StatementEntry, seen: SeenStatements | None = None) -> RejectionReason | None:
    """Why the second entry is rejected, None where it passes."""
    verdict = check(quorum_signs(statement(entries=(line(MINTS[0]), entry))), seen=seen)
    return None if verdict.accepted else only_reason(verdict)[0]


def test_a_rise_is_measured_to_the_base_unit_from_all_that_the_chains_entry_vouches_for() -> None:
    """100,000,010 may become 110,000,011: capacity and seen redemptions count together."""
    assert LIMITS.max_rise_bps == 1_000
    assert LAST.capacity_raw + LAST.redeemed_seen_raw == 100_000_010
    assert judged(risen(110_000_000, 11)) is None
    assert judged(risen(110_000_000, 12)) is RejectionReason.JUMP


def test_a_rise_is_measured_to_the_base_unit_from_all_that_was_vouched_for_last() -> None:
    """What was seen last is newer than the chain's: 120,000,010 may become 132,000,011."""
    seen = SeenStatements()
    seen.record(second(shares_nano=1_200_000_000, capacity_raw=120_000_000))
    later = {"observed_ms": NOW_MS + 1}

    def after(entry: StatementEntry) -> RejectionReason | None:
        verdict = check(quorum_signs(statement(entries=(line(MINTS[0]), entry), **later)), seen=seen)
        return None if verdict.accepted else only_reason(verdict)[0]

    assert after(risen(132_000_000, 11)) is None
    assert after(risen(132_000_000, 12)) is RejectionReason.JUMP


def test_a_rise_is_measured_from_the_chains_entry_where_that_is_the_newer_one() -> None:
    seen = SeenStatements()
    seen.record(second(shares_nano=5_000, capacity_raw=500))
    newer = replace(LAST, observed_ms=NOW_MS + 1)

    def chain() -> ChainSnapshot:
        return snapshot(assets={mint: asset_view(mint, newer) for mint in MINTS})

    def after(entry: StatementEntry) -> RejectionReason | None:
        later = statement(entries=(line(MINTS[0]), entry), observed_ms=NOW_MS + 2)
        verdict = check(quorum_signs(later), chain(), seen=seen)
        return None if verdict.accepted else only_reason(verdict)[0]

    assert after(risen(110_000_000, 11)) is None
    assert after(risen(110_000_000, 12)) is RejectionReason.JUMP


@pytest.mark.parametrize(("entry", "lower"), [(0, False), (1, True)])
def test_a_counted_redemption_is_no_fall_and_one_base_unit_less_is(entry: int, lower: bool) -> None:
    """100 base units redeemed and counted: the custodian vouches for as much as before, or for 100 less."""
    counted = line(
        MINTS[1],
        shares_nano=999_999_000,
        capacity_raw=99_999_900,
        redeemed_seen_raw=LAST.redeemed_seen_raw + 100 - entry,
    )
    chain = snapshot(assets={mint: asset_view(mint, replace(LAST, redeemed_total_raw=500)) for mint in MINTS})
    verdict = check(quorum_signs(statement(entries=(LAST_ENTRIES[0], counted))), chain)
    assert verdict.accepted
    assert [one.is_lower for one in verdict.verified] == [False, lower]
