"""Where the compute units of mints go: Token-2022's by its log, the runtime's by its constants, the rest our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from bench.measure.meter import Reading

# Agave 4, program-runtime/src/execution_budget.rs (SVMTransactionExecutionCost).
INVOKE_UNITS = 946
BYTES_PER_UNIT = 250
SYSCALL_UNITS = 100
#: program-runtime/src/cpi.rs: of each account that a call names, and of each that it is given.
META_BYTES, INFO_BYTES = 34, 80

#: programs/xstocks_mint/src/cpi.rs: MintToChecked; in a Batch two lengths stand before it, and it takes so many.
CHECKED_BYTES, IN_BATCH_BYTES, MAX_SUPPLY_CALLS = 10, 12, 9


@dataclass(frozen=True, slots=True)
class Parts:
    """Compute units. `total` is all that the instruction took."""

    token_2022: int
    call: int
    event: int
    total: int

    @property
    def floor(self) -> int:
        """What remains of `total` when the program's own code takes nothing."""
        return self.token_2022 + self.call + self.event

    @property
    def own(self) -> int:
        """Compute units of the program's own code: the total less Token-2022's and the runtime's."""
        return self.total - self.floor


def parts_of(reading: Reading, entries: int, account_bytes: Sequence[int]) -> Parts:
    """Split the units of one mint instruction; `account_bytes` are the sizes of an entry's mint, vault and asset."""
    return Parts(
        token_2022=reading.token_units,
        call=sum(_call_units(at_once, account_bytes) for at_once in _calls(entries)),
        # sol_log_data (syscalls/src/logging.rs): the call, its one slice, and a unit per byte.
        event=sum(2 * SYSCALL_UNITS + length for length in reading.event_bytes),
        total=reading.units,
    )


def parts_each_more(one: Parts, all_together: Parts, entries: int) -> Parts:
    """What each further mint of the batch adds on average, rounded up."""
    return Parts(
        *(each_more(getattr(one, each.name), getattr(all_together, each.name), entries) for each in fields(Parts))
    )


def each_more(one: int, all_together: int, entries: int) -> int:
    """What each further entry adds on average, rounded up."""
    return -((one - all_together) // (entries - 1))


def _calls(entries: int) -> list[int]:
    """How many mints each call of Token-2022 has."""
    return [min(MAX_SUPPLY_CALLS, entries - start) for start in range(0, entries, MAX_SUPPLY_CALLS)]


def _call_units(at_once: int, account_bytes: Sequence[int]) -> int:
    """What the runtime takes for one call beside what the called program takes."""
    data_bytes = CHECKED_BYTES if at_once == 1 else 1 + IN_BATCH_BYTES * at_once
    accounts = at_once * len(account_bytes)
    by_bytes = [data_bytes, META_BYTES * accounts, INFO_BYTES * accounts]
    of_data = at_once * sum(each // BYTES_PER_UNIT for each in account_bytes)
    return INVOKE_UNITS + of_data + sum(each // BYTES_PER_UNIT for each in by_bytes)
