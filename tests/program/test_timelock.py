"""The one timelock: what widens power is proposed first, and admin or guardian may cancel it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair

from tests.support.cluster import TestCluster
from tests.support.deployed import Asset, DeployedProgram
from tests.support.edit import patched, with_account, with_data
from tests.support.error_codes import ErrorCode
from tests.support.fixtures import session_fixture, single_fixture
from tests.support.initialized import OTHER_CUSTODIAN, OWN_CUSTODIAN, ROOMY
from tests.support.live_chain import Call, address_of, call
from xstocks_daemon.chain.program import Proposal, ProposalState, Role
from xstocks_daemon.chain.program.idl import load_interface
from xstocks_daemon.domain.snapshot import AttesterKey
from xstocks_daemon.domain.units import Address

#: A validator's clock cannot be turned, so there the timelock is as short as it can be.
TIMELOCK_SECS = {"embedded": 3_600, "validator": 1}


@session_fixture
async def sealed_asset(cluster: TestCluster) -> Asset:
    """An asset of a deployment for this file, attached to the first custodian before the deployment was sealed."""
    program = await cluster.deploy()
    [asset] = await program.register(custodians=(OWN_CUSTODIAN,))
    await program.add_custodian()
    timelock_secs = TIMELOCK_SECS[program.chain.kind]
    seal = program.client.seal(admin=program.keys.admin.address, timelock_secs=timelock_secs)
    await program.accepted(program.by("admin", seal))
    return asset


@single_fixture
async def sealed(sealed_asset: Asset) -> DeployedProgram:
    """The sealed deployment."""
    return sealed_asset.program


NEW_KEYS: dict[Address, Keypair] = {}
"""Those that `set_role` gives roles to, and that `propose` lets accept."""


def set_role(program: DeployedProgram, role: Role = Role.COMPLIANCE) -> Instruction:
    """A timelocked instruction that differs from every other one by its key."""
    key = Keypair()
    NEW_KEYS[address_of(key)] = key
    return program.client.set_role(admin=program.keys.admin.address, role=role, key=address_of(key))


async def propose(program: DeployedProgram, instruction: Instruction) -> Proposal:
    """Propose it as the admin, and let a new key of a role accept it; gives the Proposal account."""
    await program.accepted(proposing(program, instruction))
    proposal = await read(program, instruction)
    if proposal.key in NEW_KEYS:
        await program.accepted(accepting_role(program, proposal, NEW_KEYS[proposal.key]))
        return await read(program, instruction)
    return proposal


def accepting_role(program: DeployedProgram, proposal: Proposal, key: Keypair) -> Call:
    return call(program.client.accept_role(new_key=address_of(key), proposal=proposal.address), key)


def proposing(program: DeployedProgram, instruction: Instruction) -> Call:
    return program.by("admin", program.client.propose(admin=program.keys.admin.address, instruction=instruction))


def executing(program: DeployedProgram, instruction: Instruction) -> Call:
    return program.by("admin", program.client.with_proposal(instruction))


def cancelling(program: DeployedProgram, role: str, proposal: Proposal) -> Call:
    authority = getattr(program.keys, role).address
    return program.by(role, program.client.cancel_proposal(authority=authority, proposal=proposal.address))


async def read(program: DeployedProgram, instruction: Instruction) -> Proposal:
    address = program.client.proposal_address(instruction)
    info = await program.chain.account(address)
    return program.client.proposal(address, info.data, info.owner)


async def test_a_proposal_is_executed_once_after_its_timelock(sealed: DeployedProgram, sealed_asset: Asset) -> None:
    instruction = set_role(sealed, Role.COMPLIANCE)
    before_ts = await sealed.chain.clock_ts()
    proposal = await propose(sealed, instruction)
    timelock_secs = (await sealed.config()).timelock_secs
    assert before_ts + timelock_secs <= proposal.ready_ts <= await sealed.chain.clock_ts() + timelock_secs
    assert (proposal.state, proposal.role) == (ProposalState.PENDING, Role.COMPLIANCE)
    assert proposal.data == bytes(instruction.data)
    assert proposal.accounts == (sealed.keys.admin.address, sealed.client.addresses.config)

    await sealed.chain.clock_reaches(proposal.ready_ts)
    events = await sealed.accepted(executing(sealed, instruction))
    assert [event.name for event in events] == ["ProposalExecuted", "RoleChanged"]
    assert (await sealed.config()).compliance == proposal.key
    assert (await read(sealed, instruction)).state is ProposalState.EXECUTED
    await sealed.refused(executing(sealed, instruction), ErrorCode.ProposalNotPending)


@pytest.mark.embedded_only
async def test_a_proposal_waits_to_the_last_second(sealed: DeployedProgram, sealed_asset: Asset) -> None:
    instruction = set_role(sealed)
    proposal = await propose(sealed, instruction)
    await sealed.chain.clock_reaches(proposal.ready_ts - 10)
    await sealed.refused(executing(sealed, instruction), ErrorCode.ProposalNotReady)
    await sealed.chain.clock_reaches(proposal.ready_ts)
    await sealed.accepted(executing(sealed, instruction))


@pytest.mark.embedded_only
async def test_a_proposal_that_was_forgotten_is_no_power_that_waits(
    sealed: DeployedProgram, sealed_asset: Asset
) -> None:
    """Else whoever gets the admin's key executes at once what was ready long ago."""
    instruction = set_role(sealed)
    proposal = await propose(sealed, instruction)
    life_secs, ready_at = 14 * 86_400, 56
    # As if it had become ready long ago: the chain's clock is everybody's.
    expires_ts = await sealed.chain.clock_ts() + 10
    info = await sealed.chain.account(proposal.address)
    ready_ts = (expires_ts - life_secs).to_bytes(8, "little")
    await sealed.chain.set_account(proposal.address, replace(info, data=patched(info.data, ready_at, ready_ts)))
    assert (await read(sealed, instruction)).ready_ts == expires_ts - life_secs

    await sealed.refused(proposing(sealed, instruction), ErrorCode.ProposalPending)
    await sealed.chain.switches_at(
        expires_ts, executing(sealed, instruction), before=None, since=ErrorCode.ProposalExpired
    )
    await sealed.refused(executing(sealed, instruction), ErrorCode.ProposalExpired)
    # Proposed again it waits again.
    again = await propose(sealed, instruction)
    await sealed.refused(executing(sealed, instruction), ErrorCode.ProposalNotReady)
    await sealed.chain.clock_reaches(again.ready_ts)
    await sealed.accepted(executing(sealed, instruction))


