"""One deployment of the program, and the coders that its IDL gives: what all parts of the client share."""

from __future__ import annotations

from typing import Any

from anchorpy.coder.coder import Coder
from construct import ConstructError

from xstocks_daemon.chain.addresses import ProgramAddresses
from xstocks_daemon.chain.errors import ArgumentError
from xstocks_daemon.chain.program.idl import ProgramInterface, load_interface, plain_value
from xstocks_daemon.domain.units import Address


class ProgramCodec:
    """The program at `program_id` (None: the IDL's address) by `interface` (None: the IDL that comes with this)."""

    def __init__(self, program_id: Address | None = None, interface: ProgramInterface | None = None) -> None:
        self.interface = interface or load_interface()
        self.program_id = program_id or self.interface.program_id
        self.addresses = ProgramAddresses(self.program_id)
        self._coder = Coder(self.interface.idl)

    def read_instruction(self, data: bytes) -> tuple[str, dict[str, Any]]:
        """The name and the arguments of an instruction's data. ArgumentError where it is no whole instruction."""
        coder = self._coder.instruction
        try:
            parsed = coder.parse(data)
            whole = coder.build(parsed) == data
        except (ConstructError, KeyError):
            whole = False
        if not whole:
            raise ArgumentError(f"{len(data)} bytes are no instruction of this version of the program")
        kinds = self.interface.args_of[parsed.name]
        # By position: the coder changes names such as _pad0.
        values = list(parsed.data.values())[-len(kinds) :] if kinds else []
        return parsed.name, {
            name: plain_value(self.interface, kind, value) for (name, kind), value in zip(kinds, values, strict=True)
        }
