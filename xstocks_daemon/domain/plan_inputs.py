"""What the plan reads besides the chain: the custodians' verified statements, the journal, and the daemon's policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from xstocks_daemon.domain.intent import Intent, IntentKind, IntentState
from xstocks_daemon.domain.snapshot import AssetAccount
from xstocks_daemon.domain.statement import SignedStatement, StatementEntry
from xstocks_daemon.domain.units import BPS, Address, checked_u64


@dataclass(frozen=True, slots=True)
class Evidence:
    """One asset's entry of one verified statement, with the whole signed statement (what the chain takes is whole)."""

    signed: SignedStatement
    entry: StatementEntry

    @property
    def observed_ms(self) -> int:
        """Unix time of the observation in milliseconds."""
        return self.signed.statement.observed_ms

    @property
    def sum_raw(self) -> int:
        """capacity_raw + redeemed_seen_raw: what the custodian vouches for, whatever of it was redeemed (M9)."""
        return self.entry.capacity_raw + self.entry.redeemed_seen_raw


@dataclass(frozen=True, slots=True)
class CustodianEvidence:
    """What is known of one asset at one custodian.

    `newest` and `previous` are two successive verified statements (previous observed strictly earlier). `lowered_ms` is
    the time of observation of the last statement that said less than the one before it (0: none did).
    """

    newest: Evidence
    previous: Evidence | None = None
    lowered_ms: int = 0

    def after(self, later: Evidence) -> CustodianEvidence:
        """What is known once `later`, observed after `newest`, is known too."""
        lowered_ms = last_lowered_ms(later.observed_ms, later.sum_raw, self.newest.sum_raw, self.lowered_ms)
        return CustodianEvidence(later, self.newest, lowered_ms)


def last_lowered_ms(observed_ms: int, sum_raw: int, sum_before_raw: int, lowered_before_ms: int) -> int:
    """When a custodian last said less than before, given a statement of `observed_ms` and the one before it."""
    return observed_ms if sum_raw < sum_before_raw else lowered_before_ms


@dataclass(frozen=True, slots=True)
class CustodyView:
    """All that custody says. `evidence`: mint -> custodian -> statements. `ripcords`: (mint, custodian) -> the
    custodian's words for "do not trust my number". `failures`: custodian -> why its source gave nothing just now."""

    evidence: Mapping[Address, Mapping[Address, CustodianEvidence]] = field(default_factory=dict)
    ripcords: Mapping[tuple[Address, Address], str] = field(default_factory=dict)
    failures: Mapping[Address, str] = field(default_factory=dict)


class HaltReason(Enum):
    """Why the daemon stopped work on an asset until a person clears it."""

    HOLDER_BURNT_FELL = "holder_burnt_fell"
    FOREIGN_SEQUENCE = "foreign_sequence"
    TOTALS_DIFFER = "totals_differ"
    UNKNOWN_INTENT_HASH = "unknown_intent_hash"
    ENDPOINTS_DIFFER = "endpoints_differ"
    EQUIVOCATION = "equivocation"
    SUPPLY_ABOVE_CEILING = "supply_above_ceiling"


@dataclass(frozen=True, slots=True)
class Halt:
    """Work on `mint` stops (M10, M12). `detail` gives the numbers for a person."""

    mint: Address
    reason: HaltReason
    detail: str


@dataclass(frozen=True, slots=True)
class Totals:
    """The counters of an Asset account that only intents move, all base units but `sequence` (next number): what is
    burnt for redemptions has no intent, and is not in `burnt_raw`."""

    sequence: int = 0
    adopted_raw: int = 0
    minted_raw: int = 0
    burnt_raw: int = 0
    distributed_raw: int = 0

    def after(self, intent: Intent) -> Totals:
        """The totals once `intent` has executed."""
        amount = intent.amount_raw
        return Totals(
            sequence=self.sequence + 1,
            adopted_raw=self.adopted_raw,
            minted_raw=self.minted_raw + (amount if intent.kind is IntentKind.MINT else 0),
            burnt_raw=self.burnt_raw + (amount if intent.kind is IntentKind.BURN else 0),
            distributed_raw=self.distributed_raw + (amount if intent.kind is IntentKind.DISTRIBUTE else 0),
        )


