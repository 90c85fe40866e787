"""What custodians say on its way into the plan of a live cycle, and what of it is not believed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.app.builders import Stage, asset_plan_of, resigned, staged
from xstocks_daemon.app.custody import CustodyRound
from xstocks_daemon.custody.verify import RejectionReason
from xstocks_daemon.domain.decisions import Note, Reason
from xstocks_daemon.domain.snapshot import CustodianState
from xstocks_daemon.domain.statement import SignedStatement
from xstocks_daemon.domain.units import Address

HELD_RAW = 500


def reasons(answers: CustodyRound) -> list[RejectionReason]:
    return [rejection.reason for each in answers.rejected for rejection in each.rejections]


def counted(stage: Stage, outcome: str) -> float:
    labels = {"custodian": "1", "outcome": outcome}
    value = stage.metrics.registry.get_sample_value("xstocks_statements_total", labels)
    assert value is not None
    return value


async def test_a_ripcord_stops_the_minting_of_its_asset_until_a_statement_takes_it_back(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=2) as stage:
        bad, _ = stage.mints
        for mint in stage.mints:
            stage.hold(mint, HELD_RAW)
        stage.books.ripcords[stage.custodian, bad] = "the count is being checked"
        report = await stage.cycle()
        line = asset_plan_of(report, bad)
        assert line.reason is Reason.RIPCORD
        assert [stage.supply(mint) for mint in stage.mints] == [0, HELD_RAW]
        stage.books.ripcords.clear()
        await stage.cycle()
        assert stage.supply(bad) == HELD_RAW


async def test_a_ripcord_stops_a_burn(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        await stage.cycle()
        await stage.hold_twice(mint, 300)
        stage.books.ripcords[stage.custodian, mint] = "the count is being checked"
        report = await stage.cycle()
        assert (asset_plan_of(report, mint).reason, stage.supply(mint)) == (Reason.RIPCORD, HELD_RAW)
        stage.books.ripcords.clear()
        await stage.cycle()
        assert stage.supply(mint) == 300


async def test_a_source_that_fails_burns_nothing_and_says_why(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        await stage.cycle()
        await stage.hold_twice(mint, 300)
        stage.books.silent.add(stage.custodian)
        report = await stage.cycle()
        line = asset_plan_of(report, mint)
        assert (line.reason, stage.supply(mint)) == (Reason.SOURCE_FAILED, HELD_RAW)
        assert Note(Reason.SOURCE_FAILED, custodian=stage.custodian, detail="no answer") in line.notes
        assert counted(stage, "failed") == 1
        stage.books.silent.clear()
        await stage.cycle()
        assert (stage.supply(mint), [call.name for call in stage.calls("burn")]) == (300, ["burn"])


async def test_a_dry_run_knows_ripcords_and_failures_too_and_writes_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path, live=False, assets=2, table_size=1) as stage:
        bad, _ = stage.mints
        for mint in stage.mints:
            stage.hold(mint, HELD_RAW)
        stage.books.ripcords[stage.custodian, bad] = "the count is being checked"
        report = await stage.cycle()
        assert [asset_plan_of(report, mint).reason for mint in stage.mints] == [
            Reason.RIPCORD,
            Reason.TO_TARGET,
        ]
        assert (stage.calls(), await stage.journal.evidence(), await stage.journal.intents()) == ([], {}, ())
        assert (report.landed, report.under_way) == ((), 0)
        with pytest.raises(ValueError, match="live"):
            await stage.daemon.relay_once()


async def test_asking_alone_writes_and_sends_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.hold(stage.mints[0], HELD_RAW)
        answers = await stage.daemon.ask()
        assert len(answers.verified) == 1
        assert (stage.calls(), await stage.journal.evidence()) == ([], {})


# ---- what a restart must not forget ---------------------------------------------------------------------------------


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_statement_that_is_not_on_chain_yet_is_remembered(tmp_path: Path, restarted: bool) -> None:
    """An older one with more shares is not believed: not by the daemon that saw the newer, nor by the next one."""
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.hold(mint, 2 * HELD_RAW)
        older = stage.books.statement(stage.custodian, [mint], observed_ms=stage.books.now_ms + 5)
        stage.hold(mint, HELD_RAW)
        stage.lose("submit_attestation")
        await stage.cycle()
        stage.accept()
        if restarted:
            stage.restart()
        stage.books.instead = lambda _: older
        answers = await stage.daemon.ask()
        assert (answers.verified, reasons(answers)) == ((), [RejectionReason.NOT_NEWER])
        assert counted(stage, "rejected") == 1
        await stage.cycle()
        assert stage.supply(mint) == HELD_RAW


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_rise_is_measured_from_what_was_last_seen_though_the_chain_has_it_not(
    tmp_path: Path, restarted: bool
) -> None:
    async with staged(tmp_path, policy__max_statement_rise_bps=1_000) as stage:
        (mint,) = stage.mints
        stage.hold(mint, 1_000)
        stage.lose("submit_attestation")
        await stage.cycle()
        stage.accept()
        if restarted:
            stage.restart()
        stage.hold(mint, 1_200)
        assert reasons(await stage.daemon.ask()) == [RejectionReason.JUMP]
        stage.hold(mint, 1_100)
        assert len((await stage.daemon.ask()).verified) == 1


# ---- limits of the settings and of the chain ------------------------------------------------------------------------


async def test_without_a_limit_of_the_settings_a_rise_is_the_programs_affair(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.hold(mint, 1_000)
        await stage.cycle()
        stage.hold(mint, 50_000)
        assert reasons(await stage.daemon.ask()) == []


@pytest.mark.parametrize(("ahead_secs", "expected"), [(-1, []), (45, []), (90, [RejectionReason.FROM_THE_FUTURE])])
async def test_a_statement_may_be_ahead_of_the_clock_by_the_skew_of_the_program(
    tmp_path: Path, ahead_secs: int, expected: list[RejectionReason]
) -> None:
    """60 s in this deployment; the clock is this machine's."""
    async with staged(tmp_path) as stage:
        stage.hold(stage.mints[0], HELD_RAW)
        stage.books.now_ms = (int(time.time()) + ahead_secs) * 1_000
        assert reasons(await stage.daemon.ask()) == expected


