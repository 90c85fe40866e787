"""Small worlds for the plan, and a model of the chain that takes what the plan decides.

The model is written from the design's sections 2 to 4, not from the plan: it refuses (AssertionError) what the
program would refuse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from xstocks_daemon.domain.decisions import AssetPlan, Plan
from xstocks_daemon.domain.intent import Intent, IntentKind, IntentState
from xstocks_daemon.domain.plan import plan
from xstocks_daemon.domain.plan_inputs import (
    AssetJournal,
    CustodianEvidence,
    CustodyView,
    Evidence,
    JournalView,
    LiveIntent,
    Order,
    PlanPolicy,
    Totals,
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
    max_age_secs=MAX_AGE_SECS,
    max_rise_bps=1_000_000,
    max_multiplier_bps=1_000,
    ca_tolerance_bps=10,
    ca_window_secs=259_200,
    min_notice_secs=60,
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
            epoch=1,
            observed_ms=(NOW_TS - 100) * 1_000,
            expires_ts=NOW_TS + 3_000,
            shares_micro=capacity_raw,
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
        sequence=1 if supply_raw or holder_burnt_raw or redeemed_raw else 0,
        last_intent_hash=bytes(16),
        multiplier_bits=ONE_BITS,
        pending_multiplier_bits=0,
        multiplier_effective_ts=0,
        multiplier_changed_ts=0,
        policy=POLICY,
        mint_bucket=Bucket(0, NOW_TS - 100),
        distribute_bucket=Bucket(0, NOW_TS - 100),
        initial_mint_raw=0,
        adopted_raw=0,
        minted_raw=supply_raw + holder_burnt_raw + redeemed_raw,
        burnt_raw=redeemed_raw,
        distributed_raw=0,
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


# -- the model of the chain and of the daemon around the plan


def model_ceiling_raw(one: AssetView, chain: ChainSnapshot) -> int:
    """The ceiling by the words of section 2."""
    fresh, unseen = 0, 0
    for each in one.asset.entries:
        unseen += each.redeemed_total_raw - each.redeemed_seen_raw
        custodian = chain.custodians.get(each.custodian)
        if (
            each.state is not EntryState.ATTACHED
            or each.withdrawn
            or custodian is None
            or each.epoch != custodian.epoch
        ):
            continue
        if chain.now_ts * 1_000 - each.observed_ms > one.asset.policy.max_age_secs * 1_000:
            continue
        if chain.now_ts < each.expires_ts and each.multiplier_bits == one.asset.multiplier_bits:
            fresh += each.capacity_raw
    return max(0, fresh - unseen)


def model_submit(chain: ChainSnapshot, signed: SignedStatement) -> ChainSnapshot:
    """submit_attestation: the whole fails, or each line that is newer is stored (M3, M6, M9)."""
    said = signed.statement
    assert said.epoch == chain.custodians[said.custodian].epoch
    assert said.expires_ts > chain.now_ts
    assert said.observed_ms <= (chain.now_ts + chain.config.max_skew_secs) * 1_000
    assets, taken = dict(chain.assets), 0
    for line in said.entries:
        one = assets[line.mint]
        assert line.multiplier_bits == one.asset.multiplier_bits
        slots = list(one.asset.entries)
        for index, old in enumerate(slots):
            if old.custodian != said.custodian or old.state is not EntryState.ATTACHED:
                continue
            assert line.redeemed_seen_raw <= old.redeemed_total_raw, "M6"
            if said.observed_ms <= old.observed_ms:
                continue
            taken += 1
            was, is_now = old.capacity_raw + old.redeemed_seen_raw, line.capacity_raw + line.redeemed_seen_raw
            holds = one.asset.holds
            # A withdrawn entry is no predecessor.
            if was and not old.withdrawn and is_now > was + was * one.asset.policy.max_rise_bps // 10_000:
                holds |= Hold.RISE
            slots[index] = replace(
                old,
                withdrawn=False,
                epoch=said.epoch,
                observed_ms=said.observed_ms,
                expires_ts=said.expires_ts,
                shares_micro=line.shares_micro,
                capacity_raw=line.capacity_raw,
                redeemed_seen_raw=line.redeemed_seen_raw,
                multiplier_bits=line.multiplier_bits,
            )
            # The first statement of an adopted asset makes it active.
            state = AssetState.ACTIVE if one.asset.state is AssetState.HALTED else one.asset.state
            changed = replace(one.asset, entries=tuple(slots), holds=holds, state=state)
            assets[line.mint] = replace(one, asset=changed)
    assert taken, "StatementNotNewer"
    return replace(chain, assets=assets)


def model_execute(chain: ChainSnapshot, intent: Intent) -> ChainSnapshot:
    """mint, burn or distribute as the program does it."""
    one = chain.assets[intent.mint]
    asset, policy, amount = one.asset, one.asset.policy, intent.amount_raw
    paused = chain.config.paused | asset.paused
    assert amount > 0
    assert intent.sequence == asset.sequence, "M4"
    assert not paused & Scope.TRANSFERS, "M8"
    assert not one.mint.paused, "M8"
    supply, vault = one.mint.supply_raw, one.vault_raw
    changes: dict[str, Any] = {"sequence": asset.sequence + 1}
    if intent.kind is IntentKind.MINT:
        assert asset.state is AssetState.ACTIVE
        assert not paused & Scope.MINT, "M8"
        assert not asset.holds, "M9"
        from_bucket = max(0, amount - asset.initial_mint_raw)
        level = asset.mint_bucket.level_at(chain.now_ts, policy.mint_burst_raw, policy.mint_refill_raw_per_sec)
        assert from_bucket <= level, "M5"
        assert supply + amount <= policy.supply_limit_raw, "M5"
        supply, vault = supply + amount, vault + amount
        assert supply <= model_ceiling_raw(one, chain), "M1"
        changes["mint_bucket"] = Bucket(level - from_bucket, chain.now_ts)
        changes["initial_mint_raw"] = max(0, asset.initial_mint_raw - amount)
        changes["minted_raw"] = asset.minted_raw + amount
    elif intent.kind is IntentKind.BURN:
        assert asset.state in (AssetState.ACTIVE, AssetState.RETIRED)
        assert not paused & Scope.BURN, "M8"
        supply, vault = supply - amount, vault - amount
        changes["burnt_raw"] = asset.burnt_raw + amount
    else:
        assert asset.state is AssetState.ACTIVE
        assert not paused & Scope.DISTRIBUTE, "M8"
        level = asset.distribute_bucket.level_at(
            chain.now_ts, policy.distribute_burst_raw, policy.distribute_refill_raw_per_sec
        )
        assert amount <= level, "M5"
        vault -= amount
        changes["distribute_bucket"] = Bucket(level - amount, chain.now_ts)
        changes["distributed_raw"] = asset.distributed_raw + amount
    assert vault >= 0, "M7"
    after = replace(one, asset=replace(asset, **changes), mint=replace(one.mint, supply_raw=supply), vault_raw=vault)
    return replace(chain, assets={**chain.assets, intent.mint: after})


def applied(world: World, decided: Plan) -> World:
    """The world after everything that was decided has been done."""
    chain, assets, served = world.chain, dict(world.journal.assets), set()
    for alert in decided.alerts:
        assets[alert.mint] = replace(assets[alert.mint], holder_burnt_raw=alert.holder_burnt_raw)
    for halt in decided.halts:
        assets[halt.mint] = replace(world.journal.of(halt.mint), halt=halt)
    for drop in decided.drops:
        mint = drop.live.intent.mint
        assets[mint] = replace(assets[mint], live=None)
    for relay in decided.relays:
        chain = model_submit(chain, relay.signed)
    for intent in (*decided.intents, *(live.intent for live in decided.resends)):
        chain = model_execute(chain, intent)
        served.add(intent.order_id)
        old = world.journal.of(intent.mint)
        assets[intent.mint] = replace(
            assets.get(intent.mint, old), totals=old.totals.after(intent), live=None, burn_approved_raw=0
        )
    orders = tuple(order for order in world.journal.orders if order.order_id not in served)
    return replace(world, chain=chain, journal=JournalView(assets, orders))


# -- random worlds

TROUBLES = (
    "config_paused",
    "asset_paused",
    "mint_paused",
    "held",
    "rise",
    "state",
    "multiplier",
    "withdrawn",
    "detached",
    "epoch",
    "stale",
    "old_statement",
    "statement_epoch",
    "statement_expiry",
    "statement_multiplier",
    "one_statement",
    "unseen",
    "seen",
    "ripcord",
    "failure",
    "limit",
    "bucket",
    "policy",
    "holder_burn",
    "foreign",
    "pending",
    "submitted",
    "lowered",
)


class _Dice:
    """Draws. A world has a few kinds of trouble; where there is none of a kind, its value is the usual one. (With all
    kinds at once nearly every asset would be stuck, and the tests would see no mint.)"""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.troubles = draw(st.sets(st.sampled_from(TROUBLES), max_size=5))
        kind = draw(st.sampled_from(["usual", "usual", "pending", "shrinking", "holder_burn"]))
        #: The shares became fewer: both statements mostly say so, and there is much more supply. Burns are about what
        #: is still owed, so often something is.
        self.shrinking = kind == "shrinking"
        if self.shrinking:
            self.troubles |= draw(st.sampled_from([set(), {"unseen"}, {"unseen", "detached"}]))
        elif kind != "usual":
            self.troubles |= {kind}

    def odd(self, trouble: str, usual: Any, *others: Any) -> Any:
        return self.draw(st.sampled_from([usual, *others])) if trouble in self.troubles else usual

    def amount(self, least: int = 0, most: int = 40) -> int:
        return self.draw(st.integers(least, most))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Up to three assets at up to two custodians. Small numbers, so that amounts meet their limits often."""
    dice = _Dice(draw)
    mints = [mint_address(number) for number in range(dice.amount(1, 3))]
    bps = dice.odd("rise", 1_000_000, 0, 5_000)
    chain = snapshot(
        *(_view(dice, mint, bps) for mint in mints),
        config=config(paused=Scope(dice.odd("config_paused", 0, 1, 2, 4, 16))),
    )
    pairs = [
        (newest, previous if previous.statement.observed_ms < newest.statement.observed_ms else None)
        for newest, previous in (_statements(dice, custodian, mints) for custodian in (ALPACA, GTN))
    ]
    ripcord = {(mint, ALPACA): "audit under way" for mint in dice.odd("ripcord", [], mints[:1], mints)}
    told = custody(
        pairs[: dice.amount(0, 2)] if "one_statement" in dice.troubles else pairs,
        ripcords=ripcord,
        failures=dice.odd("failure", {}, {GTN: "no answer"}),
        lowered_ms=dice.odd("lowered", 0, (NOW_TS - 100) * 1_000),
    )
    policy = PlanPolicy(
        max_mint_raw=dice.odd("policy", None, 5), burn_approval_bps=dice.odd("policy", 10_000, 0, 2_000)
    )
    world = World(chain, told, policy, _journal(dice, chain))
    return _with_pending(dice, world) if "pending" in dice.troubles else world


