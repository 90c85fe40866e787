"""Changes of the multiplier: what their tests share."""

from __future__ import annotations

import struct
from pathlib import Path

from tests.support.deployed import Asset
from tests.support.initialized import OWN_CUSTODIAN, ROOMY
from tests.support.live_chain import Call, address_of
from xstocks_daemon.chain.program import ProgramEvent
from xstocks_daemon.domain.statement import Statement
from xstocks_daemon.domain.units import MILLIS_PER_SEC, multiplier_bits_of

ONE = multiplier_bits_of("1")

NEW = multiplier_bits_of("1.02")
"""Within the 500 bps of the test policy."""

NOTICE_SECS = ROOMY.min_notice_secs

DAY_SECS = 86_400

MAX_NOTICE_SECS = 90 * DAY_SECS

ACTIONS = Path(__file__).parents[2] / "localnet" / "catalogue" / "corporate_actions.json"


def bits(value: float) -> int:
    return int.from_bytes(struct.pack("<d", value), "little")


def schedule(
    asset: Asset, effective_ts: int, new_bits: int = NEW, *, current_bits: int = ONE, admin: bool = False
) -> Call:
    """Corporate actions announces; with `admin` the admin signs too."""
    program = asset.program
    keys = program.keys
    instruction = program.client.schedule_multiplier(
        corporate_actions=keys.corporate_actions.address,
        mint=asset.mint,
        current_bits=current_bits,
        new_bits=new_bits,
        effective_ts=effective_ts,
        admin=keys.admin.address if admin else None,
    )
    sent = program.by("corporate_actions", instruction)
    return sent.but(signers=(*sent.signers, keys.admin.keypair)) if admin else sent


def cancel(asset: Asset, by: str = "corporate_actions", *, pending_bits: int = NEW) -> Call:
    key = getattr(asset.program.keys, by).address
    instruction = asset.program.client.cancel_multiplier(authority=key, mint=asset.mint, pending_bits=pending_bits)
    return asset.program.by(by, instruction)


async def in_secs(asset: Asset, secs: int) -> int:
    return await asset.program.chain.clock_ts() + secs


async def announce(asset: Asset, new_bits: int = NEW, *, current_bits: int = ONE, secs: int = NOTICE_SECS + 60) -> int:
    """A change that takes effect `secs` from now, signed by the admin too; gives its time."""
    effective_ts = await in_secs(asset, secs)
    sent = schedule(asset, effective_ts, new_bits, current_bits=current_bits, admin=True)
    await asset.program.accepted(sent)
    return effective_ts


async def said(
    asset: Asset,
    shares_nano: int,
    multiplier_bits: int,
    *,
    custodian: str = OWN_CUSTODIAN,
    observed_ms: int | None = None,
) -> tuple[ProgramEvent, ...]:
    """A quorum statement made with that multiplier is taken."""
    statement = await stated(asset, shares_nano, multiplier_bits, custodian=custodian, observed_ms=observed_ms)
    return await asset.program.accepted(asset.program.relay(statement, *asset.program.quorum(custodian)))


async def stated(
    asset: Asset,
    shares_nano: int,
    multiplier_bits: int,
    *,
    custodian: str = OWN_CUSTODIAN,
    observed_ms: int | None = None,
) -> Statement:
    with_multiplier = Asset(asset.program, asset.mint, multiplier_bits)
    return await asset.program.statement({with_multiplier: shares_nano}, custodian=custodian, observed_ms=observed_ms)


async def withdraw(asset: Asset) -> None:
    """One attester withdraws the entry; statements observed from now on can be taken when this returns."""
    program = asset.program
    attester = program.quorum()[0]
    instruction = program.client.withdraw_entry(
        attester=address_of(attester), custodian=program.custodian().address, mint=asset.mint
    )
    await program.accepted(Call((instruction,), (attester,)))
    # Nothing observed until now + the allowed skew revives it.
    await program.chain.clock_reaches((await asset.entry()).observed_ms // MILLIS_PER_SEC)
