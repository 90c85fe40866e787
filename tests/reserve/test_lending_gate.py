"""The example lending gate takes collateral while the reserve is good, and refuses it by name while it is not."""

from __future__ import annotations

import pytest
import pytest_asyncio
from solders.keypair import Keypair

from tests.reserve.market import POOL_AUTHORITY, Collateral, Market, Refusal
from tests.support.edit import with_account, with_accounts, with_data, with_flags
from tests.support.initialized import OTHER_CUSTODIAN, OWN_CUSTODIAN
from tests.support.live_chain import LAMPORTS_PER_SOL, Call, address_of, call
from tests.support.on_validator import chain_params
from tests.support.redeeming import Request
from xstocks_daemon.chain.addresses import TOKEN_2022
from xstocks_daemon.chain.transactions import create_token_account
from xstocks_daemon.domain.snapshot import Hold
from xstocks_daemon.domain.units import Address

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
]

# Places in the instruction.
DEPOSITOR, SOURCE, MINT, POOL, TOKEN_PROGRAM, CONFIG, ASSET, CUSTODIAN = range(8)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "market" in metafunc.fixturenames:
        metafunc.parametrize("market", chain_params(metafunc), indirect=True, scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def collateral(market: Market) -> Collateral:
    """For tests that change nothing but the pool."""
    return await market.collateral()


def but_account(sent: Call, index: int, address: Address) -> Call:
    [instruction] = sent.instructions
    return sent.but(instructions=(with_account(instruction, index, address),))


async def test_a_deposit_passes_while_every_token_is_backed(market: Market) -> None:
    collateral = await market.collateral(1_000)
    await collateral.accepted(400)
    await collateral.accepted(600)


async def test_a_deposit_is_refused_while_the_reserve_is_short(market: Market) -> None:
    collateral = await market.collateral(1_000)
    await collateral.asset.attest(900)
    await collateral.refused(Refusal.ReserveShort)
    await collateral.asset.attest(1_000)
    await collateral.accepted()


async def test_a_deposit_is_refused_while_the_entry_is_withdrawn(market: Market) -> None:
    collateral = await market.collateral()
    attester = market.program.quorum()[0]
    custodian = market.program.custodian().address
    withdraw = market.program.client.withdraw_entry(
        attester=address_of(attester), custodian=custodian, mint=collateral.asset.mint
    )
    await market.program.accepted(call(withdraw, attester))
    await collateral.refused(Refusal.NoFreshStatement)
    # Nothing observed before the withdrawal and the allowed skew revives it.
    observed_ms = (await collateral.asset.entry()).observed_ms
    await market.chain.clock_reaches(observed_ms // 1_000 + 1)
    await collateral.asset.attest(1_000)
    await collateral.accepted()


async def test_a_deposit_is_refused_after_the_custodians_keys_changed(market: Market) -> None:
    custodian, program = market.third_custodian, market.program
    collateral = await market.collateral(asset=market.guarded, custodian=custodian)
    good = collateral.deposit(custodians=(custodian,))
    await market.chain.accepted(good)
    lost = program.custodian(custodian).attesters[2].address
    revoke = program.client.revoke_custodian_key(
        authority=program.keys.guardian.address, custodian=program.custodian(custodian).address, key=lost
    )
    await program.accepted(program.by("guardian", revoke))
    await collateral.refused(Refusal.NoFreshStatement, good)
    await collateral.asset.attest(1_000, custodian=custodian)
    await collateral.accepted(custodians=(custodian,))


async def test_a_settled_redemption_frees_nothing_until_its_custodian_counts_it(market: Market) -> None:
    collateral = await market.collateral(1_000)
    await market.chain.fund(address_of(collateral.holder), lamports=LAMPORTS_PER_SOL)
    redemption = Request(collateral.asset, collateral.holder)
    await market.program.accepted(redemption.request_call(100) + redemption.accept_call())
    await market.program.accepted(redemption.settle_call())
    await collateral.accepted()
    # The shares are gone, and the statement without them has not counted why.
    await collateral.asset.attest(900, redeemed_seen_raw=0)
    await collateral.refused(Refusal.ReserveShort)
    await collateral.asset.attest(900, redeemed_seen_raw=100)
    await collateral.accepted()


async def test_a_custodian_that_is_not_passed_counts_nothing(market: Market) -> None:
    collateral = await market.collateral(1_000)
    await collateral.refused(Refusal.NoFreshStatement, collateral.deposit(custodians=()))
    # Two custodians with half of it each.
    await collateral.asset.attest(500)
    await collateral.asset.attest(500, custodian=OTHER_CUSTODIAN)
    both = (OWN_CUSTODIAN, OTHER_CUSTODIAN)
    for custodians in ((OWN_CUSTODIAN,), (OTHER_CUSTODIAN,)):
        await collateral.refused(Refusal.ReserveShort, collateral.deposit(custodians=custodians))
    # The same one twice counts once.
    await collateral.refused(Refusal.ReserveShort, collateral.deposit(custodians=(OWN_CUSTODIAN, OWN_CUSTODIAN)))
    await collateral.refused(Refusal.TooManyCustodians, collateral.deposit(custodians=both + both + both[:1]))
    await collateral.accepted(custodians=both + both)
    await collateral.accepted(custodians=both)


async def test_only_the_assets_own_custodians_are_taken(market: Market) -> None:
    collateral = await market.collateral()
    foreign = market.foreign.custodian().address
    third = market.program.custodian(market.third_custodian).address
    good = collateral.deposit()
    await collateral.refused(Refusal.CustodianWrongOwner, but_account(good, CUSTODIAN, foreign))
    await collateral.refused(Refusal.ForeignCustodian, but_account(good, CUSTODIAN, third))
    config = market.program.addresses.config
    await collateral.refused(Refusal.CustodianWrongLength, but_account(good, CUSTODIAN, config))
    await market.chain.accepted(good)


async def test_an_asset_account_of_another_program_is_worth_nothing(market: Market) -> None:
    collateral = await market.collateral()
    [foreign] = await market.foreign.register()
    good = collateral.deposit()
    await collateral.refused(Refusal.AssetWrongOwner, but_account(good, ASSET, foreign.address))
    # Neither is another account of the right program.
    config, other = market.program.addresses.config, market.unused()
    await collateral.refused(Refusal.AssetWrongLength, but_account(good, ASSET, config))
    await collateral.refused(Refusal.WrongMint, but_account(good, ASSET, other.address))
    await market.chain.accepted(good)


async def test_a_substituted_config_is_refused(market: Market) -> None:
    collateral = await market.collateral()
    good = collateral.deposit()
    await collateral.refused(Refusal.ConfigWrongOwner, but_account(good, CONFIG, market.foreign.addresses.config))
    await collateral.refused(Refusal.ConfigWrongLength, but_account(good, CONFIG, collateral.asset.address))
    await market.chain.accepted(good)


async def test_a_mint_that_is_not_the_assets_is_refused(market: Market) -> None:
    collateral, other = await market.collateral(), await market.collateral()
    good = collateral.deposit()
    await collateral.refused(Refusal.WrongMint, but_account(good, MINT, other.asset.mint))
    await collateral.refused(Refusal.MintWrongOwner, but_account(good, MINT, collateral.asset.address))
    # The tokens of one asset, the reserve of another.
    await collateral.refused(Refusal.WrongMint, but_account(good, ASSET, other.asset.address))
    await market.chain.accepted(good)


async def test_a_hold_stops_deposits_until_the_resumer_clears_it(market: Market) -> None:
    collateral = await market.collateral(1_000)
    await collateral.asset.attest(10_000)
    await collateral.refused(Refusal.OnHold)
    await market.program.accepted(await collateral.asset.clear_hold_call(Hold.RISE))
    await collateral.accepted()


async def test_the_other_accounts_are_what_they_must_be(market: Market) -> None:
    collateral = await market.collateral()
    good = collateral.deposit()
    [instruction] = good.instructions
    not_signed = with_flags(instruction, DEPOSITOR, signer=False)
    await collateral.refused(Refusal.NotSigned, call(not_signed))
    legacy = Address(bytes(TOKEN_2022[:31]) + b"\1")
    await collateral.refused(Refusal.NotTokenProgram, but_account(good, TOKEN_PROGRAM, legacy))
    own = collateral.source
    await collateral.refused(Refusal.NotThePool, but_account(good, POOL, own))
    await collateral.refused(Refusal.NotThePool, but_account(good, POOL, collateral.asset.mint))
    missing = with_accounts(instruction, instruction.accounts[:ASSET])
    await collateral.refused(Refusal.AccountMissing, good.but(instructions=(missing,)))
    await market.chain.accepted(good)


@pytest.mark.parametrize("data", [b"", b"\0", b"\0" + bytes(7), b"\1" + bytes(8), b"\0" + bytes(9)])
async def test_instruction_data_has_one_form(market: Market, collateral: Collateral, data: bytes) -> None:
    good = collateral.deposit()
    malformed = with_data(good.instructions[0], data)
    await collateral.refused(Refusal.InstructionInvalid, good.but(instructions=(malformed,)))


async def test_an_amount_is_needed(market: Market, collateral: Collateral) -> None:
    await collateral.refused(Refusal.AmountZero, collateral.deposit(0))
    await collateral.accepted(1)


async def test_more_than_the_holder_has_is_refused_by_the_token_program(market: Market) -> None:
    collateral = await market.collateral(1_000)
    insufficient_funds = {"InstructionError": [1, {"Custom": 1}]}
    await market.chain.fails(collateral.deposit(1_001), insufficient_funds)
    await collateral.accepted(1_000)


async def test_the_pool_is_the_programs_own_address(market: Market) -> None:
    """The constant in the program is PDA ["pool"]: what anybody may open for a stranger's wallet is no pool."""
    collateral = await market.collateral()
    stranger = address_of(Keypair())
    await market.chain.accepted(
        call(create_token_account(address_of(market.chain.payer), stranger, collateral.asset.mint))
    )
    good = collateral.deposit()
    await collateral.refused(Refusal.NotThePool, but_account(good, POOL, collateral.asset.token_account(stranger)))
    assert collateral.pool == collateral.asset.token_account(POOL_AUTHORITY)
    await market.chain.accepted(good)