#: Every instruction that takes a proposal of itself.
TIMELOCKED = [
    name
    for name, accounts in load_interface().accounts_of.items()
    if accounts[-1].name == "proposal" and accounts[-1].optional
]


def timelocked(program: DeployedProgram, asset: Asset, spare: Asset) -> dict[str, Instruction]:
    """One instruction of every kind that widens power; `spare` is what may be released."""
    client, admin = program.client, program.keys.admin.address
    [unattached] = set(program.deployment.custodians) - {OWN_CUSTODIAN, OTHER_CUSTODIAN}
    now_keys = [AttesterKey(address_of(Keypair()), party, 2**40) for party in (0, 1)]
    return {
        "set_role": set_role(program),
        "set_timing": client.set_timing(admin=admin, timelock_secs=TIMELOCK_SECS[program.chain.kind], max_skew_secs=4),
        "register_custodian": client.register_custodian(
            admin=admin, custodian_id=900, name="New", threshold=2, keys=now_keys
        ),
        "set_custodian_keys": client.set_custodian_keys(
            admin=admin, custodian=program.custodian(OTHER_CUSTODIAN).address, threshold=2, keys=now_keys
        ),
        "attach_custodian": client.attach_custodian(
            admin=admin, custodian=program.custodian(OTHER_CUSTODIAN).address, mint=asset.mint
        ),
        "retire_custodian": client.retire_custodian(admin=admin, custodian=program.custodian(unattached).address),
        "loosen_policy": client.loosen_policy(
            admin=admin, mint=asset.mint, policy=replace(ROOMY, supply_limit_raw=2 * ROOMY.supply_limit_raw)
        ),
        "retire_asset": client.retire_asset(admin=admin, mint=spare.mint),
        "release_authority": client.release_authority(
            admin=admin, mint=spare.mint, new_authority=address_of(Keypair())
        ),
    }


