"""What the embedded chain models: commitment, blockhash window, history, and its own localnet_ methods.

Slots are advanced by hand, so nothing here waits. Where a rule is a validator's, both chains answer alike in
test_recorded.py; here are those that a recording cannot show.
"""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import struct
from collections.abc import AsyncIterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solana.rpc.types import TxOpts
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import (
    AdvanceNonceAccountParams,
    CreateAccountParams,
    InitializeNonceAccountParams,
    TransferParams,
    advance_nonce_account,
    create_account,
    initialize_nonce_account,
    transfer,
)
from solders.transaction import VersionedTransaction

from localnet.harness.chains import (
    EMBEDDED_MODULE,
    Chain,
    ChainRpcError,
    ChainStartError,
    GenesisAccount,
    UpgradeableProgram,
    chain_process,
)
from localnet.harness.paths import EMBEDDED_PYTHON, ROOT
from tests.embedded_chain.scenario import (
    CLOCK_SYSVAR,
    ED25519_PROGRAM,
    LOOKUP_TABLE_PROGRAM,
    MEMO_PROGRAM,
    SYSTEM_PROGRAM,
)

SOL = 10**9
LAG = 8
OWNED = {"lamports": 1, "owner": str(SYSTEM_PROGRAM)}
pytestmark = pytest.mark.asyncio(loop_scope="module")

FEE = 5_000
UPGRADEABLE_LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")
TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
PAYER = Keypair.from_seed(sha256(b"behaviour payer").digest())
RECEIVER = Keypair.from_seed(sha256(b"behaviour receiver").digest()).pubkey()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[Chain]:
    async with chain_process("embedded", manual_slots=True, finalized_lag=LAG) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def chain(shared: Chain) -> Chain:
    """The module's one chain, with the payer rich and the receiver absent at every commitment."""
    for pubkey, lamports in ((PAYER.pubkey(), 100 * SOL), (RECEIVER, 0)):
        account = {"lamports": lamports, "owner": str(SYSTEM_PROGRAM)}
        await shared.call("localnet_setAccount", [str(pubkey), account])
    await shared.advance_slots(LAG)
    return shared


async def blockhash(chain: Chain, commitment: str = "processed") -> Hash:
    latest = await chain.call("getLatestBlockhash", [{"commitment": commitment}])
    return Hash.from_string(latest["value"]["blockhash"])


def pay(lamports: int, to: Pubkey = RECEIVER) -> Instruction:
    return transfer(TransferParams(from_pubkey=PAYER.pubkey(), to_pubkey=to, lamports=lamports))


def signed(instructions: Sequence[Instruction], recent: Hash, *signers: Keypair) -> VersionedTransaction:
    message = MessageV0.try_compile(PAYER.pubkey(), list(instructions), [], recent)
    return VersionedTransaction(message, [PAYER, *signers])


async def send(chain: Chain, tx: VersionedTransaction, **options: Any) -> str:
    wire = base64.b64encode(bytes(tx)).decode()
    return str(
        await chain.call(
            "sendTransaction", [wire, {"encoding": "base64", "preflightCommitment": "processed", **options}]
        )
    )


async def balance(chain: Chain, commitment: str, of: Pubkey = RECEIVER) -> int:
    return int((await chain.call("getBalance", [str(of), {"commitment": commitment}]))["value"])


async def status(chain: Chain, signature: str, **options: Any) -> dict[str, Any] | None:
    answer = await chain.call("getSignatureStatuses", [[signature], options])
    found: dict[str, Any] | None = answer["value"][0]
    return found


async def balances(chain: Chain) -> tuple[int, int, int]:
    levels = [await balance(chain, level) for level in ("processed", "confirmed", "finalized")]
    return levels[0], levels[1], levels[2]


# Commitment


async def test_commitment_lags(chain: Chain) -> None:
    signature = await send(chain, signed([pay(SOL)], await blockhash(chain)))
    assert await balances(chain) == (SOL, 0, 0)
    found = await status(chain, signature)
    assert found is not None
    assert (found["confirmationStatus"], found["confirmations"]) == ("processed", 0)
    assert await chain.call("getTransaction", [signature, {"commitment": "confirmed"}]) is None
    await chain.advance_slots(1)
    assert await balances(chain) == (SOL, SOL, 0)
    found = await status(chain, signature)
    assert found is not None
    assert (found["confirmationStatus"], found["confirmations"]) == ("confirmed", 1)
    await chain.advance_slots(LAG - 2)
    assert await balances(chain) == (SOL, SOL, 0)
    await chain.advance_slots(1)
    assert await balances(chain) == (SOL, SOL, SOL)
    found = await status(chain, signature)
    assert found is not None
    assert (found["confirmationStatus"], found["confirmations"]) == ("finalized", None)


