"""Executes calls on a chain and reads what they took: compute units, bytes, accounts."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from solders.compute_budget import set_compute_unit_limit
from solders.keypair import Keypair

from tests.support.live_chain import Call, LiveChain, address_of
from xstocks_daemon.chain.addresses import TOKEN_2022, base58
from xstocks_daemon.chain.program.idl import discriminator, load_interface
from xstocks_daemon.chain.program.logs import invocations
from xstocks_daemon.chain.transactions import MAX_COMPUTE_UNITS, compile_message, transaction_bytes

MAX_LOCKS = 64
"""Accounts that one transaction may lock on mainnet; the local chains would take more."""

_CONSUMED = re.compile(r"Program (\w+) consumed (\d+) of \d+ compute units")
_NAME_OF = {discriminator("global", name): name for name in load_interface().accounts_of}


def seeded(name: str) -> Keypair:
    """A fixed key: addresses, and with them derivations and comparisons, cost the same in every run."""
    return Keypair.from_seed(hashlib.sha256(f"bench:{name}".encode()).digest())


@dataclass(frozen=True, slots=True)
class Reading:
    """What one instruction of the program took in a transaction that was executed.

    `units` are compute units, calls into other programs included; `token_units` those that Token-2022 logs of itself;
    `event_bytes` the lengths of the events, in their order.
    """

    instruction: str
    units: int
    token_units: int
    event_bytes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a transaction is on the wire, its compute budget instruction included: the data of the program's own
    instruction, the whole signed transaction, and the accounts that it locks."""

    instruction_bytes: int
    transaction_bytes: int
    locks: int


class Meter:
    """Reads what calls took. A call's last instruction is the program's own, and the only one of the program."""

    def __init__(self, chain: LiveChain) -> None:
        self._chain = chain
        self.units: dict[str, int] = {}
        """Compute units by figure, in the order of their measuring."""
        self.instructions: set[str] = set()
        """Instructions that were read, by the discriminator that was executed."""

    async def read(self, sent: Call) -> Reading:
        """Execute it. AssertionError where it is refused, ValueError where its log does not say what it took."""
        # A bucket is refilled in every measured mint, and not only in those that a second begins before.
        await self._chain.advance_clock(1)
        landed = await self._chain.accepted(sent)
        own = sent.instructions[-1]
        consumed = [(match[1], int(match[2])) for line in landed.logs if (match := _CONSUMED.fullmatch(line))]
        by_own = [units for program, units in consumed if program == str(own.program_id)]
        if len(by_own) != 1:
            raise ValueError(f"{len(by_own)} instructions of the program, one was meant: {landed.logs}")
        [run] = [each for each in invocations(landed.logs) if each.program == str(own.program_id)]
        name = _NAME_OF[bytes(own.data[:8])]
        self.instructions.add(name)
        return Reading(
            instruction=name,
            units=by_own[0],
            token_units=sum(units for program, units in consumed if program == base58(TOKEN_2022)),
            event_bytes=tuple(map(len, run.data)),
        )

    async def measure(self, figure: str, sent: Call) -> None:
        """Execute the call and keep its compute units under the name `figure`."""
        self.note(figure, (await self.read(sent)).units)

    def note(self, figure: str, units: int) -> None:
        """Keep compute units under a name that nothing else has."""
        if figure in self.units:
            raise ValueError(f"{figure} is measured twice")
        self.units[figure] = units

    def shape(self, sent: Call) -> Shape:
        """What it is on the wire. TransactionTooLarge where it fits no packet."""
        instructions = [set_compute_unit_limit(MAX_COMPUTE_UNITS), *sent.instructions]
        message = compile_message(address_of(sent.payer or self._chain.payer), instructions, bytes(32), sent.tables)
        looked_up = sum(
            len(each.writable_indexes) + len(each.readonly_indexes) for each in message.address_table_lookups
        )
        return Shape(
            instruction_bytes=len(bytes(sent.instructions[-1].data)),
            transaction_bytes=transaction_bytes(message),
            locks=len(message.account_keys) + looked_up,
        )
