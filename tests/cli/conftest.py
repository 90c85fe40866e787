"""What commands find instead of a chain, and the keys and settings that they are given."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair

from tests.chain.cases import CLIENT
from tests.cli.fakes import Surroundings, write_settings
from tests.cli.program_options import (
    Read,
)
from xstocks_daemon.app import daemon
from xstocks_daemon.app.role_instructions import Request
from xstocks_daemon.app.settings import Settings
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.cli import approvals, orders, program, queries
from xstocks_daemon.cli import daemon as daemon_commands
from xstocks_daemon.cli.main import run
from xstocks_daemon.domain.units import Address
from xstocks_daemon.signing import KeyfileSigner


@pytest.fixture
def surroundings(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    """Commands that find what the test says instead of a chain."""
    for name in list(os.environ):
        if name.upper().startswith("XSTOCKS_"):
            monkeypatch.delenv(name)
    found = Surroundings(write_settings(tmp_path), capsys)
    for module in (daemon, queries, daemon_commands, orders, approvals):
        monkeypatch.setattr(module, "open_runtime", found.runtime)
    return found


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(list(bytes(Keypair()))))
    path.chmod(0o600)
    return path


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Settings of somebody who has no daemon: no journal, no key. Nothing listens at the endpoint."""
    path = tmp_path / "role.toml"
    path.write_text(
        f'program_id = "{base58(CLIENT.program_id)}"\n'
        "[cluster]\n"
        'rpc_urls = ["http://127.0.0.1:1"]\n'
        'genesis_hash = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"\n'
        "single_endpoint = true\n"
    )
    return path


@pytest.fixture
def read(settings: Path, key_file: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Runs a command line up to where the chain is needed; gives what was read."""
    found: list[Request] = []

    async def nothing(_: Settings, request: Request, signers: Mapping[Address, KeyfileSigner], **how: Any) -> None:
        found.append(request)

    monkeypatch.setattr(program, "_carry_out", nothing)

    def attempt(name: str, *options: str) -> Request:
        found.clear()
        assert run(["program", name, *options, "--config", str(settings), "--key", str(key_file)]) == 0
        return found[0]

    return attempt
