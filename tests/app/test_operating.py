"""The daemon around its cycle: whose key it is, which assets, when it goes on, stops and gives up."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.app.accounts import made_mint, symbol_of
from tests.app.builders import OPERATOR, open_on, run, staged
from tests.app.ledger import Call, Refusal, Told
from tests.chain.fake_rpc import GENESIS, FakeNode, serving
from tests.domain.builders import WALLET
from xstocks_daemon.app.daemon import attest_once, pause_after
from xstocks_daemon.app.live_operator import OperatorRoleMissing
from xstocks_daemon.app.runtime import find_mint, find_mints, open_chain, open_runtime
from xstocks_daemon.app.settings import TimingSettings
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import AccountMissing, AssetNotRegistered, WrongCluster
from xstocks_daemon.errors import UserError
from xstocks_daemon.journal import LeaseLost, open_journal

HELD_RAW = 500


# ---- whose key ------------------------------------------------------------------------------------------------------


async def test_a_key_that_is_not_the_operators_sends_nothing_until_it_is(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        rightful = stage.ledger.chain.config
        stage.ledger.chain = replace(stage.ledger.chain, config=replace(rightful, operator=WALLET))
        with pytest.raises(OperatorRoleMissing) as caught:
            await stage.cycle()
        assert str(caught.value) == (
            f"operator.key_file holds {base58(OPERATOR)}, the program's operator is {base58(WALLET)}: use that key, or "
            "have the admin set the role"
        )
        assert (stage.calls(), await stage.journal.intents(), stage.books.asked) == ([], (), [])
        stage.ledger.chain = replace(stage.ledger.chain, config=rightful)
        await stage.cycle()
        assert stage.supply(mint) == HELD_RAW


async def test_a_live_cycle_needs_a_key(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.runtime = replace(stage.runtime, signer=None)
        stage.restart()
        stage.hold(stage.mints[0], HELD_RAW)
        report = await stage.cycle()
        # Without one it is a dry run, whatever the settings say.
        assert (report.plan.mints[0].amount_raw, stage.calls()) == (HELD_RAW, [])


@pytest.mark.parametrize("price", [0, 7])
async def test_the_price_of_the_settings_is_paid_by_attempts_and_statements(tmp_path: Path, price: int) -> None:
    operator = {"key_file": "operator.json", "price_micro_lamports": price}
    async with staged(tmp_path, operator=operator) as stage:
        stage.hold(stage.mints[0], HELD_RAW)
        await stage.cycle()
        budgets = [call.programs.count("ComputeBudget111111111111111111111111111111") for call in stage.calls()]
        assert budgets == [2 if price else 1] * 2


# ---- which assets ---------------------------------------------------------------------------------------------------


async def test_all_assets_are_looked_after_or_those_that_are_named_by_mint_or_symbol(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=3) as stage:
        first, second, third = stage.mints
        for wanted, mints in (
            ("all", stage.mints),
            ((base58(second),), (second,)),
            ((symbol_of(third), base58(first), base58(third)), (first, third)),
        ):
            settings = stage.runtime.settings.model_copy(update={"assets": wanted})
            assert await replace(stage.runtime, settings=settings).mints() == mints
        assert await find_mint(stage.runtime, symbol_of(second), "--asset") == second
        both = await find_mints(stage.runtime, [symbol_of(first), base58(third)], "--asset")
        assert both == {symbol_of(first): first, base58(third): third}
        unknown = base58(made_mint(99))
        for wrong, remedy in (
            (unknown, "no asset with this mint is registered"),
            (symbol_of(first)[:-1] + "y", f"did you mean {symbol_of(first)}?"),
        ):
            with pytest.raises(UserError, match=remedy) as caught:
                await find_mint(stage.runtime, wrong, "--asset")
            assert str(caught.value).startswith(f"--asset: {wrong}: ")


async def test_an_account_that_names_another_assets_mint_is_refused(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=2) as stage:
        one, other = (stage.view(mint).asset.address for mint in stage.mints)
        stage.nodes[0].apart[one] = stage.ledger.accounts()[other]
        with pytest.raises(Exception, match=f"Asset account {base58(one)} is not of the mint that it names"):
            await stage.runtime.registered_mints()


async def test_an_asset_that_is_registered_later_is_met_and_is_not_asked_for_every_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with staged(tmp_path, assets=2) as stage:
        stage.restart(assets="all")
        later = stage.mints[1]
        hidden = stage.ledger.chain.assets[later]
        first_only = {mint: view for mint, view in stage.ledger.chain.assets.items() if mint != later}
        stage.ledger.chain = replace(stage.ledger.chain, assets=first_only)
        assert len((await stage.cycle()).plan.assets) == 1
        stage.ledger.chain = replace(stage.ledger.chain, assets={**first_only, later: hidden})
        assert len((await stage.cycle()).plan.assets) == 1
        monkeypatch.setattr("xstocks_daemon.app.cycle.MINTS_REFRESH_SECS", -1.0)
        assert len((await stage.cycle()).plan.assets) == 2


# ---- one cycle after another ----------------------------------------------------------------------------------------


async def test_until_in_line_ends_when_everything_is_and_gives_the_lease_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Half of what is missing is minted in a cycle.
    limit = HELD_RAW // 2
    async with staged(tmp_path, assets=2, timing__cycle_secs=0.001, policy__max_mint_raw=limit) as stage:
        for mint in stage.mints:
            stage.hold(mint, HELD_RAW)
        told: list[tuple[int, int]] = []
        await run(stage, monkeypatch, until_on_target=True, progress=lambda *numbers: told.append(numbers))
        assert {stage.supply(mint) for mint in stage.mints} == {HELD_RAW}
        assert (told[0], told[-1]) == ((0, 2), (2, 2))
        await stage.journal.acquire_lease("another", 1_000)


async def test_an_outage_is_a_state_and_the_work_goes_on_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with staged(tmp_path, timing__cycle_secs=0.001, timing__backoff_max_secs=0.002) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        refusals: list[str] = []

        def told(call: Call) -> Told:
            if call.name == "mint" and len(refusals) < 3:
                refusals.append(call.name)
                return Refusal(err="InsufficientFundsForFee")
            return None

        stage.ledger.simulated = told
        await run(stage, monkeypatch, until_on_target=True)
        assert (stage.supply(mint), len(refusals), len(stage.calls("mint"))) == (HELD_RAW, 3, 1)


@pytest.mark.parametrize("what", ["asset", "config"])
async def test_what_no_waiting_mends_ends_the_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    async with staged(tmp_path, timing__cycle_secs=0.001) as stage:
        account = stage.view(stage.mints[0]).asset.address
        if what == "config":
            account = stage.runtime.client.addresses.config
        for node in stage.nodes:
            node.apart[account] = None
        with pytest.raises(BaseExceptionGroup) as caught:
            await run(stage, monkeypatch)
        assert isinstance(caught.value.exceptions[0], AssetNotRegistered if what == "asset" else AccountMissing)


async def test_a_lost_lease_ends_the_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged(tmp_path, timing__cycle_secs=0.001, timing__lease_secs=30.0) as stage:
        stage.hold(stage.mints[0], HELD_RAW)

        async def taken(wanted: Any, at_most_nano: Any = None) -> Any:
            other = await open_journal(stage.runtime.settings.journal.path, GENESIS, stage.runtime.client.program_id)
            await other.acquire_lease("another", 60_000, take_over=True)
            await other.close()
            return await asking(wanted, at_most_nano)

        asking = stage.books.read
        stage.books.read = taken  # type: ignore[method-assign]
        with pytest.raises(BaseExceptionGroup) as caught:
            await run(stage, monkeypatch)
        assert [type(error) for error in caught.value.exceptions] == [LeaseLost]
        assert stage.calls() == []


async def test_a_stopped_daemon_ends_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged(tmp_path, timing__cycle_secs=3_600) as stage:
        stage.hold(stage.mints[0], HELD_RAW)
        stop = asyncio.Event()
        stage.ledger.executed = lambda call: stop.set() if call.name == "mint" else None
        await run(stage, monkeypatch, stop=stop)
        await stage.journal.acquire_lease("another", 1_000)
        stage.restart()
        await stage.cycle()
        assert (stage.supply(stage.mints[0]), len(stage.calls("mint"))) == (HELD_RAW, 1)


async def test_attesting_submits_only_where_it_is_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged(tmp_path) as stage:
        await open_on(stage, monkeypatch)
        stage.hold(stage.mints[0], HELD_RAW)
        settings = stage.runtime.settings
        answers, count = await attest_once(settings, submit=False)
        assert (len(answers.verified), count, stage.calls()) == (1, 0, [])
        with pytest.raises(UserError, match="--submit sends: set live = true"):
            await attest_once(settings.model_copy(update={"live": False}), submit=True)
        assert stage.calls() == []
        answers, count = await attest_once(settings, submit=True)
        assert (count, [call.name for call in stage.calls()]) == (1, ["submit_attestation"])


@pytest.mark.parametrize(
    ("failures", "pause_secs"), [(0, 5.0), (1, 10.0), (2, 20.0), (3, 40.0), (4, 60.0), (10_000, 60.0)]
)
def test_the_pause_doubles_with_every_failure_up_to_the_longest(failures: int, pause_secs: float) -> None:
    assert pause_after(failures, TimingSettings()) == pause_secs


# ---- wiring of the settings -----------------------------------------------------------------------------------------


async def test_opening_checks_every_endpoints_cluster(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        good, wrong = FakeNode(genesis_hash=GENESIS), FakeNode(genesis_hash=WALLET)
        async with serving(good, wrong) as urls:
            cluster = stage.runtime.settings.cluster.model_copy(update={"rpc_urls": tuple(urls)})
            settings = stage.runtime.settings.model_copy(update={"cluster": cluster, "operator": None, "live": False})
            with pytest.raises(WrongCluster, match=f"serves the cluster with genesis hash {base58(WALLET)},"):
                async with open_chain(settings):
                    raise AssertionError("opened")
            wrong.genesis_hash = GENESIS
            async with open_runtime(settings) as runtime:
                assert [endpoint.name + "/" for endpoint in runtime.pool.endpoints] == urls
                assert runtime.custodians == stage.runtime.custodians
                assert (runtime.live, runtime.signer) == (False, None)
                for node in (good, wrong):
                    node.accounts = stage.ledger.accounts()
                assert (await runtime.reader.config()).operator == OPERATOR
                # M10: both are asked for what is decided on.
                assert (good.count("getMultipleAccounts"), wrong.count("getMultipleAccounts")) == (2, 2)
