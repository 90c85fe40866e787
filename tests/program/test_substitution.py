"""Accounts in the place of others: each hot instruction with every account that an attacker could pass instead."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.instruction import AccountMeta
from solders.keypair import Keypair

from tests.support.deployed import Asset, AssetPool, DeployedProgram
from tests.support.edit import patched, with_account, with_accounts, with_flags
from tests.support.error_codes import ErrorCode
from tests.support.initialized import OWN_CUSTODIAN
from tests.support.live_chain import Call, address_of, call
from xstocks_daemon.chain.addresses import ASSOCIATED_TOKEN, parse_address, pubkey
from xstocks_daemon.chain.rpc import AccountInfo
from xstocks_daemon.domain.snapshot import Scope
from xstocks_daemon.domain.units import Address

LEGACY_TOKEN = Address(bytes.fromhex("06ddf6e1d765a193d9cbe146ceeb79ac1cb485ed5f5b37913a8cf5857eff00a9"))
"""TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"""

RENT_SYSVAR = parse_address("SysvarRent111111111111111111111111111111111")

# Places in mint and burn with one custodian.
OPERATOR, CONFIG, TOKEN_PROGRAM = range(3)
CUSTODIAN, ASSET, MINT, VAULT = range(-4, 0)
CLOCK = 3
"""Of mint only."""


def but(sent: Call, index: int, address: Address) -> Call:
    """The call with one account of its last instruction replaced."""
    *others, last = sent.instructions
    return sent.but(instructions=(*others, with_account(last, index, address)))


async def ready(program: DeployedProgram, pool: AssetPool) -> tuple[Asset, Asset]:
    one, other = await pool.take(), await pool.take()
    for asset in (one, other):
        await asset.attest(1_000)
        await program.accepted(await asset.mint_call(500))
    return one, other


async def test_mint_and_burn_take_their_own_accounts_only(
    program: DeployedProgram, pool: AssetPool, foreign_program: DeployedProgram
) -> None:
    asset, other = await ready(program, pool)
    elsewhere = foreign_program.addresses
    wrong = {
        (CONFIG, elsewhere.config): ErrorCode.AccountOwnedByWrongProgram,
        (CONFIG, address_of(Keypair())): ErrorCode.AccountNotInitialized,
        (CONFIG, asset.address): ErrorCode.AccountDiscriminatorMismatch,
        (TOKEN_PROGRAM, LEGACY_TOKEN): ErrorCode.InvalidProgramId,
        (TOKEN_PROGRAM, ASSOCIATED_TOKEN): ErrorCode.InvalidProgramId,
        (CUSTODIAN, foreign_program.custodian().address): ErrorCode.AccountOwnedByWrongProgram,
        (CUSTODIAN, program.addresses.config): ErrorCode.AccountDiscriminatorMismatch,
        (CUSTODIAN, address_of(Keypair())): ErrorCode.AccountNotInitialized,
        (ASSET, other.address): ErrorCode.WrongMint,
        (ASSET, program.addresses.config): ErrorCode.AccountDiscriminatorMismatch,
        (ASSET, asset.mint): ErrorCode.AccountOwnedByWrongProgram,
        (MINT, other.mint): ErrorCode.WrongMint,
        (VAULT, other.vault): ErrorCode.WrongVault,
        (VAULT, program.addresses.redemption_vault(asset.mint)): ErrorCode.WrongVault,
    }
    fake_clock = {(CLOCK, address): ErrorCode.ConstraintAddress for address in (asset.mint, RENT_SYSVAR)}
    for sent, more in (
        (await asset.mint_call(1), fake_clock),
        (await asset.burn_call(1, custodians=(OWN_CUSTODIAN,)), {}),
    ):
        for (index, address), error in {**wrong, **more}.items():
            await program.refused(but(sent, index, address), error)
        assert (await program.chain.simulate(sent)).err is None
    await program.accepted(await asset.mint_call(1))
    await program.accepted(await asset.burn_call(1))


@pytest.mark.parametrize("index", [ASSET, MINT, VAULT], ids=["asset", "mint", "vault"])
async def test_what_is_changed_is_passed_writable(program: DeployedProgram, pool: AssetPool, index: int) -> None:
    asset, _other = await ready(program, pool)
    for sent in (await asset.mint_call(1), await asset.burn_call(1)):
        [instruction] = sent.instructions
        # In the whole transaction the account is writable where any instruction says so: here none does.
        read_only = with_flags(instruction, index, writable=False)
        await program.refused(sent.but(instructions=(read_only,)), ErrorCode.ConstraintMut)
    await program.accepted(await asset.burn_call(1))


async def test_surplus_and_missing_accounts_are_refused(program: DeployedProgram, pool: AssetPool) -> None:
    asset, other = await ready(program, pool)
    sent = await asset.mint_call(1)
    [instruction] = sent.instructions
    extra = AccountMeta(pubkey(other.vault), is_signer=False, is_writable=True)
    longer = with_accounts(instruction, [*instruction.accounts, extra])
    # Entries are counted from the end, so the asset now stands where a second custodian would.
    await program.refused(sent.but(instructions=(longer,)), ErrorCode.AccountDiscriminatorMismatch)
    shorter = with_accounts(instruction, instruction.accounts[:2])
    await program.refused(sent.but(instructions=(shorter,)), ErrorCode.AccountNotEnoughKeys)
    await program.accepted(sent)

    pause = program.client.pause(guardian=program.keys.guardian.address, scopes=Scope.MINT, mint=asset.mint)
    surplus = with_accounts(pause, [*pause.accounts, extra])
    await program.refused(program.by("guardian", surplus), ErrorCode.TooManyAccounts)
    await program.accepted(program.by("guardian", pause))


async def test_an_attestation_takes_its_own_accounts_only(
    program: DeployedProgram, pool: AssetPool, foreign_program: DeployedProgram
) -> None:
    asset, other = await ready(program, pool)
    relayed = program.relay(await program.statement({asset: 10_000}))
    config, custodian, sysvar, target = range(4)
    wrong = {
        (config, foreign_program.addresses.config): ErrorCode.AccountOwnedByWrongProgram,
        (config, asset.address): ErrorCode.AccountDiscriminatorMismatch,
        (custodian, foreign_program.custodian().address): ErrorCode.AccountOwnedByWrongProgram,
        (custodian, asset.address): ErrorCode.AccountDiscriminatorMismatch,
        (sysvar, asset.mint): ErrorCode.ConstraintAddress,
        (target, other.address): ErrorCode.DigestMismatch,
        (target, other.mint): ErrorCode.AccountOwnedByWrongProgram,
        (target, program.addresses.config): ErrorCode.AccountDiscriminatorMismatch,
    }
    for (index, address), error in wrong.items():
        await program.refused(but(relayed, index, address), error)
    *others, last = relayed.instructions
    read_only = relayed.but(instructions=(*others, with_flags(last, target, writable=False)))
    await program.refused(read_only, ErrorCode.ConstraintMut)
    await program.accepted(relayed)


async def test_withdrawing_takes_its_own_accounts_only(
    program: DeployedProgram, pool: AssetPool, foreign_program: DeployedProgram
) -> None:
    """Another deployment's custodian with the same keys withdraws nothing here."""
    asset, _other = await ready(program, pool)
    attester = program.quorum()[1]
    custodian = program.custodian().address
    good = call(
        program.client.withdraw_entry(attester=address_of(attester), custodian=custodian, mint=asset.mint), attester
    )
    custodian_index, asset_index = 2, 3
    wrong = {
        (custodian_index, foreign_program.custodian().address): ErrorCode.AccountOwnedByWrongProgram,
        (custodian_index, asset.address): ErrorCode.AccountDiscriminatorMismatch,
        (asset_index, asset.mint): ErrorCode.AccountOwnedByWrongProgram,
        (asset_index, program.addresses.config): ErrorCode.AccountDiscriminatorMismatch,
    }
    for (index, address), error in wrong.items():
        await program.refused(but(good, index, address), error)
    await program.accepted(good)


