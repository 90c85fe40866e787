"""The words for what can happen."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from tests.model.world import State, Statement


class Kind(Enum):
    """The actions. `honest`: a step by which those who keep to the rules bring everything to an end."""

    TICK = ("a tick passes", True)
    SIGN = ("the quorum of {who} signs {statement}", True)
    DELIVER = ("the relayer delivers {statement} of {who}", True)
    MINT = ("the operator mints 1", False)
    BURN = ("1 is burnt", True)
    ACCEPT = ("{who} accepts a redemption of 1", False)
    SETTLE = ("the operator settles a redemption of 1 and names {who}", False)
    COUNT = ("{who} counts a redemption of 1 in its books and sets the shares aside", True)
    RETURN = ("the broker rejects a redemption of 1 settled on {who} after the burn", False)
    PAY_RETURNED = ("{who} pays out what the broker rejected", False)
    PAY = ("{who} pays out what it counted", True)
    DEPOSIT = ("shares for 1 arrive at {who}", False)
    MARK = ("{who} marks shares for 1 to leave", False)
    UNMARK = ("{who} takes the marking back", True)
    RELEASE = ("{who} lets the marked shares leave", True)
    WITHDRAW = ("one attester key withdraws the entry of {who}", False)
    MISSING_WITHDRAWN = ("{who} finds shares for 1 missing and withdraws its entry at once", False)
    MISSING_DETACHED = ("{who} finds shares for 1 missing and the admin detaches it at once", False)
    DETACH = ("the admin detaches {who}", False)
    ATTACH = ("the admin attaches {who} again", True)
    TAKE = ("another custodian takes the slot of {who}", False)
    SCHEDULE = ("a change to {goal} times the multiplier is scheduled", True)
    CANCEL = ("the change is cancelled", False)
    EFFECT = ("the change takes effect on chain", True)
    BOOK_SHARES = ("{who} books the corporate action's shares", True)
    BOOK_MULTIPLIER = ("{who} books the corporate action's multiplier", True)
    CLOSE_WINDOW = ("ca_window_secs pass", True)
    CLEAR = ("the resumer clears the hold", True)
    SIGN_CLEAR = ("the resumer looks and signs clear_hold, which the relayer keeps", False)
    CLEAR_LATE = ("the kept clear_hold lands", False)
    RETIRE = ("the admin retires the asset", False)
    FORGE = ("one stolen key alone signs {statement} of {who}", False)
    SIGN_WITHOUT = ("two agents with an old copy of the books sign {statement} without {who}", False)
    COUNT_INCOMING = ("{who} counts shares for 1 that are to leave the other custodian", False)

    def __init__(self, words: str, honest: bool) -> None:
        self.words = words
        self.honest = honest

    __hash__ = object.__hash__


class Action(NamedTuple):
    """A step. `who`: which custodian of the state before, -1 for none."""

    kind: Kind
    who: int = -1
    statement: Statement | None = None
    goal: int = 0


TICK = Action(Kind.TICK)
Step = tuple[Action, State]
