"""Several nodes of one cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self, TypeVar

import aiohttp

from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import RpcBehind, RpcError, RpcUnreachable, WrongCluster
from xstocks_daemon.chain.rpc.answers import RpcLimits
from xstocks_daemon.chain.rpc.endpoint import RpcEndpoint
from xstocks_daemon.domain.units import Address
from xstocks_daemon.http import http_session

T = TypeVar("T")


class RpcPool:
    """Several endpoints of one cluster and the HTTP session they share. Use as an async context manager.

    Reads that need no agreement go to the first endpoint that answers; `endpoints` are there for those that do.
    """

    def __init__(self, urls: Sequence[str], limits: RpcLimits | None = None) -> None:
        if not urls:
            raise ValueError("at least one endpoint is needed")
        self._urls = tuple(urls)
        self._limits = limits or RpcLimits()
        self._session: aiohttp.ClientSession | None = None
        self._endpoints: tuple[RpcEndpoint, ...] = ()

    async def __aenter__(self) -> Self:
        self._session = http_session()
        self._endpoints = tuple(RpcEndpoint(url, self._session, self._limits) for url in self._urls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    @property
    def endpoints(self) -> tuple[RpcEndpoint, ...]:
        """In the order of the settings. RuntimeError outside the context."""
        if not self._endpoints:
            raise RuntimeError("RpcPool is not open: use it as an async context manager")
        return self._endpoints

    async def first(self, read: Callable[[RpcEndpoint], Awaitable[T]]) -> T:
        """`read` at the first endpoint that answers; the last one's error where none does."""
        last: RpcError | None = None
        for endpoint in self.endpoints:
            try:
                return await read(endpoint)
            except (RpcUnreachable, RpcBehind) as error:
                last = error
        if last is None:
            raise RuntimeError("RpcPool has no endpoints")
        raise last

    async def check_cluster(self, expected: Address | None = None) -> Address:
        """`common_genesis_hash` of all endpoints."""
        return await common_genesis_hash(self.endpoints, expected)

    async def send_everywhere(self, transaction: bytes) -> tuple[RpcError | None, ...]:
        """The same bytes to every endpoint at once; per endpoint what went wrong, None where it took them."""

        async def one(endpoint: RpcEndpoint) -> RpcError | None:
            try:
                await endpoint.send(transaction)
            except RpcError as error:
                return error
            return None

        return tuple(await asyncio.gather(*(one(endpoint) for endpoint in self.endpoints)))


async def common_genesis_hash(endpoints: Sequence[RpcEndpoint], expected: Address | None = None) -> Address:
    """The genesis hash of the cluster, the same at each endpoint and `expected` where given.

    WrongCluster names the endpoint that serves another one.
    """
    for endpoint in endpoints:
        found = await endpoint.genesis_hash()
        expected = found if expected is None else expected
        if found != expected:
            raise WrongCluster(
                f"{endpoint.name} serves the cluster with genesis hash {base58(found)}, expected is "
                f"{base58(expected)}: configure endpoints of that cluster"
            )
    if expected is None:
        raise ValueError("at least one endpoint is needed")
    return expected
