"""What the daemon asks of its journal (design, section 6.3). Nothing is sent that is not in here (M11).

Two kinds of writes. Those of the daemon's work need the lease: each checks its epoch in its own transaction, and
raises LeaseLost once somebody else has taken it. Those of a person (`place_order`, `approve_burn`, ...) come from
another process while the daemon runs, touch neither a live intent nor an attempt, and need no lease.

Every write is one transaction that is durable when the call returns, and is finished even if the caller is cancelled.
A write that finds another state than it expects changes nothing and raises JournalConflict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from xstocks_daemon.domain.intent import AttemptState, Intent, IntentState
from xstocks_daemon.domain.plan_inputs import (
    AssetJournal,
    CustodianEvidence,
    Halt,
    JournalView,
    LiveIntent,
    Order,
    Totals,
)
from xstocks_daemon.domain.statement import SignedStatement
from xstocks_daemon.domain.units import Address


class JournalError(Exception):
    """The journal cannot do this; the message says what to do."""


class WrongJournal(JournalError):
    """The journal belongs to another cluster or program."""


class JournalTooNew(JournalError):
    """A newer version of this software has written the journal."""


class JournalConflict(JournalError):
    """The row is not in the state that the caller expected. Nothing was changed."""


class LeaseHeld(JournalError):
    """Somebody else holds the lease and it has not run out."""


class LeaseLost(JournalError):
    """Somebody else has taken the lease over. Nothing was written; the daemon must stop."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One signed transaction. `signature` 64 bytes, `wire` the full bytes that are sent, `blockhash` 32 bytes."""

    signature: bytes
    wire: bytes
    blockhash: bytes
    last_valid_block_height: int


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """An attempt as journaled, with the ids of its intents. `evidence`: why it is landed or dead."""

    attempt: Attempt
    state: AttemptState
    intent_ids: tuple[int, ...]
    evidence: Mapping[str, int | str]
    created_ms: int


@dataclass(frozen=True, slots=True)
class IntentRecord:
    """An intent as journaled. `note` says why it was dropped."""

    id: int
    intent: Intent
    intent_hash: bytes
    state: IntentState
    note: str
    created_ms: int
    changed_ms: int


@dataclass(frozen=True, slots=True)
class Equivocation:
    """A custodian signed two different entries for the same mint and time."""

    mint: Address
    custodian: Address
    observed_ms: int


@dataclass(frozen=True, slots=True)
class LookupTableRecord:
    """A lookup table on chain. `assets` in the order in which they were assigned; `ready` once all of its addresses
    are on chain and usable."""

    address: Address
    assets: tuple[Address, ...]
    ready: bool


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the audit log. `mint` is None where it is about no single asset."""

    id: int
    at_ms: int
    kind: str
    mint: Address | None
    detail: Mapping[str, int | str]


class LeaseStore(Protocol):
    """Who may do the daemon's work."""

    async def acquire_lease(self, holder: str, ttl_ms: int, *, take_over: bool = False) -> int:
        """Take the lease and return its new epoch. The same `holder` gets it back at once; another one when it has
        run out or with `take_over`. Raises LeaseHeld. Every write by the holder, and renew_lease, prolong it."""
        ...

    async def renew_lease(self) -> None:
        """Prolong the lease. Raises LeaseLost."""
        ...

    async def release_lease(self) -> None:
        """Give the lease back; without effect where it is already lost."""
        ...


class ViewStore(Protocol):
    """The journal as the plan reads it: all assets and open orders at one moment."""

    async def view(self) -> JournalView:
        """All assets and open orders, for the plan."""
        ...

    async def expected(self, mint: Address) -> AssetJournal:
        """One asset of `view`: next sequence and totals (`.totals`), and those once its live intent has executed
        (`.planned`)."""
        ...


class IntentStore(Protocol):
    """Intents: what was decided. Needs the lease to write."""

    async def record_intents(self, intents: Sequence[Intent]) -> tuple[LiveIntent, ...]:
        """Commit new intents, all or none, in the given order. JournalConflict where the asset has a live intent, the
        sequence is not its next one, the asset is halted, or the order is not an open one with these values."""
        ...

    async def drop_intent(self, intent_id: int, why: str) -> None:
        """PENDING to DROPPED: it has no live attempt and is not wanted any more. Its order stays open."""
        ...

    async def live_intents(self) -> tuple[IntentRecord, ...]:
        """PENDING and SUBMITTED intents, oldest first."""
        ...

    async def intents(
        self, *, mint: Address | None = None, state: IntentState | None = None, limit: int = 100
    ) -> tuple[IntentRecord, ...]:
        """The newest intents, newest first; for people."""
        ...


