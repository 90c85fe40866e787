"""A model of the chain that takes what the plan decides.

Written from the specification (docs/design.md), not from the plan: it refuses (AssertionError) what the program would
refuse.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.domain.builders import World
from xstocks_daemon.domain.decisions import Plan
from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.plan_inputs import (
    JournalView,
)
from xstocks_daemon.domain.snapshot import (
    AssetState,
    AssetView,
    Bucket,
    ChainSnapshot,
    EntryState,
    Hold,
    Scope,
)
from xstocks_daemon.domain.statement import SignedStatement


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
                shares_nano=line.shares_nano,
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
        level = asset.burn_bucket.level_at(chain.now_ts, policy.burn_burst_raw, policy.burn_refill_raw_per_sec)
        assert amount <= level, "M5"
        changes["burn_bucket"] = Bucket(level - amount, chain.now_ts)
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
        burnt_raw = intent.amount_raw if intent.kind is IntentKind.BURN else 0
        assets[intent.mint] = replace(
            assets.get(intent.mint, old),
            totals=old.totals.after(intent),
            live=None,
            burn_approved_raw=max(0, old.burn_approved_raw - burnt_raw),
        )
    orders = tuple(order for order in world.journal.orders if order.order_id not in served)
    return replace(world, chain=chain, journal=JournalView(assets, orders))
