"""The figures for people: docs/compute-units.md, and what the command prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.measure.asset_lifecycle import figure_of
from bench.measure.batches import BATCH, Batches
from bench.measure.cost_model import (
    BYTES_PER_UNIT,
    INFO_BYTES,
    INVOKE_UNITS,
    MAX_SUPPLY_CALLS,
    META_BYTES,
    SYSCALL_UNITS,
    Parts,
)
from bench.measure.meter import MAX_LOCKS
from xstocks_daemon.chain.program import Profile
from xstocks_daemon.chain.transactions import MAX_TRANSACTION_BYTES
from xstocks_daemon.domain.statement import MAX_ENTRIES

MEASURED = (
    "compute units that the runtime logs for the program's own instruction, calls into Token-2022 included, in "
    "transactions that were executed; eight-extension mint, one custodian per asset with a quorum of 2 of 3, fixed keys"
)

SECTIONS: Mapping[str, Mapping[str, str]] = {
    "Tokens": {
        "mint": "one mint",
        "mint_each_more": "each further mint of a batch",
        "mint_token_2022": "of one mint: what Token-2022 logs of itself",
        "mint_each_more_token_2022": "of each further mint: the same",
        "mint_adopted": "one mint where Pausable stands fifth, as in the real mints",
        "mint_3_entries": "one mint of an asset of three custodians, whose entries are all fresh",
        "burn": "one burn",
        "burn_each_more": "each further burn of a batch",
        "burn_token_2022": "of one burn: what Token-2022 logs of itself",
        "burn_each_more_token_2022": "of each further burn: the same",
        "distribute": "one distribution",
        "set_participant": "a new participant",
        "request_redemption": "a participant asks for the shares of its tokens; the record is created",
        "accept_redemption": "a custodian accepts one redemption",
        "settle_redemption": "the tokens of one redemption are burnt",
        "cancel_redemption": "the tokens of one redemption go back, as the participant wishes",
        "reject_redemption": "the same, as the operator wishes",
    },
    "Statements": {
        "submit_attestation_first": "a statement of one asset, two signatures",
        "submit_attestation_each_more": "each further asset of the statement, its shares as before",
        "submit_attestation_each_more_changed": "each further asset whose shares changed",
        "withdraw_entry": "one attester withdraws an entry",
    },
    "Assets and their mints": {
        "register_asset": "a mint is registered: metadata with two additional fields, two vaults",
        "begin_adopt": "the adoption of a live mint begins",
        "finish_adopt": "a live mint is adopted: verified, two vaults",
        "abort_adopt": "an adoption is given up: every authority goes back",
        "set_metadata": "one additional field of a mint that grows by it",
        "schedule_multiplier": "another multiplier is announced",
        "cancel_multiplier": "the announced multiplier is taken back",
        "retire_asset": "an asset is retired",
        "release_authority": "every authority of a mint is handed on, before the seal",
        "release_authority_timelocked": "the same by its proposal",
    },
    "Compliance and pauses": {
        "freeze": "a holder's token account",
        "thaw": "the same account",
        "announce_recovery": "the first one of a token account, which it freezes",
        "cancel_recovery": "the guardian stops it",
        "execute_recovery": "thaw, transfer and freeze again",
        "hold_redemption": "an open redemption waits",
        "clear_redemption_hold": "and goes on",
        "announce_redemption_recovery": "the first one of a redemption, which it holds",
        "execute_redemption_recovery": "its tokens are moved, which ends it",
        "pause": "one scope of one asset",
        "resume": "one scope of one asset",
        "pause_transfers": "the transfers of one asset, by Token-2022's own pause",
        "resume_transfers": "the same",
        "clear_hold": "one hold",
    },
    "Custodians and limits": {
        "register_custodian": "three attester keys, before the seal",
        "register_custodian_timelocked": "the same by its proposal",
        "set_custodian_keys": "three other keys, before the seal",
        "set_custodian_keys_timelocked": "the same by its proposal",
        "revoke_custodian_key": "one of them",
        "attach_custodian": "a custodian is attached to an asset, before the seal",
        "attach_custodian_timelocked": "the same by its proposal",
        "detach_custodian": "and detached",
        "retire_custodian": "and retired, for ever, before the seal",
        "loosen_policy": "other limits, before the seal",
        "loosen_policy_timelocked": "the same by its proposal",
        "tighten_policy": "stricter limits",
    },
    "The program's own affairs": {
        "initialize": "the configuration is made",
        "seal": "the timelock is enforced from now on",
        "propose": "a timelocked instruction begins to wait; the record is created",
        "cancel_proposal": "it is stopped",
        "accept_role": "the new key of a role accepts it",
        "set_role": "a role's key, before the seal",
        "set_role_timelocked": "the same by its proposal",
        "clear_role": "a role becomes nobody's",
        "set_timing": "timelock and skew, before the seal",
        "set_timing_timelocked": "the same by its proposal",
        "propose_admin": "the admin role is offered",
        "cancel_admin": "the offer is taken back",
        "accept_admin": "the offer is accepted",
    },
}
COUNTS = {
    "mints_per_transaction": (
        "mint",
        "most mints of one v0 transaction with a lookup table and a compute budget instruction",
    ),
    "mints_per_transaction_3_custodians": ("mint_3_custodians", "the same where three custodians are passed"),
    "burns_per_transaction": ("burn", "most burns of such a transaction"),
    "attestations_per_transaction": (
        "submit_attestation",
        "most assets of one statement in such a transaction, two signatures",
    ),
}
"""The kind of row that each is of, and its meaning."""
NAME_OF_ROWS = {
    "mint": "mint",
    "mint_3_custodians": "mint, three custodians passed",
    "burn": "burn",
    "submit_attestation": "submit_attestation, two signatures",
}
AT_MOST = {
    "mint": 4_200,
    "mint_each_more": 2_900,
    "submit_attestation_first": 1_550,
    "submit_attestation_each_more": 345,
}
"""The targets: compute units."""
AT_LEAST = {"mints_per_transaction": 18, "mints_per_transaction_3_custodians": 18, "attestations_per_transaction": 24}
"""The targets: entries of a transaction."""


Cell = str | int | None

_FIGURE = ("figure", "value", "what")


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. `units` by figure, those of other profiles with the profile behind the name; `instructions`
    are the ones that were executed for it; `version` is the chain's own word."""

    units: Mapping[str, int]
    batches: Batches
    instructions: frozenset[str]
    chain: str
    version: str

    def __post_init__(self) -> None:
        """ValueError where a figure has no meaning, or a meaning no figure."""
        named = {name for section in SECTIONS.values() for name in section}
        named |= {figure_of(name, profile) for name in self.of_profiles for profile in Profile} & set(self.units)
        if named != set(self.units):
            raise ValueError(f"figures and their meanings differ in {sorted(named ^ set(self.units))}")

    @property
    def of_profiles(self) -> list[str]:
        """Figures that were measured for each profile, or refused there. The permissioned one has them all."""
        return [name for name in self.units if figure_of(name, Profile.PERMISSIONED) in self.units]

    @property
    def counts(self) -> dict[str, int]:
        """How many entries fit a transaction."""
        return {name: self.batches.most[kind] for name, (kind, _said) in COUNTS.items()}

    def as_json(self) -> dict[str, object]:
        """Every figure by its name, as one flat JSON object."""
        of_batches: dict[str, int] = {}
        for row in self.batches.rows.values():
            key = f"{row.name}_batch_{row.entries}"
            of_batches[f"{key}_instruction_bytes"] = row.shape.instruction_bytes
            of_batches[f"{key}_transaction_bytes"] = row.shape.transaction_bytes
            of_batches[f"{key}_locks"] = row.shape.locks
            of_batches[f"{key}_units"] = row.reading.units
        about = {"chain": self.chain, "chain_version": self.version, "measured": MEASURED}
        return {**self.units, **self.counts, **of_batches, **about}