@pytest.mark.parametrize("name", TIMELOCKED)
async def test_once_sealed_what_widens_power_needs_its_proposal(
    sealed: DeployedProgram, sealed_asset: Asset, name: str
) -> None:
    [spare] = await sealed.register(custodians=())
    instruction = timelocked(sealed, sealed_asset, spare)[name]
    await sealed.refused(sealed.by("admin", instruction), ErrorCode.ProposalRequired)
    proposal = await propose(sealed, instruction)
    await sealed.chain.clock_reaches(proposal.ready_ts)
    await sealed.accepted(executing(sealed, instruction))


@pytest.mark.parametrize("role", ["admin", "guardian"])
async def test_admin_or_guardian_cancels_a_proposal(sealed: DeployedProgram, sealed_asset: Asset, role: str) -> None:
    instruction = set_role(sealed)
    proposal = await propose(sealed, instruction)
    [event] = await sealed.accepted(cancelling(sealed, role, proposal))
    assert (event.name, event.fields["by"]) == ("ProposalCancelled", getattr(sealed.keys, role).address)
    await sealed.chain.clock_reaches(proposal.ready_ts)
    await sealed.refused(executing(sealed, instruction), ErrorCode.ProposalNotPending)
    await sealed.refused(cancelling(sealed, role, proposal), ErrorCode.ProposalNotPending)
    # Proposed again it waits again, and then passes.
    again = await propose(sealed, instruction)
    assert again.ready_ts >= proposal.ready_ts
    await sealed.chain.clock_reaches(again.ready_ts)
    await sealed.accepted(executing(sealed, instruction))


async def test_once_sealed_the_guardian_is_not_cleared_at_once(sealed: DeployedProgram, sealed_asset: Asset) -> None:
    """Else a stolen admin key could first remove the only other one that can cancel what it proposes."""
    client, admin = sealed.client, sealed.keys.admin.address
    clear = client.clear_role(admin=admin, role=Role.GUARDIAN)
    await sealed.refused(sealed.by("admin", clear), ErrorCode.GuardianNotClearable)
    # Nor the resumer, whose signature the guardian needs to cancel its own replacement.
    clear = client.clear_role(admin=admin, role=Role.RESUMER)
    await sealed.refused(sealed.by("admin", clear), ErrorCode.ResumerNotClearable)
    await sealed.accepted(sealed.by("admin", client.clear_role(admin=admin, role=Role.CORPORATE_ACTIONS)))


def together(program: DeployedProgram, proposal: Proposal, guardian: Keypair, resumer: Keypair) -> Call:
    """A cancel signed by both."""
    cancel = program.client.cancel_proposal(
        authority=address_of(guardian), proposal=proposal.address, resumer=address_of(resumer)
    )
    return call(cancel, guardian, resumer)


async def test_the_guardian_alone_cannot_cancel_its_own_replacement(
    sealed: DeployedProgram, sealed_asset: Asset
) -> None:
    """Else a stolen guardian key would keep itself in office. With the resumer it can: else a stolen admin key would
    first get rid of an honest guardian."""
    instruction = set_role(sealed, Role.GUARDIAN)
    proposal = await propose(sealed, instruction)
    guardian, resumer = sealed.keys.guardian.keypair, sealed.keys.resumer.keypair
    await sealed.refused(cancelling(sealed, "guardian", proposal), ErrorCode.GuardianCannotCancel)
    await sealed.refused(together(sealed, proposal, guardian, guardian), ErrorCode.NotResumer)
    await sealed.refused(together(sealed, proposal, guardian, Keypair()), ErrorCode.NotResumer)
    await sealed.refused(together(sealed, proposal, resumer, resumer), ErrorCode.NotAdminOrGuardian)
    assert (await read(sealed, instruction)).state is ProposalState.PENDING
    await sealed.accepted(together(sealed, proposal, guardian, resumer))
    assert (await read(sealed, instruction)).state is ProposalState.CANCELLED
    again = await propose(sealed, instruction)
    await sealed.accepted(cancelling(sealed, "admin", again))


