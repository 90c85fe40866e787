"""The daemon's cycle over a chain in memory, a custodian in memory and a real journal: everything a test builds.

This is the one place where the parts of `xstocks_daemon.app` are put together for these tests.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from solders.keypair import Keypair

from tests.app.accounts import ONE_BITS, made_mint
from tests.app.ledger import LOST, Call, Ledger, MemoryEndpoint, MemoryPool, Node, Refusal, Told
from tests.chain.cases import CLIENT
from tests.chain.fake_rpc import GENESIS, QUICK
from tests.custody.builders import AGENT_KEY, CUSTODIAN_KEY, DEFAULT_KEYS, SECOND_AGENT_KEY, signed_by
from tests.domain.builders import POLICY, config, entry, view
from xstocks_daemon.app import checks, daemon
from xstocks_daemon.app.cycle import Cycle, CycleReport
from xstocks_daemon.app.metrics import Metrics
from xstocks_daemon.app.runtime import Runtime
from xstocks_daemon.app.settings import Settings
from xstocks_daemon.chain.addresses import associated_token_address, base58
from xstocks_daemon.chain.lookup_tables import shared_addresses
from xstocks_daemon.chain.reader import ChainReader
from xstocks_daemon.custody.source import CustodyReading, HttpStatementSource, Ripcord, SourceFailure
from xstocks_daemon.domain.decisions import AssetPlan
from xstocks_daemon.domain.intent import AttemptState, Intent, IntentState
from xstocks_daemon.domain.plan_inputs import Halt, Order
from xstocks_daemon.domain.snapshot import (
    AssetView,
    Bucket,
    ChainSnapshot,
    Custodian,
    CustodianState,
    Participant,
    ParticipantState,
)
from xstocks_daemon.domain.statement import SignedStatement, Statement, StatementEntry
from xstocks_daemon.domain.units import Address
from xstocks_daemon.journal import Journal, open_journal
from xstocks_daemon.signing import KeyfileSigner

OPERATOR_KEY = Keypair.from_seed(bytes([40]) * 32)
OPERATOR = Address(bytes(OPERATOR_KEY.pubkey()))
WALLETS = tuple(Address(bytes([70 + number]) * 32) for number in range(3))
NANO_PER_RAW = 10
"""8 decimals and a multiplier of 1: billionths of a share that back one base unit."""
TABLES_OF = 83
"""Assets of one lookup table."""


def custodian_address(number: int) -> Address:
    return CLIENT.addresses.custodian(number)


@dataclass
class Books:
    """A custodian's source that says what the test writes into it. Every reading is 10 ms younger."""

    now_ms: int
    #: What each custodian holds, in base units that it backs.
    held_raw: dict[tuple[Address, Address], int] = field(default_factory=dict)
    seen_raw: dict[tuple[Address, Address], int] = field(default_factory=dict)
    silent: set[Address] = field(default_factory=set)
    ripcords: dict[tuple[Address, Address], str] = field(default_factory=dict)
    asked: list[Mapping[Address, Sequence[Sequence[Address]]]] = field(default_factory=list)
    #: In place of the statement that would be given.
    instead: Callable[[SignedStatement], SignedStatement] = lambda signed: signed
    lifetime_secs: int = 3_000

    async def read(
        self, wanted: Mapping[Address, Sequence[Sequence[Address]]], at_most_nano: Mapping[Address, int] | None = None
    ) -> CustodyReading:
        self.asked.append(wanted)
        self.now_ms += 10
        statements: list[tuple[Address, SignedStatement]] = []
        ripcords: list[Ripcord] = []
        failures: list[SourceFailure] = []
        for custodian, groups in wanted.items():
            for group in groups:
                if custodian in self.silent:
                    failures.append(SourceFailure(custodian, tuple(group), "http://custodian", "no answer"))
                    continue
                ripcords += [
                    Ripcord(custodian, (mint,), words)
                    for mint in group
                    if (words := self.ripcords.get((custodian, mint))) is not None
                ]
                known = [mint for mint in group if (custodian, mint) in self.held_raw]
                if known:
                    statements.append((custodian, self.instead(self.statement(custodian, known))))
        return CustodyReading(tuple(statements), (), tuple(ripcords), tuple(failures))

    def statement(self, custodian: Address, mints: Iterable[Address], **changes: Any) -> SignedStatement:
        entries = tuple(
            StatementEntry(
                mint,
                ONE_BITS,
                self.held_raw[custodian, mint] * NANO_PER_RAW,
                self.held_raw[custodian, mint],
                self.seen_raw.get((custodian, mint), 0),
            )
            for mint in sorted(mints)
        )
        expires_ts = self.now_ms // 1_000 + self.lifetime_secs
        said = Statement(GENESIS, CLIENT.program_id, custodian, 1, self.now_ms, expires_ts, entries)
        return resigned(replace(said, **changes))

    def twice_as_large(self, mint: Address) -> Callable[[SignedStatement], SignedStatement]:
        """Statements of `mint` carry every attester's signature, so that they need a larger transaction."""

        def instead(signed: SignedStatement) -> SignedStatement:
            ours = any(entry.mint == mint for entry in signed.statement.entries)
            keys = (CUSTODIAN_KEY, AGENT_KEY, SECOND_AGENT_KEY)
            return signed_by(signed.statement, *keys) if ours else signed

        return instead


