"""A running chain as a test uses it: one call sends and gives the outcome; refusals are asserted to the last byte."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.compute_budget import set_compute_unit_limit
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from localnet.harness.chains import Chain, ChainKind
from localnet.harness.wait import until
from tests.support.embedded_rpc import ADVANCE_ONE_SLOT, BatchEndpoint, Request, SteppingEndpoint, unix_ts_of
from tests.support.error_codes import ErrorCode
from tests.support.outcomes import OUTCOMES
from xstocks_daemon.chain.addresses import CLOCK_SYSVAR, base58, parse_address, pubkey
from xstocks_daemon.chain.program.logs import invocations
from xstocks_daemon.chain.rpc import MAX_ACCOUNTS_PER_CALL, AccountInfo, LandedTransaction, RpcEndpoint, Simulation
from xstocks_daemon.chain.transactions import MAX_COMPUTE_UNITS, compile_message, unsigned_transaction
from xstocks_daemon.domain.units import Address

LAMPORTS_PER_SOL = 10**9
_TICK_SECS = 0.005
_POLL_SECS = 0.015
_RESEND_SECS = 0.25
_CONFIRM_SECS = 120.0
_FAUCET_SECS = 3.0
_SEND = {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}
_SIMULATE = {"encoding": "base64", "commitment": "processed", "sigVerify": False, "replaceRecentBlockhash": True}
#: The chain takes requests of up to 50 KiB, a transaction is up to 1,232 bytes.
_SIMULATED_AT_ONCE = 25
_CONFIRMED = {"encoding": "base64", "commitment": "confirmed", "maxSupportedTransactionVersion": 0}


@dataclass(frozen=True, slots=True)
class Call:
    """A transaction to be. `payer` None: the chain's own test payer, whose balance nobody looks at.

    `limit_units` None leaves the compute budget instruction away; otherwise it is the first instruction.
    """

    instructions: tuple[Instruction, ...]
    signers: tuple[Keypair, ...] = ()
    tables: tuple[AddressLookupTableAccount, ...] = ()
    payer: Keypair | None = None
    limit_units: int | None = MAX_COMPUTE_UNITS

    def but(self, **changes: Any) -> Call:
        """The same call with other fields."""
        return replace(self, **changes)

    def __add__(self, other: Call) -> Call:
        """Both in one transaction, this one first."""
        signers = dict.fromkeys((*self.signers, *other.signers))
        return replace(
            self,
            instructions=(*self.instructions, *other.instructions),
            signers=tuple(signers),
            tables=(*self.tables, *other.tables),
        )

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Every account that its instructions name, once."""
        keys = (meta.pubkey for instruction in self.instructions for meta in instruction.accounts)
        return tuple(dict.fromkeys(Address(bytes(key)) for key in keys))


def call(instructions: Instruction | Iterable[Instruction], *signers: Keypair) -> Call:
    """A call of one or more instructions."""
    listed = (instructions,) if isinstance(instructions, Instruction) else tuple(instructions)
    return Call(listed, tuple(signers))


def address_of(keypair: Keypair) -> Address:
    """A keypair's public key."""
    return Address(bytes(keypair.pubkey()))


