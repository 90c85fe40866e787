"""Blocks, and clients at work: websockets that come and go, many transactions at once."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solana.rpc.types import TxOpts
from solders.keypair import Keypair

from localnet.harness.chains import Chain, ChainRpcError
from tests.embedded_chain.transactions import FEE, LAG, RECEIVER, SOL, balance, blockhash, pay, send, signed

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_block_shows_its_transactions(chain: Chain) -> None:
    slot = await chain.call("getSlot", [{"commitment": "processed"}])
    recent = await blockhash(chain)
    signatures = [await send(chain, signed([pay(SOL + step)], recent)) for step in range(3)]
    await chain.advance_slots(LAG)
    block = await chain.call("getBlock", [slot, {"transactionDetails": "signatures", "rewards": False}])
    assert block["signatures"] == signatures
    assert block["blockhash"] == str(recent)
    assert block["parentSlot"] == slot - 1
    full = await chain.call("getBlock", [slot, {"maxSupportedTransactionVersion": 0}])
    assert [tx["transaction"]["signatures"][0] for tx in full["transactions"]] == signatures
    with pytest.raises(ChainRpcError) as refusal:
        await chain.call("getBlock", [slot])
    assert refusal.value.code == -32015
    history = await chain.call("getSignaturesForAddress", [str(RECEIVER), {"limit": 3}])
    assert [entry["signature"] for entry in history] == signatures[::-1]


async def test_no_snapshot(chain: Chain) -> None:
    with pytest.raises(ChainRpcError) as refusal:
        await chain.call("getHighestSnapshotSlot")
    assert (refusal.value.code, refusal.value.message) == (-32008, "No snapshot")


async def test_solana_py(chain: Chain) -> None:
    async with AsyncClient(chain.rpc_url, commitment=Confirmed) as client:
        assert await client.is_connected()
        receiver = Keypair().pubkey()
        recent = (await client.get_latest_blockhash()).value
        tx = signed([pay(SOL, receiver)], recent.blockhash)
        sent = await client.send_raw_transaction(bytes(tx), opts=TxOpts(preflight_commitment=Confirmed))
        await chain.advance_slots(1)
        confirmed = await client.confirm_transaction(sent.value, Confirmed, sleep_seconds=0.01)
        assert confirmed.value[0] is not None
        assert confirmed.value[0].err is None
        assert (await client.get_balance(receiver)).value == SOL
        found = await client.get_transaction(sent.value, max_supported_transaction_version=0)
        assert found.value is not None
        assert found.value.transaction.meta is not None
        assert found.value.transaction.meta.fee == FEE


async def test_websocket_on_the_rpc_port(chain: Chain) -> None:
    url = chain.rpc_url.replace("http://", "ws://")
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        await socket.send_json({"jsonrpc": "2.0", "id": 1, "method": "slotSubscribe"})
        subscription = (await socket.receive_json())["result"]
        slot = await chain.advance_slots(1)
        notification = await socket.receive_json()
        assert notification["params"] == {
            "result": {"parent": slot - 1, "root": slot - LAG, "slot": slot},
            "subscription": subscription,
        }


async def test_a_closed_websocket_leaves_no_subscription(chain: Chain) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(chain.ws_url) as socket:
            await socket.send_json({"jsonrpc": "2.0", "id": 1, "method": "slotSubscribe"})
            subscription = (await socket.receive_json())["result"]
        async with session.ws_connect(chain.ws_url) as socket:
            # Nor can another connection end what is not its own.
            await socket.send_json({"jsonrpc": "2.0", "id": 2, "method": "slotUnsubscribe", "params": [subscription]})
            assert (await socket.receive_json())["error"]["message"] == "Invalid subscription id."
    await chain.advance_slots(3)
    assert await chain.call("getHealth") == "ok"


async def test_a_hundred_transactions_at_once(chain: Chain) -> None:
    recent = await blockhash(chain)
    sent = [send(chain, signed([pay(SOL // 1000 + step)], recent)) for step in range(100)]
    signatures = await asyncio.gather(*sent)
    statuses = await chain.call("getSignatureStatuses", [list(signatures)])
    assert all(found is not None and found["err"] is None for found in statuses["value"])
    assert await balance(chain, "processed") == sum(SOL // 1000 + step for step in range(100))
