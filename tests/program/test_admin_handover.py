"""propose_admin, cancel_admin, accept_admin: the role changes hands in two steps, the second after the timelock."""

from __future__ import annotations

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair

from tests.program.test_timelock import NEW_KEYS, TIMELOCK_SECS, accepting_role, executing, propose, read, set_role
from tests.support.deployed import DeployedProgram
from tests.support.error_codes import ErrorCode
from tests.support.fixtures import single_fixture
from tests.support.live_chain import Call, address_of, call
from xstocks_daemon.chain.program import ProposalState, Role
from xstocks_daemon.domain.units import ZERO_ADDRESS, Address

YEAR_SECS = 365 * 86_400
#: An offer outlives the slowest validator's test.
OFFER_SECS = 10_000


@single_fixture
async def sealed(own_program: DeployedProgram) -> DeployedProgram:
    """A deployment of this test alone, sealed."""
    await seal(own_program)
    return own_program


async def seal(program: DeployedProgram) -> None:
    timelock_secs = TIMELOCK_SECS[program.chain.kind]
    await program.accepted(
        program.by("admin", program.client.seal(admin=program.keys.admin.address, timelock_secs=timelock_secs))
    )


def offering(program: DeployedProgram, key: Address, expires_ts: int) -> Call:
    admin = program.keys.admin.address
    return program.by("admin", program.client.propose_admin(admin=admin, pending_admin=key, expires_ts=expires_ts))


async def offer(program: DeployedProgram, key: Keypair) -> int:
    """Offer the role to a key; gives the time from which it may accept."""
    expires_ts = await program.chain.clock_ts() + TIMELOCK_SECS[program.chain.kind] + OFFER_SECS
    await program.accepted(offering(program, address_of(key), expires_ts))
    return (await program.config()).pending_admin_ready_ts


def accepting(program: DeployedProgram, key: Keypair) -> Call:
    return call(program.client.accept_admin(pending_admin=address_of(key)), key)


def cancelling(program: DeployedProgram, role: str) -> Call:
    return program.by(role, program.client.cancel_admin(authority=getattr(program.keys, role).address))


def clear_role(program: DeployedProgram, admin: Address) -> Instruction:
    """Something that the admin does at once."""
    return program.client.build("clear_role", {"role": 0}, {"admin": admin})


async def test_the_offered_key_becomes_admin_after_the_timelock(sealed: DeployedProgram) -> None:
    old, new = sealed.keys.admin, Keypair()
    before_ts = await sealed.chain.clock_ts()
    timelock_secs = (await sealed.config()).timelock_secs
    expires_ts = before_ts + timelock_secs + OFFER_SECS
    [event] = await sealed.accepted(offering(sealed, address_of(new), expires_ts))
    config = await sealed.config()
    assert before_ts + timelock_secs <= config.pending_admin_ready_ts
    assert config.pending_admin_ready_ts <= await sealed.chain.clock_ts() + timelock_secs
    offered = {
        "pending_admin": address_of(new),
        "ready_ts": config.pending_admin_ready_ts,
        "expires_ts": expires_ts,
    }
    assert (event.name, event.fields) == ("AdminOffered", offered)
    assert (config.pending_admin, config.pending_admin_expires_ts) == (address_of(new), expires_ts)
    assert (config.admin, config.admin_epoch) == (old.address, 0)
    # Until it accepts, the old one is admin and the new one nobody.
    await sealed.refused(call(clear_role(sealed, address_of(new)), new), ErrorCode.NotAdmin)

    await sealed.chain.clock_reaches(config.pending_admin_ready_ts)
    [event] = await sealed.accepted(accepting(sealed, new))
    assert (event.name, event.fields) == ("AdminChanged", {"admin": address_of(new), "admin_epoch": 1})
    config = await sealed.config()
    assert (config.admin, config.admin_epoch) == (address_of(new), 1)
    assert (config.pending_admin, config.pending_admin_ready_ts, config.pending_admin_expires_ts) == (
        ZERO_ADDRESS,
        0,
        0,
    )
    await sealed.refused(sealed.by("admin", clear_role(sealed, old.address)), ErrorCode.NotAdmin)
    await sealed.refused(accepting(sealed, new), ErrorCode.NoPendingAdmin)
    await sealed.accepted(call(clear_role(sealed, address_of(new)), new))


