"""What follows from a snapshot: sums end where the program's end."""

from __future__ import annotations

from tests.domain.world import ALPACA, GTN, NOW_TS, config, custodian, entry, mint_address, view
from xstocks_daemon.domain.reserve import reserve_of
from xstocks_daemon.domain.snapshot import backing_raw, ceiling_raw
from xstocks_daemon.domain.units import U64_MAX


def test_capacities_beyond_u64_count_as_the_greatest_u64() -> None:
    """As in the program and its Rust reader: a ceiling above it would promise what no mint can use."""
    custodians = {keeper: custodian(keeper) for keeper in (ALPACA, GTN)}
    mint = mint_address(1)
    for other_raw, expected_raw in ((6, U64_MAX - 5), (5, U64_MAX - 5), (4, U64_MAX - 6)):
        entries = [entry(ALPACA, U64_MAX - 5, redeemed_total_raw=5), entry(GTN, other_raw)]
        one = view(mint, entries)
        assert backing_raw(one, custodians, NOW_TS) == expected_raw
        assert ceiling_raw(one, custodians, NOW_TS) == expected_raw
        reserve = reserve_of(config(), one.asset, mint, one.mint, custodians.values(), NOW_TS)
        assert (reserve.ceiling_raw, reserve.unseen_raw) == (expected_raw, 5)
