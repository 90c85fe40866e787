"""Random worlds for the plan's properties: a few kinds of trouble in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from tests.domain.builders import (
    ALPACA,
    GTN,
    NOW_TS,
    ONE_BITS,
    POLICY,
    TWO_BITS,
    WALLET,
    World,
    config,
    custody,
    entry,
    journal_of,
    mint_address,
    snapshot,
    statement,
    vault_of,
    view,
)
from xstocks_daemon.domain.intent import Intent, IntentKind, IntentState
from xstocks_daemon.domain.plan_inputs import (
    JournalView,
    LiveIntent,
    Order,
    PlanPolicy,
    Totals,
)
from xstocks_daemon.domain.snapshot import (
    AssetState,
    AssetView,
    ChainSnapshot,
    EntryState,
    Hold,
    Scope,
)
from xstocks_daemon.domain.statement import SignedStatement
from xstocks_daemon.domain.units import Address

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
    custody_view = custody(
        pairs[: dice.amount(0, 2)] if "one_statement" in dice.troubles else pairs,
        ripcords=ripcord,
        failures=dice.odd("failure", {}, {GTN: "no answer"}),
        lowered_ms=dice.odd("lowered", 0, (NOW_TS - 100) * 1_000),
    )
    policy = PlanPolicy(
        max_mint_raw=dice.odd("policy", None, 5), burn_approval_bps=dice.odd("policy", 10_000, 0, 2_000)
    )
    world = World(chain, custody_view, policy, _journal(dice, chain))
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
            burn_burst_raw=dice.odd("bucket", 1_000, 0, 7),
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
