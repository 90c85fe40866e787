"""The custodians' side of a localnet: books with the reported shares, and one sidecar process per key.

Each custodian keeps its own books; each agent keeps books of its own on both custodians. All are files in the run's
folder, changed the way a custodian would change them.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from localnet.catalogue.reader import DECIMALS
from localnet.harness.deploy import AGENTS, DeployedAsset, Deployment
from localnet.harness.keys import Key, write_secret
from localnet.harness.paths import XSTOCKS
from localnet.harness.ports import free_ports
from localnet.harness.processes import Child, Launch, ProcessError, child, execute, terminate
from localnet.harness.wait import until
from xstocks_daemon.attester.acceptance import accept_redemption
from xstocks_daemon.attester.books import AssetBook, Target, new_asset_book
from xstocks_daemon.attester.operations import (
    ReleaseRefused,
    books_count_redemptions,
    books_create,
    books_deposit,
    books_mark_leaving,
    books_release,
    books_return_redemptions,
    books_show,
)
from xstocks_daemon.attester.release import Unmet
from xstocks_daemon.attester.settings import AttesterSettings, load_attester_settings
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.domain.units import Address, capacity_raw, shares_text

LIFETIME_SECS = 1_800
_HEALTH_SECS = 2.0


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A running sidecar: who it is, where it listens, and its settings file."""

    name: str
    url: str
    token: str
    settings_path: Path
    child: Child


@dataclass(frozen=True, slots=True)
class CustodySide:
    """All sidecars and books of a localnet."""

    deployment: Deployment
    folder: Path
    sidecars: dict[str, Sidecar]

    def deposit(self, asset: DeployedAsset, shares_nano: int) -> None:
        """Shares arrived: the custodian books them, and the agents, who saw them, too."""
        shares = plain_shares(shares_nano)
        for settings in self._books_of(asset):
            books_deposit(settings, self._custodian_id(asset), asset.row.symbol, shares)

    async def accept_redemption(self, asset: DeployedAsset, redemption: Address) -> None:
        """The asset's custodian gives its word for an open redemption."""
        await accept_redemption(self._books_of(asset)[0], self._custodian_id(asset), redemption)

    def count_redemptions(self, asset: DeployedAsset, seen_raw: int) -> None:
        """Everybody counts what was redeemed on the custodian, up to a total of so many base units."""
        for settings in self._books_of(asset):
            books_count_redemptions(settings, self._custodian_id(asset), asset.row.symbol, seen_raw)

    def return_redemptions(self, asset: DeployedAsset, seen_raw: int) -> None:
        """Everybody passes what a broker rejected after the burn, up to a total of so many base units."""
        for settings in self._books_of(asset):
            books_return_redemptions(settings, self._custodian_id(asset), asset.row.symbol, seen_raw)

    def mark_leaving(self, asset: DeployedAsset, shares_nano: int) -> tuple[str, ...]:
        """Shares are to leave: nobody attests them from now on. Gives each book's id of it, the custodian's first."""
        shares = plain_shares(shares_nano)
        changes = [
            books_mark_leaving(settings, self._custodian_id(asset), asset.row.symbol, shares)
            for settings in self._books_of(asset)
        ]
        return tuple(change.leaving.id for change in changes if change.leaving is not None)

    async def release(self, asset: DeployedAsset, leaving_ids: Sequence[str]) -> tuple[Unmet, ...]:
        """Ask every book to let the shares go. Gives why the first that does not, nothing once all did."""
        for settings, leaving_id in zip(self._books_of(asset), leaving_ids, strict=True):
            book = books_show(settings, self._custodian_id(asset)).assets[asset.mint]
            if leaving_id not in {one.id for one in book.leaving}:
                continue  # went at an earlier try
            try:
                await books_release(settings, self._custodian_id(asset), asset.row.symbol, leaving_id)
            except ReleaseRefused as refused:
                return refused.unmet
        return ()

    def record(self, asset: DeployedAsset) -> AssetBook | None:
        """What the custodian's own books say of an asset; None where nobody keeps its shares."""
        if asset.row.custodian is None:
            return None
        return books_show(self._books_of(asset)[0], self._custodian_id(asset)).assets[asset.mint]

    def records(self) -> dict[Address, AssetBook]:
        """Every custodian's own books."""
        books: dict[Address, AssetBook] = {}
        for custodian in self.deployment.custodians.values():
            settings = load_attester_settings(self.sidecars[custodian.name].settings_path)
            books |= books_show(settings, custodian.id).assets
        return books

    def _books_of(self, asset: DeployedAsset) -> list[AttesterSettings]:
        """The settings of all who keep books on the asset, the custodian first."""
        return [load_attester_settings(self.sidecars[name].settings_path) for name in (_custodian_name(asset), *AGENTS)]

    def _custodian_id(self, asset: DeployedAsset) -> int:
        return self.deployment.custodians[_custodian_name(asset)].id


def plain_shares(shares_nano: int) -> str:
    """A number of shares as a command takes it."""
    return shares_text(shares_nano).replace(",", "")


