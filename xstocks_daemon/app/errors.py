"""Errors that people see: each is one line, `error: field: value: remedy`, with the exit code that goes with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

EXIT_FAILURE = 1
EXIT_USAGE = 2

HIDDEN = "(hidden)"
MISSING = "(missing)"

_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>,]*[^\s'\"<>,.:;)\]]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the field as the user writes it, its value, and what to do about it."""

    field: str
    value: str
    remedy: str

    def line(self) -> str:
        """The line a user reads; no line breaks and no URL credentials whatever the value was."""
        return " ".join(redact_urls(f"{self.field}: {self.value}: {self.remedy}").split())


class UserError(Exception):
    """The user's mistake (exit code 2): nothing was sent. `problems` has at least one entry."""

    exit_code = EXIT_USAGE

    def __init__(self, *problems: Problem) -> None:
        if not problems:
            raise ValueError("a UserError needs a problem")
        self.problems: Sequence[Problem] = problems
        super().__init__("\n".join(problem.line() for problem in problems))


class OperationError(UserError):
    """Something failed that is not the user's mistake (exit code 1)."""

    exit_code = EXIT_FAILURE


def user_error(field: str, value: object, remedy: str) -> UserError:
    """A UserError with one problem."""
    return UserError(Problem(field, str(value), remedy))


def operation_error(field: str, value: object, remedy: str) -> OperationError:
    """An OperationError with one problem."""
    return OperationError(Problem(field, str(value), remedy))


def redact_urls(text: str) -> str:
    """`text` with every URL cut down to scheme, host and port: user names, paths and queries may carry tokens."""
    return _URL.sub(lambda match: redact_url(match.group()), text)


def redact_url(url: str) -> str:
    """Scheme, host and port of `url`; `/...` says that there was more."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return HIDDEN
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    more = "/..." if parts.path.strip("/") or parts.query or parts.username else ""
    return f"{parts.scheme}://{host}{port}{more}"
