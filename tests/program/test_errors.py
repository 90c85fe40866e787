"""The published error numbers: what clients match on never changes its meaning."""

from __future__ import annotations

from tests.support.error_codes import ErrorCode
from xstocks_daemon.chain.program.idl import load_interface

FIRST_OWN = 6_000


def test_the_idl_has_exactly_the_published_numbers() -> None:
    published = {int(each): each.name for each in ErrorCode if each >= FIRST_OWN}
    in_idl = {number: name for number, (name, _message) in load_interface().error_of.items()}
    assert {number: name for number, name in in_idl.items() if number >= FIRST_OWN} == published


def test_every_error_says_in_a_sentence_what_is_wrong() -> None:
    for number, (name, message) in load_interface().error_of.items():
        assert message.strip(), f"{number} {name} has no message"
