"""Every money rule (M1 to M13) held against what stands on the chain, in the journal and in the books.

Each check gives one sentence per violation; none means that the rule held. Refusals (M2, M3, M8 and the rest of M1)
are tried out by the day itself, which notes the program's answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from localnet.harness.custody import backed_raw
from localnet.harness.deploy import DeployedAsset
from localnet.harness.world import World
from xstocks_daemon.aio import gather_all
from xstocks_daemon.attester.books import AssetBook
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.program import ProgramEvent
from xstocks_daemon.domain.snapshot import AssetView, ChainSnapshot, EntryState, backing_raw, ceiling_raw
from xstocks_daemon.domain.units import MILLIS_PER_SEC, Address

_SIGNATURES_PER_CALL = 1_000
_MIN_PARTIES = 2


@dataclass(frozen=True, slots=True)
class Execution:
    """One entry of a mint, burn or distribute that the chain executed, from the program's events."""

    kind: str
    mint: Address
    sequence: int
    amount_raw: int
    intent_hash: bytes
    signature: str


@dataclass(frozen=True, slots=True)
class RunEvidence:
    """All that the checks look at. `books` are the custodians' own; `journaled` maps (mint, sequence) to the hashes of
    the intents that the daemon's journal holds for it, `attempts` are the signatures it holds."""

    snapshot: ChainSnapshot
    assets: Sequence[DeployedAsset]
    books: Mapping[Address, AssetBook]
    executions: Sequence[Execution]
    journaled: Mapping[tuple[Address, int], frozenset[bytes]]
    attempts: frozenset[str]
    halted: Sequence[str]

    def views(self) -> Iterator[tuple[DeployedAsset, AssetView]]:
        """Every asset with what the chain says of it."""
        for asset in self.assets:
            yield asset, self.snapshot.assets[asset.mint]


async def executions(world: World) -> list[Execution]:
    """Everything the operator's key ever did to a supply or a vault, read from the ledger and its events."""
    operator = world.deployment.keys.operator.address
    signatures: list[str] = []
    while True:
        options = {"limit": _SIGNATURES_PER_CALL, "commitment": "confirmed"}
        if signatures:
            options["before"] = signatures[-1]
        page = await world.rpc.read(
            "getSignaturesForAddress",
            [base58(operator), options],
            lambda rows: [(str(row["signature"]), row["err"]) for row in rows],
        )
        signatures += [signature for signature, _err in page]
        if len(page) < _SIGNATURES_PER_CALL:
            break
    landed = await gather_all(world.rpc.transaction(signature) for signature in signatures)
    found: list[Execution] = []
    for signature, transaction in zip(signatures, landed, strict=True):
        if transaction is None or transaction.err is not None:
            continue
        for event in world.client.events(transaction.logs):
            found += _executions_of(event, signature)
    return found


def _executions_of(event: ProgramEvent, signature: str) -> Iterator[Execution]:
    if event.name in ("Minted", "Burnt"):
        rows = event.fields["entries"]
    elif event.name == "Distributed":
        rows = [event.fields]
    else:
        return
    for row in rows:
        yield Execution(
            event.name,
            Address(bytes(row["mint"])),
            row["sequence"],
            row["amount_raw"],
            bytes(row["intent_hash"]),
            signature,
        )


def tracks_custody(evidence: RunEvidence) -> list[str]:
    """The mission: supply equals what the shares in the custodian's books can back."""
    wrong = []
    for asset, view in evidence.views():
        book = evidence.books.get(asset.mint)
        expected_raw = 0 if book is None else backed_raw(book)
        if view.mint.supply_raw != expected_raw:
            wrong.append(f"{asset.row.symbol}: supply {view.mint.supply_raw}, the books back {expected_raw}")
    return wrong


