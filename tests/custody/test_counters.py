"""What a sidecar reads of the chain, and for how long it believes it."""

from __future__ import annotations

from tests.custody.sidecars import (
    MINTS,
)
from tests.custody.world import (
    CUSTODIAN,
    FakeChain,
    asset_view,
)
from xstocks_daemon.custody.attester.counters import CachedCounters


async def test_the_chain_is_read_once_for_a_moment_and_again_later() -> None:
    chain = FakeChain()
    chain.put(*(asset_view(mint) for mint in MINTS))
    now = [10.0]
    cached = CachedCounters(chain, lambda: now[0], cache_secs=1.0)
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
