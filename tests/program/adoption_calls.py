"""What the tests of adoption share."""

from __future__ import annotations

from tests.support.deployed import OWN_KEEPER, Asset

ROOM_RAW = 5_000


async def attach(asset: Asset, *keepers: str) -> None:
    """The custodians may attest it from the next second on."""
    program = asset.program
    admin = program.keys.admin.address
    for keeper in keepers or (OWN_KEEPER,):
        custodian = program.keeper(keeper).address
        attaching = program.client.attach_custodian(admin=admin, custodian=custodian, mint=asset.mint)
        await program.accepted(program.by("admin", attaching))
    await program.chain.clock_reaches(await program.chain.clock_ts() + 1)
