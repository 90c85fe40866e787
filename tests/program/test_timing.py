"""set_timing: the timelock and the allowed skew, within their bounds, under the timelock themselves."""

from __future__ import annotations

import pytest
from solders.instruction import Instruction

from tests.program.test_admin_handover import seal
from tests.program.test_timelock import TIMELOCK_SECS, executing, propose, set_role
from tests.support.deployed import DeployedProgram
from tests.support.error_codes import ErrorCode
from xstocks_daemon.domain.units import MILLIS_PER_SEC

YEAR_SECS = 365 * 86_400
MAX_SKEW_SECS = 3_600


def set_timing(program: DeployedProgram, timelock_secs: int, max_skew_secs: int) -> Instruction:
    return program.client.set_timing(
        admin=program.keys.admin.address, timelock_secs=timelock_secs, max_skew_secs=max_skew_secs
    )


async def test_timing_changes_after_the_timelock_for_what_comes_later(own_program: DeployedProgram) -> None:
    program = own_program
    await seal(program)
    old_secs = TIMELOCK_SECS[program.chain.kind]
    pending = await propose(program, set_role(program))
    wanted = set_timing(program, old_secs + 1, 3)
    await program.refused(program.by("admin", wanted), ErrorCode.ProposalRequired)
    proposal = await propose(program, wanted)
    await program.chain.clock_reaches(proposal.ready_ts)
    executed, changed = await program.accepted(executing(program, wanted))
    assert executed.name == "ProposalExecuted"
    assert (changed.name, changed.fields) == ("TimingChanged", {"timelock_secs": old_secs + 1, "max_skew_secs": 3})
    config = await program.config()
    assert (config.timelock_secs, config.max_skew_secs, config.sealed) == (old_secs + 1, 3, True)
    # What waits keeps its time, what comes now waits longer.
    before_ts = await program.chain.clock_ts()
    later = await propose(program, set_role(program))
    assert later.ready_ts >= before_ts + old_secs + 1
    assert pending.ready_ts <= before_ts


async def test_a_sealed_timelock_has_bounds(own_program: DeployedProgram) -> None:
    program = own_program
    await seal(program)
    for timelock_secs, error in (
        (0, ErrorCode.TimelockZero),
        (YEAR_SECS + 1, ErrorCode.TimelockTooLong),
        (2**64 - 1, ErrorCode.TimelockTooLong),
    ):
        wanted = set_timing(program, timelock_secs, 2)
        proposal = await propose(program, wanted)
        await program.chain.clock_reaches(proposal.ready_ts)
        await program.refused(executing(program, wanted), error)
    # The bounds themselves; the shorter one first, so that the second test of it does not wait a year.
    for timelock_secs in (1, YEAR_SECS):
        wanted = set_timing(program, timelock_secs, 2)
        proposal = await propose(program, wanted)
        await program.chain.clock_reaches(proposal.ready_ts)
        await program.accepted(executing(program, wanted))
        assert (await program.config()).timelock_secs == timelock_secs


async def test_before_the_seal_the_timelock_stays_zero(own_program: DeployedProgram) -> None:
    program = own_program
    await program.refused(program.by("admin", set_timing(program, 1, 2)), ErrorCode.TimelockNotZero)
    await program.accepted(program.by("admin", set_timing(program, 0, 3)))
    assert (await program.config()).max_skew_secs == 3


@pytest.mark.parametrize("max_skew_secs", [1, MAX_SKEW_SECS])
async def test_the_skew_has_bounds(own_program: DeployedProgram, max_skew_secs: int) -> None:
    program = own_program
    for outside in (0, MAX_SKEW_SECS + 1, 2**32 - 1):
        await program.refused(program.by("admin", set_timing(program, 0, outside)), ErrorCode.SkewOutOfRange)
    await program.accepted(program.by("admin", set_timing(program, 0, max_skew_secs)))
    assert (await program.config()).max_skew_secs == max_skew_secs


async def test_the_skew_that_statements_may_have_is_the_new_one(own_program: DeployedProgram) -> None:
    program = own_program
    [asset] = await program.register()
    ahead_secs = 1_000
    observed_ms = (await program.chain.clock_ts() + ahead_secs) * MILLIS_PER_SEC
    statement = await program.statement({asset: 10_000}, observed_ms=observed_ms)
    await program.refused(program.relay(statement), ErrorCode.ObservedInFuture)
    await program.accepted(program.by("admin", set_timing(program, 0, ahead_secs)))
    await program.accepted(program.relay(statement))
