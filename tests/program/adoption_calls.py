"""What the tests of adoption share."""

from __future__ import annotations

from tests.support.deployed import Asset
from tests.support.initialized import OWN_CUSTODIAN

ROOM_RAW = 5_000


async def attach(asset: Asset, *custodians: str) -> None:
    """The custodians may attest it from the next second on."""
    program = asset.program
    admin = program.keys.admin.address
    for custodian in custodians or (OWN_CUSTODIAN,):
        custodian_address = program.custodian(custodian).address
        attaching = program.client.attach_custodian(admin=admin, custodian=custodian_address, mint=asset.mint)
        await program.accepted(program.by("admin", attaching))
    await program.chain.clock_reaches(await program.chain.clock_ts() + 1)
