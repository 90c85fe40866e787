"""Statements to the chain: the lower ones first, and no mint on one that is not known to be there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.builders import Stage, asset_plan_of, custodian_address, staged
from tests.app.ledger import LOST, Call, Refusal, Told
from xstocks_daemon.app.lookup_tables import TablesBehind
from xstocks_daemon.chain.errors import ProgramError
from xstocks_daemon.chain.sender import AttemptExpired
from xstocks_daemon.domain.decisions import Reason
from xstocks_daemon.domain.intent import IntentState

HELD_RAW = 500


def relayed(stage: Stage, outcome: str) -> float:
    labels = {"custodian": "1", "outcome": outcome}
    value = stage.metrics.registry.get_sample_value("xstocks_statements_total", labels)
    assert value is not None
    return value


async def test_lower_statements_are_on_chain_before_any_other_is_sent(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=3, table_size=1) as stage:
        for mint in stage.mints:
            stage.hold(mint, HELD_RAW)
        await stage.cycle()
        higher, lower, other = stage.mints
        stage.hold(higher, 2 * HELD_RAW)
        stage.hold(lower, 300)
        stage.hold(other, 2 * HELD_RAW)
        before = len(stage.calls())
        seen_raw: list[int] = []
        stage.ledger.first_send = lambda call: seen_raw.append(stage.view(lower).asset.entries[0].capacity_raw)
        await stage.cycle()
        sent = stage.calls()[before:]
        assert [call.name for call in sent] == ["submit_attestation"] * 3 + ["mint"] * 2
        assert sent[0].mints == (lower,)
        assert seen_raw == [HELD_RAW, 300, 300, 300, 300]
        assert [stage.supply(mint) for mint in stage.mints] == [2 * HELD_RAW, HELD_RAW, 2 * HELD_RAW]


@pytest.mark.parametrize("how", ["refused", "failed", "unseen", "too large"])
async def test_what_is_not_known_to_be_stated_is_not_minted(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement of one of two assets is refused by the simulation, fails in its block, is lost, or cannot be sent;
    the other asset is minted."""
    async with staged(tmp_path, assets=2, table_size=1) as stage:
        bad, good = stage.mints
        for mint in stage.mints:
            stage.hold(mint, HELD_RAW)

        def told(call: Call) -> Told:
            if call.name != "submit_attestation" or bad not in call.mints:
                return None
            return LOST if how == "unseen" else Refusal("QuorumNotMet")

        if how == "refused":
            stage.ledger.simulated = told
        elif how == "too large":
            # The bad one's statement is signed by more than a packet holds.
            stage.books.instead = stage.books.twice_as_large(bad)
            monkeypatch.setattr("xstocks_daemon.chain.transactions.MAX_TRANSACTION_BYTES", 640)
        else:
            stage.ledger.fate = told
        minted: list[tuple[bytes, ...]] = []
        stage.ledger.executed = lambda call: minted.append(call.mints) if call.name == "mint" else None
        report = await stage.cycle()
        assert minted == [(good,)]
        assert [stage.supply(mint) for mint in stage.mints] == [0, HELD_RAW]
        assert [call.mints for call in stage.calls("mint")] == [(good,)]
        assert await stage.intents(bad) == [(IntentState.PENDING, "")]
        assert (relayed(stage, "relayed"), relayed(stage, "refused")) == (1, 1)
        assert report.under_way == 0
        # Once the statement is on chain, the very intent is sent.
        stage.accept()
        monkeypatch.undo()
        report = await stage.cycle()
        assert asset_plan_of(report, bad).reason is Reason.STILL_RIGHT
        assert [stage.supply(mint) for mint in stage.mints] == [HELD_RAW, HELD_RAW]
        assert await stage.intents(bad) == [(IntentState.DONE, "")]


async def test_a_statement_that_somebody_else_brought_has_arrived(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)

        def told(call: Call) -> Told:
            if call.name != "submit_attestation":
                return None
            stage.ledger.chain = stage.ledger.after(call)
            return Refusal("StatementNotNewer")

        stage.ledger.simulated = told
        await stage.cycle()
        assert (stage.calls("submit_attestation"), stage.supply(mint)) == ([], HELD_RAW)
        assert (relayed(stage, "relayed"), relayed(stage, "refused")) == (1, 0)