def totals_of(asset: AssetAccount) -> Totals:
    """The chain's totals of one asset, comparable with the journal's: settled redemptions explain the rest of its burns
    (M12)."""
    return Totals(
        sequence=asset.sequence,
        adopted_raw=asset.adopted_raw,
        minted_raw=asset.minted_raw,
        burnt_raw=asset.burnt_raw - asset.redeemed_raw,
        distributed_raw=asset.distributed_raw,
    )


@dataclass(frozen=True, slots=True)
class LiveIntent:
    """An intent of the journal that is neither done nor dropped. `id` is the journal's."""

    id: int
    intent: Intent
    state: IntentState


@dataclass(frozen=True, slots=True)
class Quarantine:
    """An asset left alone until `until_ms` (Unix milliseconds), because an entry of it failed for `reason`."""

    reason: str
    until_ms: int


@dataclass(frozen=True, slots=True)
class AssetJournal:
    """What the journal knows of one asset. The defaults are those of an asset the journal has never met: only an
    asset at sequence 0 with nothing minted, burnt or adopted agrees with them (M12)."""

    totals: Totals = Totals()
    holder_burnt_raw: int = 0
    acknowledged_raw: int = 0
    live: LiveIntent | None = None
    halt: Halt | None = None
    quarantine: Quarantine | None = None
    burn_approved_raw: int = 0

    @property
    def planned(self) -> Totals:
        """The totals once the live intent, if any, has executed."""
        return self.totals if self.live is None else self.totals.after(self.live.intent)


@dataclass(frozen=True, slots=True)
class Order:
    """A request to distribute `amount_raw` from the vault to `destination`, a token account of the participant
    `wallet`. `order_id` (16 bytes, not zeros) is unique for ever."""

    order_id: bytes
    mint: Address
    amount_raw: int
    wallet: Address
    destination: Address

    def __post_init__(self) -> None:
        if len(self.order_id) != 16 or not any(self.order_id):
            raise ValueError("order_id: must be 16 bytes that are not all zero")
        if checked_u64(self.amount_raw, "amount_raw") == 0:
            raise ValueError("amount_raw: 0 given, an order distributes at least 1")


@dataclass(frozen=True, slots=True)
class JournalView:
    """The journal at one moment. `orders` are the open ones, oldest first."""

    assets: Mapping[Address, AssetJournal] = field(default_factory=dict)
    orders: tuple[Order, ...] = ()

    def of(self, mint: Address) -> AssetJournal:
        """What is known of `mint`; the defaults where the journal has never met it."""
        return self.assets.get(mint, AssetJournal())


@dataclass(frozen=True, slots=True)
class PlanPolicy:
    """The daemon's own limits, on top of the program's.

    `max_mint_raw`: the most one intent mints (None: no such limit). `burn_approval_bps`: a burn of more than this
    part of the supply waits for a person (10,000: never waits, 0: always). `renew_before_secs`: an unchanged entry is
    renewed on chain once it would stop being fresh within this time, but not before half of a statement's life.
    `rounding_nano`: supply that lacks fewer billionths of a share than this for each entry that counts is shown as
    rounding; nobody is paged for it and nothing is burnt (0: any excess is a shortfall).
    """

    max_mint_raw: int | None = None
    burn_approval_bps: int = 2_000
    renew_before_secs: int = 300
    rounding_nano: int = 1

    def __post_init__(self) -> None:
        if self.max_mint_raw is not None and self.max_mint_raw <= 0:
            raise ValueError(f"max_mint_raw: {self.max_mint_raw} given, it must be above 0, or left out")
        if not 0 <= self.burn_approval_bps <= BPS:
            raise ValueError(f"burn_approval_bps: {self.burn_approval_bps} given, 0 to {BPS} are allowed")
        if self.renew_before_secs < 0:
            raise ValueError(f"renew_before_secs: {self.renew_before_secs} given, it must not be negative")
        if self.rounding_nano < 0:
            raise ValueError(f"rounding_nano: {self.rounding_nano} given, it must not be negative")
