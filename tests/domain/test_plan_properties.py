"""What holds for every plan, over random worlds. The model (chain_model.py) refuses what the program would refuse."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

import pytest
from hypothesis import Phase, event, given, settings
from hypothesis import strategies as st

from tests.domain.builders import NOW_TS, ONE_BITS, World
from tests.domain.chain_model import applied, model_ceiling_raw, model_submit
from tests.domain.random_worlds import worlds
from xstocks_daemon.domain.decisions import Action, Reason
from xstocks_daemon.domain.intent import IntentKind, IntentState
from xstocks_daemon.domain.plan_inputs import JournalView, totals_of
from xstocks_daemon.domain.snapshot import AssetView, Entry, EntryState, Hold, Scope

MANY_CYCLES = 12
K = TypeVar("K")
V = TypeVar("V")

#: Of 400 random worlds at least so many have it: rules about what never comes are not tried.
MET_AT_LEAST = {
    "mint": 30,
    "burn": 20,
    "burn beside an unseen redemption": 5,
    "burn beside a detached entry": 3,
    "burn beside a detached entry's unseen redemption": 1,
    "distribution": 10,
    "resend": 2,
    "drop": 5,
    "halt": 5,
    "alert": 2,
    "relay": 100,
    "detached entry": 10,
}


def test_the_random_worlds_have_all_that_the_rules_are_about() -> None:
    """Where this fails `worlds` has become poorer, or the plan does less: the tests below would still be green."""
    met: Counter[str] = Counter()

    @settings(max_examples=400, derandomize=True, database=None, phases=[Phase.generate])
    @given(worlds())
    def count(world: World) -> None:
        met.update(_met(world))

    count()
    assert {what: met[what] for what, least in MET_AT_LEAST.items() if met[what] < least} == {}


def _met(world: World) -> Iterator[str]:
    decided = world.plan()
    intents = {IntentKind.MINT: "mint", IntentKind.BURN: "burn", IntentKind.DISTRIBUTE: "distribution"}
    yield from (intents[intent.kind] for intent in decided.intents)
    yield from ["resend"] * len(decided.resends) + ["drop"] * len(decided.drops)
    yield from ["halt"] * len(decided.halts) + ["alert"] * len(decided.alerts) + ["relay"] * len(decided.relays)
    detached = {mint: _detached(one) for mint, one in world.chain.assets.items()}
    yield from ["detached entry" for entries in detached.values() if entries]
    after = applied(world, decided)
    # Most burns come one cycle after the relay of the statements that prove them.
    for intent in after.plan().burns:
        yield "burn"
        if any(each.unseen_raw for each in after.chain.assets[intent.mint].asset.entries):
            yield "burn beside an unseen redemption"
        if detached[intent.mint]:
            yield "burn beside a detached entry"
        if any(each.unseen_raw for each in detached[intent.mint]):
            yield "burn beside a detached entry's unseen redemption"


def _detached(one: AssetView) -> list[Entry]:
    return [each for each in one.asset.entries if each.state is EntryState.DETACHED]


@given(worlds())
def test_the_program_takes_everything_that_is_planned(world: World) -> None:
    """M1, M3 to M9: the model's refusals are assertions."""
    decided = world.plan()
    for line in decided.assets:
        event(f"{line.action.value}: {line.reason.value}")
    applied(world, decided)


@given(worlds())
def test_a_mint_ends_at_or_below_the_ceiling_and_the_target(world: World) -> None:
    """M1, M12."""
    decided = world.plan()
    chain = world.chain
    for relay in decided.relays:
        chain = model_submit(chain, relay.signed)
    for intent in decided.mints:
        one, journal = chain.assets[intent.mint], world.journal.of(intent.mint)
        after = one.mint.supply_raw + intent.amount_raw
        unacknowledged = max(0, one.holder_burnt_raw - journal.acknowledged_raw)
        assert after <= model_ceiling_raw(one, chain) - unacknowledged


@given(worlds())
def test_nothing_is_minted_while_held_paused_ripcorded_or_unlike_the_mint(world: World) -> None:
    """M8, M9, section 6.5."""
    for intent in world.plan().mints:
        one = world.chain.assets[intent.mint]
        assert one.asset.holds == Hold(0)
        assert not (world.chain.config.paused | one.asset.paused) & (Scope.MINT | Scope.TRANSFERS)
        assert not one.mint.paused
        assert one.mint.effective_multiplier_bits(NOW_TS) == ONE_BITS
        attached = {each.custodian for each in one.asset.entries if each.state is EntryState.ATTACHED}
        assert not any((intent.mint, custodian) in world.custody.ripcords for custodian in attached)


