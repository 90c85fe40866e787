"""Names as people read them: what is not seen in them, and which symbols look alike (decision 32)."""

from __future__ import annotations

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localnet.catalogue.reader import load_catalogue
from xstocks_daemon.domain.names import is_plain_symbol, look_alike, skeleton, unseen_in
from xstocks_daemon.domain.units import Address

MINT = Address(bytes([7]) * 32)

UNSEEN = {
    "a right-to-left override": "\u202e",
    "a left-to-right isolate": "\u2066",
    "an Arabic letter mark": "\u061c",
    "a zero-width space": "\u200b",
    "a zero-width joiner": "\u200d",
    "a soft hyphen": "\u00ad",
    "a byte order mark": "\ufeff",
    "a grapheme joiner": "\u034f",
    "a Hangul filler": "\u3164",
    "a variation selector": "\ufe0f",
    "a tag": "\U000e0041",
    "a supplementary variation selector": "\U000e0100",
    "a line separator": "\u2028",
    "a private character": "\ue000",
    "blank Braille": "\u2800",
    "an escape": "\x1b",
}


@pytest.mark.parametrize("unseen", UNSEEN.values(), ids=UNSEEN)
def test_what_no_reader_sees_is_found(unseen: str) -> None:
    assert unseen_in(f"Apple{unseen} xStock") == unseen
    assert unseen_in("Apple xStock") == ""


@pytest.mark.parametrize("name", ["Nestlé xStock", "Ørsted A/S", "任天堂 xStock", "Škoda – Group", "AT&T (2026)"])
def test_names_of_any_language_are_seen(name: str) -> None:
    assert unseen_in(name) == ""


@given(st.text())
def test_nothing_that_turns_the_direction_passes(text: str) -> None:
    turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    if any(unicodedata.bidirectional(each) in turning for each in text):
        assert unseen_in(text)


def test_a_plain_symbol_is_of_visible_ascii() -> None:
    assert is_plain_symbol("BRK.Bx")
    for symbol in ("", " ", "AAPL x", "ААРLx", "AAPLx\u200b", "Éx"):
        assert not is_plain_symbol(symbol), symbol


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("AAPLx", "AAPLx"),
        ("AAPLx", "AAPLX"),
        ("AAPLx", "AAP1x"),
        ("AAPLx", "AAPIx"),
        ("AAPLx", "AAP|x"),
        ("COINx", "C0INx"),
        ("SPYx", "5PYx"),
        ("BRK.Bx", "BRKBx"),
        ("BRK.Bx", "BRK-Bx"),
        ("AMDx", "ARNDx"),
        ("WMTx", "VVMTx"),
    ],
)
def test_symbols_that_are_read_for_each_other_look_alike(one: str, other: str) -> None:
    for symbol, registered in ((one, other), (other, one)):
        assert look_alike(symbol, {MINT: registered}) == (MINT, registered)


@pytest.mark.parametrize("symbols", [("AAPLx", "AAPx"), ("TSLAx", "TSLx"), ("Fx", "Tx"), ("...", "---")])
def test_symbols_that_differ_in_what_is_read_do_not(symbols: tuple[str, str]) -> None:
    assert look_alike(symbols[0], {MINT: symbols[1]}) is None


@given(st.text(alphabet=string.printable, min_size=1))
def test_case_does_not_tell_symbols_apart(symbol: str) -> None:
    assert skeleton(symbol.upper()) == skeleton(symbol.lower())


def test_of_the_real_symbols_one_pair_looks_alike() -> None:
    """The rule costs an issuer of all of them one flag."""
    symbols = [asset.symbol for asset in load_catalogue()]
    assert all(map(is_plain_symbol, symbols))
    pairs: dict[str, list[str]] = {}
    for symbol in symbols:
        pairs.setdefault(skeleton(symbol), []).append(symbol)
    assert [each for each in pairs.values() if len(each) > 1] == [["CIx", "CLx"]]