def document(figures: Figures) -> str:
    """The text of docs/compute-units.md."""
    return f"""# Compute units

Written by `.venv/bin/python bench/program_cu.py --write-docs`; a test compares it with a new measurement, exactly.

Measured on the {figures.chain} chain, version {figures.version}: {MEASURED}.

{tables(figures)}

## How

`*_each_more` is the whole batch ({BATCH} mints or burns, {MAX_ENTRIES} assets) less one, divided by the others, rounded
up. Where an address is derived (an account or a vault is created) each bump that is tried takes 1,500: with other keys
those figures differ by multiples of it. The runtime itself verifies the ed25519 instruction before
`submit_attestation`; it counts no compute units.
"""


def tables(figures: Figures) -> str:
    """All figures, as Markdown."""
    chapters = {
        "Targets": _targets(figures),
        "Where the units of a mint go": _parts(figures),
        "Instructions": "\n\n".join(_section(figures, section) for section in SECTIONS),
        "Profiles": _profiles(figures),
        "Batches": _batches(figures),
    }
    return "\n\n".join(f"## {title}\n\n{text}" for title, text in chapters.items())


def _section(figures: Figures, section: str) -> str:
    rows = [(f"`{name}`", figures.units[name], said) for name, said in SECTIONS[section].items()]
    return f"### {section}\n\n{_table(_FIGURE, rows)}"


