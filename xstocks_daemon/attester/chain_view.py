"""What a sidecar reads of the chain, always at finalized: a port, and a short-lived cache in front of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from xstocks_daemon.chain.errors import AssetNotRegistered, ChainError
from xstocks_daemon.chain.reader import ChainReader
from xstocks_daemon.domain.snapshot import AssetView, ChainSnapshot
from xstocks_daemon.domain.units import Address

CACHE_SECS = 1.0


class ChainViewUnavailable(Exception):
    """The chain could not be read; the message is one line without secrets."""


class ChainView(Protocol):
    """Finalized facts of one custodian and some mints. Raises ChainViewUnavailable."""

    async def snapshot(self, custodian: Address, mints: Sequence[Address]) -> ChainSnapshot:
        """Config, this custodian (and those of the assets' entries), and these mints' assets; a mint that is not
        registered is missing in `assets`."""
        ...


class ReaderChainView(ChainView):
    """A ChainView that reads by `chain.reader.ChainReader`: finalized, and agreed by the configured endpoints."""

    def __init__(self, reader: ChainReader) -> None:
        self._reader = reader

    async def snapshot(self, custodian: Address, mints: Sequence[Address]) -> ChainSnapshot:
        try:
            try:
                return await self._reader.snapshot(mints, [custodian])
            except AssetNotRegistered as error:
                registered = [mint for mint in mints if mint not in error.mints]
                return await self._reader.snapshot(registered, [custodian])
        except ChainError as error:
            raise ChainViewUnavailable(str(error)) from error


@dataclass(frozen=True, slots=True)
class _Cached:
    view: AssetView
    head: ChainSnapshot
    read_at: float


class CachedChainView(ChainView):
    """Answers from memory what was read less than `cache_secs` ago, so that one statement's proposal, rounds and own
    signature cost one read. `monotonic` is a clock in seconds.

    The age does no harm: finalized facts only grow older by it, and the program checks each statement again.
    """

    def __init__(self, port: ChainView, monotonic: Callable[[], float], cache_secs: float = CACHE_SECS) -> None:
        self._port = port
        self._monotonic = monotonic
        self._cache_secs = cache_secs
        self._cached: dict[Address, _Cached] = {}

    async def snapshot(self, custodian: Address, mints: Sequence[Address]) -> ChainSnapshot:
        """As ChainView says; the slot and clock are those of the oldest part."""
        now = self._monotonic()
        known = {
            mint: cached
            for mint in mints
            if (cached := self._cached.get(mint)) is not None
            and now - cached.read_at < self._cache_secs
            and custodian in cached.head.custodians
        }
        missing = [mint for mint in mints if mint not in known]
        heads = [cached.head for cached in known.values()]
        views: dict[Address, AssetView] = {mint: cached.view for mint, cached in known.items()}
        if missing or not heads:
            read = await self._port.snapshot(custodian, missing)
            head = replace(read, assets={})
            self._cached.update({mint: _Cached(view, head, now) for mint, view in read.assets.items()})
            views.update(read.assets)
            heads.append(head)
        oldest = min(heads, key=lambda head: head.slot)
        return replace(oldest, assets=views)
