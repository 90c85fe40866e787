"""Layouts change an account at a time (design, section 4.2): tried with a version 2 of the Asset, in a test program."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM_PROGRAM

from localnet.harness.paths import ROOT
from tests.support.cluster import TestCluster, cluster
from tests.support.deployed import Asset, DeployedProgram, supply_call
from tests.support.edit import patched
from tests.support.error_codes import ErrorCode
from tests.support.fixtures import session_fixture
from tests.support.live_chain import Call, address_of, call
from xstocks_daemon.chain.addresses import pubkey
from xstocks_daemon.chain.errors import MalformedAccount
from xstocks_daemon.chain.program.accounts import LAYOUT_VERSION, AccountDecoder
from xstocks_daemon.chain.program.idl import discriminator
from xstocks_daemon.domain.intent import IntentKind
from xstocks_daemon.domain.units import Address

pytestmark = pytest.mark.embedded_only

NEXT_SO = ROOT / "programs" / "testing" / "next_layout" / "deploy" / "next_layout.so"
"""xstocks_mint with the feature `next_layout`."""
NEXT = address_of(Keypair())
"""Where the chain of these tests has it too."""
LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")
VERSION_AT = 8
TAIL_BYTES = 64
"""What version 2 appends: when it was migrated (i64), zeros."""
FEES_LAMPORTS = 10_000


@session_fixture
async def upgradeable(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestCluster]:
    """A chain with the next program beside this one."""
    async with cluster("embedded", tmp_path_factory.mktemp("next"), spare=2, also={NEXT: NEXT_SO}) as started:
        yield started


async def becomes(program: DeployedProgram, other: Address) -> None:
    """The program at its address is that of another one, as after an upgrade; its accounts stay what they are."""
    address = program.client.program_id
    pointer = await program.chain.account(address)
    code_address = bytes(Pubkey.find_program_address([other], LOADER)[0])
    await program.chain.set_account(address, replace(pointer, data=pointer.data[:4] + code_address))


def migrating(asset: Asset, payer: Keypair) -> Call:
    """migrate, by whoever pays."""
    metas = [
        AccountMeta(payer.pubkey(), is_signer=True, is_writable=True),
        AccountMeta(pubkey(asset.address), is_signer=False, is_writable=True),
        AccountMeta(SYSTEM_PROGRAM, is_signer=False, is_writable=False),
    ]
    program_id = pubkey(asset.program.client.program_id)
    return call(Instruction(program_id, discriminator("global", "migrate"), metas), payer)


@contextmanager
def reading_both() -> Iterator[None]:
    """A reader that knows both versions: it takes from the second what the first has."""
    parse = AccountDecoder._parse

    def both(self: AccountDecoder, name: str, address: Any, data: bytes, owner: Any) -> Any:
        if name == "Asset" and data[VERSION_AT] == LAYOUT_VERSION + 1:
            data = patched(data[:-TAIL_BYTES], VERSION_AT, bytes([LAYOUT_VERSION]))
        return parse(self, name, address, data, owner)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AccountDecoder, "_parse", both)
        yield


async def minted(program: DeployedProgram, *assets: Asset) -> None:
    """One instruction mints 10 of each."""
    before = [await asset.supply_raw() for asset in assets]
    await program.accepted(await supply_call(program, IntentKind.MINT, [(asset, 10) for asset in assets]))
    assert [await asset.supply_raw() for asset in assets] == [supply_raw + 10 for supply_raw in before]


async def test_an_asset_is_migrated_once_and_exactly_and_both_versions_work(upgradeable: TestCluster) -> None:
    program = await upgradeable.deploy()
    chain, stranger = program.chain, Keypair()
    await chain.fund(address_of(stranger))
    first, second = await program.register(2)
    for asset in (first, second):
        await asset.attest(1_000)
    await minted(program, first, second)

    by = program.client.program_id
    await chain.refused(migrating(first, stranger), ErrorCode.InstructionFallbackNotFound, by=by)

    # The next program reads what the old one wrote.
    await becomes(program, NEXT)
    await minted(program, first, second)
    old = await chain.account(first.address)
    shared = [program.addresses.config, first.mint, first.vault, second.address]
    others = await chain.accounts(shared)
    paid_before = await chain.rpc.balance_lamports(address_of(stranger))
    began_ts = await chain.clock_ts()
    await chain.accepted(migrating(first, stranger))
    new = await chain.account(first.address)
    migrated_ts = int.from_bytes(new.data[-TAIL_BYTES:][:8], "little")
    assert began_ts <= migrated_ts <= await chain.clock_ts()
    tail = migrated_ts.to_bytes(8, "little") + bytes(TAIL_BYTES - 8)
    assert new.data == patched(old.data, VERSION_AT, b"\2") + tail
    assert (new.owner, new.lamports) == (old.owner, await chain.rpc.rent_exempt_lamports(len(new.data)))
    assert await chain.accounts(shared) == others
    paid = paid_before - await chain.rpc.balance_lamports(address_of(stranger))
    assert 0 <= paid - (new.lamports - old.lamports) <= FEES_LAMPORTS

    # Refused twice; the other asset passes.
    await chain.refused(migrating(first, stranger), ErrorCode.AlreadyInitialized, by=by)
    # Readers of the first version say so by its name, whatever its size.
    with pytest.raises(MalformedAccount, match="version 2, this daemon reads 1"):
        await first.read()

    # One of each version in one instruction; statements, burns; what migrate added stays as it was.
    with reading_both():
        await minted(program, first, second)
        await first.attest(900)
        await program.accepted(await first.burn_call(10))
        await program.refused(await first.mint_call(2_000), ErrorCode.CeilingExceeded)
        await chain.accepted(migrating(second, stranger))
        await minted(program, second, first)
        state = await first.read()
        assert (state.minted_raw, state.burnt_raw, await first.supply_raw()) == (40, 10, 30)
    assert (await chain.account(first.address)).data[-TAIL_BYTES:] == tail

    # Back to the old program: it refuses the new version by name, and serves what it knows.
    await becomes(program, program.client.program_id)
    with reading_both():
        back = await first.mint_call(1)
    await program.refused(back, ErrorCode.UnsupportedVersion)
    await chain.set_account(first.address, replace(new, data=old.data))
    await minted(program, first)


async def test_unknown_versions_and_other_accounts_are_not_migrated(upgradeable: TestCluster) -> None:
    program = await upgradeable.deploy()
    chain, stranger, by = program.chain, Keypair(), program.client.program_id
    await chain.fund(address_of(stranger))
    [asset] = await program.register(1)
    await asset.attest(1_000)
    minting = await asset.mint_call(1)
    await becomes(program, NEXT)
    good = await chain.account(asset.address)
    size = len(good.data)
    unknown = (
        patched(good.data, VERSION_AT, b"\0"),
        patched(good.data, VERSION_AT, b"\2"),  # of version 2, and without its tail
        patched(good.data, VERSION_AT, b"\3") + bytes(TAIL_BYTES),
        patched(good.data, VERSION_AT, b"\3") + bytes(2 * TAIL_BYTES),
    )
    cases = {
        ErrorCode.UnsupportedVersion: unknown,
        ErrorCode.AccountDidNotDeserialize: (good.data + bytes(TAIL_BYTES), good.data[:-1]),
        ErrorCode.AccountDiscriminatorMismatch: (patched(good.data, 0, bytes(8)), bytes(size + TAIL_BYTES)),
    }
    for error, variants in cases.items():
        for data in variants:
            await chain.set_account(asset.address, replace(good, data=data, lamports=10**8))
            await chain.refused(migrating(asset, stranger), error, by=by)
            await chain.refused(minting, error, by=by)
    await chain.set_account(asset.address, good)
    await chain.accepted(migrating(asset, stranger))
    await program.accepted(minting)
