"""Which localnet was left running, so that another command can show or end it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localnet.harness.paths import RUNS_DIR

STATE_PATH = RUNS_DIR / "state.json"
_STOP_SECS = 20.0
_POLL_SECS = 0.1


class NoLocalnet(Exception):
    """Nothing was left running, or a localnet runs already; the message has the remedy."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A localnet that outlived the command that started it. `processes`: name -> (pid, command line at start)."""

    folder: str
    urls: Mapping[str, str]
    processes: Mapping[str, tuple[int, str]]

    def running(self) -> dict[str, bool]:
        """Which of its processes still run. A pid that now belongs to another command counts as ended."""
        return {name: command_of(pid) == command for name, (pid, command) in self.processes.items()}


def keep(folder: Path, urls: Mapping[str, str], pids: Mapping[str, int]) -> Kept:
    """Write down what runs, for `status` and `down`."""
    kept = Kept(str(folder), dict(urls), {name: (pid, command_of(pid)) for name, pid in pids.items()})
    STATE_PATH.parent.mkdir(parents=True, exist_ok=True)
    STATE_PATH.write_text(
        json.dumps({"folder": kept.folder, "urls": dict(kept.urls), "processes": dict(kept.processes)}, indent=1),
        encoding="utf-8",
    )
    return kept


def load() -> Kept:
    """What was left running. NoLocalnet where nothing was."""
    try:
        stored = json.loads(STATE_PATH.read_text(encoding="utf-8"))
        processes = {name: (int(pid), str(command)) for name, (pid, command) in stored["processes"].items()}
        return Kept(stored["folder"], stored["urls"], processes)
    except FileNotFoundError:
        raise NoLocalnet("no localnet was left running; start one with ./localnet.sh up") from None
    except (ValueError, KeyError, TypeError):
        raise NoLocalnet(f"{STATE_PATH}: not readable; delete it, and end what still runs by hand") from None


def end(kept: Kept) -> None:
    """End its processes, the last started first, each by its id, and forget it."""
    for pid, command in reversed(list(kept.processes.values())):
        if command_of(pid) != command:
            continue
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECS
        while command_of(pid) == command and time.monotonic() < deadline:
            time.sleep(_POLL_SECS)
        if command_of(pid) == command:
            os.killpg(pid, signal.SIGKILL)
    STATE_PATH.unlink(missing_ok=True)


def command_of(pid: int) -> str:
    """The command line of a process; empty where there is none."""
    found = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip()
