"""The requests whose answers are compared, with what the play has left on the chain."""

# ruff: noqa: E501 - tables: one request, one line

from __future__ import annotations

import base64
from typing import Any

from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction
from spl.token import instructions as spl
from spl.token.constants import TOKEN_2022_PROGRAM_ID, TOKEN_PROGRAM_ID

from tests.embedded_chain.scenario import (
    CLOCK_SYSVAR,
    HOLDER,
    MANY_MINT,
    NOBODY,
    NONCE,
    OTHER,
    PAYER,
    PLAIN_MINT,
    RENT_SYSVAR,
    SOL,
    UNSEEN_SIGNATURE,
    XSTOCK_MINT,
    Play,
    Probe,
    ata,
    token_2022,
)

T22, TOKEN = str(TOKEN_2022_PROGRAM_ID), str(TOKEN_PROGRAM_ID)
NOBODY_TEXT = str(NOBODY)


def probes(story: Play, blockhash: Hash) -> list[Probe]:
    return [
        *_accounts(story),
        *_tokens(),
        *_lookups(story),
        *_sending(story, blockhash),
        *_fees(blockhash),
        *_cluster(),
    ]


def _accounts(story: Play) -> list[Probe]:
    payer, holder = PAYER.pubkey(), HOLDER.pubkey()
    xstock, plain, many = XSTOCK_MINT.pubkey(), PLAIN_MINT.pubkey(), MANY_MINT.pubkey()
    named: dict[str, str] = {
        "wallet": str(holder),
        "xstock mint": str(xstock),
        "plain mint": str(plain),
        "many mint": str(many),
        "xstock account": str(ata(holder, xstock, TOKEN_2022_PROGRAM_ID)),
        "plain account with delegate": str(ata(holder, plain, TOKEN_PROGRAM_ID)),
        "many account": str(ata(payer, many, TOKEN_2022_PROGRAM_ID)),
        "lookup table": str(story.table),
        "clock": CLOCK_SYSVAR,
        "rent": RENT_SYSVAR,
        "epoch schedule": "SysvarEpochSchedu1e111111111111111111111111",
        "token program": TOKEN,
        "token-2022 program": T22,
        "nobody": NOBODY_TEXT,
    }
    found = []
    for name, address in named.items():
        sliced = {"offset": 0, "length": 4}
        found.append(Probe(f"account {name} parsed", "getAccountInfo", [address, {"encoding": "jsonParsed"}]))
        # The clock's and the rent's data are compared parsed.
        found.append(
            Probe(
                f"account {name} slice",
                "getAccountInfo",
                [address, {"encoding": "base64", "dataSlice": sliced}],
                shape=name == "clock",
            )
        )
    nonce = str(NONCE.pubkey())
    mint = str(xstock)
    filters: list[Any] = [{"dataSize": 165}, {"memcmp": {"offset": 0, "bytes": str(plain)}}]
    b64_filter = {"memcmp": {"offset": 0, "bytes": base64.b64encode(bytes(plain)).decode(), "encoding": "base64"}}
    sliced_config = {"encoding": "base64", "dataSlice": {"offset": 64, "length": 8}}
    return [
        *found,
        Probe("account nonce parsed", "getAccountInfo", [nonce, {"encoding": "jsonParsed"}], shape=True),
        Probe("account default encoding", "getAccountInfo", [str(ata(holder, plain, TOKEN_PROGRAM_ID)), {"dataSlice": {"offset": 0, "length": 64}}]),
        Probe("account base58", "getAccountInfo", [str(plain), {"encoding": "base58"}]),
        Probe("account base58 too long", "getAccountInfo", [mint, {"encoding": "base58"}]),
        Probe("account zstd", "getAccountInfo", [str(plain), {"encoding": "base64+zstd"}], shape=True),
        Probe("account slice beyond", "getAccountInfo", [str(plain), {"encoding": "base64", "dataSlice": {"offset": 80, "length": 50}}]),
        Probe("account slice outside", "getAccountInfo", [str(plain), {"encoding": "base64", "dataSlice": {"offset": 100, "length": 5}}]),
        Probe("account slice incomplete", "getAccountInfo", [str(plain), {"encoding": "base64", "dataSlice": {"offset": 1}}]),
        Probe("account slice wrong type", "getAccountInfo", [str(plain), {"encoding": "base64", "dataSlice": {"offset": "1", "length": 2}}]),
        Probe("account unknown encoding", "getAccountInfo", [mint, {"encoding": "hex"}]),
        Probe("account unknown commitment", "getAccountInfo", [NOBODY_TEXT, {"commitment": "max"}]),
        Probe("account no parameters", "getAccountInfo", []),
        Probe("account params absent", "getAccountInfo", None),
        Probe("account params an object", "getAccountInfo", {"pubkey": mint}),
        Probe("account number", "getAccountInfo", [5]),
        Probe("account null", "getAccountInfo", [None]),
        Probe("account short address", "getAccountInfo", ["abc"]),
        Probe("account long address", "getAccountInfo", [mint + "1234"]),
        Probe("account not base58", "getAccountInfo", ["0OIl"]),
        Probe("account config number", "getAccountInfo", [mint, 5]),
        Probe("account config string", "getAccountInfo", [mint, "base64"]),
        Probe("account too many parameters", "getAccountInfo", [mint, {}, 3]),
        Probe("account future slot", "getAccountInfo", [mint, {"minContextSlot": 10**12}]),
        Probe("account past slot", "getAccountInfo", [NOBODY_TEXT, {"minContextSlot": 1}]),
        Probe("account negative slot", "getAccountInfo", [mint, {"minContextSlot": -1}]),
        Probe("account fractional slot", "getAccountInfo", [mint, {"minContextSlot": 1.5}]),
        Probe("multiple", "getMultipleAccounts", [[str(plain), NOBODY_TEXT, str(holder)]]),
        Probe("multiple parsed", "getMultipleAccounts", [[str(plain), NOBODY_TEXT], {"encoding": "jsonParsed"}]),
        Probe("multiple none", "getMultipleAccounts", [[]]),
        Probe("multiple 100", "getMultipleAccounts", [[NOBODY_TEXT] * 100]),
        Probe("multiple 101", "getMultipleAccounts", [[NOBODY_TEXT] * 101]),
        Probe("multiple not a list", "getMultipleAccounts", [NOBODY_TEXT]),
        Probe("multiple bad address", "getMultipleAccounts", [[NOBODY_TEXT, "abc"]]),
        Probe("multiple future slot", "getMultipleAccounts", [[NOBODY_TEXT], {"minContextSlot": 10**12}]),
        Probe("balance", "getBalance", [str(holder)]),
        Probe("balance nobody", "getBalance", [NOBODY_TEXT]),
        Probe("balance bad address", "getBalance", ["x"]),
        Probe("balance future slot", "getBalance", [NOBODY_TEXT, {"minContextSlot": 10**12}]),
        Probe("program accounts", "getProgramAccounts", [TOKEN, {"encoding": "base64", "filters": [filters[0], {"memcmp": {"offset": 32, "bytes": str(holder)}}]}]),
        Probe("program accounts parsed", "getProgramAccounts", [T22, {"encoding": "jsonParsed", "filters": [{"memcmp": {"offset": 32, "bytes": str(holder)}}, {"memcmp": {"offset": 0, "bytes": mint}}]}]),
        Probe("program accounts base64 filter", "getProgramAccounts", [TOKEN, {**sliced_config, "filters": [b64_filter, {"memcmp": {"offset": 32, "bytes": str(holder)}}]}]),
        Probe("program accounts with context", "getProgramAccounts", [TOKEN, {**sliced_config, "withContext": True, "filters": [*filters, {"memcmp": {"offset": 32, "bytes": str(holder)}}]}]),
        Probe("program accounts state filter", "getProgramAccounts", [TOKEN, {**sliced_config, "filters": ["tokenAccountState", {"memcmp": {"offset": 32, "bytes": str(holder)}}]}]),
        Probe("program accounts none", "getProgramAccounts", [NOBODY_TEXT]),
        Probe("program accounts none with context", "getProgramAccounts", [NOBODY_TEXT, {"withContext": True}]),
        Probe("program accounts bad program", "getProgramAccounts", ["x"]),
        Probe("program accounts bad filter", "getProgramAccounts", [TOKEN, {"filters": [{"nope": 1}]}]),
        Probe("program accounts bad memcmp", "getProgramAccounts", [TOKEN, {"filters": [{"memcmp": {"offset": 0, "bytes": "0OIl"}}]}]),
        Probe("program accounts long memcmp", "getProgramAccounts", [TOKEN, {"filters": [{"memcmp": {"offset": 0, "bytes": "2" * 200}}]}]),
        Probe("program accounts five filters", "getProgramAccounts", [TOKEN, {"filters": [{"dataSize": 1}] * 5}]),
        Probe("program accounts future slot", "getProgramAccounts", [TOKEN, {"minContextSlot": 10**12}]),
    ]  # fmt: skip


