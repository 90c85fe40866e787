"""docs/reserve-account.md says what the program has."""

from __future__ import annotations

import json
import re

from tests.reserve.document import COMMAND, DOCS, bytes_of, document, places
from tests.reserve.vectors import VECTORS
from xstocks_daemon.chain.program import ProgramClient
from xstocks_daemon.domain.units import Address

KEPT = json.loads(VECTORS.read_text(encoding="utf-8"))
CASE = next(case for case in KEPT["cases"] if case["name"] == "two custodians back exactly all")


def kept(name: str) -> dict[str, bytes]:
    return {key: bytes.fromhex(text) for key, text in KEPT["accounts"][name].items()}


def test_the_page_is_the_generated_one() -> None:
    assert DOCS.read_text(encoding="utf-8") == document(), f"run {COMMAND}"


def test_the_offsets_are_those_of_real_accounts() -> None:
    """Each field, read where the page says, is what the daemon's decoder (another path through the IDL) reads."""
    client = ProgramClient(Address(bytes.fromhex(KEPT["program_id"])))
    asset, custodian, config = (kept(name) for name in (CASE["asset"], CASE["custodians"][0], CASE["config"]))
    decoded_asset = client.asset(Address(asset["address"]), asset["data"])
    decoded: dict[str, tuple[bytes, object]] = {
        "Asset": (asset["data"], decoded_asset),
        "Custodian": (custodian["data"], client.custodian(Address(custodian["address"]), custodian["data"])),
        "Config": (config["data"], client.config(config["data"])),
    }
    at = {place.name: place.offset for place in places("Asset")}
    parts: dict[str, tuple[bytes, object]] = {
        "Entry": (asset["data"][at["entries"] + bytes_of("Entry") :], decoded_asset.entries[1]),
        "Policy": (asset["data"][at["policy"] :], decoded_asset.policy),
        "Bucket": (asset["data"][at["mint_bucket"] :], decoded_asset.mint_bucket),
    }
    compared = 0
    for struct, (data, value) in (decoded | parts).items():
        for place in places(struct):
            known = getattr(value, place.name, None)
            raw = data[place.offset : place.offset + place.size]
            if isinstance(known, bytes):
                assert raw == known, f"{struct}.{place.name}"
            elif isinstance(known, int):
                assert int.from_bytes(raw, "little", signed=place.type == "i64") == known, f"{struct}.{place.name}"
            else:
                continue
            compared += 1
    assert compared >= 50
    assert {struct: len(data) for struct, (data, _) in decoded.items()} == {
        struct: bytes_of(struct) for struct in decoded
    }


def test_the_sizes_of_the_typescript_example_are_the_programs() -> None:
    kinds = dict(re.findall(r"(\w+): \{ bytes: (\d+),", DOCS.read_text(encoding="utf-8")))
    assert {name: int(size) for name, size in kinds.items()} == {name: bytes_of(name) for name in kinds}
    assert set(kinds) == {"Asset", "Custodian", "Config"}