def m1(evidence: RunEvidence) -> list[str]:
    """Supply is at most the ceiling."""
    snapshot = evidence.snapshot
    return [
        f"{asset.row.symbol}: supply {view.mint.supply_raw} above the ceiling"
        for asset, view in evidence.views()
        if view.mint.supply_raw > ceiling_raw(view, snapshot.custodians, snapshot.now_ts)
    ]


def m2(evidence: RunEvidence) -> list[str]:
    """Every custodian's threshold is at least two parties, and each counted entry is of its present epoch."""
    snapshot = evidence.snapshot
    wrong = [
        f"custodian {custodian.name}: threshold {custodian.threshold}"
        for custodian in snapshot.custodians.values()
        if custodian.threshold < _MIN_PARTIES or len({key.party for key in custodian.keys}) < custodian.threshold
    ]
    for asset, view in evidence.views():
        wrong += [
            f"{asset.row.symbol}: an entry of epoch {entry.epoch}"
            for entry in view.asset.entries
            if entry.state is EntryState.ATTACHED and entry.epoch != snapshot.custodians[entry.custodian].epoch
        ]
    return wrong


def m3(evidence: RunEvidence) -> list[str]:
    """No observation lies further ahead of the chain's clock than the allowed skew."""
    snapshot = evidence.snapshot
    latest_ms = (snapshot.now_ts + snapshot.config.max_skew_secs) * MILLIS_PER_SEC
    return [
        f"{asset.row.symbol}: observed {entry.observed_ms} ms, at most {latest_ms} ms"
        for asset, view in evidence.views()
        for entry in view.asset.entries
        if entry.observed_ms > latest_ms
    ]


def m4(evidence: RunEvidence) -> list[str]:
    """Each asset's sequence numbers 0 to n-1 executed once each, and nothing else did."""
    by_mint: dict[Address, list[int]] = defaultdict(list)
    for execution in evidence.executions:
        by_mint[execution.mint].append(execution.sequence)
    return [
        f"{asset.row.symbol}: sequence {view.asset.sequence}, executed {sorted(by_mint[asset.mint])}"
        for asset, view in evidence.views()
        if sorted(by_mint[asset.mint]) != list(range(view.asset.sequence))
    ]


def m5(evidence: RunEvidence) -> list[str]:
    """Supply is within its absolute limit, and no bucket holds more than its burst."""
    wrong = []
    for asset, view in evidence.views():
        policy = view.asset.policy
        if view.mint.supply_raw > policy.supply_limit_raw:
            wrong.append(f"{asset.row.symbol}: supply above its limit")
        if view.asset.mint_bucket.level_raw > policy.mint_burst_raw:
            wrong.append(f"{asset.row.symbol}: mint bucket above its burst")
        if view.asset.burn_bucket.level_raw > policy.burn_burst_raw:
            wrong.append(f"{asset.row.symbol}: burn bucket above its burst")
        if view.asset.distribute_bucket.level_raw > policy.distribute_burst_raw:
            wrong.append(f"{asset.row.symbol}: distribute bucket above its burst")
    return wrong


def m6(evidence: RunEvidence) -> list[str]:
    """No entry has seen more redemptions than there were."""
    return [
        f"{asset.row.symbol}: seen above total"
        for asset, view in evidence.views()
        for entry in view.asset.entries
        if entry.redeemed_seen_raw > entry.redeemed_total_raw
    ]


def m7(evidence: RunEvidence) -> list[str]:
    """What left the vaults is what was distributed; what came back was redeemed: nobody's wallet was burnt from."""
    return [
        f"{asset.row.symbol}: circulating {view.circulating_raw}, distributed {view.asset.distributed_raw}"
        for asset, view in evidence.views()
        if view.circulating_raw + view.redemption_vault_raw + view.asset.redeemed_raw
        != view.asset.distributed_raw - view.holder_burnt_raw
    ]


def m8(evidence: RunEvidence) -> list[str]:
    """Nothing is left paused or held."""
    wrong = ["the program is paused"] if evidence.snapshot.config.paused else []
    return wrong + [
        f"{asset.row.symbol}: paused or held"
        for asset, view in evidence.views()
        if view.asset.paused or view.asset.holds or view.mint.paused
    ]


