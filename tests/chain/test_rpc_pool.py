"""The RPC client against nodes that misbehave."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from aiohttp import web

from tests.chain.fake_rpc import (
    GENESIS,
    QUICK,
    FakeNode,
    Fault,
    cut_off,
    http_error,
    no_answer,
    raw_body,
    rpc_error,
    serving,
    status,
)
from xstocks_daemon.chain.errors import RpcBehind, RpcRefused, RpcUnreachable, WrongCluster
from xstocks_daemon.chain.rpc import AccountInfo, RpcLimits, RpcPool
from xstocks_daemon.domain.units import Address
from xstocks_daemon.redaction import redact_url

A, B = Address(bytes([1]) * 32), Address(bytes([2]) * 32)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@rpc.example:8443/v1/token?api-key=hidden#x", "https://rpc.example:8443/..."),
        ("https://rpc.example/?api-key=hidden", "https://rpc.example/..."),
        ("http://127.0.0.1:8899", "http://127.0.0.1:8899"),
        ("http://127.0.0.1:8899/", "http://127.0.0.1:8899"),
        ("ws://[::1]:8900/", "ws://[::1]:8900"),
    ],
)
def test_url_is_shown_without_user_info_path_and_query(url: str, shown: str) -> None:
    assert redact_url(url) == shown


READS_ARE_TRIED_AGAIN: list[Fault] = [
    http_error(429),
    http_error(503),
    cut_off,
    raw_body(b"<html>"),
    raw_body(b"[]"),
    raw_body(b'{"jsonrpc":"2.0","id":1}'),
    raw_body(b'{"jsonrpc":"2.0","id":77,"result":5}'),
    raw_body(b'{"jsonrpc":"2.0","id":null,"result":5}'),
    http_error(429, '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"slow down"}}'),
    http_error(500, '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"broken"}}'),
    raw_body(b'{"jsonrpc":"2.0","id":1,"error":"text"}'),
    rpc_error(-32005, "Node is behind by 42 slots", {"numSlotsBehind": 42}),
    rpc_error(-32016, "Minimum context slot has not been reached", {"contextSlot": 1}),
    lambda request, call: "not a number",
    lambda request, call: -1,
    lambda request, call: True,
]


@pytest.mark.parametrize("fault", READS_ARE_TRIED_AGAIN)
async def test_read_is_tried_again_after_an_unusable_answer(fault: Fault) -> None:
    node = FakeNode(slot=4_321)
    node.fail("getSlot", fault, fault)
    async with serving(node) as urls, RpcPool(urls, QUICK) as pool:
        assert await pool.endpoints[0].slot() == 4_321
    assert node.count("getSlot") == 3


@pytest.mark.parametrize("fault", READS_ARE_TRIED_AGAIN)
async def test_read_gives_up_by_name_after_its_attempts(fault: Fault) -> None:
    node = FakeNode()
    node.fail("getSlot", *[fault] * 3)
    async with serving(node) as urls, RpcPool(urls, QUICK) as pool:
        with pytest.raises((RpcUnreachable, RpcBehind), match=r"getSlot at http://127\.0\.0\.1:\d+: "):
            await pool.endpoints[0].slot()
    assert node.count("getSlot") == 3


async def test_refusal_keeps_code_message_and_data_and_is_not_tried_again() -> None:
    node = FakeNode()
    node.fail("getSlot", rpc_error(-32602, "Invalid params", {"why": "x"}))
    async with serving(node) as urls, RpcPool(urls, QUICK) as pool:
        with pytest.raises(RpcRefused) as refused:
            await pool.endpoints[0].slot()
    assert (refused.value.code, refused.value.message, refused.value.data) == (-32602, "Invalid params", {"why": "x"})
    assert node.count("getSlot") == 1


async def test_error_object_with_an_http_error_status_is_read() -> None:
    node = FakeNode()
    body = '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}'
    node.fail("getSlot", http_error(400, body))
    async with serving(node) as urls, RpcPool(urls, QUICK) as pool:
        with pytest.raises(RpcRefused, match="Parse error"):
            await pool.endpoints[0].slot()


async def test_no_answer_within_the_timeout_is_unreachable() -> None:
    node = FakeNode()
    node.fail("getSlot", no_answer)
    limits = RpcLimits(timeout_secs=0.05, attempts=1)
    async with serving(node) as urls, RpcPool(urls, limits) as pool:
        with pytest.raises(RpcUnreachable, match=r"no answer within 0\.05 s"):
            await pool.endpoints[0].slot()


async def test_too_large_an_answer_is_cut_off() -> None:
    node = FakeNode()
    limits = RpcLimits(attempts=1, max_body_bytes=1_000)
    node.fail("getSlot", raw_body(b" " * 999 + b"1"), raw_body(b" " * 1_001))
    async with serving(node) as urls, RpcPool(urls, limits) as pool:
        with pytest.raises(RpcUnreachable, match="not the JSON-RPC answer"):
            await pool.endpoints[0].slot()
        with pytest.raises(RpcUnreachable, match="larger than 1000 bytes"):
            await pool.endpoints[0].slot()


async def test_unreachable_names_the_url_without_its_token() -> None:
    node = FakeNode()
    async with serving(node) as urls:
        url = urls[0]
    with_token = url.replace("http://", "http://user:secret@") + "path-token?key=hidden"
    async with RpcPool([with_token], QUICK) as pool:
        with pytest.raises(RpcUnreachable) as unreachable:
            await pool.endpoints[0].slot()
    assert "127.0.0.1" in str(unreachable.value)
    assert not any(secret in str(unreachable.value) for secret in ("secret", "path-token", "hidden"))
    assert not any(secret in repr(pool.endpoints[0]) for secret in ("secret", "path-token", "hidden"))


async def test_redirects_are_not_followed() -> None:
    node = FakeNode()

    def redirect(request: web.Request, call: dict[str, Any]) -> web.Response:
        return web.Response(status=307, headers={"Location": str(request.url)})

    node.fail("getSlot", redirect)
    async with serving(node) as urls, RpcPool(urls, RpcLimits(attempts=1)) as pool:
        with pytest.raises(RpcUnreachable, match="HTTP status 307"):
            await pool.endpoints[0].slot()
    assert node.count("getSlot") == 1


async def test_sending_is_never_tried_again_by_itself() -> None:
    node, other = FakeNode(), FakeNode()
    node.fail("sendTransaction", http_error(503))
    async with serving(node, other) as urls, RpcPool(urls, QUICK) as pool:
        first, second = await pool.send_everywhere(b"the bytes")
    assert isinstance(first, RpcUnreachable)
    assert second is None
    assert (node.count("sendTransaction"), node.sent) == (1, [])
    assert (other.count("sendTransaction"), other.sent) == (1, [b"the bytes"])
    assert other.calls[0][1][1] == {
        "encoding": "base64",
        "skipPreflight": True,
        "preflightCommitment": "confirmed",
        "maxRetries": 0,
    }


async def test_accounts_come_in_order_and_missing_ones_are_none() -> None:
    info = AccountInfo(B, b"\1\2\3", 5, executable=False)
    node = FakeNode(slot=77, accounts={A: info})
    async with serving(node) as urls, RpcPool(urls, QUICK) as pool:
        found = await pool.endpoints[0].multiple_accounts([B, A], min_context_slot=70)
        assert (found.slot, found.value) == (77, (None, info))
        assert (await pool.endpoints[0].account(A)).value == info
        with pytest.raises(ValueError, match="at most 100"):
            await pool.endpoints[0].multiple_accounts([A] * 101)
    assert node.calls[0][1][1] == {"commitment": "finalized", "encoding": "base64", "minContextSlot": 70}


async def test_answer_below_the_wanted_slot_is_not_taken() -> None:
    # A balancer that ignores minContextSlot and goes to an older node now and then: slots going backwards.
    slots = deque([101, 99, 98, 100])

    def going_back(method: str, node: FakeNode) -> None:
        node.slot = slots.popleft()

    node = FakeNode(before=going_back)
    async with serving(node) as urls, RpcPool(urls, QUICK) as pool:
        endpoint = pool.endpoints[0]
        assert (await endpoint.multiple_accounts([A], min_context_slot=100)).slot == 101
        assert (await endpoint.multiple_accounts([A], min_context_slot=100)).slot == 100
        slots.extend([99, 98, 97])
        with pytest.raises(RpcBehind, match="answered at slot 97, 100 was asked for"):
            await endpoint.multiple_accounts([A], min_context_slot=100)


def account(text: str, encoding: str = "base64", lamports: int = 1) -> dict[str, Any]:
    return {"owner": "1" * 32, "data": [text, encoding], "lamports": lamports, "executable": False}


async def test_an_account_of_the_right_shape_is_taken() -> None:
    """The twin of the next test."""
    node = FakeNode()
    node.fail("getMultipleAccounts", lambda request, call: {"context": {"slot": 1}, "value": [account("AAAA")]})
    async with serving(node) as urls, RpcPool(urls, RpcLimits(attempts=1)) as pool:
        found = await pool.endpoints[0].multiple_accounts([A])
    assert found.value == (AccountInfo(Address(bytes(32)), bytes(3), 1, executable=False),)


@pytest.mark.parametrize(
    "answer",
    [
        {"context": {"slot": 1}, "value": []},
        {"context": {"slot": 1}, "value": [{"owner": "x"}]},
        {"context": {"slot": 1}, "value": [{"owner": "1" * 32, "data": ["AA", "base58"], "lamports": 1}]},
        {"context": {"slot": 1}, "value": [{"owner": "1" * 32, "data": ["A", "base64"], "lamports": 1}]},
        {"context": {"slot": 1}, "value": [account("AAAA", encoding="base58")]},
        {"context": {"slot": 1}, "value": [account("AAAA", lamports=-1)]},
        {"value": [None]},
        None,
        7,
    ],
)
async def test_accounts_of_another_shape_are_unusable(answer: Any) -> None:
    node = FakeNode()
    node.fail("getMultipleAccounts", lambda request, call: answer)
    async with serving(node) as urls, RpcPool(urls, RpcLimits(attempts=1)) as pool:
        with pytest.raises(RpcUnreachable, match="another shape than Agave's"):
            await pool.endpoints[0].multiple_accounts([A])


@pytest.mark.parametrize("value", [[], [None, None], [status(5, "rooted")], [status(-1, "finalized")], [{"slot": 5}]])
async def test_statuses_of_another_shape_are_unusable(value: Any) -> None:
    node = FakeNode()
    node.fail("getSignatureStatuses", lambda request, call: {"context": {"slot": 1}, "value": value})
    async with serving(node) as urls, RpcPool(urls, RpcLimits(attempts=1)) as pool:
        with pytest.raises(RpcUnreachable, match="another shape than Agave's"):
            await pool.endpoints[0].signature_statuses(["one"])


async def test_more_than_one_call_takes_is_not_asked_for() -> None:
    node = FakeNode()
    async with serving(node) as urls, RpcPool(urls, QUICK) as pool:
        with pytest.raises(ValueError, match="101 accounts in one call, at most 100 are allowed"):
            await pool.endpoints[0].multiple_accounts([A] * 101)
        with pytest.raises(ValueError, match="257 signatures in one call, at most 256"):
            await pool.endpoints[0].signature_statuses(["one"] * 257)
        assert node.calls == []
        assert len((await pool.endpoints[0].multiple_accounts([A] * 100)).value) == 100


async def test_statuses_transactions_and_heights_are_read() -> None:
    node = FakeNode(slot=10, block_height=8)
    err = {"InstructionError": [0, {"Custom": 6208}]}
    node.statuses = {"one": status(5, "finalized"), "two": status(6, "processed", err)}
    meta = {"err": err, "logMessages": ["a"], "computeUnitsConsumed": 3, "fee": 5_000}
    node.transactions = {"two": {"slot": 6, "meta": meta, "transaction": []}}
    async with serving(node) as urls, RpcPool(urls, QUICK) as pool:
        endpoint = pool.endpoints[0]
        first, second, third = (await endpoint.signature_statuses(["one", "two", "three"])).value
        assert first is not None
        assert second is not None
        assert (first.confirmation, first.err, second.err, third) == ("finalized", None, err, None)
        landed = await endpoint.transaction("two")
        assert landed is not None
        assert (landed.slot, landed.err, landed.logs, landed.units_consumed) == (6, err, ("a",), 3)
        assert await endpoint.transaction("one") is None
        info = await endpoint.epoch_info()
        assert (info.absolute_slot, info.block_height) == (10, 8)
        assert (await endpoint.latest_blockhash()).last_valid_block_height == 158
    assert node.calls[0][1][1] == {"searchTransactionHistory": True}


async def test_first_endpoint_that_answers_serves() -> None:
    down, up = FakeNode(), FakeNode(slot=5)
    down.fail("getSlot", *[http_error(500)] * 6)
    async with serving(down, up) as urls, RpcPool(urls, QUICK) as pool:
        assert await pool.first(lambda endpoint: endpoint.slot()) == 5
        up.fail("getSlot", *[http_error(500)] * 3)
        with pytest.raises(RpcUnreachable):
            await pool.first(lambda endpoint: endpoint.slot())


async def test_endpoint_of_another_cluster_is_named() -> None:
    one, other = FakeNode(), FakeNode(genesis_hash=A)
    async with serving(one, other) as urls, RpcPool(urls, QUICK) as pool:
        with pytest.raises(WrongCluster, match=r"127\.0\.0\.1"):
            await pool.check_cluster()
        other.genesis_hash = GENESIS
        assert await pool.check_cluster() == GENESIS
        with pytest.raises(WrongCluster):
            await pool.check_cluster(expected=A)
