"""Small worlds for the plan: accounts, statements, custody views and journals that fit each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xstocks_daemon.domain.decisions import AssetPlan, Plan
from xstocks_daemon.domain.plan import plan
from xstocks_daemon.domain.plan_inputs import (
    AssetJournal,
    CustodianEvidence,
    CustodyView,
    Evidence,
    JournalView,
    Order,
    PlanPolicy,
    totals_of,
)
from xstocks_daemon.domain.snapshot import (
    AssetAccount,
    AssetState,
    AssetView,
    Bucket,
    ChainSnapshot,
    Config,
    Custodian,
    CustodianState,
    Entry,
    EntryState,
    Hold,
    MintAccount,
    Participant,
    ParticipantState,
    Policy,
    Scope,
)
from xstocks_daemon.domain.statement import SignedStatement, Statement, StatementEntry
from xstocks_daemon.domain.units import ZERO_ADDRESS, Address

NOW_TS = 1_800_000_000
SKEW_SECS = 60
MAX_AGE_SECS = 3_600
ONE_BITS = 0x3FF0000000000000
TWO_BITS = 0x4000000000000000
GENESIS = Address(b"G" * 32)
PROGRAM = Address(b"P" * 32)
ALPACA, GTN = Address(b"a" * 32), Address(b"g" * 32)
WALLET = Address(b"w" * 32)
POLICY = Policy(
    supply_limit_raw=10**15,
    mint_burst_raw=10**12,
    mint_refill_raw_per_sec=10**12,
    distribute_burst_raw=10**12,
    distribute_refill_raw_per_sec=10**12,
    burn_burst_raw=10**12,
    burn_refill_raw_per_sec=10**12,
    max_age_secs=MAX_AGE_SECS,
    max_rise_bps=1_000_000,
    max_multiplier_bps=1_000,
    ca_tolerance_bps=10,
    ca_window_secs=259_200,
    min_notice_secs=60,
    freezes_per_day=10,
    redemption_lock_secs=300,
)


def mint_address(number: int) -> Address:
    return Address(b"M" + number.to_bytes(31, "big"))


def vault_of(mint: Address) -> Address:
    return Address(b"V" + mint[1:])


def config(**changes: Any) -> Config:
    nobody = dict.fromkeys(
        ("admin", "operator", "registrar", "guardian", "resumer", "compliance", "corporate_actions"), ZERO_ADDRESS
    )
    return replace(
        Config(
            address=Address(b"C" * 32),
            sealed=True,
            paused=Scope(0),
            max_skew_secs=SKEW_SECS,
            timelock_secs=60,
            min_timelock_secs=1,
            admin_epoch=0,
            genesis_hash=GENESIS,
            **nobody,
            pending_admin=ZERO_ADDRESS,
            pending_admin_ready_ts=0,
            pending_admin_expires_ts=0,
        ),
        **changes,
    )


def custodian(address: Address, epoch: int = 1) -> Custodian:
    return Custodian(address, address[0], CustodianState.ACTIVE, epoch, 2, (), "custodian")


def entry(custodian: Address, capacity_raw: int, **changes: Any) -> Entry:
    return replace(
        Entry(
            custodian=custodian,
            state=EntryState.ATTACHED,
            withdrawn=False,
            confirmed=False,
            epoch=1,
            observed_ms=(NOW_TS - 100) * 1_000,
            expires_ts=NOW_TS + 3_000,
            shares_nano=capacity_raw,
            capacity_raw=capacity_raw,
            redeemed_total_raw=0,
            redeemed_seen_raw=0,
            multiplier_bits=ONE_BITS,
        ),
        **changes,
    )


def view(
    mint: Address,
    entries: Sequence[Entry],
    supply_raw: int = 0,
    vault_raw: int | None = None,
    holder_burnt_raw: int = 0,
    mint_changes: Mapping[str, Any] | None = None,
    **changes: Any,
) -> AssetView:
    """An asset whose totals explain its supply, what its entries redeemed included. All of it is in the vault unless
    `vault_raw` says otherwise."""
    redeemed_raw = sum(each.redeemed_total_raw for each in entries)
    asset = AssetAccount(
        address=Address(b"A" + mint[1:]),
        mint=mint,
        vault=vault_of(mint),
        redemption_vault=Address(b"R" + mint[1:]),
        decimals=8,
        state=AssetState.ACTIVE,
        paused=Scope(0),
        holds=Hold(0),
        hold_number=0,
        sequence=1 if supply_raw or holder_burnt_raw or redeemed_raw else 0,
        last_intent_hash=bytes(16),
        multiplier_bits=ONE_BITS,
        pending_multiplier_bits=0,
        multiplier_effective_ts=0,
        multiplier_changed_ts=0,
        change_cancelled_ts=0,
        policy=POLICY,
        mint_bucket=Bucket(0, NOW_TS - 100),
        distribute_bucket=Bucket(0, NOW_TS - 100),
        burn_bucket=Bucket(0, NOW_TS - 100),
        initial_mint_raw=0,
        adopted_raw=0,
        minted_raw=supply_raw + holder_burnt_raw + redeemed_raw,
        burnt_raw=redeemed_raw,
        distributed_raw=0,
        open_redemptions=0,
        entries=tuple(entries),
    )
    on_mint = MintAccount(supply_raw, 8, ONE_BITS, ONE_BITS, 0, False, "AAPLx", "Apple xStock")
    return AssetView(
        asset=replace(asset, **changes),
        mint=replace(on_mint, **(mint_changes or {})),
        vault_raw=supply_raw if vault_raw is None else vault_raw,
        redemption_vault_raw=0,
    )


def snapshot(*views: AssetView, **changes: Any) -> ChainSnapshot:
    return replace(
        ChainSnapshot(
            slot=1_000,
            now_ts=NOW_TS,
            genesis_hash=GENESIS,
            program_id=PROGRAM,
            config=config(),
            custodians={ALPACA: custodian(ALPACA), GTN: custodian(GTN)},
            assets={one.asset.mint: one for one in views},
            participants={WALLET: Participant(WALLET, WALLET, ParticipantState.ACTIVE, "CH", NOW_TS + 1_000)},
        ),
        **changes,
    )


def statement(
    custodian: Address,
    capacities: Mapping[Address, int],
    observed_secs_ago: int = 10,
    **changes: Any,
) -> SignedStatement:
    lines = tuple(
        StatementEntry(mint, changes.get("multiplier_bits", ONE_BITS), raw, raw, changes.get("redeemed_seen_raw", 0))
        for mint, raw in sorted(capacities.items())
    )
    return SignedStatement(
        Statement(
            genesis_hash=GENESIS,
            program_id=PROGRAM,
            custodian=custodian,
            epoch=changes.get("epoch", 1),
            observed_ms=(NOW_TS - observed_secs_ago) * 1_000,
            expires_ts=changes.get("expires_ts", NOW_TS + 3_000),
            entries=lines,
        ),
        (),
    )


def known(newest: SignedStatement, previous: SignedStatement | None = None, **changes: Any) -> CustodyView:
    """A custody view of one custodian's two statements."""
    return custody([(newest, previous)], **changes)