def _with_pending(dice: _Dice, world: World) -> World:
    """What the plan wants is journaled already, at times of less or more, and no attempt was made yet."""
    assets = dict(world.journal.assets)
    for intent in world.plan().intents:
        amount_raw = max(1, intent.amount_raw + dice.draw(st.sampled_from([0, 0, -1, 1])))
        pending = LiveIntent(1, replace(intent, amount_raw=amount_raw), IntentState.PENDING)
        assets[intent.mint] = replace(assets[intent.mint], live=dice.draw(st.sampled_from([pending, None])))
    return replace(world, journal=replace(world.journal, assets=assets))


def _statements(dice: _Dice, custodian: Address, mints: Sequence[Address]) -> tuple[SignedStatement, SignedStatement]:
    """Newest and previous; half of the time both say the same."""
    most = 15 if dice.shrinking else 40
    first = {mint: dice.amount(most=most) for mint in mints}
    second = first if dice.draw(st.booleans()) else {mint: dice.amount(most=most) for mint in mints}
    ages = dice.odd("old_statement", 10, -90, -30, 200, 3_599, 3_600, 3_601), 20
    newest, previous = (
        statement(
            custodian,
            capacities,
            age,
            epoch=dice.odd("statement_epoch", 1, 2),
            expires_ts=NOW_TS + dice.odd("statement_expiry", 3_000, -1, 0, 1, 100),
            redeemed_seen_raw=dice.odd("seen", 0, 3),
            multiplier_bits=dice.odd("statement_multiplier", ONE_BITS, TWO_BITS),
        )
        for capacities, age in zip((first, second), ages, strict=True)
    )
    return newest, previous


