"""initialize and seal: the deployer makes the one Config, the admin starts the timelock for ever."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from solders.keypair import Keypair

from tests.support.cluster import TestCluster, initialization
from tests.support.deployed import DeployedProgram
from tests.support.edit import with_account
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import Call, LiveChain, address_of, call
from xstocks_daemon.chain.program import ProgramClient, Role
from xstocks_daemon.domain.snapshot import Scope
from xstocks_daemon.domain.units import ZERO_ADDRESS, Address

YEAR_SECS = 365 * 86_400
MAX_SKEW_SECS = 3_600


async def test_the_upgrade_authority_initializes_once(cluster: TestCluster) -> None:
    chain, client, keys = cluster.chain, cluster.blank(), cluster.keys
    instruction = await initialization(cluster, client)
    first = call(instruction, keys.upgrade_authority.keypair)
    landed = await chain.accepted(first)

    info = await chain.account(client.addresses.config)
    config = client.config(info.data, info.owner)
    assert not config.sealed
    assert config.paused == Scope(0)
    assert (config.timelock_secs, config.admin_epoch, config.max_skew_secs) == (0, 0, 2)
    for role in ("admin", "operator", "registrar", "guardian", "resumer", "compliance", "corporate_actions"):
        assert getattr(config, role) == getattr(keys, role).address
    [event] = client.events(landed.logs)
    assert event.name == "Initialized"
    assert event.fields["admin"] == keys.admin.address

    await chain.refused(first, ErrorCode.AlreadyInitialized, by=client.program_id)


async def test_nobody_else_initializes(cluster: TestCluster) -> None:
    """Front-running the deployer: whoever is not named by ProgramData is refused, the deployer still passes."""
    chain, client, keys = cluster.chain, cluster.blank(), cluster.keys
    for thief in (Keypair(), keys.admin.keypair):
        instruction = await initialization(cluster, client, authority=address_of(thief))
        await chain.refused(call(instruction, thief), ErrorCode.NotUpgradeAuthority, by=client.program_id)
    instruction = await initialization(cluster, client)
    await chain.accepted(call(instruction, keys.upgrade_authority.keypair))


async def test_the_upgrade_authority_is_read_from_this_programs_data_only(cluster: TestCluster) -> None:
    chain, client, keys = cluster.chain, cluster.blank(), cluster.keys
    good = await initialization(cluster, client)
    authority, config, program, program_data, _system = range(5)
    other = cluster.client.addresses

    def variant(index: int, address: Address) -> Call:
        return call(with_account(good, index, address), keys.upgrade_authority.keypair)

    refused = {
        "the program data of another program": (program_data, other.program_data, ErrorCode.BadProgramData),
        "another program": (program, cluster.client.program_id, ErrorCode.InvalidProgramId),
        "an account that the loader does not own": (
            program_data,
            keys.admin.address,
            ErrorCode.AccountOwnedByWrongProgram,
        ),
        "the program itself as its data": (program_data, client.program_id, ErrorCode.BadProgramData),
        "a config at another address": (config, address_of(Keypair()), ErrorCode.ConstraintSeeds),
    }
    for index, address, error in refused.values():
        await chain.refused(variant(index, address), error, by=client.program_id)
    await chain.accepted(variant(authority, keys.upgrade_authority.address))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"max_skew_secs": 0}, ErrorCode.SkewOutOfRange),
        ({"max_skew_secs": MAX_SKEW_SECS + 1}, ErrorCode.SkewOutOfRange),
        ({"min_timelock_secs": 0}, ErrorCode.TimelockZero),
        ({"min_timelock_secs": YEAR_SECS + 1}, ErrorCode.TimelockTooLong),
        ({"admin": ZERO_ADDRESS}, ErrorCode.KeyMissing),
        ({"guardian": Address(bytes([7]) * 32), "resumer": Address(bytes([7]) * 32)}, ErrorCode.GuardianIsResumer),
    ],
    ids=[
        "skew zero",
        "skew above an hour",
        "no least timelock",
        "least timelock above a year",
        "no admin",
        "guardian resumes",
    ],
)
async def test_initialize_refuses_values_out_of_bounds(
    cluster: TestCluster, blank: ProgramClient, changes: dict[str, Any], error: ErrorCode
) -> None:
    keys = cluster.keys
    instruction = await initialization(cluster, blank, **changes)
    await cluster.chain.refused(call(instruction, keys.upgrade_authority.keypair), error, by=blank.program_id)


async def test_the_bounds_themselves_pass(cluster: TestCluster) -> None:
    """The twin of the refusals: the largest skew, and roles that nobody has."""
    keys, client = cluster.keys, cluster.blank()
    roles = ("operator", "registrar", "guardian", "resumer", "compliance", "corporate_actions")
    nobody = dict.fromkeys(roles, ZERO_ADDRESS)
    instruction = await initialization(
        cluster, client, max_skew_secs=MAX_SKEW_SECS, min_timelock_secs=YEAR_SECS, **nobody
    )
    await cluster.chain.accepted(call(instruction, keys.upgrade_authority.keypair))


async def test_seal_starts_the_timelock_once_and_for_ever(own_program: DeployedProgram) -> None:
    def seal(timelock_secs: int) -> Call:
        return own_program.by(
            "admin", own_program.client.seal(admin=own_program.keys.admin.address, timelock_secs=timelock_secs)
        )

    config = own_program.addresses.config
    await own_program.refused(seal(0), ErrorCode.TimelockZero, also=[config])
    await own_program.refused(seal(YEAR_SECS + 1), ErrorCode.TimelockTooLong)
    assert not (await own_program.config()).sealed
    [event] = await own_program.accepted(seal(YEAR_SECS))
    assert (event.name, event.fields["timelock_secs"]) == ("Sealed", YEAR_SECS)
    sealed = await own_program.config()
    assert asdict(sealed) | {"sealed": True, "timelock_secs": YEAR_SECS} == asdict(sealed)
    await own_program.refused(seal(1), ErrorCode.AlreadySealed)


async def test_a_prefunded_config_address_does_not_block_initialize(cluster: TestCluster) -> None:
    """Anybody may send lamports to the address before: too few, or more than its rent."""
    chain: LiveChain = cluster.chain
    keys = cluster.keys
    for lamports in (1_000_000, 10**10):
        client = cluster.blank()
        await chain.fund(client.addresses.config, lamports=lamports)
        instruction = await initialization(cluster, client)
        await chain.accepted(call(instruction, keys.upgrade_authority.keypair))
        info = await chain.account(client.addresses.config)
        assert client.config(info.data, info.owner).admin == keys.admin.address
        assert info.lamports >= max(lamports, await chain.rpc.rent_exempt_lamports(len(info.data)))


async def initialized(cluster: TestCluster, client: ProgramClient, **changes: Any) -> None:
    """Another deployment, with other arguments."""
    instruction = await initialization(cluster, client, **changes)
    await cluster.chain.accepted(call(instruction, cluster.keys.upgrade_authority.keypair))


async def test_no_timelock_is_below_the_minimum_that_initialize_fixed(cluster: TestCluster) -> None:
    chain, client, admin = cluster.chain, cluster.blank(), cluster.keys.admin
    await initialized(cluster, client, min_timelock_secs=3_600)
    for timelock_secs in (1, 3_599):
        sealing = call(client.seal(admin=admin.address, timelock_secs=timelock_secs), admin.keypair)
        await chain.refused(sealing, ErrorCode.TimelockTooShort, by=client.program_id)
    await chain.accepted(call(client.seal(admin=admin.address, timelock_secs=3_600), admin.keypair))
    # Nor afterwards. (That no proposal was made does not matter: the bound is looked at first.)
    for timelock_secs, error in ((3_599, ErrorCode.TimelockTooShort), (3_600, ErrorCode.ProposalRequired)):
        timing = client.set_timing(admin=admin.address, timelock_secs=timelock_secs, max_skew_secs=2)
        await chain.refused(call(timing, admin.keypair), error, by=client.program_id)


@pytest.mark.parametrize("role", ["guardian", "resumer"])
async def test_seal_asks_for_who_stops_and_who_lets_go_on(cluster: TestCluster, role: str) -> None:
    chain, client, admin = cluster.chain, cluster.blank(), cluster.keys.admin
    await initialized(cluster, client, **{role: ZERO_ADDRESS})
    sealing = call(client.seal(admin=admin.address, timelock_secs=1), admin.keypair)
    await chain.refused(sealing, ErrorCode.RoleMissing, by=client.program_id)
    key = getattr(cluster.keys, role).address
    given = client.set_role(admin=admin.address, role=Role[role.upper()], key=key)
    await chain.accepted(call(given, admin.keypair))
    await chain.accepted(sealing)


@pytest.mark.parametrize(
    ("role", "like"),
    [("operator", "admin"), ("compliance", "guardian"), ("corporate_actions", "resumer"), ("guardian", "admin")],
)
async def test_seal_asks_for_a_key_per_role(cluster: TestCluster, role: str, like: str) -> None:
    chain, client, admin = cluster.chain, cluster.blank(), cluster.keys.admin
    await initialized(cluster, client, **{role: getattr(cluster.keys, like).address})
    sealing = call(client.seal(admin=admin.address, timelock_secs=1), admin.keypair)
    await chain.refused(sealing, ErrorCode.RolesNotDifferent, by=client.program_id)
    key = getattr(cluster.keys, role).address
    given = client.set_role(admin=admin.address, role=Role[role.upper()], key=key)
    await chain.accepted(call(given, admin.keypair))
    await chain.accepted(sealing)