def _tokens() -> list[Probe]:
    payer, holder = PAYER.pubkey(), HOLDER.pubkey()
    xstock, plain, many = XSTOCK_MINT.pubkey(), PLAIN_MINT.pubkey(), MANY_MINT.pubkey()
    xstock_account = str(ata(holder, xstock, TOKEN_2022_PROGRAM_ID))
    parsed = {"encoding": "jsonParsed"}
    return [
        Probe("token balance scaled", "getTokenAccountBalance", [xstock_account]),
        Probe("token balance plain", "getTokenAccountBalance", [str(ata(holder, plain, TOKEN_PROGRAM_ID))]),
        Probe("token balance interest", "getTokenAccountBalance", [str(ata(payer, many, TOKEN_2022_PROGRAM_ID))]),
        Probe("token balance zero", "getTokenAccountBalance", [str(ata(holder, many, TOKEN_2022_PROGRAM_ID))]),
        Probe("token balance nobody", "getTokenAccountBalance", [NOBODY_TEXT]),
        Probe("token balance wallet", "getTokenAccountBalance", [str(holder)]),
        Probe("token balance mint", "getTokenAccountBalance", [str(plain)]),
        Probe("token balance xstock mint", "getTokenAccountBalance", [str(xstock)]),
        Probe("token supply scaled", "getTokenSupply", [str(xstock)]),
        Probe("token supply plain", "getTokenSupply", [str(plain)]),
        Probe("token supply nobody", "getTokenSupply", [NOBODY_TEXT]),
        Probe("token supply account", "getTokenSupply", [xstock_account]),
        Probe("token supply wallet", "getTokenSupply", [str(holder)]),
        Probe("token largest scaled", "getTokenLargestAccounts", [str(xstock)]),
        Probe("token largest plain", "getTokenLargestAccounts", [str(plain)]),
        Probe("token largest nobody", "getTokenLargestAccounts", [NOBODY_TEXT]),
        Probe("token largest wallet", "getTokenLargestAccounts", [str(holder)]),
        Probe("token by owner and mint", "getTokenAccountsByOwner", [str(holder), {"mint": str(xstock)}, parsed]),
        Probe("token by owner and program", "getTokenAccountsByOwner", [str(holder), {"programId": TOKEN}, parsed]),
        Probe("token by owner base64", "getTokenAccountsByOwner", [str(holder), {"programId": TOKEN}, {"encoding": "base64"}]),
        Probe("token by owner none", "getTokenAccountsByOwner", [NOBODY_TEXT, {"programId": T22}]),
        Probe("token by owner no mint", "getTokenAccountsByOwner", [str(holder), {"mint": NOBODY_TEXT}]),
        Probe("token by owner wallet as mint", "getTokenAccountsByOwner", [str(holder), {"mint": str(payer)}]),
        Probe("token by owner no program", "getTokenAccountsByOwner", [str(holder), {"programId": NOBODY_TEXT}]),
        Probe("token by owner empty filter", "getTokenAccountsByOwner", [str(holder), {}]),
        Probe("token by owner unknown filter", "getTokenAccountsByOwner", [str(holder), {"owner": "x"}]),
        Probe("token by owner one parameter", "getTokenAccountsByOwner", [str(holder)]),
        Probe("token by owner bad mint", "getTokenAccountsByOwner", [str(holder), {"mint": "x"}]),
        Probe("token by delegate", "getTokenAccountsByDelegate", [str(OTHER.pubkey()), {"mint": str(plain)}, parsed]),
        Probe("token by delegate none", "getTokenAccountsByDelegate", [NOBODY_TEXT, {"programId": TOKEN}]),
    ]  # fmt: skip