@given(worlds())
def test_a_burn_has_two_statements_of_every_custodian_that_prove_it(world: World) -> None:
    """Section 6.2: positive evidence; M7: from the vault only."""
    # Most burns come one cycle after the relay of the statements that prove them.
    world = applied(world, world.plan())
    for intent in world.plan().burns:
        event("burn")
        one, journal = world.chain.assets[intent.mint], world.journal.of(intent.mint)
        assert intent.amount_raw <= one.vault_raw
        assert one.asset.holds == Hold(0)
        for which in ("newest", "previous"):
            # What this round of statements backs, taken alone.
            backed = 0
            for each in one.asset.entries:
                backed -= each.redeemed_total_raw
                if each.state is not EntryState.ATTACHED:
                    backed += each.redeemed_seen_raw
                    continue
                evidence = getattr(world.custody.evidence[intent.mint][each.custodian], which)
                backed += evidence.entry.capacity_raw + evidence.entry.redeemed_seen_raw
                assert evidence.signed.statement.epoch == each.epoch == world.chain.custodians[each.custodian].epoch
                assert (intent.mint, each.custodian) not in world.custody.ripcords
                assert each.custodian not in world.custody.failures
                assert NOW_TS * 1_000 - each.observed_ms <= one.asset.policy.max_age_secs * 1_000
                assert each.expires_ts > NOW_TS
                assert not each.withdrawn
            unacknowledged = max(0, one.holder_burnt_raw - journal.acknowledged_raw)
            assert one.mint.supply_raw - intent.amount_raw >= max(0, max(0, backed) - unacknowledged)
        large = intent.amount_raw * 10_000 > one.mint.supply_raw * world.policy.burn_approval_bps
        assert not large or intent.amount_raw <= journal.burn_approved_raw


@given(worlds())
def test_nothing_is_planned_for_an_asset_that_the_journal_does_not_explain(world: World) -> None:
    """M11, M12."""
    decided = world.plan()
    for intent in decided.intents:
        journal = world.journal.of(intent.mint)
        one = world.chain.assets[intent.mint]
        assert journal.totals == totals_of(one.asset)
        assert journal.live is None
        assert one.holder_burnt_raw >= journal.holder_burnt_raw
    for live in decided.resends:
        assert live.state is IntentState.PENDING


@given(worlds())
def test_every_asset_has_exactly_one_line_and_at_most_one_intent(world: World) -> None:
    decided = world.plan()
    assert [line.mint for line in decided.assets] == sorted(world.chain.assets)
    mints = [intent.mint for intent in decided.intents]
    assert len(set(mints)) == len(mints)
    for line in decided.assets:
        assert (line.action in (Action.MINT, Action.BURN, Action.DISTRIBUTE)) == (line.mint in mints)
        if line.reason is Reason.ON_TARGET:
            assert line.supply_raw == line.target_raw


@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_mappings_does_not_matter(world: World, chance: random.Random) -> None:
    assert shuffled(world, chance).plan() == world.plan()


def shuffled(world: World, chance: random.Random) -> World:
    """The same world with every mapping in another order."""

    def mixed(mapping: Mapping[K, V]) -> dict[K, V]:
        items = list(mapping.items())
        chance.shuffle(items)
        return dict(items)

    return replace(
        world,
        chain=replace(world.chain, assets=mixed(world.chain.assets), custodians=mixed(world.chain.custodians)),
        custody=replace(
            world.custody,
            evidence=mixed({mint: mixed(evidence) for mint, evidence in world.custody.evidence.items()}),
        ),
        journal=JournalView(mixed(world.journal.assets), world.journal.orders),
    )


@given(worlds())
def test_a_plan_that_was_done_is_not_planned_again(world: World) -> None:
    """After a cycle without obstacles the same asset gets neither a second mint nor a second burn, and the world comes
    to rest."""
    world = replace(world, policy=replace(world.policy, max_mint_raw=None))
    seen: list[tuple[Action, bytes]] = []
    for _ in range(MANY_CYCLES):
        decided = world.plan()
        if decided.idle:
            break
        new = [
            (line.action, line.mint)
            for line in decided.assets
            if line.action in (Action.MINT, Action.BURN, Action.HALT)
        ]
        assert not set(new) & set(seen)
        seen += new
        world = applied(world, decided)
    else:
        pytest.fail("the plan never comes to rest")
    assert world.plan() == decided
