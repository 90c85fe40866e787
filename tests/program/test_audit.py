"""Every instruction with accounts of other kinds and with read-only ones, and the largest batch whole."""

from __future__ import annotations

import pytest
from solders.instruction import AccountMeta
from solders.keypair import Keypair

from tests.program.role_keys import keys_of
from tests.program.role_rules import RULES
from tests.support.cluster import TestCluster
from tests.support.deployed import Asset, AssetPool, DeployedProgram, supply_call
from tests.support.edit import with_account, with_flags
from tests.support.error_codes import ErrorCode
from tests.support.fixtures import session_fixture
from tests.support.initialized import OTHER_CUSTODIAN
from tests.support.live_chain import address_of, call
from tests.support.redeeming import requested
from tests.support.tables import lookup_table
from xstocks_daemon.chain.addresses import TOKEN_2022
from xstocks_daemon.domain.intent import IntentKind
from xstocks_daemon.domain.units import Address

MAX_BATCH = 20
"""Entries of one mint or burn at most. Twenty assets do not fit a transaction, one asset twenty times does."""
DISCRIMINATOR_BYTES = 8


@session_fixture
async def zoo(program: DeployedProgram, pool: AssetPool) -> list[Address]:
    """An account of every kind that has a place in some instruction, all of them of a bystander."""
    bystander = await pool.take()
    wallet = await program.participant()
    await bystander.attest(100)
    return [
        program.addresses.config,
        program.custodian(OTHER_CUSTODIAN).address,
        bystander.address,
        bystander.mint,
        bystander.vault,
        await bystander.open_account(address_of(wallet)),
        program.addresses.participant(address_of(wallet)),
        address_of(wallet),
        address_of(Keypair()),
        program.addresses.redemption_vault(bystander.mint),
        (await requested(bystander, 100)).address,
        TOKEN_2022,
    ]


async def kinds(program: DeployedProgram, addresses: list[Address]) -> dict[Address, bytes]:
    """The discriminators of those accounts that are the program's own."""
    found = await program.chain.accounts(addresses)
    own = {address: info for address, info in found.items() if info and info.owner == program.client.program_id}
    return {address: info.data[:DISCRIMINATOR_BYTES] for address, info in own.items()}


def at(meta: AccountMeta) -> Address:
    return Address(bytes(meta.pubkey))


@pytest.mark.embedded_only
@pytest.mark.parametrize("name", RULES)
async def test_no_place_takes_another_kind_of_account_or_a_read_only_one(
    cluster: TestCluster, program: DeployedProgram, asset: Asset, zoo: list[Address], name: str
) -> None:
    """Left out are the signers, an optional account that is not given, and accounts of the same type: another asset or
    custodian is another request, and where it is not, test_substitution.py has the case."""
    rule = RULES[name]
    if name in {
        "propose",
        "cancel_proposal",
        "accept_role",
        "cancel_admin",
        "accept_admin",
    }:  # they need one of their own
        program = await cluster.deploy()
    build = await rule.prepare(program, asset)
    keys = keys_of(program)
    signer = keys[rule.allowed[0]]
    signers = [signer, *(keys[who] for who in rule.also)]
    await program.chain.fund(address_of(signer))
    good = build(address_of(signer))
    kind = await kinds(program, [*zoo, *map(at, good.accounts)])
    tried = 0
    for index, meta in enumerate(good.accounts):
        if at(meta) == program.client.program_id:
            continue
        if meta.is_writable:
            readonly = with_flags(good, index, writable=False)
            failed = await program.chain.simulate(call(readonly, *signers))
            assert failed.err == {"InstructionError": [1, {"Custom": ErrorCode.ConstraintMut}]}, f"account {index}"
        # What is proposed may be any instruction of any accounts: those behind the named ones are not looked at.
        # The new authority may be any account.
        free = (name == "propose" and index > 3) or (name == "release_authority" and index == 7)
        if meta.is_signer or free:
            continue
        for stranger in zoo:
            same = stranger == at(meta) or (at(meta) in kind and kind.get(stranger) == kind[at(meta)])
            if not same:
                failed = await program.chain.simulate(call(with_account(good, index, stranger), *signers))
                assert failed.err is not None, f"account {index} was taken from the zoo: {stranger.hex()}"
                assert "Custom" in str(failed.err), f"account {index}: {failed.err} {failed.logs}"
                tried += 1
    assert tried >= len(zoo) - 2
    passed = await program.chain.simulate(call(good, *signers))  # only simulated: the program is everybody's
    assert passed.err is None, passed.logs


@pytest.mark.parametrize("kind", [IntentKind.MINT, IntentKind.BURN])
async def test_the_largest_batch_lands_with_its_whole_event(
    program: DeployedProgram, asset: Asset, kind: IntentKind
) -> None:
    await asset.attest(10_000)
    if kind is IntentKind.BURN:
        await program.accepted(await asset.mint_call(10_000))
    before_raw = await asset.supply_raw()
    amounts_raw = [index + 1 for index in range(MAX_BATCH)]
    sent = await supply_call(program, kind, [(asset, amount) for amount in amounts_raw])
    [event] = await program.accepted(sent.but(tables=(await lookup_table(program, [asset.mint]),)))
    entries = event.fields["entries"]
    assert [entry["amount_raw"] for entry in entries] == amounts_raw
    sign = 1 if kind is IntentKind.MINT else -1
    assert [entry["supply_raw"] for entry in entries] == [
        before_raw + sign * sum(amounts_raw[: index + 1]) for index in range(MAX_BATCH)
    ]
    assert await asset.supply_raw() == entries[-1]["supply_raw"]
