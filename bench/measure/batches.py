"""Batches in v0 transactions with a lookup table: what they take, what fits, and where the units of a mint go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from solders.address_lookup_table_account import AddressLookupTableAccount

from bench.measure.asset_lifecycle import AMOUNT_RAW, CAPACITY_RAW, new_asset
from bench.measure.cost_model import Parts, each_more, parts_each_more, parts_of
from bench.measure.meter import MAX_LOCKS, Meter, Reading, Shape, seeded
from tests.support.deployed import NANO_PER_RAW, Asset, DeployedProgram, supply_call
from tests.support.initialized import OWN_CUSTODIAN
from tests.support.live_chain import Call
from tests.support.tables import lookup_table
from xstocks_daemon.chain.errors import TransactionTooLarge
from xstocks_daemon.domain.intent import IntentKind
from xstocks_daemon.domain.statement import MAX_ENTRIES

MAX_BATCH = 20
"""Entries that the program's mint and burn take at most."""
BATCH = 18
"""Mints or burns of the batch that `*_each_more` is taken from."""
PRESENT_CUSTODIANS = 3
"""In the batch of the design: an asset has one custodian here, but a batch may have to pass those of others too."""
SHARES_NANO = CAPACITY_RAW * NANO_PER_RAW
_SHOWN = (1, 2, 5, 10, BATCH)

Build = Callable[[int], Awaitable[Call]]
"""A transaction of so many entries."""


@dataclass(frozen=True, slots=True)
class Row:
    """A batch that was executed. `name`: its instruction, and what is special."""

    name: str
    entries: int
    shape: Shape
    reading: Reading


@dataclass(frozen=True, slots=True)
class Batches:
    """What was found: rows by name and entries, what fits a transaction by name, and where a mint's units go."""

    rows: Mapping[tuple[str, int], Row]
    most: Mapping[str, int]
    one_mint: Parts
    each_more_mint: Parts


async def measure_batches(meter: Meter, program: DeployedProgram) -> Batches:
    """All rows, and the figures that follow from them."""
    run = await _Run.start(meter, program)
    rows: dict[tuple[str, int], Row] = {}
    most: dict[str, int] = {}
    for name, (build, at_most) in run.kinds().items():
        most[name] = await run.most(build, at_most)
        for entries in sorted({*_SHOWN, most[name]}):
            sent = await build(entries)
            rows[name, entries] = Row(name, entries, meter.shape(sent), await meter.read(sent))

    def pair(name: str, entries: int) -> tuple[Reading, Reading]:
        return rows[name, 1].reading, rows[name, entries].reading

    for name in ("mint", "burn"):
        one, together = pair(name, BATCH)
        meter.note(f"{name}_each_more", each_more(one.units, together.units, BATCH))
        meter.note(f"{name}_token_2022", one.token_units)
        meter.note(f"{name}_each_more_token_2022", each_more(one.token_units, together.token_units, BATCH))
    one, together = pair("submit_attestation", MAX_ENTRIES)
    meter.note("submit_attestation_first", one.units)
    meter.note("submit_attestation_each_more", each_more(one.units, together.units, MAX_ENTRIES))
    await run.changed_shares()
    await run.single_mints()
    account_bytes = await run.account_bytes()
    one, together = pair("mint", BATCH)
    of_one, of_all = parts_of(one, 1, account_bytes), parts_of(together, BATCH, account_bytes)
    return Batches(rows, most, of_one, parts_each_more(of_one, of_all, BATCH))


@dataclass(frozen=True, slots=True)
class _Run:
    meter: Meter
    program: DeployedProgram
    assets: Sequence[Asset]
    custodians: Sequence[str]
    """The custodians; every asset has the first one, OWN_CUSTODIAN."""
    tables: tuple[AddressLookupTableAccount, ...]

    @classmethod
    async def start(cls, meter: Meter, program: DeployedProgram) -> _Run:
        await program.add_custodian(attesters=[seeded(f"third custodian, attester {party}") for party in range(3)])
        custodians = tuple(program.deployment.custodians)[:PRESENT_CUSTODIANS]
        keys = [seeded(f"mint {index}") for index in range(MAX_ENTRIES)]
        assets = await program.register(mint_keys=keys, custodians=(OWN_CUSTODIAN,))
        table = await lookup_table(program, [asset.mint for asset in assets], custodians)
        return cls(meter, program, assets, custodians, (table,))

    def kinds(self) -> dict[str, tuple[Build, int]]:
        """What is batched, statements first: mints need them, and burns need mints."""
        return {
            "submit_attestation": (self.attest, MAX_ENTRIES),
            "mint": (partial(self.change, IntentKind.MINT, self.custodians[:1]), MAX_BATCH),
            f"mint_{PRESENT_CUSTODIANS}_custodians": (
                partial(self.change, IntentKind.MINT, self.custodians),
                MAX_BATCH,
            ),
            "burn": (partial(self.change, IntentKind.BURN, self.custodians[:1]), MAX_BATCH),
        }

    async def attest(self, count: int, shares_nano: int = SHARES_NANO) -> Call:
        """A statement of the first `count` assets, two signatures."""
        statement = await self.program.statement(dict.fromkeys(self.assets[:count], shares_nano))
        return self.program.relay(statement).but(tables=self.tables)

    async def change(self, kind: IntentKind, custodians: Sequence[str], count: int) -> Call:
        """Mints or burns of the first `count` assets, these custodians passed."""
        entries = [(asset, AMOUNT_RAW) for asset in self.assets[:count]]
        sent = await supply_call(self.program, kind, entries, custodians=custodians)
        return sent.but(tables=self.tables, payer=self.program.keys.operator.keypair)

    async def most(self, build: Build, at_most: int) -> int:
        """How many entries fit a packet and mainnet's account locks, and then really execute."""
        for count in range(at_most, 0, -1):
            sent = await build(count)
            try:
                fits = self.meter.shape(sent).locks <= MAX_LOCKS
            except TransactionTooLarge:
                fits = False
            if fits:
                await self.meter.read(sent)
                return count
        raise AssertionError("not even one entry fits")

    async def changed_shares(self) -> None:
        """Statements with other shares than before: capacity and bounds are computed then."""
        one, together = [
            await self.meter.read(await self.attest(count, SHARES_NANO + NANO_PER_RAW * count))
            for count in (1, MAX_ENTRIES)
        ]
        more = each_more(one.units, together.units, MAX_ENTRIES)
        self.meter.note("submit_attestation_each_more_changed", more)

    async def single_mints(self) -> None:
        """One mint of assets that are not like the others."""
        as_real = await new_asset(self.program, "in the real order", as_real=True)
        several = await new_asset(self.program, "of several custodians", custodians=self.custodians)
        for figure, asset, custodians in (
            ("mint_adopted", as_real, self.custodians[:1]),
            (f"mint_{PRESENT_CUSTODIANS}_entries", several, self.custodians),
        ):
            for custodian in custodians:
                await asset.attest(CAPACITY_RAW, custodian=custodian)
            # The first one of an asset finds an empty bucket; measured is one like any other.
            await self.program.accepted(await asset.mint_call(AMOUNT_RAW, custodians=custodians))
            await self.meter.measure(figure, await asset.mint_call(AMOUNT_RAW, custodians=custodians))

    async def account_bytes(self) -> list[int]:
        """Sizes of an asset's accounts: asset, mint, vault."""
        found = [await self.program.chain.account(address) for address in self.assets[0].accounts]
        return [len(each.data) for each in found]
