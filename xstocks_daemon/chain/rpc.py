"""JSON-RPC over HTTP: own envelope, bounded and timed, reads retried, writes never.

The answers' shapes are those of Agave's RPC (docs: solana.com/docs/rpc). One `RpcEndpoint` is one node; `RpcPool`
holds several. Nothing here logs a URL with its user info, path or query: providers put their tokens there.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import itertools
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

import aiohttp
import stamina

from xstocks_daemon.chain.addresses import base58, parse_address
from xstocks_daemon.chain.errors import RpcBehind, RpcError, RpcRefused, RpcUnreachable, WrongCluster
from xstocks_daemon.domain.units import Address
from xstocks_daemon.http import HttpUnreachable, bounded_request, http_session
from xstocks_daemon.redaction import redact_url

Commitment = Literal["processed", "confirmed", "finalized"]
T = TypeVar("T")

MAX_ACCOUNTS_PER_CALL = 100
"""What getMultipleAccounts takes at most."""
MAX_SIGNATURES_PER_CALL = 256
"""What getSignatureStatuses takes at most."""

# Codes of Agave's RpcCustomError (rpc-client-api/src/custom_error.rs).
_NODE_UNHEALTHY = -32005
_MIN_CONTEXT_SLOT_NOT_REACHED = -32016


@dataclass(frozen=True, slots=True)
class RpcLimits:
    """Bounds of one call. `attempts` counts the first one; only reads are tried again."""

    timeout_secs: float = 20.0
    attempts: int = 4
    first_wait_secs: float = 0.2
    max_wait_secs: float = 3.0
    max_body_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """An account as the chain stores it."""

    owner: Address
    data: bytes
    lamports: int
    executable: bool


@dataclass(frozen=True, slots=True)
class AtSlot(Generic[T]):
    """An answer and the slot it was read at (`context.slot`)."""

    slot: int
    value: T


@dataclass(frozen=True, slots=True)
class EpochInfo:
    """Slot and block height of one bank, from one answer."""

    absolute_slot: int
    block_height: int


@dataclass(frozen=True, slots=True)
class LatestBlockhash:
    """A recent blockhash and the last block height at which a transaction with it may still execute."""

    blockhash: bytes
    last_valid_block_height: int
    slot: int


@dataclass(frozen=True, slots=True)
class SignatureStatus:
    """What one node knows of a signature. `err` is the JSON of the runtime's TransactionError, None for success."""

    slot: int
    confirmation: Commitment
    err: Any


@dataclass(frozen=True, slots=True)
class Simulation:
    """The outcome of a simulated transaction."""

    err: Any
    logs: tuple[str, ...]
    units_consumed: int
    slot: int


@dataclass(frozen=True, slots=True)
class LandedTransaction:
    """A transaction of the ledger with its outcome."""

    slot: int
    err: Any
    logs: tuple[str, ...]
    units_consumed: int | None
    fee_lamports: int


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
        told = answer.status == 200 or answer.body.lstrip().startswith(b'{"')
        if not told or answer.status == 429 or answer.status >= 500:
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
            lambda result: EpochInfo(_uint(result["absoluteSlot"]), _uint(result["blockHeight"])),
        )

    async def slot(self, commitment: Commitment = "finalized") -> int:
        """getSlot."""
        return await self.read("getSlot", [{"commitment": commitment}], _uint)

    async def latest_blockhash(self, commitment: Commitment = "confirmed") -> LatestBlockhash:
        """getLatestBlockhash."""
        return await self.read(
            "getLatestBlockhash",
            [{"commitment": commitment}],
            lambda result: LatestBlockhash(
                parse_address(result["value"]["blockhash"], "blockhash"),
                _uint(result["value"]["lastValidBlockHeight"]),
                _uint(result["context"]["slot"]),
            ),
        )

    async def balance_lamports(self, address: Address, commitment: Commitment = "confirmed") -> int:
        """getBalance."""
        return await self.read(
            "getBalance", [base58(address), {"commitment": commitment}], lambda result: _uint(result["value"])
        )

    async def rent_exempt_lamports(self, size_bytes: int) -> int:
        """getMinimumBalanceForRentExemption."""
        return await self.read("getMinimumBalanceForRentExemption", [size_bytes], _uint)

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
            found = AtSlot(_uint(result["context"]["slot"]), tuple(_account(each) for each in result["value"]))
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
                info = _account(row["account"])
                if info is None:
                    raise ValueError("an account without content")
                accounts[parse_address(row["pubkey"])] = info
            return accounts

        config = {"commitment": commitment, "encoding": "base64", "filters": [dict(each) for each in filters]}
        return await self.read("getProgramAccounts", [base58(program_id), config], parse)

    async def signature_statuses(
        self, signatures: Sequence[str], *, search_history: bool = True
    ) -> AtSlot[tuple[SignatureStatus | None, ...]]:
        """getSignatureStatuses (at most 256), searching the whole history unless told not to."""
        if len(signatures) > MAX_SIGNATURES_PER_CALL:
            raise ValueError(f"{len(signatures)} signatures in one call, at most {MAX_SIGNATURES_PER_CALL}")

        def parse(result: Any) -> AtSlot[tuple[SignatureStatus | None, ...]]:
            found = AtSlot(_uint(result["context"]["slot"]), tuple(_status(each) for each in result["value"]))
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
                _uint(result["value"].get("unitsConsumed") or 0),
                _uint(result["context"]["slot"]),
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
                _uint(result["slot"]),
                meta["err"],
                tuple(str(line) for line in meta.get("logMessages") or ()),
                None if units is None else _uint(units),
                _uint(meta["fee"]),
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