async def test_the_programs_skew_is_what_counts(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.hold(stage.mints[0], HELD_RAW)
        stage.ledger.chain = replace(stage.ledger.chain, config=replace(stage.ledger.chain.config, max_skew_secs=2))
        stage.books.now_ms = (int(time.time()) + 45) * 1_000
        assert reasons(await stage.daemon.ask()) == [RejectionReason.FROM_THE_FUTURE]


@pytest.mark.parametrize(("lifetime_secs", "expected"), [(200, []), (201, [RejectionReason.BAD_EXPIRY])])
async def test_a_statement_may_live_as_long_as_the_settings_say(
    tmp_path: Path, lifetime_secs: int, expected: list[RejectionReason]
) -> None:
    async with staged(tmp_path, policy__max_statement_lifetime_secs=200) as stage:
        stage.hold(stage.mints[0], HELD_RAW)
        # To the second: a statement's expiry is in whole ones.
        stage.books.now_ms = stage.books.now_ms // 1_000 * 1_000 - 10
        stage.books.lifetime_secs = lifetime_secs
        assert reasons(await stage.daemon.ask()) == expected


# ---- bad statements -------------------------------------------------------------------------------------------------


def too_much(stage: Stage, mint: Address) -> Callable[[SignedStatement], SignedStatement]:
    """Of `mint` more is stated than its shares back."""

    def instead(signed: SignedStatement) -> SignedStatement:
        entries = tuple(
            replace(entry, capacity_raw=entry.capacity_raw + 1) if entry.mint == mint else entry
            for entry in signed.statement.entries
        )
        return resigned(replace(signed.statement, entries=entries))

    return instead


async def test_one_bad_entry_does_not_silence_the_others_of_its_statement(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=3) as stage:
        for mint in stage.mints:
            stage.hold(mint, HELD_RAW)
        bad = stage.mints[1]
        stage.books.instead = too_much(stage, bad)
        report = await stage.cycle()
        assert [stage.supply(mint) for mint in stage.mints] == [HELD_RAW, 0, HELD_RAW]
        first, second = stage.books.asked
        assert first == {stage.custodian: (tuple(stage.mints),)}
        assert second == {stage.custodian: ((stage.mints[0], stage.mints[2]),)}
        assert (counted(stage, "rejected"), counted(stage, "verified")) == (1, 1)
        assert bad not in await stage.journal.evidence()
        assert asset_plan_of(report, bad).reason is Reason.AWAITING_FRESH_STATEMENT


async def test_a_statement_that_is_wrong_as_a_whole_is_not_asked_for_again(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=2) as stage:
        for mint in stage.mints:
            stage.hold(mint, HELD_RAW)
        stage.books.instead = lambda signed: replace(signed, signatures=signed.signatures[:1])
        answers = await stage.daemon.ask()
        assert (answers.verified, len(answers.rejected), len(stage.books.asked)) == ((), 1, 1)
        await stage.cycle()
        assert [stage.supply(mint) for mint in stage.mints] == [0, 0]


async def test_an_asset_whose_multiplier_is_about_to_change_is_asked_for_alone(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=3, policy__max_statement_lifetime_secs=3_600) as stage:
        soon, later, none = stage.mints
        now_ts = stage.ledger.chain.now_ts
        for mint, effective_ts in ((soon, now_ts + 3_599), (later, now_ts + 3_600)):
            stage.ledger.change(mint, multiplier_effective_ts=effective_ts, pending_multiplier_bits=0x4000000000000000)
        await stage.daemon.ask()
        assert stage.books.asked == [{stage.custodian: (tuple(sorted((later, none))), (soon,))}]


@pytest.mark.parametrize("why", ["not in the settings", "not attached", "retired"])
async def test_only_custodians_that_count_are_asked(tmp_path: Path, why: str) -> None:
    async with staged(tmp_path, custodians=2) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        second = next(address for address, number in stage.runtime.custodians.items() if number == 2)
        changes: dict[str, Any] = {}
        if why == "not in the settings":
            del stage.runtime.custodians[second]
        elif why == "not attached":
            changes = {"entries": stage.view(mint).asset.entries[:1]}
        else:
            retired = replace(stage.ledger.chain.custodians[second], state=CustodianState.RETIRED)
            stage.ledger.chain = replace(
                stage.ledger.chain, custodians={**stage.ledger.chain.custodians, second: retired}
            )
            stage.hold(mint, HELD_RAW, custodian=2)
        stage.ledger.change(mint, **changes)
        stage.restart()
        await stage.cycle()
        if why != "retired":
            assert stage.books.asked == [{stage.custodian: ((mint,),)}]
        else:
            assert counted(stage, "verified") == 1
        assert stage.supply(mint) == HELD_RAW