async def test_of_two_custodians_one_refused_statement_is_enough_not_to_mint(tmp_path: Path) -> None:
    async with staged(tmp_path, custodians=2) as stage:
        (mint,) = stage.mints
        for custodian in (1, 2):
            stage.hold(mint, HELD_RAW, custodian)

        def told(call: Call) -> Told:
            said = call.statement
            return Refusal("QuorumNotMet") if said is not None and said.custodian == custodian_address(2) else None

        stage.ledger.simulated = told
        await stage.cycle()
        assert (stage.calls("mint"), stage.supply(mint)) == ([], 0)
        stage.accept()
        await stage.cycle()
        assert stage.supply(mint) == 2 * HELD_RAW


async def test_a_refused_lower_statement_keeps_back_what_else_it_states(tmp_path: Path) -> None:
    """Though the other custodian's statement, which goes after the lower ones, arrives."""
    async with staged(tmp_path, assets=2, custodians=2) as stage:
        lowered, raised = stage.mints
        for custodian in (1, 2):
            stage.hold(lowered, HELD_RAW, custodian)
        await stage.cycle()
        assert stage.supply(lowered) == 2 * HELD_RAW
        stage.hold(lowered, 300, 1)
        for custodian in (1, 2):
            stage.hold(raised, HELD_RAW, custodian)

        def told(call: Call) -> Told:
            said = call.statement
            return Refusal("QuorumNotMet") if said is not None and said.custodian == custodian_address(1) else None

        stage.ledger.simulated = told
        await stage.cycle()
        assert stage.supply(raised) == 0
        stage.accept()
        await stage.cycle()
        assert stage.supply(raised) == 2 * HELD_RAW


async def test_relaying_once_says_what_is_on_chain_by_it_and_mints_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=2, table_size=1) as stage:
        for mint in stage.mints:
            stage.hold(mint, HELD_RAW)
        stage.refuse("submit_attestation", Refusal("QuorumNotMet"), mint=stage.mints[0])
        answers, count = await stage.daemon.relay_once()
        assert (len(answers.verified), count) == (2, 1)
        stage.accept()
        answers, count = await stage.daemon.relay_once()
        assert (len(answers.verified), count) == (2, 1)
        assert (await stage.daemon.relay_once())[1] == 0
        assert {call.name for call in stage.calls()} == {"submit_attestation"}


# ---- lookup tables --------------------------------------------------------------------------------------------------


async def test_lookup_tables_are_made_once_and_a_node_without_the_search_goes_by_the_journal(tmp_path: Path) -> None:
    async with staged(tmp_path, assets=2, tables=False) as stage:
        for mint in stage.mints:
            stage.hold(mint, HELD_RAW)
        await stage.cycle()
        made = stage.calls("lookup_table")
        assert {stage.supply(mint) for mint in stage.mints} == {HELD_RAW}
        (table,) = await stage.journal.lookup_tables()
        assert (set(table.assets), table.ready) == (set(stage.mints), True)
        searches = stage.nodes[0].count("getProgramAccounts")
        await stage.cycle()
        assert stage.nodes[0].count("getProgramAccounts") == searches
        for node in stage.nodes:
            node.refuses = {"getProgramAccounts"}
        stage.restart()
        await stage.cycle()
        assert stage.calls("lookup_table") == made


async def test_a_node_that_does_not_show_the_tables_yet_is_an_outage_and_nothing_is_minted(tmp_path: Path) -> None:
    async with staged(tmp_path, tables=False) as stage:
        (mint,) = stage.mints
        stage.hold(mint, HELD_RAW)
        stage.nodes[0].shows_tables = False
        with pytest.raises(TablesBehind, match="do not show 1 of their assets"):
            await stage.cycle()
        assert (await stage.journal.lookup_tables(), stage.calls("mint")) == ((), [])
        stage.nodes[0].shows_tables = True
        await stage.cycle()
        assert stage.supply(mint) == HELD_RAW


@pytest.mark.parametrize(("told", "error"), [(LOST, AttemptExpired), (Refusal("Overflow"), ProgramError)])
async def test_a_table_that_cannot_be_made_is_told_by_its_name(
    tmp_path: Path, told: Told, error: type[Exception]
) -> None:
    async with staged(tmp_path, tables=False) as stage:
        stage.hold(stage.mints[0], HELD_RAW)
        stage.ledger.fate = lambda call: told if call.name == "lookup_table" else None
        with pytest.raises(error, match=r"lookup_table: transaction .* was not confirmed in time|Overflow"):
            await stage.cycle()
        assert stage.calls("submit_attestation", "mint") == []
        stage.accept()
        await stage.cycle()
        assert stage.supply(stage.mints[0]) == HELD_RAW
