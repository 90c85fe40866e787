"""What people and scripts see: tables or JSON on standard output, mistakes as single lines on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from xstocks_daemon.errors import UserError

ERRORS = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> None:
    """A table on standard output; the columns in `right` are numbers."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", no_wrap=column in right)
    for row in rows:
        table.add_row(*row)
    # In a pipe nothing is cut off: it is as wide as it needs to be.
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console = Console(markup=False, highlight=False, width=240)
    console.print(table)


def say(text: str) -> None:
    """Print a line of text on standard output."""
    sys.stdout.write(text + "\n")


def print_faults(error: UserError) -> None:
    """`error: field: value: remedy`, a line for each."""
    for fault in error.faults:
        ERRORS.print(f"error: {fault.line()}")