def _lookups(story: Play) -> list[Probe]:
    signatures = story.signatures
    latest = {"maxSupportedTransactionVersion": 0}
    found = []
    for name, signature in signatures.items():
        found += [
            # Raw data of this one holds a slot.
            Probe(f"transaction {name}", "getTransaction", [signature, latest], shape=name == "lookup table"),
            Probe(f"transaction {name} parsed", "getTransaction", [signature, {**latest, "encoding": "jsonParsed"}]),
        ]
    legacy, v0 = signatures["transfer plain"], signatures["transfer xstock"]
    failed = signatures["landed failure"]
    holder = str(HOLDER.pubkey())
    return [
        *found,
        Probe("transaction legacy without version", "getTransaction", [legacy]),
        Probe("transaction v0 without version", "getTransaction", [v0]),
        Probe("transaction encoding as string", "getTransaction", [legacy, "json"]),
        Probe("transaction base64", "getTransaction", [v0, {**latest, "encoding": "base64"}], shape=True),
        Probe("transaction base58", "getTransaction", [v0, {**latest, "encoding": "base58"}], shape=True),
        Probe("transaction binary", "getTransaction", [legacy, "binary"], shape=True),
        Probe("transaction unknown encoding", "getTransaction", [legacy, {"encoding": "hex"}]),
        Probe("transaction unseen", "getTransaction", [UNSEEN_SIGNATURE]),
        Probe("transaction processed", "getTransaction", [legacy, {"commitment": "processed"}]),
        Probe("transaction bad signature", "getTransaction", ["abc"]),
        Probe("transaction not base58", "getTransaction", ["0OIl"]),
        Probe("transaction no parameters", "getTransaction", []),
        Probe("statuses", "getSignatureStatuses", [[legacy, UNSEEN_SIGNATURE, failed]]),
        Probe("statuses with history", "getSignatureStatuses", [[legacy, UNSEEN_SIGNATURE], {"searchTransactionHistory": True}]),
        Probe("statuses none", "getSignatureStatuses", [[]]),
        Probe("statuses 257", "getSignatureStatuses", [[UNSEEN_SIGNATURE] * 257]),
        Probe("statuses bad signature", "getSignatureStatuses", [["abc"]]),
        Probe("statuses not a list", "getSignatureStatuses", [legacy]),
        Probe("statuses bad config", "getSignatureStatuses", [[legacy], {"searchTransactionHistory": 1}]),
        Probe("signatures of holder", "getSignaturesForAddress", [holder]),
        Probe("signatures limited", "getSignaturesForAddress", [holder, {"limit": 2}]),
        Probe("signatures before", "getSignaturesForAddress", [holder, {"before": signatures["transfer plain"], "limit": 1}]),
        Probe("signatures until", "getSignaturesForAddress", [holder, {"until": signatures["accounts many"]}]),
        Probe("signatures with error and memo", "getSignaturesForAddress", [str(PAYER.pubkey()), {"before": signatures["lookup table"], "limit": 3}]),
        Probe("signatures of nobody", "getSignaturesForAddress", [str(Keypair.from_seed(bytes(32)).pubkey())]),
        Probe("signatures limit 0", "getSignaturesForAddress", [holder, {"limit": 0}]),
        Probe("signatures limit 1001", "getSignaturesForAddress", [holder, {"limit": 1001}]),
        Probe("signatures processed", "getSignaturesForAddress", [holder, {"commitment": "processed"}]),
        Probe("signatures bad address", "getSignaturesForAddress", ["x"]),
        Probe("signatures bad before", "getSignaturesForAddress", [holder, {"before": "abc"}]),
        Probe("signatures future slot", "getSignaturesForAddress", [holder, {"minContextSlot": 10**12}]),
    ]  # fmt: skip


