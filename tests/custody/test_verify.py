"""The daemon's verification: one wrong thing gives exactly its named rejection, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.keypair import Keypair

from tests.custody.builders import (
    AGENT_KEY,
    CUSTODIAN,
    CUSTODIAN_KEY,
    CUSTODIAN_SECOND_KEY,
    GENESIS,
    NEVER_TS,
    ONE_BITS,
    PROGRAM,
    SECOND_AGENT_KEY,
    STRANGER_KEY,
    address_of,
    asset_view,
    attester_keys,
    custodian_account,
    entry_of,
    mint_of,
    signed_by,
    snapshot_of,
)
from xstocks_daemon.chain.addresses import parse_address
from xstocks_daemon.custody.verify import (
    RejectionReason,
    SeenStatements,
    Verdict,
    VerifyLimits,
    check_quorum,
    verify_statement,
)
from xstocks_daemon.domain.snapshot import ChainSnapshot, CustodianState, EntryState
from xstocks_daemon.domain.statement import AttesterSignature, SignedStatement, Statement, StatementEntry
from xstocks_daemon.domain.units import Address, multiplier_bits_of

NOW_MS = 1_700_000_000_000
NOW_TS = NOW_MS // 1_000
LAST = entry_of(
    withdrawn=False,
    observed_ms=NOW_MS - 60_000,
    shares_nano=1_000_000_000,
    capacity_raw=100_000_000,
    redeemed_total_raw=50,
    redeemed_seen_raw=10,
)
MINTS = (mint_of(1), mint_of(2))
LIMITS = VerifyLimits(max_skew_ms=2_000, max_lifetime_secs=3_600, max_rise_bps=1_000)
TWO_BITS = multiplier_bits_of("2.0")


def snapshot(**changes: Any) -> ChainSnapshot:
    base = snapshot_of(*(asset_view(mint, LAST) for mint in MINTS), now_ts=NOW_TS)
    return replace(base, **changes)


def line(mint: Address, **changes: Any) -> StatementEntry:
    return replace(StatementEntry(mint, ONE_BITS, 1_010_000_000, 101_000_000, 10), **changes)


def statement(**changes: Any) -> Statement:
    base = Statement(GENESIS, PROGRAM, CUSTODIAN, 3, NOW_MS, NOW_TS + 3_600, tuple(line(mint) for mint in MINTS))
    return replace(base, **changes)


def second(**changes: Any) -> Statement:
    """The statement with its second entry changed."""
    return statement(entries=(line(MINTS[0]), line(MINTS[1], **changes)))


def check(
    signed: SignedStatement,
    chain: ChainSnapshot | None = None,
    seen: SeenStatements | None = None,
    limits: VerifyLimits = LIMITS,
    asked: Address = CUSTODIAN,
) -> Verdict:
    return verify_statement(
        signed,
        asked_custodian=asked,
        snapshot=chain or snapshot(),
        seen=seen or SeenStatements(),
        limits=limits,
        now_ms=NOW_MS,
    )


def quorum_signs(given: Statement) -> SignedStatement:
    return signed_by(given, CUSTODIAN_KEY, AGENT_KEY)


def only_reason(verdict: Verdict) -> tuple[RejectionReason, Address | None]:
    assert not verdict.accepted
    assert verdict.verified == ()
    (rejection,) = verdict.rejections
    return rejection.reason, rejection.mint


def test_a_right_statement_is_verified_whole() -> None:
    verdict = check(quorum_signs(statement()))
    assert verdict.accepted
    assert [one.entry.mint for one in verdict.verified] == list(MINTS)
    assert all(one.last_sum_raw == 100_000_010 and not one.is_lower for one in verdict.verified)


def test_a_lower_statement_is_verified_and_known_as_lower() -> None:
    verdict = check(quorum_signs(second(shares_nano=0, capacity_raw=0)))
    assert verdict.accepted
    assert [one.is_lower for one in verdict.verified] == [False, True]


SIGNED_FLIPS: list[tuple[str, Statement, RejectionReason, Address | None]] = [
    ("genesis_hash", statement(genesis_hash=PROGRAM), RejectionReason.WRONG_CLUSTER, None),
    ("program_id", statement(program_id=GENESIS), RejectionReason.WRONG_PROGRAM, None),
    ("custodian", statement(custodian=GENESIS), RejectionReason.UNKNOWN_CUSTODIAN, None),
    ("epoch below", statement(epoch=2), RejectionReason.WRONG_EPOCH, None),
    ("epoch above", statement(epoch=4), RejectionReason.WRONG_EPOCH, None),
    ("mint", statement(entries=(line(MINTS[0]), line(mint_of(9)))), RejectionReason.UNREGISTERED_MINT, mint_of(9)),
    ("ahead", statement(observed_ms=NOW_MS + 2_001), RejectionReason.FROM_THE_FUTURE, None),
    ("expired", statement(expires_ts=NOW_TS), RejectionReason.BAD_EXPIRY, None),
    ("expires late", statement(expires_ts=NOW_TS + 3_601), RejectionReason.BAD_EXPIRY, None),
    ("older", statement(observed_ms=LAST.observed_ms - 1, expires_ts=NOW_TS + 60), RejectionReason.NOT_NEWER, MINTS[0]),
    (
        "multiplier",
        second(multiplier_bits=TWO_BITS, capacity_raw=50_500_000),
        RejectionReason.WRONG_MULTIPLIER,
        MINTS[1],
    ),
    ("capacity above", second(capacity_raw=101_000_001), RejectionReason.WRONG_CAPACITY, MINTS[1]),
    ("capacity below", second(capacity_raw=100_999_999), RejectionReason.WRONG_CAPACITY, MINTS[1]),
    ("capacity over u64", second(shares_nano=2**63), RejectionReason.WRONG_CAPACITY, MINTS[1]),
    ("seen", second(redeemed_seen_raw=51), RejectionReason.SEEN_ABOVE_TOTAL, MINTS[1]),
    ("jump", second(shares_nano=1_200_000_000, capacity_raw=120_000_000), RejectionReason.JUMP, MINTS[1]),
]


@pytest.mark.parametrize(("flipped", "reason", "mint"), [flip[1:] for flip in SIGNED_FLIPS],
                         ids=[flip[0] for flip in SIGNED_FLIPS])  # fmt: skip
def test_one_wrong_thing_that_a_quorum_signed_is_rejected_by_its_name(
    flipped: Statement, reason: RejectionReason, mint: Address | None
) -> None:
    verdict = check(quorum_signs(flipped))
    if reason is RejectionReason.NOT_NEWER:  # the time is the whole statement's, so each entry is told
        assert {(one.reason, one.mint) for one in verdict.rejections} == {(reason, each) for each in MINTS}
    else:
        assert only_reason(verdict) == (reason, mint)


BOUNDARIES = [
    statement(observed_ms=NOW_MS + 2_000),
    statement(observed_ms=LAST.observed_ms + 1, expires_ts=NOW_TS + 1),
    statement(expires_ts=NOW_TS + 1),
    second(redeemed_seen_raw=50),
    second(shares_nano=1_100_000_000, capacity_raw=110_000_000),
    second(shares_nano=0, capacity_raw=0, redeemed_seen_raw=0),
]


@pytest.mark.parametrize("edge", BOUNDARIES)
def test_the_last_allowed_value_passes(edge: Statement) -> None:
    assert check(quorum_signs(edge)).accepted


ENTRY_FIELDS = ("multiplier_bits", "shares_nano", "capacity_raw", "redeemed_seen_raw")


@given(st.sampled_from(("epoch", "observed_ms", "expires_ts")), st.integers(1, 2**31))
def test_an_unsigned_change_of_the_head_never_passes(name: str, by: int) -> None:
    signed = quorum_signs(statement())
    changed = replace(signed.statement, **{name: getattr(signed.statement, name) ^ by})
    expected = {RejectionReason.BAD_SIGNATURE} if name != "epoch" else {RejectionReason.WRONG_EPOCH}
    assert {one.reason for one in check(replace(signed, statement=changed)).rejections} == expected


@given(st.sampled_from(ENTRY_FIELDS), st.integers(0, 1), st.integers(1, 2**64 - 1))
def test_an_unsigned_change_of_an_entry_is_a_bad_signature(name: str, index: int, by: int) -> None:
    signed = quorum_signs(statement())
    entries = list(signed.statement.entries)
    entries[index] = replace(entries[index], **{name: getattr(entries[index], name) ^ by})
    changed = replace(signed, statement=replace(signed.statement, entries=tuple(entries)))
    assert only_reason(check(changed)) == (RejectionReason.BAD_SIGNATURE, None)


@given(st.integers(0, 1), st.integers(0, 64 * 8 - 1))
def test_any_flipped_bit_of_a_signature_is_a_bad_signature(index: int, bit: int) -> None:
    signed = quorum_signs(statement())
    broken = bytearray(signed.signatures[index].signature)
    broken[bit // 8] ^= 1 << (bit % 8)
    signatures = list(signed.signatures)
    signatures[index] = AttesterSignature(signatures[index].key, bytes(broken))
    assert only_reason(check(replace(signed, signatures=tuple(signatures)))) == (RejectionReason.BAD_SIGNATURE, None)


SIGNERS: list[tuple[str, tuple[Keypair, ...], RejectionReason]] = [
    ("none", (), RejectionReason.FORM),
    ("stranger", (CUSTODIAN_KEY, STRANGER_KEY), RejectionReason.UNKNOWN_KEY),
    ("agents only", (AGENT_KEY, SECOND_AGENT_KEY), RejectionReason.CUSTODIAN_MISSING),
    ("custodian only", (CUSTODIAN_KEY,), RejectionReason.NO_QUORUM),
]


@pytest.mark.parametrize(("signers", "reason"), [one[1:] for one in SIGNERS], ids=[one[0] for one in SIGNERS])
def test_a_wrong_set_of_signers_is_rejected_by_its_name(signers: tuple[Keypair, ...], reason: RejectionReason) -> None:
    assert only_reason(check(signed_by(statement(), *signers))) == (reason, None)


def test_all_three_parties_pass() -> None:
    assert check(signed_by(statement(), CUSTODIAN_KEY, AGENT_KEY, SECOND_AGENT_KEY)).accepted


def test_two_keys_of_one_party_are_one_party() -> None:
    keys = attester_keys((CUSTODIAN_KEY, 0), (CUSTODIAN_SECOND_KEY, 0), (AGENT_KEY, 1))
    custodian = custodian_account(keys=keys)
    chain = snapshot(custodians={CUSTODIAN: custodian})
    both = signed_by(statement(), CUSTODIAN_KEY, CUSTODIAN_SECOND_KEY)
    assert only_reason(check(both, chain)) == (RejectionReason.NO_QUORUM, None)
    assert check(signed_by(statement(), CUSTODIAN_SECOND_KEY, AGENT_KEY), chain).accepted


def test_a_threshold_below_two_parties_is_two() -> None:
    chain = snapshot(custodians={CUSTODIAN: custodian_account(threshold=1)})
    assert only_reason(check(signed_by(statement(), CUSTODIAN_KEY), chain)) == (RejectionReason.NO_QUORUM, None)
    assert check(quorum_signs(statement()), chain).accepted


def test_a_threshold_of_three_needs_three() -> None:
    chain = snapshot(custodians={CUSTODIAN: custodian_account(threshold=3)})
    assert only_reason(check(quorum_signs(statement()), chain)) == (RejectionReason.NO_QUORUM, None)
    assert check(signed_by(statement(), CUSTODIAN_KEY, AGENT_KEY, SECOND_AGENT_KEY), chain).accepted


@pytest.mark.parametrize("change", [lambda s: tuple(reversed(s)), lambda s: (s[0], s[0]), lambda s: (s[0], *s)])
def test_keys_must_strictly_ascend(change: Callable[[Any], Any]) -> None:
    signed = quorum_signs(statement())
    assert only_reason(check(replace(signed, signatures=change(signed.signatures)))) == (
        RejectionReason.KEY_ORDER,
        None,
    )


def test_a_signature_of_a_wrong_length_is_out_of_form() -> None:
    signed = quorum_signs(statement())
    short = AttesterSignature(signed.signatures[0].key, signed.signatures[0].signature[:63])
    assert only_reason(check(replace(signed, signatures=(short, signed.signatures[1])))) == (RejectionReason.FORM, None)


def test_a_key_expires_with_its_second() -> None:
    def chain(expires_ts: int) -> ChainSnapshot:
        keys = tuple(
            replace(one, expires_ts=expires_ts) if one.key == address_of(AGENT_KEY) else one
            for one in custodian_account().keys
        )
        return snapshot(custodians={CUSTODIAN: custodian_account(keys=keys)})

    assert only_reason(check(quorum_signs(statement()), chain(NOW_TS))) == (RejectionReason.KEY_EXPIRED, None)
    assert check(quorum_signs(statement()), chain(NOW_TS + 1)).accepted


def test_a_retired_custodian_and_one_that_was_not_asked_are_unknown() -> None:
    retired = snapshot(custodians={CUSTODIAN: custodian_account(state=CustodianState.RETIRED)})
    assert only_reason(check(quorum_signs(statement()), retired)) == (RejectionReason.UNKNOWN_CUSTODIAN, None)
    assert only_reason(check(quorum_signs(statement()), asked=PROGRAM)) == (RejectionReason.UNKNOWN_CUSTODIAN, None)


@pytest.mark.parametrize("other", [entry_of(PROGRAM), replace(LAST, state=EntryState.DETACHED)])
def test_an_asset_without_this_custodian_attached_is_not_its_own(other: Any) -> None:
    chain = snapshot(assets={MINTS[0]: asset_view(MINTS[0], LAST), MINTS[1]: asset_view(MINTS[1], other)})
    assert only_reason(check(quorum_signs(statement()), chain)) == (RejectionReason.UNREGISTERED_MINT, MINTS[1])


def at_chain_time() -> Statement:
    return statement(observed_ms=LAST.observed_ms, expires_ts=NOW_TS + 60)


def test_another_statement_of_the_chains_time_is_equivocation_and_the_same_one_is_not_newer() -> None:
    verdict = check(quorum_signs(at_chain_time()))
    assert {one.reason for one in verdict.rejections} == {RejectionReason.EQUIVOCATION}
    same = tuple(line(mint, shares_nano=1_000_000_000, capacity_raw=100_000_000) for mint in MINTS)
    verdict = check(quorum_signs(replace(at_chain_time(), entries=same)))
    assert {one.reason for one in verdict.rejections} == {RejectionReason.NOT_NEWER}


def test_another_statement_of_a_seen_time_is_equivocation_and_a_replay_is_not_newer() -> None:
    seen = SeenStatements()
    first = quorum_signs(statement())
    assert check(first, seen=seen).accepted
    seen.record(first.statement)
    assert {one.reason for one in check(first, seen=seen).rejections} == {RejectionReason.NOT_NEWER}
    other = quorum_signs(second(shares_nano=1_000_000_000, capacity_raw=100_000_000))
    reasons = [(one.reason, one.mint) for one in check(other, seen=seen).rejections]
    assert reasons == [(RejectionReason.NOT_NEWER, MINTS[0]), (RejectionReason.EQUIVOCATION, MINTS[1])]
    later = replace(other.statement, observed_ms=NOW_MS + 1)
    assert check(quorum_signs(later), seen=seen).accepted


def test_recording_an_older_statement_forgets_nothing() -> None:
    seen = SeenStatements()
    seen.record(statement())
    seen.record(statement(observed_ms=NOW_MS - 1))
    last = seen.last(CUSTODIAN, MINTS[0])
    assert last is not None
    assert last[0] == NOW_MS


def test_a_first_statement_and_one_after_a_withdrawal_are_no_jump() -> None:
    for entry in (entry_of(), replace(LAST, withdrawn=True), replace(LAST, capacity_raw=0, redeemed_seen_raw=0)):
        chain = snapshot(assets={mint: asset_view(mint, replace(entry, redeemed_total_raw=50)) for mint in MINTS})
        huge = tuple(line(mint, shares_nano=10**15, capacity_raw=10**14) for mint in MINTS)
        assert check(quorum_signs(statement(entries=huge)), chain).accepted


def test_a_jump_is_measured_from_what_was_seen_last_and_may_be_unlimited() -> None:
    big = tuple(line(mint, shares_nano=1_200_000_000, capacity_raw=120_000_000) for mint in MINTS)
    seen = SeenStatements()
    seen.record(statement(observed_ms=NOW_MS - 1, entries=big))
    assert check(quorum_signs(statement(entries=big)), seen=seen).accepted
    assert {one.reason for one in check(quorum_signs(statement(entries=big))).rejections} == {RejectionReason.JUMP}
    assert check(quorum_signs(statement(entries=big)), limits=replace(LIMITS, max_rise_bps=None)).accepted


def test_an_asset_that_changes_its_multiplier_before_expiry_stands_alone() -> None:
    def chain(effective_ts: int) -> ChainSnapshot:
        changing = asset_view(MINTS[1], LAST, change=(effective_ts, TWO_BITS))
        return snapshot(assets={MINTS[0]: asset_view(MINTS[0], LAST), MINTS[1]: changing})

    expires_ts = statement().expires_ts
    together = quorum_signs(statement())
    assert only_reason(check(together, chain(expires_ts - 1))) == (RejectionReason.SHARED_CHANGE, MINTS[1])
    assert check(together, chain(expires_ts)).accepted
    assert check(quorum_signs(statement(entries=(line(MINTS[1]),))), chain(expires_ts - 1)).accepted


def test_the_multiplier_in_force_is_that_of_asset_and_mint_both() -> None:
    view = asset_view(MINTS[1], LAST)
    differs = replace(view, mint=replace(view.mint, multiplier_bits=TWO_BITS, new_multiplier_bits=TWO_BITS))
    chain = snapshot(assets={MINTS[0]: asset_view(MINTS[0], LAST), MINTS[1]: differs})
    for bits, capacity_raw in ((ONE_BITS, 101_000_000), (TWO_BITS, 50_500_000)):
        signed = quorum_signs(second(multiplier_bits=bits, capacity_raw=capacity_raw))
        assert only_reason(check(signed, chain)) == (RejectionReason.WRONG_MULTIPLIER, MINTS[1])


def test_the_signatures_of_the_golden_vectors_verify() -> None:
    vectors = json.loads((Path(__file__).parents[1] / "vectors" / "statement.json").read_text())
    for vector in vectors["statements"]:
        signatures = tuple(
            sorted(
                (
                    AttesterSignature(parse_address(one["public_key"]), bytes.fromhex(one["signature_hex"]))
                    for one in vector["signatures"]
                ),
                key=lambda one: one.key,
            )
        )
        parties = [(Keypair.from_seed(bytes.fromhex(one["secret_seed_hex"])), index)
                   for index, one in enumerate(vector["signatures"])]  # fmt: skip
        custodian = custodian_account(keys=attester_keys(*parties, expires_ts=NEVER_TS))
        check_quorum(custodian, bytes.fromhex(vector["digest_hex"]), signatures, NOW_MS)
