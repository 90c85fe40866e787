"""The methods that no validator has."""

from __future__ import annotations

from typing import Any

import pytest

from localnet.harness.chains import Chain, ChainRpcError
from tests.embedded_chain.scenario import CLOCK_SYSVAR, SYSTEM_PROGRAM
from tests.embedded_chain.transactions import LAG, OWNED, RECEIVER, balance

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def unix_ts(chain: Chain, commitment: str) -> int:
    clock = await chain.call("getAccountInfo", [CLOCK_SYSVAR, {"encoding": "jsonParsed", "commitment": commitment}])
    return int(clock["value"]["data"]["parsed"]["info"]["unixTimestamp"])


async def test_the_clock_goes_forward_only(chain: Chain) -> None:
    before = await unix_ts(chain, "processed")
    after = await chain.advance_clock(86_400)
    assert before + 86_400 <= after == await unix_ts(chain, "processed")
    assert await unix_ts(chain, "finalized") < before + 86_400
    await chain.advance_slots(LAG)
    assert await unix_ts(chain, "finalized") == after
    assert await chain.call("localnet_warpClock", [{"unix_timestamp": after + 500}]) >= after + 500
    with pytest.raises(ChainRpcError) as refusal:
        await chain.call("localnet_warpClock", [{"unix_timestamp": after}])
    assert refusal.value.code == -32602


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("localnet_advanceSlots", [{}]),
        ("localnet_advanceSlots", [{"slots": 0}]),
        ("localnet_advanceSlots", [{"slots": 1_000_001}]),
        ("localnet_advanceSlots", [{"slots": "1"}]),
        ("localnet_advanceSlots", []),
        ("localnet_warpClock", [{}]),
        ("localnet_warpClock", [{"advance_secs": 1, "unix_timestamp": 1}]),
        ("localnet_warpClock", [{"advance_secs": -1}]),
        ("localnet_warpClock", [{"advance_secs": 2**63}]),
        ("localnet_setAccount", ["abc", {"lamports": 1, "owner": str(SYSTEM_PROGRAM)}]),
        ("localnet_setAccount", [str(RECEIVER), {"owner": str(SYSTEM_PROGRAM)}]),
        ("localnet_setAccount", [str(RECEIVER), {"lamports": 1, "owner": "abc"}]),
        ("localnet_setAccount", [str(RECEIVER), {**OWNED, "data": ["!", "base64"]}]),
        ("localnet_setAccount", [str(RECEIVER), {**OWNED, "data": ["AQ==", "hex"]}]),
    ],
)  # fmt: skip
async def test_localnet_methods_refuse(chain: Chain, method: str, params: list[Any]) -> None:
    slot, ts = await chain.call("getSlot", [{"commitment": "processed"}]), await unix_ts(chain, "processed")
    with pytest.raises(ChainRpcError) as refusal:
        await chain.call(method, params)
    assert refusal.value.code == -32602
    assert await chain.call("getSlot", [{"commitment": "processed"}]) == slot
    assert await unix_ts(chain, "processed") == ts
    assert await balance(chain, "processed") == 0
