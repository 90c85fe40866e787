"""The files that are in the repository (or about to be), as git lists them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tracked(*patterns: str) -> Iterator[Path]:
    """Files that git tracks or would add, by glob patterns of git (`*.py`), relative to ROOT, ascending."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for line in sorted(set(listed.splitlines())):
        path = Path(line)
        if (ROOT / path).is_file():
            yield path


def text_of(path: Path) -> str:
    """Content of a tracked file; empty where it is not text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""
