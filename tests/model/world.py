"""The model's world: two custodians with their books, what they signed, and the chain.

World is the model's own word for one bounded set of states; exploring it visits each of them (explore.py).

Amounts are whole raw units. Shares in hand are kept as the raw they can back in truth, whatever the multiplier: a
corporate action moves shares and multiplier alike. Multipliers are exponents of 2 against the one at the start.
Times are ticks against now (0); the allowed skew is one tick. Only the order of old times matters, see `normal`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

OLDER = 9
"""In the place of an entry's multiplier that is older than the one before the last change."""
SKEW = 1
LONG_AGO = -1


class EntryState(IntEnum):
    """Of an entry of the Asset account."""

    ATTACHED = 0
    """Holds a quorum statement."""
    WITHDRAWN = 1
    """Attached without a statement: just attached, or withdraw_entry."""
    DETACHED = 2
    TAKEN = 3
    """Another custodian has its slot; it never had a redemption and may be attached again."""
    RETIRED = 4
    """It is retired, and another custodian has its slot."""


class Stage(IntEnum):
    """Of the one corporate action on chain."""

    NONE = 0
    PENDING = 1
    """schedule_multiplier has landed, the old multiplier is in force."""
    WINDOW = 2
    """In force, less than ca_window_secs ago."""
    CANCELLED = 3
    """cancel_multiplier has landed, less than ca_window_secs ago."""
    OVER = 4


class Statement(NamedTuple):
    """Signed by a quorum and in the relayer's hands: deliverable in any order, at any time, or never."""

    observed: int
    capacity: int
    seen: int
    multiplier: int


class Entry(NamedTuple):
    """What the Asset account stores of a custodian. `confirmed`: the change that took effect, by its quorum."""

    state: EntryState
    observed: int
    capacity: int
    seen: int
    total: int
    multiplier: int
    confirmed: bool = False


class Books(NamedTuple):
    """A custodian's books, and the truth about its shares.

    `in_hand`: shares in custody, owed and leaving ones included. `leaving`: marked to leave; `leave_after` is the time
    of the mark + skew. `shares_at`, `multiplier`: up to which corporate action the shares, the multiplier are booked.
    `redeemed`: burnt for redemptions blamed on this custodian, ever; of it `counted` by the books and `paid` out.
    `agreed`: redemptions that it accepted, ever, settled or not; `returned`: passed with nothing owed and still payable
    by mistake (only without the rule that forbids it). `aside_halves`: half raws set aside for what is counted and
    unpaid. `incoming`: shares of another custodian that are counted already (only without the rule that forbids it).
    """

    in_hand: int
    leaving: int
    leave_after: int
    shares_at: int
    multiplier: int
    redeemed: int
    counted: int
    paid: int
    aside_halves: int
    incoming: int
    agreed: int = 0
    returned: int = 0

    @property
    def half_booked(self) -> bool:
        """Whether a corporate action is booked for the shares or for the multiplier only."""
        return self.shares_at != self.multiplier

    def capacity(self, multiplier: int) -> int:
        """What the books would state, by the design's formula; below 0 where more is set aside than there is."""
        halves = scaled(2 * (self.in_hand + self.incoming - self.leaving), self.shares_at - multiplier)
        return (halves - self.aside_halves) // 2

    @property
    def true_sum(self) -> int:
        """capacity + seen of an honest statement: redemptions and corporate actions do not change it."""
        return self.in_hand - self.leaving + self.paid


class Custodian(NamedTuple):
    """Books, entry, and the statements in flight (sorted)."""

    books: Books
    entry: Entry
    flight: tuple[Statement, ...]


class State(NamedTuple):
    """The world. `outside`: shares in nobody's custody. `goal`: the corporate action's multiplier, 0 if none yet.
    `clear_signed`: a clear_hold is signed and not landed; the next hold has another number and voids it."""

    first: Custodian
    second: Custodian
    outside: int
    supply: int
    multiplier: int
    goal: int
    stage: Stage
    hold: bool
    retired: bool
    clear_signed: bool

    @property
    def custodians(self) -> tuple[Custodian, Custodian]:
        """Both."""
        return self.first, self.second


