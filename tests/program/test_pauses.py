"""pause, resume, clear_hold (M8): one key stops at once, another lets go on, per scope, per asset or globally."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from solders.keypair import Keypair

from tests.support.deployed import Asset, AssetPool, DeployedProgram
from tests.support.edit import with_account
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import Call, address_of, call
from xstocks_daemon.chain.addresses import ASSOCIATED_TOKEN, TOKEN_2022
from xstocks_daemon.chain.program import Profile
from xstocks_daemon.chain.transactions import transfer_tokens
from xstocks_daemon.domain.snapshot import Hold, Scope
from xstocks_daemon.domain.units import ZERO_ADDRESS, Address

TOKEN_2022_MINT_PAUSED = 67
"""TokenError::MintPaused of Token-2022."""


def pausing(program: DeployedProgram, scopes: int, mint: Address | None = None) -> Call:
    return program.by(
        "guardian", program.client.pause(guardian=program.keys.guardian.address, scopes=Scope(scopes), mint=mint)
    )


def resuming(program: DeployedProgram, scopes: int, mint: Address | None = None) -> Call:
    return program.by(
        "resumer", program.client.resume(resumer=program.keys.resumer.address, scopes=Scope(scopes), mint=mint)
    )


async def stocked(program: DeployedProgram, asset: Asset) -> Keypair:
    """An asset with inventory, room to mint, and a participant who has a token account."""
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(500))
    wallet = await program.participant()
    await asset.open_account(address_of(wallet))
    return wallet


Acting = Callable[[], Awaitable[Call]]


def actions(asset: Asset, wallet: Keypair) -> dict[Scope, Acting]:
    """What each scope stops."""
    return {
        Scope.MINT: lambda: asset.mint_call(1),
        Scope.BURN: lambda: asset.burn_call(1),
        Scope.DISTRIBUTE: lambda: asset.distribute_call(1, wallet),
    }


@pytest.mark.parametrize("scope", [Scope.MINT, Scope.BURN, Scope.DISTRIBUTE])
async def test_a_scope_of_one_asset_is_paused_and_resumed(
    program: DeployedProgram, pool: AssetPool, scope: Scope
) -> None:
    asset, other = await pool.take(), await pool.take()
    wallet, others_wallet = await stocked(program, asset), await stocked(program, other)
    [event] = await program.accepted(pausing(program, scope, asset.mint))
    assert (event.name, event.fields) == ("Paused", {"mint": asset.mint, "scopes": scope, "paused": scope})
    assert (await asset.read()).paused == scope
    for stopped, action in actions(asset, wallet).items():
        if stopped == scope:
            await program.refused(await action(), ErrorCode.Paused)
        else:
            await program.accepted(await action())
    await program.accepted(await actions(other, others_wallet)[scope]())

    [event] = await program.accepted(resuming(program, scope, asset.mint))
    assert (event.name, event.fields) == ("Resumed", {"mint": asset.mint, "scopes": scope, "paused": 0})
    await program.accepted(await actions(asset, wallet)[scope]())


async def test_a_global_pause_stops_every_asset(own_program: DeployedProgram) -> None:
    program = own_program
    one, two = await program.register(2)
    wallets = {asset: await stocked(program, asset) for asset in (one, two)}
    for scope in (Scope.MINT, Scope.BURN, Scope.DISTRIBUTE):
        [event] = await program.accepted(pausing(program, scope))
        assert event.fields == {"mint": ZERO_ADDRESS, "scopes": scope, "paused": scope}
        for asset, wallet in wallets.items():
            for stopped, action in actions(asset, wallet).items():
                if stopped == scope:
                    await program.refused(await action(), ErrorCode.Paused)
                else:
                    await program.accepted(await action())
        # What is paused globally is not resumed asset by asset.
        await program.refused(resuming(program, scope, one.mint), ErrorCode.NothingToChange)
        await program.accepted(resuming(program, scope))
    assert (await program.config()).paused == Scope(0)


async def test_a_second_pause_adds_to_the_first(own_program: DeployedProgram) -> None:
    program = own_program
    [asset] = await program.register()
    for mint in (asset.mint, None):
        for scope in (Scope.MINT, Scope.BURN):
            await program.accepted(pausing(program, scope, mint))
    assert (await asset.read()).paused == (await program.config()).paused == Scope.MINT | Scope.BURN
    for mint in (asset.mint, None):
        [event] = await program.accepted(resuming(program, Scope.BURN, mint))
        assert event.fields["paused"] == Scope.MINT


async def test_a_full_stop_takes_one_transaction_and_leaves_statements_alone(own_program: DeployedProgram) -> None:
    """Statements are never paused: a shortfall must be able to show."""
    program = own_program
    [asset] = await program.register()
    wallet = await stocked(program, asset)
    everything = Scope.MINT | Scope.BURN | Scope.DISTRIBUTE | Scope.REDEEM
    await program.accepted(pausing(program, everything))
    for action in actions(asset, wallet).values():
        await program.refused(await action(), ErrorCode.Paused)
    await asset.attest(400)
    assert (await asset.entry()).capacity_raw == 400
    await program.accepted(resuming(program, everything))
    await program.accepted(await asset.burn_call(100))


async def test_pausing_twice_changes_nothing_and_resuming_what_runs_is_refused(
    program: DeployedProgram, asset: Asset
) -> None:
    await program.accepted(pausing(program, Scope.MINT, asset.mint))
    await program.accepted(pausing(program, Scope.MINT | Scope.BURN, asset.mint))
    assert (await asset.read()).paused == Scope.MINT | Scope.BURN
    await program.accepted(resuming(program, Scope.MINT, asset.mint))
    await program.refused(resuming(program, Scope.MINT, asset.mint), ErrorCode.NothingToChange)
    await program.accepted(resuming(program, Scope.BURN, asset.mint))


EVERYTHING = Scope.MINT | Scope.BURN | Scope.DISTRIBUTE | Scope.REDEEM | Scope.TRANSFERS
WITHOUT_TRANSFERS = EVERYTHING & ~Scope.TRANSFERS


def built(program: DeployedProgram, name: str, scopes: int, mint: Address | None = None) -> Call:
    """pause or resume of any number of scopes, known or not."""
    duty = "guardian" if name == "pause" else "resumer"
    accounts: dict[str, Address | None] = {duty: getattr(program.keys, duty).address}
    if mint is not None:
        accounts["asset"] = program.addresses.asset(mint)
        accounts["mint"] = mint
        accounts["token_program"] = TOKEN_2022
    return program.by(duty, program.client.build(name, {"scopes": scopes}, accounts))


async def test_a_pause_of_no_known_scope_is_refused(program: DeployedProgram, asset: Asset) -> None:
    """A guardian who reads "accepted" has stopped something."""
    for scopes in (0, 32, 224):
        for name in ("pause", "resume"):
            await program.refused(built(program, name, scopes, asset.mint), ErrorCode.UnknownScope)
    assert (await asset.read()).paused == Scope(0)
    await program.accepted(built(program, "pause", 32 | Scope.MINT, asset.mint))
    assert (await asset.read()).paused == Scope.MINT
    await program.accepted(built(program, "resume", Scope.MINT, asset.mint))


async def test_a_full_stop_of_an_asset_stops_all_that_exists(program: DeployedProgram, asset: Asset) -> None:
    wallet = await stocked(program, asset)
    [event] = await program.accepted(built(program, "pause", 255, asset.mint))
    assert event.fields == {"mint": asset.mint, "scopes": EVERYTHING, "paused": EVERYTHING}
    assert ((await asset.read()).paused, (await asset.read_mint()).paused) == (EVERYTHING, True)
    for action in actions(asset, wallet).values():
        await program.refused(await action(), ErrorCode.Paused)
    # Who lets go on says exactly what.
    await program.refused(built(program, "resume", 255, asset.mint), ErrorCode.UnknownScope)
    await program.accepted(built(program, "resume", EVERYTHING, asset.mint))
    assert ((await asset.read()).paused, (await asset.read_mint()).paused) == (Scope(0), False)
    for action in actions(asset, wallet).values():
        await program.accepted(await action())


@pytest.mark.parametrize("scopes", [31, 255])
async def test_a_global_full_stop_stops_all_but_transfers(own_program: DeployedProgram, scopes: int) -> None:
    """Token-2022 pauses one mint; what the program itself does stops all the same."""
    program = own_program
    [asset] = await program.register()
    wallet = await stocked(program, asset)
    [event] = await program.accepted(built(program, "pause", scopes))
    assert event.fields == {"mint": ZERO_ADDRESS, "scopes": WITHOUT_TRANSFERS, "paused": WITHOUT_TRANSFERS}
    for action in actions(asset, wallet).values():
        await program.refused(await action(), ErrorCode.Paused)
    await program.refused(built(program, "resume", EVERYTHING), ErrorCode.TransfersNeedAsset)
    await program.accepted(built(program, "resume", WITHOUT_TRANSFERS))
    for action in actions(asset, wallet).values():
        await program.accepted(await action())


async def test_a_full_stop_does_not_fail_for_the_mint_that_is_missing(program: DeployedProgram, asset: Asset) -> None:
    guardian = program.keys.guardian.address
    without_mint = program.client.build(
        "pause", {"scopes": int(EVERYTHING)}, {"guardian": guardian, "asset": asset.address}
    )
    [event] = await program.accepted(program.by("guardian", without_mint))
    assert event.fields == {"mint": asset.mint, "scopes": WITHOUT_TRANSFERS, "paused": WITHOUT_TRANSFERS}
    assert not (await asset.read_mint()).paused


async def test_a_full_stop_of_a_mint_without_a_pause_of_transfers_stops_the_rest(program: DeployedProgram) -> None:
    [asset] = await program.register(profile=Profile.OPEN)
    await program.refused(pausing(program, Scope.TRANSFERS, asset.mint), ErrorCode.TransfersNotPausable)
    assert (await asset.read()).paused == Scope(0)
    [event] = await program.accepted(pausing(program, EVERYTHING, asset.mint))
    assert event.fields == {"mint": asset.mint, "scopes": WITHOUT_TRANSFERS, "paused": WITHOUT_TRANSFERS}


async def test_a_pause_of_transfers_is_token_2022s_own(program: DeployedProgram, asset: Asset) -> None:
    wallet = await stocked(program, asset)
    await program.accepted(await asset.distribute_call(100, wallet))
    other = Keypair()
    destination = await asset.open_account(address_of(other))
    transfer = call(
        transfer_tokens(
            source=asset.token_account(address_of(wallet)),
            mint=asset.mint,
            destination=destination,
            owner=address_of(wallet),
            amount_raw=10,
            decimals=8,
        ),
        wallet,
    )
    await program.accepted(pausing(program, Scope.TRANSFERS, asset.mint))
    assert (await asset.read()).paused == Scope.TRANSFERS
    assert (await asset.read_mint()).paused
    paused = {"InstructionError": [1, {"Custom": TOKEN_2022_MINT_PAUSED}]}
    await program.chain.fails(transfer, paused)
    # Token-2022 refuses mint and burn of a paused mint too, so the program says it by its own name first.
    for action in actions(asset, wallet).values():
        await program.refused(await action(), ErrorCode.Paused)

    await program.accepted(resuming(program, Scope.TRANSFERS, asset.mint))
    assert not (await asset.read_mint()).paused
    await program.chain.accepted(transfer)
    for action in actions(asset, wallet).values():
        await program.accepted(await action())


async def test_a_pause_of_transfers_needs_its_asset_and_mint(program: DeployedProgram, pool: AssetPool) -> None:
    asset, other = await pool.take(), await pool.take()
    client, guardian = program.client, program.keys.guardian.address
    scopes = {"scopes": int(Scope.TRANSFERS)}
    await program.refused(pausing(program, Scope.TRANSFERS), ErrorCode.TransfersNeedAsset)
    without_mint = client.build("pause", scopes, {"guardian": guardian, "asset": asset.address})
    await program.refused(program.by("guardian", without_mint), ErrorCode.TransfersNeedAsset)
    good = client.pause(guardian=guardian, scopes=Scope.TRANSFERS, mint=asset.mint)
    asset_index, mint_index, token_program_index = 2, 3, 4
    wrong = {
        (mint_index, other.mint): ErrorCode.WrongMint,
        (asset_index, other.address): ErrorCode.WrongMint,
        (asset_index, program.addresses.config): ErrorCode.AccountDiscriminatorMismatch,
        (token_program_index, ASSOCIATED_TOKEN): ErrorCode.InvalidProgramId,
        (token_program_index, program.client.program_id): ErrorCode.TransfersNeedAsset,
    }
    for (index, address), error in wrong.items():
        await program.refused(program.by("guardian", with_account(good, index, address)), error)
    await program.accepted(program.by("guardian", good))


async def test_the_resumer_clears_holds_that_are_set(program: DeployedProgram, asset: Asset) -> None:
    await program.refused(await asset.clear_hold_call(Hold.RISE), ErrorCode.NothingToChange)
    await asset.attest(100)
    await asset.attest(1_000)
    for unknown in (0, 8, 255):
        await program.refused(await asset.clear_hold_call(unknown), ErrorCode.UnknownHold)
    await program.refused(await asset.clear_hold_call(Hold.MULTIPLIER), ErrorCode.NothingToChange)
    await program.refused(await asset.mint_call(1), ErrorCode.OnHold)
    [event] = await program.accepted(await asset.clear_hold_call(Hold.RISE | Hold.CA_WINDOW))
    assert (event.name, event.fields["holds"]) == ("HoldCleared", 0)
    await program.accepted(await asset.mint_call(1))
