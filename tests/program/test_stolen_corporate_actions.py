"""The theft of the corporate-actions key, played to its end (design, section 3)."""

from __future__ import annotations

import pytest

from tests.program.multiplier_calls import NOTICE_SECS, ONE, bits, cancel, in_secs, schedule
from tests.support.deployed import DeployedProgram
from tests.support.error_codes import ErrorCode
from xstocks_daemon.chain.program import Role


@pytest.mark.embedded_only
async def test_a_stolen_corporate_actions_key_announces_within_the_bound_until_it_is_cleared(
    own_program: DeployedProgram,
) -> None:
    """Announcements hold minting, and beyond the bound they need the admin. The guardian cancels them, and the admin
    takes the role from the key at once, which once sealed too needs no timelock."""
    program, client, admin = own_program, own_program.client, own_program.keys.admin.address
    [asset] = await program.register()
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(100))
    await program.accepted(program.by("admin", client.seal(admin=admin, timelock_secs=3_600)))
    later = await in_secs(asset, NOTICE_SECS + 3_600)
    await program.refused(schedule(asset, later, bits(2.0)), ErrorCode.MultiplierNeedsAdmin)
    for _ in range(2):
        await program.accepted(schedule(asset, later))
        await program.refused(await asset.mint_call(1), ErrorCode.MultiplierChangePending)
        await program.accepted(cancel(asset, "guardian"))
    await program.accepted(schedule(asset, later))

    clear = client.clear_role(admin=admin, role=Role.CORPORATE_ACTIONS)
    await program.accepted(program.by("admin", clear))
    await program.refused(cancel(asset), ErrorCode.NotCorporateActionsOrGuardian)
    await program.accepted(cancel(asset, "guardian"))
    await program.refused(schedule(asset, later), ErrorCode.NotCorporateActions)
    assert ((await asset.read()).multiplier_bits, await asset.supply_raw()) == (ONE, 100)
    await program.accepted(await asset.mint_call(1))
