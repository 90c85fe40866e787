"""The rules as switches, each with its number and sentence in the design.

A guard in `actions` asks `rule in rules`; a rule that is taken away leaves the rest as it is. What the model takes for
granted of people and clocks is switchable too (`Kind.ASSUMPTION`).
"""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """Where a rule comes from, and what goes wrong without it."""

    SAFETY = "design"
    LIVENESS = "design, against stuck states"
    REDUNDANT = "design, no trace found without it"
    AMENDMENT = "not in the design: found by this model"
    ASSUMPTION = "assumed of people and clocks"


class Rule(Enum):
    """A rule: (number, kind, sentence)."""

    CEILING = ("M1", Kind.SAFETY, "After a mint, supply_raw <= ceiling_raw.")
    QUORUM = ("M2", Kind.SAFETY, "Statements are signed by at least two distinct parties.")
    OWN_PARTY = ("M2", Kind.SAFETY, "The custodian's own party is always among the signers.")
    RISING = ("M3", Kind.SAFETY, "Per custodian and mint the time of observation strictly rises.")
    SIGNER_CLOCK = ("6.5", Kind.SAFETY, "A signer's clock is within the allowed skew of the observation it signs.")
    VOID_AT_WITHDRAW = (
        "4.2",
        Kind.SAFETY,
        "Withdrawing an entry sets its last observed time to now + skew, so that nothing signed before can revive it.",
    )
    VOID_AT_ATTACH = (
        "4.2",
        Kind.SAFETY,
        "Attaching sets the last observed time to now + skew, so that nothing signed before can revive the entry.",
    )
    EXPIRY = (
        "M2",
        Kind.SAFETY,
        "Statements expire (now < expires, now - observed <= max_age), before ca_window_secs are over.",
    )
    UNSEEN = (
        "M6",
        Kind.SAFETY,
        "Tokens burnt for a redemption free no ceiling until the custodian's statement counts them.",
    )
    UNSEEN_OF_ALL = ("M6", Kind.SAFETY, "Unseen redemptions are subtracted over ALL entries, not over fresh ones.")
    COUNTERS_SURVIVE = ("4.2", Kind.SAFETY, "Redemption counters survive detachment.")
    SLOT_SEEN = ("4.2", Kind.SAFETY, "A slot is taken by another custodian only where nothing is unseen.")
    HELD_AROUND = ("M9", Kind.SAFETY, "Minting is held while a multiplier change is pending.")
    NEW_MULTIPLIER = (
        "M9",
        Kind.SAFETY,
        "An entry counts only with the multiplier in force: until such a statement, no mint.",
    )
    TOLERANCE = (
        "M9",
        Kind.SAFETY,
        "When an entry's multiplier changes, capacity + seen stays within the tolerance of the old sum, else hold.",
    )
    RISE = ("M9", Kind.SAFETY, "A rise of an entry above policy.max_rise_bps sets the hold.")
    WINDOW = (
        "M9",
        Kind.SAFETY,
        "An entry without a predecessor within ca_window_secs after a multiplier change sets the hold.",
    )
    STICKY = ("M9", Kind.SAFETY, "A hold is sticky: only the resumer clears it, not a newer statement.")
    SAME_MULTIPLIER = (
        "6.5",
        Kind.SAFETY,
        "An attester does not sign while its books and the chain differ in the multiplier.",
    )
    LEAVE_AFTER_STATEMENT = (
        "M13",
        Kind.SAFETY,
        "Shares leave only after the custodian's own entry is a statement without them.",
    )
    LEAVE_AFTER_SKEW = (
        "M13",
        Kind.SAFETY,
        "That statement was observed more than the allowed skew after the shares were marked to leave.",
    )
    LEAVE_NOT_WITHDRAWN = ("M13", Kind.SAFETY, "A withdrawn or detached entry is no statement without the shares.")
    LEAVE_NO_HOLD = ("M13", Kind.SAFETY, "Shares leave only while no hold is on the asset.")
    LEAVE_BACKED = ("M13", Kind.SAFETY, "Shares leave only while supply <= fresh capacities - unseen redemptions.")
    LEAVE_NO_MAX0 = ("M13", Kind.SAFETY, "That difference is taken without the max(0).")
    LEAVE_COVERS_UNSEEN = (
        "M13",
        Kind.LIVENESS,
        "Shares leave only while the entry's capacity_raw >= its own unseen redemptions.",
    )
    MOVE_LEAVES_FIRST = ("M13", Kind.SAFETY, "A move is a leaving first, and counts at the receiver only after.")
    SEEN_FROM_BOOKS = ("M13", Kind.SAFETY, "redeemed_seen_raw comes from the books, never from the chain's counter.")
    SEEN_SUFFICES = ("M13", Kind.SAFETY, "What the shares do not suffice for is not yet seen.")
    OWED_AT_BOOKS = ("M13", Kind.SAFETY, "Shares owed are counted at the multiplier of the books.")
    ACCEPTED_FIRST = (
        "M6",
        Kind.LIVENESS,
        "Nothing is burnt for a redemption that the named custodian has not accepted.",
    )
    RETURN_SEEN = (
        "M6",
        Kind.LIVENESS,
        "What the broker rejects after the burn is passed as seen, with nothing owed and the shares kept.",
    )
    PAID_OR_RETURNED = ("M6", Kind.SAFETY, "What is passed with nothing owed is not paid out too.")
    SETTLE_COVERED = (
        "4.3",
        Kind.LIVENESS,
        "settle_redemption names a custodian whose entry is fresh with capacity - unseen >= amount.",
    )
    RETIRED_TAKES_STATEMENTS = (
        "4.4",
        Kind.LIVENESS,
        "A Retired asset's statements are taken: its shares must be able to leave.",
    )
    RETIRED_FOR_EVER = (
        "4.2",
        Kind.LIVENESS,
        "A slot whose counters are not zero is taken only of a retired custodian, which is never attached again.",
    )
    SEEN_AT_MOST_TOTAL = ("M6", Kind.REDUNDANT, "redeemed_seen may never exceed redeemed_total.")
    WINDOW_WHILE_PENDING = (
        "M9+",
        Kind.AMENDMENT,
        "An entry without a predecessor sets the hold while a change is pending and ca_window_secs after a cancel too.",
    )
    TOLERANCE_AROUND = (
        "M9+",
        Kind.AMENDMENT,
        "While a change is pending or in its window, the tolerance bounds a rise at the unchanged multiplier too.",
    )
    LEAVE_NOT_AROUND = (
        "M13+",
        Kind.AMENDMENT,
        "Shares leave only at one multiplier of books, entry and chain, and not around a change that is not confirmed.",
    )
    SUM_LESS_SEEN = (
        "M9+",
        Kind.AMENDMENT,
        "M9's bounds are taken of old capacity + old seen - new seen, not of a sum that all redemptions ever dilute.",
    )
    UNMARK = ("M13+", Kind.AMENDMENT, "A marking to leave can be taken back in the books.")
    CLEAR_NUMBERED = (
        "M9+",
        Kind.AMENDMENT,
        "Every hold has a number, also one over another; clear_hold names the number that the resumer looked at.",
    )
    OBSERVED_AFTER_CHANGE = (
        "M9",
        Kind.REDUNDANT,
        "An entry counts only if it was observed after the last change took effect: A to B to A revives nothing.",
    )
    CONFIRMED = (
        "M9",
        Kind.REDUNDANT,
        "The time around a change that took effect is over for an entry that has confirmed it (this loosens).",
    )
    CONFIRMED_BY_QUORUM = (
        "M9",
        Kind.REDUNDANT,
        "Only a statement within the tolerance of a predecessor at the multiplier before confirms a change.",
    )
    WITHDRAWN_UNCONFIRMED = ("M9", Kind.REDUNDANT, "Withdrawing or detaching an entry takes its confirmation away.")
    CANCEL_UNCONFIRMED = (
        "M9",
        Kind.SAFETY,
        "A cancelled change is confirmed by nothing: its window stays, whatever the entry states.",
    )
    BOOKED_ALONE = (
        "A1",
        Kind.ASSUMPTION,
        "A custodian books no deposit or leaving while an action is half booked, and no action over a leaving.",
    )
    SCHEDULED_FIRST = ("A2", Kind.ASSUMPTION, "No books apply a corporate action before it is scheduled on chain.")
    BOOKED_IN_WINDOW = (
        "A3",
        Kind.ASSUMPTION,
        "All books have wholly applied it, and what they signed before has expired, when ca_window_secs are over.",
    )
    RESUMER_LOOKS = ("A4", Kind.ASSUMPTION, "The resumer clears a hold only when no entry states more than is there.")

    def __init__(self, number: str, kind: Kind, sentence: str) -> None:
        self.number = number
        self.kind = kind
        self.sentence = sentence

    # Members are unique; Enum's own hash is a Python function, which the exploration would call millions of times.
    __hash__ = object.__hash__


ALL = frozenset(Rule)
