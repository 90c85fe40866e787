"""The daemon's check of a statement: nothing that came over the network is trusted.

`verify_statement` is one list of numbered checks in a fixed order; the first that fails rejects the statement, since
it was signed whole. Checks 1 to 14 are about the statement, 15 to 21 about each entry in turn: every failing entry is
reported with its first failure.

 1 FORM                1 to 24 entries by strictly ascending mints, 1 to 8 signatures of 64 bytes
 2 WRONG_CLUSTER       genesis_hash is this cluster's
 3 WRONG_PROGRAM       program_id is this program's
 4 UNKNOWN_CUSTODIAN   the custodian is on chain and Active, and is the one that was asked
 5 WRONG_EPOCH         epoch is the custodian's present one
 6 UNREGISTERED_MINT   every mint has an Asset account, this custodian an attached entry in it
 7 KEY_ORDER           signers' keys strictly ascend
 8 UNKNOWN_KEY         every signer is in the custodian's present key set
 9 KEY_EXPIRED         no signer's key has expired
10 BAD_SIGNATURE       every signature is ed25519 over the digest that is built here
11 CUSTODIAN_MISSING   party 0, the custodian itself, is among the signers (M2)
12 NO_QUORUM           at least threshold distinct parties signed, never fewer than 2 (M2)
13 FROM_THE_FUTURE     observed_ms is at most the allowed skew ahead of the clock (M3)
14 BAD_EXPIRY          expires_ts is in the future, and at most the allowed lifetime after the observation
15 EQUIVOCATION        no other values were signed for the same custodian, mint and time
16 NOT_NEWER           observed_ms is later than the last one, of the chain and of what was seen (M3)
17 WRONG_MULTIPLIER    multiplier_bits are the ones in force by the Asset account and by the mint
18 WRONG_CAPACITY      capacity_raw is exactly floor(shares_nano x 10^decimals / (10^9 x multiplier))
19 SEEN_ABOVE_TOTAL    redeemed_seen_raw is at most the chain's redeemed_total_raw (M6)
20 JUMP                capacity_raw + redeemed_seen_raw is not above the last sum by more than the limit in bps
21 SHARED_CHANGE       an asset whose multiplier changes before expires_ts stands alone in its statement
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from solders.pubkey import Pubkey
from solders.signature import Signature

from xstocks_daemon.domain.snapshot import AssetView, AttesterKey, ChainSnapshot, Custodian, CustodianState, chain_entry
from xstocks_daemon.domain.snapshot import Entry as ChainEntry
from xstocks_daemon.domain.statement import AttesterSignature, SignedStatement, Statement, StatementEntry
from xstocks_daemon.domain.units import BPS, MILLIS_PER_SEC, Address, UnitError, capacity_raw

MIN_PARTIES = 2
MAX_SIGNATURES = 8
CUSTODIAN_PARTY = 0
_SIGNATURE_BYTES = 64


class RejectionReason(Enum):
    """Why a statement was rejected, in the order of the checks."""

    FORM = "form"
    WRONG_CLUSTER = "wrong_cluster"
    WRONG_PROGRAM = "wrong_program"
    UNKNOWN_CUSTODIAN = "unknown_custodian"
    WRONG_EPOCH = "wrong_epoch"
    UNREGISTERED_MINT = "unregistered_mint"
    KEY_ORDER = "key_order"
    UNKNOWN_KEY = "unknown_key"
    KEY_EXPIRED = "key_expired"
    BAD_SIGNATURE = "bad_signature"
    CUSTODIAN_MISSING = "custodian_missing"
    NO_QUORUM = "no_quorum"
    FROM_THE_FUTURE = "from_the_future"
    BAD_EXPIRY = "bad_expiry"
    EQUIVOCATION = "equivocation"
    NOT_NEWER = "not_newer"
    WRONG_MULTIPLIER = "wrong_multiplier"
    WRONG_CAPACITY = "wrong_capacity"
    SEEN_ABOVE_TOTAL = "seen_above_total"
    JUMP = "jump"
    SHARED_CHANGE = "shared_change"


@dataclass(frozen=True, slots=True)
class VerifyLimits:
    """The operator's limits. `max_rise_bps` bounds a rise from the last statement, None leaves it to the program;
    `max_lifetime_secs` bounds expires_ts after the observation."""

    max_skew_ms: int
    max_lifetime_secs: int
    max_rise_bps: int | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why, of which entry (None: of the statement as a whole), and a sentence for people."""

    reason: RejectionReason
    mint: Address | None
    detail: str


