"""A whole localnet as one object: chain, program with a catalogue, custodians, and daemons started at will.

The demo, `./localnet.sh up` and the end-to-end tests all stand on it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from localnet.catalogue.reader import CatalogueAsset
from localnet.harness.chains import Chain, ChainKind, UpgradeableProgram, chain_process
from localnet.harness.custody import CustodySide, custody_side
from localnet.harness.deploy import Deployment, deploy, generate_keys
from localnet.harness.paths import PROGRAM_SO, XSTOCKS
from localnet.harness.processes import Child, Launch, child, execute
from localnet.harness.wait import until
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.program import ProgramClient
from xstocks_daemon.chain.reader import ChainReader
from xstocks_daemon.chain.rpc import RpcEndpoint, RpcPool

CYCLE_SECS = 0.5
EMBEDDED_SLOT_MS = 50
"""The embedded chain's slots in the demo: eight times as quick as mainnet's, so that a day fits into a minute."""
EMBEDDED_FINALIZED_LAG = 4
VALIDATOR_SLOT_MS = 100


@dataclass(frozen=True, slots=True)
class World:
    """A running localnet: its chain, deployment, custodians, and the folder with keys, settings and logs."""

    folder: Path
    chain: Chain
    rpc: RpcEndpoint
    reader: ChainReader
    deployment: Deployment
    custody: CustodySide
    settings_path: Path
    launch: Launch = execute

    @property
    def client(self) -> ProgramClient:
        """The program's client."""
        return self.deployment.client

    def daemon(
        self, arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[Child]:
        """The daemon in live mode, as a child process logging to logs/daemon.log."""
        log_path = self.folder / "logs" / "daemon.log"
        return child("daemon", self.xstocks("run", *arguments), log_path, environment, self.launch)

    def xstocks(self, *arguments: str) -> list[str]:
        """The command line of an `xstocks` command with this localnet's settings."""
        return [str(XSTOCKS), *arguments, "--config", str(self.settings_path)]


@dataclass(frozen=True, slots=True)
class WorldProgress:
    """What to call as the start goes on: with the running chain, the transactions confirmed, and the deployment."""

    chain_ready: Callable[[Chain], None] = lambda _chain: None
    registered: Callable[[int], None] = lambda _transactions: None
    deployed: Callable[[Deployment], None] = lambda _deployment: None


MoreOnChain = Callable[[Chain, RpcEndpoint, Deployment], Awaitable[Deployment]]
"""Puts more on a chain whose program is not sealed yet; gives all that stands there then."""


@asynccontextmanager
async def world(
    kind: ChainKind,
    rows: Sequence[CatalogueAsset],
    folder: Path,
    *,
    more: MoreOnChain | None = None,
    progress: WorldProgress | None = None,
    validator_bin: Path | None = None,
    slot_ms: int | None = None,
    rpc_port: int = 0,
    launch: Launch = execute,
) -> AsyncIterator[World]:
    """A localnet with `rows` registered and attested but nothing minted yet; ends with the context.

    `launch` starts its sidecars and daemons.
    The program is sealed, or left to `more`, which comes before the custodians' books are written.
    Raises ChainStartError, TransactionRefused, RpcError, ProcessError where a part does not start.
    """
    progress = progress or WorldProgress()
    keys = generate_keys(folder / "keys")
    client = ProgramClient()
    program = UpgradeableProgram(base58(client.program_id), PROGRAM_SO, base58(keys.upgrade_authority.address))
    if slot_ms is None:
        slot_ms = EMBEDDED_SLOT_MS if kind == "embedded" else VALIDATOR_SLOT_MS
    async with (
        chain_process(
            kind,
            programs=[program],
            slot_ms=slot_ms,
            finalized_lag=EMBEDDED_FINALIZED_LAG,
            rpc_port=rpc_port,
            validator_bin=validator_bin,
            work_dir=folder / "chain",
        ) as chain,
        RpcPool([chain.rpc_url]) as pool,
    ):
        progress.chain_ready(chain)
        rpc = pool.endpoints[0]
        deployment = await deploy(rpc, keys, rows, client=client, progress=progress.registered, seal=more is None)
        if more is not None:
            deployment = await more(chain, rpc, deployment)
        progress.deployed(deployment)
        async with custody_side(deployment, chain.rpc_url, folder, launch) as custody:
            settings_path = folder / "settings" / "daemon.toml"
            settings_path.write_text(_settings(chain, deployment, custody, folder), encoding="utf-8")
            reader = ChainReader(pool, client, single_endpoint=True)
            await _finalized(rpc)
            yield World(folder, chain, rpc, reader, deployment, custody, settings_path, launch)


async def _finalized(rpc: RpcEndpoint) -> None:
    """Wait until what is on the chain now is finalized: a daemon takes what is not for a mistake in its settings."""
    slot = await rpc.slot("confirmed")

    async def reached() -> bool:
        return await rpc.slot() >= slot

    await until(reached, "the deployment on the finalized chain")


def _settings(chain: Chain, deployment: Deployment, custody: CustodySide, folder: Path) -> str:
    """The daemon's TOML. One endpoint, because a localnet has one node; a real deployment names two (M10)."""
    lines = [
        "live = true",
        f'program_id = "{base58(deployment.client.program_id)}"',
        "",
        "[cluster]",
        f'rpc_urls = ["{chain.rpc_url}"]',
        f'ws_url = "{chain.ws_url}"',
        f'genesis_hash = "{base58(deployment.genesis_hash)}"',
        "single_endpoint = true",
        "",
        "[operator]",
        f'key_file = "{deployment.keys.operator.path}"',
        "",
        "[journal]",
        f'path = "{folder / "journal.sqlite"}"',
        "",
        "[timing]",
        f"cycle_secs = {CYCLE_SECS}",
        "poll_secs = 0.1",
    ]
    for custodian in deployment.custodians.values():
        sidecar = custody.sidecars[custodian.name]
        lines += ["", "[[custodians]]", f"id = {custodian.id}", f'url = "{sidecar.url}"']
        lines.append(f'token_file = "{folder / "tokens" / custodian.name.lower()}"')
    return "\n".join(lines) + "\n"
