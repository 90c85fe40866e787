"""The bounded worlds: small ones with a few features each, since all at once are too many states."""

from __future__ import annotations

from types import MappingProxyType

from tests.model.rules import Rule
from tests.model.world import Bounds

SMALL = MappingProxyType(
    {
        # Both custodians act.
        "redeem": Bounds(redemptions=1, returns=True, flight=2),
        "move": Bounds(leaving=True, flight=2),
        "move-1": Bounds(leaving=True, flight=1),
        "clocks": Bounds(leaving=True, withdraw=True, detach=True, ahead=True, flight=1),
        "loss": Bounds(redemptions=1, returns=True, withdraw=True, detach=True, loss=True, flight=1),
        "slots": Bounds(redemptions=1, withdraw=True, detach=True, slots=True, flight=1),
        "slots-loss": Bounds(redemptions=1, withdraw=True, detach=True, loss=True, slots=True, flight=1),
        "redeem-move": Bounds(redemptions=1, leaving=True, flight=1),
        "action": Bounds(corporate_action=True, withdraw=True, flight=1),
        # The other one keeps still.
        "alone-move": Bounds(alone=True, leaving=True, withdraw=True, detach=True, ahead=True, flight=2),
        "alone-redeem-move": Bounds(alone=True, redemptions=1, returns=True, leaving=True, flight=1),
        "alone-retire": Bounds(alone=True, hands=(0, 2), leaving=True, retire=True, redemptions=1, flight=1),
        "alone-action": Bounds(alone=True, hands=(0, 2), corporate_action=True, withdraw=True, flight=1),
        "alone-action-back": Bounds(
            alone=True,
            hands=(0, 2),
            corporate_action=True,
            withdraw=True,
            leaving=True,
            flight=1,
            cancel=False,
            second=True,
        ),
        "alone-action-small": Bounds(
            alone=True, hands=(0, 2), corporate_action=True, withdraw=True, flight=1, max_rise_bps=10_000
        ),
        "alone-action-redeem": Bounds(
            alone=True, hands=(0, 2), corporate_action=True, withdraw=True, redemptions=2, flight=1
        ),
        "alone-action-return": Bounds(
            alone=True, hands=(0, 2), corporate_action=True, withdraw=True, redemptions=1, returns=True, flight=1
        ),
        "alone-action-move": Bounds(
            alone=True, hands=(0, 2), corporate_action=True, withdraw=True, leaving=True, flight=1
        ),
    }
)
"""Explored by the tests."""

LARGE = MappingProxyType(
    {
        "alone-action-kept": Bounds(
            alone=True,
            hands=(0, 2),
            corporate_action=True,
            withdraw=True,
            flight=1,
            cancel=False,
            max_rise_bps=10_000,
        ),
        "loss-move": Bounds(redemptions=1, returns=True, leaving=True, withdraw=True, loss=True, flight=1),
        "slots-move": Bounds(redemptions=1, leaving=True, detach=True, slots=True, flight=1),
        "redeem-2": Bounds(redemptions=2, returns=True, leaving=True, withdraw=True, flight=1),
        "clocks-2": Bounds(leaving=True, withdraw=True, ahead=True, flight=2),
        "action-small": Bounds(corporate_action=True, withdraw=True, flight=1, max_rise_bps=10_000),
        "action-move": Bounds(corporate_action=True, leaving=True, flight=1),
        "alone-all": Bounds(
            alone=True,
            hands=(0, 2),
            corporate_action=True,
            leaving=True,
            withdraw=True,
            redemptions=2,
            flight=2,
        ),
        "three": Bounds(hands=(1, 2), redemptions=1, leaving=True, flight=1),
    }
)
"""Explored by hand, each by its name; the longest take minutes. The tests use some of them without a rule."""

WORLDS = MappingProxyType({**SMALL, **LARGE})