@dataclass(frozen=True, slots=True)
class VerifiedEntry:
    """An entry that passed, with its custodian's last one (None: there was none to compare with)."""

    entry: StatementEntry
    observed_ms: int
    last_sum_raw: int | None

    @property
    def sum_raw(self) -> int:
        """capacity_raw + redeemed_seen_raw: what a rise or a fall is measured by."""
        return self.entry.capacity_raw + self.entry.redeemed_seen_raw

    @property
    def is_lower(self) -> bool:
        """Whether it states less than the last one; such a statement is relayed first and at once."""
        return self.last_sum_raw is not None and self.sum_raw < self.last_sum_raw


@dataclass(frozen=True, slots=True)
class Verdict:
    """Either every entry verified, or none and at least one rejection."""

    signed: SignedStatement
    verified: tuple[VerifiedEntry, ...]
    rejections: tuple[Rejection, ...]

    @property
    def accepted(self) -> bool:
        """Whether the statement may be relayed."""
        return not self.rejections


@dataclass(slots=True)
class SeenStatements:
    """The newest verified entry per (custodian, mint): what the chain does not show yet. Kept by the caller, who
    records every accepted statement."""

    _last: dict[tuple[Address, Address], tuple[int, StatementEntry]] = field(default_factory=dict)

    def record(self, statement: Statement) -> None:
        """Remember an accepted statement."""
        for entry in statement.entries:
            last = self.last(statement.custodian, entry.mint)
            if last is None or last[0] < statement.observed_ms:
                self._last[statement.custodian, entry.mint] = (statement.observed_ms, entry)

    def last(self, custodian: Address, mint: Address) -> tuple[int, StatementEntry] | None:
        """(observed_ms, entry) of the newest recorded one."""
        return self._last.get((custodian, mint))


class StatementRejected(Exception):
    """A statement failed a check: `rejection` names it, the message has the numbers too."""

    def __init__(self, rejection: Rejection) -> None:
        self.rejection = rejection
        super().__init__(f"{rejection.reason.value}: {rejection.detail}")


def verify_statement(
    signed: SignedStatement,
    *,
    asked_custodian: Address,
    snapshot: ChainSnapshot,
    seen: SeenStatements,
    limits: VerifyLimits,
    now_ms: int,
) -> Verdict:
    """All checks of this module, in order. `now_ms` is the daemon's own clock; `snapshot` is finalized.

    Pure: records nothing in `seen`.
    """
    try:
        custodian = _check_statement(signed, asked_custodian, snapshot, limits, now_ms)
    except StatementRejected as refused:
        return Verdict(signed, (), (refused.rejection,))
    verified: list[VerifiedEntry] = []
    rejections: list[Rejection] = []
    for entry in signed.statement.entries:
        try:
            verified.append(_check_entry(entry, signed.statement, custodian, snapshot, seen, limits))
        except StatementRejected as refused:
            rejections.append(refused.rejection)
    return Verdict(signed, () if rejections else tuple(verified), tuple(rejections))