async def test_the_guardian_alone_cancels_a_replacement_of_the_resumer(
    sealed: DeployedProgram, sealed_asset: Asset
) -> None:
    proposal = await propose(sealed, set_role(sealed, Role.RESUMER))
    await sealed.accepted(cancelling(sealed, "guardian", proposal))


async def test_what_a_proposal_shows_is_what_it_executes(sealed: DeployedProgram, sealed_asset: Asset) -> None:
    """The hash is of data and accounts without a border between them: a guardian may not be shown another one."""
    instruction = set_role(sealed)
    first, *others = instruction.accounts
    shifted = Instruction(instruction.program_id, bytes(instruction.data) + bytes(first.pubkey), others)
    assert sealed.client.proposal_address(shifted) == sealed.client.proposal_address(instruction)
    shown = await propose(sealed, shifted)
    assert shown.data == bytes(shifted.data)
    await sealed.chain.clock_reaches(shown.ready_ts)
    await sealed.refused(executing(sealed, instruction), ErrorCode.ProposalMismatch)
    assert (await read(sealed, instruction)).state is ProposalState.PENDING
    await sealed.accepted(cancelling(sealed, "guardian", shown))

    whole = await propose(sealed, instruction)
    assert (whole.data, len(whole.accounts)) == (bytes(instruction.data), len(shown.accounts) + 1)
    await sealed.chain.clock_reaches(whole.ready_ts)
    await sealed.accepted(executing(sealed, instruction))


async def test_a_proposal_holds_the_longest_instruction_and_no_longer_one(
    sealed: DeployedProgram, sealed_asset: Asset
) -> None:
    """The longest is register_custodian with eight keys."""
    keys = [AttesterKey(address_of(Keypair()), party, 2**40) for party in range(8)]
    longest = sealed.client.register_custodian(
        admin=sealed.keys.admin.address, custodian_id=999, name="Longest", threshold=2, keys=keys
    )
    too_long = with_data(longest, bytes(longest.data).ljust(377, b"\0"))
    await sealed.refused(proposing(sealed, too_long), ErrorCode.InstructionDidNotDeserialize)
    assert (await propose(sealed, longest)).data == bytes(longest.data)


async def test_a_pending_proposal_is_not_proposed_again(sealed: DeployedProgram, sealed_asset: Asset) -> None:
    """Otherwise the admin could push the time back while people wait for it."""
    instruction = set_role(sealed)
    proposal = await propose(sealed, instruction)
    await sealed.refused(proposing(sealed, instruction), ErrorCode.ProposalPending)
    await sealed.accepted(cancelling(sealed, "admin", proposal))
    again = await propose(sealed, instruction)
    assert again.state is ProposalState.PENDING


async def test_a_proposal_permits_its_own_arguments_and_accounts_only(
    sealed: DeployedProgram, sealed_asset: Asset
) -> None:
    instruction = set_role(sealed)
    proposal = await propose(sealed, instruction)
    await sealed.chain.clock_reaches(proposal.ready_ts)
    good = sealed.client.with_proposal(instruction)

    other_byte = bytes([instruction.data[-1] ^ 1])
    other_key = with_data(good, patched(bytes(good.data), len(good.data) - 1, other_byte))
    other_role = with_data(good, patched(bytes(good.data), 8, bytes([Role.OPERATOR])))
    other_proposal = set_role(sealed)
    await propose(sealed, other_proposal)
    borrowed = with_account(good, len(good.accounts) - 1, sealed.client.proposal_address(other_proposal))
    for changed in (other_key, other_role, borrowed):
        await sealed.refused(sealed.by("admin", changed), ErrorCode.ProposalMismatch)
    no_proposal = with_account(good, len(good.accounts) - 1, sealed_asset.address)
    await sealed.refused(sealed.by("admin", no_proposal), ErrorCode.AccountDiscriminatorMismatch)
    await sealed.accepted(sealed.by("admin", good))


