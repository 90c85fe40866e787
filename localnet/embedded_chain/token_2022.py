"""Writes the Token-2022 program that the embedded chain runs (mainnet's) to a file.

`python -m localnet.embedded_chain.token_2022 FILE`

solana-test-validator comes with an older release of it, without the Batch instruction; a localnet loads this one.
"""

from __future__ import annotations

import sys
from pathlib import Path

from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey

from localnet.embedded_chain import addresses

#: ProgramData: tag u32, slot u64, authority as an option that takes 33 bytes; then the ELF.
_PROGRAMDATA_HEADER_BYTES = 4 + 8 + 33
_ELF_MAGIC = b"\x7fELF"


def token_2022_elf() -> bytes:
    """The program's ELF file."""
    chain = LiteSVM()
    program = chain.get_account(addresses.TOKEN_2022)
    assert program is not None
    if program.owner == addresses.UPGRADEABLE_LOADER:
        pointed = chain.get_account(Pubkey.from_bytes(program.data[4:36]))
        assert pointed is not None
        elf = bytes(pointed.data[_PROGRAMDATA_HEADER_BYTES:])
    else:
        elf = bytes(program.data)
    assert elf.startswith(_ELF_MAGIC)
    return elf


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(token_2022_elf())
