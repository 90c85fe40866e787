"""Lower statements go to the chain by the sidecar itself: whoever keeps the daemon silent cannot keep a fall of shares
from the chain. Without a fee payer's key it is not done, and said so at start and in `/v1/health`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog
from solders.keypair import Keypair

from xstocks_daemon.attester.books import Books
from xstocks_daemon.attester.chain_view import ChainView, ChainViewUnavailable
from xstocks_daemon.attester.own_entries import OwnEntry, own_entry
from xstocks_daemon.attester.proposer import NoQuorum, Proposer
from xstocks_daemon.attester.signer import SignRefused, StatementSigner
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import ChainError
from xstocks_daemon.chain.program import ProgramClient
from xstocks_daemon.chain.rpc import RpcPool
from xstocks_daemon.chain.transactions import budget_for, compile_message, quorum_instruction, sign_message
from xstocks_daemon.domain.statement import SignedStatement
from xstocks_daemon.domain.units import Address
from xstocks_daemon.errors import UserError

MAX_SUBMITTED_ENTRIES = 8
"""What fits a transaction without lookup tables beside three signatures."""
BOOKS_POLL_SECS = 1.0
RESUBMIT_SECS = 30.0
"""Time for a submission to be seen at finalized, before it is made again."""
FULL_CHECK_SECS = 60.0

_log = structlog.get_logger("xstocks.attester")


class SubmitFailed(Exception):
    """A statement could not be sent; the message is one line without secrets."""


class StatementSubmitter(Protocol):
    """Sends a statement to the chain."""

    async def submit(self, signed: SignedStatement) -> str:
        """Send; gives the transaction's signature. Whether it landed shows in the chain's entry. SubmitFailed."""
        ...


class ChainSubmitter(StatementSubmitter):
    """Sends by the chain's own transaction, paid by `fee_payer`."""

    def __init__(self, pool: RpcPool, client: ProgramClient, fee_payer: Keypair) -> None:
        self._pool = pool
        self._client = client
        self._fee_payer = fee_payer

    async def submit(self, signed: SignedStatement) -> str:
        statement = signed.statement
        payer = Address(bytes(self._fee_payer.pubkey()))
        instructions = [
            *budget_for("submit_attestation", len(statement.entries)).instructions(),
            quorum_instruction(statement.digest(), signed.signatures),
            self._client.submit_attestation(statement),
        ]
        try:
            latest = await self._pool.first(lambda endpoint: endpoint.latest_blockhash())
            message = compile_message(payer, instructions, latest.blockhash)
            transaction = await sign_message(message, {payer: self._sign})
            errors = await self._pool.send_everywhere(bytes(transaction))
        except ChainError as error:
            raise SubmitFailed(str(error)) from error
        if all(error is not None for error in errors):
            raise SubmitFailed("; ".join(str(error) for error in errors))
        return str(transaction.signatures[0])

    async def _sign(self, message: bytes) -> bytes:
        return bytes(self._fee_payer.sign_message(message))


class LoweringSubmitter:
    """Watches the books: where they state less than the chain shows, a statement is made and submitted, until the
    chain shows it."""

    def __init__(
        self,
        signer: StatementSigner,
        proposer: Proposer,
        chain_view: ChainView,
        submitter: StatementSubmitter,
        monotonic: Callable[[], float],
    ) -> None:
        self._signer = signer
        self._proposer = proposer
        self._chain_view = chain_view
        self._submitter = submitter
        self._monotonic = monotonic
        self._checked: dict[Address, tuple[Books, float]] = {}
        self._sent: dict[tuple[Address, Address], float] = {}

    async def run(self, custodians: Sequence[Address]) -> None:
        """For ever. What goes wrong is logged and tried again."""
        while True:
            for custodian in custodians:
                try:
                    await self.check(custodian)
                except (ChainViewUnavailable, UserError, NoQuorum, SignRefused, SubmitFailed) as error:
                    _log.warning("lower statement not submitted", custodian=base58(custodian), reason=str(error))
            await asyncio.sleep(BOOKS_POLL_SECS)

    async def check(self, custodian: Address) -> int:
        """Submit what is lower now and was not sent lately; gives the number of entries sent."""
        books = await self._signer.books_of(custodian)
        now = self._monotonic()
        last_books, last_check = self._checked.get(custodian, (None, float("-inf")))
        waiting = any(address == custodian for address, _ in self._sent)
        if books is last_books and now - last_check < (RESUBMIT_SECS if waiting else FULL_CHECK_SECS):
            return 0
        lower = await self._lower(custodian, books)
        self._sent = {key: at for key, at in self._sent.items() if key[0] != custodian or key[1] in lower}
        due = [mint for mint in lower if now - self._sent.get((custodian, mint), float("-inf")) >= RESUBMIT_SECS]
        sent = 0
        for start in range(0, len(due), MAX_SUBMITTED_ENTRIES):
            group = due[start : start + MAX_SUBMITTED_ENTRIES]
            result = await self._proposer.propose(custodian, group)
            if result.signed is None:
                continue
            signature = await self._submitter.submit(result.signed)
            entries = result.signed.statement.entries
            sent += len(entries)
            self._sent.update({(custodian, entry.mint): now for entry in entries})
            _log.info(
                "lower statement submitted",
                custodian=base58(custodian),
                mints=[base58(entry.mint) for entry in entries],
                signature=signature,
            )
        self._checked[custodian] = (books, now)
        return sent

    async def _lower(self, custodian: Address, books: Books) -> list[Address]:
        here = (self._signer.genesis_hash, self._signer.program_id)
        mints = sorted(target.mint for target in books.by_target if target[:2] == here)
        if not mints:
            return []
        snapshot = await self._chain_view.snapshot(custodian, mints)
        own_entries = (own_entry(books, snapshot, custodian, mint) for mint in mints)
        return [own.entry.mint for own in own_entries if isinstance(own, OwnEntry) and own.sum_raw < own.chain_sum_raw]
