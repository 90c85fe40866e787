"""Fixtures: both chains, the program deployed on them, and a fresh asset for every test.

A test that stands on `cluster` runs on the embedded chain, and on solana-test-validator where
tests/support/on_validator.py names it; one that turns the clock or edits accounts is marked `embedded_only`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest

from tests.program.recovery_case import case as case  # a fixture of the recovery tests
from tests.support.cluster import TestCluster
from tests.support.cluster import cluster as start_cluster
from tests.support.deployed import Asset, AssetPool, DeployedProgram, deploy_program
from tests.support.fixtures import session_fixture, single_fixture
from tests.support.live_chain import LiveChain
from tests.support.multisig import MULTISIG, MULTISIG_SO
from tests.support.on_validator import chain_params, shown_instructions
from tests.support.outcomes import OUTCOMES
from xstocks_daemon.chain.program import ProgramClient

HERE = Path(__file__).parent
SPARE_PROGRAMS = 128


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The chain outlives a test, so its HTTP session and with it the event loop must too.
    for item in items:
        if item.path.is_relative_to(HERE) and item.get_closest_marker("asyncio") is not None:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """What the list of tests for a validator says that this one shows, it has shown; on every chain."""
    OUTCOMES.begin()
    result = yield
    missing = [name for name in shown_instructions(pyfuncitem.nodeid) if not OUTCOMES.shows_both(name)]
    assert missing == [], "not accepted and refused, although tests/support/on_validator.py says so"
    return result


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "cluster" in metafunc.fixturenames:
        metafunc.parametrize("cluster", chain_params(metafunc), indirect=True, scope="session")


@session_fixture
async def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[TestCluster]:
    """A chain with the program at many addresses, and with the tests' multisig."""
    kind, also = request.param, {MULTISIG: MULTISIG_SO}
    async with start_cluster(kind, tmp_path_factory.mktemp(kind), spare=SPARE_PROGRAMS, also=also) as started:
        yield started


@session_fixture
async def chain(cluster: TestCluster) -> LiveChain:
    """The chain itself."""
    return cluster.chain


@session_fixture
async def program(cluster: TestCluster) -> DeployedProgram:
    """The program at its published address, not sealed. Shared: change nothing of its Config or custodians."""
    return await deploy_program(cluster.chain, cluster.keys, cluster.client)


@session_fixture
async def pool(program: DeployedProgram) -> AssetPool:
    """Assets of the shared program."""
    return AssetPool(program)


@single_fixture
async def asset(pool: AssetPool) -> Asset:
    """A fresh asset of the shared program, attached to both custodians, without a statement."""
    return await pool.take()


@session_fixture
async def blank(cluster: TestCluster) -> ProgramClient:
    """The program where nobody initialises it: for attempts that are refused."""
    return cluster.blank()


@session_fixture
async def foreign_program(cluster: TestCluster) -> DeployedProgram:
    """Another deployment with the same keys, whose accounts are worth nothing in the shared one. Change nothing."""
    return await cluster.deploy()


@single_fixture
async def own_program(cluster: TestCluster) -> DeployedProgram:
    """A deployment that belongs to this test alone, not sealed."""
    return await cluster.deploy()
