"""pytest in children of one process that has imported what others wrote: each run starts at a fraction of the cost.

The process is this file as a script. It imports nothing of the repository, so a child imports all of that from the
folder it is given. A request and its answer are a line of JSON each.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

#: What most tests import in the end.
_PRELOADED = (
    "pytest",
    "aiohttp.web",
    "aiosqlite",
    "alembic.command",
    "anchorpy",
    "hypothesis.stateful",
    "prometheus_client",
    "pydantic_settings",
    "solders.litesvm",
    "sqlalchemy.ext.asyncio",
    "stamina",
    "structlog",
    "typer.testing",
)
#: The plugins that the tests need.
_PLUGINS = ("pytest_asyncio.plugin", "_hypothesis_pytestplugin", "pytest_timeout", "xdist.plugin")

#: Exit code of a child in which pytest itself failed; pytest's own end at 5.
_BROKEN = 70


class WarmPytest(AbstractContextManager["WarmPytest"]):
    """The process, used by one thread at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            (sys.executable, "-P", __file__), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process; what it runs ends too."""
        self._process.communicate()

    def run(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], timeout_secs: float
    ) -> subprocess.CompletedProcess[str]:
        """pytest with these arguments in `folder`. At a time-out it is ended with all that it started, and
        subprocess.TimeoutExpired raised."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = [list(arguments), str(folder), dict(environment), timeout_secs]
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process for pytest ended with {self._process.wait()}")
        code, output = json.loads(answer)
        if code is None:
            raise subprocess.TimeoutExpired(arguments, timeout_secs, output)
        return subprocess.CompletedProcess(arguments, code, output, "")


def _serve() -> None:
    for each in _PRELOADED:
        importlib.import_module(each)
    for line in sys.stdin:
        print(json.dumps(_run(*json.loads(line))), flush=True)


def _run(arguments: list[str], folder: str, environment: dict[str, str], timeout_secs: float) -> tuple[Any, str]:
    """Exit code (None: it took too long), and what it printed."""
    with tempfile.TemporaryFile() as output:
        ended, held = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(ended)
            _become_pytest(arguments, folder, environment, output.fileno())
        os.close(held)
        # The child holds the other end until it ends, and what it starts does not inherit it.
        in_time = bool(select.select([ended], [], [], timeout_secs)[0])
        os.close(ended)
        # It leads a group of its own: what it left behind goes with it.
        os.killpg(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        output.seek(0)
        said = output.read().decode(errors="replace")
    return (os.waitstatus_to_exitcode(status) if in_time else None), said


def _become_pytest(arguments: list[str], folder: str, environment: dict[str, str], output: int) -> None:
    code = None
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
        sys.path.insert(0, folder)
        plugins = [part for plugin in _PLUGINS for part in ("-p", plugin)]
        # anchorpy imports a plugin: its own assertions stay as they are.
        quiet = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
        code = int(importlib.import_module("pytest").main([*plugins, *quiet, *arguments]))
    finally:
        if code is None:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_BROKEN if code is None else code)


if __name__ == "__main__":
    _serve()