def _view(dice: _Dice, mint: Address, max_rise_bps: int) -> AssetView:
    detached = dice.odd("detached", (), (ALPACA,), (GTN,))
    entries = [
        entry(
            custodian,
            dice.amount(),
            state=EntryState.DETACHED if custodian in detached else EntryState.ATTACHED,
            withdrawn=dice.odd("withdrawn", False, True),
            epoch=dice.odd("epoch", 1, 0),
            observed_ms=(NOW_TS - dice.odd("stale", 100, 0, -90, 3_600, 3_601, 9_000)) * 1_000,
            expires_ts=NOW_TS + dice.odd("stale", 3_000, -1, 0, 1, 100),
            redeemed_total_raw=dice.odd("unseen", 0, 3, 5),
        )
        for custodian in dice.draw(
            st.sampled_from([(ALPACA, GTN)] if dice.shrinking else [(ALPACA,), (GTN,), (ALPACA, GTN), ()])
        )
    ]
    supply = dice.amount(40, 60) if dice.shrinking else dice.amount()
    return view(
        mint,
        entries,
        supply,
        vault_raw=dice.amount(0, supply),
        holder_burnt_raw=dice.odd("holder_burn", 0, 4),
        mint_changes={
            "paused": dice.odd("mint_paused", False, True),
            "multiplier_bits": dice.odd("multiplier", ONE_BITS, TWO_BITS),
            "new_multiplier_effective_ts": NOW_TS + 1,
        },
        state=dice.odd("state", AssetState.ACTIVE, *AssetState),
        paused=Scope(dice.odd("asset_paused", 0, 1, 2, 4)),
        holds=Hold(dice.odd("held", 0, 1, 2, 4)),
        policy=replace(
            POLICY,
            max_rise_bps=max_rise_bps,
            supply_limit_raw=dice.odd("limit", 10**15, 0, 30),
            mint_burst_raw=dice.odd("bucket", 1_000, 0, 7),
            distribute_burst_raw=dice.odd("bucket", 1_000, 0, 7),
        ),
        initial_mint_raw=dice.odd("bucket", 0, 10),
    )


