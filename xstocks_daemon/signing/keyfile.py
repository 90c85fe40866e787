"""A key in a file, as the Solana command line writes it: a JSON array of 64 byte values, secret half first."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import structlog
from solders.keypair import Keypair

from xstocks_daemon.domain.units import Address
from xstocks_daemon.errors import UserError, user_error

KEY_BYTES = 64
_MAX_FILE_BYTES = 4_096

log = structlog.get_logger(__name__)


class KeyfileSigner:
    """Signs with a key held in this process. Made by `load_keyfile`; its text form shows the public half only."""

    def __init__(self, keypair: Keypair) -> None:
        self._keypair = keypair
        self._public_key = Address(bytes(keypair.pubkey()))

    def __repr__(self) -> str:
        return f"KeyfileSigner({self._keypair.pubkey()})"

    @property
    def public_key(self) -> Address:
        """The key's public half."""
        return self._public_key

    async def sign(self, message: bytes) -> bytes:
        """The 64-byte ed25519 signature of `message`."""
        return bytes(self._keypair.sign_message(message))


def load_keyfile(path: Path, field: str = "keyfile") -> KeyfileSigner:
    """A signer with the key of a file, read once. UserError and warning as by `load_keypair`."""
    return KeyfileSigner(load_keypair(path, field))


def load_keypair(path: Path, field: str = "keyfile") -> Keypair:
    """The key of a file. UserError names `field`, the setting that names the file, and never shows what is in it.

    Warns where others than its owner may read the file: whoever reads it has the key.
    """
    make = "write one with: solana-keygen new -o FILE"
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise _unusable(field, path, "is no regular file", f"name a key file, or {make}")
        if status.st_size > _MAX_FILE_BYTES:
            raise _unusable(field, path, f"has {status.st_size} bytes, no key file is so large", f"name it, or {make}")
        text = path.read_bytes()
    except FileNotFoundError:
        raise _unusable(field, path, "does not exist", f"correct the path, or {make}") from None
    except OSError as error:
        raise _unusable(field, path, f"cannot be read ({error.strerror})", "let the daemon's user read it") from None
    if status.st_mode & (stat.S_IRGRP | stat.S_IROTH):
        log.warning(
            "key_file_readable_by_others",
            field=field,
            path=str(path),
            mode=f"{stat.S_IMODE(status.st_mode):04o}",
            remedy=f"chmod 600 {path}",
        )
    return _parse(text, field, path)


def _parse(text: bytes, field: str, path: Path) -> Keypair:
    remedy = f"it must be a JSON array of {KEY_BYTES} numbers from 0 to 255, as solana-keygen writes it"
    try:
        numbers = json.loads(text)
    # RecursionError: brackets nested thousands deep.
    except (ValueError, RecursionError):
        raise _unusable(field, path, "is not JSON", remedy) from None
    if not isinstance(numbers, list):
        raise _unusable(field, path, "is no JSON array", remedy)
    if len(numbers) != KEY_BYTES:
        raise _unusable(field, path, f"has {len(numbers)} elements instead of {KEY_BYTES}", remedy)
    if any(type(each) is not int or not 0 <= each <= 255 for each in numbers):
        raise _unusable(field, path, "has an element that is no number from 0 to 255", remedy)
    secret, public = bytes(numbers[:32]), bytes(numbers[32:])
    keypair = Keypair.from_seed(secret)
    if bytes(keypair.pubkey()) != public:
        raise _unusable(field, path, "has a public half that is not of its secret half", "restore it from its backup")
    return keypair


def _unusable(field: str, path: Path, fault: str, remedy: str) -> UserError:
    return user_error(field, path, f"{fault}; {remedy}")