def _check_statement(
    signed: SignedStatement, asked_custodian: Address, snapshot: ChainSnapshot, limits: VerifyLimits, now_ms: int
) -> Custodian:
    statement = signed.statement
    # 1. The entries' form is the Statement's own, which cannot be built otherwise.
    _require(
        1 <= len(signed.signatures) <= MAX_SIGNATURES
        and all(len(one.signature) == _SIGNATURE_BYTES and len(one.key) == 32 for one in signed.signatures),
        RejectionReason.FORM,
        f"{len(signed.signatures)} signatures, 1 to {MAX_SIGNATURES} of {_SIGNATURE_BYTES} bytes are allowed",
    )
    # 2, 3
    _require(statement.genesis_hash == snapshot.genesis_hash, RejectionReason.WRONG_CLUSTER, "of another cluster")
    _require(statement.program_id == snapshot.program_id, RejectionReason.WRONG_PROGRAM, "of another program")
    # 4
    custodian = snapshot.custodians.get(statement.custodian)
    if custodian is None or custodian.state is not CustodianState.ACTIVE or statement.custodian != asked_custodian:
        raise _rejected(RejectionReason.UNKNOWN_CUSTODIAN, "not of the Active custodian that was asked")
    # 5
    _require(
        statement.epoch == custodian.epoch,
        RejectionReason.WRONG_EPOCH,
        f"of key epoch {statement.epoch}, the custodian's is {custodian.epoch}",
    )
    # 6
    for entry in statement.entries:
        view = snapshot.assets.get(entry.mint)
        if view is None or chain_entry(view, custodian.address) is None:
            raise _rejected(
                RejectionReason.UNREGISTERED_MINT, "no Asset account with this custodian attached", entry.mint
            )
    # 7 to 12
    check_quorum(custodian, statement.digest(), signed.signatures, now_ms)
    # 13
    ahead_ms = statement.observed_ms - now_ms
    _require(
        ahead_ms <= limits.max_skew_ms,
        RejectionReason.FROM_THE_FUTURE,
        f"observed {ahead_ms} ms ahead of the clock, {limits.max_skew_ms} ms are allowed",
    )
    # 14
    lifetime_ms = statement.expires_ts * MILLIS_PER_SEC - statement.observed_ms
    _require(
        now_ms < statement.expires_ts * MILLIS_PER_SEC and lifetime_ms <= limits.max_lifetime_secs * MILLIS_PER_SEC,
        RejectionReason.BAD_EXPIRY,
        f"expires_ts {statement.expires_ts} is over, or more than {limits.max_lifetime_secs} s after the observation",
    )
    return custodian


def check_quorum(custodian: Custodian, digest: bytes, signatures: tuple[AttesterSignature, ...], now_ms: int) -> None:
    """Checks 7 to 12. Raises StatementRejected."""
    # 7
    _require(
        all(a.key < b.key for a, b in pairwise(signatures)),
        RejectionReason.KEY_ORDER,
        "signers' keys do not strictly ascend",
    )
    known: dict[Address, AttesterKey] = {key.key: key for key in custodian.keys}
    for one in signatures:
        # 8, 9, 10
        signer = known.get(one.key)
        if signer is None:
            raise _rejected(RejectionReason.UNKNOWN_KEY, f"{Pubkey(one.key)} is no present key of the custodian")
        _require(
            now_ms < signer.expires_ts * MILLIS_PER_SEC,
            RejectionReason.KEY_EXPIRED,
            f"key {Pubkey(one.key)} has expired",
        )
        _require(
            Signature.from_bytes(one.signature).verify(Pubkey(one.key), digest),
            RejectionReason.BAD_SIGNATURE,
            f"the signature of {Pubkey(one.key)} is not of this statement",
        )
    parties = {known[one.key].party for one in signatures}
    # 11, 12
    _require(CUSTODIAN_PARTY in parties, RejectionReason.CUSTODIAN_MISSING, "the custodian itself did not sign")
    needed = max(custodian.threshold, MIN_PARTIES)
    _require(len(parties) >= needed, RejectionReason.NO_QUORUM, f"{len(parties)} parties signed, {needed} are needed")