def _journal(dice: _Dice, chain: ChainSnapshot) -> JournalView:
    assets = {}
    for mint, one in journal_of(chain).assets.items():
        live = None
        state = dice.odd("pending", None, IntentState.PENDING) or dice.odd("submitted", None, IntentState.SUBMITTED)
        if state is not None:
            kind = dice.draw(st.sampled_from([IntentKind.MINT, IntentKind.BURN]))
            live = LiveIntent(1, Intent(kind, mint, one.totals.sequence, dice.amount(1), vault_of(mint)), state)
        assets[mint] = replace(
            one,
            totals=dice.odd("foreign", one.totals, Totals(), replace(one.totals, burnt_raw=1)),
            holder_burnt_raw=dice.odd("holder_burn", one.holder_burnt_raw, 0, 0, 9),
            acknowledged_raw=dice.odd("holder_burn", 0, one.holder_burnt_raw),
            live=live,
            burn_approved_raw=dice.odd("policy", 0, 20),
        )
    wanted = dice.draw(st.lists(st.sampled_from(sorted(chain.assets)), max_size=2))
    orders = tuple(
        Order(number.to_bytes(16, "big"), mint, dice.amount(1, 20), WALLET, WALLET)
        for number, mint in enumerate(wanted, 1)
    )
    return JournalView(assets, orders)
