"""Node and the TypeScript clients of tests/embedded_chain/node, where they are there."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from localnet.harness.paths import RUNS_DIR

NODE_FOLDER = Path(__file__).resolve().parents[1] / "embedded_chain" / "node"
REQUIRE_NODE = "XSTOCKS_TEST_REQUIRE_NODE"
"""Set where Node must be there, as in CI: then its absence is a failure."""
_NODE_MAJOR = 20
_TIMEOUT_SECS = 300


async def run(*command: str, folder: Path = NODE_FOLDER) -> str:
    """Standard output of a command that must succeed."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(_TIMEOUT_SECS):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, f"{command[0]}: {err.decode()[-2000:]}"
    return out.decode()


async def node_packages(folder: Path = NODE_FOLDER) -> None:
    """The packages of the folder's package-lock.json are installed there; skips, saying why, where there is no Node.

    `npm ci` fetches, so it runs once per content of the lock file; a test beside this one waits for it.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        no_node("node and npm are not on PATH")
    version = (await run("node", "--version")).strip()
    if int(version.removeprefix("v").split(".")[0]) < _NODE_MAJOR:
        no_node(f"node {version} is older than {_NODE_MAJOR}")
    stamp, digest = folder / "node_modules" / ".made-from", sha256((folder / "package-lock.json").read_bytes())
    RUNS_DIR.mkdir(exist_ok=True)
    with (RUNS_DIR / f"npm-{folder.parent.name}.lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        if not stamp.is_file() or stamp.read_text() != digest.hexdigest():
            await run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=folder)
            stamp.write_text(digest.hexdigest())


def no_node(reason: str) -> None:
    """Skips the test, or fails it where Node is required."""
    if os.environ.get(REQUIRE_NODE):
        pytest.fail(f"{REQUIRE_NODE} is set, but {reason}")
    pytest.skip(f"the TypeScript clients are not tried: {reason}")
