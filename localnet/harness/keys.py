"""Keys of one localnet run: generated, kept in its folder, worth nothing elsewhere."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from solders.keypair import Keypair

from xstocks_daemon.domain.units import Address


@dataclass(frozen=True, slots=True)
class Key:
    """A generated test key and the file (solana-CLI form, readable by its owner only) that holds it."""

    keypair: Keypair
    path: Path

    @property
    def address(self) -> Address:
        """Its public key."""
        return Address(bytes(self.keypair.pubkey()))


def generate_key(directory: Path, name: str) -> Key:
    """A fresh key, written to `directory`/`name`.json."""
    directory.mkdir(parents=True, exist_ok=True)
    keypair = Keypair()
    path = directory / f"{name}.json"
    write_secret(path, json.dumps(list(bytes(keypair))))
    return Key(keypair, path)


def write_secret(path: Path, text: str) -> None:
    """Write a file that nobody else can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
