"""What the tests of sidecars over loopback HTTP share: asking them, their answers, and one that lies."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aiohttp import web
from solders.keypair import Keypair

from tests.custody.builders import (
    AGENT_KEY,
    CUSTODIAN,
    CUSTODIAN_KEY,
    GENESIS,
    PROGRAM,
    TOKEN,
    asset_view,
    make_settings,
    mint_of,
    snapshot_of,
)
from tests.custody.fakes import FakeChain
from xstocks_daemon.attester.books import AssetBook
from xstocks_daemon.attester.books_file import BooksFile
from xstocks_daemon.attester.run import RunningAttester, serve_attester
from xstocks_daemon.attester.settings import AttesterSettings
from xstocks_daemon.attester.submitter import StatementSubmitter
from xstocks_daemon.custody.http import HttpTarget
from xstocks_daemon.custody.source import CustodianEndpoint, CustodyReading, HttpStatementSource, SourceLimits
from xstocks_daemon.custody.verify import SeenStatements, VerifyLimits, verify_statement
from xstocks_daemon.domain.statement import SignedStatement, Statement, StatementEntry
from xstocks_daemon.domain.units import Address, multiplier_bits_of
from xstocks_daemon.http import http_session

MINTS = tuple(mint_of(number) for number in range(1, 4))
HELD = [(mint, 10**9 * (index + 1)) for index, mint in enumerate(MINTS)]
NO_RETRIES = SourceLimits(attempts=1)


async def read(
    url: str,
    *groups: tuple[Address, ...],
    at_most_nano: dict[Address, int] | None = None,
    limits: SourceLimits = NO_RETRIES,
    token: str = TOKEN,
) -> CustodyReading:
    async with http_session() as session:
        source = HttpStatementSource([CustodianEndpoint(CUSTODIAN, HttpTarget(url, token))], session, limits)
        return await source.read({CUSTODIAN: groups}, at_most_nano)


def only_statement(reading: CustodyReading) -> SignedStatement:
    assert reading.failures == ()
    ((custodian, signed),) = reading.statements
    assert custodian == CUSTODIAN
    return signed


def verified(signed: SignedStatement, chain: FakeChain) -> bool:
    verdict = verify_statement(
        signed,
        asked_custodian=CUSTODIAN,
        snapshot=snapshot_of(*chain.views.values(), custodian=chain.custodian),
        seen=SeenStatements(),
        limits=VerifyLimits(max_skew_ms=2_000, max_lifetime_secs=3_600),
        now_ms=time.time_ns() // 1_000_000,
    )
    return verdict.accepted


def shares_of(signed: SignedStatement) -> list[int]:
    return [entry.shares_nano for entry in signed.statement.entries]


def change_book(settings_file: Path, mint: Address, **changes: object) -> None:
    """What an editor does to a books file."""

    def changed(books: object) -> AssetBook:
        book: AssetBook = file.load().assets[mint]
        return replace(book, version=book.version + 1, **changes)  # type: ignore[arg-type]

    file = BooksFile(settings_file, 1)
    file.update(changed)


def reasons(reading: CustodyReading) -> dict[Address, str]:
    return {one.mint: one.reason for one in reading.omitted}


def a_proposal() -> Statement:
    now_ms = time.time_ns() // 1_000_000
    one_bits = multiplier_bits_of("1.0")
    entries = tuple(StatementEntry(mint, one_bits, shares, shares // 10, 0) for mint, shares in HELD)
    return Statement(GENESIS, PROGRAM, CUSTODIAN, 3, now_ms, now_ms // 1_000 + 3_600, entries)


@asynccontextmanager
async def liar(path: str, answer: Callable[[Any], Any], *, status: int = 200) -> AsyncIterator[str]:
    """A server that answers what it likes (`answer` may be awaited for it), with the status it likes."""

    async def handle(request: web.Request) -> web.Response:
        body = answer(await request.json())
        body = await body if inspect.isawaitable(body) else body
        return web.Response(body=body if isinstance(body, bytes) else json.dumps(body).encode(), status=status)

    app = web.Application()
    app.router.add_post(path, handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@dataclass(frozen=True)
class Quorum:
    """The custodian's sidecar and its agents', all over one chain."""

    chain: FakeChain
    custodian: RunningAttester
    agents: tuple[RunningAttester, ...]
    settings: AttesterSettings
    agent_settings: tuple[AttesterSettings, ...]


@asynccontextmanager
async def quorum(
    folder: Path,
    holdings: Sequence[tuple[Address, int]],
    *,
    agent_holdings: Sequence[tuple[Address, int]] | None = None,
    agent_keys: Sequence[Keypair] = (AGENT_KEY,),
    chain: FakeChain | None = None,
    submitter: StatementSubmitter | None = None,
) -> AsyncIterator[Quorum]:
    chain = chain or FakeChain()
    for mint, _ in holdings:
        if mint not in chain.views:
            chain.put(asset_view(mint))
    async with AsyncExitStack() as stack:
        agents, all_settings = [], []
        for index, key in enumerate(agent_keys):
            held = holdings if agent_holdings is None else agent_holdings
            settings = make_settings(folder / f"agent{index}", key, held)
            agents.append(await stack.enter_async_context(serve_attester(settings, chain)))
            all_settings.append(settings)
        settings = make_settings(folder / "custodian", CUSTODIAN_KEY, holdings, [agent.url for agent in agents])
        custodian = await stack.enter_async_context(serve_attester(settings, chain, submitter=submitter))
        yield Quorum(chain, custodian, tuple(agents), settings, tuple(all_settings))
