"""Lower statements reach the chain without the daemon."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from tests.custody.builders import (
    AGENT_KEY,
    CUSTODIAN,
    CUSTODIAN_KEY,
    GENESIS,
    ONE_BITS,
    PROGRAM,
    SECOND_AGENT_KEY,
    asset_view,
    entry_of,
    mint_of,
    signed_by,
)
from tests.custody.fakes import FakeChain
from tests.custody.sidecars import quorum
from xstocks_daemon.attester import books_mark_leaving
from xstocks_daemon.attester import submitter as submitter_module
from xstocks_daemon.attester.submitter import (
    MAX_SUBMITTED_ENTRIES,
    RESUBMIT_SECS,
    ChainSubmitter,
    LoweringSubmitter,
    SubmitFailed,
)
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.program import ProgramClient
from xstocks_daemon.chain.rpc import RpcLimits, RpcPool
from xstocks_daemon.domain.statement import SignedStatement, Statement, StatementEntry

MINTS = tuple(mint_of(number) for number in range(1, 12))
HELD = [(mint, 1_000_000_000) for mint in MINTS]


@dataclass
class FakeSubmitter:
    sent: list[SignedStatement] = field(default_factory=list)

    async def submit(self, signed: SignedStatement) -> str:
        self.sent.append(signed)
        return "1" * 64


def stated_chain() -> FakeChain:
    """Every entry is what HELD says."""
    chain = FakeChain()
    entry = entry_of(withdrawn=False, shares_nano=1_000_000_000, capacity_raw=100_000_000)
    chain.put(*(asset_view(mint, entry) for mint in MINTS))
    return chain


async def test_what_the_books_lower_is_submitted_until_the_chain_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = FakeSubmitter()
    chain = stated_chain()
    async with quorum(tmp_path, HELD, chain=chain, submitter=sender) as world:
        now = [0.0]
        running = world.custodian
        watch = LoweringSubmitter(running.signer, running.proposer, chain, sender, lambda: now[0])
        assert await watch.check(CUSTODIAN) == 0

        books_mark_leaving(world.settings, 1, "S3x", "0.25")
        assert await watch.check(CUSTODIAN) == 1
        (entry,) = sender.sent[0].statement.entries
        assert (entry.mint, entry.shares_nano) == (MINTS[3], 750_000_000)
        assert len(sender.sent[0].signatures) == 2

        now[0] += RESUBMIT_SECS - 1
        assert await watch.check(CUSTODIAN) == 0  # it may still be on its way
        now[0] += 1
        assert await watch.check(CUSTODIAN) == 1  # it was lost
        chain.landed(sender.sent[-1])
        now[0] += RESUBMIT_SECS
        assert await watch.check(CUSTODIAN) == 0
        assert len(sender.sent) == 2


async def test_higher_books_are_left_to_the_daemon(tmp_path: Path) -> None:
    sender = FakeSubmitter()
    async with quorum(
        tmp_path, [(mint, 2_000_000_000) for mint in MINTS], chain=stated_chain(), submitter=sender
    ) as world:
        assert world.custodian.lower is not None
        assert await world.custodian.lower.check(CUSTODIAN) == 0
        assert sender.sent == []


async def test_a_withdrawn_entry_is_not_lowered(tmp_path: Path) -> None:
    """It counts for nothing on chain whatever it says."""
    sender = FakeSubmitter()
    chain = FakeChain()
    said = entry_of(withdrawn=False, shares_nano=1_000_000_000, capacity_raw=100_000_000)
    chain.put(asset_view(MINTS[0], replace(said, withdrawn=True)), asset_view(MINTS[1], said))
    async with quorum(tmp_path, [(mint, 5_000) for mint in MINTS[:2]], chain=chain, submitter=sender) as world:
        assert world.custodian.lower is not None
        assert await world.custodian.lower.check(CUSTODIAN) == 1
    ((entry,),) = (signed.statement.entries for signed in sender.sent)
    assert entry.mint == MINTS[1]


async def test_many_lower_entries_go_in_statements_that_fit_a_transaction(tmp_path: Path) -> None:
    sender = FakeSubmitter()
    async with quorum(tmp_path, [(mint, 5_000) for mint in MINTS], chain=stated_chain(), submitter=sender) as world:
        assert world.custodian.lower is not None
        assert await world.custodian.lower.check(CUSTODIAN) == len(MINTS)
        assert [len(signed.statement.entries) for signed in sender.sent] == [MAX_SUBMITTED_ENTRIES, 3]


async def test_without_a_fee_payer_nothing_is_watched(tmp_path: Path) -> None:
    async with quorum(tmp_path, HELD, chain=stated_chain()) as world:
        assert world.custodian.lower is None


async def test_the_watch_goes_on_after_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Finished(Exception):
        pass

    class FailsOnce(FakeSubmitter):
        failed = False

        async def submit(self, signed: SignedStatement) -> str:
            if not self.failed:
                self.failed = True
                raise SubmitFailed("no connection")
            await super().submit(signed)
            raise Finished

    sender = FailsOnce()
    monkeypatch.setattr(submitter_module, "BOOKS_POLL_SECS", 0)
    async with quorum(tmp_path, [(MINTS[0], 5_000)], chain=stated_chain(), submitter=sender) as world:
        assert world.custodian.lower is not None
        with pytest.raises(Finished):
            await world.custodian.lower.run([CUSTODIAN])
    assert len(sender.sent) == 1


@asynccontextmanager
async def node(sent: list[bytes], *, refuses: bool = False) -> AsyncIterator[str]:
    """A node that gives blockhashes and keeps, or refuses, what it is sent."""

    async def answer(request: web.Request) -> web.Response:
        asked = await request.json()
        said: dict[str, Any]
        if asked["method"] == "getLatestBlockhash":
            latest = {"blockhash": base58(GENESIS), "lastValidBlockHeight": 155}
            said = {"result": {"context": {"slot": 5}, "value": latest}}
        else:
            assert asked["method"] == "sendTransaction"
            sent.append(base64.b64decode(asked["params"][0]))
            if refuses:
                said = {"error": {"code": -32002, "message": "no"}}
            else:
                said = {"result": str(VersionedTransaction.from_bytes(sent[-1]).signatures[0])}
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], **said})

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


PAYER = Keypair.from_seed(bytes([8]) * 32)
LARGEST = signed_by(
    Statement(
        GENESIS,
        PROGRAM,
        CUSTODIAN,
        3,
        1_000,
        100,
        tuple(StatementEntry(mint, ONE_BITS, 5_000, 500, 0) for mint in MINTS[:MAX_SUBMITTED_ENTRIES]),
    ),
    CUSTODIAN_KEY,
    AGENT_KEY,
    SECOND_AGENT_KEY,
)


async def submit(*urls: str) -> str:
    async with RpcPool(urls, RpcLimits(attempts=1)) as pool:
        return await ChainSubmitter(pool, ProgramClient(PROGRAM), PAYER).submit(LARGEST)


async def test_the_largest_statement_fits_a_transaction_and_is_sent_signed() -> None:
    sent: list[bytes] = []
    async with node(sent) as url:
        signature = await submit(url)
    transaction = VersionedTransaction.from_bytes(sent[0])
    assert len(sent[0]) <= 1_232
    assert str(transaction.signatures[0]) == signature
    assert transaction.verify_with_results() == [True]
    called = [transaction.message.account_keys[one.program_id_index] for one in transaction.message.instructions]
    assert called[-1] == Pubkey(PROGRAM), "the statement itself, after its signatures"
    with pytest.raises(SubmitFailed):
        await submit("http://127.0.0.1:9/")


async def test_a_transaction_that_no_node_takes_is_a_failure_and_one_that_a_node_takes_is_none() -> None:
    refused: list[bytes] = []
    taken: list[bytes] = []
    async with node(refused, refuses=True) as first, node(taken) as second:
        with pytest.raises(SubmitFailed, match="no"):
            await submit(first)
        assert (len(refused), taken) == (1, [])
        signature = await submit(first, second)
    assert str(VersionedTransaction.from_bytes(taken[0]).signatures[0]) == signature
