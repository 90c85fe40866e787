"""Where things are in the checkout."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""
RUNS_DIR = ROOT / ".localnet"
"""What runs leave behind: their folders, the state of a kept localnet. Not in version control."""
PROGRAM_SO = ROOT / "programs" / "deploy" / "xstocks_mint.so"
"""The checked-in program."""
EMBEDDED_PYTHON = ROOT / "localnet" / ".venv" / "bin" / "python"
"""Python of the embedded chain's own environment."""
XSTOCKS = ROOT / ".venv" / "bin" / "xstocks"
"""The command, as ./localnet.sh setup puts it there."""
