"""Starts a chain with the program loaded at several addresses: on one chain an address has one Config for ever."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from solders.instruction import Instruction
from solders.keypair import Keypair

from localnet.harness.chains import ChainKind, UpgradeableProgram, chain_process, validator_path
from localnet.harness.deploy import Keys, generate_keys
from localnet.harness.paths import PROGRAM_SO
from tests.support.deployed import DeployedProgram, deploy_program
from tests.support.live_chain import LAMPORTS_PER_SOL, LiveChain, address_of, live_chain
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.program import ProgramClient
from xstocks_daemon.domain.units import Address

PROGRAM_SO_ENV = "XSTOCKS_PROGRAM_SO"
#: A validator that makes slots 16 times as quick as mainnet's: confirmations do not dominate the tests.
_VALIDATOR_SLOT_MS = 25


def program_so() -> Path:
    """The program under test: the file that the environment's XSTOCKS_PROGRAM_SO names, else the checked-in one."""
    return Path(os.environ.get(PROGRAM_SO_ENV) or PROGRAM_SO)


def chain_kinds(*, embedded_only: bool) -> list[ChainKind]:
    """The chains that a test runs on here: the embedded one, and the validator where there is one."""
    return ["embedded"] if embedded_only or validator_path() is None else ["embedded", "validator"]


@dataclass(frozen=True, slots=True)
class TestCluster:
    """A chain, the keys of its deployments, and the addresses that the program is loaded at."""

    __test__: ClassVar[bool] = False
    """For pytest, which would take its name for that of a test."""

    chain: LiveChain
    keys: Keys
    client: ProgramClient
    spare: list[ProgramClient]

    def blank(self) -> ProgramClient:
        """The program at an address where nobody has initialised it. AssertionError where all are used up."""
        assert self.spare, "more deployments than spare addresses: raise `spare` in tests/program/conftest.py"
        return self.spare.pop()

    async def deploy(self, *, seal: bool = False) -> DeployedProgram:
        """A fresh deployment at an address of its own."""
        return await deploy_program(self.chain, self.keys, self.blank(), seal=seal)


@asynccontextmanager
async def cluster(
    kind: ChainKind,
    folder: Path,
    *,
    spare: int = 0,
    keys: Keys | None = None,
    also: Mapping[Address, Path] | None = None,
) -> AsyncIterator[TestCluster]:
    """A chain of that kind for as long as the context lasts; the embedded one with slots made by hand.

    `keys` None: fresh ones. `also` are other programs by address. Raises ChainStartError where the
    chain does not start.
    """
    keys = keys or generate_keys(folder / "keys")
    clients = [ProgramClient(), *(ProgramClient(address_of(Keypair())) for _ in range(spare))]
    authority = base58(keys.upgrade_authority.address)
    files = {**{each.program_id: program_so() for each in clients}, **(also or {})}
    async with (
        chain_process(
            kind,
            programs=[UpgradeableProgram(base58(address), path, authority) for address, path in files.items()],
            slot_ms=_VALIDATOR_SLOT_MS,
            finalized_lag=1,
            manual_slots=kind == "embedded",
            work_dir=folder / "chain",
        ) as process,
        live_chain(process) as chain,
    ):
        await chain.open_faucet(100_000 * LAMPORTS_PER_SOL)
        payers = (keys.upgrade_authority, keys.admin, keys.compliance)
        await chain.fund(*(key.address for key in payers), lamports=1_000 * LAMPORTS_PER_SOL)
        yield TestCluster(chain, keys, clients[0], clients[1:])


async def initialization(cluster: TestCluster, client: ProgramClient, **changes: Any) -> Instruction:
    """initialize by the upgrade authority, with every role its own key."""
    keys = cluster.keys
    values: dict[str, Any] = {
        "authority": keys.upgrade_authority.address,
        "admin": keys.admin.address,
        "operator": keys.operator.address,
        "registrar": keys.registrar.address,
        "guardian": keys.guardian.address,
        "resumer": keys.resumer.address,
        "compliance": keys.compliance.address,
        "corporate_actions": keys.corporate_actions.address,
        "genesis_hash": await cluster.chain.rpc.genesis_hash(),
        "max_skew_secs": 2,
        "min_timelock_secs": 1,
    }
    return client.initialize(**{**values, **changes})
