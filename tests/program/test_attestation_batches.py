"""submit_attestation: statements of many assets; which lines are passed over, which fail the whole."""

from __future__ import annotations

from dataclasses import replace

from solders.instruction import AccountMeta, Instruction

from tests.support.deployed import Asset, AssetPool, DeployedProgram, sign
from tests.support.edit import tampered, with_accounts, with_data
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import Call, call
from tests.support.tables import lookup_table
from xstocks_daemon.chain.addresses import pubkey
from xstocks_daemon.chain.transactions import quorum_instruction
from xstocks_daemon.domain.statement import MAX_ENTRIES, Statement, StatementEntry

REASON_NOT_NEWER = 0

REASON_DETACHED = 1


async def test_one_quorum_covers_24_assets_in_one_transaction(program: DeployedProgram, pool: AssetPool) -> None:
    assets = [await pool.take() for _ in range(MAX_ENTRIES)]
    table = await lookup_table(program, [asset.mint for asset in assets])
    statement = await program.statement({asset: 10_000 * (n + 1) for n, asset in enumerate(assets)})
    landed = await program.chain.accepted(program.relay(statement).but(tables=(table,)))
    for n, asset in enumerate(assets):
        assert (await asset.entry()).capacity_raw == 1_000 * (n + 1)
    [event] = program.events(landed)
    assert event.name == "AttestationAccepted"


async def test_a_statement_has_1_to_24_lines(program: DeployedProgram, pool: AssetPool) -> None:
    assets = [await pool.take() for _ in range(MAX_ENTRIES + 1)]
    table = await lookup_table(program, [asset.mint for asset in assets])
    assets.sort(key=lambda asset: asset.mint)
    statement = await program.statement(dict.fromkeys(assets[:MAX_ENTRIES], 10_000))
    none = raw_submission(program, statement, [])
    too_many = raw_submission(program, statement, [asset.line(10_000) for asset in assets])
    quorum = quorum_instruction(bytes(32), sign(bytes(32), program.quorum()))
    for instruction in (none, too_many):
        sent = Call((quorum, instruction), tables=(table,), limit_units=None)
        await program.refused(sent, ErrorCode.EntryCountInvalid)
    await program.accepted(program.relay(statement).but(tables=(table,), limit_units=None))


def raw_submission(program: DeployedProgram, statement: Statement, lines: list[StatementEntry]) -> Instruction:
    """submit_attestation with lines that no Statement can hold."""
    return program.client.build(
        "submit_attestation",
        {
            "epoch": statement.epoch,
            "observed_ms": statement.observed_ms,
            "expires_ts": statement.expires_ts,
            "entries": [
                {
                    "shares_nano": line.shares_nano,
                    "capacity_raw": line.capacity_raw,
                    "redeemed_seen_raw": line.redeemed_seen_raw,
                }
                for line in lines
            ],
        },
        {"custodian": statement.custodian},
        [AccountMeta(pubkey(program.addresses.asset(line.mint)), is_signer=False, is_writable=True) for line in lines],
    )


async def test_entries_stand_in_the_order_of_their_mints_and_once(program: DeployedProgram, pool: AssetPool) -> None:
    low, high = sorted([await pool.take(), await pool.take()], key=lambda asset: asset.mint)
    statement = await program.statement({low: 10_000, high: 20_000})
    quorum, submission = program.relay(statement).instructions
    fixed = 3
    head, [first, second] = submission.accounts[:fixed], submission.accounts[fixed:]
    swapped = with_accounts(submission, [*head, second, first])
    same = with_accounts(submission, [*head, first, first])
    for changed in (swapped, same):
        await program.refused(call((quorum, changed)), ErrorCode.MintsNotAscending)
    fewer = with_accounts(submission, [*head, first])
    more = with_accounts(submission, [*head, first, second, second])
    for changed in (fewer, more):
        await program.refused(call((quorum, changed)), ErrorCode.EntriesAccountsMismatch)
    await program.accepted(call((quorum, submission)))


async def test_what_is_not_newer_is_passed_over_and_the_rest_is_taken(
    program: DeployedProgram, pool: AssetPool
) -> None:
    """A subset that somebody relayed first must not block the others (griefing)."""
    one, two = await pool.take(), await pool.take()
    statement = await program.statement({one: 10_000, two: 20_000})
    ahead = replace(await program.statement({one: 30_000}), observed_ms=statement.observed_ms)
    await program.accepted(program.relay(ahead))
    events = await program.accepted(program.relay(statement))
    skipped = next(event for event in events if event.name == "AttestationSkipped")
    assert (skipped.fields["mint"], skipped.fields["reason"]) == (one.mint, REASON_NOT_NEWER)
    assert (await one.entry()).capacity_raw == 3_000
    assert (await two.entry()).capacity_raw == 2_000
    await program.refused(program.relay(statement), ErrorCode.StatementNotNewer)


async def test_a_detached_asset_is_passed_over_and_the_rest_is_taken(program: DeployedProgram, pool: AssetPool) -> None:
    one, two = await pool.take(), await pool.take()
    statement = await program.statement({one: 10_000, two: 20_000})
    alone = replace(statement, entries=tuple(line for line in statement.entries if line.mint == one.mint))
    detach = program.client.detach_custodian(
        admin=program.keys.admin.address, custodian=program.custodian().address, mint=one.mint
    )
    await program.accepted(program.by("admin", detach))
    await program.refused(program.relay(alone), ErrorCode.StatementNotNewer)
    events = await program.accepted(program.relay(statement))
    skipped = next(event for event in events if event.name == "AttestationSkipped")
    assert (skipped.fields["mint"], skipped.fields["reason"]) == (one.mint, REASON_DETACHED)
    assert (await two.entry()).capacity_raw == 2_000


async def test_a_wrong_line_fails_the_whole_statement(program: DeployedProgram, pool: AssetPool) -> None:
    one, two = await pool.take(), await pool.take()
    statement = await program.statement({one: 10_000, two: 20_000})
    wrong = tampered(statement, index=1, capacity_raw=statement.entries[1].capacity_raw - 1)
    await program.refused(program.relay(wrong), ErrorCode.CapacityMismatch)
    await program.accepted(program.relay(statement))


async def test_arguments_are_read_to_the_last_byte(program: DeployedProgram, asset: Asset) -> None:
    statement = await program.statement({asset: 10_000})
    quorum, submission = program.relay(statement).instructions
    data = bytes(submission.data)
    for changed in (data + b"\0", data[:-1]):
        await program.refused(call((quorum, with_data(submission, changed))), ErrorCode.InstructionDidNotDeserialize)
    await program.accepted(call((quorum, submission)))
