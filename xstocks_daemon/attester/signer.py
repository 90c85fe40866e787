"""The one place where this key signs, for its own proposals and for those of others.

The digest is built here, from the own genesis hash, program, custodian, key epoch and multiplier. In order:

1 the statement is of the own cluster and program, and of a custodian that is served here
2 its epoch is the custodian's present one, and the own key is in the present set, not expired
3 observed_ms is at most the allowed skew ahead of the own clock, and no older than a proposal may be
4 expires_ts is not over, and at most the lifetime after the observation
5 per entry: the own books and the finalized chain have an entry for the mint, with the same multiplier
6 per entry: capacity_raw follows from the shares, redeemed_seen_raw is not above the chain's counter
7 per entry: observed_ms is later than that of the chain's entry
8 an asset whose multiplier changes before expires_ts stands alone
9 per entry: capacity_raw + redeemed_seen_raw is not above the own sum: lower is always signable
10 nothing newer, and nothing else of the same time, was signed; put down on disk before the signature is made

5 to 10 happen under the books' lock, with the clock read under it too: a signature made before a leaving was marked
has an observation at most the allowed skew after the mark, one made later is without the leaving shares (M13).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeVar

from solders.keypair import Keypair

from xstocks_daemon.attester.books import Books
from xstocks_daemon.attester.books_file import BooksFile
from xstocks_daemon.attester.chain_view import ChainView
from xstocks_daemon.attester.own_entries import (
    EntryRefusal,
    EntryRefusalReason,
    OwnEntry,
    own_entry,
)
from xstocks_daemon.attester.store import AlreadySigned, SignedStore
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.domain.snapshot import ChainSnapshot, Custodian, CustodianState
from xstocks_daemon.domain.statement import Statement, StatementEntry
from xstocks_daemon.domain.units import MILLIS_PER_SEC, Address, UnitError, capacity_raw

T = TypeVar("T")


class SignRefused(Exception):
    """Why a statement is not signed: `code` names the check, `field` the statement's field, `remedy` what to do."""

    def __init__(self, code: str, field: str, detail: str, remedy: str, status: int = 409) -> None:
        self.code = code
        self.field = field
        self.detail = detail
        self.remedy = remedy
        self.status = status
        super().__init__(f"{code}: {detail}")


class EntriesRefused(SignRefused):
    """Mints that this sidecar signs nothing of now."""

    def __init__(self, refused: tuple[EntryRefusal, ...]) -> None:
        self.refused = refused
        super().__init__(
            "entries_refused",
            "statement.entries",
            "; ".join(f"{one.reason.value}: {one.detail}" for one in refused[:3]),
            "leave these mints out",
        )


class AboveLimits(SignRefused):
    """Entries above what the own books hold; `limits` has the own numbers of those."""

    def __init__(self, limits: tuple[OwnEntry, ...]) -> None:
        self.limits = limits
        super().__init__(
            "above_limits",
            "statement.entries",
            f"{len(limits)} entries state more than the books of this sidecar hold",
            "state no more than `limits`",
        )


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature of the own key, and the party the key belongs to."""

    key: Address
    party: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignerLimits:
    """`lifetime_secs`: the most between observation and expiry; `max_skew_ms`: how far another sidecar's clock may be
    ahead; `max_age_ms`: how long ago an observation may be, the time a proposal needs to get here included."""

    lifetime_secs: int
    max_skew_ms: int
    max_age_ms: int

    def skew_ms(self, snapshot: ChainSnapshot) -> int:
        """The allowed skew: never more than the chain's own, on which the release of shares relies (M13)."""
        return min(self.max_skew_ms, snapshot.config.max_skew_secs * MILLIS_PER_SEC)


