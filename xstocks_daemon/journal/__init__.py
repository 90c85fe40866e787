"""What must not be forgotten: intents, attempts, evidence, halts (design, section 6.3). Begin with `open_journal`."""

from xstocks_daemon.journal.port import (
    Attempt,
    AttemptRecord,
    Equivocation,
    Event,
    HaltStore,
    IntentRecord,
    Journal,
    JournalConflict,
    JournalError,
    JournalTooNew,
    LeaseHeld,
    LeaseLost,
    LookupTableRecord,
    WrongJournal,
)
from xstocks_daemon.journal.sqlite import open_journal

__all__ = [
    "Attempt",
    "AttemptRecord",
    "Equivocation",
    "Event",
    "HaltStore",
    "IntentRecord",
    "Journal",
    "JournalConflict",
    "JournalError",
    "JournalTooNew",
    "LeaseHeld",
    "LeaseLost",
    "LookupTableRecord",
    "WrongJournal",
    "open_journal",
]
