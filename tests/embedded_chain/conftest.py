"""One embedded chain for the tests of a file, whose slots are advanced by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from localnet.harness.chains import Chain, chain_process
from tests.embedded_chain.scenario import SYSTEM_PROGRAM
from tests.embedded_chain.transactions import LAG, PAYER, RECEIVER, SOL


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[Chain]:
    async with chain_process("embedded", manual_slots=True, finalized_lag=LAG) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def chain(shared: Chain) -> Chain:
    """The module's one chain, with the payer rich and the receiver absent at every commitment."""
    for pubkey, lamports in ((PAYER.pubkey(), 100 * SOL), (RECEIVER, 0)):
        account = {"lamports": lamports, "owner": str(SYSTEM_PROGRAM)}
        await shared.call("localnet_setAccount", [str(pubkey), account])
    await shared.advance_slots(LAG)
    return shared
