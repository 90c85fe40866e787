"""Handing a live mint's authorities over to its asset, between begin_adopt and finish_adopt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from solders.instruction import Instruction

from xstocks_daemon.app.runtime import ChainConnection
from xstocks_daemon.app.settings import Settings
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.authorities import handover_instructions, read_authorities
from xstocks_daemon.chain.program import Adoption, AdoptionState, Authorities
from xstocks_daemon.chain.rpc import AccountInfo
from xstocks_daemon.chain.sender import SignedAttempt, confirm_attempt, sign_attempt, simulate
from xstocks_daemon.chain.transactions import MAX_COMPUTE_UNITS, ComputeBudget
from xstocks_daemon.domain.units import ZERO_ADDRESS, Address
from xstocks_daemon.errors import user_error
from xstocks_daemon.signing import Signer

FIELD = "MINT"
"""What the command line calls the mint, for errors."""


@dataclass(frozen=True, slots=True)
class HandoverPart:
    """What one holder signs for one mint: the authorities by name, in one transaction."""

    mint: Address
    holder: Address
    names: tuple[str, ...]
    instructions: Sequence[Instruction]

    @property
    def text(self) -> str:
        """The part in one sentence, for people."""
        return f"{base58(self.mint)}: {', '.join(self.names)}"


@dataclass(frozen=True, slots=True)
class Handover:
    """What these keys have to sign, and per mint the authorities that are still with others."""

    parts: tuple[HandoverPart, ...]
    held_by_others: Mapping[Address, tuple[str, ...]]


async def plan_handover(chain: ChainConnection, mints: Sequence[Address], keys: Mapping[Address, Signer]) -> Handover:
    """Find what these keys have to sign, by the mints' finalized accounts. UserError where an adoption is not under
    way."""
    parts, others = list[HandoverPart](), dict[Address, tuple[str, ...]]()
    groups = [(chain.client.addresses.adoption(mint), mint) for mint in mints]
    for (_, mint), read in zip(groups, await chain.reader.read_groups(groups), strict=True):
        found, with_others = _parts_of(chain, mint, read[0].accounts, keys)
        parts += found
        if with_others:
            others[mint] = with_others
    return Handover(tuple(parts), others)


async def sign_part(settings: Settings, chain: ChainConnection, part: HandoverPart, signer: Signer) -> SignedAttempt:
    """Simulated and signed; nothing is sent."""
    operator = settings.operator
    limits = ComputeBudget(MAX_COMPUTE_UNITS, operator.price_micro_lamports if operator else 0)
    budget = await simulate(chain.pool, chain.client, payer=part.holder, instructions=part.instructions, budget=limits)
    return await sign_attempt(
        chain.pool,
        payer=part.holder,
        instructions=part.instructions,
        signers={part.holder: signer.sign},
        budget=budget,
    )


async def confirm_part(chain: ChainConnection, attempt: SignedAttempt) -> None:
    """Send it, the same bytes until it is finalized or never can be."""
    await confirm_attempt(chain.pool, chain.client, attempt, commitment="finalized")


def _parts_of(
    chain: ChainConnection, mint: Address, accounts: Sequence[AccountInfo | None], keys: Mapping[Address, Signer]
) -> tuple[list[HandoverPart], tuple[str, ...]]:
    """What these keys have to sign for a mint, and the authorities that are still with others. `accounts`: its Adoption
    and itself."""
    asset = chain.client.addresses.asset(mint)
    adoption, present = _decoded(chain, mint, accounts)
    held, recorded = asdict(present), asdict(adoption.holders)
    left = {name: holder for name, holder in held.items() if holder not in (ZERO_ADDRESS, asset)}
    # What went to another key since would come back to the recorded holder: that is left to be decided by people.
    own = [name for name, holder in left.items() if holder in keys and holder == recorded[name]]
    mine = replace(present, **{name: ZERO_ADDRESS for name in held if name not in own})
    parts = [
        HandoverPart(mint, holder, tuple(name for name in own if held[name] == holder), instructions)
        for holder, instructions in handover_instructions(mint, mine, asset, adoption.profile).items()
    ]
    return parts, tuple(f"{name} ({base58(holder)})" for name, holder in left.items() if name not in own)


def _decoded(
    chain: ChainConnection, mint: Address, accounts: Sequence[AccountInfo | None]
) -> tuple[Adoption, Authorities]:
    """An adoption that is under way, and the mint's present authorities. UserError where there is none."""
    begun, account = accounts
    address = chain.client.addresses.adoption(mint)
    adoption = None if begun is None else chain.client.adoption(address, begun.data, begun.owner)
    if adoption is None or adoption.state is not AdoptionState.BEGUN or account is None:
        state = "was never begun" if adoption is None else f"is {adoption.state.name.lower()}"
        remedy = f"its adoption {state}; the admin begins one with `xstocks program begin-adopt`"
        raise user_error(FIELD, base58(mint), remedy)
    return adoption, read_authorities(mint, account.data, account.owner)
