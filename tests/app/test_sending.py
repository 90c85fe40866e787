"""What is sent, in which order and in which batches; which entry is quarantined, and what stops nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.builders import WALLETS, asset_plan_of, staged
from tests.app.ledger import Call, Refusal, Told, used_tables
from xstocks_daemon.chain.errors import TransactionFailed
from xstocks_daemon.domain.decisions import Reason
from xstocks_daemon.domain.intent import AttemptState, IntentState
from xstocks_daemon.domain.snapshot import Scope

DONE, DROPPED, PENDING = IntentState.DONE, IntentState.DROPPED, IntentState.PENDING
HELD_RAW = 500
TOKEN_ACCOUNTS = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"


async def test_burns_go_before_distributions_and_those_before_mints(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=3) as stage:
        # The mint that is made last is of the first asset: their own order would be the other way round.
        minted, distributed, burnt = stage.mints
        for mint in (distributed, burnt):
            stage.hold(mint, HELD_RAW)
        await stage.cycle()
        await stage.hold_twice(burnt, 300)
        await stage.order(1, distributed, 40)
        stage.hold(minted, HELD_RAW)
        before = len(stage.calls())
        report = await stage.cycle()
        assert [(call.name, call.mints) for call in stage.calls()[before:] if call.intents] == [
            ("burn", (burnt,)),
            ("distribute", (distributed,)),
            ("mint", (minted,)),
        ]
        assert [stage.supply(mint) for mint in stage.mints] == [HELD_RAW, HELD_RAW, 300]
        assert stage.view(distributed).asset.distributed_raw == 40
        assert len(report.landed) == 3


async def test_each_order_of_a_cycle_has_a_transaction_of_its_own(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=3) as stage:
        for mint in stage.mints:
            stage.hold(mint, HELD_RAW)
        await stage.cycle()
        orders = [await stage.order(number, mint, 10 * number) for number, mint in enumerate(stage.mints, 1)]
        await stage.cycle()
        sent = [intent for call in stage.calls("distribute") for intent, _ in call.intents]
        assert sorted(intent.order_id for intent in sent) == [order.order_id for order in orders]
        assert [stage.view(mint).asset.distributed_raw for mint in stage.mints] == [10, 20, 30]
        assert (await stage.journal.view()).orders == ()


async def test_eighteen_mints_share_a_transaction_and_none_straddles_two_tables(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=23, table_size=20) as stage:
        for mint in stage.mints:
            stage.hold(mint, HELD_RAW)
        await stage.cycle()
        calls = stage.calls("mint")
        assert sorted(len(call.mints) for call in calls) == [2, 3, 18]
        assert [len(used_tables(call)) for call in calls] == [1, 1, 1]
        assert sorted(len(call.mints) for call in stage.calls("submit_attestation")) == [3, 20]
        assert {stage.supply(mint) for mint in stage.mints} == {HELD_RAW}


async def test_the_journal_gives_a_batch_back_in_the_order_of_its_entries(tmp_path: Path) -> None:
    """The index of a failed entry must mean the same after a restart."""
    async with staged(tmp_path, assets=5, custodians=2) as stage:
        # Batches are put together by custodians: their order is not that of the journal.
        for number, mint in enumerate(stage.mints):
            stage.hold(mint, HELD_RAW, custodian=1 + number % 2)
            view = stage.view(mint)
            stage.ledger.change(mint, entries=view.asset.entries[number % 2 :][:1])
        stage.lose("mint")
        await stage.cycle()
        (record,) = await stage.journal.live_attempts()
        mint_of = {one.id: one.intent.mint for one in await stage.journal.live_intents()}
        (call,) = stage.calls("mint")
        assert call.mints == tuple(mint_of[intent_id] for intent_id in record.intent_ids)


# ---- simulated failures ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", [1, None])
async def test_an_entry_that_the_simulation_refuses_is_quarantined_before_anything_is_signed(
    tmp_path: Path, entry: int | None
) -> None:
    """Found by its index, or by bisecting."""
    async with staged(tmp_path, assets=4) as stage:
        for mint in stage.mints:
            stage.hold(mint, HELD_RAW)
        bad = stage.mints[1]

        def told(call: Call) -> Told:
            at = call.mints.index(bad) if call.name == "mint" and bad in call.mints else None
            return None if at is None else Refusal("OnHold", at if entry is not None else None)

        stage.ledger.simulated = told
        report = await stage.cycle()
        assert bad not in {mint for call in stage.calls("mint") for mint in call.mints}
        assert [stage.supply(mint) for mint in stage.mints] == [HELD_RAW, 0, HELD_RAW, HELD_RAW]
        assert len(stage.calls("mint")) == (1 if entry is not None else 2)
        ((state, note),) = await stage.intents(bad)
        assert (state, "OnHold (6201)" in note) == (DROPPED, True)
        known = await stage.journal.expected(bad)
        assert known.quarantine is not None
        assert known.quarantine.reason == note
        assert [event.kind for event in await stage.journal.events(mint=bad)].count("quarantined") == 1
        stage.accept()
        stage.restart()
        report = await stage.cycle()
        assert asset_plan_of(report, bad).reason is Reason.QUARANTINED
        assert [asset_plan_of(report, mint).reason for mint in stage.mints if mint != bad] == [Reason.ON_TARGET] * 3


async def test_an_asset_that_was_quarantined_is_tried_again_after_the_time_of_the_settings(tmp_path: Path) -> None:
    async with staged(tmp_path, timing__quarantine_secs=0.001) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        stage.refuse("mint", Refusal("OnHold", 0))
        await stage.cycle()
        assert (stage.supply(mint), stage.calls("mint")) == (0, [])
        stage.accept()
        await stage.cycle()
        assert stage.supply(mint) == HELD_RAW
        assert [state for state, _ in await stage.intents(mint)] == [DROPPED, DONE]


async def test_a_batch_that_is_too_large_for_a_transaction_goes_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with staged(tmp_path, assets=4) as stage:
        for mint in stage.mints:
            stage.hold(mint, HELD_RAW)
        await stage.daemon.relay_once()
        monkeypatch.setattr("xstocks_daemon.chain.transactions.MAX_TRANSACTION_BYTES", 370)
        await stage.cycle()
        calls = stage.calls("mint")
        assert all(len(call.wire) <= 370 for call in calls)
        assert [len(call.mints) for call in calls] == [2, 2]
        assert {stage.supply(mint) for mint in stage.mints} == {HELD_RAW}


@pytest.mark.parametrize("err", ["InsufficientFundsForFee", "AccountNotFound"])
async def test_a_payer_without_funds_quarantines_no_asset(tmp_path: Path, err: str) -> None:
    async with staged(tmp_path, assets=2) as stage:
        for mint in stage.mints:
            stage.hold(mint, HELD_RAW)
        stage.refuse("mint", Refusal(err=err))
        with pytest.raises(TransactionFailed, match=err):
            await stage.cycle()
        assert stage.calls("mint") == []
        for mint in stage.mints:
            assert (await stage.journal.expected(mint)).quarantine is None
            assert await stage.intents(mint) == [(PENDING, "")]
        stage.accept()
        await stage.cycle()
        assert {stage.supply(mint) for mint in stage.mints} == {HELD_RAW}
        assert [await stage.intents(mint) for mint in stage.mints] == [[(DONE, "")]] * 2


# ---- distributions --------------------------------------------------------------------------------------------------


async def test_a_receiver_that_refuses_keeps_nobody_waiting_but_itself(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        await stage.cycle()
        refused = await stage.order(1, mint, 10, WALLETS[0])
        await stage.order(2, mint, 20, WALLETS[1])

        def told(call: Call) -> Told:
            ours = call.name == "distribute" and call.intents[0][0].order_id == refused.order_id
            return Refusal("DestinationInvalid") if ours else None

        stage.ledger.simulated = told
        await stage.cycle()
        known = await stage.journal.expected(mint)
        assert (known.quarantine, stage.view(mint).asset.distributed_raw) == (None, 0)
        await stage.cycle()
        assert stage.view(mint).asset.distributed_raw == 20
        stage.hold(mint, 2 * HELD_RAW)
        await stage.cycle()
        assert stage.supply(mint) == 2 * HELD_RAW
        assert (await stage.journal.view()).orders == (refused,)
        assert [state for state, _ in await stage.intents(mint)] == [DONE, DROPPED, DONE, DONE]
        # A restart tries it at once.
        stage.accept()
        stage.restart()
        await stage.cycle()
        assert (stage.view(mint).asset.distributed_raw, (await stage.journal.view()).orders) == (30, ())


async def test_a_refused_order_is_tried_again_after_the_time_of_the_settings(tmp_path: Path) -> None:
    async with staged(tmp_path, timing__quarantine_secs=0.001) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        await stage.cycle()
        await stage.order(1, mint, 10)
        stage.refuse("distribute", Refusal("DestinationInvalid"))
        await stage.cycle()
        stage.accept()
        await stage.cycle()
        assert stage.view(mint).asset.distributed_raw == 10


async def test_a_distribution_makes_the_receivers_own_account_and_no_other(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=2) as stage:
        for mint in stage.mints:
            stage.hold(mint, HELD_RAW)
        await stage.cycle()
        own = await stage.order(1, stage.mints[0], 10)
        other = await stage.order(2, stage.mints[1], 10, destination=bytes([9]) * 32)
        await stage.cycle()
        sent = {call.intents[0][0].order_id: call for call in stage.calls("distribute")}
        assert [sent[order.order_id].intents[0][0].destination for order in (own, other)] == [
            own.destination,
            other.destination,
        ]
        assert [sent[order.order_id].programs.count(TOKEN_ACCOUNTS) for order in (own, other)] == [1, 0]


async def test_what_is_paused_meanwhile_is_not_sent_again(tmp_path: Path) -> None:
    """A pending intent that the rules do not want any more is dropped, with its reason."""
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        stage.lose("submit_attestation")
        await stage.cycle()
        assert await stage.intents(mint) == [(PENDING, "")]
        stage.accept()
        stage.ledger.change(mint, paused=Scope.MINT)
        await stage.cycle()
        assert await stage.intents(mint) == [(DROPPED, "no_longer_wanted")]
        assert (stage.calls("mint"), stage.supply(mint)) == ([], 0)


async def test_what_is_still_right_is_sent_again_beside_what_is_new(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=2) as stage:
        first, second = stage.mints
        stage.hold(first, HELD_RAW)
        stage.lose("submit_attestation")
        await stage.cycle()
        assert await stage.intents(first) == [(PENDING, "")]
        stage.accept()
        stage.hold(second, HELD_RAW)
        await stage.cycle()
        assert [stage.supply(mint) for mint in stage.mints] == [HELD_RAW, HELD_RAW]


async def test_everything_is_journaled_at_the_moment_it_is_first_sent(tmp_path: Path) -> None:
    """M11, for attempts, statements and lookup tables; every other test of a stage looks as well."""
    async with staged(tmp_path, tables=False) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        at_sending: list[tuple[str, bool]] = []

        def look(call: Call) -> None:
            at_sending.append((call.name, stage.journaled(call)))

        stage.ledger.first_send = look
        await stage.cycle()
        assert at_sending == [
            ("lookup_table", True),
            ("lookup_table", True),
            ("submit_attestation", True),
            ("mint", True),
        ]
        kinds = [event.kind for event in await stage.journal.events() if "signatures" in event.detail]
        assert kinds == ["statements", "lookup_table", "lookup_table"]
        ((record, _),) = await stage.journal.all_attempts_for(mint, 0)
        assert (record.state, record.attempt.wire) == (AttemptState.LANDED, stage.calls("mint")[0].wire)
        assert not stage.journaled(Call("never sent", b"", "mint", ()))


async def test_a_cycle_that_is_cut_off_signs_nothing_anew(tmp_path: Path) -> None:
    """The intent is committed and the daemon dies before it signs: the next one sends that very intent."""
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        for node in stage.nodes:
            node.refuses = {"getLatestBlockhash"}
            node.silent = {"simulateTransaction"}
        with pytest.raises(Exception, match="no connection"):
            await stage.cycle()
        ((state, _),) = await stage.intents(mint)
        assert state is PENDING
        for node in stage.nodes:
            node.refuses, node.silent = set(), set()
        stage.restart()
        report = await stage.cycle()
        assert asset_plan_of(report, mint).reason is Reason.STILL_RIGHT
        assert (await stage.intents(mint), stage.supply(mint)) == ([(DONE, "")], HELD_RAW)
