"""submit_attestation: the quorum (M2), the order of observations (M3), and what exactly was signed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.keypair import Keypair

from tests.support.deployed import NANO_PER_RAW, Asset, AssetPool, DeployedProgram
from tests.support.edit import tampered
from tests.support.error_codes import ErrorCode
from tests.support.initialized import OTHER_CUSTODIAN, OWN_CUSTODIAN
from tests.support.live_chain import address_of, call
from tests.support.tables import lookup_table
from xstocks_daemon.domain.snapshot import EntryState, Hold
from xstocks_daemon.domain.statement import MAX_ENTRIES, Statement
from xstocks_daemon.domain.units import MILLIS_PER_SEC, Address, capacity_raw

REASON_NOT_NEWER = 0

REASON_DETACHED = 1


# ---- what is stored --------------------------------------------------------------------------------------------------


async def test_a_statement_of_a_quorum_is_stored_whole(program: DeployedProgram, asset: Asset) -> None:
    statement = await program.statement({asset: 123_456_789_000})
    events = await program.accepted(program.relay(statement))
    entry = await asset.entry()
    assert (entry.state, entry.withdrawn, entry.epoch) == (EntryState.ATTACHED, False, statement.epoch)
    assert (entry.observed_ms, entry.expires_ts) == (statement.observed_ms, statement.expires_ts)
    assert (entry.shares_nano, entry.capacity_raw) == (123_456_789_000, 12_345_678_900)
    assert (entry.redeemed_total_raw, entry.redeemed_seen_raw) == (0, 0)
    assert entry.multiplier_bits == asset.multiplier_bits
    [event] = events
    assert event.name == "AttestationAccepted"
    assert event.fields["custodian"] == statement.custodian
    assert event.fields["observed_ms"] == statement.observed_ms
    assert (await asset.read()).holds == Hold(0)


@pytest.mark.parametrize("multiplier", ["1.0032690125398187", "0.05", "3", "100.000001", "0.9999999999999999"])
async def test_capacity_is_the_exact_floor_at_any_multiplier(program: DeployedProgram, multiplier: str) -> None:
    [asset] = await program.register(multiplier=multiplier, custodians=(OWN_CUSTODIAN,))
    statement = await program.statement({asset: 7_777_777_000})
    exact = statement.entries[0].capacity_raw
    for wrong in (exact - 1, exact + 1):
        await program.refused(program.relay(tampered(statement, capacity_raw=wrong)), ErrorCode.CapacityMismatch)
    await program.accepted(program.relay(statement))
    assert (await asset.entry()).capacity_raw == exact


async def test_the_same_shares_again_have_the_same_capacity(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    again = await program.statement({asset: 10_000})
    for wrong in (999, 1_001, 0, 2**64 - 1):
        await program.refused(program.relay(tampered(again, capacity_raw=wrong)), ErrorCode.CapacityMismatch)
    # Nor do other shares have the capacity that was computed before.
    await program.refused(program.relay(tampered(again, shares_nano=11_000)), ErrorCode.CapacityMismatch)
    await program.accepted(program.relay(again))
    assert (await asset.entry()).capacity_raw == 1_000


async def test_the_largest_capacity_that_a_statement_can_hold_is_stored(program: DeployedProgram) -> None:
    """Shares that back more than an u64 of tokens cannot be stated; the largest that fit can."""
    [asset] = await program.register(multiplier="0.0625", custodians=(OWN_CUSTODIAN,))
    most = 2**64 * NANO_PER_RAW // 16 - 1  # 16 tokens to the share: one billionth more backs 2^64 base units
    statement = await program.statement({asset: most})
    assert statement.entries[0].capacity_raw == 2**64 - 2
    for claimed_raw in (2**64 - 1, 0):
        too_many = tampered(statement, shares_nano=most + 1, capacity_raw=claimed_raw)
        await program.refused(program.relay(too_many), ErrorCode.CapacityMismatch)
    await program.accepted(program.relay(statement))
    assert (await asset.entry()).capacity_raw == 2**64 - 2


async def test_the_most_shares_that_an_entry_can_hold_are_stored(program: DeployedProgram, asset: Asset) -> None:
    """18,446,744,073.709551615 of them."""
    statement = await program.statement({asset: 2**64 - 1})
    await program.accepted(program.relay(statement))
    entry = await asset.entry()
    assert (entry.shares_nano, entry.capacity_raw) == (2**64 - 1, (2**64 - 1) // NANO_PER_RAW)


async def test_one_billionth_more_backs_one_base_unit_at_the_tenth(program: DeployedProgram, asset: Asset) -> None:
    """8 decimals: ten billionths of a share are one base unit."""
    for shares_nano, capacity in ((9, 0), (10, 1), (19, 1), (20, 2)):
        statement = await program.statement({asset: shares_nano})
        assert statement.entries[0].capacity_raw == capacity
        await program.accepted(program.relay(statement))
        await program.refused(
            program.relay(tampered(await program.statement({asset: shares_nano}), capacity_raw=capacity + 1)),
            ErrorCode.CapacityMismatch,
        )


async def test_a_multiplier_that_no_float_is_leaves_one_base_unit(program: DeployedProgram) -> None:
    """The f64 of 0.1 is a little more than a tenth: 2.5 shares are one billionth short of 25 tokens."""
    [asset] = await program.register(multiplier="0.1", custodians=(OWN_CUSTODIAN,))
    statement = await program.statement({asset: 2_500_000_000})
    tokens_raw = 25 * 10**8
    assert statement.entries[0].capacity_raw == tokens_raw - 1
    await program.refused(program.relay(tampered(statement, capacity_raw=tokens_raw)), ErrorCode.CapacityMismatch)
    await program.accepted(program.relay(statement))
    await program.refused(await asset.mint_call(tokens_raw), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(tokens_raw - 1))
    await program.accepted(program.relay(await program.statement({asset: 2_500_000_001})))
    await program.accepted(await asset.mint_call(1))


async def test_a_statement_below_supply_is_taken_and_stops_minting(program: DeployedProgram, asset: Asset) -> None:
    """M3: it shows the shortfall to everybody."""
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(1_000))
    await asset.attest(400)
    assert (await asset.entry()).capacity_raw == 400
    assert await asset.supply_raw() == 1_000
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)
    await asset.attest(0)
    assert (await asset.entry()).capacity_raw == 0


async def test_redeemed_seen_is_never_above_the_total(program: DeployedProgram, asset: Asset) -> None:
    """M6: nothing was burnt for a redemption, so nothing can have been counted."""
    statement = await program.statement({asset: 10_000})
    await program.refused(program.relay(tampered(statement, redeemed_seen_raw=1)), ErrorCode.SeenAboveTotal)
    await program.accepted(program.relay(statement))


# ---- the quorum (M2) -------------------------------------------------------------------------------------------------


async def test_the_custodian_and_one_agent_are_enough_in_any_combination(
    program: DeployedProgram, asset: Asset
) -> None:
    for parties in ((0, 1), (0, 2), (0, 1, 2)):
        statement = await program.statement({asset: 10_000})
        await program.accepted(program.relay(statement, *program.quorum(parties=parties)))


async def test_two_agents_without_the_custodian_are_not(program: DeployedProgram, asset: Asset) -> None:
    statement = await program.statement({asset: 10_000})
    agents = program.quorum(parties=(1, 2))
    await program.refused(program.relay(statement, *agents), ErrorCode.CustodianDidNotSign)
    await program.accepted(program.relay(statement, *program.quorum(parties=(0, 2))))


async def test_a_key_that_is_not_the_custodians_counts_for_nothing(program: DeployedProgram, asset: Asset) -> None:
    own, agent = program.quorum()
    statement = await program.statement({asset: 10_000})
    for outsider in (Keypair(), program.quorum(OTHER_CUSTODIAN)[0], program.keys.admin.keypair):
        await program.refused(program.relay(statement, own, outsider), ErrorCode.SignerUnknown)
        await program.refused(program.relay(statement, own, agent, outsider), ErrorCode.SignerUnknown)
    await program.accepted(program.relay(statement, own, agent))


async def attached_custodian(program: DeployedProgram, asset: Asset, parties: tuple[int, ...], threshold: int) -> str:
    name = await program.add_custodian(parties=parties, threshold=threshold)
    attach = program.client.attach_custodian(
        admin=program.keys.admin.address, custodian=program.custodian(name).address, mint=asset.mint
    )
    await program.accepted(program.by("admin", attach))
    await program.chain.clock_reaches(await program.chain.clock_ts() + 1)
    return name


async def test_two_keys_of_one_party_are_one_voice(program: DeployedProgram, asset: Asset) -> None:
    name = await attached_custodian(program, asset, (0, 0, 1), 2)
    first, second, agent = program.quorum(name, (0, 1, 2))
    statement = await program.statement({asset: 10_000}, custodian=name)
    await program.refused(program.relay(statement, first, second), ErrorCode.QuorumNotMet)
    await program.accepted(program.relay(statement, second, agent))


async def test_one_voice_less_than_the_threshold_is_refused(program: DeployedProgram, asset: Asset) -> None:
    name = await attached_custodian(program, asset, (0, 1, 2, 3), 3)
    own, *agents = program.quorum(name, (0, 1, 2, 3))
    statement = await program.statement({asset: 10_000}, custodian=name)
    for agent in agents:
        await program.refused(program.relay(statement, own, agent), ErrorCode.QuorumNotMet)
    await program.accepted(program.relay(statement, own, *agents[:2]))


async def test_eight_signatures_are_taken(program: DeployedProgram, asset: Asset) -> None:
    name = await attached_custodian(program, asset, tuple(range(8)), 8)
    keys = program.quorum(name, tuple(range(8)))
    statement = await program.statement({asset: 10_000}, custodian=name)
    # A ninth would not fit a transaction; eight fit with a lookup table and without a compute budget's instruction.
    table = await lookup_table(program, [asset.mint], [name])
    relayed = program.relay(statement, *keys).but(tables=(table,), limit_units=None)
    few = program.relay(statement, *keys[:7]).but(tables=(table,), limit_units=None)
    await program.refused(few, ErrorCode.QuorumNotMet)
    await program.accepted(relayed)


@pytest.mark.embedded_only
async def test_a_key_signs_until_the_second_of_its_expiry(program: DeployedProgram, asset: Asset) -> None:
    now_ts = await program.chain.clock_ts()
    name = await program.add_custodian(expires_in_secs=(10**6, 1_000, 10**6))
    attach = program.client.attach_custodian(
        admin=program.keys.admin.address, custodian=program.custodian(name).address, mint=asset.mint
    )
    await program.accepted(program.by("admin", attach))
    expires_ts = now_ts + 1_000
    custodian = await program.read_custodian(program.custodian(name).address)
    assert min(key.expires_ts for key in custodian.keys) == expires_ts

    await program.chain.clock_reaches(expires_ts - 5)
    await program.accepted(
        program.relay(await program.statement({asset: 10_000}, custodian=name), *program.quorum(name))
    )
    await program.chain.clock_reaches(expires_ts)
    statement = await program.statement({asset: 10_000}, custodian=name)
    await program.refused(program.relay(statement, *program.quorum(name)), ErrorCode.SignerExpired)
    await program.accepted(program.relay(statement, *program.quorum(name, (0, 2))))


# ---- what exactly was signed -----------------------------------------------------------------------------------------


async def test_signatures_for_another_cluster_program_custodian_or_mint_are_worth_nothing(
    program: DeployedProgram, pool: AssetPool
) -> None:
    asset, other = await pool.take(), await pool.take()
    name = await attached_custodian(program, asset, (0, 1, 2), 2)
    twin = await program.add_custodian(attesters=program.quorum(name, (0, 1, 2)))
    statement = await program.statement({asset: 10_000}, custodian=name)
    signers = program.quorum(name)
    elsewhere = {
        "cluster": replace(statement, genesis_hash=Address(bytes(32))),
        "program": replace(statement, program_id=address_of(Keypair())),
        "custodian with the same keys": replace(statement, custodian=program.custodian(twin).address),
        "mint": replace(statement, entries=(replace(statement.entries[0], mint=other.mint),)),
        "multiplier": tampered(statement, multiplier_bits=asset.multiplier_bits + 1),
    }
    for signed in elsewhere.values():
        await program.refused(program.relay(signed, *signers, submitted=statement), ErrorCode.DigestMismatch)
    await program.accepted(program.relay(statement, *signers))


@pytest.mark.parametrize(
    "changes", [{"observed_ms": 1}, {"expires_ts": 1}, {"shares_nano": 100_000, "capacity_raw": 10_000}], ids=str
)
async def test_a_statement_is_submitted_as_it_was_signed(
    program: DeployedProgram, asset: Asset, changes: dict[str, int]
) -> None:
    signed = await program.statement({asset: 10_000}, observed_ms=await latest_ms(program))
    submitted = tampered(signed, **changes) if "shares_nano" in changes else shifted(signed, **changes)
    await program.refused(program.relay(signed, submitted=submitted), ErrorCode.DigestMismatch)
    await program.accepted(program.relay(submitted))


def shifted(statement: Statement, *, observed_ms: int = 0, expires_ts: int = 0) -> Statement:
    return replace(
        statement,
        observed_ms=statement.observed_ms + observed_ms,
        expires_ts=statement.expires_ts + expires_ts,
    )


async def latest_ms(program: DeployedProgram) -> int:
    """A time of observation within the skew, with room above it."""
    return (await program.chain.clock_ts() + 2) * MILLIS_PER_SEC - 10


async def test_only_the_present_epoch_signs(program: DeployedProgram, asset: Asset) -> None:
    statement = await program.statement({asset: 10_000})
    for epoch in (statement.epoch - 1, statement.epoch + 1):
        await program.refused(program.relay(replace(statement, epoch=epoch)), ErrorCode.WrongEpoch)
    await program.accepted(program.relay(statement))


# ---- the order of observations (M3) ----------------------------------------------------------------------------------


async def test_the_same_and_older_statements_are_refused(program: DeployedProgram, asset: Asset) -> None:
    older = await program.statement({asset: 10_000})
    first = replace(older, observed_ms=older.observed_ms + 1)
    await program.accepted(program.relay(first))
    await program.refused(program.relay(first), ErrorCode.StatementNotNewer)
    await program.refused(program.relay(older), ErrorCode.StatementNotNewer)
    other_values = tampered(first, shares_nano=20_000, capacity_raw=2_000)
    await program.refused(program.relay(other_values), ErrorCode.StatementNotNewer)
    await program.accepted(program.relay(replace(first, observed_ms=first.observed_ms + 1)))


@pytest.mark.embedded_only
async def test_an_observation_is_at_most_the_skew_ahead_of_the_clock(program: DeployedProgram, asset: Asset) -> None:
    """Exact, since the embedded chain's clock stands still between two simulations."""
    bound_ms = (await program.chain.clock_ts() + (await program.config()).max_skew_secs) * MILLIS_PER_SEC
    statement = await program.statement({asset: 10_000}, observed_ms=bound_ms)
    refused = {"InstructionError": [2, {"Custom": int(ErrorCode.ObservedInFuture)}]}
    for observed_ms, err in ((bound_ms, None), (bound_ms + 1, refused), (2**64 - 1, refused)):
        simulated = await program.chain.simulate(program.relay(replace(statement, observed_ms=observed_ms)))
        assert simulated.err == err
    far = replace(statement, observed_ms=bound_ms + 3_600 * MILLIS_PER_SEC)
    await program.refused(program.relay(far), ErrorCode.ObservedInFuture)
    await program.accepted(program.relay(statement))


