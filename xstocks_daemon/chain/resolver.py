"""What became of an attempt: landed, dead by proof, or unknown (design, section 6.3).

A transaction can execute only while its blockhash is among the last 150 blocks, that is up to `lastValidBlockHeight`.
The proof that it did not and never will, on each deciding endpoint X:

1. getEpochInfo(finalized) on X gives slot S and block height H in one answer, and H > lastValidBlockHeight + margin.
   The margin is there because lastValidBlockHeight came from a node too; `with_minimum_expiry` keeps it from being far
   too low.
2. The asset accounts are read on X at finalized with minContextSlot S, and the answer's slot is at least S. So the
   state read is one in which every block up to H is executed.
3. An asset's sequence is still at most the one that the attempt would have executed. Sequences only rise (M4), and a
   transaction is atomic, so none of it executed; after H it cannot.

Where all sequences have risen, some attempt executed: each asset's last_intent_hash says which intent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from xstocks_daemon.aio import gather_all
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import AssetNotRegistered, ChainError, RpcError
from xstocks_daemon.chain.program import ProgramClient
from xstocks_daemon.chain.reader import deciding_endpoints
from xstocks_daemon.chain.rpc import RpcEndpoint, RpcPool, SignatureStatus
from xstocks_daemon.chain.sender import SignedAttempt
from xstocks_daemon.domain.snapshot import AssetAccount
from xstocks_daemon.domain.units import Address

MARGIN_BLOCKS = 150
BLOCKHASH_BLOCKS = 150
"""Blocks for which a blockhash may be used (MAX_PROCESSING_AGE of Agave's clock)."""
MAX_APART_BLOCKS = 150
"""How far the finalized heights of deciding endpoints may differ where something is signed."""
MAX_UNFINALIZED_BLOCKS = 1_000
"""Blocks that a confirmed blockhash may be ahead of the finalized height where something is signed."""


@dataclass(frozen=True, slots=True)
class AssetFact:
    """An asset's sequence as the attempt needs it and as it is. `last_intent_hash` executed at `found_sequence` - 1."""

    mint: Address
    wanted_sequence: int
    wanted_intent_hash: bytes
    found_sequence: int
    last_intent_hash: bytes

    @property
    def executed(self) -> bool:
        """Whether something, this attempt or another, executed the wanted sequence number."""
        return self.found_sequence > self.wanted_sequence

    @property
    def ours(self) -> bool:
        """Whether the asset shows that the wanted intent is what executed it."""
        return self.found_sequence == self.wanted_sequence + 1 and self.last_intent_hash == self.wanted_intent_hash


@dataclass(frozen=True, slots=True)
class Observation:
    """What steps 1 and 2 of the proof found on one endpoint."""

    endpoint: str
    slot: int
    block_height: int
    read_slot: int
    facts: tuple[AssetFact, ...]


@dataclass(frozen=True, slots=True)
class NonExecution:
    """The proof that an attempt never executed: one observation per deciding endpoint."""

    last_valid_block_height: int
    margin_blocks: int
    observations: tuple[Observation, ...]

    def text(self) -> str:
        """The proof in one line, for the journal and the log."""
        parts = []
        for seen in self.observations:
            fact = next(fact for fact in seen.facts if not fact.executed)
            parts.append(
                f"{seen.endpoint}: finalized slot {seen.slot} has block height {seen.block_height} > "
                f"{self.last_valid_block_height} + {self.margin_blocks}; at slot {seen.read_slot} the sequence of "
                f"{base58(fact.mint)} is {fact.found_sequence}, the attempt needs {fact.wanted_sequence}"
            )
        return "not executed: " + "; ".join(parts)


@dataclass(frozen=True, slots=True)
class FailedOnChain:
    """The attempt was executed, failed, and that is finalized, by all deciding endpoints."""

    slot: int
    err: Any
    endpoints: tuple[str, ...]

    def text(self) -> str:
        """The proof in one line."""
        return f"failed in finalized slot {self.slot} by {', '.join(self.endpoints)}: {self.err}"


@dataclass(frozen=True, slots=True)
class Landed:
    """The attempt executed, finalized. `by` is what showed it; `slot` its own where a status gave it."""

    slot: int
    by: Literal["status", "intent_hash"]


@dataclass(frozen=True, slots=True)
class Dead:
    """The attempt did not execute and never will. `taken` are those of its sequence numbers that something else
    executed: the journal does not know by what, so their assets halt when they are planned for next (M12)."""

    proof: NonExecution | FailedOnChain
    taken: tuple[AssetFact, ...] = ()


@dataclass(frozen=True, slots=True)
class SequenceTaken:
    """Every sequence number was executed, but not (visibly) by this attempt's intents: the assets of `facts` halt
    (M12)."""

    facts: tuple[AssetFact, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """The attempt may still execute, or nodes contradict one another. Ask again later; never sign anew."""

    reason: str


Resolution = Landed | Dead | SequenceTaken | Unknown


class ExpiryImplausible(ChainError):
    """How long a transaction may execute is not known well enough to sign it."""


def with_minimum_expiry(attempt: SignedAttempt, expiry: int) -> SignedAttempt:
    """`attempt`, its lastValidBlockHeight not below `expiry_of_now`: one node's word must not let it seem dead while
    it may execute. ExpiryImplausible where it is so far above that the attempt could not be settled."""
    reported = attempt.last_valid_block_height
    if reported > expiry + MAX_UNFINALIZED_BLOCKS:
        raise ExpiryImplausible(f"lastValidBlockHeight {reported} is far above the finalized {expiry}; not sent")
    return replace(attempt, last_valid_block_height=max(reported, expiry))


class Resolver:
    """Decides about attempts by the deciding endpoints (M10)."""

    def __init__(
        self,
        pool: RpcPool,
        client: ProgramClient,
        genesis_hash: Address,
        *,
        single_endpoint: bool = False,
        margin_blocks: int = MARGIN_BLOCKS,
    ) -> None:
        self._endpoints = deciding_endpoints(pool, single_endpoint=single_endpoint)
        self._client = client
        self._genesis_hash = genesis_hash
        self._margin_blocks = margin_blocks

    async def expiry_of_now(self) -> int:
        """The last block height at which a blockhash of now is valid at the least, by the finalized heights of all
        deciding endpoints. ExpiryImplausible where these are far apart; RpcError."""
        found = await gather_all(endpoint.epoch_info("finalized") for endpoint in self._endpoints)
        heights = [info.block_height for info in found]
        if max(heights) - min(heights) > MAX_APART_BLOCKS:
            names = ", ".join(f"{each.name} at {height}" for each, height in zip(self._endpoints, heights, strict=True))
            raise ExpiryImplausible(f"finalized block heights are far apart: {names}; find out which one is wrong")
        return max(heights) + BLOCKHASH_BLOCKS

    async def resolve(self, attempt: SignedAttempt) -> Resolution:
        """What became of `attempt`, by what all deciding endpoints say now. Endpoints that do not answer make it
        Unknown. ValueError for an attempt without intents: without a sequence number there is no proof."""
        if not attempt.intents:
            raise ValueError("an attempt without intents has no sequence number to be resolved by")
        try:
            statuses = await gather_all(_status(endpoint, attempt) for endpoint in self._endpoints)
            known = [status for status in statuses if status is not None]
            if any(status.confirmation != "finalized" for status in known):
                return Unknown("a node has it, not finalized yet")
            succeeded = [status for status in known if status.err is None]
            failed = [status for status in known if status.err is not None]
            if succeeded and failed:
                return Unknown("contradiction: one node says that it succeeded, another that it failed")
            min_slot = max((status.slot for status in known), default=0)
            seen = await gather_all(self._observe(endpoint, attempt, min_slot) for endpoint in self._endpoints)
        except RpcError as error:
            return Unknown(str(error))
        except AssetNotRegistered as error:
            return Unknown(f"contradiction: an asset of the attempt is {error}")
        if succeeded:
            return _confirmed(succeeded[0].slot, seen)
        # A failure that only some of the nodes report is left to the proof below: it needs no history.
        if len(failed) == len(self._endpoints):
            taken = tuple(fact for fact in seen[0].facts if fact.executed)
            return Dead(FailedOnChain(failed[0].slot, failed[0].err, tuple(each.endpoint for each in seen)), taken)
        return self._by_sequence(attempt, seen)

    def _by_sequence(self, attempt: SignedAttempt, seen: Sequence[Observation]) -> Resolution:
        unexecuted = [not all(fact.executed for fact in each.facts) for each in seen]
        if not any(unexecuted):
            return _by_intent_hash(seen)
        if not all(unexecuted):
            return Unknown("the nodes differ on whether the sequences have risen")
        final_height = attempt.last_valid_block_height + self._margin_blocks
        for each in seen:
            if each.block_height <= final_height:
                return Unknown(
                    f"it may still execute: {each.endpoint} is at finalized block height {each.block_height}, it is "
                    f"dead only above {final_height}"
                )
        taken = tuple(fact for fact in seen[0].facts if fact.executed)
        return Dead(NonExecution(attempt.last_valid_block_height, self._margin_blocks, tuple(seen)), taken)

    async def _observe(self, endpoint: RpcEndpoint, attempt: SignedAttempt, min_slot: int) -> Observation:
        info = await endpoint.epoch_info("finalized")
        mints = sorted({intent.mint for intent in attempt.intents})
        addresses = [self._client.addresses.asset(mint) for mint in mints]
        answer = await endpoint.multiple_accounts(
            addresses, commitment="finalized", min_context_slot=max(min_slot, info.absolute_slot)
        )
        assets: dict[Address, AssetAccount] = {}
        for mint, address, account in zip(mints, addresses, answer.value, strict=True):
            if account is None:
                raise AssetNotRegistered([mint], [base58(mint)])
            assets[mint] = self._client.asset(address, account.data, account.owner)
        facts = []
        for intent in attempt.intents:
            asset = assets[intent.mint]
            facts.append(
                AssetFact(
                    mint=intent.mint,
                    wanted_sequence=intent.sequence,
                    wanted_intent_hash=intent.intent_hash(self._genesis_hash, self._client.program_id),
                    found_sequence=asset.sequence,
                    last_intent_hash=asset.last_intent_hash,
                )
            )
        return Observation(endpoint.name, info.absolute_slot, info.block_height, answer.slot, tuple(facts))


async def _status(endpoint: RpcEndpoint, attempt: SignedAttempt) -> SignatureStatus | None:
    return (await endpoint.signature_statuses([attempt.signature_text], search_history=True)).value[0]


def _confirmed(slot: int, seen: Sequence[Observation]) -> Resolution:
    """A finalized success must show in the assets, at a slot no lower than its own."""
    for each in seen:
        for fact in each.facts:
            if not fact.executed:
                return Unknown(
                    f"contradiction: it is said to have succeeded in slot {slot}, but {each.endpoint} shows sequence "
                    f"{fact.found_sequence} of {base58(fact.mint)} at slot {each.read_slot}, it needs more than "
                    f"{fact.wanted_sequence}"
                )
    # A later intent may hide the hash by now; one that is visible must be the attempt's own.
    foreign = _foreign(seen, lambda fact: fact.found_sequence == fact.wanted_sequence + 1)
    return foreign or Landed(slot, "status")


def _by_intent_hash(seen: Sequence[Observation]) -> Resolution:
    """All sequences have risen and no node has the signature (any more): the assets' hashes decide."""
    return _foreign(seen, lambda _: True) or Landed(min(each.read_slot for each in seen), "intent_hash")


def _foreign(seen: Sequence[Observation], counts: Callable[[AssetFact], bool]) -> SequenceTaken | Unknown | None:
    """Which of the facts that count are not the attempt's own, by all nodes alike: one node's word decides nothing."""
    found = [tuple(fact for fact in _last_of_each(each) if counts(fact) and not fact.ours) for each in seen]
    if any(facts != found[0] for facts in found):
        return Unknown("the nodes differ on which intents executed the sequence numbers")
    return SequenceTaken(found[0]) if found[0] else None


def _last_of_each(seen: Observation) -> list[AssetFact]:
    """The highest wanted number of each asset: a batch may hold one asset twice, and only the last hash is kept."""
    last = {fact.mint: fact for fact in sorted(seen.facts, key=lambda fact: fact.wanted_sequence)}
    return list(last.values())
