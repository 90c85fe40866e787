"""The state of the chain: slots, commitment, blockhashes, accounts as of a slot, execution of transactions.

Commitment is a lag: a slot is confirmed, and final, once a number of further slots has begun. A transaction is
executed at once in the newest slot.
"""

from __future__ import annotations

import json
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from solders.account import Account
from solders.epoch_schedule import EpochSchedule
from solders.hash import Hash
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import (
    FailedTransactionMetadata,
    SimulatedTransactionInfo,
    TransactionMetadata,
)

from localnet.embedded_chain import addresses
from localnet.embedded_chain.commitment import Commitment
from localnet.embedded_chain.ledger import Ledger, ResolvedTransaction, TokenBalance, TransactionRecord
from localnet.embedded_chain.nonces import advanced, nonce_account
from localnet.embedded_chain.resolve import LookupTableError, resolve
from localnet.embedded_chain.timeline import MAX_PROCESSING_AGE_SLOTS, SLOTS_PER_EPOCH, Timeline
from localnet.embedded_chain.token_layout import mint_decimals, token_account_fields
from localnet.embedded_chain.versions import AccountVersions

# Each loaded account counts with its data and this; each lookup table with its largest size (SIMD-0186).
_ACCOUNT_BASE_BYTES = 64
_LOOKUP_TABLE_BYTES = 8_248
_RECENT_BLOCKHASHES_BYTES = 6_008


class Observer(Protocol):
    """Is told of what happens, synchronously and in order."""

    def transaction_processed(self, record: TransactionRecord) -> None:
        """A transaction has landed in the newest slot, successful or not."""

    def accounts_changed(self, slot: int, changed: Sequence[Pubkey]) -> None:
        """`slot` has changed these accounts; the bank has their new state already."""

    def slot_advanced(self, confirmed: range, finalized: range) -> None:
        """A new slot began; these slots reached the two commitments by it."""


@dataclass(frozen=True, slots=True)
class BankConfig:
    """How many slots later a slot is confirmed and final, and what the faucet can give in all."""

    confirmed_lag_slots: int
    finalized_lag_slots: int
    faucet_lamports: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """The transaction did not land: no fee was taken. `err` is the transaction error as JSON."""

    err: Any


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """What a transaction would do at `slot`. `err` is the transaction error as JSON, None for success.

    `meta` is None where it was not executed at all. `post_accounts` are those that it changed; `pre_accounts` stand in
    the order of `resolved.keys`. `loaded_accounts_data_size` is in bytes.
    """

    err: Any
    meta: TransactionMetadata | None
    post_accounts: dict[Pubkey, Account]
    slot: int
    resolved: ResolvedTransaction
    pre_accounts: tuple[Account | None, ...]
    loaded_accounts_data_size: int


