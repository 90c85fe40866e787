"""The whole room on real chains: tables, a statement, a batch of mints, and what became of each attempt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair

from localnet.harness.chains import ChainKind
from localnet.harness.wait import until
from tests.support.cluster import cluster
from tests.support.deployed import DeployedProgram, sign
from tests.support.initialized import OWN_CUSTODIAN
from tests.support.live_chain import LiveChain
from tests.support.on_validator import chain_params
from xstocks_daemon.chain.errors import ProgramError
from xstocks_daemon.chain.lookup_tables import LookupTableSet, ensure_lookup_tables
from xstocks_daemon.chain.reader import ChainReader
from xstocks_daemon.chain.resolver import MARGIN_BLOCKS, Dead, FailedOnChain, Landed, NonExecution, Resolver, Unknown
from xstocks_daemon.chain.rpc import RpcPool
from xstocks_daemon.chain.sender import (
    Seen,
    SignedAttempt,
    WindowPassed,
    broadcast,
    send_and_confirm,
    sign_attempt,
    simulate,
)
from xstocks_daemon.chain.transactions import Signers, budget_for, quorum_instruction
from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.snapshot import ceiling_raw
from xstocks_daemon.domain.units import Address

BATCH = 18
SHARES_NANO = 1_000_000
CAPACITY_RAW = SHARES_NANO // 10


def signer_of(keypair: Keypair) -> Signers:
    async def by(message: bytes) -> bytes:
        return bytes(keypair.sign_message(message))

    return {Address(bytes(keypair.pubkey())): by}


async def blocks_pass(chain: LiveChain, above: int) -> None:
    """Until the finalized block height is above `above`."""
    height = (await chain.rpc.epoch_info()).block_height
    if chain.embedded:
        await chain.advance_slots(max(0, above - height) + 2)

    async def passed() -> bool:
        return (await chain.rpc.epoch_info()).block_height > above

    await until(passed, f"finalized block height above {above}")


def intents_of(
    program: DeployedProgram, mints: Sequence[Address], sequence: int, amounts: Sequence[int]
) -> list[Intent]:
    return [
        Intent(IntentKind.MINT, mint, sequence, amount, program.addresses.vault(mint))
        for mint, amount in zip(mints, amounts, strict=True)
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", chain_params(metafunc), indirect=False, scope="function")


async def test_a_batch_lands_fails_or_dies_and_the_resolver_knows_which(kind: ChainKind, tmp_path: Path) -> None:
    async with cluster(kind, tmp_path, spare=1) as lab:
        program = await lab.deploy()
        chain, client = lab.chain, program.client
        genesis_hash = program.deployment.genesis_hash
        operator = program.keys.operator
        registered = await program.register(BATCH + 2)
        assets = sorted(registered, key=lambda asset: asset.mint)
        mints = [asset.mint for asset in assets]
        custodians = [program.custodian(name).address for name in program.deployment.custodians]
        await chain.fund(operator.address)
        # One node twice: that two must agree is shown with faulty nodes; here every step runs for both.
        async with RpcPool([chain.process.rpc_url] * 2) as pool, chain.ticking():
            own = signer_of(operator.keypair)

            async def send(instructions: Sequence[Instruction]) -> None:
                await send_and_confirm(pool, client, payer=operator.address, instructions=instructions, signers=own)

            async def tables_of(wanted: Sequence[Address]) -> LookupTableSet:
                return await ensure_lookup_tables(
                    pool.endpoints[0],
                    client,
                    wanted,
                    custodians=custodians,
                    authority=operator.address,
                    payer=operator.address,
                    send=send,
                )

            # Tables: made once, then found; one more asset goes where there is room.
            assert len((await tables_of(mints[:-1])).tables) == 1
            book = await tables_of(mints)
            assert len(book.tables) == 1
            assert set(book.table_of) == set(mints)
            lookup = [book.tables[0].account()]
            extended = book.tables[0].last_extended_slot
            await until(lambda: _above(pool, extended), f"slot above {extended}")

            # A statement of the whole batch, with its quorum, in one transaction.
            statement = await program.statement(dict.fromkeys(assets, SHARES_NANO))
            quorum = sign(statement.digest(), program.quorum(OWN_CUSTODIAN))
            await send_and_confirm(
                pool,
                client,
                payer=operator.address,
                instructions=[quorum_instruction(statement.digest(), quorum), client.submit_attestation(statement)],
                signers=own,
                tables=lookup,
                budget=budget_for("submit_attestation", len(assets)),
                commitment="finalized",
            )
            reader = ChainReader(pool, client)
            snapshot = await reader.snapshot(mints)
            assert snapshot.genesis_hash == genesis_hash
            for view in snapshot.assets.values():
                assert ceiling_raw(view, snapshot.custodians, snapshot.now_ts) == CAPACITY_RAW

            async def signed(intents: list[Intent]) -> SignedAttempt:
                instruction = client.mint(
                    operator=operator.address, custodians=custodians, intents=intents, genesis_hash=genesis_hash
                )
                return await sign_attempt(
                    pool,
                    payer=operator.address,
                    instructions=[instruction],
                    signers=own,
                    tables=lookup,
                    budget=budget_for("mint", len(intents)),
                    intents=intents,
                )

            # The validator's blocks take their time, and the margin's size is shown on the embedded chain.
            margin_blocks = MARGIN_BLOCKS if chain.embedded else 1
            resolver = Resolver(pool, client, genesis_hash, margin_blocks=margin_blocks)
            batch = mints[:BATCH]

            # Signed, not sent: unknown, whatever it will become.
            attempt = await signed(intents_of(program, batch, 0, [CAPACITY_RAW - 10] * BATCH))
            resolution = await resolver.resolve(attempt)
            assert isinstance(resolution, Unknown)
            assert "may still execute" in resolution.reason
            # Sent: landed.
            seen = await broadcast(pool, attempt)
            assert isinstance(seen, Seen)
            assert seen.err is None
            assert await resolver.resolve(attempt) == Landed(seen.slot, "status")
            snapshot = await reader.snapshot(batch)
            for view in snapshot.assets.values():
                assert view.asset.sequence == 1
                assert view.mint.supply_raw == view.vault_raw == CAPACITY_RAW - 10

            # One entry above its ceiling: the simulation and the landed error both name it.
            amounts = [10] * BATCH
            amounts[5] = 11
            failing = intents_of(program, batch, 1, amounts)
            instruction = client.mint(
                operator=operator.address, custodians=custodians, intents=failing, genesis_hash=genesis_hash
            )
            with pytest.raises(ProgramError) as refused:
                await simulate(
                    pool,
                    client,
                    payer=operator.address,
                    instructions=[instruction],
                    tables=lookup,
                    budget=budget_for("mint", BATCH),
                )
            assert (refused.value.name, refused.value.entry_index) == ("CeilingExceeded", 5)
            attempt = await signed(failing)
            seen = await broadcast(pool, attempt)
            assert isinstance(seen, Seen)
            assert seen.err == {"InstructionError": [1, {"Custom": 6208}]}
            resolution = await resolver.resolve(attempt)
            assert isinstance(resolution, Dead)
            assert isinstance(resolution.proof, FailedOnChain)

            # Never sent: dead by proof once the window and the margin have passed, and not a block earlier.
            attempt = await signed(intents_of(program, batch, 1, [10] * BATCH))
            await blocks_pass(chain, attempt.last_valid_block_height)
            assert isinstance(await broadcast(pool, attempt), WindowPassed)
            if chain.embedded:
                assert isinstance(await resolver.resolve(attempt), Unknown)
            await blocks_pass(chain, attempt.last_valid_block_height + margin_blocks)
            resolution = await resolver.resolve(attempt)
            assert isinstance(resolution, Dead)
            assert isinstance(resolution.proof, NonExecution)
            assert len(resolution.proof.observations) == 2
            assert resolution.taken == ()
            # What it wanted can be done anew under the same number.
            again = await signed(list(attempt.intents))
            seen = await broadcast(pool, again)
            assert isinstance(seen, Seen)
            assert isinstance(await resolver.resolve(again), Landed)
            supplies = {view.mint.supply_raw for view in (await reader.snapshot(batch)).assets.values()}
            assert supplies == {CAPACITY_RAW}


async def _above(pool: RpcPool, slot: int) -> bool:
    return await pool.endpoints[0].slot("confirmed") > slot