def backed_raw(book: AssetBook) -> int:
    """What the shares of a record can back: those allotted and not leaving."""
    held_nano = sum(book.attested_nano(one.target) for one in book.allotments)
    return capacity_raw(held_nano, book.multiplier_bits, DECIMALS)


def target_of(deployment: Deployment, asset: DeployedAsset) -> Target:
    """What the shares of an asset are allotted to: its mint on this chain under this program."""
    return Target(deployment.genesis_hash, deployment.client.program_id, asset.mint)


def books_path(folder: Path, signer: str, custodian: str) -> Path:
    """Where `signer` keeps its books on `custodian`."""
    return folder / "books" / f"{signer.lower()}-on-{custodian.lower()}.json"


def write_books(deployment: Deployment, folder: Path) -> None:
    """The books of everybody, as the catalogue's reserves report them."""
    for custodian in deployment.custodians.values():
        records = [
            new_asset_book(
                target_of(deployment, asset), asset.row.symbol, asset.row.shares_nano or 0, asset.row.multiplier
            )
            for asset in deployment.assets
            if asset.row.custodian == custodian.name
        ]
        for signer in (custodian.name, *AGENTS):
            path = books_path(folder, signer, custodian.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            books_create(path, custodian.id, records)


@asynccontextmanager
async def custody_side(
    deployment: Deployment, rpc_url: str, folder: Path, launch: Launch = execute
) -> AsyncIterator[CustodySide]:
    """Books written and every sidecar running, for as long as the context lasts."""
    write_books(deployment, folder)
    names = (*deployment.custodians, *AGENTS)
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    tokens = {name: secrets.token_urlsafe(32) for name in names}
    for name, token in tokens.items():
        write_secret(_token_path(folder, name), token)
    async with AsyncExitStack() as stack:
        sidecars = {}
        for name in names:
            path = folder / "settings" / f"attester-{name.lower()}.toml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_settings(deployment, name, ports, rpc_url, folder), encoding="utf-8")
            log_path = folder / "logs" / f"attester-{name.lower()}.log"
            command = [str(XSTOCKS), "attester", "run", "--config", str(path)]
            running = await stack.enter_async_context(child(f"attester {name}", command, log_path, launch=launch))
            sidecars[name] = Sidecar(name, f"http://127.0.0.1:{ports[name]}", tokens[name], path, running)
        # They end together: each gets its signal before the first is waited for.
        stack.callback(terminate, [sidecar.child for sidecar in sidecars.values()])
        for sidecar in sidecars.values():
            await _healthy(sidecar)
        yield CustodySide(deployment, folder, sidecars)


def _settings(deployment: Deployment, name: str, ports: dict[str, int], rpc_url: str, folder: Path) -> str:
    """One sidecar's TOML. A custodian proposes for itself, with the agents as peers; an agent co-signs for both."""
    key = _key_of(deployment, name)
    lines = [
        f'key_file = "{key.path}"',
        f'listen = "127.0.0.1:{ports[name]}"',
        f'program_id = "{base58(deployment.client.program_id)}"',
        f'genesis_hash = "{base58(deployment.genesis_hash)}"',
        f'rpc_urls = ["{rpc_url}"]',
        f'token_files = ["{_token_path(folder, name)}"]',
        f'store_file = "{folder / "signed" / f"{name.lower()}.sqlite"}"',
        f"lifetime_secs = {LIFETIME_SECS}",
        "max_skew_ms = 2000",
    ]
    if name in deployment.custodians:
        lines.append(f'fee_payer_file = "{key.path}"')
    for custodian in deployment.custodians.values():
        if name in (custodian.name, *AGENTS):
            lines += ["", "[[custodians]]", f"id = {custodian.id}"]
            lines.append(f'books_file = "{books_path(folder, name, custodian.name)}"')
            if name == custodian.name:
                for agent in AGENTS:
                    lines += ["[[custodians.peers]]", f'url = "http://127.0.0.1:{ports[agent]}"']
                    lines.append(f'token_file = "{_token_path(folder, agent)}"')
    (folder / "signed").mkdir(parents=True, exist_ok=True)
    return "\n".join(lines) + "\n"


def _key_of(deployment: Deployment, name: str) -> Key:
    return {**deployment.keys.custodians, **deployment.keys.agents}[name]


def _token_path(folder: Path, name: str) -> Path:
    return folder / "tokens" / name.lower()


def _custodian_name(asset: DeployedAsset) -> str:
    if asset.row.custodian is None:
        raise ValueError(f"{asset.row.symbol} has no row in the reserves, so nobody keeps its shares")
    return asset.row.custodian


async def _healthy(sidecar: Sidecar) -> None:
    timeout = aiohttp.ClientTimeout(total=_HEALTH_SECS)
    async with aiohttp.ClientSession(timeout=timeout) as session:

        async def answers() -> bool:
            if not sidecar.child.running:
                raise ProcessError(sidecar.child.tail())
            try:
                async with session.get(f"{sidecar.url}/v1/health") as response:
                    return response.status == 200
            except (aiohttp.ClientError, TimeoutError):
                return False

        await until(answers, f"{sidecar.name}'s sidecar answering at {sidecar.url}")
