"""Making a statement: own numbers, co-signatures of peers, the minimum of both.

One round proposes a statement of a new time to as many peers as the threshold needs. A peer that holds less answers
with its numbers: the minimum is proposed in the next round. A peer that refuses a mint is passed over for another;
where none is left, the mint is left out. The own key signs last, after its checks are made again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from solders.pubkey import Pubkey
from solders.signature import Signature

from xstocks_daemon.aio import gather_all
from xstocks_daemon.attester.books import Target
from xstocks_daemon.attester.chain_view import ChainView
from xstocks_daemon.attester.own_entries import EntryRefusal, EntryRefusalReason, OwnEntry, own_entry
from xstocks_daemon.attester.peers import (
    Peer,
    PeerAnswer,
    PeerLimits,
    PeerRefused,
    PeerSigned,
    PeerUnavailable,
)
from xstocks_daemon.attester.signer import AboveLimits, EntriesRefused, SignRefused, StatementSigner, unknown_custodian
from xstocks_daemon.custody.verify import CUSTODIAN_PARTY, MIN_PARTIES
from xstocks_daemon.domain.snapshot import ChainSnapshot, Custodian
from xstocks_daemon.domain.statement import AttesterSignature, SignedStatement, Statement
from xstocks_daemon.domain.units import MILLIS_PER_SEC, Address

MAX_ROUNDS = 5
_LONGEST_WAIT_MS = 1_000


class NoQuorum(Exception):
    """Not enough parties signed; the message says what each peer answered."""


@dataclass(frozen=True, slots=True)
class Omitted:
    """A mint that was left out, with the reason's code and a sentence."""

    mint: Address
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class ProposalResult:
    """A statement with its quorum, or none where every mint was left out. `parties` are those of the signatures.

    `lowers`: some entry states less than the chain shows for this custodian.
    """

    signed: SignedStatement | None
    parties: Mapping[Address, int]
    omitted: tuple[Omitted, ...]
    lowers: bool

    @property
    def ripcord(self) -> tuple[Omitted, ...]:
        """The mints left out because the books say not to trust their numbers."""
        return tuple(one for one in self.omitted if one.reason == EntryRefusalReason.RIPCORD.value)


@dataclass(slots=True)
class _Round:
    """What the peers said to one proposal."""

    signatures: dict[int, AttesterSignature] = field(default_factory=dict)
    limits: list[PeerLimits] = field(default_factory=list)
    refused: dict[Address, str] = field(default_factory=dict)
    again: bool = False
    said: list[str] = field(default_factory=list)


