"""Names and symbols as people read them: what cannot be seen in them, and which of them look alike (decision 32)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from xstocks_daemon.domain.units import Address

#: Categories of what no reader sees: controls, formats (bidirectional ones, zero-width ones), surrogates, private use,
#: unassigned, and the separators of lines and paragraphs.
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
#: Characters of other categories that show nothing (Unicode's Default_Ignorable_Code_Point), and blank Braille.
_UNSEEN = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)
#: Among letters, digits and marks of ASCII: what is read for another, each written as the one it becomes.
_READ_AS = (("0", "o"), ("1", "l"), ("i", "l"), ("|", "l"), ("5", "s"), ("$", "s"), ("rn", "m"), ("vv", "w"))


def unseen_in(text: str) -> str:
    """The first character of `text` that a reader cannot see or that turns the direction of others; else empty."""
    return next((each for each in text if each in _UNSEEN or unicodedata.category(each) in _UNSEEN_CATEGORIES), "")


def is_plain_symbol(symbol: str) -> bool:
    """Whether a symbol is of visible ASCII characters alone: what every wallet shows, and what can be compared."""
    return symbol != "" and all("!" <= each <= "~" for each in symbol)


def skeleton(symbol: str) -> str:
    """What plain symbols that look alike have in common: case, marks such as dots, and letters read for others away."""
    found = "".join(each for each in symbol.casefold() if each.isalnum() or each in "|$")
    for shown, read in _READ_AS:
        found = found.replace(shown, read)
    return found or symbol


def look_alike(symbol: str, symbols: Mapping[Address, str]) -> tuple[Address, str] | None:
    """The first of `symbols`, by mint, that equals `symbol` or could be read for it."""
    wanted = skeleton(symbol)
    return next(((mint, other) for mint, other in symbols.items() if skeleton(other) == wanted), None)
