"""What must not be forgotten: intents, attempts, evidence, halts (design, section 6.3). 

`open_journal(path, genesis_hash, program_id) -> Journal` (async) opens or makes one.
"""

from xstocks_daemon.journal.port import (
    Attempt,
    AttemptRecord,
    Equivocation,
    Event,
    IntentRecord,
    Journal,
    JournalConflict,
    JournalError,
    JournalTooNew,
    LeaseHeld,
    LeaseLost,
    LookupTable,
    WrongJournal,
)

__all__ = [
    "Attempt",
    "AttemptRecord",
    "Equivocation",
    "Event",
    "IntentRecord",
    "Journal",
    "JournalConflict",
    "JournalError",
    "JournalTooNew",
    "LeaseHeld",
    "LeaseLost",
    "LookupTable",
    "WrongJournal",
]