def custody(pairs: Sequence[tuple[SignedStatement, SignedStatement | None]], **changes: Any) -> CustodyView:
    evidence: dict[Address, dict[Address, CustodianEvidence]] = {}
    for newest, previous in pairs:
        for line in newest.statement.entries:
            before = None
            if previous is not None:
                before = next((old for old in previous.statement.entries if old.mint == line.mint), None)
            evidence.setdefault(line.mint, {})[newest.statement.custodian] = CustodianEvidence(
                newest=Evidence(newest, line),
                previous=None if before is None or previous is None else Evidence(previous, before),
                lowered_ms=changes.get("lowered_ms", 0),
            )
    return CustodyView(evidence=evidence, ripcords=changes.get("ripcords", {}), failures=changes.get("failures", {}))


def journal_of(chain: ChainSnapshot, orders: Sequence[Order] = (), **changes: Any) -> JournalView:
    """A journal that explains the chain."""
    return JournalView(
        assets={
            mint: replace(AssetJournal(totals=totals_of(one.asset), holder_burnt_raw=one.holder_burnt_raw), **changes)
            for mint, one in chain.assets.items()
        },
        orders=tuple(orders),
    )


def asset_plan_of(decided: Plan, mint: Address) -> AssetPlan:
    return next(line for line in decided.assets if line.mint == mint)


@dataclass(frozen=True)
class World:
    """What one cycle reads."""

    chain: ChainSnapshot
    custody: CustodyView
    policy: PlanPolicy
    journal: JournalView

    def plan(self) -> Plan:
        return plan(self.chain, self.custody, self.policy, self.journal)