class Bank:
    """The chain's state, LiteSVM behind it. Not thread-safe: one event loop owns it.

    `timeline` has the slots, `ledger` what has landed; `observers` are told of every change. `faucet` holds
    `faucet_lamports` from the start; `identity` and `vote_account` are those of the one validator that there is not.
    """

    def __init__(self, config: BankConfig, *, now: Callable[[], float] = time.time) -> None:
        self.timeline = Timeline(config.confirmed_lag_slots, config.finalized_lag_slots, now)
        self.faucet_lamports = config.faucet_lamports
        self._svm = LiteSVM().with_blockhash_check(False).with_sigverify(False).with_transaction_history(0)
        self._svm.set_epoch_schedule(EpochSchedule.custom(SLOTS_PER_EPOCH, SLOTS_PER_EPOCH, False))
        self._versions = AccountVersions()
        self.ledger = Ledger()
        self.observers: list[Observer] = []
        self.faucet = Keypair()
        self.identity = Keypair().pubkey()
        self.vote_account = Keypair().pubkey()
        self._svm_slot: int | None = None
        self._programdata_bytes: dict[Pubkey, int] = {}
        self._svm.set_account(self.faucet.pubkey(), Account(config.faucet_lamports, b"", addresses.SYSTEM))
        self._dress_as_validator()
        self.timeline.begin_slot()

    def _dress_as_validator(self) -> None:
        """Details of LiteSVM's genesis that clients can see, as a validator has them."""
        for pubkey in (addresses.SYSTEM, addresses.COMPUTE_BUDGET, addresses.VOTE):
            builtin = self._svm.get_account(pubkey)
            assert builtin is not None
            named = Account(builtin.lamports, b"solana_" + builtin.data, builtin.owner, builtin.executable)
            self._svm.set_account(pubkey, named)
        for pubkey in (addresses.RENT, addresses.EPOCH_SCHEDULE):
            self._fund_sysvar(pubkey)

    def _fund_sysvar(self, pubkey: Pubkey, data_bytes: int = 0) -> None:
        """Rent for a sysvar, padded to `data_bytes` where it is shorter."""
        sysvar = self._svm.get_account(pubkey)
        assert sysvar is not None
        data = sysvar.data.ljust(data_bytes, b"\0")
        self._svm.set_account(pubkey, self._sysvar(self.rent_exempt_lamports(len(data)), data))

    # Slots

    def advance(self, slots: int = 1) -> None:
        """Begin so many slots, one after the other; observers are told of each."""
        slot_at = self.timeline.slot_at
        for _ in range(slots):
            confirmed, finalized = slot_at(Commitment.CONFIRMED), slot_at(Commitment.FINALIZED)
            self.timeline.begin_slot()
            newly_confirmed = range(confirmed + 1, slot_at(Commitment.CONFIRMED) + 1)
            newly_final = range(finalized + 1, slot_at(Commitment.FINALIZED) + 1)
            for observer in self.observers:
                observer.slot_advanced(newly_confirmed, newly_final)
            self._versions.forget_through(slot_at(Commitment.FINALIZED))

    def warp_clock(self, advance_secs: int) -> int:
        """Put the clock forward for good and begin a new slot; gives the new slot's unix time."""
        self.timeline.put_forward(advance_secs)
        self.advance()
        return self.timeline.unix_ts(self.timeline.slot)

    # Accounts

    def account(self, pubkey: Pubkey, slot: int) -> Account | None:
        """The account as of `slot` (final, or newer)."""
        if pubkey == addresses.CLOCK:
            return self._sysvar(1_169_280, bytes(self.timeline.clock(slot)))
        if pubkey == addresses.SLOT_HASHES:
            return self._sysvar(143_487_360, self.timeline.slot_hashes_data(slot)) if slot else None
        if self._versions.is_newer_than(slot, pubkey):
            return self._versions.before(slot, pubkey)
        return self._svm.get_account(pubkey)

    def program_accounts(self, program: Pubkey, slot: int) -> list[tuple[Pubkey, Account]]:
        """The accounts owned by `program` as of `slot`."""
        found = dict(self._svm.get_program_accounts(program))
        for key in self._versions.newer_than(slot):
            before = self._versions.before(slot, key)
            if before is not None and before.owner == program:
                found[key] = before
            else:
                found.pop(key, None)
        return list(found.items())

    def changed_in(self, slot: int) -> frozenset[Pubkey]:
        """The accounts that `slot` has changed; known until the slot is final."""
        return self._versions.changed_in(slot)

    def set_account(self, pubkey: Pubkey, account: Account) -> None:
        """Not a validator's: replace an account in the newest slot. No lamports: remove it."""
        self._versions.record(self.timeline.slot, pubkey, self._svm.get_account(pubkey))
        self._svm.set_account(pubkey, account)
        for observer in self.observers:
            observer.accounts_changed(self.timeline.slot, [pubkey])

    def set_genesis_account(self, pubkey: Pubkey, account: Account) -> None:
        """Put an account there before the first transaction; nobody is told. Raises ValueError for a program that does
        not load."""
        self._svm.set_account(pubkey, account)

    def rent_exempt_lamports(self, data_bytes: int) -> int:
        """What an account of so many data bytes must hold never to pay rent."""
        return self._svm.minimum_balance_for_rent_exemption(data_bytes)

    def _sysvar(self, lamports: int, data: bytes) -> Account:
        return Account(lamports, data, addresses.SYSVAR_OWNER)

    # Transactions

    def resolve(self, tx: VersionedTransaction, slot: int) -> ResolvedTransaction:
        """Look up the addresses of its tables as of `slot`. Raises LookupTableError."""
        return resolve(tx, slot, lambda key: self.account(key, slot))

    def process(self, tx: VersionedTransaction) -> TransactionRecord | Dropped:
        """Execute a transaction, whose signatures have been verified, in the newest slot."""
        slot = self.timeline.slot
        try:
            resolved = self.resolve(tx, slot)
        except LookupTableError:
            return Dropped("AddressLookupTableNotFound")
        refused, nonce = self._age_error(resolved, slot)
        if refused is not None:
            return Dropped(refused)
        self._prepare_svm(slot)
        keys = resolved.keys
        before = self._accounts(keys)
        outcome = self._svm.send_transaction(tx)
        err, meta = _outcome(outcome, before, resolved)
        writable = [key for index, key in enumerate(keys) if resolved.is_writable(index)]
        after_writable = {key: self._svm.get_account(key) for key in writable}
        if err is not None and _lamports(after_writable[keys[0]]) == _lamports(before[0]):
            return Dropped(err)
        before_of = dict(zip(keys, before, strict=True))
        if err is not None and nonce is not None:
            after_writable[nonce] = self._advance_nonce(nonce)
        for key in writable:
            self._versions.record(slot, key, before_of[key])
            self._programdata_bytes.pop(key, None)
        after = [after_writable.get(key, account) for key, account in zip(keys, before, strict=True)]
        record = TransactionRecord(
            resolved=resolved,
            slot=slot,
            index_in_slot=len(self.ledger.in_slot(slot)),
            err=err,
            meta=meta,
            fee_lamports=meta.fee(),
            pre_balances=array("Q", map(_lamports, before)),
            post_balances=array("Q", map(_lamports, after)),
            pre_token_balances=self.token_balances(keys, before),
            post_token_balances=self.token_balances(keys, after),
            loaded_accounts_data_size=self._loaded_bytes(resolved, before),
        )
        self.ledger.append(record)
        for observer in self.observers:
            observer.transaction_processed(record)
            observer.accounts_changed(slot, writable)
        return record

    def simulate(self, resolved: ResolvedTransaction, slot: int, *, check_blockhash: bool) -> SimulationResult:
        """Execute a transaction on the state as of `slot` and leave no trace."""
        keys = resolved.keys
        before = tuple(self.account(key, slot) for key in keys)
        loaded_bytes = self._loaded_bytes(resolved, before)
        if check_blockhash:
            refused, _ = self._age_error(resolved, slot)
            if refused is not None:
                return SimulationResult(refused, None, {}, slot, resolved, before, 0)
        with self._svm_as_of(slot, (*keys, *resolved.table_keys)):
            outcome = self._svm.simulate_transaction(resolved.tx)
        err, meta = _outcome(outcome, before, resolved)
        post = dict(outcome.post_accounts()) if isinstance(outcome, SimulatedTransactionInfo) else {}
        return SimulationResult(err, meta, post, slot, resolved, before, loaded_bytes)

    def airdrop(self, to: Pubkey, lamports: int, blockhash: Hash | None = None) -> VersionedTransaction | None:
        """A signed transfer from the faucet; None where no blockhash gives one that is not used up.

        The same transfer with the same blockhash would be the same transaction, and be executed only once: a
        repeated one takes an older blockhash.
        """
        instruction = transfer(TransferParams(from_pubkey=self.faucet.pubkey(), to_pubkey=to, lamports=lamports))
        slots = range(self.timeline.slot, max(-1, self.timeline.slot - MAX_PROCESSING_AGE_SLOTS), -1)
        hashes = [blockhash] if blockhash is not None else (self.timeline.blockhash(slot) for slot in slots)
        for candidate in hashes:
            # A legacy message: a client need not know of versions to look its airdrop up.
            message = Message.new_with_blockhash([instruction], self.faucet.pubkey(), candidate)
            tx = VersionedTransaction(message, [self.faucet])
            if self.ledger.find(tx.signatures[0]) is None:
                return tx
        return None

    def _age_error(self, resolved: ResolvedTransaction, slot: int) -> tuple[str | None, Pubkey | None]:
        """The error of a transaction that is too old, unknown or a repetition; else its nonce account if any."""
        blockhash = resolved.tx.message.recent_blockhash
        nonce = None
        if not self.timeline.is_blockhash_valid(blockhash, slot):
            nonce = nonce_account(resolved, blockhash, lambda key: self.account(key, slot))
            if nonce is None:
                return "BlockhashNotFound", None
        known = self.ledger.find(resolved.signature)
        if known is not None and known.slot <= slot:
            return "AlreadyProcessed", None
        return None, nonce

    def _advance_nonce(self, nonce: Pubkey) -> Account:
        """A landed failure still uses its nonce up."""
        account = self._svm.get_account(nonce)
        assert account is not None
        used_up = advanced(account, bytes(self._svm.latest_blockhash()))
        self._svm.set_account(nonce, used_up)
        return used_up

    def _prepare_svm(self, slot: int) -> None:
        """Bring LiteSVM's sysvars to `slot`. Done only when something is executed: idle slots cost nothing."""
        if self._svm_slot != slot:
            self._svm.set_clock(self.timeline.clock(slot))
            self._svm.set_slot_hashes(self.timeline.slot_hashes(slot))
            if self._svm_slot is None or slot > self._svm_slot:
                # Nonces are derived from LiteSVM's own blockhash.
                self._svm.expire_blockhash()
                self._fund_sysvar(addresses.RECENT_BLOCKHASHES, _RECENT_BLOCKHASHES_BYTES)
            self._svm_slot = slot

    @contextmanager
    def _svm_as_of(self, slot: int, keys: Sequence[Pubkey]) -> Iterator[None]:
        """LiteSVM with these accounts, and its sysvars, as they were at `slot`."""
        self._prepare_svm(self.timeline.slot)
        changed = [key for key in set(keys) if self._versions.is_newer_than(slot, key)]
        newest = {key: self._svm.get_account(key) for key in changed}
        try:
            for key in changed:
                self._svm.set_account(key, self._versions.before(slot, key) or _nothing())
            if slot != self.timeline.slot:
                self._svm.set_clock(self.timeline.clock(slot))
                if addresses.LOOKUP_TABLE in keys:
                    self._svm.set_slot_hashes(self.timeline.slot_hashes(slot))
            yield
        finally:
            for key, account in newest.items():
                self._svm.set_account(key, account or _nothing())
            if slot != self.timeline.slot:
                self._svm.set_clock(self.timeline.clock(self.timeline.slot))
                if addresses.LOOKUP_TABLE in keys:
                    self._svm.set_slot_hashes(self.timeline.slot_hashes(self.timeline.slot))

    def _accounts(self, keys: Sequence[Pubkey]) -> list[Account | None]:
        return [self._svm.get_account(key) for key in keys]

    def token_balances(self, keys: Sequence[Pubkey], accounts: Sequence[Account | None]) -> tuple[TokenBalance, ...]:
        """The balances of those `accounts` (of `keys`, in their order) that are token accounts of an existing mint."""
        balances = []
        for index, (_, account) in enumerate(zip(keys, accounts, strict=True)):
            if account is None or account.owner not in addresses.TOKEN_PROGRAMS:
                continue
            fields = token_account_fields(account.data)
            if fields is None:
                continue
            mint, owner, amount_raw = fields
            mint_account = self._svm.get_account(mint)
            decimals = mint_decimals(mint_account.data) if mint_account else None
            if decimals is not None:
                balances.append(TokenBalance(index, mint, owner, account.owner, amount_raw, decimals))
        return tuple(balances)

    def _loaded_bytes(self, resolved: ResolvedTransaction, accounts: Sequence[Account | None]) -> int:
        """The transaction's loaded accounts data size, as SIMD-0186 counts it."""
        total = len(resolved.table_keys) * _LOOKUP_TABLE_BYTES
        keys = set(resolved.keys)
        for account in accounts:
            if account is None:
                continue
            total += _ACCOUNT_BASE_BYTES + len(account.data)
            if account.executable and account.owner == addresses.UPGRADEABLE_LOADER:
                programdata = Pubkey(account.data[4:36])
                if programdata not in keys:
                    total += self._programdata_size(programdata)
        return total

    def _programdata_size(self, programdata: Pubkey) -> int:
        size = self._programdata_bytes.get(programdata)
        if size is None:
            account = self._svm.get_account(programdata)
            size = 0 if account is None else _ACCOUNT_BASE_BYTES + len(account.data)
            self._programdata_bytes[programdata] = size
        return size


def _outcome(
    outcome: TransactionMetadata | SimulatedTransactionInfo | FailedTransactionMetadata,
    before: Sequence[Account | None],
    resolved: ResolvedTransaction,
) -> tuple[Any, TransactionMetadata]:
    """The error as JSON (None: success) and the metadata."""
    if isinstance(outcome, TransactionMetadata):
        return None, outcome
    if isinstance(outcome, SimulatedTransactionInfo):
        return None, outcome.meta()
    err = json.loads(outcome.to_json())["err"]
    if err == "InvalidProgramForExecution":
        # LiteSVM does not tell a missing program from one that is not executable; a validator does.
        programs = {instruction.program_id_index for instruction in resolved.tx.message.instructions}
        if any(before[index] is None for index in programs if index < len(before)):
            err = "ProgramAccountNotFound"
    return err, outcome.meta()


def _lamports(account: Account | None) -> int:
    return 0 if account is None else account.lamports


def _nothing() -> Account:
    return Account(0, b"", addresses.SYSTEM)
