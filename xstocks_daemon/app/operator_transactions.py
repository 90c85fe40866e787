"""The operator's transactions that carry no intents: statements and lookup tables.

The chain refuses a statement twice (M3) and a table's change does no harm twice, so these need no proof of their
outcome. Their signatures are journaled before they are sent all the same: nothing is sent that is not in
the journal (M11).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import Instruction

from xstocks_daemon.app.crash import CrashPoint, crash_point
from xstocks_daemon.app.settings import TimingSettings
from xstocks_daemon.chain.errors import TransactionFailed
from xstocks_daemon.chain.program import ProgramClient
from xstocks_daemon.chain.rpc import RpcPool
from xstocks_daemon.chain.sender import (
    AttemptExpired,
    Resolved,
    Seen,
    SignedAttempt,
    landed_transaction,
    send_until_resolved,
    sign_attempt,
)
from xstocks_daemon.chain.transactions import ComputeBudget, Signers
from xstocks_daemon.domain.units import Address
from xstocks_daemon.journal import Journal
from xstocks_daemon.signing import Signer


@dataclass(frozen=True, slots=True)
class OperatorTransactions:
    """Signs as the operator, who also pays."""

    pool: RpcPool
    client: ProgramClient
    journal: Journal
    signer: Signer
    timing: TimingSettings
    price_micro_lamports: int = 0

    @property
    def operator(self) -> Address:
        """The address of the operator's key."""
        return self.signer.public_key

    @property
    def signers(self) -> Signers:
        """The operator's signature, with the crash points around it."""

        async def sign(message: bytes) -> bytes:
            crash_point(CrashPoint.AFTER_BLOCKHASH)
            signature = await self.signer.sign(message)
            crash_point(CrashPoint.AFTER_SIGNING)
            return signature

        return {self.operator: sign}

    async def sign(
        self,
        instructions: Sequence[Instruction],
        tables: Sequence[AddressLookupTableAccount] = (),
        budget: ComputeBudget | None = None,
    ) -> SignedAttempt:
        """A signed transaction without intents; nothing is sent."""
        # Crash points belong to attempts: a statement or table signs without them.
        signers: Signers = {self.operator: self.signer.sign}
        return await sign_attempt(
            self.pool, payer=self.operator, instructions=instructions, signers=signers, tables=tables, budget=budget
        )

    async def send(self, kind: str, attempts: Sequence[SignedAttempt]) -> dict[bytes, TransactionFailed | None]:
        """Journal the signatures under `kind`, send, wait until confirmed. Per signature None, or why it failed; those
        of which nothing is known in time are left out."""
        if not attempts:
            return {}
        signatures = " ".join(attempt.signature_text for attempt in attempts)
        await self.journal.record_event(kind, None, {"signatures": signatures})
        outcomes: dict[bytes, TransactionFailed | None] = {}
        async for event in send_until_resolved(
            self.pool,
            attempts,
            commitment="confirmed",
            confirmation_timeout_secs=self.timing.confirmation_timeout_secs,
            poll_secs=self.timing.poll_secs,
        ):
            for outcome in event.outcomes if isinstance(event, Resolved) else ():
                if isinstance(outcome.said, Seen):
                    attempt = outcome.attempt
                    outcomes[attempt.signature] = await self.failure_of(attempt, outcome.said)
        return outcomes

    async def failure_of(self, attempt: SignedAttempt, seen: Seen) -> TransactionFailed | None:
        """The named error of a transaction that landed and failed; None where it succeeded."""
        if seen.err is None:
            return None
        landed = await landed_transaction(seen.endpoint, attempt.signature_text)
        return self.client.failure(seen.err, landed.logs if landed else ())

    async def send_one(self, kind: str, instructions: Sequence[Instruction]) -> None:
        """Sign and send one transaction. Raises the named error it failed with, AttemptExpired where it is not seen."""
        attempt = await self.sign(instructions)
        outcomes = await self.send(kind, [attempt])
        if attempt.signature not in outcomes:
            raise AttemptExpired(f"{kind}: transaction {attempt.signature_text} was not confirmed in time")
        failure = outcomes[attempt.signature]
        if failure is not None:
            raise failure
