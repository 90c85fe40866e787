"""hand-over: what a present holder of a live mint's authorities signs between begin_adopt and finish_adopt."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from solders.instruction import Instruction

from xstocks_daemon.aio import gather_all
from xstocks_daemon.app.runtime import ChainConnection, open_chain
from xstocks_daemon.app.settings import Settings
from xstocks_daemon.chain.addresses import base58, parse_address
from xstocks_daemon.chain.authorities import handover_instructions, read_authorities
from xstocks_daemon.chain.errors import AddressError
from xstocks_daemon.chain.program import Adoption, AdoptionState, Authorities
from xstocks_daemon.chain.rpc import AccountInfo
from xstocks_daemon.chain.sender import confirm_attempt, sign_attempt, simulate
from xstocks_daemon.chain.transactions import MAX_COMPUTE_UNITS, ComputeBudget
from xstocks_daemon.cli.common import ConfigOption, YesOption, open_settings_of_a_role, run_async
from xstocks_daemon.cli.output import ERRORS, say
from xstocks_daemon.domain.units import ZERO_ADDRESS, Address
from xstocks_daemon.errors import EXIT_FAILURE, user_error
from xstocks_daemon.signing import KeyfileSigner, load_keyfile

FIELD = "MINT"
SENT_AT_ONCE = 8
"""Transactions that are under way at a time: each takes until it is finalized."""


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("hand-over")(hand_over)


def hand_over(
    mints: Annotated[list[str], typer.Argument(metavar="MINT...", help="Mints whose adoption the admin has begun.")],
    keys: Annotated[
        list[Path],
        typer.Option("--key", metavar="FILE", help="A holder's key file; again for each. Each pays for itself."),
    ],
    config: ConfigOption = None,
    yes: YesOption = False,
) -> None:
    """Hand every authority of these mints that the keys hold over to the mint's asset. `abort-adopt` gives them back.

    What is handed over already is passed by, so it may be run again.
    """
    signers = {signer.public_key: signer for signer in (load_keyfile(file, "--key") for file in keys)}
    run_async(_hand_over(open_settings_of_a_role(config), mints, signers, yes=yes))


@dataclass(frozen=True, slots=True)
class _Part:
    """What one holder signs for one mint: the authorities by name, in one transaction."""

    mint: Address
    holder: Address
    names: tuple[str, ...]
    instructions: Sequence[Instruction]

    @property
    def text(self) -> str:
        """For people."""
        return f"{base58(self.mint)}: {', '.join(self.names)}"


async def _hand_over(
    settings: Settings, mints: Sequence[str], signers: Mapping[Address, KeyfileSigner], *, yes: bool
) -> None:
    async with open_chain(settings) as chain:
        addresses, parts = chain.client.addresses, list[_Part]()
        groups = [(addresses.adoption(mint), mint) for mint in dict.fromkeys(_mint(text) for text in mints)]
        for (_, mint), read in zip(groups, await chain.reader.read_groups(groups), strict=True):
            found, others = _parts_of(chain, mint, read[0].accounts, signers)
            parts += found
            if others:
                say(f"held by others: {base58(mint)}: {', '.join(others)}")
        for part in parts:
            say(f"to hand over: {part.text}")
        if not parts:
            say("nothing is left to hand over by these keys")
            return
        if not yes and not typer.confirm(f"Hand over to program {base58(settings.program_id)}?", err=True):
            say("not sent")
            raise typer.Exit(EXIT_FAILURE)
        gate = asyncio.Semaphore(SENT_AT_ONCE)
        await gather_all(_send(settings, chain, part, signers[part.holder], gate) for part in parts)


def _mint(text: str) -> Address:
    try:
        return parse_address(text)
    except AddressError:
        raise user_error(FIELD, text, "give the mint's address in base58") from None


def _parts_of(
    chain: ChainConnection, mint: Address, accounts: Sequence[AccountInfo | None], keys: Mapping[Address, KeyfileSigner]
) -> tuple[list[_Part], tuple[str, ...]]:
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
        _Part(mint, holder, tuple(name for name in own if held[name] == holder), instructions)
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


async def _send(
    settings: Settings, chain: ChainConnection, part: _Part, signer: KeyfileSigner, gate: asyncio.Semaphore
) -> None:
    """One transaction, the same bytes until it is finalized or never can be."""
    operator = settings.operator
    limits = ComputeBudget(MAX_COMPUTE_UNITS, operator.price_micro_lamports if operator else 0)
    async with gate:
        budget = await simulate(
            chain.pool, chain.client, payer=part.holder, instructions=part.instructions, budget=limits
        )
        attempt = await sign_attempt(
            chain.pool,
            payer=part.holder,
            instructions=part.instructions,
            signers={part.holder: signer.sign},
            budget=budget,
        )
        # First of all: whoever interrupts this can look it up.
        ERRORS.print(f"sending: {attempt.signature_text}")
        await confirm_attempt(chain.pool, chain.client, attempt, commitment="finalized")
        say(f"handed over: {part.text}")
