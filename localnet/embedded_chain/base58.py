"""Base58 with Bitcoin's alphabet, for byte strings of any length (solders has it for keys and hashes only)."""

from __future__ import annotations

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGIT = {character: digit for digit, character in enumerate(ALPHABET)}


class InvalidCharacterError(ValueError):
    """A character outside the alphabet; `character` and its `index` are what Agave's errors name."""

    def __init__(self, character: str, index: int) -> None:
        self.character = character
        self.index = index
        super().__init__(f"invalid base58 character {character!r} at {index}")


def encode(data: bytes) -> str:
    """Each leading zero byte is a leading `1`."""
    number = int.from_bytes(data, "big")
    digits = []
    while number:
        number, digit = divmod(number, 58)
        digits.append(ALPHABET[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(digits))


def decode(text: str) -> bytes:
    """Raises InvalidCharacterError."""
    number = 0
    for index, character in enumerate(text):
        digit = _DIGIT.get(character)
        if digit is None:
            raise InvalidCharacterError(character, index)
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