class StatementSigner:
    """Signs statements of the custodians whose books are given. `now_ms` is the own clock; `worker` has one thread,
    so books, store and key are used by one at a time."""

    def __init__(
        self,
        key: Keypair,
        genesis_hash: Address,
        program_id: Address,
        books: Mapping[Address, BooksFile],
        store: SignedStore,
        chain_view: ChainView,
        limits: SignerLimits,
        now_ms: Callable[[], int],
        worker: Executor,
    ) -> None:
        self._key = key
        self.address = Address(bytes(key.pubkey()))
        self.genesis_hash = genesis_hash
        self.program_id = program_id
        self._books = books
        self._store = store
        self._chain_view = chain_view
        self.limits = limits
        self.now_ms = now_ms
        self._worker = worker

    @property
    def custodians(self) -> tuple[Address, ...]:
        """The addresses of the custodians whose statements this sidecar signs."""
        return tuple(self._books)

    async def books_of(self, custodian: Address) -> Books:
        """The custodian's books as their file has them now."""
        return await self._in_worker(self._books[custodian].load)

    async def last_observed_ms(self, custodian: Address, mints: tuple[Address, ...]) -> int:
        """The latest time signed for any of these mints."""
        return await self._in_worker(lambda: self._store.last_observed_ms(custodian, mints))

    async def sign(self, proposal: Statement) -> Signed:
        """Sign, after all checks of this module. SignRefused (EntriesRefused, AboveLimits), ChainViewUnavailable, or
        UserError where the own books are broken."""
        self._check_bound(proposal)
        snapshot = await self._chain_view.snapshot(proposal.custodian, [entry.mint for entry in proposal.entries])
        return await self._in_worker(lambda: self._sign(proposal, snapshot))

    async def _in_worker(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    def _check_bound(self, proposal: Statement) -> None:
        # 1
        for field, given, own in (
            ("genesis_hash", proposal.genesis_hash, self.genesis_hash),
            ("program_id", proposal.program_id, self.program_id),
        ):
            if given != own:
                raise SignRefused(
                    f"wrong_{field}",
                    f"statement.{field}",
                    f"{base58(given)} is another {field} than this sidecar's",
                    "ask the sidecar of that cluster and program",
                    422,
                )
        if proposal.custodian not in self._books:
            raise unknown_custodian("statement.custodian", proposal.custodian)

    def own_key(self, snapshot: ChainSnapshot, custodian_address: Address) -> tuple[Custodian, int]:
        """The custodian and the own key's party. SignRefused where the chain does not know this key for it now."""
        custodian = snapshot.custodians.get(custodian_address)
        if custodian is None or custodian.state is not CustodianState.ACTIVE:
            raise SignRefused(
                "custodian_not_active",
                "statement.custodian",
                "it is not registered and Active on chain",
                "register it with the program",
            )
        own = next((key for key in custodian.keys if key.key == self.address), None)
        if own is None or self.now_ms() >= own.expires_ts * MILLIS_PER_SEC:
            raise SignRefused(
                "key_not_in_set",
                "statement.custodian",
                "this sidecar's key is not in the custodian's present key set, or has expired",
                "set the custodian's keys on chain",
            )
        return custodian, own.party

    def _sign(self, proposal: Statement, snapshot: ChainSnapshot) -> Signed:
        # 2
        custodian, party = self.own_key(snapshot, proposal.custodian)
        if proposal.epoch != custodian.epoch:
            raise SignRefused(
                "wrong_epoch",
                "statement.epoch",
                f"epoch {proposal.epoch}, the present one is {custodian.epoch}",
                "read the custodian again at finalized",
            )
        with self._books[custodian.address].held() as books:
            self._check_times(proposal, snapshot)
            statement = self._rebuilt(proposal, custodian, books, snapshot)
            digest = statement.digest()
            # 10
            try:
                mints = [entry.mint for entry in statement.entries]
                self._store.record_signature(custodian.address, mints, statement.observed_ms, digest)
            except AlreadySigned as signed:
                raise not_newer(str(signed)) from signed
            return Signed(self.address, party, bytes(self._key.sign_message(digest)))

    def _check_times(self, proposal: Statement, snapshot: ChainSnapshot) -> None:
        now_ms = self.now_ms()
        skew_ms = self.limits.skew_ms(snapshot)
        # 3
        ahead_ms = proposal.observed_ms - now_ms
        if ahead_ms > skew_ms:
            raise SignRefused(
                "clock_skew",
                "statement.observed_ms",
                f"{ahead_ms} ms ahead of this sidecar's clock, {skew_ms} ms are allowed",
                "set the clocks",
            )
        if -ahead_ms > self.limits.max_age_ms:
            raise SignRefused(
                "too_old",
                "statement.observed_ms",
                f"observed {-ahead_ms} ms ago, {self.limits.max_age_ms} ms are allowed",
                "propose a new observation, or set the clocks",
            )
        # 4
        expires_ms = proposal.expires_ts * MILLIS_PER_SEC
        longest_ms = self.limits.lifetime_secs * MILLIS_PER_SEC
        if expires_ms <= now_ms or expires_ms - proposal.observed_ms > longest_ms:
            raise SignRefused(
                "bad_expiry",
                "statement.expires_ts",
                f"it is over, or more than {self.limits.lifetime_secs} s after the observation",
                "let it expire after the observation and within that time",
                422,
            )

    def _rebuilt(self, proposal: Statement, custodian: Custodian, books: Books, snapshot: ChainSnapshot) -> Statement:
        refused: list[EntryRefusal] = []
        above: list[OwnEntry] = []
        entries: list[StatementEntry] = []
        for entry in proposal.entries:
            # 5 to 8
            own = own_entry(books, snapshot, custodian.address, entry.mint)
            if isinstance(own, EntryRefusal):
                refused.append(own)
                continue
            try:
                entries.append(self._rebuilt_entry(entry, own, proposal))
            except _EntryRefused as error:
                refused.append(error.refusal)
                continue
            # 9
            if entry.capacity_raw + entry.redeemed_seen_raw > own.sum_raw:
                above.append(own)
        if refused:
            raise EntriesRefused(tuple(refused))
        if above:
            raise AboveLimits(tuple(above))
        return Statement(
            self.genesis_hash,
            self.program_id,
            custodian.address,
            custodian.epoch,
            proposal.observed_ms,
            proposal.expires_ts,
            tuple(entries),
        )

    def _rebuilt_entry(self, entry: StatementEntry, own: OwnEntry, proposal: Statement) -> StatementEntry:
        def refuse_if(wrong: bool, reason: EntryRefusalReason, detail: str) -> None:
            if wrong:
                raise _EntryRefused(EntryRefusal(entry.mint, reason, detail))

        multiplier_bits = own.entry.multiplier_bits
        refuse_if(
            entry.multiplier_bits != multiplier_bits,
            EntryRefusalReason.MULTIPLIER_DIFFERS,
            "the proposal's multiplier is another one than that of the books and the chain",
        )
        # 6
        try:
            exact_raw = capacity_raw(entry.shares_nano, multiplier_bits, own.decimals)
        except UnitError as error:
            raise _EntryRefused(EntryRefusal(entry.mint, EntryRefusalReason.OUT_OF_RANGE, str(error))) from error
        refuse_if(
            entry.capacity_raw != exact_raw, EntryRefusalReason.WRONG_CAPACITY, f"its shares can back {exact_raw}"
        )
        refuse_if(
            entry.redeemed_seen_raw > own.redeemed_total_raw,
            EntryRefusalReason.SEEN_ABOVE_TOTAL,
            f"the chain counts {own.redeemed_total_raw} redeemed",
        )
        # 7
        refuse_if(
            proposal.observed_ms <= own.last_observed_ms,
            EntryRefusalReason.TOO_EARLY,
            f"the chain has an entry of {own.last_observed_ms} ms",
        )
        # 8
        refuse_if(
            len(proposal.entries) > 1 and own.must_stand_alone(proposal.expires_ts),
            EntryRefusalReason.ASK_ALONE,
            "its multiplier changes before the statement expires",
        )
        return StatementEntry(entry.mint, multiplier_bits, entry.shares_nano, exact_raw, entry.redeemed_seen_raw)


class _EntryRefused(Exception):
    def __init__(self, refusal: EntryRefusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.detail)


def unknown_custodian(field: str, custodian: Address) -> SignRefused:
    """This sidecar has no books of that custodian."""
    detail = f"this sidecar does not serve custodian {base58(custodian)}"
    return SignRefused("unknown_custodian", field, detail, "ask another sidecar", 404)


def not_newer(detail: str) -> SignRefused:
    """A time of observation that is not later than one already signed."""
    return SignRefused("not_newer", "statement.observed_ms", detail, "observe again, later")
