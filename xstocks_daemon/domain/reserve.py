"""What the reserve of an asset says at one time, for readers: is it enforced, fully backed, how old, which multiplier.

The same questions and answers as the Rust crate `programs/xstocks_reserve`; `tests/vectors/reserve.json` holds both to
them. Accounts come decoded (`chain.program.ProgramClient`, `chain.mint_layout.read_mint`), which checks their owners.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xstocks_daemon.domain.snapshot import (
    AssetAccount,
    AssetState,
    Config,
    Custodian,
    Hold,
    MintAccount,
    Scope,
    capped_sum,
    fresh_entries,
)
from xstocks_daemon.domain.units import MILLIS_PER_SEC, Address, address_text, lacks_less_than_nano

_END_OF_TIME_TS = 2**40
"""Times are below it, as in the program."""


class ReserveError(ValueError):
    """Accounts that do not belong together, or no time; the message names them."""


@dataclass(frozen=True, slots=True)
class Reserve:
    """An asset's backing at one time. Ages are in whole seconds, rounded up, of the statements that count; None where
    none does. `paused` is what is paused of this asset or of all."""

    enforced: bool
    """No rule changes but on the reader's terms."""
    state: AssetState
    paused: Scope
    holds: Hold
    multiplier_bits: int
    supply_raw: int
    ceiling_raw: int
    unseen_raw: int
    lacks_less_than_nano: int
    """The supply is backed but for less than this many billionths of a share: 0 where it is fully backed, 1 where
    nothing is missing but what rounding down leaves."""
    newest_age_secs: int | None
    oldest_age_secs: int | None

    @property
    def fully_backed(self) -> bool:
        """Whether every token is backed by a share that a quorum has signed."""
        return self.supply_raw <= self.ceiling_raw

    @property
    def shortfall_raw(self) -> int:
        """Supply above what fresh statements back, in base units; 0 where it is fully backed."""
        return max(0, self.supply_raw - self.ceiling_raw)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a reader asks of an issuer before it says "enforced": a timelock at least so long (the time to leave before
    a rule changes), and who may replace the program, such as a multisig that the reader knows (None: nobody)."""

    min_timelock_secs: int
    upgrade_authority: Address | None


def reserve_of(
    config: Config,
    asset: AssetAccount,
    mint_address: Address,
    mint: MintAccount,
    custodians: Iterable[Custodian],
    now_ts: int,
    *,
    upgrade_authority: Address | None,
    terms: Terms,
) -> Reserve:
    """The reserve of `asset` at `now_ts` (the chain's clock), for a reader of these `terms`. `upgrade_authority` is the
    program's (None: nobody's): who holds it can replace every rule at once.

    A custodian that is left out counts zero, its unseen redemptions do count; where the mint applies another multiplier
    than the asset no statement counts. Raises ReserveError for a mint or custodian that is not the asset's, and for a
    time before 1970 or beyond the year 36000.
    """
    if not 0 <= now_ts < _END_OF_TIME_TS:
        raise ReserveError(f"the clock says {now_ts}: that is no Unix time")
    if mint_address != asset.mint:
        raise ReserveError(f"mint {address_text(mint_address)} is not the asset's: that is {address_text(asset.mint)}")
    passed = {custodian.address: custodian for custodian in custodians}
    for address in passed.keys() - {entry.custodian for entry in asset.entries}:
        raise ReserveError(f"custodian {address_text(address)} has no entry in the asset")
    multiplier_bits = asset.effective_multiplier_bits(now_ts)
    agreed = mint.effective_multiplier_bits(now_ts) == multiplier_bits
    fresh = fresh_entries(asset, passed, now_ts) if agreed else []
    unseen_raw = capped_sum(entry.unseen_raw for entry in asset.entries)
    ceiling_raw = max(0, capped_sum(entry.capacity_raw for entry in fresh) - unseen_raw)
    shares_nano = capped_sum(entry.shares_nano for entry in fresh)
    lacking_nano = lacks_less_than_nano(mint.supply_raw + unseen_raw, shares_nano, multiplier_bits, asset.decimals)
    # Rounded up; an observation ahead of the clock, by the allowed skew, has no age.
    ages_secs = [max(0, -((entry.observed_ms - now_ts * MILLIS_PER_SEC) // MILLIS_PER_SEC)) for entry in fresh]
    return Reserve(
        enforced=_is_enforced(config, asset, upgrade_authority, terms),
        state=asset.state,
        paused=config.paused | asset.paused,
        holds=asset.holds,
        multiplier_bits=multiplier_bits,
        supply_raw=mint.supply_raw,
        ceiling_raw=ceiling_raw,
        unseen_raw=unseen_raw,
        lacks_less_than_nano=0 if mint.supply_raw <= ceiling_raw else lacking_nano,
        newest_age_secs=min(ages_secs, default=None),
        oldest_age_secs=max(ages_secs, default=None),
    )


def _is_enforced(config: Config, asset: AssetAccount, upgrade_authority: Address | None, terms: Terms) -> bool:
    replaced_as_agreed = upgrade_authority is None or upgrade_authority == terms.upgrade_authority
    is_bound = config.sealed and config.timelock_secs >= terms.min_timelock_secs
    return replaced_as_agreed and is_bound and asset.state is not AssetState.RELEASED