async def test_an_expired_statement_is_refused(program: DeployedProgram, asset: Asset) -> None:
    now_ts = await program.chain.clock_ts()
    statement = await program.statement({asset: 10_000}, expires_ts=now_ts)
    await program.refused(program.relay(statement), ErrorCode.StatementExpired)
    await program.refused(program.relay(replace(statement, expires_ts=0)), ErrorCode.StatementExpired)
    await program.accepted(program.relay(replace(statement, expires_ts=now_ts + 3_600)))


async def test_a_rise_within_the_policy_sets_no_hold_and_one_above_does(program: DeployedProgram, asset: Asset) -> None:
    """M9: 5,000 bps of 1,000 are 500."""
    assert (await asset.read()).policy.max_rise_bps == 5_000
    await asset.attest(1_000)
    await asset.attest(1_500)
    assert (await asset.read()).holds == Hold(0)
    await program.accepted(await asset.mint_call(1_500))
    statement = await program.statement({asset: 23_000})
    events = await program.accepted(program.relay(statement))
    hold = next(event for event in events if event.name == "HoldSet")
    assert (hold.fields["hold"], hold.fields["holds"]) == (Hold.RISE, Hold.RISE)
    assert (await asset.read()).holds == Hold.RISE
    # It is stored all the same: the statement is the custodian's word.
    assert (await asset.entry()).capacity_raw == 2_300
    await program.refused(await asset.mint_call(1), ErrorCode.OnHold)
    await program.accepted(await asset.clear_hold_call(Hold.RISE))
    await program.accepted(await asset.mint_call(800))


async def test_a_first_statement_is_no_rise(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(10**12)
    assert (await asset.read()).holds == Hold(0)


async def test_another_programs_statement_is_worth_nothing_here(
    program: DeployedProgram, foreign_program: DeployedProgram
) -> None:
    """The same keys, custodian ids and cluster: the program's own address tells them apart."""
    [here] = await program.register()
    [there] = await foreign_program.register()
    signed = await foreign_program.statement({there: 10_000})
    quorum = foreign_program.relay(signed).instructions[0]
    submission = program.client.submit_attestation(await program.statement({here: 10_000}))
    await program.refused(call((quorum, submission)), ErrorCode.DigestMismatch)
    await foreign_program.accepted(foreign_program.relay(signed))


def test_statements_hold_as_many_lines_as_the_program_takes() -> None:
    assert MAX_ENTRIES == 24
    assert capacity_raw(10_000, 0x3FF0_0000_0000_0000, 8) == 1_000