@contextlib.asynccontextmanager
async def live_chain(process: Chain) -> AsyncIterator[LiveChain]:
    """The chain as tests use it, with connections that last as long as the context."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as session:
        endpoint = SteppingEndpoint if process.kind == "embedded" else RpcEndpoint
        yield LiveChain(process, endpoint(process.rpc_url, session), BatchEndpoint(process.rpc_url, session))


@dataclass(slots=True)
class LiveChain:
    """A chain with its endpoint. On the embedded chain slots advance by these methods only, so nothing waits there."""

    process: Chain
    rpc: RpcEndpoint
    batches: BatchEndpoint
    payer: Keypair = field(default_factory=Keypair)
    _unique: itertools.count[int] = field(default_factory=itertools.count)
    _blockhash: bytes | None = None

    @property
    def kind(self) -> ChainKind:
        """Which chain it is."""
        return self.process.kind

    @property
    def embedded(self) -> bool:
        """Whether slots, clock and accounts can be set."""
        return self.kind == "embedded"

    # ---- sending ------------------------------------------------------------------------------------------------

    async def send(self, sent: Call) -> LandedTransaction:
        """Execute a transaction, without a preflight, and give its outcome once it is confirmed.

        AssertionError where the embedded chain dropped it (it is not a transaction that a leader would take).
        """
        if not self.embedded:
            return await self._send_until_confirmed(sent)
        landed, _accounts = await self._send_at_once(sent, ())
        return landed

    async def _send_at_once(
        self, sent: Call, watched: Sequence[Address]
    ) -> tuple[LandedTransaction, list[tuple[Any, Any]]]:
        """Embedded chain: the outcome, and of each watched account what it was before and after, in one request."""
        looks: list[Request] = [
            (
                "getMultipleAccounts",
                [[base58(each) for each in part], {"commitment": "confirmed", "encoding": "base64"}],
            )
            for part in _parts(watched)
        ]
        # A blockhash that is known already may be too old by now. What was dropped for that never executes.
        for known in (self._blockhash, None):
            blockhash = known or (await self.rpc.latest_blockhash("processed")).blockhash
            transaction = self._signed(sent, blockhash)
            answers = await self.batches.call(
                *looks,
                ("sendTransaction", [base64.b64encode(bytes(transaction)).decode(), _SEND]),
                ADVANCE_ONE_SLOT,
                ("getTransaction", [str(transaction.signatures[0]), _CONFIRMED]),
                *looks,
                ("getLatestBlockhash", [{"commitment": "processed"}]),
            )
            self._blockhash = parse_address(answers[-1]["value"]["blockhash"])
            found = answers[len(looks) + 2]
            if found is not None:
                before, after = answers[: len(looks)], answers[len(looks) + 3 : -1]
                pairs = zip(_values(before), _values(after), strict=True)
                return _landed(found), list(pairs)
        simulation = await self.simulate(sent)
        raise AssertionError(f"the chain dropped the transaction: {simulation.err}")

    async def _send_until_confirmed(self, sent: Call) -> LandedTransaction:
        """A validator under load drops what it is sent: the same bytes go again, others only once those are dead."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_CONFIRM_SECS):
            while True:
                blockhash = await self.rpc.latest_blockhash("confirmed")
                transaction, last_valid_block_height = (
                    self._signed(sent, blockhash.blockhash),
                    blockhash.last_valid_block_height,
                )
                send_at, expired = 0.0, False
                while not expired:
                    if loop.time() >= send_at:
                        # Asked before the outcome: what is missing then can never land.
                        height = (await self.rpc.epoch_info("confirmed")).block_height
                        expired = height > last_valid_block_height
                        signature = await self.rpc.send(bytes(transaction))
                        send_at = loop.time() + _RESEND_SECS
                    if (landed := await self.rpc.transaction(signature)) is not None:
                        return landed
                    await asyncio.sleep(_POLL_SECS)

    async def simulate(self, sent: Call) -> Simulation:
        """What the transaction would do now, without signatures checked. On the embedded chain slots stand still, so
        several simulations, and `clock_ts` between them, see one state and one clock."""
        transaction = self._signed(sent, bytes(Hash.default()))
        return await self.rpc.simulate(bytes(transaction), commitment="processed")

    async def simulate_unsigned(self, tried: Iterable[Sequence[Instruction]]) -> list[Simulation]:
        """The same of instructions alone, many in one request: for thousands of them."""
        requests = [self._simulation(instructions) for instructions in tried]
        results = [
            each
            for at in range(0, len(requests), _SIMULATED_AT_ONCE)
            for each in await self.batches.call(*requests[at : at + _SIMULATED_AT_ONCE])
        ]
        return [_simulated(each) for each in results]

    async def simulate_with(
        self, address: Address, before: AccountInfo, during: AccountInfo, tried: Sequence[Instruction]
    ) -> Simulation:
        """Embedded chain only: the same while an account is another. In one request, after which it is as before."""
        put, simulated, back = await self.batches.call(
            _setting(address, during), self._simulation(tried), _setting(address, before)
        )
        assert None not in (put, back), f"{base58(address)} was not set"
        return _simulated(simulated)

    def _simulation(self, instructions: Sequence[Instruction]) -> Request:
        message = MessageV0.try_compile(self.payer.pubkey(), list(instructions), [], Hash.default())
        content = base64.b64encode(unsigned_transaction(message)).decode()
        return "simulateTransaction", [content, _SIMULATE]

    def _signed(self, sent: Call, blockhash: bytes) -> VersionedTransaction:
        payer = sent.payer or self.payer
        instructions = list(sent.instructions)
        if sent.limit_units is not None:
            # Each transaction asks for another limit, so that the same one twice has two signatures.
            unique = next(self._unique) % 1_000
            instructions.insert(0, set_compute_unit_limit(sent.limit_units - unique))
        message = compile_message(address_of(payer), instructions, blockhash, sent.tables)
        signers = {address_of(each): each for each in (payer, *sent.signers)}
        needed = message.account_keys[: message.header.num_required_signatures]
        return VersionedTransaction(message, [signers[Address(bytes(key))] for key in needed])

    async def accepted(self, sent: Call) -> LandedTransaction:
        """Send the call; AssertionError where the transaction is refused."""
        landed = await self.send(sent)
        assert landed.err is None, f"refused: {landed.err}: " + " | ".join(landed.logs[-6:])
        OUTCOMES.accept(sent.instructions)
        return landed

    async def refused(
        self, sent: Call, error: ErrorCode, *, by: Address, also: Iterable[Address] = ()
    ) -> LandedTransaction:
        """The last instruction fails, raised by program `by` with exactly this number, and no account changes.

        Watched are all accounts that the instructions name and `also`: owner, data and lamports.
        """
        landed = await self.fails(sent, _last_raises(sent, error), also=also)
        failed = [run for run in invocations(landed.logs) if run.failure is not None]
        assert failed, f"no program failed by the log: {landed.logs}"
        deepest = max(failed, key=lambda run: run.depth)
        assert deepest.program == base58(by), f"raised by {deepest.program}: {landed.logs}"
        said = f"Error Code: {error.name}. Error Number: {int(error)}."
        assert any(said in line for line in landed.logs), f"the log does not say {said!r}: {landed.logs}"
        OUTCOMES.refuse(sent.instructions[-1])
        return landed

    async def fails(self, sent: Call, expected: Any, *, also: Iterable[Address] = ()) -> LandedTransaction:
        """The transaction fails with exactly this TransactionError (JSON), and no account changes.

        The embedded chain executes it. A validator simulates it, by the same runtime, since executing takes many slots
        and the tests refuse hundreds of times; `executed_and_refused` is there for the difference.
        """
        if self.embedded:
            return await self.executed_and_refused(sent, expected, also=also)
        simulated = await self.simulate(sent)
        _assert_failed_with(simulated.err, expected, simulated.logs)
        return LandedTransaction(simulated.slot, simulated.err, simulated.logs, simulated.units_consumed, 0)

    async def executed_and_refused(
        self, sent: Call, expected: Any, *, also: Iterable[Address] = ()
    ) -> LandedTransaction:
        """As `fails`, executed on either chain: the failed transaction is in the ledger and costs its payer the fee."""
        # The clock goes on by itself.
        watched = tuple(each for each in dict.fromkeys((*sent.addresses, *also)) if each != CLOCK_SYSVAR)
        if self.embedded:
            landed, pairs = await self._send_at_once(sent, watched)
        else:
            before = await self.accounts(watched)
            landed = await self.send(sent)
            after = await self.accounts(watched)
            pairs = [(before[each], after[each]) for each in watched]
        _assert_failed_with(landed.err, expected, landed.logs)
        payer = address_of(sent.payer or self.payer)
        changed = [
            base58(each) for each, (old, new) in zip(watched, pairs, strict=True) if old != new and each != payer
        ]
        assert changed == [], "accounts changed although the transaction failed"
        return landed

    # ---- reading ------------------------------------------------------------------------------------------------

    async def accounts(self, addresses: Sequence[Address]) -> dict[Address, AccountInfo | None]:
        """Accounts as confirmed, which includes everything that `send` has returned from."""
        found: dict[Address, AccountInfo | None] = {}
        for part in _parts(addresses):
            answer = await self.rpc.multiple_accounts(part, commitment="confirmed")
            found |= dict(zip(part, answer.value, strict=True))
        return found

    async def account(self, address: Address) -> AccountInfo:
        """One account that exists."""
        found = (await self.accounts([address]))[address]
        assert found is not None, f"{base58(address)} does not exist"
        return found

    async def clock_ts(self) -> int:
        """The chain's clock (Unix seconds) as the next transaction would see it, or a moment before."""
        return unix_ts_of((await self.rpc.account(CLOCK_SYSVAR, commitment="processed")).value)

    # ---- making things so ---------------------------------------------------------------------------------------

    async def clock_reaches(self, ts: int) -> None:
        """Wait until the chain's clock is at least `ts`; the embedded chain is put there at once."""
        now_ts = await self.clock_ts()
        if self.embedded and now_ts < ts:
            await self.advance_clock(ts - now_ts)

        async def reached() -> bool:
            return await self.clock_ts() >= ts

        await until(reached, f"the chain's clock at {ts}")

    async def switches_at(self, ts: int, sent: Call, *, before: ErrorCode | None, since: ErrorCode | None) -> None:
        """Embedded chain only: the call's outcome in each second around `ts`; `since` holds from `ts` on (None: it
        passes). Exact, since the clock stands still between two simulations."""
        await self.clock_reaches(ts - 2)
        while (now_ts := await self.clock_ts()) <= ts + 1:
            error = before if now_ts < ts else since
            expected = None if error is None else _last_raises(sent, error)
            simulated = await self.simulate(sent)
            assert simulated.err == expected, f"{now_ts - ts} s: {simulated.err} instead of {expected}"
            await self.advance_clock(1)

    async def advance_clock(self, secs: int) -> None:
        """Embedded chain only: put the clock forward for good. Secs may be zero: a new slot then."""
        await self.rpc.call("localnet_warpClock", [{"advance_secs": secs}])

    async def advance_slots(self, slots: int) -> None:
        """Embedded chain only: begin new slots."""
        await self.rpc.call("localnet_advanceSlots", [{"slots": slots}])

    async def set_account(self, address: Address, info: AccountInfo) -> None:
        """Embedded chain only: replace an account, whatever was there."""
        method, params = _setting(address, info)
        await self.rpc.call(method, params)
        await self.advance_slots(1)

    async def fund(self, *addresses: Address, lamports: int = 10 * LAMPORTS_PER_SOL) -> None:
        """Give each address so many lamports of the test payer's."""
        source = self.payer.pubkey()
        await self.accepted(
            call(
                transfer(TransferParams(from_pubkey=source, to_pubkey=pubkey(each), lamports=lamports))
                for each in addresses
            )
        )

    async def open_faucet(self, lamports: int) -> None:
        """Money for the test payer; asked for again until it comes: a validator may drop the faucet's transfer."""
        payer = address_of(self.payer)
        await self.rpc.request_airdrop(payer, lamports)
        asked_at = asyncio.get_running_loop().time()

        async def funded() -> bool:
            nonlocal asked_at
            if asyncio.get_running_loop().time() > asked_at + _FAUCET_SECS:
                asked_at = asyncio.get_running_loop().time()
                await self.rpc.request_airdrop(payer, lamports)
            return await self.rpc.balance_lamports(payer) >= lamports

        await until(funded, "the faucet's money")

    @contextlib.asynccontextmanager
    async def ticking(self) -> AsyncIterator[None]:
        """Lets slots pass by themselves, for code that waits for confirmations."""
        if not self.embedded:
            yield
            return

        async def tick() -> None:
            while True:
                await self.advance_slots(1)
                await asyncio.sleep(_TICK_SECS)

        ticker = asyncio.create_task(tick())
        try:
            yield
        finally:
            ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticker


def _last_raises(sent: Call, error: ErrorCode) -> Any:
    """The TransactionError (JSON) of a call whose last instruction is refused."""
    last = len(sent.instructions) - (sent.limit_units is None)
    return {"InstructionError": [last, {"Custom": int(error)}]}


def _parts(addresses: Sequence[Address]) -> list[Sequence[Address]]:
    """As many at a time as getMultipleAccounts takes."""
    return [addresses[at : at + MAX_ACCOUNTS_PER_CALL] for at in range(0, len(addresses), MAX_ACCOUNTS_PER_CALL)]


def _values(answers: Iterable[Any]) -> list[Any]:
    """The accounts of several answers of getMultipleAccounts."""
    return [value for answer in answers for value in answer["value"]]


def _setting(address: Address, info: AccountInfo) -> Request:
    """Replaces an account, without a new slot: simulations see it, reads at `confirmed` do not yet."""
    content = {
        "lamports": info.lamports,
        "owner": base58(info.owner),
        "data": [base64.b64encode(info.data).decode(), "base64"],
        "executable": info.executable,
    }
    return "localnet_setAccount", [base58(address), content]


def _simulated(result: Any) -> Simulation:
    """An answer of simulateTransaction."""
    assert result is not None, "the chain does not take the transaction"
    value = result["value"]
    return Simulation(value["err"], tuple(value["logs"]), value["unitsConsumed"], result["context"]["slot"])


def _landed(found: Any) -> LandedTransaction:
    """An answer of getTransaction."""
    meta = found["meta"]
    units, logs = meta["computeUnitsConsumed"], tuple(meta["logMessages"])
    return LandedTransaction(found["slot"], meta["err"], logs, units, meta["fee"])


def _assert_failed_with(err: Any, expected: Any, logs: Sequence[str]) -> None:
    assert err == expected, f"{err} instead of {expected}: " + " | ".join(logs[-6:])