class Proposer:
    """Makes statements of the signer's custodians."""

    def __init__(self, signer: StatementSigner, chain_view: ChainView, peers: Mapping[Address, Sequence[Peer]]) -> None:
        self._signer = signer
        self._chain_view = chain_view
        self._peers = peers
        self._busy: dict[tuple[Address, Address], asyncio.Lock] = {}
        self._proposed_ms: dict[tuple[Address, Address], int] = {}

    async def propose(
        self, custodian: Address, mints: Sequence[Address], at_most_nano: Mapping[Address, int] | None = None
    ) -> ProposalResult:
        """A statement of these mints (any order, 1 to 24, no repeats). `at_most_nano` bounds the shares stated.

        Raises NoQuorum, SignRefused, ChainViewUnavailable, UserError (the own books are broken).
        """
        if custodian not in self._signer.custodians:
            raise unknown_custodian("custodian", custodian)
        books = await self._signer.books_of(custodian)
        here = (self._signer.genesis_hash, self._signer.program_id)
        held = [mint for mint in sorted(mints) if Target(*here, mint) in books.by_target]
        unknown = [
            Omitted(mint, EntryRefusalReason.UNKNOWN_ASSET.value, "the books have no allotment to this mint")
            for mint in sorted(set(mints) - set(held))
        ]
        if not held:
            return ProposalResult(None, {}, tuple(unknown), lowers=False)
        async with self._alone(custodian, held):
            return await self._propose(custodian, held, at_most_nano or {}, unknown)

    async def _propose(
        self, address: Address, held: Sequence[Address], at_most_nano: Mapping[Address, int], omitted: list[Omitted]
    ) -> ProposalResult:
        snapshot = await self._chain_view.snapshot(address, held)
        custodian, _ = self._signer.own_key(snapshot, address)
        entries = await self._own_entries(address, held, snapshot, at_most_nano, omitted)
        chain_sums_raw = {mint: own.chain_sum_raw for mint, own in entries.items()}
        signed, parties = await self._rounds(custodian, entries, omitted)
        lowers = signed is not None and any(
            entry.capacity_raw + entry.redeemed_seen_raw < chain_sums_raw[entry.mint]
            for entry in signed.statement.entries
        )
        return ProposalResult(signed, parties, tuple(omitted), lowers)

    @asynccontextmanager
    async def _alone(self, custodian: Address, ordered: Sequence[Address]) -> AsyncIterator[None]:
        # One proposal at a time per mint, else their times would overtake each other at the peers. Always taken in
        # ascending order, so two proposals cannot wait for each other.
        async with AsyncExitStack() as stack:
            for mint in ordered:
                await stack.enter_async_context(self._busy.setdefault((custodian, mint), asyncio.Lock()))
            yield

    async def _own_entries(
        self,
        custodian: Address,
        ordered: Sequence[Address],
        snapshot: ChainSnapshot,
        at_most_nano: Mapping[Address, int],
        omitted: list[Omitted],
    ) -> dict[Address, OwnEntry]:
        books = await self._signer.books_of(custodian)
        now_ms = self._signer.now_ms()
        expires_ts = now_ms // MILLIS_PER_SEC + self._signer.limits.lifetime_secs
        entries: dict[Address, OwnEntry] = {}
        for mint in ordered:
            own = own_entry(books, snapshot, custodian, mint)
            if isinstance(own, EntryRefusal):
                omitted.append(_omitted(own))
            elif own.last_observed_ms >= now_ms:
                detail = f"the chain's entry is of {own.last_observed_ms} ms, the clock is at {now_ms} ms"
                omitted.append(Omitted(mint, EntryRefusalReason.TOO_EARLY.value, detail))
            elif len(ordered) > 1 and own.must_stand_alone(expires_ts):
                detail = "its multiplier changes before the statement expires"
                omitted.append(Omitted(mint, EntryRefusalReason.ASK_ALONE.value, detail))
            else:
                entries[mint] = own.at_most(at_most_nano.get(mint, own.entry.shares_nano))
        return entries

    async def _rounds(
        self, custodian: Custodian, entries: dict[Address, OwnEntry], omitted: list[Omitted]
    ) -> tuple[SignedStatement | None, dict[Address, int]]:
        said: list[str] = []
        for _ in range(MAX_ROUNDS):
            if not entries:
                return None, {}
            statement = await self._statement(custodian, entries)
            answers = await self._gather(custodian, statement)
            said = answers.said
            if answers.limits:
                _take_minimum(entries, answers.limits)
            elif not _is_quorum(custodian, {*answers.signatures, self._own_party(custodian)}):
                if answers.refused:
                    _leave_out(entries, omitted, answers.refused)
                elif not answers.again:
                    break
            else:
                try:
                    own = await self._signer.sign(statement)
                except AboveLimits as above:
                    for limit in above.limits:  # the books changed meanwhile
                        entries[limit.entry.mint] = entries[limit.entry.mint].at_most(
                            limit.entry.shares_nano, limit.entry.redeemed_seen_raw
                        )
                except EntriesRefused as refused:
                    for one in refused.refused:
                        del entries[one.mint]
                        omitted.append(_omitted(one))
                except SignRefused as refused_whole:
                    if refused_whole.code != "not_newer":
                        raise
                else:
                    answers.signatures[own.party] = AttesterSignature(own.key, own.signature)
                    parties = {one.key: party for party, one in answers.signatures.items()}
                    signatures = tuple(sorted(answers.signatures.values(), key=lambda one: one.key))
                    return SignedStatement(statement, signatures), parties
        raise NoQuorum("; ".join(said) or f"no agreement within {MAX_ROUNDS} rounds")

    async def _statement(self, custodian: Custodian, entries: Mapping[Address, OwnEntry]) -> Statement:
        observed_ms = await self._next_observed_ms(custodian.address, entries)
        return Statement(
            genesis_hash=self._signer.genesis_hash,
            program_id=self._signer.program_id,
            custodian=custodian.address,
            epoch=custodian.epoch,
            observed_ms=observed_ms,
            expires_ts=observed_ms // MILLIS_PER_SEC + self._signer.limits.lifetime_secs,
            entries=tuple(own.entry for own in entries.values()),
        )

    async def _next_observed_ms(self, custodian: Address, entries: Mapping[Address, OwnEntry]) -> int:
        """The own clock, later than every time proposed or signed before. Never ahead of the clock: waits instead."""
        mints = tuple(entries)
        last_ms = max(
            await self._signer.last_observed_ms(custodian, mints),
            max(self._proposed_ms.get((custodian, mint), 0) for mint in mints),
        )
        while (now_ms := self._signer.now_ms()) <= last_ms:
            if last_ms - now_ms > _LONGEST_WAIT_MS:
                raise SignRefused(
                    "clock_went_back",
                    "observed_ms",
                    f"this sidecar's clock is {last_ms - now_ms} ms behind what it signed last",
                    "set its clock",
                    503,
                )
            await asyncio.sleep((last_ms + 1 - now_ms) / MILLIS_PER_SEC)
        self._proposed_ms.update({(custodian, mint): now_ms for mint in mints})
        return now_ms

    def _own_party(self, custodian: Custodian) -> int:
        return next(key.party for key in custodian.keys if key.key == self._signer.address)

    async def _gather(self, custodian: Custodian, statement: Statement) -> _Round:
        answers = _Round()
        own_party = self._own_party(custodian)
        waiting = sorted(self._peers.get(custodian.address, ()), key=lambda peer: peer.resting())
        while waiting:
            parties = {*answers.signatures, own_party}
            if answers.limits or answers.again or _is_quorum(custodian, parties):
                break
            missing = max(1, max(custodian.threshold, MIN_PARTIES) - len(parties))
            asked, waiting = waiting[:missing], waiting[missing:]
            for peer, answer in zip(asked, await gather_all(p.cosign(statement) for p in asked), strict=True):
                self._take(answers, custodian, statement.digest(), peer, answer)
        return answers

    def _take(self, answers: _Round, custodian: Custodian, digest: bytes, peer: Peer, answer: PeerAnswer) -> None:
        match answer:
            case PeerSigned(signature):
                party = _party_of(custodian, digest, signature)
                if party is None:
                    answers.said.append(f"{peer.name}: its signature is not of a present key over this statement")
                else:
                    answers.signatures.setdefault(party, signature)
            case PeerLimits():
                answers.limits.append(answer)
            case PeerRefused(code, detail, mints):
                answers.said.append(f"{peer.name}: {code}: {detail}")
                answers.refused.update(mints)
                answers.again |= code == "not_newer"
            case PeerUnavailable(detail):
                answers.said.append(f"{peer.name}: {detail}")


def _party_of(custodian: Custodian, digest: bytes, signature: AttesterSignature) -> int | None:
    for key in custodian.keys:
        if key.key == signature.key:
            valid = Signature.from_bytes(signature.signature).verify(Pubkey(signature.key), digest)
            return key.party if valid else None
    return None


def _is_quorum(custodian: Custodian, parties: set[int]) -> bool:
    return CUSTODIAN_PARTY in parties and len(parties) >= max(custodian.threshold, MIN_PARTIES)


def _take_minimum(entries: dict[Address, OwnEntry], limits: Sequence[PeerLimits]) -> None:
    for answer in limits:
        for mint, limit in answer.limits.items():
            if mint in entries:
                entries[mint] = entries[mint].at_most(limit.shares_nano, limit.redeemed_seen_raw)


def _leave_out(entries: dict[Address, OwnEntry], omitted: list[Omitted], refused: Mapping[Address, str]) -> None:
    for mint, reason in refused.items():
        if entries.pop(mint, None) is not None:
            omitted.append(Omitted(mint, reason, "no peer signs it"))


def _omitted(refusal: EntryRefusal) -> Omitted:
    return Omitted(refusal.mint, refusal.reason.value, refusal.detail)