def _check_entry(
    entry: StatementEntry,
    statement: Statement,
    custodian: Custodian,
    snapshot: ChainSnapshot,
    seen: SeenStatements,
    limits: VerifyLimits,
) -> VerifiedEntry:
    view = snapshot.assets[entry.mint]
    on_chain = chain_entry(view, custodian.address)
    assert on_chain is not None, "check 6"
    last_seen = seen.last(custodian.address, entry.mint)
    mint = entry.mint
    # 15
    if statement.observed_ms == on_chain.observed_ms and not on_chain.withdrawn:  # attaching also withdraws
        _require(
            _values(entry) == _values(on_chain),
            RejectionReason.EQUIVOCATION,
            "the chain has other values of that time",
            mint,
        )
    if last_seen is not None and statement.observed_ms == last_seen[0]:
        _require(
            entry == last_seen[1], RejectionReason.EQUIVOCATION, "other values were signed for the same time", mint
        )
    # 16
    newest_ms = max(on_chain.observed_ms, last_seen[0] if last_seen else 0)
    _require(
        statement.observed_ms > newest_ms,
        RejectionReason.NOT_NEWER,
        f"observed at {statement.observed_ms} ms, there is one of {newest_ms} ms",
        mint,
    )
    # 17
    in_force = effective_multiplier_bits(view, snapshot.now_ts)
    _require(
        entry.multiplier_bits == in_force,
        RejectionReason.WRONG_MULTIPLIER,
        f"multiplier_bits {entry.multiplier_bits}, in force are {in_force}",
        mint,
    )
    # 18
    try:
        exact_raw = capacity_raw(entry.shares_nano, entry.multiplier_bits, view.asset.decimals)
    except UnitError as error:
        raise _rejected(RejectionReason.WRONG_CAPACITY, str(error), mint) from error
    _require(
        entry.capacity_raw == exact_raw,
        RejectionReason.WRONG_CAPACITY,
        f"capacity_raw {entry.capacity_raw}, the shares can back {exact_raw}",
        mint,
    )
    # 19
    _require(
        entry.redeemed_seen_raw <= on_chain.redeemed_total_raw,
        RejectionReason.SEEN_ABOVE_TOTAL,
        f"redeemed_seen_raw {entry.redeemed_seen_raw} is above redeemed_total_raw {on_chain.redeemed_total_raw}",
        mint,
    )
    # 20
    last_sum_raw = _last_sum_raw(on_chain, last_seen)
    verified = VerifiedEntry(entry, statement.observed_ms, last_sum_raw)
    if limits.max_rise_bps is not None and last_sum_raw:
        _require(
            verified.sum_raw * BPS <= last_sum_raw * (BPS + limits.max_rise_bps),
            RejectionReason.JUMP,
            f"rises from {last_sum_raw} to {verified.sum_raw}, above the limit of {limits.max_rise_bps} bps",
            mint,
        )
    # 21
    changes_at_ts = pending_change_ts(view, snapshot.now_ts)
    _require(
        len(statement.entries) == 1 or changes_at_ts is None or changes_at_ts >= statement.expires_ts,
        RejectionReason.SHARED_CHANGE,
        "its multiplier changes before the statement expires, so it needs a statement of its own",
        mint,
    )
    return verified


def effective_multiplier_bits(view: AssetView, now_ts: int) -> int | None:
    """The multiplier in force; None where Asset account and mint differ (then no statement holds)."""
    by_asset = view.asset.effective_multiplier_bits(now_ts)
    return by_asset if by_asset == view.mint.effective_multiplier_bits(now_ts) else None


def pending_change_ts(view: AssetView, now_ts: int) -> int | None:
    """When the multiplier changes next; None where no change is pending."""
    effective_ts = view.asset.multiplier_effective_ts
    return effective_ts if effective_ts > now_ts else None


def _values(entry: StatementEntry | ChainEntry) -> tuple[int, int, int, int]:
    return (entry.multiplier_bits, entry.shares_nano, entry.capacity_raw, entry.redeemed_seen_raw)


def _last_sum_raw(on_chain: ChainEntry, last_seen: tuple[int, StatementEntry] | None) -> int | None:
    if last_seen is not None and last_seen[0] > on_chain.observed_ms:
        return last_seen[1].capacity_raw + last_seen[1].redeemed_seen_raw
    if on_chain.withdrawn:
        return None
    return on_chain.capacity_raw + on_chain.redeemed_seen_raw


def _rejected(reason: RejectionReason, detail: str, mint: Address | None = None) -> StatementRejected:
    return StatementRejected(Rejection(reason, mint, detail))


def _require(holds: bool, reason: RejectionReason, detail: str, mint: Address | None = None) -> None:
    if not holds:
        raise _rejected(reason, detail, mint)
