"""What only the embedded chain allows: slots made by hand, and several calls in one HTTP request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from xstocks_daemon.chain.addresses import CLOCK_SYSVAR, base58
from xstocks_daemon.chain.rpc import AccountInfo, RpcEndpoint
from xstocks_daemon.chain.rpc.answers import parse_account
from xstocks_daemon.domain.units import Address

Request = tuple[str, Sequence[Any]]
"""A method and its parameters."""
#: Where the Clock sysvar keeps its unix_timestamp (i64, the last field).
_UNIX_TIMESTAMP = slice(32, 40)
ADVANCE_ONE_SLOT: Request = ("localnet_advanceSlots", [{"slots": 1}])


def unix_ts_of(clock: AccountInfo | None) -> int:
    """The time (Unix seconds) in the Clock sysvar."""
    assert clock is not None
    return int.from_bytes(clock.data[_UNIX_TIMESTAMP], "little", signed=True)


class SteppingEndpoint(RpcEndpoint):
    """What it is sent is confirmed by the time it answers, so that code which waits for confirmations never waits."""

    async def send(self, transaction: bytes, *, skip_preflight: bool = True) -> str:
        """sendTransaction, and a new slot."""
        signature = await super().send(transaction, skip_preflight=skip_preflight)
        await self.call(*ADVANCE_ONE_SLOT)
        return signature

    async def request_airdrop(self, address: Address, lamports: int) -> str:
        """requestAirdrop, and a new slot."""
        signature = await super().request_airdrop(address, lamports)
        await self.call(*ADVANCE_ONE_SLOT)
        return signature


@dataclass(frozen=True, slots=True)
class BatchEndpoint:
    """JSON-RPC batches: the chain runs their calls in order, with nothing of anybody else between them."""

    url: str
    session: aiohttp.ClientSession

    async def call(self, *requests: Request) -> list[Any]:
        """The results in order; None for a call that was answered with an error.

        aiohttp.ClientError where no answer comes, ValueError for another number of answers.
        """
        batch = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}
            for number, (method, params) in enumerate(requests)
        ]
        async with self.session.post(self.url, json=batch) as response:
            answers = json.loads(await response.read())
        by_id = {answer["id"]: answer.get("result") for answer in answers}
        if set(by_id) != set(range(len(requests))):
            raise ValueError(f"{len(requests)} calls, answers to {sorted(by_id)}")
        return [by_id[number] for number in range(len(requests))]

    async def accounts_and_clock(self, addresses: Sequence[Address]) -> tuple[dict[Address, AccountInfo | None], int]:
        """Accounts as confirmed, and the clock (Unix seconds) as the next transaction sees it."""
        names = [base58(each) for each in addresses]
        found, clock = await self.call(
            ("getMultipleAccounts", [names, {"commitment": "confirmed", "encoding": "base64"}]),
            ("getMultipleAccounts", [[base58(CLOCK_SYSVAR)], {"commitment": "processed", "encoding": "base64"}]),
        )
        accounts = dict(zip(addresses, map(parse_account, found["value"]), strict=True))
        return accounts, unix_ts_of(parse_account(clock["value"][0]))
