"""A role may be another program's address, such as a multisig's vault: its signature comes by that program's call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.program.role_keys import ROLES, keys_of
from tests.program.role_rules import RULES
from tests.support.cluster import TestCluster
from tests.support.deployed import Asset, DeployedProgram
from tests.support.edit import with_account
from tests.support.live_chain import LAMPORTS_PER_SOL, address_of
from tests.support.multisig import Multisig
from xstocks_daemon.chain.program import Role

NOT_ENOUGH_SIGNED = {"InstructionError": [1, "MissingRequiredSignature"]}
"""Of a transaction; a compute budget stands before its instruction."""
TIMELOCK_SECS = 1
OF_ROLES = [(name, role) for name, rule in RULES.items() for role in rule.allowed if role in ROLES]


@pytest.mark.embedded_only
@pytest.mark.parametrize(("name", "role"), OF_ROLES)
async def test_a_vault_in_a_role_may_what_a_key_may(
    cluster: TestCluster, program: DeployedProgram, asset: Asset, name: str, role: str
) -> None:
    """The role is written into the Config, for simulations alone; the next test gives one by the program's own ways."""
    rule, multisig = RULES[name], Multisig.of(2, 3)
    if rule.own_program:
        program = await cluster.deploy()
    build = await rule.prepare(program, asset)
    keys, chain = keys_of(program), program.chain
    await chain.fund(multisig.vault, lamports=LAMPORTS_PER_SOL)  # of new accounts it pays the rent
    config = program.addresses.config
    before = await chain.account(config)
    during = replace(before, data=before.data.replace(address_of(keys[role]), multisig.vault))
    assert during.data != before.data
    also = [keys[who] for who in rule.also]
    enough = multisig.signs(build(multisig.vault), *also)
    one_less = multisig.signs(build(multisig.vault), *also, signing=multisig.threshold - 1)

    refused = await chain.simulate_with(config, before, during, one_less.instructions)
    assert refused.err == {"InstructionError": [0, "MissingRequiredSignature"]}, refused.logs
    passed = await chain.simulate_with(config, before, during, enough.instructions)
    assert passed.err is None, passed.logs
    # The vault is nothing where the role is still the key's.
    assert (await chain.simulate(enough)).err is not None


async def test_a_vault_takes_the_admin_role_and_carries_it_out(own_program: DeployedProgram) -> None:
    program, client, multisig = own_program, own_program.client, Multisig.of(2, 2)
    await program.chain.fund(multisig.vault, lamports=LAMPORTS_PER_SOL)
    expires_ts = await program.chain.clock_ts() + 3_600
    offer = client.propose_admin(admin=program.keys.admin.address, pending_admin=multisig.vault, expires_ts=expires_ts)
    await program.accepted(program.by("admin", offer))
    accept = client.accept_admin(pending_admin=multisig.vault)
    await program.chain.fails(multisig.signs(accept, signing=1), NOT_ENOUGH_SIGNED)
    await program.chain.accepted(multisig.signs(accept))
    assert (await program.config()).admin == multisig.vault

    # It proposes, waits, and executes what it proposed; its account pays the proposal's rent.
    await program.chain.accepted(multisig.signs(client.seal(admin=multisig.vault, timelock_secs=TIMELOCK_SECS)))
    instruction = client.set_timing(admin=multisig.vault, timelock_secs=TIMELOCK_SECS + 1, max_skew_secs=3)
    await program.chain.accepted(multisig.signs(client.propose(admin=multisig.vault, instruction=instruction)))
    executing = client.with_proposal(instruction)
    info = await program.chain.account(client.proposal_address(instruction))
    ready_ts = client.proposal(client.proposal_address(instruction), info.data, info.owner).ready_ts
    await program.chain.clock_reaches(ready_ts)
    await program.chain.fails(multisig.signs(executing, signing=1), NOT_ENOUGH_SIGNED)
    await program.chain.accepted(multisig.signs(executing))
    assert (await program.config()).timelock_secs == TIMELOCK_SECS + 1


async def test_a_vault_freezes_and_distributes_as_compliance_and_operator(own_program: DeployedProgram) -> None:
    program, client = own_program, own_program.client
    compliance, operator = Multisig.of(1, 2), Multisig.of(3, 5)
    for role, multisig in ((Role.COMPLIANCE, compliance), (Role.OPERATOR, operator)):
        instruction = client.set_role(admin=program.keys.admin.address, role=role, key=multisig.vault)
        await program.accepted(program.by("admin", instruction))
    [asset] = await program.register()
    await asset.attest(1_000)
    wallet = await program.participant()
    account = await asset.open_account(address_of(wallet))

    [minting] = (await asset.mint_call(1_000)).instructions
    await program.chain.fails(operator.signs(with_account(minting, 0, operator.vault), signing=2), NOT_ENOUGH_SIGNED)
    await program.chain.accepted(operator.signs(with_account(minting, 0, operator.vault)))
    assert await asset.supply_raw() == 1_000
    [distributing] = (await asset.distribute_call(400, wallet)).instructions
    await program.chain.accepted(operator.signs(with_account(distributing, 0, operator.vault)))
    assert await asset.balance_raw(account) == 400

    freezing = client.freeze(compliance=compliance.vault, mint=asset.mint, account=account)
    await program.chain.fails(compliance.signs(freezing, signing=0), NOT_ENOUGH_SIGNED)
    assert not await asset.frozen(account)
    await program.chain.accepted(compliance.signs(freezing))
    assert await asset.frozen(account)