async def test_every_older_value_is_kept_until_final(chain: Chain) -> None:
    for step in range(1, LAG + 4):
        await send(chain, signed([pay(SOL + step)], await blockhash(chain)))
        slot = await chain.advance_slots(1)
        final = await chain.call("getAccountInfo", [str(RECEIVER), {"encoding": "base64"}])
        assert final["context"]["slot"] == slot - LAG
        # Payment k was made step - k slots before this one, and a slot has begun since.
        expected = sum(SOL + paid for paid in range(1, step + 1) if step - paid + 1 >= LAG)
        held = 0 if final["value"] is None else final["value"]["lamports"]
        assert held == expected


async def test_program_accounts_as_of_the_commitment(chain: Chain) -> None:
    owner, address = Keypair().pubkey(), Keypair().pubkey()

    async def owned(commitment: str) -> list[str]:
        found = await chain.call("getProgramAccounts", [str(owner), {"commitment": commitment, "encoding": "base64"}])
        return [item["account"]["data"][0] for item in found]

    account = {"lamports": SOL, "owner": str(owner), "data": ["AQ==", "base64"]}
    await chain.call("localnet_setAccount", [str(address), account])
    assert (await owned("processed"), await owned("finalized")) == (["AQ=="], [])
    await chain.advance_slots(LAG)
    assert await owned("finalized") == ["AQ=="]
    await chain.call("localnet_setAccount", [str(address), {**account, "data": ["Ag==", "base64"]}])
    assert (await owned("processed"), await owned("finalized")) == (["Ag=="], ["AQ=="])
    await chain.call("localnet_setAccount", [str(address), {**account, "lamports": 0}])
    assert (await owned("processed"), await owned("finalized")) == ([], ["AQ=="])
    await chain.advance_slots(LAG)
    assert await owned("finalized") == []


async def test_preflight_runs_on_the_state_of_its_commitment(chain: Chain) -> None:
    newcomer = Keypair()
    await chain.call("requestAirdrop", [str(newcomer.pubkey()), 10 * SOL])
    recent = await blockhash(chain, "finalized")
    back = transfer(TransferParams(from_pubkey=newcomer.pubkey(), to_pubkey=RECEIVER, lamports=SOL))
    message = MessageV0.try_compile(newcomer.pubkey(), [back], [], recent)
    tx = VersionedTransaction(message, [newcomer])
    with pytest.raises(ChainRpcError) as refusal:
        await send(chain, tx, preflightCommitment="finalized")
    assert refusal.value.code == -32002
    assert refusal.value.data["err"] == "AccountNotFound"
    # The simulation on older state has left no trace in the newest.
    assert await balance(chain, "processed", newcomer.pubkey()) == 10 * SOL
    await send(chain, tx, preflightCommitment="processed")
    assert await balance(chain, "processed") == SOL


async def test_min_context_slot(chain: Chain) -> None:
    slot = await chain.call("getSlot", [{"commitment": "confirmed"}])
    ask = [str(PAYER.pubkey()), {"commitment": "confirmed", "minContextSlot": slot + 1}]
    with pytest.raises(ChainRpcError) as refusal:
        await chain.call("getBalance", ask)
    assert (refusal.value.code, refusal.value.data) == (-32016, {"contextSlot": slot})
    await chain.advance_slots(1)
    assert (await chain.call("getBalance", ask))["context"]["slot"] == slot + 1


# Blockhashes and repetition


async def test_a_blockhash_lives_150_slots(chain: Chain) -> None:
    latest = (await chain.call("getLatestBlockhash", [{"commitment": "processed"}]))["value"]
    recent, last = Hash.from_string(latest["blockhash"]), latest["lastValidBlockHeight"]
    slot = await chain.call("getSlot", [{"commitment": "processed"}])
    assert last == slot + 150
    await chain.advance_slots(150)
    assert await chain.call("getBlockHeight", [{"commitment": "processed"}]) == last
    await send(chain, signed([pay(SOL)], recent))
    await chain.advance_slots(1)
    valid = await chain.call("isBlockhashValid", [str(recent), {"commitment": "processed"}])
    assert valid["value"] is False
    late = signed([pay(2 * SOL)], recent)
    with pytest.raises(ChainRpcError) as refusal:
        await send(chain, late)
    assert (refusal.value.code, refusal.value.data["err"]) == (-32002, "BlockhashNotFound")
    # Without preflight it is taken, and never lands.
    assert await send(chain, late, skipPreflight=True) == str(late.signatures[0])
    assert await status(chain, str(late.signatures[0]), searchTransactionHistory=True) is None
    assert await balance(chain, "processed") == SOL