@pytest.mark.embedded_only
async def test_a_copy_of_an_account_under_another_owner_is_refused(program: DeployedProgram, pool: AssetPool) -> None:
    """Byte for byte the config, custodian and asset, owned by somebody else's program."""
    asset, _other = await ready(program, pool)
    sent = await asset.mint_call(1)
    copies = {CONFIG: program.addresses.config, CUSTODIAN: program.custodian().address, ASSET: asset.address}
    for index, original in copies.items():
        info = await program.chain.account(original)
        fake = address_of(Keypair())
        await program.chain.set_account(fake, replace(info, owner=address_of(Keypair())))
        await program.refused(but(sent, index, fake), ErrorCode.AccountOwnedByWrongProgram)
        # Under the program's own owner the same bytes would pass where only content counts: nobody can make them so.
        assert (await program.chain.account(fake)).data == info.data
    await program.accepted(sent)


@pytest.mark.embedded_only
async def test_discriminator_size_and_version_are_checked(program: DeployedProgram, pool: AssetPool) -> None:
    asset, _other = await ready(program, pool)
    info = await program.chain.account(asset.address)
    version_at = 8
    cases: dict[ErrorCode, tuple[AccountInfo, ...]] = {
        ErrorCode.AccountDiscriminatorMismatch: (replace(info, data=patched(info.data, 0, bytes(8))),),
        ErrorCode.AccountDidNotDeserialize: (
            replace(info, data=info.data[:-1]),
            replace(info, data=info.data + b"\0"),
        ),
        ErrorCode.AccountDiscriminatorNotFound: (replace(info, data=info.data[:7]), replace(info, data=b"")),
        ErrorCode.UnsupportedVersion: (
            replace(info, data=patched(info.data, version_at, b"\0")),
            replace(info, data=patched(info.data, version_at, b"\2")),
            replace(info, data=patched(info.data, version_at, b"\2") + bytes(64)),
        ),
    }
    sent = await asset.mint_call(1)
    for error, variants in cases.items():
        for changed in variants:
            await program.chain.set_account(asset.address, changed)
            await program.refused(sent, error)
    await program.chain.set_account(asset.address, info)
    await program.accepted(sent)


async def test_unknown_instructions_are_refused_by_name(program: DeployedProgram, asset: Asset) -> None:
    [instruction] = (await asset.mint_call(1)).instructions
    data = bytes(instruction.data)
    operator = program.keys.operator.keypair
    for changed, error in (
        (b"", ErrorCode.InstructionMissing),
        (data[:7], ErrorCode.InstructionMissing),
        (bytes(8), ErrorCode.InstructionFallbackNotFound),
        (data[:8], ErrorCode.InstructionDidNotDeserialize),
    ):
        sent = call(type(instruction)(instruction.program_id, changed, instruction.accounts), operator)
        await program.refused(sent, error)
    await asset.attest(100)
    await program.accepted(await asset.mint_call(1))
