"""What a sidecar's own books and finalized chain say of one mint: the most it would sign, or why it signs nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from xstocks_daemon.attester.books import Books, Target
from xstocks_daemon.custody.verify import effective_multiplier_bits, pending_change_ts
from xstocks_daemon.domain.snapshot import ChainSnapshot, chain_entry
from xstocks_daemon.domain.statement import StatementEntry
from xstocks_daemon.domain.units import Address, UnitError, capacity_raw, multiplier_text


class EntryRefusalReason(Enum):
    """Why a mint is left out of a statement, or refused to a proposer."""

    UNKNOWN_ASSET = "unknown_asset"
    RIPCORD = "ripcord"
    NOT_REGISTERED = "not_registered"
    NOT_ATTACHED = "not_attached"
    MULTIPLIER_DIFFERS = "multiplier_differs"
    DECIMALS_DIFFER = "decimals_differ"
    SEEN_ABOVE_TOTAL = "seen_above_total"
    OUT_OF_RANGE = "out_of_range"
    TOO_EARLY = "too_early"
    ASK_ALONE = "ask_alone"
    WRONG_CAPACITY = "wrong_capacity"


@dataclass(frozen=True, slots=True)
class EntryRefusal:
    """A mint that this sidecar signs nothing of, and why."""

    mint: Address
    reason: EntryRefusalReason
    detail: str


@dataclass(frozen=True, slots=True)
class OwnEntry:
    """A mint's own numbers: an entry as this sidecar would propose it, and what the chain says of the mint.

    `last_observed_ms`: a newer time is needed. `chain_sum_raw`: capacity_raw + redeemed_seen_raw of the chain's entry.
    `changes_at_ts`: when its multiplier changes, None if no change is
    pending.
    """

    entry: StatementEntry
    decimals: int
    redeemed_total_raw: int
    last_observed_ms: int
    chain_sum_raw: int
    changes_at_ts: int | None

    @property
    def sum_raw(self) -> int:
        """capacity_raw + redeemed_seen_raw: anything up to it is signable."""
        return self.entry.capacity_raw + self.entry.redeemed_seen_raw

    def at_most(self, shares_nano: int, redeemed_seen_raw: int | None = None) -> OwnEntry:
        """The same with no more than these shares and seen redemptions; the capacity follows."""
        entry = self.entry
        shares_nano = min(entry.shares_nano, shares_nano)
        seen_raw = (
            entry.redeemed_seen_raw if redeemed_seen_raw is None else min(entry.redeemed_seen_raw, redeemed_seen_raw)
        )
        capacity = capacity_raw(shares_nano, entry.multiplier_bits, self.decimals)
        lower = StatementEntry(entry.mint, entry.multiplier_bits, shares_nano, capacity, seen_raw)
        return replace(self, entry=lower)

    def must_stand_alone(self, expires_ts: int) -> bool:
        """Whether the multiplier changes before the statement expires, which would void a shared digest."""
        return self.changes_at_ts is not None and self.changes_at_ts < expires_ts


def own_entry(books: Books, snapshot: ChainSnapshot, custodian: Address, mint: Address) -> OwnEntry | EntryRefusal:
    """Shares, seen redemptions, multiplier and decimals from the books, never from the chain (M13); the counter that
    bounds the seen redemptions from the chain's finalized state."""

    def none(reason: EntryRefusalReason, detail: str) -> EntryRefusal:
        return EntryRefusal(mint, reason, detail)

    target = Target(snapshot.genesis_hash, snapshot.program_id, mint)
    book = books.by_target.get(target)
    if book is None:
        return none(EntryRefusalReason.UNKNOWN_ASSET, "the books have no allotment to this mint")
    if book.ripcord is not None:
        return none(EntryRefusalReason.RIPCORD, book.ripcord)
    view = snapshot.assets.get(mint)
    if view is None:
        return none(EntryRefusalReason.NOT_REGISTERED, "the program has no asset of this mint")
    entry = chain_entry(view, custodian)
    if entry is None:
        return none(EntryRefusalReason.NOT_ATTACHED, "this custodian is not attached to the asset")
    in_force = effective_multiplier_bits(view, snapshot.now_ts)
    if in_force != book.multiplier_bits:
        chain_says = "not settled" if in_force is None else multiplier_text(in_force)
        return none(
            EntryRefusalReason.MULTIPLIER_DIFFERS,
            f"the books use multiplier {book.multiplier}, the chain's is {chain_says}",
        )
    if view.asset.decimals != book.decimals:
        return none(
            EntryRefusalReason.DECIMALS_DIFFER,
            f"the books say that the mint has {book.decimals} decimals, the chain {view.asset.decimals}",
        )
    if book.redeemed_seen_raw > entry.redeemed_total_raw:
        return none(
            EntryRefusalReason.SEEN_ABOVE_TOTAL,
            f"the books count {book.redeemed_seen_raw} raw redeemed, the chain {entry.redeemed_total_raw}",
        )
    shares_nano = book.attested_nano(target)
    try:
        capacity = capacity_raw(shares_nano, book.multiplier_bits, book.decimals)
    except UnitError as error:
        return none(EntryRefusalReason.OUT_OF_RANGE, str(error))
    own = StatementEntry(mint, book.multiplier_bits, shares_nano, capacity, book.redeemed_seen_raw)
    return OwnEntry(
        entry=own,
        decimals=book.decimals,
        redeemed_total_raw=entry.redeemed_total_raw,
        last_observed_ms=entry.observed_ms,
        chain_sum_raw=0 if entry.withdrawn else entry.capacity_raw + entry.redeemed_seen_raw,
        changes_at_ts=pending_change_ts(view, snapshot.now_ts),
    )
