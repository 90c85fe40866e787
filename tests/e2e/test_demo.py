"""The whole system as a newcomer sees it, on every chain that is found."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from localnet.catalogue.reader import choose, load_catalogue
from localnet.harness.chains import ChainKind
from localnet.harness.paths import ROOT
from localnet.harness.processes import child

ASSETS = 12
DEMO = (sys.executable, "-m", "localnet.demo", "demo")


@pytest.mark.early
async def test_the_demo_ends_with_supply_tracking_custody(chain_kind: ChainKind, tmp_path: Path) -> None:
    command = [*DEMO, "--assets", str(ASSETS), "--chain", chain_kind]
    async with child("demo", command, tmp_path / "demo.log", {"PYTHONPATH": str(ROOT)}) as demo:
        code = await demo.process.wait()
    text = demo.log_path.read_text(encoding="utf-8")
    assert code == 0, text
    assert f"supply tracks custody: {ASSETS}/{ASSETS} assets" in text
    # The program's own words for each thing that the day tries and must not succeed.
    for refusal in ("6208 CeilingExceeded", "StatementNotNewer", "DigestMismatch", "6200 Paused"):
        assert refusal in text


def test_a_number_of_assets_that_is_none_is_refused_with_the_remedy() -> None:
    refused = refusal("--assets", "many")
    assert "'many': give a whole number of assets, 1 or more" in refused.stderr


def test_more_assets_than_there_are_are_refused_with_the_remedy() -> None:
    there = len(load_catalogue())
    refused = refusal("--assets", str(there + 1))
    assert refused.stdout == (
        f"error: --assets {there + 1}: the catalogue has {there}; leave --assets away for all of them\n"
    )
    assert choose(load_catalogue(), there) == load_catalogue()


def refusal(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The demo with arguments that are a mistake: exit code 2 and no traceback."""
    done = subprocess.run([*DEMO, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.early
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_running(number: signal.Signals) -> None:
    """Only the demo itself gets the signal, while the daemon mints: what it started must end by it."""
    with subprocess.Popen(
        [*DEMO, "--assets", "2"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # A test runner in the background may ignore SIGINT, and that would be inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as demo:
        told = ""
        assert demo.stdout is not None
        for line in demo.stdout:
            told += line
            if line.startswith("4. "):
                demo.send_signal(number)
                break
        told += demo.communicate(timeout=60)[0]  # ends once nobody holds the pipe any more
    assert demo.wait() == 130, told
    assert told.rstrip().endswith("interrupted; everything is stopped")
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert f"-{demo.pid}/settings/" not in listed, "a sidecar or a daemon"
    port = re.search(r"JSON-RPC at http://127\.0\.0\.1:(\d+)", told)
    assert port is not None, told
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(port[1]))) != 0, "the chain"
