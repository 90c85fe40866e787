"""Once sealed a role goes to a key that has accepted it and that has no other of the six roles that are kept apart."""

from __future__ import annotations

import pytest
from solders.keypair import Keypair

from tests.program.test_admin_handover import accepting, offer, seal
from tests.program.test_timelock import accepting_role, cancelling, executing, proposing, read
from tests.support.deployed import DeployedProgram
from tests.support.error_codes import ErrorCode
from tests.support.fixtures import single_fixture
from tests.support.live_chain import address_of
from xstocks_daemon.chain.program import Role


@single_fixture
async def sealed(own_program: DeployedProgram) -> DeployedProgram:
    """A deployment of this test alone, sealed."""
    await seal(own_program)
    return own_program


async def test_a_role_goes_to_a_key_that_has_accepted_it(sealed: DeployedProgram) -> None:
    """A typo names a key that nobody has: it would lock the role out."""
    key, admin = Keypair(), sealed.keys.admin.address
    given = sealed.client.set_role(admin=admin, role=Role.OPERATOR, key=address_of(key))
    await sealed.accepted(proposing(sealed, given))
    proposal = await read(sealed, given)
    assert (proposal.key, proposal.accepted) == (address_of(key), False)
    for other in (Keypair(), sealed.keys.admin.keypair, sealed.keys.operator.keypair):
        await sealed.refused(accepting_role(sealed, proposal, other), ErrorCode.NotProposedKey)
    await sealed.chain.clock_reaches(proposal.ready_ts)
    await sealed.refused(executing(sealed, given), ErrorCode.RoleNotAccepted)
    [event] = await sealed.accepted(accepting_role(sealed, proposal, key))
    assert (event.name, event.fields["role"], event.fields["key"]) == ("RoleAccepted", Role.OPERATOR, address_of(key))
    await sealed.accepted(executing(sealed, given))
    assert (await sealed.config()).operator == address_of(key)
    await sealed.refused(accepting_role(sealed, proposal, key), ErrorCode.ProposalNotPending)


async def test_what_was_accepted_before_a_cancel_is_accepted_anew(sealed: DeployedProgram) -> None:
    key, admin = Keypair(), sealed.keys.admin.address
    given = sealed.client.set_role(admin=admin, role=Role.OPERATOR, key=address_of(key))
    await sealed.accepted(proposing(sealed, given))
    proposal = await read(sealed, given)
    await sealed.accepted(accepting_role(sealed, proposal, key))
    await sealed.accepted(cancelling(sealed, "guardian", proposal))
    await sealed.accepted(proposing(sealed, given))
    again = await read(sealed, given)
    assert not again.accepted
    await sealed.chain.clock_reaches(again.ready_ts)
    await sealed.refused(executing(sealed, given), ErrorCode.RoleNotAccepted)
    await sealed.accepted(accepting_role(sealed, again, key))
    await sealed.accepted(executing(sealed, given))


async def test_only_a_role_is_accepted(sealed: DeployedProgram) -> None:
    timing = sealed.client.set_timing(admin=sealed.keys.admin.address, timelock_secs=9, max_skew_secs=2)
    await sealed.accepted(proposing(sealed, timing))
    await sealed.refused(
        accepting_role(sealed, await read(sealed, timing), sealed.keys.admin.keypair), ErrorCode.NotProposedKey
    )


@pytest.mark.parametrize(
    ("role", "like", "error"),
    [
        (Role.OPERATOR, "admin", ErrorCode.RolesNotDifferent),
        (Role.COMPLIANCE, "operator", ErrorCode.RolesNotDifferent),
        (Role.CORPORATE_ACTIONS, "guardian", ErrorCode.RolesNotDifferent),
        (Role.GUARDIAN, "resumer", ErrorCode.GuardianIsResumer),
        (Role.REGISTRAR, "operator", None),
    ],
)
async def test_a_key_has_one_of_the_roles_that_are_kept_apart(
    sealed: DeployedProgram, role: Role, like: str, error: ErrorCode | None
) -> None:
    """The registrar is none of them: it lists whom others pay."""
    key = getattr(sealed.keys, like)
    given = sealed.client.set_role(admin=sealed.keys.admin.address, role=role, key=key.address)
    await sealed.accepted(proposing(sealed, given))
    proposal = await read(sealed, given)
    await sealed.accepted(accepting_role(sealed, proposal, key.keypair))
    await sealed.chain.clock_reaches(proposal.ready_ts)
    if error is None:
        await sealed.accepted(executing(sealed, given))
    else:
        await sealed.refused(executing(sealed, given), error)


async def test_the_admin_role_goes_to_no_key_of_another_role(sealed: DeployedProgram) -> None:
    operator, fresh = sealed.keys.operator.keypair, Keypair()
    await sealed.chain.clock_reaches(await offer(sealed, operator))
    await sealed.refused(accepting(sealed, operator), ErrorCode.RolesNotDifferent)
    await sealed.chain.fund(address_of(fresh))
    await sealed.chain.clock_reaches(await offer(sealed, fresh))
    await sealed.accepted(accepting(sealed, fresh))
