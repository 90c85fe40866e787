"""What halts an asset in a live cycle, and that it halts no other; what holders burn themselves halts nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.builders import Stage, asset_plan_of, resigned, staged
from tests.app.ledger import LOST, Call
from tests.chain.builders import own
from tests.domain.chain_model import model_submit
from xstocks_daemon.app.cycle import Cycle
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import ChainDisagreement
from xstocks_daemon.domain.decisions import Action, Reason
from xstocks_daemon.domain.intent import AttemptState, IntentKind
from xstocks_daemon.domain.plan_inputs import HaltReason
from xstocks_daemon.domain.statement import SignedStatement
from xstocks_daemon.domain.units import Address

HELD_RAW = 500


async def assert_halted(stage: Stage, mint: Address, reason: HaltReason, *words: str) -> None:
    """`mint` and no other."""
    halt = await stage.halt_of(mint)
    assert halt is not None
    assert halt.reason is reason
    for word in words:
        assert word in halt.detail
    for other in stage.mints:
        assert other == mint or await stage.halt_of(other) is None
    assert [event.kind for event in await stage.journal.events(mint=mint)].count("halt") == 1


# ---- equivocation ---------------------------------------------------------------------------------------------------


def same_time(stage: Stage, mint: Address) -> None:
    """The custodian gives the next statement of `mint` the time of the one before."""

    def instead(signed: SignedStatement) -> SignedStatement:
        ours = signed.statement.entries[0].mint == mint
        said = signed.statement
        return resigned(replace(said, observed_ms=said.observed_ms - 10)) if ours else signed

    stage.books.instead = instead


async def test_two_statements_of_one_time_halt_their_asset_and_no_other(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=2, table_size=1) as stage:
        bad, _ = stage.mints
        for mint in stage.mints:
            stage.hold(mint, HELD_RAW)
        await stage.cycle()
        for mint in stage.mints:
            stage.hold(mint, 2 * HELD_RAW)
        same_time(stage, bad)
        report = await stage.cycle()
        await assert_halted(stage, bad, HaltReason.EQUIVOCATION, base58(stage.custodian))
        assert asset_plan_of(report, bad).reason is Reason.HALTED
        assert [stage.supply(mint) for mint in stage.mints] == [HELD_RAW, 2 * HELD_RAW]
        stage.books.instead = lambda signed: signed
        await stage.cycle()
        assert stage.supply(bad) == HELD_RAW
        await stage.journal.clear_halt(bad, "a person")
        await stage.cycle()
        assert stage.supply(bad) == 2 * HELD_RAW


async def test_two_statements_of_one_time_that_were_told_to_two_processes_halt_as_well(tmp_path: Path) -> None:
    """The journal knows a line that this daemon never saw and that is not on chain: somebody ran `xstocks attest`."""
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.lose("submit_attestation")
        await stage.cycle()
        other = Cycle(stage.runtime, stage.metrics)
        stage.hold(mint, HELD_RAW)
        await other.relay_once()
        stage.hold(mint, 2 * HELD_RAW)
        same_time(stage, mint)
        await stage.cycle()
        await assert_halted(stage, mint, HaltReason.EQUIVOCATION, "signed two entries of", base58(stage.custodian))
        assert stage.calls("mint") == []


async def test_the_same_statement_twice_halts_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        await stage.cycle()
        same_time(stage, mint)
        await stage.cycle()
        assert await stage.halt_of(mint) is None


# ---- endpoints differ (M10) -----------------------------------------------------------------------------------------


async def test_an_asset_that_the_endpoints_tell_differently_halts_alone_and_is_asked_for_no_more(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path, assets=2) as stage:
        bad, good = stage.mints
        for mint in stage.mints:
            stage.hold(mint, HELD_RAW)
        account = stage.view(bad).asset.address
        true = stage.ledger.accounts()[account]
        stage.nodes[1].apart[account] = own(true.data[:-1] + b"\1")
        report = await stage.cycle()
        await assert_halted(stage, bad, HaltReason.ENDPOINTS_DIFFER, base58(account))
        assert [line.mint for line in report.plan.assets] == [good]
        assert [stage.supply(mint) for mint in stage.mints] == [0, HELD_RAW]
        stage.nodes[1].calls.clear()
        report = await stage.cycle()
        assert [line.mint for line in report.plan.assets] == [good]
        assert base58(account) not in str(stage.nodes[1].calls)
        await stage.journal.clear_halt(bad, "a person")
        stage.nodes[1].apart.clear()
        await stage.cycle()
        assert [stage.supply(mint) for mint in stage.mints] == [HELD_RAW, HELD_RAW]


async def test_what_is_read_differently_once_and_alike_then_halts_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        account = stage.view(mint).asset.address
        true = stage.ledger.accounts()[account]
        node = stage.nodes[1]
        node.apart[account] = own(true.data[:-1] + b"\1")
        node.before = lambda method, _: node.apart.clear() if node.count("getMultipleAccounts") == 2 else None
        await stage.cycle()
        assert (await stage.halt_of(mint), stage.supply(mint)) == (None, HELD_RAW)


async def test_a_difference_that_is_of_no_asset_halts_none_and_ends_the_cycle(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        config = stage.runtime.client.addresses.config
        stage.nodes[1].apart[config] = own(stage.ledger.accounts()[config].data[:-1] + b"\1")
        with pytest.raises(ChainDisagreement, match=base58(config)):
            await stage.cycle()
        assert (await stage.halt_of(mint), stage.calls()) == (None, [])
        stage.nodes[1].apart.clear()
        await stage.cycle()
        assert stage.supply(mint) == HELD_RAW


async def test_a_dry_run_halts_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path, live=False) as stage:
        (mint,) = stage.mints
        account = stage.view(mint).asset.address
        stage.nodes[1].apart[account] = own(stage.ledger.accounts()[account].data[:-1] + b"\1")
        with pytest.raises(ChainDisagreement):
            await stage.cycle()
        assert await stage.halt_of(mint) is None


# ---- M12 ------------------------------------------------------------------------------------------------------------


async def test_a_number_that_the_journal_lacks_halts_its_asset_and_no_other(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=2) as stage:
        bad, _ = stage.mints
        for mint in stage.mints:
            stage.hold(mint, HELD_RAW)
        await stage.daemon.relay_once()
        stage.foreign(bad, IntentKind.MINT, 7)
        report = await stage.cycle()
        await assert_halted(stage, bad, HaltReason.FOREIGN_SEQUENCE, "chain sequence=1", "journal sequence=0")
        assert asset_plan_of(report, bad).action is Action.HALT
        assert [stage.supply(mint) for mint in stage.mints] == [7, HELD_RAW]
        assert asset_plan_of(await stage.cycle(), bad).reason is Reason.HALTED


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"supply_raw": HELD_RAW + 7}, HaltReason.HOLDER_BURNT_FELL),
        ({"minted_raw": HELD_RAW + 7}, HaltReason.TOTALS_DIFFER),
        ({"sequence": 2}, HaltReason.FOREIGN_SEQUENCE),
    ],
)
async def test_what_a_mint_does_not_explain_halts_in_the_very_cycle(
    tmp_path: Path, change: dict[str, int], reason: HaltReason
) -> None:
    async with staged(tmp_path, assets=2) as stage:
        bad, good = stage.mints
        for mint in stage.mints:
            stage.hold(mint, HELD_RAW)
        stage.ledger.executed = lambda call: stage.ledger.change(bad, **change) if call.name == "mint" else None
        report = await stage.cycle()
        assert asset_plan_of(report, bad).action is Action.MINT
        await assert_halted(stage, bad, reason)
        assert stage.supply(good) == HELD_RAW


async def test_what_an_earlier_cycle_minted_is_looked_at_as_well(tmp_path: Path) -> None:
    """Settled at the beginning of a cycle, and on a chain that goes wrong after the plan was made."""
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        stage.hide("mint")
        await stage.cycle()
        stage.bury()

        def wrong(signed: SignedStatement) -> SignedStatement:
            # The snapshot was taken, the last look is still to come.
            stage.ledger.change(mint, supply_raw=HELD_RAW + 7)
            return signed

        stage.books.instead = wrong
        report = await stage.cycle()
        assert [intent.mint for intent in report.landed] == [mint]
        assert asset_plan_of(report, mint).supply_raw == HELD_RAW
        await assert_halted(stage, mint, HaltReason.HOLDER_BURNT_FELL)


# ---- M1 -------------------------------------------------------------------------------------------------------------


async def test_a_supply_above_what_was_backed_halts_though_plan_and_program_let_it_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are taken to be wrong: the daemon looks once more, by what it minted on."""
    async with staged(tmp_path, assets=2) as stage:
        bad, good = stage.mints
        stage.hold(bad, HELD_RAW)
        monkeypatch.setattr("xstocks_daemon.domain.plan.targets.ceiling_raw", lambda view, *_: HELD_RAW + 1)
        monkeypatch.setattr("tests.domain.chain_model.model_ceiling_raw", lambda *_: 10**9)
        stage.hold(good, HELD_RAW + 100)
        await stage.cycle()
        assert [stage.supply(mint) for mint in stage.mints] == [HELD_RAW + 1, HELD_RAW + 1]
        await assert_halted(stage, bad, HaltReason.SUPPLY_ABOVE_CEILING, "supply 501, backed 500")