def m9(evidence: RunEvidence) -> list[str]:
    """Mint, Asset and every counted entry have the same multiplier, the catalogue's."""
    now_ts = evidence.snapshot.now_ts
    wrong = []
    for asset, view in evidence.views():
        bits = {view.mint.effective_multiplier_bits(now_ts), view.asset.effective_multiplier_bits(now_ts)}
        bits |= {entry.multiplier_bits for entry in view.asset.entries if entry.state is EntryState.ATTACHED}
        if bits != {asset.row.multiplier_bits}:
            wrong.append(f"{asset.row.symbol}: multipliers {sorted(bits)}, the catalogue says {asset.row.multiplier}")
    return wrong


def m11(evidence: RunEvidence) -> list[str]:
    """Whatever executed is in the journal: its intent under its number, its transaction among the attempts."""
    wrong = []
    for execution in evidence.executions:
        name = f"{base58(execution.mint)} sequence {execution.sequence}"
        if execution.intent_hash not in evidence.journaled.get((execution.mint, execution.sequence), frozenset()):
            wrong.append(f"{name}: executed, but not journaled as an intent")
        if execution.signature not in evidence.attempts:
            wrong.append(f"{name}: executed by {execution.signature}, which is not journaled as an attempt")
    return wrong


def m12(evidence: RunEvidence) -> list[str]:
    """Supply is minted less burnt, as the chain's totals and its events say alike, and no asset is halted."""
    minted: dict[Address, int] = defaultdict(int)
    burnt: dict[Address, int] = defaultdict(int)
    for execution in evidence.executions:
        if execution.kind == "Minted":
            minted[execution.mint] += execution.amount_raw
        elif execution.kind == "Burnt":
            burnt[execution.mint] += execution.amount_raw
    wrong = [f"{symbol}: halted" for symbol in evidence.halted]
    for asset, view in evidence.views():
        totals = (view.asset.minted_raw, view.asset.burnt_raw)
        explained = (minted[asset.mint], burnt[asset.mint] + view.asset.redeemed_raw)
        if totals != explained or view.mint.supply_raw != totals[0] - totals[1]:
            wrong.append(f"{asset.row.symbol}: supply {view.mint.supply_raw}, totals {totals}")
    return wrong


def m13(evidence: RunEvidence) -> list[str]:
    """No share is attested twice: allotments within the shares, and no more counted on chain than held."""
    wrong = []
    for asset, view in evidence.views():
        book = evidence.books.get(asset.mint)
        counted_nano = sum(entry.shares_nano for entry in view.asset.entries)
        held_nano = 0 if book is None else book.shares_nano
        if counted_nano > held_nano or (book is not None and book.unallotted_nano < 0):
            wrong.append(f"{asset.row.symbol}: {counted_nano} billionths attested, {held_nano} held")
        if view.mint.supply_raw > max(0, backing_raw(view, evidence.snapshot.custodians, evidence.snapshot.now_ts)):
            wrong.append(f"{asset.row.symbol}: more tokens than backing")
    return wrong


RULES = {
    "M1": ("supply never above the ceiling", m1),
    "M2": ("quorums of at least two parties, present epoch", m2),
    "M3": ("no observation ahead of the clock", m3),
    "M4": ("every sequence number executed exactly once", m4),
    "M5": ("supply limits and buckets hold", m5),
    "M6": ("no redemption counted before it happened", m6),
    "M7": ("only the program's vaults were touched", m7),
    "M8": ("nothing left paused or held", m8),
    "M9": ("one multiplier on mint, asset and entries", m9),
    "M11": ("everything executed is in the journal", m11),
    "M12": ("every change of supply is explained", m12),
    "M13": ("no share attested twice", m13),
}
"""Rule -> what is checked here, and the check. M10 is about endpoints, of which a localnet has one."""
