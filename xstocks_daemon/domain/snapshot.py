"""The chain as the daemon sees it at one finalized slot, and the numbers that follow from it (design, section 2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

from xstocks_daemon.domain.units import MILLIS_PER_SEC, U64_MAX, Address


class AssetState(IntEnum):
    """States of an Asset account."""

    HALTED = 0
    ACTIVE = 1
    RETIRED = 2
    RELEASED = 3


class EntryState(IntEnum):
    """States of an entry slot."""

    EMPTY = 0
    ATTACHED = 1
    DETACHED = 2


class CustodianState(IntEnum):
    """States of a Custodian account."""

    ACTIVE = 0
    RETIRED = 1


class Scope(IntFlag):
    """What a pause stops (section 4.6)."""

    MINT = 1
    BURN = 2
    DISTRIBUTE = 4
    REDEEM = 8
    TRANSFERS = 16


class Hold(IntFlag):
    """Why minting of an asset is held until the resumer clears it (M9)."""

    RISE = 1
    MULTIPLIER = 2
    CA_WINDOW = 4


@dataclass(frozen=True, slots=True)
class AttesterKey:
    """One attester key of a custodian; several keys may belong to one party (party 0: the custodian itself)."""

    key: Address
    party: int
    expires_ts: int


@dataclass(frozen=True, slots=True)
class Custodian:
    """Who holds shares for the issuer, with its present attester keys (Custodian account)."""

    address: Address
    id: int
    state: CustodianState
    epoch: int
    threshold: int
    keys: tuple[AttesterKey, ...]
    name: str


class ParticipantState(IntEnum):
    """States of a Participant account."""

    INACTIVE = 0
    ACTIVE = 1


@dataclass(frozen=True, slots=True)
class Participant:
    """An allow-listed wallet (Participant account). `country` is the ISO 3166 alpha-2 code, `expires_ts` Unix seconds:
    from then on nothing is distributed to it."""

    address: Address
    wallet: Address
    state: ParticipantState
    country: str
    expires_ts: int


class RedemptionState(IntEnum):
    """States of a Redemption account: from REQUESTED to one of the others, once."""

    REQUESTED = 0
    SETTLED = 1
    REJECTED = 2
    CANCELLED = 3
    RECOVERED = 4


@dataclass(frozen=True, slots=True)
class Redemption:
    """Tokens of a participant waiting in the redemption vault, and what became of them (Redemption account).

    `id` (16 bytes) is unique per mint for ever; `source` is the token account that the tokens came from; `closed_ts` is
    None while it is REQUESTED; `custodian` accepted it in its key epoch `accepted_epoch` and owes the shares once it is
    SETTLED (None, 0 while nobody accepted it); before `locked_until_ts` the wallet cannot take it back; `on_hold`:
    compliance lets it be neither settled nor given back. Times are Unix seconds.
    """

    address: Address
    state: RedemptionState
    id: bytes
    mint: Address
    wallet: Address
    source: Address
    amount_raw: int
    requested_ts: int
    closed_ts: int | None
    custodian: Address | None
    accepted_epoch: int
    locked_until_ts: int
    on_hold: bool


@dataclass(frozen=True, slots=True)
class Config:
    """The program's Config account. A role of zeros is nobody's; no timelock is below `min_timelock_secs`.
    `pending_admin` (zeros: nobody) may accept the admin role from `pending_admin_ready_ts` on and before
    `pending_admin_expires_ts` (Unix seconds)."""

    address: Address
    sealed: bool
    paused: Scope
    max_skew_secs: int
    timelock_secs: int
    min_timelock_secs: int
    admin_epoch: int
    genesis_hash: Address
    admin: Address
    operator: Address
    registrar: Address
    guardian: Address
    resumer: Address
    compliance: Address
    corporate_actions: Address
    pending_admin: Address
    pending_admin_ready_ts: int
    pending_admin_expires_ts: int


@dataclass(frozen=True, slots=True)
class Policy:
    """An asset's limits, held by the program (M5, M9)."""

    supply_limit_raw: int
    mint_burst_raw: int
    mint_refill_raw_per_sec: int
    distribute_burst_raw: int
    distribute_refill_raw_per_sec: int
    burn_burst_raw: int
    burn_refill_raw_per_sec: int
    max_age_secs: int
    max_rise_bps: int
    max_multiplier_bps: int
    ca_tolerance_bps: int
    ca_window_secs: int
    min_notice_secs: int
    freezes_per_day: int
    redemption_lock_secs: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket as stored: the level at `updated_ts`."""

    level_raw: int
    updated_ts: int

    def level_at(self, now_ts: int, burst_raw: int, refill_raw_per_sec: int) -> int:
        """The level at `now_ts`: what was left plus whole seconds of refill, at most the burst (M5)."""
        elapsed_secs = max(0, now_ts - self.updated_ts)
        return min(burst_raw, self.level_raw + elapsed_secs * refill_raw_per_sec)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the Asset account stores of one custodian's newest statement."""

    custodian: Address
    state: EntryState
    withdrawn: bool
    confirmed: bool
    epoch: int
    observed_ms: int
    expires_ts: int
    shares_nano: int
    capacity_raw: int
    redeemed_total_raw: int
    redeemed_seen_raw: int
    multiplier_bits: int

    @property
    def unseen_raw(self) -> int:
        """Burnt for a redemption, not yet counted by this custodian."""
        return self.redeemed_total_raw - self.redeemed_seen_raw

    @property
    def sum_raw(self) -> int:
        """capacity + seen: what the entry vouches for, whatever of it was redeemed (M9)."""
        return self.capacity_raw + self.redeemed_seen_raw


