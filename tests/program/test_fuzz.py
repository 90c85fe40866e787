"""Random instruction data and random account bytes: each instruction passes or refuses by name, and never breaks off.

Every instruction of the IDL is tried behind a scene in which it passes. Simulated on an embedded chain of its own,
whose clock stands still; a failing example prints the line that replays it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from solders.instruction import Instruction

from tests.program.role_keys import keys_of
from tests.program.role_rules import ELSEWHERE, RULES
from tests.support.cluster import TestCluster, cluster, initialization
from tests.support.deployed import Asset, AssetPool, DeployedProgram, deploy_program
from tests.support.edit import with_accounts, with_data
from tests.support.error_codes import ErrorCode
from tests.support.fixtures import session_fixture
from tests.support.live_chain import LAMPORTS_PER_SOL, LiveChain, address_of, call
from xstocks_daemon.chain.addresses import base58, parse_address
from xstocks_daemon.chain.program.idl import load_interface
from xstocks_daemon.chain.program.logs import invocations
from xstocks_daemon.chain.rpc import AccountInfo, Simulation
from xstocks_daemon.domain.units import Address

pytestmark = pytest.mark.xdist_group("fuzz")

INSTRUCTIONS = sorted(load_interface().accounts_of)
DISCRIMINATOR_BYTES = 8
MAX_DATA_BYTES = 700
"""So many bytes of data leave room in a transaction for the accounts of every instruction."""
VERSIONED_BYTES = DISCRIMINATOR_BYTES + 1
BUMP = slice(VERSIONED_BYTES, VERSIONED_BYTES + 1)
"""Where every account of the program keeps the bump that it signs with."""
EXTREMES = (0, 1, 2, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1)
FUZZ = settings(max_examples=settings().max_examples // 4)
"""For each instruction of each test."""


class Ending(Enum):
    """What is done to the end of some bytes."""

    AS_LONG = auto()
    CUT = auto()
    EXTENDED = auto()
    RANDOM = auto()


SYSVAR_OWNER = parse_address("Sysvar1111111111111111111111111111111111111")


@dataclass(frozen=True, slots=True)
class Mutation:
    """Changes of any bytes: some of them, some words, their end. Places wrap around."""

    flips: tuple[tuple[int, int], ...]
    words: tuple[tuple[int, int], ...]
    ending: Ending
    at: int
    tail: bytes

    def applied(self, good: bytes, *, keep: int) -> bytes:
        """The changed bytes; the first `keep` stay."""
        changed = bytearray(good[keep:])
        for at, flip in self.flips if changed else ():
            changed[at % len(changed)] ^= flip
        for at, word in self.words if len(changed) >= U64_BYTES else ():
            start = at % (len(changed) // U64_BYTES) * U64_BYTES
            changed[start : start + U64_BYTES] = word.to_bytes(U64_BYTES, "little")
        match self.ending:
            case Ending.CUT:
                changed = changed[: self.at % (len(changed) + 1)]
            case Ending.EXTENDED:
                changed += self.tail
            case Ending.RANDOM:
                changed = bytearray(self.tail)
        return good[:keep] + bytes(changed)


U64_BYTES = 8
_PLACES = st.integers(0, 2**16 - 1)
MUTATIONS = st.builds(
    Mutation,
    flips=st.lists(st.tuples(_PLACES, st.integers(1, 255)), max_size=8).map(tuple),
    words=st.lists(st.tuples(_PLACES, st.sampled_from(EXTREMES)), max_size=4).map(tuple),
    ending=st.sampled_from([Ending.AS_LONG, *Ending]),
    at=_PLACES,
    tail=st.binary(max_size=400),
)


# ---- scenes ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scene:
    """Instructions that pass as they are; the last one is the fuzzed one. `accounts` are those of it that have data."""

    chain: LiveChain
    program_id: Address
    instructions: tuple[Instruction, ...]
    accounts: Mapping[Address, AccountInfo]

    @property
    def fuzzed(self) -> Instruction:
        """The instruction whose data and accounts are changed."""
        return self.instructions[-1]

    def with_last(self, instruction: Instruction) -> tuple[Instruction, ...]:
        """The instructions with another one in the fuzzed one's place."""
        return (*self.instructions[:-1], instruction)

    async def tried(self, *instructions: Instruction) -> list[Simulation]:
        """What each of these would do in the fuzzed one's place."""
        return await self.chain.simulate_unsigned(self.with_last(each) for each in instructions)

    def assert_ended_well(self, simulation: Simulation) -> None:
        """It passed, or a program refused it; where this one did, by a published number and name."""
        if simulation.err is None:
            return
        failed = [run for run in invocations(simulation.logs) if run.failure is not None]
        assert failed, f"{simulation.err}: {simulation.logs}"
        deepest = max(failed, key=lambda run: run.depth)
        if deepest.program == base58(self.program_id):
            number = refusal_number(simulation.err)
            assert number in set(ErrorCode), f"{simulation.err}: {simulation.logs}"
            said = f"Error Code: {ErrorCode(number).name}. Error Number: {number}."
            assert any(said in line for line in simulation.logs), simulation.logs


