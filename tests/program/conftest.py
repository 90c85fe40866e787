"""Fixtures: both chains, the program deployed on them, and a fresh asset for every test.

A test that stands on `laboratory` runs on the embedded chain and on solana-test-validator; one that turns the clock
or edits accounts is marked `embedded_only`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.deployed import Asset, AssetPool, Deployed, deploy_program
from tests.support.fixtures import session_fixture, single_fixture
from tests.support.live_chain import LiveChain
from tests.support.start import Laboratory, chain_kinds
from tests.support.start import laboratory as start_laboratory
from xstocks_daemon.chain.program import ProgramClient

HERE = Path(__file__).parent
SPARE_PROGRAMS = 80


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "embedded_only: turns the clock or edits accounts, which no validator lets us")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The chain outlives a test, so its HTTP session and with it the event loop must too.
    for item in items:
        if item.path.is_relative_to(HERE) and item.get_closest_marker("asyncio") is not None:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "laboratory" in metafunc.fixturenames:
        embedded_only = any(mark.name == "embedded_only" for mark in metafunc.definition.iter_markers())
        # Where there is no validator, test_chains.py says so once instead of every test.
        kinds = chain_kinds(embedded_only=embedded_only)
        metafunc.parametrize("laboratory", kinds, indirect=True, scope="session")


@session_fixture
async def laboratory(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Laboratory]:
    """A chain with the program at many addresses."""
    kind = request.param
    async with start_laboratory(kind, tmp_path_factory.mktemp(kind), spare=SPARE_PROGRAMS) as started:
        yield started


@session_fixture
async def chain(laboratory: Laboratory) -> LiveChain:
    """The chain itself."""
    return laboratory.chain


@session_fixture
async def program(laboratory: Laboratory) -> Deployed:
    """The program at its published address, not sealed. Shared: change nothing of its Config or custodians."""
    return await deploy_program(laboratory.chain, laboratory.keys, laboratory.client)


@session_fixture
async def pool(program: Deployed) -> AssetPool:
    """Assets of the shared program."""
    return AssetPool(program)


@single_fixture
async def asset(pool: AssetPool) -> Asset:
    """A fresh asset of the shared program, attached to both custodians, without a statement."""
    return await pool.take()


@session_fixture
async def blank(laboratory: Laboratory) -> ProgramClient:
    """The program where nobody initialises it: for attempts that are refused."""
    return laboratory.blank()


@session_fixture
async def foreign_program(laboratory: Laboratory) -> Deployed:
    """Another deployment with the same keys, whose accounts are worth nothing in the shared one. Change nothing."""
    return await laboratory.deploy()


@single_fixture
async def own_program(laboratory: Laboratory) -> Deployed:
    """A deployment that belongs to this test alone, not sealed."""
    return await laboratory.deploy()