def resigned(statement: Statement) -> SignedStatement:
    return signed_by(statement, CUSTODIAN_KEY, AGENT_KEY)


@dataclass
class Stage:
    """A deployment and one daemon. `mints` ascend as plans list them."""

    ledger: Ledger
    nodes: tuple[Node, ...]
    books: Books
    runtime: Runtime
    metrics: Metrics
    mints: tuple[Address, ...]
    daemon: Cycle
    unjournaled: list[str] = field(default_factory=list)
    told: list[tuple[int, int]] = field(default_factory=list)

    @property
    def journal(self) -> Journal:
        return self.runtime.journal

    @property
    def custodian(self) -> Address:
        return custodian_address(1)

    async def cycle(self) -> CycleReport:
        return await self.daemon.run()

    def restart(self, **changes: Any) -> None:
        """A daemon that knows only what the journal has; `changes` of the settings (section__name)."""
        if changes:
            settings = self.runtime.settings
            for name, value in changes.items():
                section, _, field_name = name.partition("__")
                part = getattr(settings, section).model_copy(update={field_name: value}) if field_name else value
                settings = settings.model_copy(update={section: part})
            self.runtime = replace(self.runtime, settings=settings)
        self.daemon = Cycle(self.runtime, self.metrics, lambda *numbers: self.told.append(numbers))

    def hold(self, mint: Address, raw: int, custodian: int = 1) -> None:
        """The custodian's books say so from now on."""
        self.books.held_raw[custodian_address(custodian), mint] = raw

    async def hold_twice(self, mint: Address, raw: int) -> None:
        """A lower number, on chain and said once more: what a burn needs."""
        self.hold(mint, raw)
        await self.daemon.relay_once()
        await self.daemon.relay_once()

    def view(self, mint: Address) -> AssetView:
        return self.ledger.chain.assets[mint]

    def supply(self, mint: Address) -> int:
        return self.view(mint).mint.supply_raw

    def calls(self, *names: str) -> list[Call]:
        """Transactions by the order of their first sending."""
        return [call for call in self.ledger.calls if not names or call.name in names]

    def journaled(self, call: Call) -> bool:
        return journaled(self.runtime.settings.journal.path, call)

    async def halt_of(self, mint: Address) -> Halt | None:
        return (await self.journal.expected(mint)).halt

    async def attempts(self, mint: Address, sequence: int = 0) -> list[AttemptState]:
        return [record.state for record, _ in await self.journal.all_attempts_for(mint, sequence)]

    async def proofs(self, mint: Address, sequence: int = 0) -> list[str]:
        records = await self.journal.all_attempts_for(mint, sequence)
        return [str(record.evidence.get("proof", "")) for record, _ in records]

    async def intents(self, mint: Address) -> list[tuple[IntentState, str]]:
        """State and note, oldest first."""
        records = await self.journal.intents(mint=mint, limit=1_000)
        return [(record.state, record.note) for record in reversed(records)]

    async def order(
        self, number: int, mint: Address, raw: int, wallet: Address = WALLETS[0], destination: bytes = b""
    ) -> Order:
        receiver = Address(destination) if destination else associated_token_address(wallet, mint)
        order = Order(number.to_bytes(16, "big"), mint, raw, wallet, receiver)
        await self.journal.place_order(order, "a person")
        return order

    def lose(self, *names: str) -> None:
        """Transactions of these instructions reach no node's ledger."""
        self.ledger.fate = lambda call: LOST if call.name in names else None

    def refuse(self, name: str, refusal: Refusal, *, mint: Address | None = None, simulated: bool = True) -> None:
        """An instruction fails so (of `mint` only), in the simulation or only on chain."""

        def told(call: Call) -> Told:
            return refusal if call.name == name and (mint is None or mint in call.mints) else None

        if simulated:
            self.ledger.simulated = told
        else:
            self.ledger.fate = told

    def hide(self, name: str) -> None:
        """Transactions of this instruction execute, and no node says so."""

        def executed(call: Call) -> None:
            for node in self.nodes if call.name == name else ():
                node.hidden.add(call.signature)

        self.ledger.executed = executed

    def accept(self) -> None:
        self.ledger.fate = self.ledger.simulated = lambda call: None
        self.ledger.executed = lambda call: None

    def bury(self) -> None:
        """Enough blocks for every transaction of before to be dead."""
        self.ledger.pass_blocks(1_000)

    def foreign(self, mint: Address, kind: Any, amount_raw: int, sequence: int | None = None) -> Intent:
        """An intent of this number that is none of the journal's, executed now."""
        asset = self.view(mint).asset
        intent = Intent(kind, mint, asset.sequence if sequence is None else sequence, amount_raw, asset.vault)
        wanted = intent.intent_hash(GENESIS, CLIENT.program_id)
        self.ledger.chain = self.ledger.after(Call("", b"", kind.name.lower(), (mint,), ((intent, wanted),)))
        return intent


