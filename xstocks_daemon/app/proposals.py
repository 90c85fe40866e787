"""What waits under the timelock: each proposal with the instruction that it permits, and who may still stop it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from xstocks_daemon.aio import gather_all
from xstocks_daemon.app.runtime import ChainConnection
from xstocks_daemon.chain.errors import ArgumentError
from xstocks_daemon.chain.program import Proposal, ProposalState, Role
from xstocks_daemon.chain.program.idl import discriminator
from xstocks_daemon.chain.reader import deciding_endpoints
from xstocks_daemon.domain.snapshot import Config
from xstocks_daemon.domain.units import Address


class Standing(StrEnum):
    """What may become of a proposal."""

    WAITING = "waiting"
    """Its timelock runs: it may be cancelled, and not yet executed."""
    READY = "ready"
    """The admin may execute it at any moment; until then it may be cancelled."""
    EXPIRED = "expired"
    STALE = "stale"
    """Of an older admin."""
    EXECUTED = "executed"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether it can still be executed, and so whether there is something to cancel."""
        return self in (Standing.WAITING, Standing.READY)


@dataclass(frozen=True, slots=True)
class ReadProposal:
    """A proposal, how it stands, and what it permits; `instruction` None: no instruction of this version of the
    program, which cannot be executed."""

    proposal: Proposal
    standing: Standing
    instruction: str | None
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Proposals:
    """All of them, the one that is ready first in front, read at a time of the chain's clock."""

    config: Config
    now_ts: int
    found: tuple[ReadProposal, ...]


async def read_proposals(chain: ChainConnection, *, single_endpoint: bool) -> Proposals:
    """Every Proposal account of the program, finalized and agreed. No one endpoint can keep one of them back: what
    either of the deciding ones finds is read. Raises as the reader does."""
    client = chain.client
    of_kind = base64.b64encode(discriminator("account", "Proposal")).decode()
    filters = [{"memcmp": {"offset": 0, "bytes": of_kind, "encoding": "base64"}}]
    known = await gather_all(
        endpoint.program_accounts(client.program_id, filters=filters)
        for endpoint in deciding_endpoints(chain.pool, single_endpoint=single_endpoint)
    )
    addresses = sorted({address for accounts in known for address in accounts})
    reads = await chain.reader.read_groups([(address,) for address in addresses])
    snapshot = await chain.reader.snapshot(())
    proposals = [
        client.proposal(address, account.data, account.owner)
        for address, read in zip(addresses, reads, strict=True)
        if (account := read[0].accounts[0]) is not None
    ]
    found = [_read(chain, proposal, snapshot.config, snapshot.now_ts) for proposal in proposals]
    return Proposals(
        snapshot.config,
        snapshot.now_ts,
        tuple(sorted(found, key=lambda each: (each.proposal.ready_ts, each.proposal.address))),
    )


def _read(chain: ChainConnection, proposal: Proposal, config: Config, now_ts: int) -> ReadProposal:
    standing = standing_of(proposal, config, now_ts)
    try:
        name, args = chain.client.read_instruction(proposal.data)
    except ArgumentError:
        return ReadProposal(proposal, standing, None, {})
    return ReadProposal(proposal, standing, name, args)


def standing_of(proposal: Proposal, config: Config, now_ts: int) -> Standing:
    """What may become of it at this time, in the order in which the program asks."""
    if proposal.state is ProposalState.EXECUTED:
        return Standing.EXECUTED
    if proposal.state is ProposalState.CANCELLED:
        return Standing.CANCELLED
    if proposal.admin_epoch != config.admin_epoch:
        return Standing.STALE
    if now_ts < proposal.ready_ts:
        return Standing.WAITING
    return Standing.READY if now_ts < proposal.expires_ts else Standing.EXPIRED


def who_cancels(proposal: Proposal, config: Config) -> tuple[Mapping[str, Address], ...]:
    """The ways to cancel it: of each the roles that sign together, with their present keys."""
    guardian = {"guardian": config.guardian}
    if proposal.role is Role.GUARDIAN:
        guardian["resumer"] = config.resumer
    return {"admin": config.admin}, guardian
