"""The way back of a settled redemption that the broker rejects after the burn (M6): its custodian passes it with the
shares kept, and the participant is issued the same tokens again, through ceiling, buckets and permission."""

from __future__ import annotations

from tests.support.deployed import Asset, DeployedProgram
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import Call
from tests.support.redeeming import Request, requested
from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.snapshot import Hold, RedemptionState


async def again_call(request: Request) -> Call:
    """The redemption's amount to its participant, under the redemption's id as order."""
    asset, redemption = request.asset, await request.read()
    program, state = asset.program, await asset.read()
    intent = Intent(
        IntentKind.DISTRIBUTE, asset.mint, state.sequence, redemption.amount_raw, request.account, redemption.id
    )
    instruction = program.client.distribute(
        operator=program.keys.operator.address,
        intent=intent,
        wallet=redemption.wallet,
        genesis_hash=program.deployment.genesis_hash,
    )
    return program.by("operator", instruction)


async def test_a_redemption_rejected_after_the_burn_is_issued_again(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(1_000)
    request = await requested(asset, 400)
    await program.accepted(await asset.mint_call(600))
    await program.accepted(request.settle_call())
    assert await asset.supply_raw() == 600
    # Until its custodian says so nothing backs it.
    await program.refused(await asset.mint_call(400), ErrorCode.CeilingExceeded)
    await asset.attest(1_000)
    await program.refused(await asset.mint_call(400), ErrorCode.CeilingExceeded)
    # "Nothing owed for it": seen passes it, the shares stay. Kept shares are a rise of 400 above the 600 that are left,
    # within the bound here only by the resumer.
    await asset.attest(1_000, redeemed_seen_raw=400)
    assert (await asset.read()).holds == Hold.RISE
    await program.refused(await asset.mint_call(400), ErrorCode.OnHold)
    await program.accepted(await asset.clear_hold_call(Hold.RISE))
    await program.refused(await asset.mint_call(401), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(400))
    before = await asset.balance_raw(request.account)
    [event] = await program.accepted(await again_call(request))
    assert (event.name, event.fields["order_id"], event.fields["amount_raw"]) == ("Distributed", request.id, 400)
    assert await asset.balance_raw(request.account) == before + 400
    assert await asset.supply_raw() == 1_000
    # What was burnt stays recorded; the redemption is not open again.
    redemption = await request.read()
    assert (redemption.state, redemption.custodian) == (RedemptionState.SETTLED, program.custodian().address)
    assert (await asset.entry()).unseen_raw == 0
    await program.refused(request.cancel_call(), ErrorCode.RedemptionClosed)
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)


async def test_one_that_was_delivered_backs_nothing_again(program: DeployedProgram, asset: Asset) -> None:
    """The twin: counted with its shares taken out."""
    await asset.attest(1_000)
    request = await requested(asset, 400)
    await program.accepted(await asset.mint_call(600))
    await program.accepted(request.settle_call())
    await asset.attest(600, redeemed_seen_raw=400)
    assert (await asset.read()).holds == Hold(0)
    await program.refused(await asset.mint_call(400), ErrorCode.CeilingExceeded)
