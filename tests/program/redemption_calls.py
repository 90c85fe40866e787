"""What the tests of redemptions share."""

from __future__ import annotations

from tests.support.deployed import Asset
from tests.support.edit import with_account
from tests.support.live_chain import Call
from xstocks_daemon.chain.program.idl import load_interface
from xstocks_daemon.domain.units import Address

#: Where each account stands in the instructions.
PLACES = {
    name: {role.name: index for index, role in enumerate(roles)}
    for name, roles in load_interface().accounts_of.items()
    if "redemption" in name
}


def but_account(sent: Call, name: str, place: str, address: Address) -> Call:
    """The call of that instruction with another account in one place."""
    [instruction] = sent.instructions
    return sent.but(instructions=(with_account(instruction, PLACES[name][place], address),))


def waiting(asset: Asset) -> Address:
    return asset.program.addresses.redemption_vault(asset.mint)


async def waiting_raw(asset: Asset) -> int:
    return await asset.balance_raw(waiting(asset))
