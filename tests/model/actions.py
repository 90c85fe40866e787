"""What can happen, each with its guards.

A malicious operator and relayer do whatever is possible; custodians, admin and resumer keep to the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.model.kinds import TICK, Action, Kind, Step
from tests.model.program import Program
from tests.model.rules import Rule
from tests.model.world import (
    LONG_AGO,
    OLDER,
    SKEW,
    Books,
    Custodian,
    Entry,
    EntryState,
    Stage,
    State,
    Statement,
    backing,
    claims,
    normal,
    ticked,
)

FAR_AHEAD = 3
"""A stamp that no clock allows."""


class Model(Program):
    """The steps out of a state, under some rules and within bounds."""

    def steps(self, state: State) -> Iterator[Step]:
        """All actions that are possible now, each with the state after it (not canonical)."""
        yield TICK, state._replace(first=ticked(state.first), second=ticked(state.second))
        yield from self.of_both(state)
        for who in self.bounds.acting:
            yield from self.of_one(state, who)
            yield from self.moving(state, who)
            yield from self.booking(state, who)

    def of_both(self, state: State) -> Iterator[Step]:
        """Supply, hold, retirement and the corporate action on chain."""
        yield from self._supply(state)
        if state.hold:
            yield from self._clearing(state)
        if self.bounds.retire and not state.retired:
            yield Action(Kind.RETIRE), state._replace(retired=True)
        if self.bounds.corporate_action:
            yield from self._multiplier(state)

    def of_one(self, state: State, who: int) -> Iterator[Step]:
        """A custodian's statements, entry and redemptions. Of the other custodian only `may_lose`, `may_settle`
        and `may_accept` depend."""
        yield from self._statements(state, who)
        yield from self._entry(state, who)
        if self.bounds.redemptions:
            yield from self._redemptions(state, who)

    def may_lose(self, state: State) -> bool:
        """Whether a share may be missing: a loss below what is claimed already breaks the property by itself, no rule
        of a program prevents it."""
        return self.bounds.loss and claims(state) < backing(state)

    def may_settle(self, state: State) -> bool:
        """Whether there is something to redeem, within bounds."""
        return state.supply > 0 and sum(one.books.redeemed for one in state.custodians) < self.bounds.redemptions

    def may_accept(self, state: State) -> bool:
        """Whether a redemption may wait that nobody has accepted, within bounds."""
        known = sum(max(one.books.agreed, one.books.redeemed) for one in state.custodians)
        return state.supply > 0 and known < self.bounds.redemptions

    # The ceiling.

    def _supply(self, state: State) -> Iterator[Step]:
        held = state.hold or (state.stage == Stage.PENDING and self.on(Rule.HELD_AROUND))
        below = state.supply + 1 <= max(0, self.backed(state)) or not self.on(Rule.CEILING)
        if below and not held and not state.retired:
            yield Action(Kind.MINT), state._replace(supply=state.supply + 1)
        if state.supply:
            yield Action(Kind.BURN), state._replace(supply=state.supply - 1)

    # Statements.

    def _statements(self, state: State, who: int) -> Iterator[Step]:
        custodian = state.custodians[who]
        if custodian.entry.state >= EntryState.DETACHED:
            return
        for kind, statement in self._signable(state, custodian):
            if len(custodian.flight) < self.bounds.flight and statement not in custodian.flight:
                flight = (*custodian.flight, statement)
                yield Action(kind, who, statement), self._with(state, who, custodian._replace(flight=flight))
        if state.retired and not self.on(Rule.RETIRED_TAKES_STATEMENTS):
            return
        for statement in custodian.flight:
            if self._takes(state, custodian.entry, statement):
                yield Action(Kind.DELIVER, who, statement), self._delivered(state, who, statement)

    def _signable(self, state: State, custodian: Custodian) -> Iterator[tuple[Kind, Statement]]:
        books, entry = custodian.books, custodian.entry
        seen = books.counted if self.on(Rule.SEEN_FROM_BOOKS) else entry.total
        capacity = books.capacity(state.multiplier)
        if not self.on(Rule.SEEN_SUFFICES):
            capacity = max(0, capacity)
        if capacity >= 0 and (books.multiplier == state.multiplier or not self.on(Rule.SAME_MULTIPLIER)):
            for observed in self._stamps(entry):
                yield Kind.SIGN, Statement(observed, capacity, seen, state.multiplier)
        if not self.on(Rule.QUORUM):
            yield Kind.FORGE, Statement(SKEW, capacity + 1, seen, state.multiplier)
        if not self.on(Rule.OWN_PARTY) and entry.state == EntryState.ATTACHED:
            yield Kind.SIGN_WITHOUT, Statement(SKEW, entry.capacity, entry.seen, entry.multiplier)

    def _stamps(self, entry: Entry) -> Iterator[int]:
        """Times of observation that a signer accepts now and the chain might take."""
        if entry.observed < 0:
            yield 0
        if self.bounds.ahead and entry.observed < SKEW:
            yield SKEW
        if not self.on(Rule.SIGNER_CLOCK):
            yield FAR_AHEAD

    def _clearing(self, state: State) -> Iterator[Step]:
        if self._clearable(state):
            yield Action(Kind.CLEAR), state._replace(hold=False, clear_signed=False)
            if not state.clear_signed:
                yield Action(Kind.SIGN_CLEAR), state._replace(clear_signed=True)
        elif state.clear_signed:
            yield Action(Kind.CLEAR_LATE), state._replace(hold=False, clear_signed=False)

    def _clearable(self, state: State) -> bool:
        if not self.on(Rule.RESUMER_LOOKS):
            return True
        return all(
            not books.half_booked
            and (entry.state != EntryState.ATTACHED or entry.capacity + entry.seen <= books.true_sum)
            for books, entry, _ in state.custodians
        )

    def tidy(self, custodian: Custodian, multiplier: int) -> Custodian:
        """The custodian in its normal form, without statements that can never be delivered: they change nothing."""
        key = (custodian, multiplier)
        known = self._tidy.get(key)
        if known is None:
            flight = tuple(one for one in custodian.flight if self._alive(custodian.entry, one, multiplier))
            known = self._tidy[key] = normal(custodian._replace(flight=flight))
        return known

    def _alive(self, entry: Entry, statement: Statement, multiplier: int) -> bool:
        if entry.state >= EntryState.DETACHED and self.on(Rule.VOID_AT_ATTACH) and statement.observed <= SKEW:
            return False
        # A multiplier comes back only by a second action.
        back = self.bounds.second and not self.on(Rule.OBSERVED_AFTER_CHANGE)
        return (statement.multiplier == multiplier or back) and (
            statement.observed > entry.observed or not self.on(Rule.RISING)
        )

    # Entries.

    def _entry(self, state: State, who: int) -> Iterator[Step]:
        custodian = state.custodians[who]
        entry = custodian.entry
        less = custodian.books._replace(in_hand=custodian.books.in_hand - 1)
        loses = self.may_lose(state) and less.capacity(less.multiplier) >= 0
        if self.bounds.withdraw and entry.state == EntryState.ATTACHED:
            observed = SKEW if self.on(Rule.VOID_AT_WITHDRAW) else entry.observed
            kept = entry.confirmed and not self.on(Rule.WITHDRAWN_UNCONFIRMED)
            withdrawn = entry._replace(state=EntryState.WITHDRAWN, capacity=0, observed=observed, confirmed=kept)
            void = custodian._replace(entry=withdrawn)
            yield Action(Kind.WITHDRAW, who), self._with(state, who, void)
            if loses:
                yield Action(Kind.MISSING_WITHDRAWN, who), self._with(state, who, void._replace(books=less))
        if self.bounds.detach and entry.state < EntryState.DETACHED:
            kept = entry.confirmed and not self.on(Rule.WITHDRAWN_UNCONFIRMED)
            detached = entry._replace(state=EntryState.DETACHED, capacity=0, confirmed=kept)
            gone = custodian._replace(entry=detached)
            yield Action(Kind.DETACH, who), self._with(state, who, gone)
            if loses:
                yield Action(Kind.MISSING_DETACHED, who), self._with(state, who, gone._replace(books=less))
        if self.bounds.slots and entry.state == EntryState.DETACHED:
            yield from self._slot_taken(state, who)
        for_ever = entry.state == EntryState.RETIRED and self.on(Rule.RETIRED_FOR_EVER)
        if entry.state >= EntryState.DETACHED and not for_ever:
            observed = SKEW if self.on(Rule.VOID_AT_ATTACH) else entry.observed
            back = entry._replace(state=EntryState.WITHDRAWN, observed=observed)
            if not self.on(Rule.COUNTERS_SURVIVE):
                back = back._replace(seen=0, total=0)
            yield Action(Kind.ATTACH, who), self._with(state, who, custodian._replace(entry=back))

    def _slot_taken(self, state: State, who: int) -> Iterator[Step]:
        """Nothing of the entry is left. The new custodian's own shares and statements are left out: it is one more of
        those that the model has."""
        custodian = state.custodians[who]
        entry = custodian.entry
        if entry.total == entry.seen or not self.on(Rule.SLOT_SEEN):
            after = EntryState.RETIRED if entry.total else EntryState.TAKEN
            taken = custodian._replace(entry=Entry(after, LONG_AGO, 0, 0, 0, 0))
            yield Action(Kind.TAKE, who), self._with(state, who, taken)

    # Redemptions. A request and its cancelling move tokens only and are left out.

    def _redemptions(self, state: State, who: int) -> Iterator[Step]:
        custodian = state.custodians[who]
        books, entry = custodian.books, custodian.entry
        covered = self.fresh(state, entry) and entry.capacity - (entry.total - entry.seen) >= 1
        known = entry.state < EntryState.DETACHED
        if self.may_accept(state) and known:
            yield Action(Kind.ACCEPT, who), self._with_books(state, who, books._replace(agreed=books.agreed + 1))
        accepted = books.agreed > books.redeemed or not self.on(Rule.ACCEPTED_FIRST)
        if self.may_settle(state) and accepted and (covered or not self.on(Rule.SETTLE_COVERED)) and known:
            after = custodian._replace(
                books=books._replace(redeemed=books.redeemed + 1), entry=entry._replace(total=entry.total + 1)
            )
            yield Action(Kind.SETTLE, who), self._with(state, who, after)._replace(supply=state.supply - 1)
        # Nobody delivers what it has not agreed to.
        if books.counted < min(books.redeemed, books.agreed):
            halves = 2 if self.on(Rule.OWED_AT_BOOKS) else 2 << (1 + state.multiplier - books.multiplier) >> 1
            counted = books._replace(counted=books.counted + 1, aside_halves=books.aside_halves + halves)
            if counted.capacity(books.multiplier) >= 0 or not self.on(Rule.SEEN_SUFFICES):
                yield Action(Kind.COUNT, who), self._with_books(state, who, counted)
            if self.bounds.returns:
                yield Action(Kind.RETURN, who), self._with_books(state, who, self._returned(books))
        if books.returned and books.in_hand > books.leaving:
            paid = books._replace(in_hand=books.in_hand - 1, returned=books.returned - 1)
            yield Action(Kind.PAY_RETURNED, who), self._with_books(state, who, paid)._replace(outside=state.outside + 1)
        owed = books.counted - books.paid
        if owed and books.in_hand - books.leaving >= owed:
            paid = books._replace(in_hand=books.in_hand - owed, paid=books.counted, aside_halves=0)
            yield Action(Kind.PAY, who), self._with_books(state, who, paid)._replace(outside=state.outside + owed)

    def _returned(self, books: Books) -> Books:
        """The broker rejected a redemption after the burn: passed as counted, nothing owed, the shares kept."""
        if not self.on(Rule.RETURN_SEEN):
            return books._replace(agreed=books.agreed - 1)
        returned = books.returned + (not self.on(Rule.PAID_OR_RETURNED))
        return books._replace(counted=books.counted + 1, paid=books.paid + 1, returned=returned)

    # Shares.

    def moving(self, state: State, who: int) -> Iterator[Step]:
        """Shares that come and leave."""
        if not self.bounds.leaving:
            return
        custodian, other = state.custodians[who], state.custodians[1 - who]
        books = custodian.books
        movable = not books.half_booked or not self.on(Rule.BOOKED_ALONE)
        if state.outside and movable:
            more = books._replace(in_hand=books.in_hand + 1)
            yield Action(Kind.DEPOSIT, who), self._with_books(state, who, more)._replace(outside=state.outside - 1)
        if not books.leaving and movable and books.in_hand > books.counted - books.paid:
            marked = books._replace(leaving=1, leave_after=SKEW)
            if marked.capacity(books.multiplier) >= 0:
                yield Action(Kind.MARK, who), self._with_books(state, who, marked)
        if books.leaving and self.on(Rule.UNMARK):
            yield Action(Kind.UNMARK, who), self._with_books(state, who, books._replace(leaving=0))
        if books.leaving and self._may_leave(state, custodian):
            left = books._replace(in_hand=books.in_hand - 1, leaving=0, leave_after=LONG_AGO)
            yield Action(Kind.RELEASE, who), self._released(state, who, left)
        if not self.on(Rule.MOVE_LEAVES_FIRST) and other.books.leaving and not books.incoming:
            yield Action(Kind.COUNT_INCOMING, who), self._with_books(state, who, books._replace(incoming=1))

    def _released(self, state: State, who: int, left: Books) -> State:
        after = self._with_books(state, who, left)
        other = state.custodians[1 - who].books
        if other.incoming:
            return self._with_books(after, 1 - who, other._replace(in_hand=other.in_hand + 1, incoming=0))
        return after._replace(outside=state.outside + 1)

    def _may_leave(self, state: State, custodian: Custodian) -> bool:
        """M13."""
        books, entry, _ = custodian
        none = entry.state != EntryState.ATTACHED
        if none and self.on(Rule.LEAVE_NOT_WITHDRAWN):
            return False
        # Without that rule a withdrawn entry passes for a statement of zero shares.
        if not none:
            if self.on(Rule.LEAVE_AFTER_STATEMENT) and not _without_the_shares(books, entry):
                return False
            after_skew = self.on(Rule.LEAVE_AFTER_STATEMENT) and self.on(Rule.LEAVE_AFTER_SKEW)
            if after_skew and entry.observed <= books.leave_after:
                return False
        if self.on(Rule.LEAVE_COVERS_UNSEEN) and entry.capacity < entry.total - entry.seen:
            return False
        if state.hold and self.on(Rule.LEAVE_NO_HOLD):
            return False
        if self.on(Rule.LEAVE_NOT_AROUND):
            one_multiplier = books.multiplier == entry.multiplier == state.multiplier
            if not one_multiplier or self._near(state, entry):
                return False
        backed = self.backed(state) if self.on(Rule.LEAVE_NO_MAX0) else max(0, self.backed(state))
        return state.supply <= backed or not self.on(Rule.LEAVE_BACKED)

    # The corporate action.

    def _multiplier(self, state: State) -> Iterator[Step]:
        if state.stage == Stage.NONE or (state.stage == Stage.CANCELLED and state.goal):
            for goal in (state.goal,) if state.goal else (1, -1):
                yield Action(Kind.SCHEDULE, goal=goal), state._replace(goal=goal, stage=Stage.PENDING)
        if self._may_go_back(state):
            older = self._each(state, self._without_older(state.multiplier))
            yield Action(Kind.SCHEDULE, goal=0), older._replace(goal=0, stage=Stage.PENDING)
        if state.stage == Stage.PENDING:
            if self.bounds.cancel and state.goal:
                yield Action(Kind.CANCEL), state._replace(stage=Stage.CANCELLED)
            effect = self._each(state, _unconfirmed)
            yield Action(Kind.EFFECT), effect._replace(stage=Stage.WINDOW, multiplier=state.goal)
        books = [state.custodians[who].books for who in self.bounds.acting]
        if state.stage == Stage.WINDOW:
            done = all(one.shares_at == one.multiplier == state.goal for one in books)
            if done or not self.on(Rule.BOOKED_IN_WINDOW):
                yield Action(Kind.CLOSE_WINDOW), self._expired(state)._replace(stage=Stage.OVER)
        if state.stage == Stage.CANCELLED:
            begun = any(one.shares_at or one.multiplier for one in books)
            if not any(one.half_booked for one in books) or not self.on(Rule.BOOKED_IN_WINDOW):
                goal = state.goal if begun else 0
                yield Action(Kind.CLOSE_WINDOW), self._expired(state)._replace(stage=Stage.NONE, goal=goal)
        if not self.on(Rule.SCHEDULED_FIRST) and not state.goal and state.stage == Stage.NONE:
            for goal in (1, -1):
                early = state._replace(goal=goal)
                for who in (0, 1):
                    yield from self._bookings(early, who)

    def booking(self, state: State, who: int) -> Iterator[Step]:
        """The corporate action in a custodian's books."""
        if state.goal or state.stage != Stage.NONE:
            yield from self._bookings(state, who)

    def _bookings(self, state: State, who: int) -> Iterator[Step]:
        books = state.custodians[who].books
        begun = books.half_booked
        announced = state.stage in (Stage.PENDING, Stage.WINDOW, Stage.OVER) or not self.on(Rule.SCHEDULED_FIRST)
        alone = not books.leaving or not self.on(Rule.BOOKED_ALONE)
        if not begun and not (announced and alone):
            return
        if books.shares_at != state.goal:
            yield Action(Kind.BOOK_SHARES, who), self._with_books(state, who, books._replace(shares_at=state.goal))
        if books.multiplier != state.goal:
            yield Action(Kind.BOOK_MULTIPLIER, who), self._with_books(state, who, books._replace(multiplier=state.goal))

    def _may_go_back(self, state: State) -> bool:
        """Whether a second action may lead back to where the first began, with the admin's signature: all books have
        applied the first."""
        books = [state.custodians[who].books for who in self.bounds.acting]
        applied = all(one.shares_at == one.multiplier == state.goal for one in books)
        return self.bounds.second and state.goal == state.multiplier != 0 and applied

    def _without_older(self, multiplier: int) -> Callable[[Entry], Entry]:
        """How scheduling leaves an entry: one of an older multiplier than that in force never counts again."""
        kept = not self.on(Rule.OBSERVED_AFTER_CHANGE)
        return lambda entry: entry if kept or entry.multiplier == multiplier else entry._replace(multiplier=OLDER)

    @staticmethod
    def _each(state: State, change: Callable[[Entry], Entry]) -> State:
        first, second = (one._replace(entry=change(one.entry)) for one in state.custodians)
        return state._replace(first=first, second=second)

    def _expired(self, state: State) -> State:
        state = self._each(state, _unconfirmed)
        if not self.on(Rule.EXPIRY):
            return state
        return state._replace(first=state.first._replace(flight=()), second=state.second._replace(flight=()))

    def _with_books(self, state: State, who: int, books: Books) -> State:
        return self._with(state, who, state.custodians[who]._replace(books=books))


def _unconfirmed(entry: Entry) -> Entry:
    return entry._replace(confirmed=False)


def _without_the_shares(books: Books, entry: Entry) -> bool:
    """Whether the entry states no more shares than stay in the books, both at their own multiplier (times 2, exact)."""
    return entry.capacity << (1 + entry.multiplier) <= (books.in_hand - books.leaving) << (1 + books.shares_at)
