"""`xstocks program` and the names of mints: what hides or looks like another needs a word of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

import pytest
import pytest_asyncio

from tests.cli.desk import Desk
from tests.support.cluster import cluster
from tests.support.deployed import Asset, DeployedProgram, deploy_program
from tests.support.error_codes import ErrorCode
from tests.support.initialized import ROOMY
from tests.support.live_chain import call
from tests.support.mints import live_mint
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.domain.snapshot import AssetState

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.embedded_only]

REGISTERED = "TESTx"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DeployedProgram]:
    async with cluster("embedded", tmp_path_factory.mktemp("names")) as started:
        await started.chain.fund(started.keys.admin.address)
        yield await deploy_program(started.chain, started.keys, started.client)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def registered(shared: DeployedProgram) -> Asset:
    """An asset whose symbol is `REGISTERED`."""
    [asset] = await shared.register()
    return asset


@pytest.fixture
def desk(shared: DeployedProgram, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(shared, tmp_path, capsys)


def updating(asset: Asset, key: str, value: str) -> tuple[str, ...]:
    updates = json.dumps([{"key": key, "value": value}])
    return ("set-metadata", "--mint", base58(asset.mint), "--updates", updates)


async def refused(at: Desk, *command: str) -> str:
    """It must be refused before anything is sent, and gives the line."""
    sent = await at.sent_by(at.program.keys.admin.address)
    ran = await at.types(*command, keys=["admin"])
    assert (ran.code, ran.out) == (2, "")
    assert await at.sent_by(at.program.keys.admin.address) == sent
    return ran.err


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("name", "Apple\u202e xStock", "--updates: Apple? xStock: U+202E in it is not seen, or turns the text round; "),
        ("note", "a\u200bb", "--updates: a?b: U+200B in it is not seen, or turns the text round; "),
        ("no\u200bte", "ab", "--updates: no?te: U+200B in it is not seen, or turns the text round; "),
        (
            "symbol",
            "ТЕSТx",
            "--updates: ТЕSТx: a symbol of other than visible ASCII characters may look like another; ",
        ),
    ],
    ids=["a name turned round", "an invisible character in a value", "in a key", "Cyrillic letters in a symbol"],
)
async def test_what_hides_needs_a_word_of_its_own(
    registered: Asset, desk: Desk, key: str, value: str, line: str
) -> None:
    assert (await refused(desk, *updating(registered, key, value))).startswith(f"error: {line}")
    await desk.done(*updating(registered, key, value), "--any-name", keys=["admin"])
    await desk.done(*updating(registered, "name", "Test xStock"), keys=["admin"])
    await desk.done(*updating(registered, "symbol", REGISTERED), keys=["admin"])


async def test_a_look_alike_of_another_asset_needs_a_word_of_its_own(
    shared: DeployedProgram, registered: Asset, desk: Desk
) -> None:
    fresh = await shared.mint_to_register()
    await shared.chain.accepted(call(fresh.create, shared.keys.admin.keypair, fresh.key))
    register = (
        *("register-asset", "--mint", base58(fresh.mint), "--name", "Other xStock", "--uri", "", "--symbol"),
        *("TE5Tx", "--additional-metadata", "[]", "--policy", json.dumps(asdict(ROOMY))),
        *("--initial-mint-raw", "0", "--profile", "xstocks"),
    )
    line = f"error: --symbol: TE5Tx: looks like TESTx, the symbol of {base58(registered.mint)}; "
    assert (await refused(desk, *register)).startswith(line)
    await desk.done(*register, "--any-name", keys=["admin"])
    other = Asset(shared, fresh.mint, 0)
    # Its own symbol is none of another asset; the other's is, from both sides.
    assert (await refused(desk, *updating(other, "symbol", "TE5tX"))).startswith("error: --updates: TE5tX: looks like ")
    await desk.done(*updating(other, "symbol", "OTHERx"), keys=["admin"])
    await desk.done(*updating(registered, "symbol", REGISTERED.upper()), keys=["admin"])
    await desk.done(*updating(registered, "symbol", REGISTERED), keys=["admin"])


async def test_an_adopted_mint_is_looked_at_too(shared: DeployedProgram, registered: Asset, desk: Desk) -> None:
    live = await live_mint(shared)
    begin = ("begin-adopt", "--mint", base58(live.mint), "--profile", "xstocks")
    finish = ("finish-adopt", "--mint", base58(live.mint), "--policy", json.dumps(asdict(ROOMY)))
    line = f"error: --mint: TESTx: looks like TESTx, the symbol of {base58(registered.mint)}; "
    assert (await refused(desk, *begin)).startswith(line)
    await desk.done(*begin, "--any-name", keys=["admin"])
    await live.hand_over()
    assert (await refused(desk, *finish)).startswith(line)
    await desk.done(*finish, "--any-name", keys=["admin"])
    assert (await (await live.asset()).read()).state is AssetState.HALTED
    # Make room for its name: the others do not look like it any more.
    await desk.done(*updating(await live.asset(), "symbol", "LIVEx"), keys=["admin"])


async def test_what_no_wallet_shows_is_refused_by_the_program_whatever_is_said(registered: Asset, desk: Desk) -> None:
    for value, error in (("\x1b[2J", ErrorCode.MetadataControl), (" ", ErrorCode.MetadataBlank)):
        command = (*updating(registered, "symbol", value), "--any-name")
        await desk.refused(error, *command, keys=["admin"])