async def test_a_transaction_is_executed_once(chain: Chain) -> None:
    tx = signed([pay(SOL)], await blockhash(chain))
    signature = await send(chain, tx)
    with pytest.raises(ChainRpcError) as refusal:
        await send(chain, tx)
    assert (refusal.value.code, refusal.value.data["err"]) == (-32002, "AlreadyProcessed")
    assert refusal.value.message == "Transaction simulation failed: This transaction has already been processed"
    assert await send(chain, tx, skipPreflight=True) == signature
    assert await balance(chain, "processed") == SOL


async def test_statuses_of_the_past_need_a_search(chain: Chain) -> None:
    signature = await send(chain, signed([pay(SOL)], await blockhash(chain)))
    await chain.advance_slots(300)
    assert await status(chain, signature) is not None
    await chain.advance_slots(1)
    assert await status(chain, signature) is None
    assert await status(chain, signature, searchTransactionHistory=True) is not None


async def test_equal_airdrops_are_all_given(chain: Chain) -> None:
    signatures = [await chain.call("requestAirdrop", [str(RECEIVER), SOL]) for _ in range(3)]
    assert len(set(signatures)) == 3
    assert await balance(chain, "processed") == 3 * SOL


# Failures and fees


async def test_a_landed_failure_pays_and_is_recorded(chain: Chain) -> None:
    before = await balance(chain, "processed", PAYER.pubkey())
    tx = signed([pay(SOL), pay(10**15)], await blockhash(chain))
    signature = await send(chain, tx, skipPreflight=True)
    found = await status(chain, signature)
    assert found is not None
    assert found["err"] == {"InstructionError": [1, {"Custom": 1}]}
    assert await balance(chain, "processed", PAYER.pubkey()) == before - FEE
    assert await balance(chain, "processed") == 0


async def test_what_cannot_pay_does_not_land(chain: Chain) -> None:
    stranger = Keypair()
    message = MessageV0.try_compile(stranger.pubkey(), [], [], await blockhash(chain))
    signature = await send(chain, VersionedTransaction(message, [stranger]), skipPreflight=True)
    assert await status(chain, signature, searchTransactionHistory=True) is None


async def test_a_forged_signature_does_not_land(chain: Chain) -> None:
    good = signed([pay(SOL)], await blockhash(chain))
    forged = VersionedTransaction.populate(good.message, [Signature(bytes([3] * 64))])
    signature = await send(chain, forged, skipPreflight=True)
    assert await status(chain, signature) is None
    assert await balance(chain, "processed") == 0
    await send(chain, good)
    assert await balance(chain, "processed") == SOL


async def test_a_transaction_locks_64_accounts_at_most(chain: Chain) -> None:
    table = Keypair().pubkey()
    entries = [Keypair().pubkey() for _ in range(63)]
    # Lookup table: tag 1, not deactivated, extended in slot 0, authority none; addresses from byte 56.
    head = struct.pack("<IQQBB", 1, 2**64 - 1, 0, 0, 0).ljust(56, b"\0")
    content = base64.b64encode(head + b"".join(map(bytes, entries))).decode()
    account = {"lamports": SOL, "owner": str(LOOKUP_TABLE_PROGRAM), "data": [content, "base64"]}
    await chain.call("localnet_setAccount", [str(table), account])
    await chain.advance_slots(1)
    recent = await blockhash(chain)

    async def simulated_err(count: int) -> Any:
        """With the payer and the program, `count` accounts."""
        metas = [AccountMeta(entry, False, False) for entry in entries[: count - 2]]
        lookups = [AddressLookupTableAccount(table, entries)]
        message = MessageV0.try_compile(PAYER.pubkey(), [Instruction(MEMO_PROGRAM, b"", metas)], lookups, recent)
        wire = base64.b64encode(bytes(VersionedTransaction(message, [PAYER]))).decode()
        options = {"encoding": "base64", "commitment": "processed"}
        return (await chain.call("simulateTransaction", [wire, options]))["value"]["err"]

    assert await simulated_err(64) is None
    assert await simulated_err(65) == "TooManyAccountLocks"