async def test_a_proposal_is_of_its_accounts_too(sealed: DeployedProgram, sealed_asset: Asset) -> None:
    """Proposed for one custodian, it does not attach another one."""
    one, other = await other_custodians(sealed)
    wanted = attach(sealed, sealed_asset, one)
    proposal = await propose(sealed, wanted)
    await sealed.chain.clock_reaches(proposal.ready_ts)
    good = sealed.client.with_proposal(wanted)
    custodian = 2
    await sealed.refused(sealed.by("admin", with_account(good, custodian, other)), ErrorCode.ProposalMismatch)
    await sealed.accepted(sealed.by("admin", good))


def attach(program: DeployedProgram, asset: Asset, custodian: Address) -> Instruction:
    return program.client.attach_custodian(admin=program.keys.admin.address, custodian=custodian, mint=asset.mint)


async def other_custodians(program: DeployedProgram) -> tuple[Address, Address]:
    """Two custodians, registered through the timelock, attached to nothing."""
    admin = program.keys.admin.address
    found = []
    for custodian_id in (901, 902):
        keys = [AttesterKey(address_of(Keypair()), party, 2**40) for party in (0, 1)]
        instruction = program.client.register_custodian(
            admin=admin, custodian_id=custodian_id, name="Other", threshold=2, keys=keys
        )
        proposal = await propose(program, instruction)
        await program.chain.clock_reaches(proposal.ready_ts)
        await program.accepted(executing(program, instruction))
        found.append(program.addresses.custodian(custodian_id))
    return found[0], found[1]


async def test_only_what_is_under_the_timelock_is_proposed(sealed: DeployedProgram, sealed_asset: Asset) -> None:
    client, admin = sealed.client, sealed.keys.admin.address
    instruction = set_role(sealed)
    good = client.propose(admin=admin, instruction=instruction)

    def of(data: bytes) -> Call:
        return sealed.by("admin", with_data(good, good.data[:8] + len(data).to_bytes(4, "little") + data))

    clear = bytes(client.clear_role(admin=admin, role=Role.OPERATOR).data)
    await sealed.refused(of(clear), ErrorCode.NotTimelocked)
    await sealed.refused(of(clear[:7]), ErrorCode.InstructionMissing)
    await sealed.refused(of(bytes(instruction.data)[:8]), ErrorCode.InstructionDidNotDeserialize)
    proposal_index = 2
    elsewhere = with_account(good, proposal_index, address_of(Keypair()))
    await sealed.refused(sealed.by("admin", elsewhere), ErrorCode.ConstraintSeeds)
    await sealed.accepted(sealed.by("admin", good))


async def test_before_the_seal_nothing_is_proposed(own_program: DeployedProgram) -> None:
    instruction = set_role(own_program)
    await own_program.refused(proposing(own_program, instruction), ErrorCode.NotSealed)
    await own_program.accepted(
        own_program.by("admin", own_program.client.seal(admin=own_program.keys.admin.address, timelock_secs=1))
    )
    await own_program.accepted(proposing(own_program, instruction))


@pytest.mark.parametrize("lamports", [1_000_000, 10**9], ids=["under-funded", "over-funded"])
async def test_a_prefunded_proposal_address_blocks_nothing(
    sealed: DeployedProgram, sealed_asset: Asset, lamports: int
) -> None:
    instruction = set_role(sealed)
    await sealed.chain.fund(sealed.client.proposal_address(instruction), lamports=lamports)
    assert (await propose(sealed, instruction)).state is ProposalState.PENDING
