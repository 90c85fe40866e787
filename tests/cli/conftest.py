"""Every command sets up logging for its process; a test must not leave that to the next."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.cli.fakes import Surroundings, write_settings
from xstocks_daemon.app import daemon
from xstocks_daemon.cli import approvals, orders, queries
from xstocks_daemon.cli import daemon as daemon_commands


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    handlers = logging.root.handlers[:]
    yield
    logging.root.handlers[:] = handlers
    structlog.reset_defaults()


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
