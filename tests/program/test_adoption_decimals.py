"""Live mints of other decimals than the real xStocks': adopted with those they have, up to nine."""

from __future__ import annotations

import pytest

from tests.program.adoption_calls import attach
from tests.support.deployed import DeployedProgram
from tests.support.error_codes import ErrorCode
from tests.support.initialized import OWN_CUSTODIAN
from tests.support.mints import live_mint
from tests.support.redeeming import requested
from xstocks_daemon.domain.units import NANO_PER_SHARE


@pytest.mark.parametrize("decimals", [0, 6, 9])
async def test_a_live_mint_of_other_decimals_is_adopted_and_lives(program: DeployedProgram, decimals: int) -> None:
    """As the mints of other issuers: taken with the decimals it has, and every instruction moves its base units."""
    token_raw = 10**decimals
    live = await live_mint(program, supply_raw=7 * token_raw, decimals=decimals)
    asset = await live.adopt()
    assert ((await asset.read()).decimals, (await asset.read()).adopted_raw) == (decimals, 7 * token_raw)
    await attach(asset)
    # Nine shares back nine tokens, whatever the base unit.
    statement = await program.statement({asset: 9 * NANO_PER_SHARE})
    assert statement.entries[0].capacity_raw == 9 * token_raw
    await program.accepted(program.relay(statement))
    await program.refused(await asset.mint_call(2 * token_raw + 1), ErrorCode.CeilingExceeded)
    redemption = await requested(asset, 2 * token_raw)
    await program.accepted(redemption.settle_call(OWN_CUSTODIAN))
    assert ((await asset.read()).burnt_raw, await asset.supply_raw()) == (2 * token_raw, 7 * token_raw)


async def test_a_live_mint_of_ten_decimals_is_not_adopted(program: DeployedProgram) -> None:
    live = await live_mint(program, supply_raw=7, decimals=10)
    await program.refused(live.begin(), ErrorCode.WrongDecimals)
    await program.accepted((await live_mint(program, supply_raw=7, decimals=9)).begin())