async def test_nobody_else_accepts(sealed: DeployedProgram) -> None:
    new, stranger = Keypair(), Keypair()
    await sealed.refused(accepting(sealed, new), ErrorCode.NoPendingAdmin)
    ready_ts = await offer(sealed, new)
    await sealed.chain.clock_reaches(ready_ts)
    for thief in (stranger, sealed.keys.admin.keypair, sealed.keys.guardian.keypair):
        await sealed.refused(accepting(sealed, thief), ErrorCode.NotPendingAdmin)
    await sealed.accepted(accepting(sealed, new))


@pytest.mark.embedded_only
async def test_an_offer_is_accepted_from_the_timelocks_last_second_to_its_own(sealed: DeployedProgram) -> None:
    new = Keypair()
    ready_ts = await offer(sealed, new)
    await sealed.refused(accepting(sealed, new), ErrorCode.OfferNotReady)
    await sealed.chain.switches_at(ready_ts, accepting(sealed, new), before=ErrorCode.OfferNotReady, since=None)
    expires_ts = (await sealed.config()).pending_admin_expires_ts
    await sealed.chain.switches_at(expires_ts, accepting(sealed, new), before=None, since=ErrorCode.OfferExpired)
    await sealed.refused(accepting(sealed, new), ErrorCode.OfferExpired)
    # Offered anew it waits anew, and then passes.
    await sealed.chain.clock_reaches(await offer(sealed, new))
    await sealed.accepted(accepting(sealed, new))


@pytest.mark.parametrize("role", ["admin", "guardian"])
async def test_admin_or_guardian_takes_an_offer_back(sealed: DeployedProgram, role: str) -> None:
    new = Keypair()
    await sealed.refused(cancelling(sealed, role), ErrorCode.NoPendingAdmin)
    ready_ts = await offer(sealed, new)
    [event] = await sealed.accepted(cancelling(sealed, role))
    assert (event.name, event.fields) == ("AdminOfferCancelled", {"by": getattr(sealed.keys, role).address})
    assert (await sealed.config()).pending_admin == ZERO_ADDRESS
    await sealed.chain.clock_reaches(ready_ts)
    await sealed.refused(accepting(sealed, new), ErrorCode.NoPendingAdmin)
    await sealed.refused(cancelling(sealed, role), ErrorCode.NoPendingAdmin)
    await sealed.chain.clock_reaches(await offer(sealed, new))
    await sealed.accepted(accepting(sealed, new))


async def test_a_new_offer_takes_the_place_of_an_older_one(sealed: DeployedProgram) -> None:
    first, second = Keypair(), Keypair()
    await offer(sealed, first)
    await sealed.chain.clock_reaches(await offer(sealed, second))
    await sealed.refused(accepting(sealed, first), ErrorCode.NotPendingAdmin)
    await sealed.accepted(accepting(sealed, second))


