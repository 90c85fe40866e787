"""A recovery about to be announced: what its tests share."""

from __future__ import annotations

from dataclasses import dataclass

from solders.instruction import Instruction
from solders.keypair import Keypair

from tests.program.test_freeze import freezing, thawing
from tests.support.deployed import Asset, DeployedProgram
from tests.support.fixtures import single_fixture
from tests.support.live_chain import Call, address_of, call
from xstocks_daemon.chain.program import Recovery
from xstocks_daemon.domain.units import Address

YEAR_SECS = 365 * 86_400

HELD_RAW = 1_000

MINT, SOURCE, DESTINATION, RECOVERY = 4, 5, 6, 7
"""Places of execute_recovery's accounts."""


@dataclass(frozen=True, slots=True)
class Case:
    """A holder with HELD_RAW in its token account, and where compliance would bring it."""

    asset: Asset
    wallet: Keypair
    heir: Keypair

    @property
    def program(self) -> DeployedProgram:
        return self.asset.program

    @property
    def source(self) -> Address:
        return self.asset.token_account(address_of(self.wallet))

    @property
    def destination(self) -> Address:
        return self.asset.token_account(address_of(self.heir))

    def announcement(
        self,
        amount_raw: int = HELD_RAW,
        *,
        delay_secs: int = 0,
        source: Address | None = None,
        destination: Address | None = None,
    ) -> Instruction:
        return self.program.client.announce_recovery(
            compliance=self.program.keys.compliance.address,
            mint=self.asset.mint,
            source=source or self.source,
            destination=destination or self.destination,
            amount_raw=amount_raw,
            delay_secs=delay_secs,
        )

    def announcing(self, amount_raw: int = HELD_RAW, **changes: Address | int) -> Call:
        return self.program.by("compliance", self.announcement(amount_raw, **changes))  # type: ignore[arg-type]

    async def announce(self, amount_raw: int = HELD_RAW, *, delay_secs: int = 0) -> Recovery:
        await self.program.accepted(self.announcing(amount_raw, delay_secs=delay_secs))
        return await self.read()

    async def read(self) -> Recovery:
        address = self.program.addresses.recovery(self.source)
        info = await self.program.chain.account(address)
        return self.program.client.recovery(address, info.data, info.owner)

    def execution(self) -> Instruction:
        keys = self.program.keys
        return self.program.client.execute_recovery(
            compliance=keys.compliance.address,
            admin=keys.admin.address,
            mint=self.asset.mint,
            source=self.source,
            destination=self.destination,
        )

    def by_both(self, instruction: Instruction) -> Call:
        keys = self.program.keys
        return call(instruction, keys.compliance.keypair, keys.admin.keypair)

    def executing(self) -> Call:
        return self.by_both(self.execution())

    def cancelling(self) -> Call:
        guardian = self.program.keys.guardian.address
        return self.program.by("guardian", self.program.client.cancel_recovery(guardian=guardian, source=self.source))

    def acting(self, action: str) -> Call:
        """freeze or thaw of the source by compliance."""
        build = freezing if action == "freeze" else thawing
        return self.program.by("compliance", build(self.program, self.asset, self.source))

    async def balances_raw(self) -> tuple[int, int]:
        return await self.asset.balance_raw(self.source), await self.asset.balance_raw(self.destination)


async def case_of(asset: Asset) -> Case:
    case = Case(asset, await asset.holder(HELD_RAW), Keypair())
    await asset.open_account(address_of(case.heir))
    return case


@single_fixture
async def case(asset: Asset) -> Case:
    """Of the shared program, which is not sealed: a delay may be zero."""
    return await case_of(asset)