@dataclass(frozen=True, slots=True)
class AssetAccount:
    """The Asset account of one mint."""

    address: Address
    mint: Address
    vault: Address
    redemption_vault: Address
    decimals: int
    state: AssetState
    paused: Scope
    holds: Hold
    hold_number: int
    sequence: int
    last_intent_hash: bytes
    multiplier_bits: int
    pending_multiplier_bits: int
    multiplier_effective_ts: int
    multiplier_changed_ts: int
    change_cancelled_ts: int
    policy: Policy
    mint_bucket: Bucket
    distribute_bucket: Bucket
    burn_bucket: Bucket
    initial_mint_raw: int
    adopted_raw: int
    minted_raw: int
    burnt_raw: int
    distributed_raw: int
    entries: tuple[Entry, ...]
    open_redemptions: int

    @property
    def redeemed_raw(self) -> int:
        """Burnt for redemptions, ever: a part of `burnt_raw`. Entries' slots are never freed."""
        return sum(entry.redeemed_total_raw for entry in self.entries)

    @property
    def attached(self) -> tuple[Entry, ...]:
        """The entries that are attached: they count while they are fresh."""
        return tuple(entry for entry in self.entries if entry.state is EntryState.ATTACHED)

    def effective_multiplier_bits(self, now_ts: int) -> int:
        """The multiplier in force by the Asset account: a pending one counts from its time on."""
        if self.multiplier_effective_ts and now_ts >= self.multiplier_effective_ts:
            return self.pending_multiplier_bits
        return self.multiplier_bits

    @property
    def change_announced(self) -> bool:
        """A multiplier change is announced, or in force without a statement that has it: nothing is minted (M9)."""
        return self.multiplier_effective_ts != 0

    def last_change_ts(self, now_ts: int) -> int:
        """When the last change took effect, 0 for never: nothing observed before it counts (M9)."""
        announced_ts = self.multiplier_effective_ts
        return announced_ts if announced_ts and now_ts >= announced_ts else self.multiplier_changed_ts

    def around_change(self, now_ts: int, *, confirmed: bool = False) -> bool:
        """A change is announced, or one took effect or was cancelled within the policy's window: books may hold its
        shares and not its multiplier, or the other way round (M9). For an entry that has `confirmed` the change that
        took effect, the time around that one is over."""
        begins = (self.change_cancelled_ts, 0 if confirmed else self.multiplier_changed_ts)
        in_window = any(since_ts != 0 and now_ts < since_ts + self.policy.ca_window_secs for since_ts in begins)
        return self.change_announced or in_window


