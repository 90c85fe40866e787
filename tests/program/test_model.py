"""A Python model of one asset's ledger and the real program run the same random instructions and must agree.

After every step: the same error number or none, and the same accounts. The model is written from the rules (design,
section 3), not from the program's code; where several rules are broken at once the order is that of section 4.5.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import (
    run_state_machine_as_test,
)
from solders.keypair import Keypair

from tests.program.ledger_bench import Bench, SmallPool
from tests.program.ledger_machine import LedgerMachine
from tests.support.cluster import cluster
from tests.support.deployed import DeployedProgram, deploy_program
from tests.support.live_chain import LAMPORTS_PER_SOL, address_of

EXAMPLES_SHARE = 5
"""An example here is a whole history on a chain, so only each fifth of the profile's examples is run."""

STEPS = 30


@contextmanager
def started_bench(folder: Path) -> Iterator[Bench]:
    """An embedded chain of its own: Hypothesis runs without an event loop."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def start() -> tuple[DeployedProgram, Keypair]:
            started = await stack.enter_async_context(cluster("embedded", folder))
            program = await deploy_program(started.chain, started.keys, started.client)
            # The clock of this chain runs far ahead before all examples are done.
            wallet = await program.participant(expires_in_secs=100 * 365 * 86_400)
            await program.chain.fund(address_of(wallet), lamports=1_000 * LAMPORTS_PER_SOL)
            return program, wallet

        try:
            program, wallet = runner.run(start())
            yield Bench(runner, program, SmallPool(program), wallet)
        finally:
            runner.run(stack.aclose())


#: What is left away where one thing is to come often: redemptions need tokens with the participant and a fresh entry,
#: changes of the multiplier entries that are worth something.
_LEFT_AWAY = {
    "empty": (),
    "redemptions": (
        "burn",
        "withdraw",
        "attach_or_detach",
        "pause",
        "resume",
        "clear_hold",
        "schedule",
        "cancel_change",
        "corporate_action",
        "set_policy",
        "time_passes",
    ),
    "multipliers": (
        "burn",
        "distribute",
        "withdraw",
        "attach_or_detach",
        "pause",
        "resume",
        "request",
        "settle",
        "give_back",
        "redeem_and_mint",
        "set_policy",
    ),
}


@pytest.mark.early
@pytest.mark.parametrize("beginning", _LEFT_AWAY)
def test_the_program_and_the_model_agree_on_every_account_and_error(tmp_path: Path, beginning: str) -> None:
    with started_bench(tmp_path) as bench:
        left_away = dict.fromkeys(_LEFT_AWAY[beginning])
        machine = type("Machine", (LedgerMachine,), {"bench": bench, "beginning": beginning, **left_away})
        max_examples = settings().max_examples
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=max_examples // EXAMPLES_SHARE,
                stateful_step_count=STEPS,
            ),
        )
