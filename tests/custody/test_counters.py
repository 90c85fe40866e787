"""What a sidecar reads of the chain, and for how long it believes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from tests.custody.builders import CUSTODIAN, PROGRAM, asset_view, custodian_account, snapshot_of
from tests.custody.fakes import FakeChain
from tests.custody.sidecars import MINTS
from xstocks_daemon.attester.chain_view import CachedChainView, ChainViewUnavailable, ReaderChainView
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import AssetNotRegistered, RpcUnreachable
from xstocks_daemon.domain.snapshot import ChainSnapshot
from xstocks_daemon.domain.units import Address


async def test_the_chain_is_read_once_for_a_moment_and_again_later() -> None:
    chain = FakeChain()
    chain.put(*(asset_view(mint) for mint in MINTS))
    now = [10.0]
    cached = CachedChainView(chain, lambda: now[0], cache_secs=1.0)
    first = await cached.snapshot(CUSTODIAN, MINTS[:2])
    now[0] += 0.9
    assert (await cached.snapshot(CUSTODIAN, MINTS[:2])).assets == first.assets
    assert chain.reads == 1
    assert list((await cached.snapshot(CUSTODIAN, MINTS)).assets) == list(MINTS)
    assert chain.reads == 2  # only the third was missing
    now[0] += 0.1
    chain.put(asset_view(MINTS[0], supply_raw=7))
    assert (await cached.snapshot(CUSTODIAN, MINTS)).assets[MINTS[0]].mint.supply_raw == 7
    assert chain.reads == 3


async def test_another_custodian_is_read_again() -> None:
    chain = FakeChain()
    chain.put(asset_view(MINTS[0]))
    cached = CachedChainView(chain, lambda: 0.0)
    await cached.snapshot(CUSTODIAN, MINTS[:1])
    chain.custodian = custodian_account(address=PROGRAM)
    assert set((await cached.snapshot(PROGRAM, MINTS[:1])).custodians) == {PROGRAM}
    assert chain.reads == 2


async def test_what_was_read_at_two_slots_is_as_old_as_the_older_one() -> None:
    class Advancing(FakeChain):
        async def snapshot(self, custodian: Address, mints: Sequence[Address]) -> ChainSnapshot:
            found = await super().snapshot(custodian, mints)
            return replace(found, slot=100 * self.reads, now_ts=1_000 * self.reads)

    chain = Advancing()
    chain.put(*(asset_view(mint) for mint in MINTS))
    cached = CachedChainView(chain, lambda: 0.0)
    await cached.snapshot(CUSTODIAN, MINTS[:1])
    both = await cached.snapshot(CUSTODIAN, MINTS[:2])
    assert (both.slot, both.now_ts, len(both.assets), chain.reads) == (100, 1_000, 2, 2)


@dataclass
class Reader:
    """Knows the first mint only, or does not answer."""

    away: bool = False
    asked: list[list[Address]] = field(default_factory=list)

    async def snapshot(self, mints: Sequence[Address], custodians: Sequence[Address]) -> ChainSnapshot:
        assert custodians == [CUSTODIAN]
        self.asked.append(list(mints))
        if self.away:
            raise RpcUnreachable("http://127.0.0.1:1", "getMultipleAccounts", "no connection")
        unknown = [mint for mint in mints if mint != MINTS[0]]
        if unknown:
            raise AssetNotRegistered(unknown, [base58(mint) for mint in unknown])
        return snapshot_of(*(asset_view(mint) for mint in mints))


async def test_a_mint_that_is_not_registered_is_missing_and_the_others_are_read() -> None:
    reader = Reader()
    found = await ReaderChainView(reader).snapshot(CUSTODIAN, MINTS)  # type: ignore[arg-type]
    assert list(found.assets) == [MINTS[0]]
    assert reader.asked == [list(MINTS), [MINTS[0]]]


async def test_a_chain_that_cannot_be_read_is_said_so() -> None:
    with pytest.raises(ChainViewUnavailable, match="no connection"):
        await ReaderChainView(Reader(away=True)).snapshot(CUSTODIAN, MINTS)  # type: ignore[arg-type]