class AttemptStore(Protocol):
    """Attempts: what was signed and sent, and what became of it. Needs the lease to write."""

    async def record_attempt(self, attempt: Attempt, intent_ids: Sequence[int]) -> None:
        """Commit a signed transaction BEFORE it is sent; its intents go from PENDING to SUBMITTED, all or none."""
        ...

    async def mark_landed(self, signature: bytes, evidence: Mapping[str, int | str]) -> None:
        """The attempt executed: LIVE to LANDED, its intents to DONE, totals move, orders are done."""
        ...

    async def mark_dead(self, signature: bytes, proof: Mapping[str, int | str]) -> None:
        """The attempt is proved never to execute: LIVE to DEAD, its intents back to PENDING."""
        ...

    async def live_attempts(self) -> tuple[AttemptRecord, ...]:
        """Attempts that may still execute, oldest first."""
        ...

    async def all_attempts_for(self, mint: Address, sequence: int) -> tuple[tuple[AttemptRecord, IntentRecord], ...]:
        """Every attempt ever made for this number of this asset, with its intent (and intent_hash), oldest first."""
        ...


class EvidenceStore(Protocol):
    """The custodians' statements. Needs the lease to write."""

    async def record_statements(self, statements: Sequence[SignedStatement]) -> tuple[Equivocation, ...]:
        """Keep verified statements as evidence (newest and previous per custodian and mint). One that is not newer
        changes nothing. Equivocations are returned and leave the first entry in place; the caller halts the asset."""
        ...

    async def evidence(self) -> Mapping[Address, Mapping[Address, CustodianEvidence]]:
        """mint -> custodian -> what is known: the `evidence` of a CustodyView."""
        ...


class HaltStore(Protocol):
    """Assets that are left alone. The daemon halts and quarantines under the lease; a person clears a halt without
    it."""

    async def record_halt(self, halt: Halt) -> bool:
        """Halt an asset. False where it is halted already (the first reason stays)."""
        ...

    async def clear_halt(self, mint: Address, person: str) -> None:
        """Let the daemon work on the asset again. JournalConflict where it is not halted."""
        ...

    async def quarantine(self, mint: Address, reason: str, until_ms: int) -> None:
        """Leave the asset alone until `until_ms` (Unix milliseconds), for `reason`."""
        ...


class SupplyStore(Protocol):
    """What explains supply beside the intents (M12). The daemon records holders' burns under the lease; the rest is
    people's, without it."""

    async def record_holder_burn(self, mint: Address, holder_burnt_raw: int) -> None:
        """Record that holders have now burnt this much in all. JournalConflict where it is less than recorded."""
        ...

    async def acknowledge_holder_burn(self, mint: Address, up_to_raw: int, person: str) -> int:
        """`person` acknowledges holder burns up to this total. Returns what two different people have acknowledged
        by now. JournalConflict where `up_to_raw` is above the recorded total."""
        ...

    async def approve_burn(self, mint: Address, up_to_raw: int, person: str) -> None:
        """Approve burns of at most this amount in all, in place of an earlier approval; each intent uses up what it
        burns."""
        ...

    async def adopt_baseline(
        self, mint: Address, totals: Totals, holder_burnt_raw: int, people: tuple[str, str]
    ) -> None:
        """Take the chain's state as the journal's, for an asset whose history this journal does not hold (a journal
        was lost, or another daemon worked here). Two people vouch that no other daemon works on the asset and that no
        transaction of it is under way. JournalConflict where the asset has a live intent or the people are one."""
        ...


class OrderStore(Protocol):
    """Orders of people to distribute; written without the lease."""

    async def place_order(self, order: Order, person: str) -> None:
        """Ask for a distribution. JournalConflict where the order_id was ever used."""
        ...

    async def cancel_order(self, order_id: bytes, person: str) -> None:
        """Take an open order back. JournalConflict where it is not open or has a live intent."""
        ...


class LookupTableStore(Protocol):
    """The operator's lookup tables. Needs the lease to write."""

    async def record_lookup_table(self, table: LookupTableRecord) -> None:
        """Add or replace a lookup table. An asset belongs to at most one: to the one recorded last."""
        ...

    async def lookup_tables(self) -> tuple[LookupTableRecord, ...]:
        """All tables, in the order in which they were added."""
        ...


class AuditLog(Protocol):
    """The audit log: what was done, by whom. Needs the lease to write."""

    async def record_event(self, kind: str, mint: Address | None, detail: Mapping[str, int | str]) -> None:
        """Add a line to the audit log. Only the newest EVENTS_KEPT lines are kept."""
        ...

    async def events(self, *, mint: Address | None = None, limit: int = 100) -> tuple[Event, ...]:
        """The newest lines, newest first."""
        ...


class Journal(
    LeaseStore,
    ViewStore,
    IntentStore,
    AttemptStore,
    EvidenceStore,
    HaltStore,
    SupplyStore,
    OrderStore,
    LookupTableStore,
    AuditLog,
    Protocol,
):
    """All of the journal. Times in Unix milliseconds come from the journal's own clock unless given."""

    async def close(self) -> None:
        """Close the connections; waits for writes under way."""
        ...
