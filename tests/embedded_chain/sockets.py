"""Websocket subscriptions while something happens, and the notifications that they bring."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
from solders.instruction import Instruction
from solders.message import MessageV0
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction
from spl.token import instructions as spl
from spl.token.constants import TOKEN_PROGRAM_ID

from tests.embedded_chain.scenario import (
    HOLDER,
    MEMO_PROGRAM,
    NOBODY,
    PAYER,
    PLAIN_MINT,
    SOL,
    UNSEEN_SIGNATURE,
    Play,
    ata,
    normal,
    shape,
)

_DEADLINE_SECS = 60


def _requests(signature: str) -> dict[str, tuple[str, list[Any]]]:
    """Those that bring at least one notification each."""
    holder = HOLDER.pubkey()
    account = str(ata(holder, PLAIN_MINT.pubkey(), TOKEN_PROGRAM_ID))
    mine = {"memcmp": {"offset": 32, "bytes": str(holder)}}
    sliced = {"encoding": "base64", "dataSlice": {"offset": 64, "length": 8}}
    found: dict[str, tuple[str, list[Any]]] = {}
    for commitment in ("processed", "confirmed", "finalized"):
        at = {"commitment": commitment}
        found |= {
            f"account {commitment}": ("accountSubscribe", [account, {**at, "encoding": "jsonParsed"}]),
            f"account slice {commitment}": ("accountSubscribe", [account, {**at, **sliced}]),
            f"program {commitment}": (
                "programSubscribe",
                [str(TOKEN_PROGRAM_ID), {**at, "encoding": "jsonParsed", "filters": [mine]}],
            ),
            f"logs {commitment}": ("logsSubscribe", [{"mentions": [account]}, at]),
            f"signature {commitment}": ("signatureSubscribe", [signature, at]),
        }
    return found | {
        "account default": ("accountSubscribe", [str(holder)]),
        "slot": ("slotSubscribe", []),
        "root": ("rootSubscribe", []),
    }


_REFUSED: dict[str, tuple[str, Any]] = {
    "account none": ("accountSubscribe", []),
    "account bad": ("accountSubscribe", ["abc"]),
    "account number": ("accountSubscribe", [5]),
    "account encoding": ("accountSubscribe", [str(NOBODY), {"encoding": "hex"}]),
    "program bad": ("programSubscribe", ["abc"]),
    "logs unknown": ("logsSubscribe", ["some"]),
    "logs two mentions": ("logsSubscribe", [{"mentions": [str(NOBODY), str(NOBODY)]}]),
    "logs bad mention": ("logsSubscribe", [{"mentions": ["abc"]}]),
    "logs number": ("logsSubscribe", [5]),
    "signature bad": ("signatureSubscribe", ["abc"]),
    "signature not base58": ("signatureSubscribe", ["0OIl"]),
    "block": ("blockSubscribe", ["all"]),
    "vote": ("voteSubscribe", []),
    "rpc method": ("getSlot", []),
    "unknown": ("nothingSubscribe", []),
    "unsubscribe unknown": ("slotUnsubscribe", [999_999]),
    "unsubscribe text": ("slotUnsubscribe", ["1"]),
    "unsubscribe none": ("accountUnsubscribe", []),
}


class _Socket:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._next_id = 1
        self.told: dict[int, list[dict[str, Any]]] = {}

    async def ask(self, method: str, params: Any) -> dict[str, Any]:
        number = self._next_id
        self._next_id += 1
        await self._socket.send_json({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        while True:
            message = await self.receive()
            if message.get("id") == number:
                return {**message, "id": 0}

    async def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self._socket.receive_str())
        if "params" in message:
            self.told.setdefault(message["params"]["subscription"], []).append(message)
        return message


async def notifications(story: Play) -> dict[str, Any]:
    """First notification of each subscription, refusals, and what unsubscribing answers."""
    chain = story.chain
    payer, holder = PAYER.pubkey(), HOLDER.pubkey()
    mint = PLAIN_MINT.pubkey()
    source, destination = (ata(who, mint, TOKEN_PROGRAM_ID) for who in (payer, holder))
    moving = spl.transfer(spl.TransferParams(TOKEN_PROGRAM_ID, source, destination, payer, 7, []))
    lamports = transfer(TransferParams(from_pubkey=payer, to_pubkey=holder, lamports=SOL))
    memo = Instruction(MEMO_PROGRAM, b"for subscribers", [])
    message = MessageV0.try_compile(payer, [memo, moving, lamports], [], await story.blockhash())
    tx = VersionedTransaction(message, [PAYER])
    signature = str(tx.signatures[0])
    story.note("for subscribers", signature)
    found: dict[str, Any] = {}
    async with (
        asyncio.timeout(_DEADLINE_SECS),
        aiohttp.ClientSession() as session,
        session.ws_connect(chain.ws_url) as raw_socket,
    ):
        socket = _Socket(raw_socket)
        for name, (method, params) in _REFUSED.items():
            found[f"refused {name}"] = await socket.ask(method, params)
        numbers = {}
        for name, (method, params) in _requests(signature).items():
            answer = await socket.ask(method, params)
            numbers[name] = answer["result"]
        import base64

        wire = base64.b64encode(bytes(tx)).decode()
        await chain.call("sendTransaction", [wire, {"encoding": "base64", "preflightCommitment": "confirmed"}])
        while not all(number in socket.told for number in numbers.values()):
            await socket.receive()
        for name, number in numbers.items():
            told = socket.told[number][0]
            found[name] = shape(told, story.names) if name == "root" else normal(told, story.names)
        found["unsubscribe slot"] = await socket.ask("slotUnsubscribe", [numbers["slot"]])
        found["unsubscribe slot again"] = await socket.ask("slotUnsubscribe", [numbers["slot"]])
        found["unsubscribe as another kind"] = await socket.ask("slotUnsubscribe", [numbers["root"]])
        found["unsubscribe signature after its notification"] = await socket.ask(
            "signatureUnsubscribe", [numbers["signature processed"]]
        )
        late = await socket.ask("signatureSubscribe", [signature, {"commitment": "finalized"}])
        while late["result"] not in socket.told:
            await socket.receive()
        found["signature of the past"] = normal(socket.told[late["result"]][0], story.names)
        unseen = await socket.ask("signatureSubscribe", [UNSEEN_SIGNATURE])
        found["unsubscribe unseen signature"] = await socket.ask("signatureUnsubscribe", [unseen["result"]])
    return found
