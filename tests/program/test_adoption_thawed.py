"""A permissioned mint comes with accounts that others thawed: `xstocks adopt check` finds what can change hands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair

from tests.cli.desk import Desk
from tests.program.test_freeze import freezing, thawing
from tests.support.deployed import DeployedProgram
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import Call, address_of, call
from tests.support.mints import live_mint, token_instruction
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.program import Profile
from xstocks_daemon.chain.transactions import transfer_tokens
from xstocks_daemon.domain.units import Address

SUPPLY_RAW = 10_000
THAW = bytes([11])
SET_ACCOUNT_OWNER = bytes([6, 2, 1])
"""SetAuthority of Token-2022; the new owner follows."""


@pytest.fixture
def desk(program: DeployedProgram, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(program, tmp_path, capsys)


@pytest.mark.embedded_only
async def test_an_account_thawed_before_the_adoption_is_listed_until_compliance_freezes_it(
    program: DeployedProgram, desk: Desk
) -> None:
    """finish_adopt cannot see it, and it changes hands under the program. Its twin is an associated account of the same
    wallet, thawed just so, whose owner is immutable."""
    wallet, heir, guard = await program.participant(), await program.participant(), Keypair()
    owner = address_of(wallet)
    holders = (Keypair(), guard, Keypair())
    live = await live_mint(program, profile=Profile.PERMISSIONED, supply_raw=SUPPLY_RAW, wallet=wallet, holders=holders)
    asset, mint = await live.asset(), base58(live.mint)
    await program.chain.fund(owner)

    async def listed() -> list[dict[str, Any]]:
        ran = await desk.runs("adopt", "check", mint, "--json", yes=False)
        [found] = json.loads(ran.out)
        assert (found["mint"], found["permissioned"], ran.err) == (mint, True, "")
        assert ran.code == int(found["transferable"] != [])
        rows: list[dict[str, Any]] = found["transferable"]
        return rows

    account = await asset.open_another(wallet)
    assert await listed() == []  # frozen, as every new account is
    thaw = token_instruction(THAW, account, live.mint, signer=address_of(guard))
    moving = transfer_tokens(
        source=asset.token_account(owner),
        mint=live.mint,
        destination=account,
        owner=owner,
        amount_raw=SUPPLY_RAW,
        decimals=8,
    )
    await program.chain.accepted(call((thaw, moving), wallet, guard))
    row = {"account": base58(account), "owner": base58(owner), "amount_raw": str(SUPPLY_RAW)}
    assert await listed() == [row]

    # Adopted all the same, and given away, tokens and all.
    await live.adopt()
    giving_away = token_instruction(SET_ACCOUNT_OWNER + address_of(heir), account, signer=owner)
    await program.chain.accepted(call(giving_away, wallet))
    assert await listed() == [row | {"owner": base58(address_of(heir))}]

    # What the guide says: compliance freezes it, for good; its owner's associated account is thawed instead.
    def thawed(which: Address) -> Call:
        return program.by("compliance", thawing(program, asset, which, address_of(heir)))

    await program.accepted(program.by("compliance", freezing(program, asset, account)))
    assert await listed() == []
    associated = await asset.open_account(address_of(heir))
    await program.refused(thawed(account), ErrorCode.OwnerNotImmutable)
    await program.accepted(thawed(associated))
    assert await listed() == []


@pytest.mark.embedded_only
async def test_what_the_check_says_to_people(program: DeployedProgram, desk: Desk) -> None:
    wallet, guard, nothing = Keypair(), Keypair(), base58(address_of(Keypair()))
    holders = (Keypair(), guard, Keypair())
    free = await live_mint(program)
    live = await live_mint(program, profile=Profile.PERMISSIONED, wallet=wallet, holders=holders)
    mints = [base58(live.mint), base58(free.mint)]
    ran = await desk.runs("adopt", "check", *mints, yes=False)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        f"none: {mints[0]}: no thawed account can change hands",
        f"not permissioned: {mints[1]}: anybody may hold it",
    ]
    await program.chain.fund(address_of(wallet))
    account = await (await live.asset()).open_another(wallet)
    thaw = token_instruction(THAW, account, live.mint, signer=address_of(guard))
    await program.chain.accepted(call(thaw, guard))
    ran = await desk.runs("adopt", "check", *mints, yes=False)
    assert (ran.code, ran.err) == (1, "")
    line = f"can change hands: {mints[0]}: {base58(account)}: 0 base units of {wallet.pubkey()}"
    assert ran.out.splitlines()[0] == line
    ran = await desk.runs("adopt", "check", nothing, yes=False)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"error: MINT: {nothing}: no account of this address exists on this cluster\n"
