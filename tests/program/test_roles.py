"""Who may do what: every instruction of this version with every key there is and with none."""

from __future__ import annotations

import pytest
from solders.keypair import Keypair

from tests.program.role_keys import ATTESTERS, ROLES, keys_of
from tests.program.role_rules import ELSEWHERE, RULES, Build, freeze, mint, pause, resume, set_participant
from tests.support.cluster import TestCluster, initialization
from tests.support.deployed import Asset, AssetPool, DeployedProgram, deploy_program
from tests.support.edit import with_flags
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import address_of, call
from xstocks_daemon.aio import gather_all
from xstocks_daemon.chain.program import Role
from xstocks_daemon.chain.program.idl import load_interface
from xstocks_daemon.domain.units import ZERO_ADDRESS


def test_the_matrix_knows_every_instruction() -> None:
    assert set(RULES) | ELSEWHERE == set(load_interface().accounts_of)


@pytest.mark.parametrize("name", RULES)
def test_the_idl_names_the_roles_that_pass(name: str) -> None:
    """The first account signs. Who is no role, an attester or a wallet, has none in the IDL either."""
    signer = load_interface().accounts_of[name][0]
    if name == "accept_admin":
        # Whoever is offered the role: here the registrar.
        assert signer.roles == ("pending_admin",)
    else:
        assert set(signer.roles) == {who for who in RULES[name].allowed if who in ROLES}


@pytest.mark.parametrize("name", RULES)
async def test_exactly_the_right_keys_pass(
    cluster: TestCluster, program: DeployedProgram, asset: Asset, name: str
) -> None:
    rule = RULES[name]
    if rule.own_program:
        program = await cluster.deploy()
    build = await rule.prepare(program, asset)
    keys = keys_of(program)
    also = [keys[who] for who in rule.also]
    others = [key for who, key in keys.items() if who not in rule.allowed]
    await gather_all(program.refused(call(build(address_of(key)), key, *also), rule.otherwise) for key in others)
    for who in rule.allowed:
        unsigned = with_flags(build(address_of(keys[who])), 0, signer=False)
        await program.refused(call(unsigned, *also), ErrorCode.AccountNotSigner)
        simulated = await program.chain.simulate(call(build(address_of(keys[who])), keys[who], *also))
        assert simulated.err is None, f"{who}: {simulated.logs}"
    last = keys[rule.allowed[-1]]
    await program.accepted(call(build(address_of(last)), last, *also))


async def test_only_the_upgrade_authority_initializes(cluster: TestCluster) -> None:
    client = cluster.blank()
    keys = {role: getattr(cluster.keys, role).keypair for role in ROLES} | {"stranger": Keypair()}

    async def tries(key: Keypair) -> None:
        instruction = await initialization(cluster, client, authority=address_of(key))
        await cluster.chain.refused(call(instruction, key), ErrorCode.NotUpgradeAuthority, by=client.program_id)
        unsigned = call(with_flags(instruction, 0, signer=False))
        await cluster.chain.refused(unsigned, ErrorCode.AccountNotSigner, by=client.program_id)

    await gather_all(tries(key) for key in keys.values())
    await deploy_program(cluster.chain, cluster.keys, client)


async def test_anybody_relays_a_statement(program: DeployedProgram, pool: AssetPool) -> None:
    """It takes the quorum's signatures and nobody's permission: the payer is unknown to the program."""
    keys = [key for name, key in keys_of(program).items() if name not in ATTESTERS]
    await program.chain.fund(*map(address_of, keys), lamports=10**9)
    for key in keys:
        asset = await pool.take()
        await program.accepted(program.relay(await program.statement({asset: 10_000})).but(payer=key))


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.CORPORATE_ACTIONS])
async def test_a_cleared_role_is_nobodys_and_a_set_one_is_the_new_keys(
    own_program: DeployedProgram, role: Role
) -> None:
    """Zeros stand for nobody: not even a signature of the zero address would do, and the old key is refused."""
    name = role.name.lower()
    old, new = getattr(own_program.keys, name).keypair, Keypair()
    admin = own_program.keys.admin.address
    await own_program.chain.fund(address_of(old), address_of(new), lamports=10**9)
    [asset] = await own_program.register()
    use, refusal = await use_of(role, own_program, asset)

    [event] = await own_program.accepted(own_program.by("admin", own_program.client.clear_role(admin=admin, role=role)))
    assert (event.name, event.fields) == ("RoleChanged", {"role": int(role), "key": ZERO_ADDRESS})
    assert getattr(await own_program.config(), name) == ZERO_ADDRESS
    await own_program.refused(call(use(address_of(old)), old), refusal)

    setting = own_program.client.set_role(admin=admin, role=role, key=address_of(new))
    await own_program.accepted(own_program.by("admin", setting))
    await own_program.refused(call(use(address_of(old)), old), refusal)
    await own_program.accepted(call(use(address_of(new)), new))


async def use_of(role: Role, program: DeployedProgram, asset: Asset) -> tuple[Build, ErrorCode]:
    """Something that only this role may do, and how others are refused."""
    prepare = {
        Role.OPERATOR: mint,
        Role.REGISTRAR: set_participant,
        Role.GUARDIAN: pause,
        Role.RESUMER: resume,
        Role.COMPLIANCE: freeze,
    }[role]
    return await prepare(program, asset), RULES[prepare.__name__].otherwise


async def test_roles_have_known_numbers_and_real_keys(own_program: DeployedProgram) -> None:
    client, admin = own_program.client, own_program.keys.admin.address
    last = max(Role)
    unknown = client.build("set_role", {"role": last + 1, "key": address_of(Keypair())}, {"admin": admin})
    await own_program.refused(own_program.by("admin", unknown), ErrorCode.UnknownRole)
    unknown = client.build("clear_role", {"role": last + 1}, {"admin": admin})
    await own_program.refused(own_program.by("admin", unknown), ErrorCode.UnknownRole)
    nobody = client.set_role(admin=admin, role=last, key=ZERO_ADDRESS)
    await own_program.refused(own_program.by("admin", nobody), ErrorCode.KeyMissing)
    known = client.set_role(admin=admin, role=last, key=address_of(Keypair()))
    await own_program.accepted(own_program.by("admin", known))


async def test_who_pauses_does_not_resume(own_program: DeployedProgram) -> None:
    """M8: one stolen key must not be able to stop and start."""
    client, keys = own_program.client, own_program.keys
    both = client.set_role(admin=keys.admin.address, role=Role.RESUMER, key=keys.guardian.address)
    await own_program.refused(own_program.by("admin", both), ErrorCode.GuardianIsResumer)
    both = client.set_role(admin=keys.admin.address, role=Role.GUARDIAN, key=keys.resumer.address)
    await own_program.refused(own_program.by("admin", both), ErrorCode.GuardianIsResumer)
    apart = client.set_role(admin=keys.admin.address, role=Role.GUARDIAN, key=address_of(Keypair()))
    await own_program.accepted(own_program.by("admin", apart))