async def test_a_failed_nonce_transaction_uses_the_nonce_up(chain: Chain) -> None:
    nonce = Keypair()
    make = create_account(
        CreateAccountParams(
            from_pubkey=PAYER.pubkey(),
            to_pubkey=nonce.pubkey(),
            lamports=SOL,
            space=80,
            owner=SYSTEM_PROGRAM,
        )
    )
    set_up = initialize_nonce_account(
        InitializeNonceAccountParams(nonce_pubkey=nonce.pubkey(), authority=PAYER.pubkey())
    )
    await send(chain, signed([make, set_up], await blockhash(chain), nonce))
    await chain.advance_slots(1)

    async def stored() -> Hash:
        found = await chain.call(
            "getAccountInfo", [str(nonce.pubkey()), {"encoding": "base64", "commitment": "processed"}]
        )
        return Hash(base64.b64decode(found["value"]["data"][0])[40:72])

    advance = advance_nonce_account(
        AdvanceNonceAccountParams(nonce_pubkey=nonce.pubkey(), authorized_pubkey=PAYER.pubkey())
    )
    first = await stored()
    failing = signed([advance, pay(10**15)], first)
    signature = await send(chain, failing, skipPreflight=True)
    found = await status(chain, signature)
    assert found is not None
    assert found["err"] == {"InstructionError": [1, {"Custom": 1}]}
    second = await stored()
    assert second != first
    with pytest.raises(ChainRpcError) as refusal:
        await send(chain, signed([advance, pay(SOL)], first))
    assert refusal.value.data["err"] == "BlockhashNotFound"
    await chain.advance_slots(200)
    await send(chain, signed([advance, pay(SOL)], second))
    assert await balance(chain, "processed") == SOL


def ed25519(message: bytes, key: Keypair, signature: bytes) -> Instruction:
    """One signature; key, signature and message inside the instruction itself."""
    offsets = struct.pack("<7H", 48, 0xFFFF, 16, 0xFFFF, 112, len(message), 0xFFFF)
    return Instruction(ED25519_PROGRAM, b"\1\0" + offsets + bytes(key.pubkey()) + signature + message, [])


async def test_ed25519_precompile(chain: Chain) -> None:
    message = sha256(b"a statement").digest()
    good = bytes(PAYER.sign_message(message))
    before = await balance(chain, "processed", PAYER.pubkey())
    await send(chain, signed([ed25519(message, PAYER, good), pay(SOL)], await blockhash(chain)))
    # The precompile's signature is paid for too.
    assert await balance(chain, "processed", PAYER.pubkey()) == before - SOL - 2 * FEE
    bad = bytes([good[0] ^ 1]) + good[1:]
    with pytest.raises(ChainRpcError) as refusal:
        await send(chain, signed([ed25519(message, PAYER, bad), pay(SOL)], await blockhash(chain)))
    ((kind, (index, _)),) = refusal.value.data["err"].items()
    assert (kind, index) == ("InstructionError", 0)
    assert await balance(chain, "processed") == SOL


# Blocks and history


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


# localnet_ methods


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


# Genesis


