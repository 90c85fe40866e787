"""The example lending gate as time passes, and on accounts that only an edit makes: on the embedded chain alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.reserve.market import MAX_AGE_SECS, Collateral, Market, Refusal
from tests.support.deployed import Asset
from tests.support.edit import patched
from tests.support.initialized import ROOMY
from xstocks_daemon.chain.addresses import SYSTEM
from xstocks_daemon.chain.rpc import AccountInfo
from xstocks_daemon.domain.snapshot import AssetState
from xstocks_daemon.domain.units import MILLIS_PER_SEC, Address, multiplier_bits_of

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("market", ["embedded"], indirect=True, scope="module"),
]

# Offsets of docs/reserve-account.md.
SEALED_AT = 10
VERSION_AT = 8
STATE_AT = 12
SCALED_UI_OFFSET_AT = 168

NEW_MULTIPLIER = multiplier_bits_of("1.02")


async def edited(market: Market, address: Address, offset: int, content: bytes) -> AccountInfo:
    """Write over a part of an account; gives the account as it was."""
    before = await market.chain.account(address)
    await market.chain.set_account(address, replace(before, data=patched(before.data, offset, content)))
    return before


async def turns(collateral: Collateral, last_ts: int, before: Refusal | None, after: Refusal) -> None:
    """Second by second around `last_ts`: until then a deposit ends in `before` (None: it passes), later in `after`.

    Simulated, since the clock stands still meanwhile; it may leave out a second when a slot begins.
    """
    chain = collateral.market.chain
    await chain.clock_reaches(last_ts - 1)
    while (now_ts := await chain.clock_ts()) <= last_ts + 1:
        error = before if now_ts <= last_ts else after
        simulated = await chain.simulate(collateral.deposit())
        assert simulated.err == (None if error is None else {"InstructionError": [1, {"Custom": int(error)}]})
        await chain.advance_clock(1)
    await collateral.refused(after)


async def last_ts_at(collateral: Collateral, age_secs: int) -> int:
    """The last second at which the statement is not older than `age_secs`."""
    return (await collateral.asset.entry()).observed_ms // MILLIS_PER_SEC + age_secs


async def test_a_statement_is_taken_until_the_markets_own_limit(market: Market) -> None:
    collateral = await market.collateral()
    await turns(collateral, await last_ts_at(collateral, MAX_AGE_SECS), None, Refusal.StatementTooOld)
    await collateral.asset.attest(1_000)
    await collateral.accepted()


async def test_a_stale_statement_counts_nothing(market: Market) -> None:
    collateral = await market.collateral()
    last_ts = await last_ts_at(collateral, ROOMY.max_age_secs)
    await turns(collateral, last_ts, Refusal.StatementTooOld, Refusal.NoFreshStatement)
    await collateral.asset.attest(1_000)
    await collateral.accepted()


async def test_an_expired_statement_counts_nothing(market: Market) -> None:
    collateral = await market.collateral()
    expires_ts = await market.chain.clock_ts() + 60
    await collateral.asset.attest(1_000, expires_ts=expires_ts)
    await turns(collateral, expires_ts - 1, None, Refusal.NoFreshStatement)
    await collateral.asset.attest(1_000)
    await collateral.accepted()


async def test_what_does_not_bind_the_issuer_is_refused(market: Market) -> None:
    collateral = await market.collateral()
    for address, offset, content, error in (
        (market.program.addresses.config, SEALED_AT, b"\0", Refusal.NotSealed),
        (collateral.asset.address, STATE_AT, bytes([AssetState.RELEASED]), Refusal.Released),
    ):
        before = await edited(market, address, offset, content)
        await collateral.refused(error)
        await market.chain.set_account(address, before)
        await collateral.accepted()


async def test_a_copied_asset_account_is_worth_nothing(market: Market) -> None:
    collateral = await market.collateral()
    asset = collateral.asset.address
    await collateral.asset.attest(900)
    await collateral.refused(Refusal.ReserveShort)
    # The very bytes that would let it pass, owned by somebody else.
    short = await market.chain.account(asset)
    await collateral.asset.attest(1_000)
    backed = await market.chain.account(asset)
    await collateral.accepted()
    for owner, error in (
        (SYSTEM, Refusal.AssetWrongOwner),
        (market.foreign.client.program_id, Refusal.AssetWrongOwner),
    ):
        await market.chain.set_account(asset, replace(backed, owner=owner))
        await collateral.refused(error)
    await market.chain.set_account(asset, short)
    await collateral.refused(Refusal.ReserveShort)
    await market.chain.set_account(asset, backed)
    await collateral.accepted()


async def test_an_account_of_another_kind_or_version_is_refused(market: Market) -> None:
    collateral = await market.collateral()
    for offset, error in ((0, Refusal.AssetWrongDiscriminator), (VERSION_AT, Refusal.AssetUnsupportedVersion)):
        before = await edited(market, collateral.asset.address, offset, b"\xff")
        await collateral.refused(error)
        await market.chain.set_account(collateral.asset.address, before)
    await collateral.accepted()


async def test_from_the_time_of_a_new_multiplier_on_old_statements_count_nothing(market: Market) -> None:
    collateral = await market.collateral(1_000_000)
    chain, program = market.chain, market.program
    effective_ts = await chain.clock_ts() + 2 * ROOMY.min_notice_secs
    schedule = program.client.schedule_multiplier(
        corporate_actions=program.keys.corporate_actions.address,
        mint=collateral.asset.mint,
        current_bits=collateral.asset.multiplier_bits,
        new_bits=NEW_MULTIPLIER,
        effective_ts=effective_ts,
    )
    await program.accepted(program.by("corporate_actions", schedule))
    await turns(collateral, effective_ts - 1, None, Refusal.NoFreshStatement)
    # As many shares more as the multiplier asks: within the tolerance, so without a hold.
    renewed = Asset(program, collateral.asset.mint, NEW_MULTIPLIER)
    await program.accepted(program.relay(await program.statement({renewed: 10_201_000})))
    await collateral.accepted()


async def test_the_multiplier_of_the_mint_is_where_the_asset_says(market: Market) -> None:
    collateral = await market.collateral()
    before = await edited(market, collateral.asset.address, SCALED_UI_OFFSET_AT, b"\0\0")
    await collateral.refused(Refusal.MultiplierOffsetInvalid)
    await market.chain.set_account(collateral.asset.address, before)
    await collateral.accepted()
