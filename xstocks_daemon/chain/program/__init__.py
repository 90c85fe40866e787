"""The program on the chain: what the IDL says of it, and the client made of that."""

from xstocks_daemon.chain.program.client import ProgramClient
from xstocks_daemon.chain.program.records import (
    CUSTODIAN_NAME_BYTES,
    MAX_CUSTODIANS,
    REDEMPTION_ID_BYTES,
    Adoption,
    AdoptionState,
    Authorities,
    Profile,
    ProgramEvent,
    Proposal,
    ProposalState,
    Recovery,
    RecoveryState,
    Role,
)

__all__ = [
    "CUSTODIAN_NAME_BYTES",
    "MAX_CUSTODIANS",
    "REDEMPTION_ID_BYTES",
    "Adoption",
    "AdoptionState",
    "Authorities",
    "Profile",
    "ProgramClient",
    "ProgramEvent",
    "Proposal",
    "ProposalState",
    "Recovery",
    "RecoveryState",
    "Role",
]