async def test_upgradeable_program_has_its_programdata(chain: Chain, tmp_path: Path) -> None:
    """Loaded from the code of Token-2022, under another address."""
    found = await chain.call("getAccountInfo", [str(TOKEN_2022), {"encoding": "base64"}])
    code_at = Pubkey(base64.b64decode(found["value"]["data"][0])[4:36])
    found = await chain.call("getAccountInfo", [str(code_at), {"encoding": "base64"}])
    elf = base64.b64decode(found["value"]["data"][0])[45:]
    so_path = tmp_path / "program.so"
    so_path.write_bytes(elf)
    address, authority = Keypair().pubkey(), Keypair().pubkey()
    dumped = Keypair().pubkey()
    dump_path = tmp_path / "account.json"
    dump = {"lamports": 5 * SOL, "data": ["AQID", "base64"], "owner": str(SYSTEM_PROGRAM), "executable": False}
    dump_path.write_text(json.dumps({"pubkey": str(dumped), "account": {**dump, "rentEpoch": 0}}))
    program = UpgradeableProgram(str(address), so_path, str(authority))
    account = GenesisAccount(str(dumped), dump_path)
    async with chain_process("embedded", programs=[program], accounts=[account], manual_slots=True) as loaded:
        programdata, _ = Pubkey.find_program_address([bytes(address)], UPGRADEABLE_LOADER)
        shown = await loaded.call("getAccountInfo", [str(address), {"encoding": "jsonParsed"}])
        assert shown["value"]["executable"] is True
        assert shown["value"]["data"]["parsed"]["info"] == {"programData": str(programdata)}
        shown = await loaded.call("getAccountInfo", [str(programdata), {"encoding": "jsonParsed"}])
        assert shown["value"]["owner"] == str(UPGRADEABLE_LOADER)
        info = shown["value"]["data"]["parsed"]["info"]
        assert info == {"authority": str(authority), "data": [base64.b64encode(elf).decode(), "base64"], "slot": 0}
        await loaded.call("requestAirdrop", [str(PAYER.pubkey()), SOL])
        wire = signed([Instruction(address, b"\xc8", [])], await blockhash(loaded))
        with pytest.raises(ChainRpcError) as refusal:
            await send(loaded, wire)
        # It runs: this is Token-2022's own error for an unknown instruction.
        assert refusal.value.data["err"] == {"InstructionError": [0, {"Custom": 12}]}
        assert await balance(loaded, "finalized", dumped) == 5 * SOL


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--bind-address", "0.0.0.0"], "--bind-address"),
        (["--bind-address", "example.invalid"], "--bind-address"),
        (["--slot-ms", "0"], "--slot-ms"),
        (["--confirmed-lag", "0"], "--confirmed-lag"),
        (["--finalized-lag", "0"], "--finalized-lag"),
        (["--faucet-lamports", "0"], "--faucet-lamports"),
        (["--rpc-port", "65535"], "--rpc-port"),
        (["--rpc-port", "x"], "--rpc-port"),
        (["--upgradeable-program", "abc", "missing.so", "none"], "--upgradeable-program ADDRESS"),
        (["--upgradeable-program", str(RECEIVER), "missing.so", "none"], "--upgradeable-program FILE"),
        (["--upgradeable-program", str(RECEIVER), __file__, "none"], "no ELF file"),
        (["--upgradeable-program", str(RECEIVER), __file__, "abc"], "--upgradeable-program AUTHORITY"),
        (["--account", str(RECEIVER), "missing.json"], "--account FILE"),
        (["--account", str(RECEIVER), __file__], "no account dump"),
        (["--unknown"], "--unknown"),
    ],
)
async def test_bad_arguments_are_named(arguments: list[str], named: str) -> None:
    code, err = await run_chain("--rpc-port", "0", *arguments)
    assert code == 2
    assert named in err
    assert "Traceback" not in err


async def test_a_taken_port_is_named(chain: Chain) -> None:
    port = chain.rpc_url.rpartition(":")[2]
    code, err = await run_chain("--rpc-port", port)
    assert code == 1
    assert err.startswith(f"chain: cannot listen on 127.0.0.1:{port}: ")
    assert len(err.splitlines()) == 1


async def run_chain(*arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        str(EMBEDDED_PYTHON),
        "-m",
        EMBEDDED_MODULE,
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(30):
            _, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    return process.returncode, err.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_ready_file_and_graceful_stop(number: signal.Signals, tmp_path: Path) -> None:
    ready_file = tmp_path / "ready.json"
    process = await asyncio.create_subprocess_exec(
        str(EMBEDDED_PYTHON),
        *("-m", EMBEDDED_MODULE, "--rpc-port", "0", "--ready-file", str(ready_file)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            line = (await process.stdout.readline()).decode()
            assert "Simulated chain (LiteSVM" in line
            ready = json.loads(ready_file.read_text())
            assert set(ready) == {"rpc_url", "ws_url", "pid", "genesis_hash"}
            assert ready["pid"] == process.pid
            async with aiohttp.ClientSession() as session, session.ws_connect(ready["ws_url"]) as socket:
                await socket.send_json({"jsonrpc": "2.0", "id": 1, "method": "slotSubscribe"})
                assert (await socket.receive_json())["id"] == 1
                # A subscriber who is still there does not keep it from stopping.
                process.send_signal(number)
                while not (await socket.receive()).type.name.startswith("CLOS"):
                    pass
            _, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0
    assert err == b""


async def test_a_missing_program_file_is_told_by_the_helper(tmp_path: Path) -> None:
    program = UpgradeableProgram(str(RECEIVER), tmp_path / "missing.so", "none")
    with pytest.raises(ChainStartError, match=r"--upgradeable-program FILE: cannot read .*missing\.so"):
        async with chain_process("embedded", programs=[program], rpc_port=0):
            pass


# Clients


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
