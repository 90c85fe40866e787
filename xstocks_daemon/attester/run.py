"""One sidecar as a process: settings in, a server until a signal or its caller stops it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog
from aiohttp import web

from xstocks_daemon import clock
from xstocks_daemon.aio import run_until, stop_on_signals
from xstocks_daemon.attester.books_file import BooksFile
from xstocks_daemon.attester.chain_view import CachedChainView, ChainView
from xstocks_daemon.attester.operations import custodian_address, open_chain_view
from xstocks_daemon.attester.peers import HttpPeer
from xstocks_daemon.attester.proposer import Proposer
from xstocks_daemon.attester.server import STOP_GRACE_SECS, AttesterServer, ServerSettings
from xstocks_daemon.attester.settings import AttesterSettings, load_token
from xstocks_daemon.attester.signer import SignerLimits, StatementSigner
from xstocks_daemon.attester.store import SignedStore
from xstocks_daemon.attester.submitter import ChainSubmitter, LoweringSubmitter, StatementSubmitter
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import ChainError, RpcError
from xstocks_daemon.chain.program import ProgramClient
from xstocks_daemon.chain.rpc import RpcPool
from xstocks_daemon.custody.http import HttpTarget
from xstocks_daemon.domain.units import Address
from xstocks_daemon.errors import user_error
from xstocks_daemon.http import http_session
from xstocks_daemon.signing import load_keypair

_log = structlog.get_logger("xstocks.attester")


@dataclass(frozen=True, slots=True)
class RunningAttester:
    """A sidecar that serves. `url` is where."""

    url: str
    signer: StatementSigner
    proposer: Proposer
    lower: LoweringSubmitter | None
    proposes_for: tuple[Address, ...]


async def run_attester(settings: AttesterSettings, stop: asyncio.Event | None = None) -> None:
    """Serve until `stop` is set; without one, until SIGTERM or SIGINT. Requests under way may
    finish within STOP_GRACE_SECS.

    UserError for settings that cannot be served.
    """
    stopped = stop or stop_on_signals()
    async with RpcPool(settings.rpc_urls) as pool:
        await check_cluster(settings, pool)
        submitter = _chain_submitter(settings, pool)
        async with serve_attester(settings, open_chain_view(settings, pool), submitter=submitter) as running:
            _log.info("attester serves", url=running.url, key=base58(running.signer.address))
            work = {"lowering": running.lower.run(running.proposes_for)} if running.lower else {}
            await run_until(stopped, work, _task_failed)
    _log.info("attester stopped")


def _task_failed(name: str, error: Exception) -> None:
    _log.critical("task_failed", task=name, kind=type(error).__name__, reason=str(error))


async def check_cluster(settings: AttesterSettings, pool: RpcPool) -> None:
    """UserError unless every endpoint serves the cluster of the settings."""
    try:
        await pool.check_cluster(settings.genesis_hash)
    except RpcError as error:
        raise user_error("rpc_urls", error.url, f"it does not answer: {error.reason}") from None
    except ChainError as error:
        raise user_error("genesis_hash", base58(settings.genesis_hash), str(error)) from None


def _chain_submitter(settings: AttesterSettings, pool: RpcPool) -> StatementSubmitter | None:
    if settings.fee_payer_file is None:
        return None
    fee_payer = load_keypair(settings.fee_payer_file, "fee_payer_file")
    return ChainSubmitter(pool, ProgramClient(settings.program_id), fee_payer)


@asynccontextmanager
async def serve_attester(
    settings: AttesterSettings,
    chain_view: ChainView,
    *,
    submitter: StatementSubmitter | None = None,
    now_ms: Callable[[], int] = clock.now_ms,
    stop_grace_secs: float = STOP_GRACE_SECS,
) -> AsyncIterator[RunningAttester]:
    """A serving sidecar over any chain port. Blocking start-up work is small files only."""
    monotonic = asyncio.get_running_loop().time
    cached = CachedChainView(chain_view, monotonic)
    async with AsyncExitStack() as stack:
        worker = stack.enter_context(ThreadPoolExecutor(max_workers=1, thread_name_prefix="attester"))
        store = stack.enter_context(SignedStore(settings.store_file))
        session = await stack.enter_async_context(http_session())
        books = {custodian_address(settings, one): BooksFile(one.books_file, one.id) for one in settings.custodians}
        for books_file in books.values():
            books_file.load()  # broken books are said at start
        signer = StatementSigner(
            load_keypair(settings.key_file, "key_file"),
            settings.genesis_hash,
            settings.program_id,
            books,
            store,
            cached,
            SignerLimits(settings.lifetime_secs, settings.max_skew_ms, settings.max_proposal_age_ms),
            now_ms,
            worker,
        )
        peers = {
            custodian_address(settings, one): [
                HttpPeer(HttpTarget(peer.url, load_token(peer.token_file, "peers.token_file")), session, monotonic)
                for peer in one.peers
            ]
            for one in settings.custodians
        }
        proposer = Proposer(signer, cached, peers)
        proposes_for = tuple(custodian for custodian, listed in peers.items() if listed)
        lower = (
            LoweringSubmitter(signer, proposer, cached, submitter, monotonic) if submitter and proposes_for else None
        )
        if proposes_for and lower is None:
            _log.warning("lower statements are not submitted by this sidecar: no fee_payer_file is set")
        tokens = [load_token(path, "token_files") for path in settings.token_files]
        server = AttesterServer(
            signer, proposer, ServerSettings(tokens, settings.request_timeout_secs, lower is not None, stop_grace_secs)
        )
        runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=STOP_GRACE_SECS)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, settings.listen_host, settings.listen_port)
        try:
            await site.start()
        except OSError as error:
            raise user_error("listen", settings.listen, f"it cannot be used: {error.strerror}") from None
        yield RunningAttester(_url_of(runner), signer, proposer, lower, proposes_for)


def _url_of(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
