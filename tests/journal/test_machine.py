"""Random work on one asset, right and wrong, against a model of a few lines: the journal takes what the model takes,
refuses what it refuses, and a restart in between changes nothing."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.journal.builders import GENESIS, MINT, PROGRAM, attempt, burning, minting
from xstocks_daemon.domain.intent import AttemptState, Intent, IntentState
from xstocks_daemon.domain.plan_inputs import Totals
from xstocks_daemon.journal import Journal, JournalConflict, open_journal

NUMBERS = st.integers(0, 3)


class JournalMachine(RuleBasedStateMachine):
    """`live`: the model's live intent; `flying`: the number of its live attempt."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.journal: Journal
        self.totals = Totals()
        self.live: tuple[int, Intent] | None = None
        self.flying: int | None = None
        self.attempts = 0
        self.landed = 0

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run(work)

    def takes(self, work: Coroutine[Any, Any, Any], expected: bool) -> Any:
        """Do it, and see that the journal takes it exactly where the model does."""
        try:
            result = self.run(work)
        except JournalConflict:
            assert not expected
            return None
        assert expected
        return result

    @initialize()
    def start(self) -> None:
        self.run(self.reopen())

    async def reopen(self) -> None:
        self.journal = await open_journal(Path(self.folder.name) / "journal.db", GENESIS, PROGRAM)
        await self.journal.acquire_lease("daemon", 10_000)

    @rule()
    def restart(self) -> None:
        self.run(self.journal.close())
        self.run(self.reopen())

    @rule(ahead=NUMBERS, burn=st.booleans())
    def record(self, ahead: int, burn: bool) -> None:
        sequence = max(0, self.totals.sequence - 1 + ahead)
        intent = burning(sequence, 1) if burn else minting(sequence, 5)
        right = self.live is None and sequence == self.totals.sequence
        recorded = self.takes(self.journal.record_intents([intent]), right)
        if recorded:
            self.live = (recorded[0].id, intent)

    @rule(off=st.sampled_from([0, 0, 0, 1]))
    def send(self, off: int) -> None:
        intent_id = (self.live[0] if self.live else 1) + off
        right = self.live is not None and self.flying is None and off == 0
        self.takes(self.journal.record_attempt(attempt(self.attempts), [intent_id]), right)
        if right:
            self.flying = self.attempts
            self.attempts += 1

    @rule(land=st.booleans(), number=NUMBERS)
    def end(self, land: bool, number: int) -> None:
        which = self.flying if self.flying is not None and number else number
        right = which == self.flying
        ending = self.journal.mark_landed if land else self.journal.mark_dead
        self.takes(ending(attempt(which).signature, {"slot": 1}), right)
        if right:
            self.flying = None
            if land and self.live:
                self.totals, self.live = self.totals.after(self.live[1]), None
                self.landed += 1

    @rule()
    def drop(self) -> None:
        right = self.live is not None and self.flying is None
        self.takes(self.journal.drop_intent(self.live[0] if self.live else 1, "not wanted"), right)
        if right:
            self.live = None

    @invariant()
    def the_journal_says_what_the_model_says(self) -> None:
        known = self.run(self.journal.expected(MINT))
        assert known.totals == self.totals
        assert (known.live and known.live.intent) == (self.live and self.live[1])
        flying = self.run(self.journal.live_attempts())
        assert [one.attempt for one in flying] == ([] if self.flying is None else [attempt(self.flying)])
        if known.live is not None:
            assert (known.live.state is IntentState.SUBMITTED) == (self.flying is not None)
        # M4: a number executes at most once.
        done = [one.intent.sequence for one in self.run(self.journal.intents(state=IntentState.DONE))]
        assert sorted(done) == list(range(self.totals.sequence))
        for sequence in done:
            ends = [one.state for one, _ in self.run(self.journal.all_attempts_for(MINT, sequence))]
            assert ends.count(AttemptState.LANDED) == 1

    def teardown(self) -> None:
        self.run(self.journal.close())
        self.loop.close()
        self.folder.cleanup()


TestJournal = JournalMachine.TestCase
TestJournal.settings = settings(max_examples=6, stateful_step_count=20)
