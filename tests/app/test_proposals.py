"""How a proposal stands, in the order in which the program asks, and who may cancel it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.domain.builders import config
from xstocks_daemon.app.proposals import Standing, standing_of, who_cancels
from xstocks_daemon.chain.program import Proposal, ProposalState, Role
from xstocks_daemon.domain.units import ZERO_ADDRESS, Address

READY_TS = 1_000
LIFE_SECS = 14 * 86_400
CONFIG = config(admin_epoch=3, admin=Address(b"A" * 32), guardian=Address(b"G" * 32), resumer=Address(b"R" * 32))
PROPOSAL = Proposal(
    address=Address(b"P" * 32),
    state=ProposalState.PENDING,
    data=b"",
    accounts=(),
    hash=bytes(32),
    role=None,
    key=ZERO_ADDRESS,
    accepted=False,
    ready_ts=READY_TS,
    admin_epoch=3,
)


@pytest.mark.parametrize(
    ("changed", "now_ts", "standing"),
    [
        (PROPOSAL, READY_TS - 1, Standing.WAITING),
        (PROPOSAL, READY_TS, Standing.READY),
        (PROPOSAL, READY_TS + LIFE_SECS - 1, Standing.READY),
        (PROPOSAL, READY_TS + LIFE_SECS, Standing.EXPIRED),
        (replace(PROPOSAL, admin_epoch=2), READY_TS, Standing.STALE),
        (replace(PROPOSAL, state=ProposalState.EXECUTED, admin_epoch=2), READY_TS, Standing.EXECUTED),
        (replace(PROPOSAL, state=ProposalState.CANCELLED), READY_TS, Standing.CANCELLED),
    ],
)
def test_how_a_proposal_stands(changed: Proposal, now_ts: int, standing: Standing) -> None:
    found = standing_of(changed, CONFIG, now_ts)
    assert found is standing
    assert found.is_open == (standing in (Standing.WAITING, Standing.READY))


@pytest.mark.parametrize("role", [None, *Role])
def test_who_cancels_a_proposal(role: Role | None) -> None:
    admin, guardian = who_cancels(replace(PROPOSAL, role=role), CONFIG)
    assert admin == {"admin": CONFIG.admin}
    together = {"guardian": CONFIG.guardian} | ({"resumer": CONFIG.resumer} if role is Role.GUARDIAN else {})
    assert guardian == together