class RpcPool:
    """Several endpoints of one cluster and the HTTP session they share. Use as an async context manager.

    Reads that need no agreement go to the first endpoint that answers; `endpoints` are there for those that do.
    """

    def __init__(self, urls: Sequence[str], limits: RpcLimits | None = None) -> None:
        if not urls:
            raise ValueError("at least one endpoint is needed")
        self._urls = tuple(urls)
        self._limits = limits or RpcLimits()
        self._session: aiohttp.ClientSession | None = None
        self._endpoints: tuple[RpcEndpoint, ...] = ()

    async def __aenter__(self) -> Self:
        self._session = http_session()
        self._endpoints = tuple(RpcEndpoint(url, self._session, self._limits) for url in self._urls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    @property
    def endpoints(self) -> tuple[RpcEndpoint, ...]:
        """In the order of the settings. RuntimeError outside the context."""
        if not self._endpoints:
            raise RuntimeError("RpcPool is not open: use it as an async context manager")
        return self._endpoints

    async def first(self, read: Callable[[RpcEndpoint], Awaitable[T]]) -> T:
        """`read` at the first endpoint that answers; the last one's error where none does."""
        last: RpcError | None = None
        for endpoint in self.endpoints:
            try:
                return await read(endpoint)
            except (RpcUnreachable, RpcBehind) as error:
                last = error
        if last is None:
            raise RuntimeError("RpcPool has no endpoints")
        raise last

    async def check_cluster(self, expected: Address | None = None) -> Address:
        """`common_genesis_hash` of all endpoints."""
        return await common_genesis_hash(self.endpoints, expected)

    async def send_everywhere(self, transaction: bytes) -> tuple[RpcError | None, ...]:
        """The same bytes to every endpoint at once; per endpoint what went wrong, None where it took them."""

        async def one(endpoint: RpcEndpoint) -> RpcError | None:
            try:
                await endpoint.send(transaction)
            except RpcError as error:
                return error
            return None

        return tuple(await asyncio.gather(*(one(endpoint) for endpoint in self.endpoints)))


async def common_genesis_hash(endpoints: Sequence[RpcEndpoint], expected: Address | None = None) -> Address:
    """The genesis hash of the cluster, the same at each endpoint and `expected` where given.

    WrongCluster names the endpoint that serves another one.
    """
    for endpoint in endpoints:
        found = await endpoint.genesis_hash()
        expected = found if expected is None else expected
        if found != expected:
            raise WrongCluster(
                f"{endpoint.name} serves the cluster with genesis hash {base58(found)}, expected is "
                f"{base58(expected)}: configure endpoints of that cluster"
            )
    if expected is None:
        raise ValueError("at least one endpoint is needed")
    return expected


def _uint(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("not an unsigned integer")
    return value


def _account(value: Any) -> AccountInfo | None:
    if value is None:
        return None
    text, encoding = value["data"]
    if encoding != "base64":
        raise ValueError("another encoding than asked for")
    return AccountInfo(
        owner=parse_address(value["owner"], "owner"),
        data=base64.b64decode(text, validate=True),
        lamports=_uint(value["lamports"]),
        executable=bool(value["executable"]),
    )


def _status(value: Any) -> SignatureStatus | None:
    if value is None:
        return None
    confirmation = value.get("confirmationStatus")
    if confirmation not in ("processed", "confirmed", "finalized"):
        raise ValueError("unknown confirmationStatus")
    return SignatureStatus(_uint(value["slot"]), confirmation, value["err"])
