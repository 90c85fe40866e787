"""Everything a command works with, opened from the settings and closed again."""

from __future__ import annotations

import base64
import difflib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from xstocks_daemon.app.settings import Settings
from xstocks_daemon.chain.addresses import base58, parse_address
from xstocks_daemon.chain.errors import (
    AccountMissing,
    AddressError,
    AssetNotRegistered,
    ChainError,
    MalformedAccount,
    RpcBehind,
    RpcError,
    RpcUnreachable,
    WrongCluster,
)
from xstocks_daemon.chain.program import ProgramClient
from xstocks_daemon.chain.program.idl import discriminator
from xstocks_daemon.chain.reader import ChainReader
from xstocks_daemon.chain.rpc import RpcLimits, RpcPool
from xstocks_daemon.custody.http import HttpTarget
from xstocks_daemon.custody.source import CustodianEndpoint, HttpStatementSource, SourceLimits
from xstocks_daemon.domain.snapshot import ChainSnapshot
from xstocks_daemon.domain.units import Address
from xstocks_daemon.errors import UserError, operation_error, user_error
from xstocks_daemon.http import http_session
from xstocks_daemon.journal import Journal, JournalError, LeaseHeld, LeaseLost, open_journal
from xstocks_daemon.signing import Signer, load_keyfile

_ASSET_MINT = 16
"""Where an Asset account names its mint: after the discriminator and eight one-byte fields."""


@dataclass(frozen=True, slots=True)
class ChainConnection:
    """The program on the cluster that the settings name: enough for a command that needs no journal."""

    client: ProgramClient
    pool: RpcPool
    reader: ChainReader


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts, ready to use. `custodians`: address -> id of those that the settings name."""

    settings: Settings
    client: ProgramClient
    pool: RpcPool
    reader: ChainReader
    journal: Journal
    source: HttpStatementSource
    custodians: dict[Address, int]
    signer: Signer | None

    @property
    def live(self) -> bool:
        """Whether this may write and send: said so in the settings, and a key is there."""
        return self.settings.live and self.signer is not None

    async def mints(self) -> tuple[Address, ...]:
        """The mints to look after, ascending. UserError for one that is not registered, or a symbol that is not."""
        wanted = self.settings.assets
        if wanted == "all":
            return await self.registered_mints()
        mints, symbols = _split(wanted)
        if symbols:
            everything = await self.reader.snapshot(await self.registered_mints())
            mints += [mint_by_symbol(everything, symbol, "assets") for symbol in symbols]
        return tuple(sorted(set(mints)))

    async def registered_mints(self) -> tuple[Address, ...]:
        """Every asset of the program, by one endpoint's word; what is decided on is read again, agreed (M10)."""
        return await registered_mints(self.pool, self.client)


def _split(wanted: Sequence[str]) -> tuple[list[Address], list[str]]:
    mints, symbols = [], []
    for item in wanted:
        try:
            mints.append(parse_address(item))
        except AddressError:
            symbols.append(item)
    return mints, symbols


