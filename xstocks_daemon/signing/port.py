"""What the daemon asks of something that holds a key."""

from __future__ import annotations

from typing import Protocol

from xstocks_daemon.domain.units import Address


class SigningError(Exception):
    """A signature cannot be had. One line; names what to mend and never holds key bytes."""


class Signer(Protocol):
    """Holds one ed25519 key and signs whole messages with it."""

    @property
    def public_key(self) -> Address:
        """The key's public half."""
        ...

    async def sign(self, message: bytes) -> bytes:
        """The 64-byte ed25519 signature of `message`. SigningError where it cannot be made."""
        ...