def asset_plan_of(report: CycleReport, mint: Address) -> AssetPlan:
    (found,) = [line for line in report.plan.assets if line.mint == mint]
    return found


def settings_of(folder: Path, mints: Sequence[Address], custodians: int, endpoints: int, **changes: Any) -> Settings:
    """`changes`: section__name or name."""
    values: dict[str, Any] = {
        "program_id": base58(CLIENT.program_id),
        "live": True,
        "assets": [base58(mint) for mint in mints],
        "cluster": {
            "rpc_urls": [f"http://node-{number}" for number in range(endpoints)],
            "genesis_hash": base58(GENESIS),
            "single_endpoint": endpoints == 1,
        },
        "operator": {"key_file": str(folder / "operator.json")},
        "journal": {"path": str(folder / "journal.sqlite")},
        "custodians": [
            {"id": number, "url": f"http://custodian-{number}", "token": "x"} for number in range(1, custodians + 1)
        ],
        "timing": {"poll_secs": 0.001, "confirmation_timeout_secs": 0.003, "quarantine_secs": 3_600},
        "policy": {"burn_approval_bps": 10_000},
    }
    for name, value in changes.items():
        section, _, field_name = name.partition("__")
        values[section] = {**values[section], field_name: value} if field_name else value
    return Settings(**values)


def _chain(mints: Sequence[Address], custodians: int, now_ts: int) -> ChainSnapshot:
    addresses = [custodian_address(number) for number in range(1, custodians + 1)]

    def asset(mint: Address) -> AssetView:
        entries = [
            entry(address, 0, withdrawn=True, observed_ms=1_000, expires_ts=0, multiplier_bits=ONE_BITS)
            for address in addresses
        ]
        return view(
            mint,
            entries,
            address=CLIENT.addresses.asset(mint),
            vault=CLIENT.addresses.vault(mint),
            redemption_vault=CLIENT.addresses.redemption_vault(mint),
            multiplier_bits=ONE_BITS,
            policy=POLICY,
            mint_bucket=Bucket(0, now_ts - 100),
            distribute_bucket=Bucket(0, now_ts - 100),
            burn_bucket=Bucket(0, now_ts - 100),
        )

    return ChainSnapshot(
        slot=0,
        now_ts=now_ts,
        genesis_hash=GENESIS,
        program_id=CLIENT.program_id,
        config=config(genesis_hash=GENESIS, operator=OPERATOR),
        custodians={
            address: Custodian(address, number, CustodianState.ACTIVE, 1, 2, DEFAULT_KEYS, "Alpaca")
            for number, address in enumerate(addresses, 1)
        },
        assets={mint: asset(mint) for mint in mints},
        participants={wallet: Participant(wallet, wallet, ParticipantState.ACTIVE, "CH", 2**40) for wallet in WALLETS},
    )


