"""A chain in memory for the daemon's tests: what JSON-RPC nodes show of it, and what they do with transactions.

Its rules are those of the model in tests/domain/chain_model.py. A transaction is executed and final as soon as it is
sent, unless the test says otherwise (`Ledger.fate`).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from solders.transaction import VersionedTransaction

from tests.app.accounts import account_of_asset, mint_account, shared_accounts, table_account
from tests.chain.builders import token_account
from tests.chain.cases import CLIENT
from tests.chain.fake_rpc import GENESIS, FakeNode, status
from tests.domain.chain_model import model_execute, model_submit
from xstocks_daemon.chain.addresses import LOOKUP_TABLE_PROGRAM, base58, parse_address
from xstocks_daemon.chain.errors import RpcRefused, RpcUnreachable
from xstocks_daemon.chain.program.idl import discriminator
from xstocks_daemon.chain.rpc import AccountInfo, RpcEndpoint, RpcPool
from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.snapshot import ChainSnapshot
from xstocks_daemon.domain.statement import SignedStatement, Statement, StatementEntry
from xstocks_daemon.domain.units import Address

ON_CHAIN = {discriminator("global", name): name for name in ("mint", "burn", "distribute", "submit_attestation")}
KINDS = {"mint": IntentKind.MINT, "burn": IntentKind.BURN, "distribute": IntentKind.DISTRIBUTE}

#: The error that the program raises where the model says which rule it breaks.
RULES = {"M1": "CeilingExceeded", "M4": "WrongSequence", "M5": "BucketEmpty", "M7": "InventoryTooLow", "M8": "Paused"}


@dataclass(frozen=True)
class Refusal:
    """How a transaction fails: by an error of the program (`entry`: the batch's, where its log tells), or by `err`."""

    name: str = ""
    entry: int | None = None
    err: Any = None

    def parts(self) -> tuple[Any, list[str]]:
        """The JSON error and the log."""
        if self.err is not None:
            return self.err, []
        code = next(code for code, (name, _) in CLIENT.interface.error_of.items() if name == self.name)
        program = base58(CLIENT.program_id)
        named = [] if self.entry is None else [f"Program log: Entry: {self.entry:02}"]
        logs = [f"Program {program} invoke [1]", *named, f"Program {program} failed: custom program error: {code:#x}"]
        return {"InstructionError": [2, {"Custom": code}]}, logs


@dataclass(frozen=True)
class Call:
    """What one transaction asks of the program. `mints` in the order of its entries; `name` is empty for others."""

    signature: str
    wire: bytes
    name: str
    mints: tuple[Address, ...]
    intents: tuple[tuple[Intent, bytes], ...] = ()
    statement: Statement | None = None
    #: A lookup table and the addresses it gets.
    table: tuple[Address, tuple[Address, ...]] | None = None

    @property
    def programs(self) -> list[str]:
        """The programs that the transaction calls, in order."""
        message = VersionedTransaction.from_bytes(self.wire).message
        return [str(message.account_keys[each.program_id_index]) for each in message.instructions]


LOST = "lost"
Told = Refusal | str | None
"""None: as the chain's rules say; LOST: no node keeps it; a Refusal: it fails so."""


class Failed(Exception):
    """The program refuses."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


@dataclass
class Ledger:
    """The chain. `calls`: every transaction by the order of its first sending. `sent`: how often each was sent."""

    chain: ChainSnapshot
    tables: dict[Address, list[Address]]
    slot: int = 1_000
    block_height: int = 900
    fate: Callable[[Call], Told] = lambda call: None
    simulated: Callable[[Call], Told] = lambda call: None
    #: Called with each transaction before anything of its first sending happens.
    first_send: Callable[[Call], None] = lambda call: None
    #: Called after each transaction that executed.
    executed: Callable[[Call], None] = lambda call: None
    calls: list[Call] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)
    transactions: dict[str, dict[str, Any]] = field(default_factory=dict)
    _shared: tuple[tuple[Any, ...], dict[Address, AccountInfo]] | None = None
    _encoded: dict[Address, tuple[Any, dict[Address, AccountInfo]]] = field(default_factory=dict)

    # ---- what is shown ----

    def accounts(self) -> dict[Address, AccountInfo]:
        key = self.chain.config, self.chain.custodians, self.chain.participants
        if self._shared is None or any(a is not b for a, b in zip(key, self._shared[0], strict=True)):
            self._shared = key, shared_accounts(self.chain)
        found = dict(self._shared[1])
        for address, listed in self.tables.items():
            found[address] = table_account(listed, self.chain.config.operator)
        for mint, view in self.chain.assets.items():
            known = self._encoded.get(mint)
            if known is None or known[0] is not view:
                owners = CLIENT.addresses.asset(mint), CLIENT.addresses.redemption_authority(mint)
                known = (
                    view,
                    {
                        owners[0]: account_of_asset(view.asset),
                        mint: mint_account(mint, view.mint.supply_raw),
                        view.asset.vault: token_account(mint, owners[0], view.vault_raw),
                        view.asset.redemption_vault: token_account(mint, owners[1], view.redemption_vault_raw),
                    },
                )
                self._encoded[mint] = known
            found |= known[1]
        return found

    def change(
        self, mint: Address, *, supply_raw: int | None = None, vault_raw: int | None = None, **asset: Any
    ) -> None:
        """Set parts of one asset."""
        view = self.chain.assets[mint]
        view = replace(
            view,
            asset=replace(view.asset, **asset),
            mint=view.mint if supply_raw is None else replace(view.mint, supply_raw=supply_raw),
            vault_raw=view.vault_raw if vault_raw is None else vault_raw,
        )
        self.chain = replace(self.chain, assets={**self.chain.assets, mint: view})

    def pass_blocks(self, count: int) -> None:
        self.slot += count
        self.block_height += count

    # ---- what it does ----

    def send(self, wire: bytes) -> str:
        call = self.read(wire)
        first = call.signature not in self.sent
        self.sent[call.signature] = self.sent.get(call.signature, 0) + 1
        if first:
            self.first_send(call)
            self.calls.append(call)
        if call.signature not in self.statuses:
            told = self.fate(call)
            if told != LOST:
                self._land(call, told)
        return call.signature

    def _land(self, call: Call, told: Told) -> None:
        self.pass_blocks(1)
        err: Any = None
        logs: list[str] = []
        try:
            self.chain = self.after(call, told)
            if call.table is not None:
                table, added = call.table
                self.tables[table] = [*self.tables.get(table, []), *added]
        except Failed as failed:
            err, logs = failed.refusal.parts()
        self.statuses[call.signature] = status(self.slot, "finalized", err)
        self.transactions[call.signature] = {"slot": self.slot, "meta": {"err": err, "logMessages": logs, "fee": 5_000}}
        if err is None:
            self.executed(call)

    def carry_out(self, signature: str) -> None:
        """Execute a transaction that was lost, whatever its age."""
        self._land(next(call for call in self.calls if call.signature == signature), None)

    def simulate(self, wire: bytes) -> dict[str, Any]:
        call = self.read(wire)
        try:
            self.after(call, self.simulated(call))
        except Failed as failed:
            err, logs = failed.refusal.parts()
            return {"err": err, "logs": logs, "unitsConsumed": 1_000}
        return {"err": None, "logs": [], "unitsConsumed": 1_000}

    def after(self, call: Call, told: Told = None) -> ChainSnapshot:
        """The chain once `call` has executed. Failed where the program refuses, or it was told to."""
        if isinstance(told, Refusal):
            raise Failed(told)
        chain = self.chain
        for number, (intent, intent_hash) in enumerate(call.intents):
            try:
                chain = model_execute(chain, intent)
            except AssertionError as error:
                broken = str(error).partition("\n")[0]
                raise Failed(Refusal(RULES.get(broken, "AssetNotActive"), number)) from None
            view = chain.assets[intent.mint]
            view = replace(view, asset=replace(view.asset, last_intent_hash=intent_hash))
            chain = replace(chain, assets={**chain.assets, intent.mint: view})
        if call.statement is not None:
            try:
                chain = model_submit(chain, SignedStatement(call.statement, ()))
            except AssertionError as error:
                broken = str(error).partition("\n")[0]
                raise Failed(Refusal(broken if broken == "StatementNotNewer" else "DigestMismatch")) from None
        return chain

    def read(self, wire: bytes) -> Call:
        """What a transaction says."""
        transaction = VersionedTransaction.from_bytes(wire)
        message, signature = transaction.message, str(transaction.signatures[0])
        keys = [Address(bytes(key)) for key in message.account_keys]
        lookups = getattr(message, "address_table_lookups", [])
        for part in ("writable_indexes", "readonly_indexes"):
            for lookup in lookups:
                listed = self.tables[Address(bytes(lookup.account_key))]
                keys += [listed[index] for index in getattr(lookup, part)]
        for each in message.instructions:
            name = ON_CHAIN.get(bytes(each.data[:8]))
            if name is not None:
                return self._read(name, signature, wire, [keys[index] for index in each.accounts], bytes(each.data[8:]))
            if keys[each.program_id_index] == LOOKUP_TABLE_PROGRAM:
                data = bytes(each.data)
                added = tuple(Address(data[at : at + 32]) for at in range(12, len(data), 32)) if data[0] == 2 else ()
                return Call(signature, wire, "lookup_table", (), table=(keys[each.accounts[0]], added))
        return Call(signature, wire, "", ())

    def _read(self, name: str, signature: str, wire: bytes, keys: Sequence[Address], data: bytes) -> Call:
        def number(at: int, size: int = 8) -> int:
            return int.from_bytes(data[at : at + size], "little")

        if name == "submit_attestation":
            count = number(20, 4)
            assets = {CLIENT.addresses.asset(mint): mint for mint in self.chain.assets}
            mints = tuple(assets[key] for key in keys[-count:])
            entries = tuple(
                StatementEntry(
                    mint,
                    self.chain.assets[mint].asset.multiplier_bits,
                    *(number(24 + 24 * at + 8 * part) for part in range(3)),
                )
                for at, mint in enumerate(mints)
            )
            said = Statement(GENESIS, CLIENT.program_id, keys[1], number(0, 4), number(4), number(12), entries)
            return Call(signature, wire, name, mints, statement=said)
        if name == "distribute":
            one = Intent(IntentKind.DISTRIBUTE, keys[3], number(0), number(8), keys[5], data[16:32])
            return Call(signature, wire, name, (keys[3],), ((one, data[32:48]),))
        count = number(0, 4)
        triples = [keys[len(keys) - 3 * (count - at) :][:3] for at in range(count)]
        intents = tuple(
            (
                Intent(KINDS[name], mint, number(4 + 32 * at), number(12 + 32 * at), vault),
                data[20 + 32 * at : 36 + 32 * at],
            )
            for at, (_, mint, vault) in enumerate(triples)
        )
        return Call(signature, wire, name, tuple(mint for _, mint, _ in triples), intents)


@dataclass
class Node(FakeNode):
    """One node's view of the ledger: what it shows otherwise, hides, or does not answer."""

    ledger: Ledger = field(kw_only=True)
    #: Accounts that it shows otherwise.
    apart: dict[Address, AccountInfo | None] = field(default_factory=dict)
    #: Signatures of which it says that it does not know them, and what it says of others.
    hidden: set[str] = field(default_factory=set)
    says: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Methods that it does not answer, or answers with an error.
    silent: set[str] = field(default_factory=set)
    refuses: set[str] = field(default_factory=set)
    behind_blocks: int = 0
    shows_tables: bool = True
    #: For how many blocks it says that a blockhash is valid.
    valid_blocks: int = 150
    lamports: int = 10**9

    async def answer(self, method: str, params: Sequence[Any], name: str) -> Any:
        self.calls.append((method, list(params)))
        self.before(method, self)
        if method in self.silent or "*" in self.silent:
            raise RpcUnreachable(name, method, "no connection")
        if method in self.refuses:
            raise RpcRefused(name, method, -32_601, "not served here", None)
        ledger = self.ledger
        self.slot, self.block_height = ledger.slot, ledger.block_height - self.behind_blocks
        self.now_ts = ledger.chain.now_ts
        shown = {**ledger.accounts(), **self.apart}
        self.accounts = {
            address: account
            for address, account in shown.items()
            if account is not None and (self.shows_tables or address not in ledger.tables)
        }
        seen = {text: found for text, found in ledger.statuses.items() if text not in self.hidden}
        self.statuses = seen | self.says
        self.transactions = ledger.transactions
        if method == "sendTransaction":
            return ledger.send(base64.b64decode(params[0]))
        if method == "simulateTransaction":
            return self._context(ledger.simulate(base64.b64decode(params[0])))
        return getattr(self, f"_{method}")(list(params))

    def _getLatestBlockhash(self, params: list[Any]) -> dict[str, Any]:
        blockhash = hashlib.sha256(self.block_height.to_bytes(8, "little")).digest()
        last = self.block_height + self.valid_blocks
        return self._context({"blockhash": base58(blockhash), "lastValidBlockHeight": last})

    def _getBalance(self, params: list[Any]) -> dict[str, Any]:
        return self._context(self.lamports)

    def _getProgramAccounts(self, params: list[Any]) -> list[Any]:
        found = super()._getProgramAccounts(params)
        for each in params[1]["filters"]:
            at, text = each["memcmp"]["offset"], each["memcmp"]["bytes"]
            wanted = base64.b64decode(text) if "encoding" in each["memcmp"] else bytes(parse_address(text))
            found = [row for row in found if base64.b64decode(row["account"]["data"][0])[at:].startswith(wanted)]
        return found


class MemoryEndpoint(RpcEndpoint):
    """An endpoint without a network."""

    node: Node

    async def call(self, method: str, params: Sequence[Any] = ()) -> Any:
        return await self.node.answer(method, params, self.name)


class MemoryPool(RpcPool):
    """A pool of such endpoints, open from the start."""

    def __init__(self, endpoints: Sequence[MemoryEndpoint]) -> None:
        super().__init__(["http://memory"])
        self._endpoints = tuple(endpoints)


def used_tables(call: Call) -> set[Address]:
    """The lookup tables that a transaction names."""
    message = VersionedTransaction.from_bytes(call.wire).message
    return {Address(bytes(lookup.account_key)) for lookup in getattr(message, "address_table_lookups", [])}