class Bounds(NamedTuple):
    """How large a world is explored.

    `hands`: raw in the two custodians' hands at the start. `flight`: most statements in flight per custodian.
    `redemptions`: most that are ever settled. `returns`: brokers reject some of them after the burn. `ahead`: whether
    statements may be stamped up to the skew ahead.
    `alone`: only the second custodian acts. `slots`: other custodians take slots that are free. The others switch on:
    shares moving in and out, withdraw_entry, detaching and attaching, one corporate action in either direction and its
    cancelling, a second one back to where it began, retiring, shares that are found missing.
    `max_rise_bps`: 5,000 notices a doubling and lets 2 become 3; 10,000 lets a corporate action's doubling pass, as a
    real limit lets a small one pass.
    """

    hands: tuple[int, int] = (1, 1)
    flight: int = 2
    redemptions: int = 0
    returns: bool = False
    ahead: bool = False
    leaving: bool = False
    withdraw: bool = False
    detach: bool = False
    corporate_action: bool = False
    retire: bool = False
    loss: bool = False
    alone: bool = False
    slots: bool = False
    cancel: bool = True
    second: bool = False
    max_rise_bps: int = 5_000

    @property
    def acting(self) -> tuple[int, ...]:
        """The custodians that do anything."""
        return (1,) if self.alone else (0, 1)


def scaled(amount: int, exponent: int) -> int:
    """amount * 2^exponent, rounded down."""
    return amount << exponent if exponent >= 0 else amount >> -exponent


def start(bounds: Bounds) -> State:
    """A running system: both custodians attached, their statements on chain, nothing minted."""
    first, second = (_running(in_hand) for in_hand in bounds.hands)
    return ordered(bounds, State(first, second, 0, 0, 0, 0, Stage.NONE, hold=False, retired=False, clear_signed=False))


def _running(in_hand: int) -> Custodian:
    books = Books(in_hand, 0, LONG_AGO, 0, 0, 0, 0, 0, 0, 0)
    return Custodian(books, Entry(EntryState.ATTACHED, LONG_AGO, in_hand, 0, 0, 0), ())


def claims(state: State) -> int:
    """Tokens outstanding, in vaults and wallets alike, and redemptions burnt but not paid out, in raw."""
    return state.supply + sum(one.books.redeemed - one.books.paid for one in state.custodians)


def backing(state: State) -> int:
    """What all shares in hand can back in truth, in raw."""
    return sum(one.books.in_hand for one in state.custodians)


def unbacked(state: State) -> bool:
    """The safety property's negation: more claims than shares in custody."""
    return claims(state) > backing(state)


def settled(bounds: Bounds, state: State) -> bool:
    """Nothing is under way: no hold, no leaving, no redemption uncounted or unpaid, books and chain at one multiplier,
    all entries fresh and true."""
    return (
        not state.hold
        and state.stage in (Stage.NONE, Stage.OVER)
        and all(_is_settled(state.custodians[who], state.multiplier) for who in bounds.acting)
    )


def _is_settled(custodian: Custodian, multiplier: int) -> bool:
    books, entry, _ = custodian
    if entry.state == EntryState.RETIRED:
        return books.leaving == 0 and books.redeemed == books.paid
    return (
        books.leaving == 0
        and books.redeemed == books.counted == books.paid == entry.seen
        and books.shares_at == books.multiplier == entry.multiplier == multiplier
        and entry.state == EntryState.ATTACHED
        and entry.capacity == books.capacity(multiplier)
    )


def ordered(bounds: Bounds, state: State) -> State:
    """The custodians are interchangeable: one order of the two stands for both."""
    if state.first <= state.second or bounds.alone:
        return state
    return state._replace(first=state.second, second=state.first)


def normal(custodian: Custodian) -> Custodian:
    """A custodian with its old times moved together.

    Whatever is signed, marked, attached or withdrawn from now on gets a time of now or later, and times are only
    compared with others of the same custodian. So of times before now only the order matters: they become -1, -2, ..
    This makes time unbounded and the states finite.
    """
    books, entry, flight = custodian
    times = {entry.observed, *(one.observed for one in flight)}
    if books.leaving:
        times.add(books.leave_after)
    old = sorted(time for time in times if time < 0)
    place = {time: LONG_AGO - (len(old) - 1 - index) for index, time in enumerate(old)}
    leave_after = place.get(books.leave_after, books.leave_after) if books.leaving else LONG_AGO
    return Custodian(
        books._replace(leave_after=leave_after),
        entry._replace(observed=place.get(entry.observed, entry.observed)),
        tuple(sorted({one._replace(observed=place.get(one.observed, one.observed)) for one in flight})),
    )


def ticked(custodian: Custodian) -> Custodian:
    """A tick later."""
    return Custodian(
        custodian.books._replace(leave_after=custodian.books.leave_after - 1),
        custodian.entry._replace(observed=custodian.entry.observed - 1),
        tuple(one._replace(observed=one.observed - 1) for one in custodian.flight),
    )