async def test_a_statement_that_came_meanwhile_is_no_measure_of_what_was_minted(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)

        def lowered(call: Call) -> None:
            if call.name == "mint":
                stage.hold(mint, 300)
                said = stage.books.statement(stage.custodian, [mint], observed_ms=stage.books.now_ms + 5)
                stage.ledger.chain = model_submit(stage.ledger.chain, said)

        stage.ledger.executed = lowered
        await stage.cycle()
        assert (await stage.halt_of(mint), stage.supply(mint)) == (None, HELD_RAW)


async def test_what_an_earlier_cycle_minted_is_not_judged_by_a_lower_statement_that_came_since(tmp_path: Path) -> None:
    async with staged(tmp_path, policy__burn_approval_bps=0) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        stage.hide("mint")
        await stage.cycle()
        stage.bury()
        stage.hold(mint, 300)
        said = stage.books.statement(stage.custodian, [mint], observed_ms=stage.books.now_ms + 5)
        stage.ledger.chain = model_submit(stage.ledger.chain, said)
        stage.books.silent.add(stage.custodian)
        report = await stage.cycle()
        assert ([intent.mint for intent in report.landed], report.plan.relays) == ([mint], ())
        assert (await stage.halt_of(mint), stage.supply(mint)) == (None, HELD_RAW)


