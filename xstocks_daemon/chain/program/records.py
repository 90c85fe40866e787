"""What of the program's accounts and events is of no other room: its roles, proposals, recoveries and adoptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from xstocks_daemon.domain.units import Address

CUSTODIAN_NAME_BYTES = 32
MAX_CUSTODIANS = 4
"""Of one asset: slots of entries in its account."""
REDEMPTION_ID_BYTES = 16
PROPOSAL_LIFE_SECS = 14 * 24 * 60 * 60
"""So long after it is ready a proposal may be executed."""


class Role(IntEnum):
    """The roles that set_role and clear_role name."""

    OPERATOR = 0
    REGISTRAR = 1
    GUARDIAN = 2
    RESUMER = 3
    COMPLIANCE = 4
    CORPORATE_ACTIONS = 5


class Profile(IntEnum):
    """Sets of mint extensions (design, section 4.7)."""

    XSTOCKS = 0
    OPEN = 1
    PERMISSIONED = 2


class ProposalState(IntEnum):
    """States of a Proposal account."""

    PENDING = 0
    EXECUTED = 1
    CANCELLED = 2


@dataclass(frozen=True, slots=True)
class Proposal:
    """A timelocked instruction waiting (Proposal account), executable from `ready_ts` on and before `expires_ts`: its
    `data` and the addresses of its `accounts`, without the proposal's own. `role` is the one set_role would replace by
    `key`, which has `accepted` it or not; else None."""

    address: Address
    state: ProposalState
    data: bytes
    accounts: tuple[Address, ...]
    hash: bytes
    role: Role | None
    key: Address
    accepted: bool
    ready_ts: int
    admin_epoch: int

    @property
    def expires_ts(self) -> int:
        """The end of its time, Unix seconds."""
        return self.ready_ts + PROPOSAL_LIFE_SECS


class RecoveryState(IntEnum):
    """States of a Recovery account."""

    ANNOUNCED = 0
    EXECUTED = 1
    CANCELLED = 2


@dataclass(frozen=True, slots=True)
class Recovery:
    """The newest recovery from one token account (Recovery account): `amount_raw` base units go from `source` to
    `destination`, both token accounts of `mint`, not before `ready_ts` (Unix seconds)."""

    address: Address
    state: RecoveryState
    mint: Address
    source: Address
    destination: Address
    amount_raw: int
    announced_ts: int
    ready_ts: int


class AdoptionState(IntEnum):
    """States of an Adoption account."""

    BEGUN = 0
    FINISHED = 1
    ABORTED = 2


@dataclass(frozen=True, slots=True)
class Authorities:
    """Who holds each authority of a mint; zeros: nobody."""

    mint: Address
    freeze: Address
    metadata_pointer: Address
    metadata_update: Address
    permanent_delegate: Address
    scaled_ui: Address
    pausable: Address
    confidential: Address
    hook: Address


@dataclass(frozen=True, slots=True)
class Adoption:
    """A live mint on its way under the program (Adoption account). `holders` are those at begin_adopt, to whom
    abort_adopt gives back."""

    address: Address
    state: AdoptionState
    profile: Profile
    mint: Address
    holders: Authorities


@dataclass(frozen=True, slots=True)
class ProgramEvent:
    """An event of the program. Addresses and byte arrays are bytes, numbers are ints."""

    name: str
    fields: Mapping[str, Any]
