"""One play on a chain, and many requests about what it left: the same for a validator and the embedded chain.

All keys come from fixed seeds, so most of what a chain answers is the same on every run. What is not (slots,
hashes, times) is replaced by its kind before answers are compared or recorded.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import aiohttp
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
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
from solders.transaction import Transaction, VersionedTransaction
from spl.token import instructions as spl
from spl.token.constants import TOKEN_2022_PROGRAM_ID, TOKEN_PROGRAM_ID

from localnet.harness.chains import Chain

SOL = 10**9
LOOKUP_TABLE_PROGRAM = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
#: Of the two memo programs, the one that logs the same in LiteSVM and in the validator.
MEMO_PROGRAM = Pubkey.from_string("Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo")
RENT_SYSVAR = "SysvarRent111111111111111111111111111111111"
CLOCK_SYSVAR = "SysvarC1ock11111111111111111111111111111111"
ED25519_PROGRAM = Pubkey.from_string("Ed25519SigVerify111111111111111111111111111")
SYSTEM_PROGRAM = Pubkey.from_string("11111111111111111111111111111111")

# The recordings hold the addresses of these seeds.
PAYER = Keypair.from_seed(sha256(b"chain_rpc payer").digest())
HOLDER = Keypair.from_seed(sha256(b"chain_rpc holder").digest())
OTHER = Keypair.from_seed(sha256(b"chain_rpc other").digest())
XSTOCK_MINT = Keypair.from_seed(sha256(b"chain_rpc xstocks mint").digest())
PLAIN_MINT = Keypair.from_seed(sha256(b"chain_rpc plain mint").digest())
MANY_MINT = Keypair.from_seed(sha256(b"chain_rpc many extensions mint").digest())
NONCE = Keypair.from_seed(sha256(b"chain_rpc nonce").digest())
NOBODY = Keypair.from_seed(sha256(b"chain_rpc nobody").digest()).pubkey()
UNSEEN_SIGNATURE = "5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnbJLgp8uirBgmQkjKhoR4tjF3ZpRzrFmBV6UjKdiSZkQUW"
MULTIPLIER = 1.004271967
YEAR_2100_TS = 4_102_444_800


def ata(owner: Pubkey, mint: Pubkey, program: Pubkey) -> Pubkey:
    return spl.get_associated_token_address(owner, mint, program)


@dataclass
class Play:
    """What happened: names of signatures and addresses that differ from run to run."""

    chain: Chain
    signatures: dict[str, str] = field(default_factory=dict)
    names: dict[str | int, str] = field(default_factory=dict)
    table: Pubkey | None = None
    wires: dict[str, bytes] = field(default_factory=dict)

    async def blockhash(self) -> Hash:
        latest = await self.chain.call("getLatestBlockhash", [{"commitment": "confirmed"}])
        return Hash.from_string(latest["value"]["blockhash"])

    async def send(
        self,
        name: str,
        instructions: Sequence[Instruction],
        signers: Sequence[Keypair],
        *,
        skip_preflight: bool = False,
        legacy: bool = False,
        nonce: Hash | None = None,
        tables: Sequence[Any] = (),
    ) -> str:
        """Send and wait until confirmed, whatever its outcome."""
        blockhash = nonce or await self.blockhash()
        tx: Transaction | VersionedTransaction
        if legacy:
            message = Message.new_with_blockhash(list(instructions), signers[0].pubkey(), blockhash)
            tx = Transaction(list(signers), message, blockhash)
        else:
            v0 = MessageV0.try_compile(signers[0].pubkey(), list(instructions), list(tables), blockhash)
            tx = VersionedTransaction(v0, list(signers))
        self.wires[name] = bytes(tx)
        options = {"encoding": "base64", "skipPreflight": skip_preflight, "preflightCommitment": "confirmed"}
        signature = await self.chain.call("sendTransaction", [base64.b64encode(bytes(tx)).decode(), options])
        self.note(name, signature)
        for index, further in enumerate(tx.signatures[1:], 1):
            self.names[str(further)] = f"<signature {name} {index}>"
        await self.wait(signature, "confirmed")
        return str(signature)

    def note(self, name: str, signature: str) -> None:
        self.signatures[name] = signature
        self.names[signature] = f"<signature {name}>"

    async def wait(self, signature: str, commitment: str) -> dict[str, Any]:
        wanted = {"confirmed": ("confirmed", "finalized"), "finalized": ("finalized",)}[commitment]
        async with asyncio.timeout(60):
            while True:
                answer = await self.chain.call("getSignatureStatuses", [[signature]])
                status = answer["value"][0]
                if status is not None and status["confirmationStatus"] in wanted:
                    return dict(status)
                await asyncio.sleep(0.02)

    async def wait_past(self, slot: int) -> None:
        """What a slot adds to a lookup table is usable from the next one on."""
        async with asyncio.timeout(60):
            while True:
                if await self.chain.call("getSlot", [{"commitment": "confirmed"}]) > slot:
                    return
                await asyncio.sleep(0.02)


def option(pubkey: Pubkey | None) -> bytes:
    """An option of one tag byte; Token-2022 takes no bytes after a zero tag in mint initialisation."""
    return b"\0" if pubkey is None else b"\1" + bytes(pubkey)


def token_2022(data: bytes, *accounts: AccountMeta) -> Instruction:
    return Instruction(TOKEN_2022_PROGRAM_ID, data, list(accounts))


def _mint_meta(mint: Pubkey) -> AccountMeta:
    return AccountMeta(mint, False, True)


def _borsh(text: str) -> bytes:
    return struct.pack("<I", len(text.encode())) + text.encode()


def xstock_extensions(mint: Pubkey, authority: Pubkey) -> list[Instruction]:
    key, none = bytes(authority), bytes(32)
    meta = _mint_meta(mint)
    return [
        token_2022(b"\x27\0" + key + bytes(mint), meta),
        token_2022(b"\x23" + key, meta),
        token_2022(b"\x1c\0\1", meta),
        token_2022(b"\x2b\0" + key + struct.pack("<d", MULTIPLIER), meta),
        token_2022(b"\x2c\0" + key, meta),
        token_2022(b"\x1b\0" + key + b"\0" + none, meta),
        token_2022(b"\x24\0" + key + none, meta),
    ]


def many_extensions(mint: Pubkey, authority: Pubkey) -> list[Instruction]:
    key, meta = bytes(authority), _mint_meta(mint)
    return [
        token_2022(b"\x1a\0" + option(authority) + option(authority) + struct.pack("<HQ", 25, 10**9), meta),
        token_2022(b"\x19" + option(authority), meta),
        # A rate of zero: amounts do not move with time.
        token_2022(b"\x21\0" + key + struct.pack("<h", 0), meta),
        token_2022(b"\x28\0" + key + bytes(mint), meta),
        token_2022(b"\x29\0" + key + bytes(mint), meta),
    ]


XSTOCK_SPACE = 166 + 4 + 64 + 4 + 32 + 4 + 1 + 4 + 56 + 4 + 33 + 4 + 65 + 4 + 64
MANY_SPACE = 166 + 4 + 108 + 4 + 32 + 4 + 52 + 4 + 64 + 4 + 64


def metadata_initialize(mint: Pubkey, authority: Pubkey) -> Instruction:
    tag = sha256(b"spl_token_metadata_interface:initialize_account").digest()[:8]
    data = tag + _borsh("Example xStock") + _borsh("EXx") + _borsh("https://example.invalid/EXx.json")
    return token_2022(
        data,
        _mint_meta(mint),
        AccountMeta(authority, False, False),
        AccountMeta(mint, False, False),
        AccountMeta(authority, True, False),
    )


def initialize_mint2(program: Pubkey, mint: Pubkey, decimals: int, authority: Pubkey) -> Instruction:
    data = bytes([20, decimals]) + bytes(authority) + option(authority)
    return Instruction(program, data, [_mint_meta(mint)])


async def play(chain: Chain) -> Play:
    """Everything that the requests ask about; done when all of it is final."""
    story = Play(chain)
    payer, holder = PAYER.pubkey(), HOLDER.pubkey()
    for name, who in (("airdrop payer", PAYER), ("airdrop holder", HOLDER)):
        signature = await chain.call("requestAirdrop", [str(who.pubkey()), 100 * SOL])
        story.note(name, signature)
        await story.wait(signature, "confirmed")
        given = await chain.call("getTransaction", [signature, {"commitment": "confirmed"}])
        story.names[given["transaction"]["message"]["accountKeys"][0]] = "<faucet>"
    # LiteSVM's memo program has the same code in a file of another size.
    story.names[(await chain.call("getBalance", [str(MEMO_PROGRAM)]))["value"]] = "<rent of the memo program>"
    story.names[(await chain.call("getIdentity"))["identity"]] = "<identity>"
    await _mints(story)
    xstock, plain, many = XSTOCK_MINT.pubkey(), PLAIN_MINT.pubkey(), MANY_MINT.pubkey()
    for name, mint, program, amount_raw, decimals in (
        ("xstock", xstock, TOKEN_2022_PROGRAM_ID, 123_456_789_012, 8),
        ("plain", plain, TOKEN_PROGRAM_ID, 5_000_000, 6),
        ("many", many, TOKEN_2022_PROGRAM_ID, 1_500, 2),
    ):
        accounts = [
            spl.create_idempotent_associated_token_account(payer, who, mint, program) for who in (payer, holder)
        ]
        await story.send(f"accounts {name}", accounts, [PAYER])
        minting = spl.mint_to_checked(
            spl.MintToCheckedParams(program, mint, ata(payer, mint, program), payer, amount_raw, decimals, [])
        )
        await story.send(f"mint {name}", [minting], [PAYER])
    await story.send("transfer xstock", [_checked(xstock, 23_456_789_012, 8)], [PAYER])
    plain_from, plain_to = (ata(who, plain, TOKEN_PROGRAM_ID) for who in (payer, holder))
    moving = spl.transfer(spl.TransferParams(TOKEN_PROGRAM_ID, plain_from, plain_to, payer, 1_250_000, []))
    await story.send("transfer plain", [moving], [PAYER], legacy=True)
    approving = spl.approve(spl.ApproveParams(TOKEN_PROGRAM_ID, plain_to, OTHER.pubkey(), holder, 500_000, []))
    await story.send("approve", [approving], [HOLDER])
    memo = Instruction(MEMO_PROGRAM, b"a note", [])
    lamports = transfer(TransferParams(from_pubkey=payer, to_pubkey=OTHER.pubkey(), lamports=2 * SOL))
    budget = [set_compute_unit_limit(50_000), set_compute_unit_price(20_000)]
    await story.send("transfer with memo and fee", [*budget, memo, lamports], [PAYER], legacy=True)
    for name, data in (
        ("pause", b"\x2c\1"),
        ("resume", b"\x2c\2"),
        ("update multiplier", b"\x2b\1" + struct.pack("<dq", 1.5, YEAR_2100_TS)),
    ):
        changing = token_2022(data, _mint_meta(xstock), AccountMeta(payer, True, False))
        await story.send(name, [changing], [PAYER])
    await story.send("landed failure", [_checked(xstock, 2**60, 8)], [PAYER], skip_preflight=True)
    await _lookup_table(story)
    await _nonce(story)
    for signature in story.signatures.values():
        await story.wait(signature, "finalized")
    return story


def _checked(mint: Pubkey, amount_raw: int, decimals: int) -> Instruction:
    source, destination = (ata(who.pubkey(), mint, TOKEN_2022_PROGRAM_ID) for who in (PAYER, HOLDER))
    return spl.transfer_checked(
        spl.TransferCheckedParams(
            TOKEN_2022_PROGRAM_ID, source, mint, destination, PAYER.pubkey(), amount_raw, decimals, []
        )
    )


async def _mints(story: Play) -> None:
    payer = PAYER.pubkey()
    for name, key, program, space, decimals, extensions in (
        ("xstock", XSTOCK_MINT, TOKEN_2022_PROGRAM_ID, XSTOCK_SPACE, 8, xstock_extensions),
        ("plain", PLAIN_MINT, TOKEN_PROGRAM_ID, 82, 6, None),
        ("many", MANY_MINT, TOKEN_2022_PROGRAM_ID, MANY_SPACE, 2, many_extensions),
    ):
        mint = key.pubkey()
        create = create_account(
            CreateAccountParams(from_pubkey=payer, to_pubkey=mint, lamports=SOL // 10, space=space, owner=program)
        )
        instructions = [create, *(extensions(mint, payer) if extensions else [])]
        instructions.append(initialize_mint2(program, mint, decimals, payer))
        if name == "xstock":
            instructions.append(metadata_initialize(mint, payer))
        await story.send(f"create {name}", instructions, [PAYER, key])


async def _lookup_table(story: Play) -> None:
    payer = PAYER.pubkey()
    slot = await story.chain.call("getSlot", [{"commitment": "confirmed"}])
    recent = slot - 1
    table, bump = Pubkey.find_program_address([bytes(payer), struct.pack("<Q", recent)], LOOKUP_TABLE_PROGRAM)
    story.table = table
    story.names[str(table)] = "<lookup table>"
    metas = [AccountMeta(table, False, True), AccountMeta(payer, True, False), AccountMeta(payer, True, True)]
    metas.append(AccountMeta(SYSTEM_PROGRAM, False, False))
    creating = Instruction(LOOKUP_TABLE_PROGRAM, struct.pack("<IQB", 0, recent, bump), metas)
    entries = [OTHER.pubkey(), XSTOCK_MINT.pubkey(), NOBODY]
    extending = Instruction(
        LOOKUP_TABLE_PROGRAM, struct.pack("<IQ", 2, len(entries)) + b"".join(map(bytes, entries)), metas
    )
    signature = await story.send("lookup table", [creating, extending], [PAYER])
    await story.wait_past((await story.wait(signature, "confirmed"))["slot"])
    lookup = _table_account(table, entries)
    lamports = transfer(TransferParams(from_pubkey=payer, to_pubkey=OTHER.pubkey(), lamports=SOL))
    await story.send("transfer with lookup table", [lamports], [PAYER], tables=[lookup])


def _table_account(table: Pubkey, entries: Sequence[Pubkey]) -> Any:
    from solders.address_lookup_table_account import AddressLookupTableAccount

    return AddressLookupTableAccount(table, list(entries))


async def _nonce(story: Play) -> None:
    payer = PAYER.pubkey()
    create = create_account(
        CreateAccountParams(
            from_pubkey=payer, to_pubkey=NONCE.pubkey(), lamports=SOL // 100, space=80, owner=SYSTEM_PROGRAM
        )
    )
    initialize = initialize_nonce_account(InitializeNonceAccountParams(nonce_pubkey=NONCE.pubkey(), authority=payer))
    await story.send("create nonce", [create, initialize], [PAYER, NONCE])
    account = await story.chain.call(
        "getAccountInfo", [str(NONCE.pubkey()), {"encoding": "base64", "commitment": "confirmed"}]
    )
    stored = Hash(base64.b64decode(account["value"]["data"][0])[40:72])
    story.names[str(stored)] = "<used nonce>"
    advance = advance_nonce_account(AdvanceNonceAccountParams(nonce_pubkey=NONCE.pubkey(), authorized_pubkey=payer))
    lamports = transfer(TransferParams(from_pubkey=payer, to_pubkey=OTHER.pubkey(), lamports=SOL))
    await story.send("transfer with nonce", [advance, lamports], [PAYER], nonce=stored)


# Answers


#: Fields whose value differs from run to run: only their kind is kept.
VOLATILE = frozenset(
    {
        "absoluteSlot", "blockHeight", "blockTime", "blockhash", "confirmations", "contextSlot", "epochStartTimestamp",
        "feature-set", "featureSet", "identity", "lastExtendedSlot", "lastValidBlockHeight", "nodePubkey",
        "parent", "parentSlot", "previousBlockhash", "recentBlockhash", "recentSlot", "bumpSeed",
        "root", "slot", "slotIndex", "subscription", "transactionCount", "transactionIndex", "unixTimestamp",
        "votePubkey", "lastVote", "rootSlot", "initializationTimestamp", "lastUpdateTimestamp", "shredVersion",
    }
)  # fmt: skip


def normal(value: Any, names: dict[str | int, str], key: str = "") -> Any:
    """`value` with what differs from run to run replaced by its kind."""
    if key in VOLATILE and not isinstance(value, dict | list) and value is not None:
        replaced = names.get(value) if isinstance(value, str) else None
        return replaced or f"<{type(value).__name__}>"
    if isinstance(value, dict):
        value = _without_build(value)
        return {names.get(name, name): normal(item, names, name) for name, item in sorted(value.items())}
    if isinstance(value, list):
        return [normal(item, names, "") for item in value]
    if isinstance(value, str):
        for known, name in names.items():
            if isinstance(known, str):
                value = value.replace(known, name)
        return value
    if type(value) is int:
        return names.get(value, value)
    return value


def _without_build(value: dict[str, Any]) -> dict[str, Any]:
    """Compute units and sizes depend on the build of a program: compared only where none but natives ran."""
    for key in ("logs", "logMessages"):
        logs = value.get(key)
        if isinstance(logs, list) and any(" consumed " in line for line in logs):
            changed = dict(value)
            changed[key] = [re.sub(r"consumed \d+ of \d+", "consumed <int> of <int>", line) for line in logs]
            for figure in ("unitsConsumed", "computeUnitsConsumed", "costUnits", "loadedAccountsDataSize"):
                if isinstance(value.get(figure), int):
                    changed[figure] = "<int>"
            return changed
    return value


@dataclass(frozen=True)
class Probe:
    """A request and how its answer is compared: `shape` keeps only keys and kinds of the result."""

    name: str
    method: str
    params: Any
    shape: bool = False


def shape(value: Any, names: dict[str | int, str]) -> Any:
    """Keys and kinds only; a list is as its first entry."""
    if isinstance(value, dict):
        return {names.get(name, name): shape(item, names) for name, item in sorted(value.items())}
    if isinstance(value, list):
        return [shape(value[0], names)] if value else []
    return "<null>" if value is None else f"<{type(value).__name__}>"


async def raw_call(session: aiohttp.ClientSession, url: str, method: str, params: Any) -> dict[str, Any]:
    request = {"jsonrpc": "2.0", "id": 1, "method": method}
    if params is not None:
        request["params"] = params
    async with session.post(url, json=request) as response:
        return dict(json.loads(await response.read()))


async def answers(story: Play, probes: Sequence[Probe]) -> dict[str, Any]:
    """The comparable answer to each request."""
    found = {}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        for probe in probes:
            answer = await raw_call(session, story.chain.rpc_url, probe.method, probe.params)
            compared = shape(answer, story.names) if probe.shape else normal(answer, story.names)
            found[probe.name] = compared
    return found