def _wire(instructions: list[Instruction], blockhash: Hash, *, payer: Keypair = PAYER, legacy: bool = False) -> str:
    if legacy:
        message: Any = Message.new_with_blockhash(instructions, payer.pubkey(), blockhash)
    else:
        message = MessageV0.try_compile(payer.pubkey(), instructions, [], blockhash)
    return base64.b64encode(bytes(VersionedTransaction(message, [payer]))).decode()


def _misshapen(blockhash: Hash) -> str:
    """A transaction whose instruction names a program that is not among its accounts."""
    wire = bytearray(base64.b64decode(_wire([_pay(SOL)], blockhash, legacy=True)))
    # After one signature, the header, three accounts, the blockhash and the count of instructions.
    wire[65 + 3 + 1 + 3 * 32 + 32 + 1] = 9
    return base64.b64encode(bytes(wire)).decode()


def _pay(lamports: int, to: Pubkey = NOBODY, source: Pubkey | None = None) -> Instruction:
    return transfer(TransferParams(from_pubkey=source or PAYER.pubkey(), to_pubkey=to, lamports=lamports))


def _sending(story: Play, blockhash: Hash) -> list[Probe]:
    payer, holder = PAYER.pubkey(), HOLDER.pubkey()
    xstock = XSTOCK_MINT.pubkey()
    source, destination = (ata(who, xstock, TOKEN_2022_PROGRAM_ID) for who in (payer, holder))
    too_much = spl.transfer_checked(
        spl.TransferCheckedParams(TOKEN_2022_PROGRAM_ID, source, xstock, destination, payer, 2**60, 8, [])
    )
    moving = spl.transfer_checked(
        spl.TransferCheckedParams(TOKEN_2022_PROGRAM_ID, source, xstock, destination, payer, 5, 8, [])
    )
    account_for_other = spl.create_idempotent_associated_token_account(
        payer, OTHER.pubkey(), xstock, TOKEN_2022_PROGRAM_ID
    )
    unknown = Hash(bytes(range(32)))
    stranger = Keypair.from_seed(bytes([9] * 32))
    b64, sim = {"encoding": "base64"}, {"encoding": "base64", "commitment": "confirmed"}
    confirmed = {**b64, "preflightCommitment": "confirmed"}
    good = VersionedTransaction(MessageV0.try_compile(payer, [_pay(SOL)], [], blockhash), [PAYER])
    forged = VersionedTransaction.populate(good.message, [Signature(bytes([7] * 64))])
    forged_wire = base64.b64encode(bytes(forged)).decode()
    repeated = base64.b64encode(story.wires["transfer with memo and fee"]).decode()
    repeated_nonce = base64.b64encode(story.wires["transfer with nonce"]).decode()
    wanted = {"addresses": [str(source), NOBODY_TEXT], "encoding": "jsonParsed"}
    return [
        Probe("send custom error", "sendTransaction", [_wire([too_much], blockhash), confirmed]),
        Probe("send system error", "sendTransaction", [_wire([_pay(10**15)], blockhash, legacy=True), confirmed]),
        Probe("send second instruction fails", "sendTransaction", [_wire([_pay(SOL), _pay(10**15)], blockhash), confirmed]),
        Probe("send too little for rent", "sendTransaction", [_wire([_pay(5)], blockhash), confirmed]),
        Probe("send missing program", "sendTransaction", [_wire([Instruction(NOBODY, b"", [])], blockhash), confirmed]),
        Probe("send not a program", "sendTransaction", [_wire([Instruction(holder, b"", [])], blockhash), confirmed]),
        Probe("send invalid data", "sendTransaction", [_wire([token_2022(b"\xc8")], blockhash), confirmed]),
        Probe("send payer unknown", "sendTransaction", [_wire([_pay(5, source=stranger.pubkey())], blockhash, payer=stranger), confirmed]),
        Probe("send unknown blockhash", "sendTransaction", [_wire([_pay(SOL)], unknown), confirmed]),
        Probe("send unknown blockhash skipping preflight", "sendTransaction", [_wire([_pay(SOL)], unknown), {**b64, "skipPreflight": True}]),
        Probe("send repeated", "sendTransaction", [repeated, confirmed]),
        Probe("send repeated nonce", "sendTransaction", [repeated_nonce, confirmed]),
        Probe("send forged", "sendTransaction", [forged_wire, confirmed]),
        Probe("send future slot", "sendTransaction", [_wire([_pay(SOL)], blockhash), {**confirmed, "minContextSlot": 10**12}]),
        Probe("send garbage", "sendTransaction", ["AAAA", b64]),
        Probe("send garbage message", "sendTransaction", [base64.b64encode(bytes([1]) + bytes(64) + b"\1\2").decode(), b64]),
        Probe("send program index out of bounds", "sendTransaction", [_misshapen(blockhash), b64]),
        Probe("send too many signatures", "sendTransaction", [base64.b64encode(b"\2" + bytes(128) + bytes(good.message)).decode(), b64]),
        Probe("send no signature", "sendTransaction", [base64.b64encode(b"\0" + bytes(good.message)).decode(), b64]),
        Probe("send not base58", "sendTransaction", ["0OIl"]),
        Probe("send not base64", "sendTransaction", ["!!", b64]),
        Probe("send not ASCII base64", "sendTransaction", ["é", b64]),
        Probe("send badly padded base64", "sendTransaction", ["AAAAA", b64]),
        Probe("send bad encoding", "sendTransaction", ["AAAA", {"encoding": "jsonParsed"}]),
        Probe("send unknown encoding", "sendTransaction", ["AAAA", {"encoding": "hex"}]),
        Probe("send too long base64", "sendTransaction", ["A" * 1700, b64]),
        Probe("send too long base58", "sendTransaction", ["2" * 1690]),
        Probe("send no parameters", "sendTransaction", []),
        Probe("send bad preflight commitment", "sendTransaction", [_wire([_pay(SOL)], blockhash), {**b64, "preflightCommitment": 5}]),
        Probe("send unknown preflight commitment", "sendTransaction", [_wire([_pay(SOL)], blockhash), {**b64, "preflightCommitment": "max"}]),
        Probe("simulate transfer", "simulateTransaction", [_wire([_pay(SOL)], blockhash), sim]),
        Probe("simulate token transfer", "simulateTransaction", [_wire([moving], blockhash), sim]),
        Probe("simulate verified", "simulateTransaction", [_wire([_pay(SOL)], blockhash), {**sim, "sigVerify": True}]),
        Probe("simulate forged verified", "simulateTransaction", [forged_wire, {**sim, "sigVerify": True}]),
        Probe("simulate forged", "simulateTransaction", [forged_wire, sim]),
        Probe("simulate replaced", "simulateTransaction", [_wire([_pay(SOL)], unknown), {**sim, "replaceRecentBlockhash": True}]),
        Probe("simulate unknown blockhash", "simulateTransaction", [_wire([_pay(SOL)], unknown), sim]),
        Probe("simulate both", "simulateTransaction", [_wire([_pay(SOL)], blockhash), {**sim, "sigVerify": True, "replaceRecentBlockhash": True}]),
        Probe("simulate accounts", "simulateTransaction", [_wire([moving], blockhash), {**sim, "accounts": wanted}]),
        Probe("simulate accounts base64", "simulateTransaction", [_wire([_pay(SOL)], blockhash), {**sim, "accounts": {"addresses": [NOBODY_TEXT], "encoding": "base64"}}]),
        Probe("simulate accounts base58", "simulateTransaction", [_wire([_pay(SOL)], blockhash), {**sim, "accounts": {"addresses": [NOBODY_TEXT], "encoding": "base58"}}]),
        Probe("simulate too many accounts", "simulateTransaction", [_wire([_pay(SOL)], blockhash), {**sim, "accounts": {"addresses": [NOBODY_TEXT] * 9, "encoding": "base64"}}]),
        Probe("simulate failure with accounts", "simulateTransaction", [_wire([too_much], blockhash), {**sim, "accounts": wanted}]),
        Probe("simulate inner", "simulateTransaction", [_wire([account_for_other], blockhash), {**sim, "innerInstructions": True}]),
        Probe("simulate failure", "simulateTransaction", [_wire([too_much], blockhash), sim]),
        Probe("simulate payer unknown", "simulateTransaction", [_wire([_pay(5, source=stranger.pubkey())], blockhash, payer=stranger), sim]),
        Probe("simulate repeated", "simulateTransaction", [repeated, sim]),
        Probe("simulate garbage", "simulateTransaction", ["AAAA", b64]),
        Probe("airdrop bad address", "requestAirdrop", ["x", 5]),
        Probe("airdrop one parameter", "requestAirdrop", [NOBODY_TEXT]),
        Probe("airdrop text", "requestAirdrop", [NOBODY_TEXT, "5"]),
        Probe("airdrop", "requestAirdrop", [str(OTHER.pubkey()), SOL], shape=True),
    ]  # fmt: skip