def mint_by_symbol(snapshot: ChainSnapshot, symbol: str, field: str) -> Address:
    """The mint of a symbol. UserError naming `field` where there is none, or more than one."""
    found = [mint for mint, view in snapshot.assets.items() if view.mint.symbol == symbol]
    if len(found) == 1:
        return found[0]
    if found:
        raise user_error(field, symbol, f"{len(found)} assets have this symbol; give the mint's address")
    near = difflib.get_close_matches(symbol, [view.mint.symbol for view in snapshot.assets.values()], n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise user_error(field, symbol, f"no registered asset has this symbol{hint} (`xstocks assets` lists them)")


async def find_mint(runtime: Runtime, asset: str, field: str) -> Address:
    """The mint of a registered asset given by its address or symbol. UserError naming `field`."""
    return (await find_mints(runtime, [asset], field))[asset]


async def find_mints(runtime: Runtime, assets: Iterable[str], field: str) -> dict[str, Address]:
    """The mints of registered assets, each by the address or symbol that it was given by. UserError naming `field`."""
    registered = await runtime.registered_mints()
    everything: ChainSnapshot | None = None
    found = {}
    for asset in assets:
        mints, symbols = _split([asset])
        if symbols:
            everything = everything or await runtime.reader.snapshot(registered)
            mints = [mint_by_symbol(everything, asset, field)]
        if mints[0] not in registered:
            raise user_error(field, asset, "no asset with this mint is registered (`xstocks assets` lists them)")
        found[asset] = mints[0]
    return found


async def registered_mints(pool: RpcPool, client: ProgramClient) -> tuple[Address, ...]:
    """The mints of all Asset accounts of the program, ascending, at finalized, by the first endpoint that answers."""
    is_asset = {
        "offset": 0,
        "bytes": base64.b64encode(discriminator("account", "Asset")).decode(),
        "encoding": "base64",
    }
    accounts = await pool.first(
        lambda endpoint: endpoint.program_accounts(client.program_id, filters=[{"memcmp": is_asset}])
    )
    mints = []
    for address, info in accounts.items():
        # The address proves the mint, so the account need not be decoded as a whole.
        mint = Address(info.data[_ASSET_MINT : _ASSET_MINT + 32])
        if client.addresses.asset(mint) != address:
            raise MalformedAccount(f"Asset account {base58(address)} is not of the mint that it names")
        mints.append(mint)
    return tuple(sorted(mints))


@asynccontextmanager
async def open_chain(settings: Settings) -> AsyncIterator[ChainConnection]:
    """Open the endpoints that `settings` name, and check that they serve the cluster they say. Raises UserError,
    WrongCluster, RpcError."""
    client = ProgramClient(settings.program_id)
    limits = RpcLimits(timeout_secs=settings.timing.rpc_timeout_secs)
    async with RpcPool(settings.cluster.rpc_urls, limits) as pool:
        reader = ChainReader(pool, client, single_endpoint=settings.cluster.single_endpoint)
        await pool.check_cluster(settings.cluster.genesis_hash)
        yield ChainConnection(client, pool, reader)


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """Open everything that `settings` name and check that the endpoints serve the cluster they say.

    Raises UserError, WrongCluster, RpcError, JournalError. Sends nothing and takes no lease.
    """
    signer = load_keyfile(settings.operator.key_file, "operator.key_file") if settings.operator else None
    async with AsyncExitStack() as stack:
        chain = await stack.enter_async_context(open_chain(settings))
        addresses = chain.client.addresses
        custodians = {addresses.custodian(each.id): each.id for each in settings.custodians}
        journal = await open_journal(settings.journal.path, settings.cluster.genesis_hash, settings.program_id)
        stack.push_async_callback(journal.close)
        session = await stack.enter_async_context(http_session())
        endpoints = [
            CustodianEndpoint(addresses.custodian(each.id), HttpTarget(each.url, each.token.get_secret_value()))
            for each in settings.custodians
        ]
        source_limits = SourceLimits(timeout_secs=settings.timing.custody_timeout_secs)
        source = HttpStatementSource(endpoints, session, source_limits)
        yield Runtime(settings, chain.client, chain.pool, chain.reader, journal, source, custodians, signer)


def as_user_error(error: BaseException, settings: Settings | None = None) -> UserError | None:
    """The line(s) to show for an error of another room; None where it is none that a user should see so."""
    if isinstance(error, UserError):
        return error
    if isinstance(error, BaseExceptionGroup):
        found = [as_user_error(each, settings) for each in error.exceptions]
        return None if None in found else found[0]
    match error:
        case RpcUnreachable() | RpcBehind():
            remedy = f"{error.method}: {error.reason}; start the node or correct the URL"
            return user_error("cluster.rpc_urls", error.url, remedy)
        case RpcError():
            return operation_error("cluster.rpc_urls", error.url, f"{error.method}: {error.reason}")
        case WrongCluster():
            value = base58(settings.cluster.genesis_hash) if settings else "(unknown)"
            return user_error("cluster.genesis_hash", value, str(error))
        case AssetNotRegistered():
            return user_error("assets", ", ".join(base58(mint) for mint in error.mints[:3]), str(error))
        case AccountMissing():
            return user_error("program_id", base58(settings.program_id) if settings else "(unknown)", str(error))
        case ChainError():
            return operation_error("chain", type(error).__name__, str(error))
        case LeaseHeld() | LeaseLost():
            path = settings.journal.path if settings else "(unknown)"
            return operation_error("journal.path", path, str(error).removeprefix(f"journal {path}: "))
        case JournalError():
            path = settings.journal.path if settings else "(unknown)"
            return user_error("journal.path", path, str(error).removeprefix(f"journal {path}: "))
        case _:
            return None
