"""What the program does with a statement: when an entry counts, when it is taken, confirms a change, or holds."""

from __future__ import annotations

from tests.model.rules import Rule
from tests.model.world import (
    OLDER,
    SKEW,
    Bounds,
    Custodian,
    Entry,
    EntryState,
    Stage,
    State,
    Statement,
)


class Program:
    """The ceiling and the taking of statements, under some rules and within bounds."""

    def __init__(self, bounds: Bounds, rules: frozenset[Rule]) -> None:
        self.bounds = bounds
        self.rules = rules
        self._tidy: dict[tuple[Custodian, int], Custodian] = {}

    def on(self, rule: Rule) -> bool:
        """Whether the rule holds."""
        return rule in self.rules

    def fresh(self, state: State, entry: Entry) -> bool:
        """Attached, not withdrawn, with the multiplier in force. Old age only takes capacity away, as withdrawing
        does, and is left out."""
        return entry.state == EntryState.ATTACHED and (
            entry.multiplier == state.multiplier or not self.on(Rule.NEW_MULTIPLIER)
        )

    def backed(self, state: State) -> int:
        """Fresh capacities - unseen redemptions, without the max(0)."""
        total = 0
        for custodian in state.custodians:
            entry = custodian.entry
            fresh = self.fresh(state, entry)
            if fresh:
                total += entry.capacity
            if self.on(Rule.UNSEEN) and (fresh or self.on(Rule.UNSEEN_OF_ALL)):
                total -= max(0, entry.total - entry.seen)
        return total

    def _takes(self, state: State, entry: Entry, statement: Statement) -> bool:
        return (
            (statement.observed > entry.observed or not self.on(Rule.RISING))
            and statement.observed <= SKEW
            and statement.multiplier == state.multiplier
            and (statement.seen <= entry.total or not self.on(Rule.SEEN_AT_MOST_TOTAL))
        )

    def _delivered(self, state: State, who: int, statement: Statement) -> State:
        custodian = state.custodians[who]
        old = custodian.entry
        observed, capacity, seen, multiplier = statement
        entry = Entry(EntryState.ATTACHED, observed, capacity, seen, old.total, multiplier)
        held = self._must_hold(state, old, entry)
        entry = entry._replace(confirmed=self._confirmed(state, old, entry, held))
        hold = held or (state.hold and self.on(Rule.STICKY))
        kept = state.clear_signed and not (held and self.on(Rule.CLEAR_NUMBERED))
        return self._with(state, who, custodian._replace(entry=entry))._replace(hold=hold, clear_signed=kept)

    def _confirmed(self, state: State, old: Entry, new: Entry, held: bool) -> bool:
        first = state.stage == Stage.WINDOW and old.multiplier != new.multiplier
        if state.stage == Stage.CANCELLED and not self.on(Rule.CANCEL_UNCONFIRMED):
            first = not old.confirmed
        if not first:
            return old.confirmed
        rebooked = new.seen if self.on(Rule.SUM_LESS_SEEN) else 0
        before, after = old.capacity + old.seen - rebooked, new.capacity + new.seen - rebooked
        predecessor = old.state == EntryState.ATTACHED and old.multiplier != OLDER and 0 < before == after and not held
        return predecessor or not self.on(Rule.CONFIRMED_BY_QUORUM)

    def _must_hold(self, state: State, old: Entry, new: Entry) -> bool:
        rebooked = new.seen if self.on(Rule.SUM_LESS_SEEN) else 0
        before, after = old.capacity + old.seen - rebooked, new.capacity + new.seen - rebooked
        # An entry that stated nothing is no predecessor: no ratio can be taken of it.
        if old.state != EntryState.ATTACHED or before <= 0:
            in_window = state.stage == Stage.WINDOW and self.on(Rule.WINDOW)
            around = state.stage in (Stage.PENDING, Stage.CANCELLED) and self.on(Rule.WINDOW_WHILE_PENDING)
            return (in_window or around) and after > 0
        # Ten basis points of these numbers are none.
        if old.multiplier != new.multiplier and self.on(Rule.TOLERANCE) and after != before:
            return True
        around = self._near(state, old) and self.on(Rule.TOLERANCE_AROUND)
        if around and after > before:
            return True
        return self.on(Rule.RISE) and 10_000 * (after - before) > self.bounds.max_rise_bps * before

    def _near(self, state: State, entry: Entry) -> bool:
        """A change is near for an entry: announced, cancelled, or in force and not confirmed by it."""
        confirmable = state.stage == Stage.WINDOW or (
            state.stage == Stage.CANCELLED and not self.on(Rule.CANCEL_UNCONFIRMED)
        )
        if confirmable and entry.confirmed and self.on(Rule.CONFIRMED):
            return False
        return state.stage in (Stage.PENDING, Stage.WINDOW, Stage.CANCELLED)

    @staticmethod
    def _with(state: State, who: int, custodian: Custodian) -> State:
        return state._replace(second=custodian) if who else state._replace(first=custodian)