SHOWN_IN = MappingProxyType(
    {
        Rule.CEILING: "redeem",
        Rule.QUORUM: "alone-move",
        Rule.OWN_PARTY: "alone-move",
        Rule.RISING: "alone-move",
        Rule.SIGNER_CLOCK: "alone-move",
        Rule.VOID_AT_WITHDRAW: "loss",
        Rule.VOID_AT_ATTACH: "loss",
        Rule.EXPIRY: "alone-action",
        Rule.UNSEEN: "redeem",
        Rule.UNSEEN_OF_ALL: "loss",
        Rule.COUNTERS_SURVIVE: "loss",
        Rule.SLOT_SEEN: "slots-loss",
        Rule.HELD_AROUND: "alone-action-kept",
        Rule.NEW_MULTIPLIER: "alone-action-kept",
        Rule.TOLERANCE: "alone-action-kept",
        Rule.RISE: "alone-action",
        Rule.WINDOW: "alone-action",
        Rule.STICKY: "alone-action",
        Rule.SAME_MULTIPLIER: "alone-action",
        Rule.LEAVE_AFTER_STATEMENT: "alone-move",
        Rule.LEAVE_AFTER_SKEW: "alone-move",
        Rule.LEAVE_NOT_WITHDRAWN: "alone-move",
        Rule.LEAVE_NO_HOLD: "action-move",
        Rule.LEAVE_BACKED: "alone-move",
        Rule.LEAVE_NO_MAX0: "loss-move",
        Rule.LEAVE_COVERS_UNSEEN: "alone-redeem-move",
        Rule.MOVE_LEAVES_FIRST: "move-1",
        Rule.SEEN_FROM_BOOKS: "redeem",
        Rule.SEEN_SUFFICES: "loss",
        Rule.OWED_AT_BOOKS: "alone-action-redeem",
        Rule.ACCEPTED_FIRST: "alone-redeem-move",
        Rule.RETURN_SEEN: "alone-redeem-move",
        Rule.PAID_OR_RETURNED: "redeem",
        Rule.SETTLE_COVERED: "alone-redeem-move",
        Rule.RETIRED_TAKES_STATEMENTS: "alone-retire",
        Rule.RETIRED_FOR_EVER: "slots",
        Rule.SEEN_AT_MOST_TOTAL: "alone-redeem-move",
        Rule.WINDOW_WHILE_PENDING: "alone-action",
        Rule.TOLERANCE_AROUND: "alone-action-small",
        Rule.LEAVE_NOT_AROUND: "alone-action-move",
        Rule.SUM_LESS_SEEN: "alone-action-redeem",
        Rule.UNMARK: "alone-redeem-move",
        Rule.CLEAR_NUMBERED: "alone-action",
        Rule.OBSERVED_AFTER_CHANGE: "alone-action-back",
        Rule.CONFIRMED: "alone-action-move",
        Rule.CONFIRMED_BY_QUORUM: "alone-action-small",
        Rule.WITHDRAWN_UNCONFIRMED: "alone-action-small",
        Rule.CANCEL_UNCONFIRMED: "alone-action-small",
        Rule.BOOKED_ALONE: "alone-action-move",
        Rule.SCHEDULED_FIRST: "alone-action",
        Rule.BOOKED_IN_WINDOW: "alone-action",
        Rule.RESUMER_LOOKS: "alone-action",
    }
)
"""In which world the lack of a rule shows."""

BESIDE = MappingProxyType(
    {
        Rule.HELD_AROUND: frozenset([Rule.TOLERANCE_AROUND]),
        Rule.NEW_MULTIPLIER: frozenset([Rule.TOLERANCE_AROUND]),
        Rule.TOLERANCE: frozenset([Rule.TOLERANCE_AROUND]),
        Rule.RISE: frozenset([Rule.TOLERANCE_AROUND]),
        Rule.SUM_LESS_SEEN: frozenset([Rule.TOLERANCE_AROUND]),
        Rule.LEAVE_NO_HOLD: frozenset([Rule.LEAVE_NOT_AROUND]),
        Rule.LEAVE_NOT_AROUND: frozenset([Rule.BOOKED_ALONE, Rule.CONFIRMED]),
    }
)
"""What covers for a rule in this world, and is taken away with it.

Amendments, where a rule of the design is shown. Until a change is confirmed LEAVE_NOT_AROUND is enough without
BOOKED_ALONE; with the confirmation only BOOKED_ALONE is."""
