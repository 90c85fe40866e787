"""A Python model of one asset's ledger, written from the rules (design, section 3), not from the program's code; where
several rules are broken at once the order is that of section 4.5."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import floor

from hypothesis import strategies as st

from localnet.harness.deploy import CUSTODIANS
from tests.program.ledger_parts import BucketModel, EntryModel, RedemptionModel
from tests.support.deployed import NANO_PER_RAW
from tests.support.error_codes import ErrorCode
from xstocks_daemon.domain.snapshot import EntryState, Hold, Policy, RedemptionState, Scope
from xstocks_daemon.domain.units import MILLIS_PER_SEC, Address, multiplier_fraction

BPS = 10_000

SKEW_SECS = 2

POLICY = Policy(
    supply_limit_raw=6_000,
    mint_burst_raw=2_000,
    mint_refill_raw_per_sec=70,
    distribute_burst_raw=900,
    distribute_refill_raw_per_sec=30,
    burn_burst_raw=800,
    burn_refill_raw_per_sec=20,
    max_age_secs=120,
    max_rise_bps=5_000,
    max_multiplier_bps=500,
    ca_tolerance_bps=10,
    ca_window_secs=86_400,
    min_notice_secs=60,
    freezes_per_day=100,
    redemption_lock_secs=300,
)

INITIAL_MINT_RAW = 1_500


# ---- the model ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class LedgerModel:
    """One asset by the rules. Each method gives the error that the rules demand, None where all are kept, and changes
    the model only then."""

    entries: dict[str, EntryModel]
    mint_bucket: BucketModel
    distribute_bucket: BucketModel
    burn_bucket: BucketModel
    multiplier_bits: int
    pending_multiplier_bits: int = 0
    multiplier_effective_ts: int = 0
    multiplier_changed_ts: int = 0
    change_cancelled_ts: int = 0
    policy: Policy = POLICY
    initial_mint_raw: int = INITIAL_MINT_RAW
    sequence: int = 0
    supply_raw: int = 0
    vault_raw: int = 0
    minted_raw: int = 0
    burnt_raw: int = 0
    distributed_raw: int = 0
    held_raw: int = 0
    redemptions: dict[Address, RedemptionModel] = field(default_factory=dict)
    paused: Scope = field(default_factory=lambda: Scope(0))
    holds: Hold = field(default_factory=lambda: Hold(0))
    hold_number: int = 0
    epochs: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CUSTODIANS, 1))

    @property
    def waiting_raw(self) -> int:
        """What the redemption vault must hold: the open claims, all of them and nothing else."""
        return sum(claim.amount_raw for claim in self.redemptions.values() if claim.state is RedemptionState.REQUESTED)

    def ceiling_raw(self, now_ts: int, passed: tuple[str, ...]) -> int:
        """What fresh entries of the passed custodians back, less what any entry has not counted yet (M6)."""
        fresh_raw = sum(
            entry.capacity_raw
            for custodian, entry in self.entries.items()
            if custodian in passed and self._is_fresh(now_ts, custodian)
        )
        return max(0, fresh_raw - sum(entry.unseen_raw for entry in self.entries.values()))

    def _is_fresh(self, now_ts: int, custodian: str) -> bool:
        entry = self.entries[custodian]
        return (
            entry.state is EntryState.ATTACHED
            and not entry.withdrawn
            and entry.multiplier_bits == self.multiplier_bits
            and entry.epoch == self.epochs[custodian]
            and now_ts < entry.expires_ts
            and now_ts * MILLIS_PER_SEC - entry.observed_ms <= self.policy.max_age_secs * MILLIS_PER_SEC
        )

    def mint(self, now_ts: int, sequence: int, amount_raw: int, passed: tuple[str, ...]) -> ErrorCode | None:
        bucket = replace(self.mint_bucket)
        bucket.refill(now_ts, self.policy.mint_burst_raw, self.policy.mint_refill_raw_per_sec)
        from_allowance_raw = min(self.initial_mint_raw, amount_raw)
        if self.paused & Scope.MINT:
            return ErrorCode.Paused
        if self.holds:
            return ErrorCode.OnHold
        if self.multiplier_effective_ts:
            return ErrorCode.MultiplierChangePending
        if sequence != self.sequence:
            return ErrorCode.WrongSequence
        if amount_raw == 0:
            return ErrorCode.AmountZero
        if amount_raw - from_allowance_raw > bucket.level_raw:
            return ErrorCode.BucketEmpty
        if self.supply_raw + amount_raw > self.policy.supply_limit_raw:
            return ErrorCode.SupplyLimitExceeded
        if self.supply_raw + amount_raw > self.ceiling_raw(now_ts, passed):
            return ErrorCode.CeilingExceeded
        if amount_raw > from_allowance_raw:  # else the bucket is not looked at
            bucket.level_raw -= amount_raw - from_allowance_raw
            self.mint_bucket = bucket
        self.initial_mint_raw -= from_allowance_raw
        self.sequence += 1
        self.minted_raw += amount_raw
        self.supply_raw += amount_raw
        self.vault_raw += amount_raw
        return None

    def burn(self, now_ts: int, sequence: int, amount_raw: int) -> ErrorCode | None:
        bucket = self._burn_bucket_at(now_ts)
        if self.paused & Scope.BURN:
            return ErrorCode.Paused
        if sequence != self.sequence:
            return ErrorCode.WrongSequence
        if amount_raw == 0:
            return ErrorCode.AmountZero
        if amount_raw > bucket.level_raw:
            return ErrorCode.BucketEmpty
        if amount_raw > self.vault_raw:
            return ErrorCode.InventoryTooLow
        bucket.level_raw -= amount_raw
        self.burn_bucket = bucket
        self.sequence += 1
        self.burnt_raw += amount_raw
        self.supply_raw -= amount_raw
        self.vault_raw -= amount_raw
        return None

    def _burn_bucket_at(self, now_ts: int) -> BucketModel:
        bucket = replace(self.burn_bucket)
        bucket.refill(now_ts, self.policy.burn_burst_raw, self.policy.burn_refill_raw_per_sec)
        return bucket

    def distribute(self, now_ts: int, sequence: int, amount_raw: int) -> ErrorCode | None:
        bucket = replace(self.distribute_bucket)
        bucket.refill(now_ts, self.policy.distribute_burst_raw, self.policy.distribute_refill_raw_per_sec)
        if self.paused & Scope.DISTRIBUTE:
            return ErrorCode.Paused
        if sequence != self.sequence:
            return ErrorCode.WrongSequence
        if amount_raw == 0:
            return ErrorCode.AmountZero
        if amount_raw > bucket.level_raw:
            return ErrorCode.BucketEmpty
        if amount_raw > self.vault_raw:
            return ErrorCode.InventoryTooLow
        bucket.level_raw -= amount_raw
        self.distribute_bucket = bucket
        self.sequence += 1
        self.distributed_raw += amount_raw
        self.vault_raw -= amount_raw
        self.held_raw += amount_raw
        return None

    def request(self, record: Address, amount_raw: int) -> ErrorCode | None:
        if self.paused & Scope.REDEEM:
            return ErrorCode.Paused
        if amount_raw == 0:
            return ErrorCode.AmountZero
        if amount_raw > self.held_raw:
            return ErrorCode.SourceTooLow
        if record in self.redemptions:
            return ErrorCode.AlreadyInitialized
        self.held_raw -= amount_raw
        self.redemptions[record] = RedemptionModel(amount_raw)
        return None

    def settle(self, now_ts: int, record: Address, custodian: str) -> ErrorCode | None:
        entry = self.entries[custodian]
        if record not in self.redemptions:
            return ErrorCode.AccountNotInitialized
        claim = self.redemptions[record]
        if self.paused & Scope.REDEEM:
            return ErrorCode.Paused
        if claim.state is not RedemptionState.REQUESTED:
            return ErrorCode.RedemptionClosed
        if self.in_force(now_ts) != self.multiplier_bits:
            return ErrorCode.MultiplierMismatch
        bucket = self._burn_bucket_at(now_ts)
        if claim.amount_raw > bucket.level_raw:
            return ErrorCode.BucketEmpty
        if not self._is_fresh(now_ts, custodian):
            return ErrorCode.EntryNotFresh
        if claim.amount_raw > entry.capacity_raw - entry.unseen_raw:
            return ErrorCode.RedemptionNotCovered
        if (claim.custodian, claim.accepted_epoch) != (custodian, self.epochs[custodian]):
            return ErrorCode.RedemptionNotAccepted
        bucket.level_raw -= claim.amount_raw
        self.burn_bucket = bucket
        claim.state = RedemptionState.SETTLED
        entry.redeemed_total_raw += claim.amount_raw
        self.burnt_raw += claim.amount_raw
        self.supply_raw -= claim.amount_raw
        return None

    def accept(self, now_ts: int, record: Address, custodian: str) -> ErrorCode | None:
        if record not in self.redemptions:
            return ErrorCode.AccountNotInitialized
        claim, epoch = self.redemptions[record], self.epochs[custodian]
        if self.paused & Scope.REDEEM:
            return ErrorCode.Paused
        if self.entries[custodian].state is not EntryState.ATTACHED:
            return ErrorCode.NotAttached
        if claim.state is not RedemptionState.REQUESTED:
            return ErrorCode.RedemptionClosed
        if claim.custodian is None:
            claim.custodian, claim.locked_until_ts = custodian, now_ts + self.policy.redemption_lock_secs
        elif claim.custodian != custodian or epoch <= claim.accepted_epoch:
            return ErrorCode.RedemptionAlreadyAccepted
        claim.accepted_epoch = epoch
        return None

    def give_back(self, now_ts: int, record: Address, state: RedemptionState) -> ErrorCode | None:
        if record not in self.redemptions:
            return ErrorCode.AccountNotInitialized
        claim = self.redemptions[record]
        if state is RedemptionState.REJECTED and self.paused & Scope.REDEEM:
            return ErrorCode.Paused
        if claim.state is not RedemptionState.REQUESTED:
            return ErrorCode.RedemptionClosed
        if state is RedemptionState.CANCELLED and now_ts < claim.locked_until_ts:
            return ErrorCode.RedemptionLocked
        claim.state = state
        self.held_raw += claim.amount_raw
        return None

    def attest(
        self,
        now_ts: int,
        custodian: str,
        observed_ms: int,
        expires_ts: int,
        shares_nano: int,
        capacity_raw: int,
        redeemed_seen_raw: int,
    ) -> ErrorCode | None:
        entry = self.entries[custodian]
        if now_ts >= expires_ts:
            return ErrorCode.StatementExpired
        if observed_ms > (now_ts + SKEW_SECS) * MILLIS_PER_SEC:
            return ErrorCode.ObservedInFuture
        if entry.state is not EntryState.ATTACHED or observed_ms <= entry.observed_ms:
            return ErrorCode.StatementNotNewer
        multiplier_bits = self.in_force(now_ts)
        if entry.multiplier_bits != multiplier_bits and observed_ms < self._last_change_ts(now_ts) * MILLIS_PER_SEC:
            return ErrorCode.StatementNotNewer
        if capacity_raw != floor(Fraction(shares_nano, NANO_PER_RAW) / multiplier_fraction(multiplier_bits)):
            return ErrorCode.CapacityMismatch
        if redeemed_seen_raw > entry.redeemed_total_raw:
            return ErrorCode.SeenAboveTotal
        self._bring_into_force(now_ts)
        # What is newly seen is taken off the old capacity: counting a redemption is no change (M9).
        old_raw = max(0, entry.capacity_raw + entry.redeemed_seen_raw - redeemed_seen_raw)
        hold = self._hold(now_ts, entry, old_raw, capacity_raw)
        if entry.multiplier_bits == self.multiplier_bits:
            confirmed = entry.confirmed
        else:
            confirmed = not hold and not entry.withdrawn and entry.multiplier_bits != 0 and old_raw > 0
        self.holds |= hold
        self.hold_number += bool(hold)
        self.entries[custodian] = EntryModel(
            observed_ms=observed_ms,
            withdrawn=False,
            confirmed=confirmed,
            epoch=self.epochs[custodian],
            expires_ts=expires_ts,
            shares_nano=shares_nano,
            capacity_raw=capacity_raw,
            redeemed_total_raw=entry.redeemed_total_raw,
            redeemed_seen_raw=redeemed_seen_raw,
            multiplier_bits=self.multiplier_bits,
        )
        return None

    def _hold(self, now_ts: int, before: EntryModel, old_raw: int, new_raw: int) -> Hold:
        """M9, as amended: see docs/decisions/0018."""
        near = [
            since_ts > 0 and now_ts - since_ts < self.policy.ca_window_secs
            for since_ts in (self.multiplier_changed_ts, self.change_cancelled_ts)
        ]
        around_change = self.multiplier_effective_ts != 0 or any(near)
        if before.withdrawn or not old_raw:
            return Hold.CA_WINDOW if around_change else Hold(0)
        change = Fraction(new_raw - old_raw, old_raw) * BPS
        if before.multiplier_bits != self.multiplier_bits:
            return Hold.MULTIPLIER if abs(change) > self.policy.ca_tolerance_bps else Hold(0)
        around_change = self.multiplier_effective_ts != 0 or near[1] or (near[0] and not before.confirmed)
        bounds = [self.policy.max_rise_bps, *([self.policy.ca_tolerance_bps] if around_change else [])]
        return Hold.RISE if change > min(bounds) else Hold(0)

    def in_force(self, now_ts: int) -> int:
        """The multiplier that the mint applies."""
        announced = self.multiplier_effective_ts != 0 and now_ts >= self.multiplier_effective_ts
        return self.pending_multiplier_bits if announced else self.multiplier_bits

    def _last_change_ts(self, now_ts: int) -> int:
        announced = self.multiplier_effective_ts != 0 and now_ts >= self.multiplier_effective_ts
        return self.multiplier_effective_ts if announced else self.multiplier_changed_ts

    def _bring_into_force(self, now_ts: int) -> None:
        if self.multiplier_effective_ts and now_ts >= self.multiplier_effective_ts:
            self.multiplier_bits, self.pending_multiplier_bits = self.pending_multiplier_bits, 0
            self.multiplier_changed_ts, self.multiplier_effective_ts = self.multiplier_effective_ts, 0

    def schedule(
        self, now_ts: int, current_bits: int, new_bits: int, effective_ts: int, admin: bool
    ) -> ErrorCode | None:
        current = self.in_force(now_ts)
        if self.multiplier_effective_ts > now_ts:
            return ErrorCode.MultiplierChangePending
        if current_bits != current:
            return ErrorCode.MultiplierChanged
        if new_bits == current:
            return ErrorCode.NothingToChange
        if effective_ts < now_ts + self.policy.min_notice_secs:
            return ErrorCode.NoticeTooShort
        change = multiplier_fraction(new_bits) / multiplier_fraction(current) - 1
        if abs(change) * BPS > self.policy.max_multiplier_bps and not admin:
            return ErrorCode.MultiplierNeedsAdmin
        counting = [
            entry for entry in self.entries.values() if entry.state is EntryState.ATTACHED and not entry.withdrawn
        ]
        confirmed = all(entry.multiplier_bits == current for entry in counting)
        if not admin and not (confirmed and (counting or not self._last_change_ts(now_ts))):
            return ErrorCode.MultiplierNeedsAdmin
        self._bring_into_force(now_ts)
        for entry in self.entries.values():
            if entry.multiplier_bits != self.multiplier_bits:
                entry.multiplier_bits = 0
        self.pending_multiplier_bits, self.multiplier_effective_ts = new_bits, effective_ts
        return None

    def cancel_change(self, now_ts: int, pending_bits: int) -> ErrorCode | None:
        if not self.multiplier_effective_ts:
            return ErrorCode.NoMultiplierPending
        if now_ts >= self.multiplier_effective_ts:
            return ErrorCode.MultiplierTookEffect
        if pending_bits != self.pending_multiplier_bits:
            return ErrorCode.MultiplierChanged
        self.pending_multiplier_bits = self.multiplier_effective_ts = 0
        self.change_cancelled_ts = now_ts
        return None

    def withdraw(self, now_ts: int, custodian: str) -> ErrorCode | None:
        entry = self.entries[custodian]
        if entry.state is not EntryState.ATTACHED:
            return ErrorCode.NotAttached
        self._void(entry, (now_ts + SKEW_SECS) * MILLIS_PER_SEC)
        return None

    def attach(self, now_ts: int, custodian: str) -> ErrorCode | None:
        entry = self.entries[custodian]
        if entry.state is EntryState.ATTACHED:
            return ErrorCode.AlreadyAttached
        entry.state = EntryState.ATTACHED
        self._void(entry, (now_ts + SKEW_SECS) * MILLIS_PER_SEC)
        return None

    def detach(self, custodian: str) -> ErrorCode | None:
        entry = self.entries[custodian]
        if entry.state is not EntryState.ATTACHED:
            return ErrorCode.NotAttached
        entry.state = EntryState.DETACHED
        self._void(entry, 0)
        return None

    @staticmethod
    def _void(entry: EntryModel, until_ms: int) -> None:
        entry.observed_ms = max(entry.observed_ms, until_ms)
        entry.shares_nano = entry.capacity_raw = 0
        entry.withdrawn = True
        entry.confirmed = False

    def pause(self, scopes: Scope) -> ErrorCode | None:
        self.paused |= scopes
        return None

    def resume(self, scopes: Scope) -> ErrorCode | None:
        if not self.paused & scopes:
            return ErrorCode.NothingToChange
        self.paused &= ~scopes
        return None

    def clear_hold(self, holds: Hold, hold_number: int) -> ErrorCode | None:
        if not self.holds & holds:
            return ErrorCode.NothingToChange
        if hold_number != self.hold_number:
            return ErrorCode.HeldAgain
        self.holds &= ~holds
        return None

    def set_policy(self, now_ts: int, policy: Policy) -> ErrorCode | None:
        old = self.policy
        self.mint_bucket.refill(now_ts, old.mint_burst_raw, old.mint_refill_raw_per_sec)
        self.mint_bucket.level_raw = min(self.mint_bucket.level_raw, policy.mint_burst_raw)
        self.distribute_bucket.refill(now_ts, old.distribute_burst_raw, old.distribute_refill_raw_per_sec)
        self.distribute_bucket.level_raw = min(self.distribute_bucket.level_raw, policy.distribute_burst_raw)
        self.burn_bucket.refill(now_ts, old.burn_burst_raw, old.burn_refill_raw_per_sec)
        self.burn_bucket.level_raw = min(self.burn_bucket.level_raw, policy.burn_burst_raw)
        self.policy = policy
        return None


scopes = st.sampled_from([Scope.MINT, Scope.BURN, Scope.DISTRIBUTE, Scope.REDEEM, Scope.MINT | Scope.BURN])
