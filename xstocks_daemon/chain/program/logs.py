"""What a transaction's log says: which program did what, and the data that it emitted."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_INVOKE = re.compile(r"Program ([1-9A-HJ-NP-Za-km-z]{32,44}) invoke \[(\d+)\]")
_SUCCESS = re.compile(r"Program ([1-9A-HJ-NP-Za-km-z]{32,44}) success")
_FAILED = re.compile(r"Program ([1-9A-HJ-NP-Za-km-z]{32,44}) failed: (.*)", re.DOTALL)
_DATA = "Program data: "
_TEXT = "Program log: "


@dataclass(slots=True)
class Invocation:
    """One run of a program, called by the transaction (`depth` 1) or by another program.

    `data` is what it emitted by sol_log_data, one bytes object per line, `text` its log lines. `failure` is the
    runtime's text where it failed, None where it did not (or where the log was cut off).
    """

    program: str
    depth: int
    data: list[bytes] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    failure: str | None = None


def invocations(lines: Iterable[str]) -> list[Invocation]:
    """Every run in the order of its start. Lines of another form, cut-off logs included, are passed over.

    Only the runtime writes lines of these forms: what a program logs itself begins with "Program log: ".
    """
    found: list[Invocation] = []
    stack: list[Invocation] = []
    for line in lines:
        if match := _INVOKE.fullmatch(line):
            run = Invocation(match[1], int(match[2]))
            found.append(run)
            stack.append(run)
        elif (match := _SUCCESS.fullmatch(line)) and stack:
            stack.pop()
        elif (match := _FAILED.fullmatch(line)) and stack:
            stack.pop().failure = match[2]
        elif line.startswith(_TEXT) and stack:
            stack[-1].text.append(line[len(_TEXT) :])
        elif line.startswith(_DATA) and stack:
            try:
                stack[-1].data.append(base64.b64decode("".join(line[len(_DATA) :].split()), validate=True))
            except binascii.Error:
                continue
    return found