def _tables(mints: Sequence[Address], custodians: Iterable[Address], size: int) -> dict[Address, list[Address]]:
    """Whole tables, as an earlier run of the daemon has made them."""
    shared = shared_addresses(CLIENT, custodians)
    return {
        Address(bytes([200, number]) * 16): [
            *shared,
            *(address for mint in mints[start : start + size] for address in CLIENT.asset_accounts(mint)),
        ]
        for number, start in enumerate(range(0, len(mints), size))
    }


#: An empty journal's file: its schema is made once for all tests.
_EMPTY_JOURNAL: list[bytes] = []


async def _opened(path: Path) -> Journal:
    if not _EMPTY_JOURNAL:
        await (await open_journal(path, GENESIS, CLIENT.program_id)).close()
    _copy(path)
    return await open_journal(path, GENESIS, CLIENT.program_id)


def _copy(path: Path) -> None:
    if not _EMPTY_JOURNAL:
        _EMPTY_JOURNAL.append(path.read_bytes())
    path.write_bytes(_EMPTY_JOURNAL[0])


def journaled(path: Path, call: Call) -> bool:
    """Whether the journal's file has the transaction by now: as an attempt with its very bytes, or by its signature."""
    with closing(sqlite3.connect(path)) as file:
        (attempts,) = file.execute("SELECT count(*) FROM attempts WHERE wire = ?", (call.wire,)).fetchone()
        (events,) = file.execute("SELECT count(*) FROM events WHERE instr(detail, ?) > 0", (call.signature,)).fetchone()
    return bool(attempts + events)


@asynccontextmanager
async def staged(
    folder: Path,
    *,
    assets: int = 1,
    custodians: int = 1,
    endpoints: int = 2,
    table_size: int = TABLES_OF,
    tables: bool = True,
    **changes: Any,
) -> AsyncIterator[Stage]:
    """A deployment where nothing is minted and every custodian's books are empty, and a daemon with the lease.

    At the end: nothing was ever sent that was not in the journal by then (M11).
    """
    now_ts = int(time.time())
    mints = tuple(sorted(made_mint(number) for number in range(assets)))
    chain = _chain(mints, custodians, now_ts)
    ledger = Ledger(chain, _tables(mints, chain.custodians, table_size) if tables else {})
    nodes = tuple(Node(genesis_hash=GENESIS, ledger=ledger) for _ in range(endpoints))
    settings = settings_of(folder, mints, custodians, endpoints, **changes)
    journal = await _opened(settings.journal.path)
    unjournaled: list[str] = []

    def check_journaled(call: Call) -> None:
        if not journaled(settings.journal.path, call):
            unjournaled.append(f"{call.name} {call.signature}")

    ledger.first_send = check_journaled
    async with aiohttp.ClientSession() as session:
        endpoints_made = []
        for number, node in enumerate(nodes):
            endpoint = MemoryEndpoint(f"http://node-{number}", session, QUICK)
            endpoint.node = node
            endpoints_made.append(endpoint)
        pool = MemoryPool(endpoints_made)
        books = Books(now_ts * 1_000 - 100_000)
        runtime = Runtime(
            settings=settings,
            client=CLIENT,
            pool=pool,
            reader=ChainReader(pool, CLIENT, single_endpoint=settings.cluster.single_endpoint),
            journal=journal,
            source=cast(HttpStatementSource, books),
            custodians={custodian_address(number): number for number in range(1, custodians + 1)},
            signer=KeyfileSigner(OPERATOR_KEY),
        )
        try:
            await journal.acquire_lease("tests", 3_600_000)
            metrics = Metrics(runtime.custodians.values())
            stage = Stage(ledger, nodes, books, runtime, metrics, mints, Cycle(runtime, metrics), unjournaled)
            yield stage
        finally:
            await journal.close()
    assert unjournaled == [], "sent before it was in the journal"


async def open_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command opens from its settings is the stage; the lease is free for it."""

    @asynccontextmanager
    async def opened(settings: Settings) -> AsyncIterator[Runtime]:
        yield replace(stage.runtime, settings=settings)

    for module in (daemon, checks):
        monkeypatch.setattr(module, "open_runtime", opened)
    await stage.journal.release_lease()


async def run(stage: Stage, monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
    """`run_daemon` on the stage."""
    await open_on(stage, monkeypatch)
    async with asyncio.timeout(60):
        await daemon.run_daemon(stage.runtime.settings, **options)
