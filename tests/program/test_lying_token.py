"""Second lines: a Token-2022 that says yes and does something else makes, moves and releases nothing unnoticed.

SIMULATED. The real Token-2022 never behaves so; what the program reads back after its calls is its defence against one
that was replaced or changed. On an embedded chain of this file's own, Token-2022's address points to another program
for as long as `lying` lasts: programs/testing/lying_token answers every instruction with success, and the last digit of
an amount says what becomes of the balances. Mints, vaults and statements are made by the real one, before; and every
call that is refused passes with the real one, after.

Not simulated, and not seen by the program: accounts that are no part of the call. What it does not read back of those
that are: the vault of a mint and of a burn (`test_the_vault_of_a_mint_and_of_a_burn_is_not_read_again`), the pause of
transfers, the metadata.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from solders.keypair import Keypair

from localnet.harness.paths import ROOT
from tests.program.multiplier_calls import NOTICE_SECS, announce, cancel, in_secs, schedule
from tests.program.recovery_case import Case
from tests.program.test_freeze import freezing, thawing
from tests.program.test_retire_release import releasing
from tests.support.cluster import cluster as start_cluster
from tests.support.deployed import Asset, AssetPool, DeployedProgram, deploy_program, supply_call
from tests.support.edit import patched
from tests.support.error_codes import ErrorCode
from tests.support.fixtures import session_fixture, single_fixture
from tests.support.live_chain import Call, LiveChain, address_of
from tests.support.mints import live_mint
from tests.support.redeeming import Request, participant_with
from tests.support.tables import lookup_table
from xstocks_daemon.chain.addresses import TOKEN_2022
from xstocks_daemon.domain.intent import IntentKind
from xstocks_daemon.domain.units import Address

pytestmark = pytest.mark.xdist_group("lying token")

LIAR_SO = ROOT / "programs" / "testing" / "lying_token" / "deploy" / "lying_token.so"
LIAR = address_of(Keypair())
HUNDREDS = 1_000
"""Amounts are this and a digit: 0 nothing changes; 1 only the first side, 2 only the second; 3 both by one unit more
than the amount, 4 by one less; 5 the truth. Sides: supply and account of a mint, account and supply of a burn, source
and destination of a transfer."""
ATTESTED_RAW = 100_000
ACCOUNT_STATE_AT = 108
"""In a token account."""


@session_fixture
async def deployed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DeployedProgram]:
    """The program, not sealed, on a chain where the liar is loaded somewhere else."""
    async with start_cluster("embedded", tmp_path_factory.mktemp("lying"), also={LIAR: LIAR_SO}) as cluster:
        yield await deploy_program(cluster.chain, cluster.keys, cluster.client)


@session_fixture
async def assets(deployed: DeployedProgram) -> AssetPool:
    """Assets made by the real Token-2022."""
    return AssetPool(deployed)


@single_fixture
async def taken(assets: AssetPool) -> Asset:
    """A fresh one, without a statement."""
    return await assets.take()


@asynccontextmanager
async def lying(chain: LiveChain) -> AsyncIterator[None]:
    """Token-2022's address is the liar's."""
    honest = await chain.account(TOKEN_2022)
    await chain.set_account(TOKEN_2022, await chain.account(LIAR))
    try:
        yield
    finally:
        await chain.set_account(TOKEN_2022, honest)


async def refused_then_accepted(program: DeployedProgram, sent: Call, error: ErrorCode, *also: Address) -> None:
    """With the liar refused by the program itself, with this number and no account changed; the same call passes with
    the real Token-2022."""
    async with lying(program.chain):
        await program.refused(sent, error, also=also)
    await program.accepted(sent)


# ---- amounts ---------------------------------------------------------------------------------------------------------


async def minting(asset: Asset, amount_raw: int) -> Call:
    await asset.attest(ATTESTED_RAW)
    return await asset.mint_call(amount_raw)


async def burning(asset: Asset, amount_raw: int) -> Call:
    await asset.program.accepted(await minting(asset, 2 * amount_raw))
    return await asset.burn_call(amount_raw)


async def distributing(asset: Asset, amount_raw: int) -> Call:
    await asset.program.accepted(await minting(asset, 2 * amount_raw))
    wallet = await asset.program.participant()
    await asset.open_account(address_of(wallet))
    return await asset.distribute_call(amount_raw, wallet)


async def request_of(asset: Asset, amount_raw: int) -> Request:
    await asset.attest(ATTESTED_RAW)
    return Request(asset, await participant_with(asset, 2 * amount_raw))


async def requesting(asset: Asset, amount_raw: int) -> Call:
    return (await request_of(asset, amount_raw)).request_call(amount_raw)


async def requested(asset: Asset, amount_raw: int) -> Request:
    request = await request_of(asset, amount_raw)
    await asset.program.accepted(request.request_call(amount_raw))
    return request


async def cancelling(asset: Asset, amount_raw: int) -> Call:
    return (await requested(asset, amount_raw)).cancel_call()


async def rejecting(asset: Asset, amount_raw: int) -> Call:
    return (await requested(asset, amount_raw)).reject_call()


async def settling(asset: Asset, amount_raw: int) -> Call:
    request = await requested(asset, amount_raw)
    await asset.program.accepted(request.accept_call())
    return request.settle_call()


async def recovering(asset: Asset, amount_raw: int) -> Call:
    case = Case(asset, await asset.holder(2 * HUNDREDS), Keypair())
    await asset.open_account(address_of(case.heir))
    await case.announce(amount_raw)
    return case.executing()


Build = Callable[[Asset, int], Awaitable[Call]]
SUPPLY, BALANCE = ErrorCode.SupplyMismatch, ErrorCode.BalanceMismatch
ACTS: dict[str, tuple[Build, tuple[ErrorCode | None, ...]]] = {
    "mint": (minting, (SUPPLY, None, SUPPLY, SUPPLY, SUPPLY)),
    "burn": (burning, (SUPPLY, SUPPLY, None, SUPPLY, SUPPLY)),
    "settle": (settling, (SUPPLY, SUPPLY, BALANCE, SUPPLY, SUPPLY)),
    "distribute": (distributing, (BALANCE,) * 5),
    "request": (requesting, (BALANCE,) * 5),
    "cancel": (cancelling, (BALANCE,) * 5),
    "reject": (rejecting, (BALANCE,) * 5),
    "recover": (recovering, (BALANCE,) * 5),
}
"""How the call of an amount is made, and how the lie of each digit ends; None: it is believed."""
LIES = [(name, digit) for name, (_, errors) in ACTS.items() for digit, error in enumerate(errors) if error is not None]
BELIEVED = [(name, digit) for name, (_, errors) in ACTS.items() for digit, error in enumerate(errors) if error is None]


@pytest.mark.parametrize(("name", "digit"), LIES)
async def test_a_lie_about_an_amount_is_refused(taken: Asset, name: str, digit: int) -> None:
    build, errors = ACTS[name]
    error = errors[digit]
    assert error is not None
    sent = await build(taken, HUNDREDS + digit)
    await refused_then_accepted(taken.program, sent, error, taken.address, taken.mint, taken.vault)


@pytest.mark.parametrize("name", ACTS)
async def test_the_same_program_is_believed_where_it_does_what_it_is_told(taken: Asset, name: str) -> None:
    """So the refusals above are for the lie and not for the liar."""
    sent = await ACTS[name][0](taken, HUNDREDS + 5)
    async with lying(taken.program.chain):
        await taken.program.accepted(sent)


@pytest.mark.parametrize(("name", "digit"), BELIEVED)
async def test_the_vault_of_a_mint_and_of_a_burn_is_not_read_again(taken: Asset, name: str, digit: int) -> None:
    """The limit of the second lines: the supply is what M1 is about, and it is what it must be."""
    sent = await ACTS[name][0](taken, HUNDREDS + digit)
    supply_raw, balance_raw = await taken.supply_raw(), await taken.balance_raw()
    async with lying(taken.program.chain):
        await taken.program.accepted(sent)
    change_raw = HUNDREDS + digit if name == "mint" else -(HUNDREDS + digit)
    assert (await taken.supply_raw(), await taken.balance_raw()) == (supply_raw + change_raw, balance_raw)


@pytest.mark.parametrize("kind", [IntentKind.MINT, IntentKind.BURN], ids=["mint", "burn"])
@pytest.mark.parametrize(("entries", "liar"), [(2, 0), (2, 1), (10, 8), (10, 9)])
async def test_a_lie_about_one_entry_of_a_batch_is_refused(
    assets: AssetPool, kind: IntentKind, entries: int, liar: int
) -> None:
    """A call takes nine entries, so the last of ten is in a call of its own."""
    program = assets.program
    batch = [await assets.take() for _ in range(entries)]
    for asset in batch:
        await asset.attest(ATTESTED_RAW)
        await program.accepted(await asset.mint_call(2 * HUNDREDS))
    table = await lookup_table(program, [asset.mint for asset in batch])
    amounts_raw = [HUNDREDS + 5] * entries
    amounts_raw[liar] = HUNDREDS
    sent = await supply_call(program, kind, list(zip(batch, amounts_raw, strict=True)))
    await refused_then_accepted(program, sent.but(tables=(table,)), ErrorCode.SupplyMismatch)


# ---- everything else -------------------------------------------------------------------------------------------------


async def test_a_release_that_releases_nothing_is_refused(taken: Asset) -> None:
    sent = releasing(taken.program, taken, address_of(Keypair()))
    await refused_then_accepted(taken.program, sent, ErrorCode.AuthorityNotReleased)


@pytest.mark.parametrize("digit", [0, 1, 2, 4])
async def test_a_release_that_burns_not_what_is_left_is_refused(taken: Asset, digit: int) -> None:
    """Its inventory: see HUNDREDS for what the liar does of it."""
    await taken.program.accepted(await minting(taken, HUNDREDS + digit))
    error = ErrorCode.BalanceMismatch if digit == 2 else ErrorCode.SupplyMismatch
    await refused_then_accepted(taken.program, releasing(taken.program, taken, address_of(Keypair())), error)


async def test_an_aborted_adoption_that_gives_nothing_back_is_refused(deployed: DeployedProgram) -> None:
    live = await live_mint(deployed)
    before = await live.holders()
    await deployed.accepted(live.begin())
    await live.hand_over()
    await refused_then_accepted(deployed, live.abort(), ErrorCode.AuthorityNotReleased)
    assert await live.holders() == before


async def test_a_multiplier_that_is_not_set_is_refused(taken: Asset) -> None:
    sent = schedule(taken, await in_secs(taken, NOTICE_SECS + 60))
    await refused_then_accepted(taken.program, sent, ErrorCode.MultiplierNotSet)


async def test_a_multiplier_that_is_not_taken_back_is_refused(taken: Asset) -> None:
    await announce(taken)
    await refused_then_accepted(taken.program, cancel(taken), ErrorCode.MultiplierNotSet)


async def test_a_freeze_and_a_thaw_that_do_nothing_are_refused(taken: Asset) -> None:
    program = taken.program
    source = taken.token_account(address_of(await taken.holder(HUNDREDS)))
    for build, error in ((freezing, ErrorCode.AccountNotFrozen), (thawing, ErrorCode.AccountFrozen)):
        await refused_then_accepted(program, program.by("compliance", build(program, taken, source)), error)


async def test_a_recovery_whose_source_is_not_frozen_is_not_announced(taken: Asset) -> None:
    case = Case(taken, await taken.holder(2 * HUNDREDS), Keypair())
    await taken.open_account(address_of(case.heir))
    await refused_then_accepted(taken.program, case.announcing(HUNDREDS), ErrorCode.AccountNotFrozen)


async def test_a_recovery_that_leaves_its_source_thawed_is_refused(taken: Asset) -> None:
    """Thawed by hand, in the place of a liar that thaws and does not freeze again."""
    program, case = taken.program, Case(taken, await taken.holder(2 * HUNDREDS), Keypair())
    await taken.open_account(address_of(case.heir))
    await case.announce(HUNDREDS + 5)
    frozen = await program.chain.account(case.source)
    thawed = replace(frozen, data=patched(frozen.data, ACCOUNT_STATE_AT, b"\1"))
    await program.chain.set_account(case.source, thawed)
    async with lying(program.chain):
        await program.refused(case.executing(), ErrorCode.AccountNotFrozen)
    await program.chain.set_account(case.source, frozen)
    await program.accepted(case.executing())
