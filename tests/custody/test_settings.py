"""A sidecar's settings: each mistake is one line with the field, the value and the remedy."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from tests.custody.builders import CUSTODIAN_KEY, GENESIS, PROGRAM, make_settings, mint_of
from tests.custody.fakes import FakeChain
from xstocks_daemon.aio import stop_on_signals
from xstocks_daemon.attester import load_attester_settings, run_attester
from xstocks_daemon.attester.run import serve_attester
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.errors import UserError

GOOD = f"""
key_file = "key.json"
listen = "127.0.0.1:0"
program_id = "{base58(PROGRAM)}"
genesis_hash = "{base58(GENESIS)}"
rpc_urls = ["http://127.0.0.1:9/secret-token"]
token_files = ["token"]
store_file = "signed.sqlite3"
lifetime_secs = 60
max_skew_ms = 2000

[[custodians]]
id = 1
books_file = "books.json"

[[custodians.peers]]
url = "http://127.0.0.1:8802"
token_file = "token"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_settings(tmp_path / "sidecar", CUSTODIAN_KEY, [(mint_of(1), 5_000)])
    (tmp_path / "sidecar" / "attester.toml").write_text(GOOD)
    return tmp_path / "sidecar"


def test_paths_start_at_the_settings_folder(folder: Path) -> None:
    settings = load_attester_settings(folder / "attester.toml")
    assert settings.key_file == folder / "key.json"
    assert settings.custodians[0].peers[0].token_file == folder / "token"
    assert (settings.listen_host, settings.listen_port, settings.lifetime_secs) == ("127.0.0.1", 0, 60)
    assert "secret-token" not in repr(settings)


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


WRONG = [
    (replaced("listen =", "lisden ="), "listen"),
    (replaced("lifetime_secs", "life_time_secs"), "life_time_secs"),
    (replaced('"127.0.0.1:0"', '"127.0.0.1"'), "listen"),
    (replaced('"127.0.0.1:0"', '"127.0.0.1:70000"'), "listen"),
    (replaced(f'"{base58(PROGRAM)}"', '"nothing"'), "program_id"),
    (replaced("= 60", '= "60"'), "lifetime_secs"),
    (replaced("= 60", "= 0"), "lifetime_secs"),
    (replaced("= 60", "= 60.0"), "lifetime_secs"),
    (replaced("id = 1", "id = 65536"), "custodians.0.id"),
    (replaced("id = 1", f'id = 1\naddress = "{base58(GENESIS)}"'), "custodians.address"),
    (replaced("http://127.0.0.1:8802", "ftp://x"), "custodians.0.peers.0.url"),
    (replaced('["token"]', "[]"), "token_files"),
    (replaced('["token"]', '["absent"]'), "token_files"),
    (replaced('"key.json"', '"absent"'), "key_file"),
    (replaced('"key.json"', '"token"'), "key_file"),
    (replaced('"books.json"', '"absent"'), "books_file"),
    (replaced('"signed.sqlite3"', '"token"'), "store_file"),
    (replaced("[[custodians]]", "[[custodians"), "settings file"),
    (replaced("[[custodians]]", '[[custodians]]\nid = 1\nbooks_file = "b"\n[[custodians]]'), "custodians.id"),
]


@pytest.mark.parametrize(("change", "field"), WRONG)
async def test_a_mistake_is_named_by_its_field(folder: Path, change: Callable[[str], str], field: str) -> None:
    (folder / "attester.toml").write_text(change(GOOD))
    with pytest.raises(UserError) as refused:
        async with serve_attester(load_attester_settings(folder / "attester.toml"), FakeChain()):
            pass
    assert refused.value.field == field
    assert "\n" not in str(refused.value)
    assert "secret-token" not in str(refused.value)


async def test_the_right_settings_serve(folder: Path) -> None:
    async with serve_attester(load_attester_settings(folder / "attester.toml"), FakeChain()) as running:
        assert running.url.startswith("http://127.0.0.1:")


async def test_an_endpoint_that_does_not_answer_is_named_without_its_token(folder: Path) -> None:
    (folder / "attester.toml").write_text(GOOD)
    with pytest.raises(UserError) as refused:
        await run_attester(load_attester_settings(folder / "attester.toml"), asyncio.Event())
    assert refused.value.field == "rpc_urls"
    assert "secret-token" not in str(refused.value)


async def rpc_of(genesis: str) -> web.AppRunner:
    async def answer(request: web.Request) -> web.Response:
        asked = await request.json()
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "result": genesis})

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


async def test_an_endpoint_of_another_cluster_is_refused(folder: Path) -> None:
    runner = await rpc_of(base58(PROGRAM))
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        (folder / "attester.toml").write_text(replaced("http://127.0.0.1:9/secret-token", url)(GOOD))
        with pytest.raises(UserError) as refused:
            await run_attester(load_attester_settings(folder / "attester.toml"), asyncio.Event())
        assert refused.value.field == "genesis_hash"
    finally:
        await runner.cleanup()


async def test_a_stopped_sidecar_returns(folder: Path) -> None:
    runner = await rpc_of(base58(GENESIS))
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        (folder / "attester.toml").write_text(replaced("http://127.0.0.1:9/secret-token", url)(GOOD))
        stop = asyncio.Event()
        stop.set()
        await run_attester(load_attester_settings(folder / "attester.toml"), stop)
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops(number: signal.Signals) -> None:
    stopped = stop_on_signals()
    try:
        os.kill(os.getpid(), number)
        async with asyncio.timeout(10):
            await stopped.wait()
    finally:
        for one in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().remove_signal_handler(one)
