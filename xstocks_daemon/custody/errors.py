"""Errors for people: what is wrong, with which value, and what to do about it."""

from __future__ import annotations

_SHOWN_CHARS = 80


def shown(value: object) -> str:
    """A value as an error message shows it: one line, cut to a readable length."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(char if char.isprintable() else "?" for char in text)
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 3] + "..."


class CustodyUserError(Exception):
    """A mistake of the user (settings, books, an operation that may not be done yet), said in one line.

    `field` names the setting or the argument, `value` what was given, `remedy` what to do.
    """

    def __init__(self, field: str, value: object, remedy: str) -> None:
        self.field = field
        self.value = shown(value)
        self.remedy = remedy
        super().__init__(f"{field} is {self.value}: {remedy}")
