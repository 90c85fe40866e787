"""The chain as the daemon may decide on it: finalized, and the same from two endpoints (M10)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from xstocks_daemon.aio import gather_all
from xstocks_daemon.chain.addresses import CLOCK_SYSVAR, base58
from xstocks_daemon.chain.errors import (
    AccountMissing,
    AssetNotRegistered,
    ChainDisagreement,
    MalformedAccount,
    SingleEndpoint,
    WrongCluster,
)
from xstocks_daemon.chain.mint_layout import read_mint, read_token_account
from xstocks_daemon.chain.program import ProgramClient
from xstocks_daemon.chain.rpc import MAX_ACCOUNTS_PER_CALL, AccountInfo, RpcEndpoint, RpcPool, common_genesis_hash
from xstocks_daemon.domain.snapshot import AssetView, ChainSnapshot, Config, Custodian
from xstocks_daemon.domain.units import Address

MAX_DIFFERENCES = 3
_CALLS_AT_ONCE = 4
_CLOCK_TIMESTAMP_OFFSET = 32
_CLOCK_BYTES = 40

Group = tuple[Address, ...]
"""Accounts that must come in one answer, so be of one slot."""
Accounts = tuple[AccountInfo | None, ...]


@dataclass(frozen=True, slots=True)
class GroupRead:
    """A group of accounts as one endpoint gave it, all of one slot."""

    slot: int
    accounts: Accounts


Agreed = tuple[GroupRead, ...]
"""The same group from every deciding endpoint."""


def deciding_endpoints(pool: RpcPool, *, single_endpoint: bool) -> tuple[RpcEndpoint, ...]:
    """The endpoints that must agree: the first two, or the only one where `single_endpoint` says so (M10).

    SingleEndpoint where there is one and nobody said so.
    """
    if single_endpoint:
        return pool.endpoints[:1]
    if len(pool.endpoints) < 2:
        raise SingleEndpoint(
            "endpoints: one is given, two of different operators are needed so that no single node decides (M10); "
            "add one, or set single_endpoint = true"
        )
    return pool.endpoints[:2]


class ChainReader:
    """Reads agreed finalized state. Keeps what it decoded, by the bytes, so that an unchanged asset costs nothing."""

    def __init__(self, pool: RpcPool, client: ProgramClient, *, single_endpoint: bool = False) -> None:
        self._endpoints = deciding_endpoints(pool, single_endpoint=single_endpoint)
        self._client = client
        self._views: dict[Address, tuple[Accounts, AssetView]] = {}
        self._genesis_hash: Address | None = None
        self._seen_slot = 0

    async def genesis_hash(self) -> Address:
        """The cluster's genesis hash, the same from all deciding endpoints. WrongCluster where they differ."""
        if self._genesis_hash is None:
            self._genesis_hash = await common_genesis_hash(self._endpoints)
        return self._genesis_hash

    async def snapshot(self, mints: Sequence[Address], custodians: Sequence[Address] = ()) -> ChainSnapshot:
        """Everything one cycle decides on, finalized.

        Each asset's own accounts (asset, mint, vaults) are of one slot; different assets may be some slots apart, and
        `slot` is the lowest of all, and never below that of an earlier snapshot of this reader. Config and custodians
        (those that the assets' entries name and those given) are read after the assets, never at a lower slot: a
        custodian's newer epoch can only make entries stale.

        Raises AssetNotRegistered, AccountMissing, MalformedAccount, ChainDisagreement, WrongCluster, RpcError.
        """
        genesis_hash = await self.genesis_hash()
        views, slots = await self._assets(mints, self._seen_slot)
        wanted = sorted({*custodians, *(entry.custodian for view in views.values() for entry in view.asset.entries)})
        config, found, now_ts, slot = await self._shared(wanted, max(slots, default=self._seen_slot))
        if config.genesis_hash != genesis_hash:
            raise WrongCluster(
                f"{self._endpoints[0].name} serves the cluster {base58(genesis_hash)}, but the program was initialized "
                f"for {base58(config.genesis_hash)}: use endpoints of that cluster, or initialize the program anew"
            )
        self._seen_slot = max(self._seen_slot, min([slot, *slots]))
        return ChainSnapshot(
            slot=min([slot, *slots]),
            now_ts=now_ts,
            genesis_hash=genesis_hash,
            program_id=self._client.program_id,
            config=config,
            custodians=found,
            assets=views,
        )

    async def config(self) -> Config:
        """The Config account alone, finalized and agreed. Raises as `snapshot` does."""
        return (await self._shared((), 0))[0]

    async def _assets(self, mints: Sequence[Address], min_slot: int) -> tuple[dict[Address, AssetView], list[int]]:
        addresses = self._client.addresses
        groups: list[Group] = [
            (addresses.asset(mint), mint, addresses.vault(mint), addresses.redemption_vault(mint)) for mint in mints
        ]
        reads = await self.read_groups(groups, min_slot=min_slot)
        missing = [mint for mint, read in zip(mints, reads, strict=True) if read[0].accounts[0] is None]
        if missing:
            raise AssetNotRegistered(missing, [base58(mint) for mint in missing])
        views: dict[Address, AssetView] = {}
        for index, (mint, group, read) in enumerate(zip(mints, groups, reads, strict=True)):
            views[mint] = self._view(mint, group, read[0].accounts)
            if index % 25 == 24:
                # Decoding takes about 0.4 ms an asset: let others run in between.
                await asyncio.sleep(0)
        return views, [_slot(read) for read in reads]

    def _view(self, mint: Address, group: Group, accounts: Accounts) -> AssetView:
        known = self._views.get(mint)
        if known is not None and known[0] == accounts:
            return known[1]
        for address, account in zip(group, accounts, strict=True):
            if account is None:
                raise AccountMissing(
                    f"asset {base58(mint)} is registered, but its account {base58(address)} does not exist"
                )
        asset_info, mint_info, vault_info, redemption_info = (each for each in accounts if each is not None)
        asset = self._client.asset(group[0], asset_info.data, asset_info.owner)
        if (asset.mint, asset.vault, asset.redemption_vault) != group[1:]:
            raise MalformedAccount(f"Asset account {base58(group[0])} names another mint or other vaults than its own")
        view = AssetView(
            asset=asset,
            mint=read_mint(mint, mint_info.data, mint_info.owner),
            vault_raw=_balance(group[2], mint, vault_info),
            redemption_vault_raw=_balance(group[3], mint, redemption_info),
        )
        self._views[mint] = (accounts, view)
        return view

    async def _shared(
        self, custodians: Sequence[Address], min_slot: int
    ) -> tuple[Config, Mapping[Address, Custodian], int, int]:
        group = (self._client.addresses.config, *custodians)
        if len(group) > MAX_ACCOUNTS_PER_CALL:
            raise ValueError(f"{len(custodians)} custodians are more than one call reads")
        (reads,) = await self.read_groups([group], min_slot=min_slot)
        config, *rest = reads[0].accounts
        if config is None:
            raise AccountMissing(
                f"the program {base58(self._client.program_id)} has no Config account {base58(group[0])}: it is not "
                "initialized on this cluster, or program_id in the settings is another program's"
            )
        found: dict[Address, Custodian] = {}
        for address, account in zip(custodians, rest, strict=True):
            if account is None:
                raise AccountMissing(f"custodian {base58(address)} is not registered with the program")
            found[address] = self._client.custodian(address, account.data, account.owner)
        return self._client.config(config.data, config.owner), found, await self._now_ts(), _slot(reads)

    async def _now_ts(self) -> int:
        """The chain's clock, confirmed: finalized is many seconds ago, and what is decided now executes by the present
        clock. The later one counts: for it fewer statements are fresh, so a node with a wrong clock can only delay."""
        clocks = await gather_all(
            endpoint.account(CLOCK_SYSVAR, commitment="confirmed") for endpoint in self._endpoints
        )
        return max(_clock_ts(clock.value) for clock in clocks)

    async def read_groups(self, groups: Sequence[Group], *, min_slot: int = 0) -> list[Agreed]:
        """Finalized accounts that all deciding endpoints give alike, each group of one slot; per group what each
        endpoint gave.

        Groups on which they differ are read again at the higher slot; ChainDisagreement after three differences.
        """
        agreed: dict[int, Agreed] = {}
        pending = list(range(len(groups)))
        for _ in range(MAX_DIFFERENCES):
            wanted = [groups[index] for index in pending]
            answers = await gather_all(self._read_all(endpoint, wanted, min_slot) for endpoint in self._endpoints)
            differing: list[int] = []
            for index, *reads in zip(pending, *answers, strict=True):
                if all(read.accounts == reads[0].accounts for read in reads):
                    agreed[index] = tuple(reads)
                else:
                    differing.append(index)
                    min_slot = max(min_slot, *(read.slot for read in reads))
            if not differing:
                return [agreed[index] for index in range(len(groups))]
            pending = differing
        raise ChainDisagreement(
            [base58(groups[index][0]) for index in pending], [each.name for each in self._endpoints], min_slot
        )

    async def _read_all(self, endpoint: RpcEndpoint, groups: Sequence[Group], min_slot: int) -> list[GroupRead]:
        gate = asyncio.Semaphore(_CALLS_AT_ONCE)

        async def one(chunk: Sequence[Group]) -> list[GroupRead]:
            async with gate:
                answer = await endpoint.multiple_accounts(
                    [address for group in chunk for address in group], min_context_slot=min_slot or None
                )
            accounts = iter(answer.value)
            return [GroupRead(answer.slot, tuple(islice(accounts, len(group)))) for group in chunk]

        return [read for part in await gather_all(one(chunk) for chunk in _pack(groups)) for read in part]


def _pack(groups: Sequence[Group]) -> Iterator[list[Group]]:
    """Groups in as few calls as keep each group in one call."""
    chunk: list[Group] = []
    size = 0
    for group in groups:
        if size + len(group) > MAX_ACCOUNTS_PER_CALL:
            yield chunk
            chunk, size = [], 0
        chunk.append(group)
        size += len(group)
    if chunk:
        yield chunk


def _slot(reads: Agreed) -> int:
    return min(read.slot for read in reads)


def _clock_ts(account: AccountInfo | None) -> int:
    """`unix_timestamp` of the clock sysvar."""
    if account is None or len(account.data) != _CLOCK_BYTES:
        raise MalformedAccount("the clock sysvar is missing or has another size: this is no Solana cluster")
    return int.from_bytes(account.data[_CLOCK_TIMESTAMP_OFFSET:], "little", signed=True)


def _balance(address: Address, mint: Address, account: AccountInfo) -> int:
    token = read_token_account(address, account.data, account.owner)
    if token.mint != mint:
        raise MalformedAccount(f"vault {base58(address)} is of mint {base58(token.mint)}, not of {base58(mint)}")
    return token.amount_raw
