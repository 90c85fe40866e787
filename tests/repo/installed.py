"""The installed command works, with everything it reads. CI runs this outside of the checkout.

Usage: PYTHON_OF_THE_FRESH_ENVIRONMENT installed.py PATH_OF_XSTOCKS
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

import xstocks_daemon
from xstocks_daemon.domain.units import ZERO_ADDRESS
from xstocks_daemon.journal import open_journal


def _run(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([command, *arguments], capture_output=True, text=True, check=False)


async def _journal(path: Path) -> None:
    journal = await open_journal(path, ZERO_ADDRESS, ZERO_ADDRESS)
    await journal.close()


def main(command: str) -> None:
    """Version, IDL, migrations and a user's mistake. AssertionError where one is not as it should be."""
    package = Path(xstocks_daemon.__file__).parent
    assert "site-packages" in package.parts, f"{package} is not the installed one"
    version = _run(command, "--version")
    assert (
        version.stdout == f"xstocks {xstocks_daemon.__version__} (program xstocks_mint {xstocks_daemon.__version__})\n"
    )
    assert version.returncode == 0, version.stderr
    program = _run(command, "program", "settle-redemption", "--help")
    assert program.returncode == 0, program.stderr
    assert "operator" in program.stdout, "the IDL's words"
    mistake = _run(command, "check", "--config", "nowhere.toml")
    assert mistake.returncode == 2, mistake
    assert mistake.stderr.startswith("error: --config: nowhere.toml: "), mistake.stderr
    assert "Traceback" not in mistake.stderr
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_journal(Path(folder) / "journal.sqlite"))
    print(
        f"installed: {version.stdout.strip()}: version, interface, journal and a user's mistake are as they should be"
    )


if __name__ == "__main__":
    main(sys.argv[1])
