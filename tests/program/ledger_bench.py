"""What all examples of the ledger's machine share: one chain, and assets with small limits."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from solders.keypair import Keypair

from tests.program.ledger_model import INITIAL_MINT_RAW, POLICY
from tests.support.deployed import Asset, AssetPool, DeployedProgram

T = TypeVar("T")


@dataclass(slots=True)
class Bench:
    """The chain that all examples share, for code without an event loop."""

    runner: asyncio.Runner
    program: DeployedProgram
    pool: AssetPool
    wallet: Keypair

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)


@dataclass(slots=True)
class SmallPool(AssetPool):
    """Assets with the small limits of this test and an allowance."""

    async def take(self) -> Asset:
        if not self._ready:
            self._ready = await self.program.register(self.batch, policy=POLICY, initial_mint_raw=INITIAL_MINT_RAW)
        return self._ready.pop()
