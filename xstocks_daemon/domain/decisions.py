"""What the plan decides, and why, in a form that the CLI and JSON print."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from xstocks_daemon.domain.intent import Intent
from xstocks_daemon.domain.plan_inputs import Halt, LiveIntent
from xstocks_daemon.domain.statement import SignedStatement
from xstocks_daemon.domain.units import Address


class Action(Enum):
    """What is done with an asset in this cycle."""

    NONE = "none"
    MINT = "mint"
    BURN = "burn"
    DISTRIBUTE = "distribute"
    RESEND = "resend"
    DROP = "drop"
    HALT = "halt"


class Reason(Enum):
    """Why. Each has a code for machines (`value`) and a sentence for people (`text`)."""

    text: str

    def __new__(cls, code: str, text: str) -> Reason:
        """Make a member: its value is the code, and `text` the sentence for people."""
        member = object.__new__(cls)
        member._value_ = code
        member.text = text
        return member

    # the asset as a whole
    ON_TARGET = ("on_target", "supply is at its target")
    TO_TARGET = ("to_target", "brings the supply to its target")
    ORDERED = ("ordered", "a participant's order")
    IN_FLIGHT = ("in_flight", "an earlier attempt may still execute")
    STILL_RIGHT = ("still_right", "the journaled intent is what is wanted; it is sent again")
    NO_LONGER_WANTED = ("no_longer_wanted", "the journaled intent is not what is wanted now")
    HALTED = ("halted", "the daemon halted this asset; a person must clear it")
    QUARANTINED = ("quarantined", "an earlier try failed; it is tried again later")
    SNAPSHOT_BEHIND = ("snapshot_behind", "this reading of the chain is older than what the journal knows")
    UNEXPLAINED = ("unexplained", "the chain differs from the journal (M12)")
    # why nothing is minted or burnt
    NOT_ACTIVE = ("not_active", "the asset's state on chain does not allow it")
    PAUSED = ("paused", "paused on chain")
    HELD = ("held", "held on chain until the resumer clears it (M9)")
    HOLD_EXPECTED = ("hold_expected", "the statement being relayed will set a hold (M9)")
    NO_ENTRY = ("no_entry", "no custodian is attached")
    AWAITING_FRESH_STATEMENT = ("awaiting_fresh_statement", "a custodian's entry is not fresh")
    AWAITING_SECOND_STATEMENT = ("awaiting_second_statement", "a burn needs two successive statements")
    AWAITING_RELAY = ("awaiting_relay", "a burn waits until the newest statement is on chain")
    RIPCORD = ("ripcord", "a custodian says: do not trust my number")
    SOURCE_FAILED = ("source_failed", "a custodian's source does not answer")
    MULTIPLIER_DIFFERS = ("multiplier_differs", "the mint's multiplier is not the asset's")
    MULTIPLIER_CHANGE = ("multiplier_change", "a multiplier change is announced, or no statement has the new one (M9)")
    SUPPLY_LIMIT = ("supply_limit", "limited by the asset's supply limit (M5)")
    BUCKET = ("bucket", "limited by the token bucket (M5)")
    POLICY_LIMIT = ("policy_limit", "limited by the daemon's policy")
    NEEDS_APPROVAL = ("needs_approval", "a burn this large waits for a person's approval")
    SHORTFALL = ("shortfall", "supply above what is backed, and not in the vault")
    ROUNDING = ("rounding", "supply above what is backed by less than the smallest part of a share; nothing is missing")
    HOLDER_BURNT = ("holder_burnt", "holders burnt it themselves; not minted again until two people acknowledge (M12)")
    # orders
    NO_PARTICIPANT = ("no_participant", "the wallet is no active participant")
    PARTICIPANT_EXPIRED = ("participant_expired", "the participant's permission has expired")
    INVENTORY = ("inventory", "the vault does not hold enough beyond what is to be burnt")
    # statements
    LOWER = ("lower", "says less than the chain knows; goes first")
    CHANGED = ("changed", "says something else than the chain knows")
    NOT_FRESH_ON_CHAIN = ("not_fresh_on_chain", "the entry on chain is not fresh")
    RENEWS = ("renews", "the entry on chain will soon not be fresh")
    CONFIRMS_LOWER = ("confirms_lower", "confirms a lower number past the allowed skew, so that shares may leave (M13)")
    STATEMENT_NOT_ATTACHED = ("statement_not_attached", "the custodian is not attached to the asset")
    STATEMENT_EPOCH = ("statement_epoch", "the statement is of another key epoch")
    STATEMENT_EXPIRED = ("statement_expired", "the statement has expired or is too old")
    STATEMENT_FUTURE = ("statement_future", "the statement's time is too far ahead of the chain's clock")
    STATEMENT_MULTIPLIER = ("statement_multiplier", "the statement has another multiplier than the asset")
    STATEMENT_SEEN = ("statement_seen", "the statement counts more redemptions than the chain knows (M6)")
    STATEMENT_UNKNOWN_ASSET = ("statement_unknown_asset", "the statement names an asset that is not registered")


@dataclass(frozen=True, slots=True)
class Note:
    """One more thing to know of an asset. `amount_raw` in base units where the reason is about an amount."""

    reason: Reason
    amount_raw: int | None = None
    custodian: Address | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AssetPlan:
    """One asset in the plan: numbers, what is done, and why. All amounts in base units.

    `ceiling_raw` is the chain's now, `planned_ceiling_raw` that after the relayed statements. `excess_raw` is supply
    above what fresh statements back, `rounding_raw` the same where it is arithmetic and no missing shares, else 0, and
    `shortfall_raw` the part that is missing and that the vault does not hold; all are 0 while an entry is not fresh,
    because silence proves nothing.
    """

    mint: Address
    symbol: str
    decimals: int
    supply_raw: int
    vault_raw: int
    ceiling_raw: int
    planned_ceiling_raw: int
    target_raw: int
    holder_burnt_raw: int
    acknowledged_raw: int
    excess_raw: int
    rounding_raw: int
    shortfall_raw: int
    action: Action
    amount_raw: int
    reason: Reason
    notes: tuple[Note, ...] = ()

    @property
    def on_target(self) -> bool:
        """Whether its supply is at its target by fresh statements (or no custodian keeps shares of it), but for
        rounding."""
        if self.reason is Reason.ROUNDING:
            return self.supply_raw - self.target_raw <= self.rounding_raw
        return self.supply_raw == self.target_raw and self.reason in (Reason.ON_TARGET, Reason.NO_ENTRY)


@dataclass(frozen=True, slots=True)
class RelayStatement:
    """Submit this statement. `reasons`: mint -> why it is useful there."""

    signed: SignedStatement
    reasons: tuple[tuple[Address, Reason], ...]

    @property
    def lower(self) -> bool:
        """It says less than the chain knows of some asset, and goes first and at once."""
        return any(reason is Reason.LOWER for _, reason in self.reasons)


@dataclass(frozen=True, slots=True)
class HolderBurnAlert:
    """Holders have burnt more than the journal has recorded (M12): record it, tell people, go on."""

    mint: Address
    recorded_raw: int
    holder_burnt_raw: int


@dataclass(frozen=True, slots=True)
class DropIntent:
    """A journaled intent without a live attempt that is not wanted any more."""

    live: LiveIntent
    reason: Reason


@dataclass(frozen=True, slots=True)
class Plan:
    """All decisions of one cycle. `relays` are in the order of sending. New intents are grouped by kind; `resends` are
    journaled intents without a live attempt that are still right. `assets` has every asset once, by mint."""

    slot: int
    now_ts: int
    relays: tuple[RelayStatement, ...]
    mints: tuple[Intent, ...]
    burns: tuple[Intent, ...]
    distributions: tuple[Intent, ...]
    resends: tuple[LiveIntent, ...]
    drops: tuple[DropIntent, ...]
    halts: tuple[Halt, ...]
    alerts: tuple[HolderBurnAlert, ...]
    assets: tuple[AssetPlan, ...]

    @property
    def intents(self) -> tuple[Intent, ...]:
        """The new intents: burns first, then distributions, then mints."""
        return self.burns + self.distributions + self.mints

    @property
    def idle(self) -> bool:
        """Nothing to do in this cycle."""
        return not (self.relays or self.intents or self.resends or self.drops or self.halts or self.alerts)
