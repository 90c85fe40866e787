"""Errors that people see: each is one line, `field: value: remedy`, with the exit code that goes with it."""

from __future__ import annotations

from dataclasses import dataclass

from xstocks_daemon.redaction import redact_urls, shown

EXIT_FAILURE = 1
EXIT_USAGE = 2

MISSING = "(missing)"
"""Shown in place of a value that was not given."""

_VALUE_CHARS = 400


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: the field as the user writes it, its value, and what to do about it."""

    field: str
    value: str
    remedy: str

    def line(self) -> str:
        """The line a user reads; no line breaks and no URL credentials whatever the value was."""
        return " ".join(redact_urls(f"{self.field}: {self.value}: {self.remedy}").split())


class UserError(Exception):
    """The user's mistake (exit code 2): nothing was sent. `faults` has at least one entry."""

    exit_code = EXIT_USAGE

    def __init__(self, *faults: Fault) -> None:
        if not faults:
            raise ValueError("a UserError needs a fault")
        self.faults = faults
        super().__init__("\n".join(fault.line() for fault in faults))

    @property
    def field(self) -> str:
        """The setting, option or field that the first fault is about."""
        return self.faults[0].field

    @property
    def value(self) -> str:
        """The first fault's value, as it may be shown."""
        return self.faults[0].value

    @property
    def remedy(self) -> str:
        """What to do about the first fault."""
        return self.faults[0].remedy


class OperationError(UserError):
    """Something failed that is not the user's mistake (exit code 1)."""

    exit_code = EXIT_FAILURE


def user_error(field: str, value: object, remedy: str) -> UserError:
    """A UserError with one fault."""
    return UserError(_fault(field, value, remedy))


def operation_error(field: str, value: object, remedy: str) -> OperationError:
    """An OperationError with one fault."""
    return OperationError(_fault(field, value, remedy))


def _fault(field: str, value: object, remedy: str) -> Fault:
    return Fault(field, shown(str(value), _VALUE_CHARS), remedy)