@pytest.mark.embedded_only
async def test_an_offer_ends_after_the_timelock_and_within_a_year_of_it(sealed: DeployedProgram) -> None:
    """The bounds in a year's length of the clock: exact, since the clock stands still between two simulations."""
    key, timelock_secs = address_of(Keypair()), (await sealed.config()).timelock_secs
    ready_ts = await sealed.chain.clock_ts() + timelock_secs
    too_soon = too_late = {"InstructionError": [1, {"Custom": int(ErrorCode.OfferExpiryInvalid)}]}
    for expires_ts, expected in (
        (-1, too_soon),
        (0, too_soon),
        (ready_ts, too_soon),
        (ready_ts + 1, None),
        (ready_ts + YEAR_SECS, None),
        (ready_ts + YEAR_SECS + 1, too_late),
        (2**63 - 1, too_late),
    ):
        simulated = await sealed.chain.simulate(offering(sealed, key, expires_ts))
        assert simulated.err == expected, expires_ts - ready_ts
    await sealed.refused(offering(sealed, key, ready_ts - 1), ErrorCode.OfferExpiryInvalid)
    await sealed.refused(offering(sealed, key, ready_ts + 2 * YEAR_SECS), ErrorCode.OfferExpiryInvalid)
    await sealed.accepted(offering(sealed, key, ready_ts + YEAR_SECS // 2))


async def test_the_admin_role_is_not_offered_to_nobody(sealed: DeployedProgram) -> None:
    expires_ts = await sealed.chain.clock_ts() + OFFER_SECS
    await sealed.refused(offering(sealed, ZERO_ADDRESS, expires_ts), ErrorCode.KeyMissing)
    await sealed.accepted(offering(sealed, address_of(Keypair()), expires_ts))


async def test_what_an_older_admin_proposed_is_dead(sealed: DeployedProgram) -> None:
    executed, pending, new = set_role(sealed), set_role(sealed), Keypair()
    await sealed.chain.fund(address_of(new))
    for instruction in (executed, pending):
        proposal = await propose(sealed, instruction)
    await sealed.chain.clock_reaches(max(proposal.ready_ts, await offer(sealed, new)))
    await sealed.accepted(executing(sealed, executed))
    await sealed.accepted(accepting(sealed, new))

    # The same proposal, its accounts and arguments included, signed by the new admin.
    same_call = sealed.client.with_proposal(pending)
    await sealed.refused(sealed.by("admin", same_call), ErrorCode.NotAdmin)
    by_new = sealed.client.set_role(admin=address_of(new), role=Role.COMPLIANCE, key=Address(bytes(pending.data[9:41])))
    with_old_proposal = Instruction(by_new.program_id, by_new.data, [*by_new.accounts[:-1], same_call.accounts[-1]])
    await sealed.refused(call(with_old_proposal, new), ErrorCode.ProposalMismatch)
    assert (await read(sealed, pending)).state is ProposalState.PENDING
    # It proposes anew and waits.
    await sealed.accepted(call(sealed.client.propose(admin=address_of(new), instruction=by_new), new))
    again = await read(sealed, by_new)
    await sealed.accepted(accepting_role(sealed, again, NEW_KEYS[again.key]))
    await sealed.chain.clock_reaches(again.ready_ts)
    await sealed.accepted(call(sealed.client.with_proposal(by_new), new))


async def test_a_proposal_is_dead_even_for_the_same_admin_after_another_one(sealed: DeployedProgram) -> None:
    """The role goes to another key and back: the proposal names the first admin again, but its epoch is over."""
    instruction, other, admin = set_role(sealed), Keypair(), sealed.keys.admin
    proposal = await propose(sealed, instruction)
    await sealed.chain.clock_reaches(max(proposal.ready_ts, await offer(sealed, other)))
    assert (await sealed.chain.simulate(executing(sealed, instruction))).err is None
    await sealed.accepted(accepting(sealed, other))
    expires_ts = await sealed.chain.clock_ts() + TIMELOCK_SECS[sealed.chain.kind] + OFFER_SECS
    back = sealed.client.propose_admin(admin=address_of(other), pending_admin=admin.address, expires_ts=expires_ts)
    await sealed.accepted(call(back, other))
    await sealed.chain.clock_reaches((await sealed.config()).pending_admin_ready_ts)
    await sealed.accepted(accepting(sealed, admin.keypair))
    assert (await sealed.config()).admin_epoch == 2

    await sealed.refused(executing(sealed, instruction), ErrorCode.ProposalStale)
    again = await propose(sealed, instruction)
    assert again.admin_epoch == 2
    await sealed.chain.clock_reaches(again.ready_ts)
    await sealed.accepted(executing(sealed, instruction))


async def test_before_the_seal_an_offer_is_accepted_at_once(own_program: DeployedProgram) -> None:
    """A deployment is set up in one go and handed over."""
    new = Keypair()
    expires_ts = await own_program.chain.clock_ts() + OFFER_SECS
    both = offering(own_program, address_of(new), expires_ts) + accepting(own_program, new)
    offered, changed = await own_program.accepted(both)
    assert (offered.name, changed.name) == ("AdminOffered", "AdminChanged")
    assert (await own_program.config()).admin == address_of(new)


async def test_seal_ends_an_offer_that_had_no_timelock(own_program: DeployedProgram) -> None:
    program, new = own_program, Keypair()
    expires_ts = await program.chain.clock_ts() + OFFER_SECS
    await program.accepted(offering(program, address_of(new), expires_ts))
    assert (await program.chain.simulate(accepting(program, new))).err is None
    sealing = program.client.seal(admin=program.keys.admin.address, timelock_secs=TIMELOCK_SECS[program.chain.kind])
    withdrawn, sealed = await program.accepted(program.by("admin", sealing))
    assert (withdrawn.name, withdrawn.fields) == ("AdminOfferCancelled", {"by": program.keys.admin.address})
    assert sealed.name == "Sealed"
    await program.refused(accepting(program, new), ErrorCode.NoPendingAdmin)
    await program.chain.clock_reaches(await offer(program, new))
    await program.accepted(accepting(program, new))
