"""The program's client: its instructions, accounts, events and errors, all by the IDL through anchorpy's coders."""

from __future__ import annotations

from xstocks_daemon.chain.program.accounts import AccountDecoder
from xstocks_daemon.chain.program.events import EventReader
from xstocks_daemon.chain.program.instructions import AssetInstructions, GovernanceInstructions, SupplyInstructions


class ProgramClient(GovernanceInstructions, AssetInstructions, SupplyInstructions, AccountDecoder, EventReader):
    """Builds instructions for, and reads accounts, events and errors of, one deployment of the program."""