# ---- what holders burn themselves -----------------------------------------------------------------------------------


async def test_what_holders_burn_is_recorded_and_alerted_and_neither_halts_nor_is_minted_again(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        await stage.cycle()
        stage.ledger.change(mint, supply_raw=HELD_RAW - 60, vault_raw=HELD_RAW - 60)
        report = await stage.cycle()
        known = await stage.journal.expected(mint)
        assert (known.holder_burnt_raw, known.halt) == (60, None)
        (alert,) = report.plan.alerts
        assert (alert.recorded_raw, alert.holder_burnt_raw) == (0, 60)
        assert stage.metrics.registry.get_sample_value("xstocks_holder_burns_total") == 1
        report = await stage.cycle()
        assert (report.plan.alerts, stage.supply(mint), len(stage.calls("mint"))) == ((), HELD_RAW - 60, 1)
        # Two people acknowledge: it is minted again.
        for person in ("one", "two"):
            await stage.journal.acknowledge_holder_burn(mint, 60, person)
        await stage.cycle()
        assert (stage.supply(mint), await stage.halt_of(mint)) == (HELD_RAW, None)
        # Less than what is recorded cannot be: tokens came out of nothing.
        stage.ledger.change(mint, supply_raw=HELD_RAW + 1)
        await stage.cycle()
        await assert_halted(stage, mint, HaltReason.HOLDER_BURNT_FELL, "chain 59, journal 60")


async def test_an_intent_of_a_halted_asset_is_not_sent(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        stage.lose("submit_attestation")
        await stage.cycle()
        stage.accept()
        stage.ledger.change(mint, minted_raw=1, supply_raw=1)
        report = await stage.cycle()
        await assert_halted(stage, mint, HaltReason.TOTALS_DIFFER)
        assert (report.landed, stage.calls("mint")) == ((), [])


async def test_what_lands_for_a_halted_asset_is_still_journaled(tmp_path: Path) -> None:
    """M11: a halt stops new work; what was sent goes on to its end."""
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        stage.ledger.fate = lambda call: LOST if call.name == "mint" else None
        await stage.cycle()
        stage.accept()
        stage.hold(mint, 2 * HELD_RAW)
        same_time(stage, mint)
        await stage.cycle()
        await assert_halted(stage, mint, HaltReason.EQUIVOCATION)
        assert (await stage.attempts(mint), stage.supply(mint)) == ([AttemptState.LANDED], HELD_RAW)