class Scenes:
    """A scene per instruction. No dataclass: Hypothesis would show all its bytes with every failing example."""

    def __init__(self, by_name: Mapping[str, Scene]) -> None:
        self.by_name = by_name

    def __getitem__(self, name: str) -> Scene:
        return self.by_name[name]


def refusal_number(err: Any) -> int | None:
    """The number of a Custom error of an instruction; None for what the runtime itself says."""
    match err:
        case {"InstructionError": [_, {"Custom": int(number)}]}:
            return number
    return None


@session_fixture
async def own_cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestCluster]:
    """A chain whose accounts may be overwritten."""
    spare = 1 + sum(rule.own_program for rule in RULES.values())
    async with cluster("embedded", tmp_path_factory.mktemp("fuzz"), spare=spare) as started:
        yield started


@session_fixture
async def scenes(own_cluster: TestCluster) -> Scenes:
    """A scene for every instruction."""
    chain = own_cluster.chain
    program = await deploy_program(chain, own_cluster.keys, own_cluster.client)
    pool = AssetPool(program, batch=len(INSTRUCTIONS) + 1)
    made = {}
    for name, rule in RULES.items():
        own = await own_cluster.deploy() if rule.own_program else program
        made[name] = await scene_by_rule(own, await pool.take(), name)
    relayed = program.relay(await program.statement({await pool.take(): 10_000}))
    made["submit_attestation"] = await scene(chain, program.client.program_id, relayed.instructions)
    blank = own_cluster.blank()
    made["initialize"] = await scene(chain, blank.program_id, (await initialization(own_cluster, blank),))
    return Scenes(made)


async def scene_by_rule(program: DeployedProgram, asset: Asset, name: str) -> Scene:
    build = await RULES[name].prepare(program, asset)
    signer = keys_of(program)[RULES[name].allowed[-1]]
    await program.chain.fund(address_of(signer))
    return await scene(program.chain, program.client.program_id, (build(address_of(signer)),))


async def scene(chain: LiveChain, program_id: Address, instructions: Sequence[Instruction]) -> Scene:
    found = await chain.accounts(call(instructions[-1]).addresses)
    accounts = {
        address: info
        for address, info in found.items()
        # A sysvar is what the runtime says: test_substitution.py passes another account for it.
        if info and info.data and not info.executable and info.owner != SYSVAR_OWNER
    }
    return Scene(chain, program_id, tuple(instructions), accounts)


def test_every_instruction_is_fuzzed() -> None:
    assert set(RULES) | ELSEWHERE == set(INSTRUCTIONS)
    assert {"initialize", "submit_attestation"} == ELSEWHERE


# ---- instruction data ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", INSTRUCTIONS)
async def test_data_that_ends_early_or_late_is_refused_by_name(scenes: Scenes, name: str) -> None:
    scene = scenes[name]
    good = bytes(scene.fuzzed.data)
    early = await scene.tried(*(with_data(scene.fuzzed, good[:length]) for length in range(len(good))))
    assert len(early) == len(good)
    for length, simulation in enumerate(early):
        error = ErrorCode.InstructionMissing if length < DISCRIMINATOR_BYTES else ErrorCode.InstructionDidNotDeserialize
        assert refusal_number(simulation.err) == error, f"{length} of {len(good)} bytes: {simulation.err}"
    surpluses = (b"\0", b"\xff", bytes(8), bytes(32))
    *late, whole = await scene.tried(*(with_data(scene.fuzzed, good + each) for each in surpluses), scene.fuzzed)
    assert [refusal_number(each.err) for each in late] == [ErrorCode.InstructionDidNotDeserialize] * len(surpluses)
    assert whole.err is None


