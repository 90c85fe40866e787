"""The reserve as Python reads it: the kept vectors (which Rust reads too), and a fresh run of their story."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.reserve.vectors import VECTORS, play
from xstocks_daemon.chain.errors import MalformedAccount
from xstocks_daemon.chain.mint_layout import read_mint
from xstocks_daemon.chain.program import ProgramClient
from xstocks_daemon.domain.reserve import Reserve, ReserveError, Terms, reserve_of
from xstocks_daemon.domain.units import Address

KEPT: dict[str, Any] = json.loads(VECTORS.read_text(encoding="utf-8"))
#: What Python raises for the errors that Rust names.
RAISED: dict[str, tuple[type[Exception], str]] = {
    "WrongMint": (ReserveError, "is not the asset's"),
    "ForeignCustodian": (ReserveError, "has no entry in the asset"),
    "WrongClock": (ReserveError, "the clock says"),
    "WrongOwner": (MalformedAccount, "owned by|not a Token-2022"),
    "WrongProgram": (MalformedAccount, "is not the program's"),
    "WrongLength": (MalformedAccount, "has another discriminator|bytes"),
    "WrongDiscriminator": (MalformedAccount, "has another discriminator"),
    "UnsupportedVersion": (MalformedAccount, "has version 2"),
    "UnknownState": (MalformedAccount, "4 is not a valid AssetState"),
}


def reading(vectors: dict[str, Any], case: dict[str, Any]) -> Reserve:
    client = ProgramClient(Address(bytes.fromhex(vectors["program_id"])))

    def account(name: str) -> tuple[Address, bytes, Address]:
        content = {key: bytes.fromhex(text) for key, text in vectors["accounts"][name].items()}
        return Address(content["address"]), content["data"], Address(content["owner"])

    _, data, owner = account(case["config"])
    expected = case["upgrade_authority"]
    return reserve_of(
        client.config(data, owner),
        client.asset(*account(case["asset"])),
        account(case["mint"])[0],
        read_mint(*account(case["mint"])),
        [client.custodian(*account(name)) for name in case["custodians"]],
        case["now_ts"],
        upgrade_authority=client.upgrade_authority(*account(case["program_data"])),
        terms=Terms(case["min_timelock_secs"], Address(bytes.fromhex(expected)) if expected else None),
    )


def answers(reserve: Reserve) -> dict[str, Any]:
    """As the vectors say it."""
    return {
        "enforced": reserve.enforced,
        "state": reserve.state.name,
        "paused": int(reserve.paused),
        "holds": int(reserve.holds),
        "multiplier_bits": str(reserve.multiplier_bits),
        "supply_raw": str(reserve.supply_raw),
        "ceiling_raw": str(reserve.ceiling_raw),
        "unseen_raw": str(reserve.unseen_raw),
        "fully_backed": reserve.fully_backed,
        "shortfall_raw": str(reserve.shortfall_raw),
        "lacks_less_than_nano": str(reserve.lacks_less_than_nano),
        "newest_age_secs": reserve.newest_age_secs,
        "oldest_age_secs": reserve.oldest_age_secs,
    }


def check(vectors: dict[str, Any], case: dict[str, Any]) -> None:
    if "error" in case:
        raised, text = RAISED[case["error"]]
        with pytest.raises(raised, match=text):
            reading(vectors, case)
        return
    reserve = reading(vectors, case)
    assert answers(reserve) == case["expect"], case["name"]


@pytest.mark.parametrize("case", KEPT["cases"], ids=[case["name"] for case in KEPT["cases"]])
def test_the_kept_vectors_are_met(case: dict[str, Any]) -> None:
    check(KEPT, case)


async def test_a_fresh_run_gives_the_same_story() -> None:
    """The program of today, and not only that of the day the vectors were kept."""
    fresh = await play()
    assert [case["name"] for case in fresh["cases"]] == [case["name"] for case in KEPT["cases"]]
    for case, kept in zip(fresh["cases"], KEPT["cases"], strict=True):
        assert [case.get("expect"), case.get("error")] == [kept.get("expect"), kept.get("error")]
        check(fresh, case)