@dataclass(frozen=True, slots=True)
class MintAccount:
    """What the daemon reads of the Token-2022 mint itself."""

    supply_raw: int
    decimals: int
    multiplier_bits: int
    new_multiplier_bits: int
    new_multiplier_effective_ts: int
    paused: bool
    symbol: str
    name: str

    def effective_multiplier_bits(self, now_ts: int) -> int:
        """The mint's multiplier in force: the new one from its effective time on (Token-2022 ScaledUiAmount)."""
        return self.new_multiplier_bits if now_ts >= self.new_multiplier_effective_ts else self.multiplier_bits


@dataclass(frozen=True, slots=True)
class AssetView:
    """One asset with its mint and vaults, all read at the same slot."""

    asset: AssetAccount
    mint: MintAccount
    vault_raw: int
    redemption_vault_raw: int

    @property
    def circulating_raw(self) -> int:
        """Supply less inventory and less tokens waiting for redemption."""
        return self.mint.supply_raw - self.vault_raw - self.redemption_vault_raw

    @property
    def holder_burnt_raw(self) -> int:
        """What holders destroyed themselves: adopted + minted - burnt - supply. Negative breaks M12."""
        return self.asset.adopted_raw + self.asset.minted_raw - self.asset.burnt_raw - self.mint.supply_raw


def chain_entry(view: AssetView, custodian: Address) -> Entry | None:
    """The asset's attached entry of this custodian; None where it has none or is detached."""
    for entry in view.asset.entries:
        if entry.custodian == custodian and entry.state is EntryState.ATTACHED:
            return entry
    return None


@dataclass(frozen=True, slots=True)
class ChainSnapshot:
    """Everything one cycle decides on, at finalized. `now_ts` is the chain's present clock. `participants` are by
    wallet; those that open orders name suffice."""

    slot: int
    now_ts: int
    genesis_hash: Address
    program_id: Address
    config: Config
    custodians: Mapping[Address, Custodian]
    assets: Mapping[Address, AssetView]
    participants: Mapping[Address, Participant] = field(default_factory=dict)


def entry_is_fresh(
    entry: Entry, custodian: Custodian | None, policy: Policy, multiplier_bits: int, now_ts: int
) -> bool:
    """Freshness as the program computes it (design, section 2): attached, not withdrawn, of the custodian's present
    epoch, not too old, not expired, and of the multiplier in force."""
    return (
        entry.state is EntryState.ATTACHED
        and not entry.withdrawn
        and custodian is not None
        and custodian.state is CustodianState.ACTIVE
        and entry.epoch == custodian.epoch
        and now_ts * MILLIS_PER_SEC - entry.observed_ms <= policy.max_age_secs * MILLIS_PER_SEC
        and now_ts < entry.expires_ts
        and entry.multiplier_bits == multiplier_bits
    )


def fresh_entries(asset: AssetAccount, custodians: Mapping[Address, Custodian], now_ts: int) -> list[Entry]:
    """The entries that count in the ceiling now; of a custodian that is not in `custodians` none does."""
    multiplier_bits = asset.effective_multiplier_bits(now_ts)
    return [
        entry
        for entry in asset.entries
        if entry_is_fresh(entry, custodians.get(entry.custodian), asset.policy, multiplier_bits, now_ts)
    ]


def capped_sum(amounts_raw: Iterable[int]) -> int:
    """Their sum as the program adds: at most the greatest u64."""
    return min(U64_MAX, sum(amounts_raw))


def backing_raw(view: AssetView, custodians: Mapping[Address, Custodian], now_ts: int) -> int:
    """Sum of capacities over fresh entries less the unseen redemptions of ALL entries. May be negative."""
    fresh_raw = capped_sum(entry.capacity_raw for entry in fresh_entries(view.asset, custodians, now_ts))
    return fresh_raw - capped_sum(entry.unseen_raw for entry in view.asset.entries)


def ceiling_raw(view: AssetView, custodians: Mapping[Address, Custodian], now_ts: int) -> int:
    """The most supply the program lets exist now: max(0, backing) (design, section 2)."""
    return max(0, backing_raw(view, custodians, now_ts))
