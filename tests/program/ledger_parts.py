"""Parts of the model of one asset's ledger."""

from __future__ import annotations

from dataclasses import dataclass

from xstocks_daemon.domain.snapshot import EntryState, RedemptionState


@dataclass(slots=True)
class BucketModel:
    """A token bucket: what is left, and when that was so."""

    level_raw: int
    updated_ts: int

    def refill(self, now_ts: int, burst_raw: int, rate_raw: int) -> None:
        self.level_raw = min(burst_raw, self.level_raw + rate_raw * max(0, now_ts - self.updated_ts))
        self.updated_ts = max(self.updated_ts, now_ts)


@dataclass(slots=True)
class EntryModel:
    """What the asset knows of one custodian."""

    observed_ms: int
    state: EntryState = EntryState.ATTACHED
    withdrawn: bool = True
    confirmed: bool = False
    epoch: int = 0
    expires_ts: int = 0
    shares_nano: int = 0
    capacity_raw: int = 0
    redeemed_total_raw: int = 0
    redeemed_seen_raw: int = 0
    multiplier_bits: int = 0

    @property
    def unseen_raw(self) -> int:
        return self.redeemed_total_raw - self.redeemed_seen_raw


@dataclass(slots=True)
class RedemptionModel:
    """A participant's claim: what it is of, how it ended, who accepted it and so owes the shares."""

    amount_raw: int
    state: RedemptionState = RedemptionState.REQUESTED
    custodian: str | None = None
    accepted_epoch: int = 0
    locked_until_ts: int = 0