def _fees(blockhash: Hash) -> list[Probe]:
    from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price

    def message(*instructions: Instruction, legacy: bool = False, recent: Hash = blockhash) -> str:
        built: Any
        if legacy:
            built = Message.new_with_blockhash(list(instructions), PAYER.pubkey(), recent)
            return base64.b64encode(bytes(built)).decode()
        built = MessageV0.try_compile(PAYER.pubkey(), list(instructions), [], recent)
        return base64.b64encode(bytes([0x80]) + bytes(built)[1:] if bytes(built)[0] == 0x80 else bytes(built)).decode()

    confirmed = {"commitment": "confirmed"}
    return [
        Probe("fee legacy", "getFeeForMessage", [message(_pay(5), legacy=True), confirmed]),
        Probe("fee v0", "getFeeForMessage", [message(_pay(5)), confirmed]),
        Probe("fee with price", "getFeeForMessage", [message(set_compute_unit_price(1_000_001), set_compute_unit_limit(33_333), _pay(5), legacy=True), confirmed]),
        Probe("fee with price and default limit", "getFeeForMessage", [message(set_compute_unit_price(77), _pay(5), token_2022(b"\x15"), legacy=True), confirmed]),
        Probe("fee unknown blockhash", "getFeeForMessage", [message(_pay(5), legacy=True, recent=Hash(bytes(range(32)))), confirmed]),
        Probe("fee garbage", "getFeeForMessage", ["AAAA"]),
        Probe("fee program index out of bounds", "getFeeForMessage", [base64.b64encode(base64.b64decode(_misshapen(blockhash))[65:]).decode(), confirmed]),
        Probe("fee not base64", "getFeeForMessage", ["!"]),
        Probe("latest blockhash", "getLatestBlockhash", []),
        Probe("latest blockhash future slot", "getLatestBlockhash", [{"minContextSlot": 10**12}]),
        Probe("blockhash valid", "isBlockhashValid", [str(blockhash), confirmed]),
        Probe("blockhash unknown", "isBlockhashValid", [NOBODY_TEXT]),
        Probe("blockhash bad", "isBlockhashValid", ["x"]),
        Probe("blockhash not base58", "isBlockhashValid", ["0OIl"]),
        Probe("rent 0", "getMinimumBalanceForRentExemption", [0]),
        Probe("rent 165", "getMinimumBalanceForRentExemption", [165]),
        Probe("rent text", "getMinimumBalanceForRentExemption", ["165"]),
        Probe("rent negative", "getMinimumBalanceForRentExemption", [-1]),
        Probe("prioritization fees", "getRecentPrioritizationFees", [[]], shape=True),
        Probe("prioritization fees 129", "getRecentPrioritizationFees", [[NOBODY_TEXT] * 129]),
        Probe("prioritization fees bad", "getRecentPrioritizationFees", [["x"]]),
    ]  # fmt: skip


