"""Any instruction of the program by the keys of its roles: made, simulated, where need be proposed, and sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solders.instruction import AccountMeta, Instruction

from xstocks_daemon.app.runtime import ChainConnection
from xstocks_daemon.app.settings import Settings
from xstocks_daemon.app.views import time_text
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import MalformedAccount, ProgramError, TransactionFailed
from xstocks_daemon.chain.mint_layout import read_decimals
from xstocks_daemon.chain.program import ProgramEvent, Proposal
from xstocks_daemon.chain.program.accounts_resolver import AvailableSigners, resolve_instruction
from xstocks_daemon.chain.sender import SignedAttempt, confirm_attempt, landed_transaction, sign_attempt, simulate
from xstocks_daemon.chain.transactions import MAX_COMPUTE_UNITS, ComputeBudget
from xstocks_daemon.domain.units import Address
from xstocks_daemon.errors import operation_error, user_error
from xstocks_daemon.signing import Signer


@dataclass(frozen=True, slots=True)
class Request:
    """An instruction of the program as somebody asks for it; `named` accounts by the resolver's inputs."""

    instruction: str
    args: Mapping[str, Any]
    named: Mapping[str, Address | bytes | int]
    remaining: Sequence[AccountMeta]
    propose: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """What will be sent: `sent` itself, and `meant`, which is the same or what `sent` proposes. `state` is that of the
    proposal that is executed."""

    sent: Instruction
    meant: Instruction
    proposal: Address | None
    state: Proposal | None
    budget: ComputeBudget


@dataclass(frozen=True, slots=True)
class Sent:
    """What was finalized: in which slot, with which events; `state` is that of the draft's proposal afterwards."""

    signature: str
    slot: int
    events: tuple[ProgramEvent, ...]
    state: Proposal | None


@dataclass(frozen=True, slots=True)
class RoleInstruction:
    """One instruction on a chain. `absent` are those who sign elsewhere. The first of `signers` pays, or of `absent`
    where there are none."""

    settings: Settings
    chain: ChainConnection
    request: Request
    signers: Mapping[Address, Signer]
    absent: tuple[Address, ...] = ()

    @property
    def payer(self) -> Address:
        """The address that pays the transaction's fee."""
        return next(iter([*self.signers, *self.absent]))

    async def draft(self) -> Draft:
        """Built and simulated. UserError for what is missing; OperationError with the name of what refuses it."""
        client, request = self.chain.client, self.request
        config = None if request.instruction == "initialize" else await self.chain.reader.config()
        signers = AvailableSigners([*self.signers, *self.absent], config)
        meant = resolve_instruction(
            client,
            request.instruction,
            request.args,
            request.named,
            signers,
            request.remaining,
            present=not request.propose,
        )
        if request.propose:
            admin = signers.of("propose", client.interface.accounts_of["propose"][0], None)
            assert admin is not None, "the admin of propose is not optional"
            sent = client.propose(admin=admin, instruction=meant)
            return Draft(sent, meant, client.proposal_address(meant), None, await self._budget(sent, None))
        if request.instruction not in client.interface.timelocked or config is None or not config.sealed:
            return Draft(meant, meant, None, None, await self._budget(meant, None))
        address = client.proposal_address(meant)
        state = await self._proposal(address)
        if state is None:
            remedy = "no proposal of exactly this instruction; make it with --propose, and wait for its timelock"
            raise user_error("proposal", base58(address), remedy)
        sent = client.with_proposal(meant)
        return Draft(sent, sent, address, state, await self._budget(sent, state))

    async def mint_decimals(self) -> int | None:
        """Decimals of the mint that is named; None where none is, or where there is none yet."""
        mint = self.request.named.get("mint")
        if not isinstance(mint, bytes):
            return None
        reads = await self.chain.reader.read_groups([(Address(mint),)])
        account = reads[0][0].accounts[0]
        try:
            return None if account is None else read_decimals(Address(mint), account.data, account.owner)
        except MalformedAccount:
            return None

    async def _budget(self, sent: Instruction, state: Proposal | None) -> ComputeBudget:
        """The compute budget to ask for, by a simulation of these instructions."""
        operator = self.settings.operator
        limits = ComputeBudget(MAX_COMPUTE_UNITS, operator.price_micro_lamports if operator else 0)
        try:
            return await simulate(
                self.chain.pool, self.chain.client, payer=self.payer, instructions=[sent], budget=limits
            )
        except ProgramError as error:
            raise self._refused(error, state) from None
        except TransactionFailed as error:
            if error.instruction_index is not None:
                raise
            remedy = f"the first key pays the fee, and cannot ({error.err}): send it some SOL"
            raise operation_error("--key", base58(self.payer), remedy) from None

    def _refused(self, error: ProgramError, state: Proposal | None) -> Exception:
        """The program's error by name, with its message and, of a proposal, its state."""
        proposal = "" if state is None else f"; the proposal is {proposal_text(state)}"
        return operation_error(self.request.instruction, f"{error.name} ({error.code})", f"{error.message}{proposal}")

    async def _proposal(self, address: Address, min_slot: int = 0) -> Proposal | None:
        reads = await self.chain.reader.read_groups([(address,)], min_slot=min_slot)
        account = reads[0][0].accounts[0]
        return None if account is None else self.chain.client.proposal(address, account.data, account.owner)

    async def sign(self, draft: Draft) -> SignedAttempt:
        """One signed transaction; nothing is sent."""
        return await sign_attempt(
            self.chain.pool,
            payer=self.payer,
            instructions=[draft.sent],
            signers={key: signer.sign for key, signer in self.signers.items()},
            budget=draft.budget,
        )

    async def confirm(self, draft: Draft, attempt: SignedAttempt) -> Sent:
        """Send it, the same bytes until it is finalized or never can be. OperationError with the name of what refuses
        it."""
        pool, client = self.chain.pool, self.chain.client
        try:
            seen = await confirm_attempt(pool, client, attempt, commitment="finalized")
        except ProgramError as error:
            raise self._refused(error, draft.state) from None
        landed = await landed_transaction(seen.endpoint, attempt.signature_text)
        state = draft.state
        if draft.proposal is not None:
            state = await self._proposal(draft.proposal, seen.slot)
        return Sent(attempt.signature_text, seen.slot, tuple(client.events(landed.logs if landed else ())), state)


def proposal_text(proposal: Proposal) -> str:
    """A proposal's state, with the time from which it can be executed where it waits for that."""
    name = proposal.state.name.lower()
    return f"{name}, ready at {time_text(proposal.ready_ts)}" if name == "pending" else name
