"""Every key that plays a part in who may call what."""

from __future__ import annotations

from solders.keypair import Keypair

from tests.support.deployed import DeployedProgram
from tests.support.initialized import OTHER_CUSTODIAN

ROLES = ("admin", "operator", "registrar", "guardian", "resumer", "compliance", "corporate_actions")

ATTESTERS = ("custodian's attester", "verification agent", "other custodian's attester")

PARTICIPANT = Keypair()
"""A wallet that may redeem, once it is on the list."""


def keys_of(program: DeployedProgram) -> dict[str, Keypair]:
    """Every key that plays a part, by name."""
    own, agent, _ = program.quorum(parties=(0, 1, 2))
    return {
        **{role: getattr(program.keys, role).keypair for role in (*ROLES, "upgrade_authority")},
        "custodian's attester": own,
        "verification agent": agent,
        "other custodian's attester": program.quorum(OTHER_CUSTODIAN)[0],
        "participant": PARTICIPANT,
        "stranger": Keypair(),
    }