def _cluster() -> list[Probe]:
    far = 10**9
    return [
        Probe("epoch info", "getEpochInfo", []),
        Probe("epoch info confirmed", "getEpochInfo", [{"commitment": "confirmed"}]),
        Probe("epoch info future slot", "getEpochInfo", [{"minContextSlot": 10**12}]),
        Probe("epoch schedule", "getEpochSchedule", []),
        Probe("epoch schedule parameter", "getEpochSchedule", [1]),
        Probe("slot", "getSlot", [], shape=True),
        Probe("slot future", "getSlot", [{"minContextSlot": 10**12}]),
        Probe("slot number", "getSlot", [1]),
        Probe("slot two parameters", "getSlot", [{}, {}]),
        Probe("block height", "getBlockHeight", [{"commitment": "processed"}], shape=True),
        Probe("transaction count", "getTransactionCount", [], shape=True),
        Probe("slot leader", "getSlotLeader", [], shape=True),
        Probe("slot leaders", "getSlotLeaders", [0, 2], shape=True),
        Probe("slot leaders 0", "getSlotLeaders", [0, 0]),
        Probe("slot leaders 5001", "getSlotLeaders", [0, 5001]),
        Probe("block 0", "getBlock", [0]),
        Probe("block 5 no details", "getBlock", [5, {"transactionDetails": "none", "rewards": False}]),
        Probe("block far", "getBlock", [far]),
        Probe("block processed", "getBlock", [1, {"commitment": "processed"}]),
        Probe("block unknown details", "getBlock", [1, {"transactionDetails": "some"}]),
        Probe("block text", "getBlock", ["1"]),
        Probe("block no parameters", "getBlock", []),
        Probe("blocks", "getBlocks", [0, 3]),
        Probe("blocks none", "getBlocks", [far, far + 3]),
        Probe("blocks inverted", "getBlocks", [3, 1]),
        Probe("blocks beyond", "getBlocks", [0, far], shape=True),
        Probe("blocks processed", "getBlocks", [0, 3, {"commitment": "processed"}]),
        Probe("blocks with limit", "getBlocksWithLimit", [2, 3]),
        Probe("blocks with limit too many", "getBlocksWithLimit", [0, 500_001]),
        Probe("block time", "getBlockTime", [3], shape=True),
        Probe("block time far", "getBlockTime", [far]),
        Probe("block commitment final", "getBlockCommitment", [3]),
        Probe("block commitment far", "getBlockCommitment", [far]),
        Probe("block commitment none", "getBlockCommitment", []),
        Probe("block commitment two", "getBlockCommitment", [1, 2]),
        Probe("block production", "getBlockProduction", [], shape=True),
        Probe("genesis hash", "getGenesisHash", [], shape=True),
        Probe("genesis hash parameter", "getGenesisHash", [1]),
        Probe("health", "getHealth", []),
        Probe("version", "getVersion", []),
        Probe("identity", "getIdentity", []),
        Probe("first available block", "getFirstAvailableBlock", []),
        Probe("minimum ledger slot", "minimumLedgerSlot", []),
        Probe("vote accounts", "getVoteAccounts", [], shape=True),
        Probe("supply", "getSupply", [{"excludeNonCirculatingAccountsList": True}], shape=True),
        Probe("inflation governor", "getInflationGovernor", [], shape=True),
        Probe("inflation rate", "getInflationRate", [], shape=True),
        Probe("stake minimum delegation", "getStakeMinimumDelegation", []),
        Probe("unknown method", "getNothing", []),
    ]  # fmt: skip
