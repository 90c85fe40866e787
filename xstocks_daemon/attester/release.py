"""May shares leave? M13, each condition by its name, all read at finalized:

| condition | holds when |
|---|---|
| quorum_entry | the custodian's own entry is attached and not withdrawn: it holds a quorum statement |
| without_the_shares | that entry states no more than the allotment without these shares and all marked before them |
| observed_after_mark | it was observed more than the allowed skew after the shares were marked to leave |
| covers_unseen | its capacity_raw is at least its own unseen redemptions |
| no_hold | no hold is on the asset |
| not_around_change | no multiplier change is near (see below); books, entry and chain have the same multiplier |
| supply_backed | supply <= sum of fresh capacities - unseen redemptions of all entries, without the max(0) |

A change is near from its announcement until its window is over; for an entry whose quorum has confirmed one that took
effect, until then.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from xstocks_daemon.attester.books import AssetBook, Leaving
from xstocks_daemon.custody.verify import effective_multiplier_bits
from xstocks_daemon.domain.snapshot import AssetView, ChainSnapshot, Entry, backing_raw, chain_entry
from xstocks_daemon.domain.units import MILLIS_PER_SEC, Address, shares_text


class Condition(Enum):
    """The names of M13's conditions."""

    QUORUM_ENTRY = "quorum_entry"
    WITHOUT_THE_SHARES = "without_the_shares"
    OBSERVED_AFTER_MARK = "observed_after_mark"
    COVERS_UNSEEN = "covers_unseen"
    NO_HOLD = "no_hold"
    NOT_AROUND_CHANGE = "not_around_change"
    SUPPLY_BACKED = "supply_backed"


@dataclass(frozen=True, slots=True)
class Unmet:
    """A condition that does not hold, with the numbers."""

    condition: Condition
    detail: str

    def __str__(self) -> str:
        return f"{self.condition.value}: {self.detail}"


def unmet_conditions(
    book: AssetBook, leaving: Leaving, custodian: Address, snapshot: ChainSnapshot, skew_ms: int
) -> tuple[Unmet, ...]:
    """What still keeps `leaving` from going; empty when it may go. `snapshot` is finalized and has its asset;
    `skew_ms` is the most that any signer's clock may be ahead."""
    view = snapshot.assets.get(leaving.target.mint)
    if view is None:
        return (Unmet(Condition.QUORUM_ENTRY, "the program has no asset of this mint"),)
    entry = _quorum_entry(view, custodian)
    unmet = [
        Unmet(condition, detail) for condition, holds, detail in _of_entry(book, leaving, entry, skew_ms) if not holds
    ]
    if view.asset.holds:
        unmet.append(Unmet(Condition.NO_HOLD, f"{view.asset.holds.name} is set; the resumer clears it"))
    now_ts = snapshot.now_ts
    if view.asset.around_change(now_ts, confirmed=entry is not None and entry.confirmed):
        unmet.append(Unmet(Condition.NOT_AROUND_CHANGE, "a multiplier change is announced, or its window is not over"))
    elif not effective_multiplier_bits(view, now_ts) == book.multiplier_bits == (entry or book).multiplier_bits:
        unmet.append(Unmet(Condition.NOT_AROUND_CHANGE, "books, entry and chain have different multipliers"))
    backed_raw = backing_raw(view, snapshot.custodians, snapshot.now_ts)
    if view.mint.supply_raw > backed_raw:
        detail = f"supply is {view.mint.supply_raw} raw, fresh statements back {backed_raw}: burn the difference first"
        unmet.append(Unmet(Condition.SUPPLY_BACKED, detail))
    return tuple(unmet)


def _quorum_entry(view: AssetView, custodian: Address) -> Entry | None:
    # Attaching leaves an entry withdrawn until its first statement.
    entry = chain_entry(view, custodian)
    return None if entry is None or entry.withdrawn else entry


def _of_entry(
    book: AssetBook, leaving: Leaving, entry: Entry | None, skew_ms: int
) -> list[tuple[Condition, bool, str]]:
    if entry is None:
        detail = "the custodian's entry is missing, detached or withdrawn"
        return [(Condition.QUORUM_ENTRY, False, detail)]
    allotment = book.allotment(leaving.target)
    allotted_nano = allotment.shares_nano if allotment else 0
    most_nano = allotted_nano - book.leaving_nano(leaving.target, until_ms=leaving.marked_ms)
    earliest_ms = leaving.marked_ms + skew_ms + 1
    return [
        (
            Condition.WITHOUT_THE_SHARES,
            entry.shares_nano <= most_nano,
            (
                f"the chain's statement has {shares_text(entry.shares_nano)} shares, "
                f"{shares_text(most_nano)} stay without the leaving ones"
            ),
        ),
        (
            Condition.OBSERVED_AFTER_MARK,
            entry.observed_ms >= earliest_ms,
            (
                f"the chain's statement is of {entry.observed_ms} ms, one of {earliest_ms} ms or later is needed "
                f"({skew_ms // MILLIS_PER_SEC} s of skew after the mark)"
            ),
        ),
        (
            Condition.COVERS_UNSEEN,
            entry.capacity_raw >= entry.unseen_raw,
            f"its capacity is {entry.capacity_raw} raw, {entry.unseen_raw} are redeemed and not yet counted",
        ),
    ]