@FUZZ
@given(data=st.binary(max_size=64))
async def test_data_behind_no_discriminator_is_refused_by_name(scenes: Scenes, data: bytes) -> None:
    known = {bytes(scene.fuzzed.data[:DISCRIMINATOR_BYTES]) for scene in scenes.by_name.values()}
    if data[:DISCRIMINATOR_BYTES] in known:
        return
    scene = scenes["mint"]
    short = len(data) < DISCRIMINATOR_BYTES
    [simulation] = await scene.tried(with_data(scene.fuzzed, data))
    expected = ErrorCode.InstructionMissing if short else ErrorCode.InstructionFallbackNotFound
    assert refusal_number(simulation.err) == expected, simulation.err


@pytest.mark.parametrize("name", INSTRUCTIONS)
@FUZZ
@given(data=st.binary(max_size=MAX_DATA_BYTES))
async def test_random_data_ends_in_a_name(scenes: Scenes, name: str, data: bytes) -> None:
    scene = scenes[name]
    [simulation] = await scene.tried(with_data(scene.fuzzed, bytes(scene.fuzzed.data[:DISCRIMINATOR_BYTES]) + data))
    scene.assert_ended_well(simulation)


@pytest.mark.parametrize("name", INSTRUCTIONS)
@FUZZ
@given(mutation=MUTATIONS)
async def test_changed_data_ends_in_a_name(scenes: Scenes, name: str, mutation: Mutation) -> None:
    scene = scenes[name]
    changed = mutation.applied(bytes(scene.fuzzed.data), keep=DISCRIMINATOR_BYTES)
    [simulation] = await scene.tried(with_data(scene.fuzzed, changed[:MAX_DATA_BYTES]))
    scene.assert_ended_well(simulation)


# ---- accounts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", INSTRUCTIONS)
@FUZZ
@given(places=st.lists(st.integers(0, 255), max_size=12))
async def test_accounts_in_any_order_and_number_end_in_a_name(scenes: Scenes, name: str, places: list[int]) -> None:
    """Left out, out of place, or the same one several times."""
    scene = scenes[name]
    metas = scene.fuzzed.accounts
    [simulation] = await scene.tried(with_accounts(scene.fuzzed, [metas[place % len(metas)] for place in places]))
    scene.assert_ended_well(simulation)


@pytest.mark.parametrize("name", [name for name in INSTRUCTIONS if name != "initialize"])
@FUZZ
@given(which=st.integers(0, 255), all_of_it=st.booleans(), mutation=MUTATIONS)
async def test_changed_account_bytes_end_in_a_name(
    scenes: Scenes, name: str, which: int, all_of_it: bool, mutation: Mutation
) -> None:
    """Every account that the instruction takes and that has data: the program's own, mints, token accounts. Half of the
    time the discriminator and the version of an own account stay: where they differ it is refused at once. (initialize
    reads only the program itself; test_initialize.py forges that.)"""
    scene = scenes[name]
    address = sorted(scene.accounts)[which % len(scene.accounts)]
    info = scene.accounts[address]
    keep = VERSIONED_BYTES if info.owner == scene.program_id and not all_of_it else 0
    note(f"account {base58(address)} of {base58(info.owner)}")
    data = bytearray(mutation.applied(info.data, keep=keep))
    # The bump stays and the account is rent exempt however long it gets: else the runtime itself ends the transaction.
    data[BUMP] = info.data[BUMP][: len(data[BUMP])]
    changed = replace(info, data=bytes(data), lamports=10 * LAMPORTS_PER_SOL)
    scene.assert_ended_well(await scene.chain.simulate_with(address, info, changed, scene.instructions))
