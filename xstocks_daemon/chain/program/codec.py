"""One deployment of the program, and the coders that its IDL gives: what all parts of the client share."""

from __future__ import annotations

from anchorpy.coder.coder import Coder

from xstocks_daemon.chain.addresses import ProgramAddresses
from xstocks_daemon.chain.program.idl import ProgramInterface, load_interface
from xstocks_daemon.domain.units import Address


class ProgramCodec:
    """The program at `program_id` (None: the IDL's address) by `interface` (None: the IDL that comes with this)."""

    def __init__(self, program_id: Address | None = None, interface: ProgramInterface | None = None) -> None:
        self.interface = interface or load_interface()
        self.program_id = program_id or self.interface.program_id
        self.addresses = ProgramAddresses(self.program_id)
        self._coder = Coder(self.interface.idl)
