"""The example lending gate on a chain: loaded beside a sealed program, with assets that have holders."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from localnet.harness.chains import ChainKind
from localnet.harness.deploy import CUSTODIANS, TIMELOCK_SECS
from localnet.harness.paths import ROOT
from tests.support.cluster import TestCluster, cluster
from tests.support.deployed import Asset, DeployedProgram, deploy_program
from tests.support.initialized import OWN_CUSTODIAN
from tests.support.live_chain import Call, LiveChain, address_of, call
from xstocks_daemon.chain.addresses import TOKEN_2022, parse_address, pubkey
from xstocks_daemon.chain.transactions import create_token_account
from xstocks_daemon.domain.units import Address

GATE_SO = ROOT / "programs" / "examples" / "lending_gate" / "deploy" / "lending_gate.so"
GATE = parse_address("EXC1wAFsy7snoZgqnAQKYTHZvqCUKX2N6HE5uPjrWNmY")
"""Where the example is loaded (`lending_gate::ID`)."""
POOL_AUTHORITY = Address(bytes(Pubkey.find_program_address([b"pool"], pubkey(GATE))[0]))
MAX_AGE_SECS = 900
"""`lending_gate::MAX_AGE_SECS`."""
ASSETS = 32
"""More than one run of the tests uses: none can be attached after the seal without the timelock."""


class Refusal(IntEnum):
    """What the gate refuses with: an independent copy of its numbers."""

    InstructionInvalid = 6000
    AccountMissing = 6001
    TooManyCustodians = 6002
    NotSigned = 6003
    NotTokenProgram = 6004
    NotThePool = 6005
    AmountZero = 6006
    NotSealed = 6010
    Released = 6011
    OnHold = 6012
    NoFreshStatement = 6013
    StatementTooOld = 6014
    ReserveShort = 6015
    ConfigWrongOwner = 6100
    ConfigWrongLength = 6101
    AssetWrongOwner = 6200
    AssetWrongLength = 6201
    AssetWrongDiscriminator = 6202
    AssetUnsupportedVersion = 6203
    MintWrongOwner = 6300
    CustodianWrongOwner = 6400
    CustodianWrongLength = 6401
    WrongMint = 6505
    MultiplierOffsetInvalid = 6506
    ForeignCustodian = 6507


@dataclass(frozen=True, slots=True)
class Collateral:
    """An asset with a holder and a pool."""

    market: Market
    asset: Asset
    holder: Keypair
    held_raw: int

    @property
    def source(self) -> Address:
        """The holder's token account."""
        return self.asset.token_account(address_of(self.holder))

    @property
    def pool(self) -> Address:
        """The gate's token account of this mint."""
        return self.asset.token_account(POOL_AUTHORITY)

    def deposit(self, amount_raw: int = 1, *, custodians: Sequence[str] = (OWN_CUSTODIAN,)) -> Call:
        """The holder deposits; `custodians` are the custodians that are passed."""
        program = self.market.program
        metas = [
            AccountMeta(pubkey(address_of(self.holder)), is_signer=True, is_writable=False),
            AccountMeta(pubkey(self.source), is_signer=False, is_writable=True),
            _read(self.asset.mint),
            AccountMeta(pubkey(self.pool), is_signer=False, is_writable=True),
            *map(_read, (TOKEN_2022, program.addresses.config, self.asset.address)),
            *(_read(program.custodian(custodian).address) for custodian in custodians),
        ]
        data = b"\0" + amount_raw.to_bytes(8, "little")
        return call(Instruction(pubkey(GATE), data, metas), self.holder)

    async def pooled_raw(self) -> int:
        """What the pool holds."""
        return await self.asset.balance_raw(self.pool)

    async def accepted(self, amount_raw: int = 1, *, custodians: Sequence[str] = (OWN_CUSTODIAN,)) -> None:
        """A deposit passes, and moves exactly its amount."""
        before = await self.pooled_raw(), await self.asset.balance_raw(self.source)
        await self.market.chain.accepted(self.deposit(amount_raw, custodians=custodians))
        after = await self.pooled_raw(), await self.asset.balance_raw(self.source)
        assert after == (before[0] + amount_raw, before[1] - amount_raw)

    async def refused(self, error: Refusal, sent: Call | None = None) -> None:
        """A deposit (that one, else an ordinary one) is refused with exactly this number; nothing changes."""
        await self.market.refused(sent or self.deposit(), error)


@dataclass(slots=True)
class Market:
    """The gate, the sealed program whose word it takes, and another deployment whose word it must not take."""

    cluster: TestCluster
    program: DeployedProgram
    foreign: DeployedProgram
    third_custodian: str
    """A custodian of its own asset only (`guarded`), whose keys may be changed."""
    guarded: Asset
    _assets: list[Asset] = field(default_factory=list)

    @property
    def chain(self) -> LiveChain:
        """The chain."""
        return self.program.chain

    def unused(self) -> Asset:
        """An asset that no other test has, without a statement."""
        return self._assets.pop()

    async def collateral(
        self, supply_raw: int = 1_000, *, asset: Asset | None = None, custodian: str = OWN_CUSTODIAN
    ) -> Collateral:
        """An asset of which somebody holds all there is, exactly backed by one custodian."""
        asset = asset or self.unused()
        await asset.attest(supply_raw, custodian=custodian)
        await self.program.accepted(await asset.mint_call(supply_raw, custodians=(custodian,)))
        holder = await self.program.participant()
        await asset.open_account(address_of(holder))
        await self.program.accepted(await asset.distribute_call(supply_raw, holder))
        payer = address_of(self.chain.payer)
        await self.chain.accepted(call(create_token_account(payer, POOL_AUTHORITY, asset.mint)))
        return Collateral(self, asset, holder, supply_raw)

    async def refused(self, sent: Call, error: Refusal) -> None:
        """The call's last instruction is refused with exactly this number; no account changes."""
        last = len(sent.instructions) - (sent.limit_units is None)
        await self.chain.fails(sent, {"InstructionError": [last, {"Custom": int(error)}]})


def _read(address: Address) -> AccountMeta:
    return AccountMeta(pubkey(address), is_signer=False, is_writable=False)


@asynccontextmanager
async def market(kind: ChainKind, folder: Path) -> AsyncIterator[Market]:
    """A market on a chain of its own, for as long as the context lasts."""
    async with cluster(kind, folder, spare=1, also={GATE: GATE_SO}) as started:
        program = await deploy_program(started.chain, started.keys, started.client)
        foreign = await started.deploy()
        third = await program.add_custodian()
        [guarded] = await program.register(custodians=(third,))
        assets = await program.register(ASSETS, custodians=CUSTODIANS)
        seal = program.client.seal(admin=program.keys.admin.address, timelock_secs=TIMELOCK_SECS)
        await program.accepted(program.by("admin", seal))
        yield Market(started, program, foreign, third, guarded, assets)