def _targets(figures: Figures) -> str:
    measured = {**figures.units, **figures.counts}
    rows: list[Sequence[Cell]] = [
        (f"`{name}`", f"{sign} {limit:,}", measured[name], "yes" if met else "no")
        for sign, limits in (("at most", AT_MOST), ("at least", AT_LEAST))
        for name, limit in limits.items()
        for met in [measured[name] <= limit if limits is AT_MOST else measured[name] >= limit]
    ]
    return _table(("figure", "target", "measured", "met"), rows)


def _parts(figures: Figures) -> str:
    both = figures.batches.one_mint, figures.batches.each_more_mint
    targets = AT_MOST["mint"], AT_MOST["mint_each_more"]
    rows: list[Sequence[Cell]] = [
        ("Token-2022 itself", *(each.token_2022 for each in both)),
        ("the call of it", *(each.call for each in both)),
        ("the event", *(each.event for each in both)),
        ("floor: these three", *(each.floor for each in both)),
        ("the program's own code", *(each.own for each in both)),
        ("all", *(each.total for each in both)),
        ("what the target leaves for the program's own code", *map(_difference, targets, both)),
    ]
    return f"""{_table(("compute units", "one mint", f"each further one of {BATCH}"), rows)}

The floor is what remains if the program's own code took nothing. Token-2022's units are in the log; the others follow
from the runtime's constants (Agave 4, `SVMTransactionExecutionCost` in `program-runtime/src/execution_budget.rs`):

- A call (`program-runtime/src/cpi.rs`) takes {INVOKE_UNITS} (SIMD-0339), and one for every
  {BYTES_PER_UNIT} bytes of its data, of {META_BYTES} per account named, of {INFO_BYTES} per account
  given, and of each account's data, rounded down. {BATCH} mints are two calls, of {MAX_SUPPLY_CALLS} each, by
  Token-2022's `Batch`.
- An event (`syscalls/src/logging.rs`) takes {SYSCALL_UNITS}, {SYSCALL_UNITS} for its one slice, and one
  for every byte."""


def _difference(target: int, parts: Parts) -> int:
    return target - parts.floor


def _profiles(figures: Figures) -> str:
    rows = [
        (f"`{name}`", *(figures.units.get(figure_of(name, profile)) for profile in Profile))
        for name in figures.of_profiles
    ]
    said = "`-`: the profile does not have it; the bench sees it refused. Multiples of 1,500 are bumps (below)."
    return f"{_table(('figure', *(profile.name.lower() for profile in Profile)), rows)}\n\n{said}"


def _batches(figures: Figures) -> str:
    header = (
        "instruction",
        "entries",
        "instruction bytes",
        f"transaction bytes of {MAX_TRANSACTION_BYTES:,}",
        f"accounts of {MAX_LOCKS}",
        "compute units",
        "per entry",
    )
    rows: list[Sequence[Cell]] = [
        (
            NAME_OF_ROWS[row.name],
            row.entries,
            row.shape.instruction_bytes,
            row.shape.transaction_bytes,
            row.shape.locks,
            row.reading.units,
            -(-row.reading.units // row.entries),
        )
        for row in figures.batches.rows.values()
    ]
    counts = [(f"`{name}`", figures.counts[name], said) for name, (_kind, said) in COUNTS.items()]
    return f"""{_table(header, rows)}

v0 transactions with one lookup table and a compute budget instruction; the last row of each is the most that fits. What
fits was executed, and kept within a packet and within mainnet's {MAX_LOCKS} account locks, which the local chains do
not enforce. Instruction bytes are the data of the program's own instruction.

{_table(_FIGURE, counts)}"""


def _table(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Markdown; a column of numbers stands to the right, None is a dash."""
    numeric = [not any(isinstance(row[index], str) for row in rows) for index in range(len(header))]
    lines = [header, ["---:" if each else "---" for each in numeric]]
    lines += [[_cell(each) for each in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Cell) -> str:
    match value:
        case None:
            return "-"
        case int():
            return f"{value:,}"
        case _:
            return value
