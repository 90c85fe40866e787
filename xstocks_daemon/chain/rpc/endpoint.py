"""One node: JSON-RPC with an own envelope, bounded and timed, reads retried, writes never.

Nothing here logs a URL with its user info, path or query: providers put their tokens there.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import aiohttp
import stamina

from xstocks_daemon.chain.addresses import base58, parse_address
from xstocks_daemon.chain.errors import RpcBehind, RpcError, RpcRefused, RpcUnreachable
from xstocks_daemon.chain.rpc.answers import (
    MAX_ACCOUNTS_PER_CALL,
    MAX_SIGNATURES_PER_CALL,
    AccountInfo,
    AtSlot,
    Commitment,
    EpochInfo,
    LandedTransaction,
    LatestBlockhash,
    RpcLimits,
    SignatureStatus,
    Simulation,
    parse_account,
    parse_status,
    parse_uint,
)
from xstocks_daemon.domain.units import Address
from xstocks_daemon.http import HttpUnreachable, bounded_request
from xstocks_daemon.redaction import redact_url

T = TypeVar("T")

# Codes of Agave's RpcCustomError (rpc-client-api/src/custom_error.rs).
_NODE_UNHEALTHY = -32005
_MIN_CONTEXT_SLOT_NOT_REACHED = -32016


class RpcEndpoint:
    """One node. Every method raises RpcUnreachable, RpcRefused or RpcBehind."""

    def __init__(self, url: str, session: aiohttp.ClientSession, limits: RpcLimits | None = None) -> None:
        self._url = url
        self._session = session
        self._limits = limits or RpcLimits()
        self._ids = itertools.count(1)
        self.name = redact_url(url)
        """The endpoint's URL as it may be logged."""

    def __repr__(self) -> str:
        return f"RpcEndpoint({self.name})"

    async def call(self, method: str, params: Sequence[Any] = ()) -> Any:
        """One JSON-RPC call, tried once; gives `result`."""
        request_id = next(self._ids)
        body = json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": list(params)})
        raw = await self._post(method, body)
        try:
            answer = json.loads(raw)
        # RecursionError: brackets nested thousands deep.
        except (ValueError, RecursionError):
            raise RpcUnreachable(self.name, method, f"the answer is not JSON ({len(raw)} bytes)") from None
        if not isinstance(answer, dict) or answer.get("id") not in (request_id, None):
            raise RpcUnreachable(self.name, method, "the answer is not the JSON-RPC answer to this request")
        if (error := answer.get("error")) is not None:
            raise self._refusal(method, error)
        if "result" not in answer or answer.get("id") is None:
            raise RpcUnreachable(self.name, method, "the answer has neither result nor error")
        return answer["result"]

    async def _post(self, method: str, body: str) -> bytes:
        limits = self._limits
        try:
            answer = await bounded_request(
                self._session,
                "POST",
                self._url,
                timeout_secs=limits.timeout_secs,
                max_body_bytes=limits.max_body_bytes,
                body=body,
            )
        except HttpUnreachable as error:
            raise RpcUnreachable(self.name, method, error.reason) from None
        # Some servers send JSON-RPC errors with an HTTP error status: those bodies say more than the status.
        has_envelope = answer.status == 200 or answer.body.lstrip().startswith(b'{"')
        if not has_envelope or answer.status == 429 or answer.status >= 500:
            raise RpcUnreachable(self.name, method, f"HTTP status {answer.status}")
        return answer.body

    def _refusal(self, method: str, error: Any) -> RpcError:
        if not isinstance(error, dict) or not isinstance(error.get("code"), int):
            return RpcUnreachable(self.name, method, "the answer's error has no code")
        code, message = error["code"], str(error.get("message", ""))
        if code in (_NODE_UNHEALTHY, _MIN_CONTEXT_SLOT_NOT_REACHED):
            return RpcBehind(self.name, method, message)
        return RpcRefused(self.name, method, code, message, error.get("data"))

    async def read(self, method: str, params: Sequence[Any], parse: Callable[[Any], T]) -> T:
        """A call that changes nothing, tried again where no usable answer came or the node lags.

        `parse` turns the result into what is wanted; where it cannot, the answer counts as unusable.
        """
        async for attempt in stamina.retry_context(
            on=(RpcUnreachable, RpcBehind),
            attempts=self._limits.attempts,
            timeout=None,
            wait_initial=self._limits.first_wait_secs,
            wait_max=self._limits.max_wait_secs,
        ):
            with attempt:
                result = await self.call(method, params)
                try:
                    return parse(result)
                except (KeyError, TypeError, ValueError, IndexError, AttributeError, binascii.Error) as error:
                    raise RpcUnreachable(
                        self.name, method, f"the answer has another shape than Agave's ({type(error).__name__})"
                    ) from None
        raise AssertionError("stamina either returns or raises")

    async def genesis_hash(self) -> Address:
        """getGenesisHash: what identifies the cluster."""
        return await self.read("getGenesisHash", (), lambda text: parse_address(text, "genesis hash"))

    async def epoch_info(self, commitment: Commitment = "finalized") -> EpochInfo:
        """getEpochInfo: slot and block height of the same bank."""
        return await self.read(
            "getEpochInfo",
            [{"commitment": commitment}],
            lambda result: EpochInfo(parse_uint(result["absoluteSlot"]), parse_uint(result["blockHeight"])),
        )

    async def slot(self, commitment: Commitment = "finalized") -> int:
        """getSlot: the newest slot at this commitment."""
        return await self.read("getSlot", [{"commitment": commitment}], parse_uint)

    async def latest_blockhash(self, commitment: Commitment = "confirmed") -> LatestBlockhash:
        """getLatestBlockhash, with the last block height at which it is valid."""
        return await self.read(
            "getLatestBlockhash",
            [{"commitment": commitment}],
            lambda result: LatestBlockhash(
                parse_address(result["value"]["blockhash"], "blockhash"),
                parse_uint(result["value"]["lastValidBlockHeight"]),
                parse_uint(result["context"]["slot"]),
            ),
        )

    async def balance_lamports(self, address: Address, commitment: Commitment = "confirmed") -> int:
        """getBalance, in lamports; 0 where the account does not exist."""
        return await self.read(
            "getBalance", [base58(address), {"commitment": commitment}], lambda result: parse_uint(result["value"])
        )

    async def rent_exempt_lamports(self, size_bytes: int) -> int:
        """getMinimumBalanceForRentExemption."""
        return await self.read("getMinimumBalanceForRentExemption", [size_bytes], parse_uint)

    async def multiple_accounts(
        self, addresses: Sequence[Address], *, commitment: Commitment = "finalized", min_context_slot: int | None = None
    ) -> AtSlot[tuple[AccountInfo | None, ...]]:
        """getMultipleAccounts in one call (at most 100), so all at one slot. RpcBehind below `min_context_slot`."""
        if len(addresses) > MAX_ACCOUNTS_PER_CALL:
            raise ValueError(f"{len(addresses)} accounts in one call, at most {MAX_ACCOUNTS_PER_CALL} are allowed")
        config: dict[str, Any] = {"commitment": commitment, "encoding": "base64"}
        if min_context_slot is not None:
            config["minContextSlot"] = min_context_slot

        def parse(result: Any) -> AtSlot[tuple[AccountInfo | None, ...]]:
            found = AtSlot(
                parse_uint(result["context"]["slot"]), tuple(parse_account(each) for each in result["value"])
            )
            if len(found.value) != len(addresses):
                raise ValueError("another number of accounts than asked for")
            # A proxy in front of several nodes may ignore minContextSlot: the answer's own slot decides.
            if min_context_slot is not None and found.slot < min_context_slot:
                raise RpcBehind(
                    self.name, "getMultipleAccounts", f"answered at slot {found.slot}, {min_context_slot} was asked for"
                )
            return found

        return await self.read("getMultipleAccounts", [[base58(each) for each in addresses], config], parse)

    async def account(
        self, address: Address, *, commitment: Commitment = "finalized", min_context_slot: int | None = None
    ) -> AtSlot[AccountInfo | None]:
        """One account; None where it does not exist."""
        found = await self.multiple_accounts([address], commitment=commitment, min_context_slot=min_context_slot)
        return AtSlot(found.slot, found.value[0])

    async def program_accounts(
        self, program_id: Address, *, filters: Sequence[Mapping[str, Any]] = (), commitment: Commitment = "finalized"
    ) -> dict[Address, AccountInfo]:
        """getProgramAccounts with the RPC's own filters (memcmp, dataSize)."""

        def parse(result: Any) -> dict[Address, AccountInfo]:
            accounts: dict[Address, AccountInfo] = {}
            for row in result:
                info = parse_account(row["account"])
                if info is None:
                    raise ValueError("an account without content")
                accounts[parse_address(row["pubkey"])] = info
            return accounts

        config = {"commitment": commitment, "encoding": "base64", "filters": [dict(each) for each in filters]}
        return await self.read("getProgramAccounts", [base58(program_id), config], parse)

    async def signature_statuses(
        self, signatures: Sequence[str], *, search_history: bool = True
    ) -> AtSlot[tuple[SignatureStatus | None, ...]]:
        """getSignatureStatuses (at most 256), searching the whole history unless `search_history` is false."""
        if len(signatures) > MAX_SIGNATURES_PER_CALL:
            raise ValueError(f"{len(signatures)} signatures in one call, at most {MAX_SIGNATURES_PER_CALL}")

        def parse(result: Any) -> AtSlot[tuple[SignatureStatus | None, ...]]:
            found = AtSlot(parse_uint(result["context"]["slot"]), tuple(parse_status(each) for each in result["value"]))
            if len(found.value) != len(signatures):
                raise ValueError("another number of statuses than asked for")
            return found

        return await self.read(
            "getSignatureStatuses", [list(signatures), {"searchTransactionHistory": search_history}], parse
        )

    async def simulate(
        self,
        transaction: bytes,
        *,
        commitment: Commitment = "confirmed",
        verify_signatures: bool = False,
        replace_blockhash: bool = True,
    ) -> Simulation:
        """simulateTransaction. By default without signatures and with a blockhash of the node's choice."""
        config = {
            "encoding": "base64",
            "commitment": commitment,
            "sigVerify": verify_signatures,
            "replaceRecentBlockhash": replace_blockhash,
        }
        return await self.read(
            "simulateTransaction",
            [base64.b64encode(transaction).decode(), config],
            lambda result: Simulation(
                result["value"]["err"],
                tuple(str(line) for line in result["value"]["logs"] or ()),
                parse_uint(result["value"].get("unitsConsumed") or 0),
                parse_uint(result["context"]["slot"]),
            ),
        )

    async def transaction(self, signature: str, *, commitment: Commitment = "confirmed") -> LandedTransaction | None:
        """getTransaction; None where the node does not have it (at this commitment)."""

        def parse(result: Any) -> LandedTransaction | None:
            if result is None:
                return None
            meta = result["meta"]
            units = meta.get("computeUnitsConsumed")
            return LandedTransaction(
                parse_uint(result["slot"]),
                meta["err"],
                tuple(str(line) for line in meta.get("logMessages") or ()),
                None if units is None else parse_uint(units),
                parse_uint(meta["fee"]),
            )

        config = {"encoding": "base64", "commitment": commitment, "maxSupportedTransactionVersion": 0}
        return await self.read("getTransaction", [signature, config], parse)

    async def send(self, transaction: bytes, *, skip_preflight: bool = True) -> str:
        """sendTransaction, once, without the node's own resending; gives the signature it answers."""
        config = {
            "encoding": "base64",
            "skipPreflight": skip_preflight,
            "preflightCommitment": "confirmed",
            "maxRetries": 0,
        }
        return str(await self.call("sendTransaction", [base64.b64encode(transaction).decode(), config]))

    async def request_airdrop(self, address: Address, lamports: int) -> str:
        """requestAirdrop, which only test chains serve; gives the signature."""
        return str(await self.call("requestAirdrop", [base58(address), lamports]))
