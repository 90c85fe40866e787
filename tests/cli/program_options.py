"""The command line of every instruction, as the documentation says to write it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.chain import idl_values as reading
from tests.chain.cases import CLIENT, KEY, MINT, WALLET, Case, cases
from xstocks_daemon.app.role_instructions import Request
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.program.accounts_resolver import AvailableSigners, inputs, option
from xstocks_daemon.domain.snapshot import Config, Scope
from xstocks_daemon.domain.units import ZERO_ADDRESS, Address

INTERFACE = CLIENT.interface
ALL = cases()
IDS = [f"{case.name}-{index}" for index, case in enumerate(ALL)]
MULTIPLIER = "1.0032690125398187"
NOBODY = Config(
    address=CLIENT.addresses.config,
    sealed=True,
    paused=Scope(0),
    max_skew_secs=60,
    timelock_secs=60,
    min_timelock_secs=1,
    admin_epoch=0,
    genesis_hash=ZERO_ADDRESS,
    **dict.fromkeys(INTERFACE.roles, ZERO_ADDRESS),
    pending_admin_ready_ts=0,
    pending_admin_expires_ts=0,
)
#: What accounts follow from that are themselves no accounts of the instruction, as the cases have them.
BEHIND = {"mint": MINT, "wallet": WALLET, "source": WALLET}

#: A whole policy, whatever its limits are.
LIMITS = {name: 1 for name, _ in INTERFACE.fields_of["PolicyArg"]}

Read = Callable[..., Request]


def in_writing(name: str, kind: Any, value: Any) -> str:
    """A value as one types it, by the documentation."""
    match kind:
        case "pubkey":
            return base58(value)
        case {"array": ["u8", _]} if name == "genesis_hash":
            return base58(value)
        case {"array": ["u8", _]} if name in ("name", "country"):
            return bytes(value).rstrip(b"\0").decode()
        case "bytes" | {"array": ["u8", _]}:
            return bytes(value).hex()
        case "string":
            return str(value)
        case str() if name.endswith("_bits"):
            return MULTIPLIER
        case str():
            return str(int(value))
    return json.dumps(in_json(kind, value))


def in_json(kind: Any, value: Any) -> Any:
    match kind:
        case {"vec": inner} | {"array": [inner, _]} if inner != "u8":
            return [in_json(inner, each) for each in value]
        case {"defined": {"name": name}}:
            return {field["name"]: in_json(field["type"], value[field["name"]]) for field in reading.TYPES[name]}
        case str() if kind in reading.INTEGERS:
            return value
    return in_writing("", kind, value)


def options_of(case: Case) -> list[str]:
    """The command line of a case: its arguments, and only the accounts that do not follow."""
    described = next(each for each in reading.SPEC["instructions"] if each["name"] == case.name)
    given = dict(zip((each["name"] for each in described["accounts"]), case.accounts, strict=True))
    found = []
    for arg in described["args"]:
        found += [option(arg["name"]), in_writing(arg["name"], arg["type"], case.args[arg["name"]])]
    for each in inputs(INTERFACE, case.name):
        behind = {"mint": "asset", "wallet": "participant", "source": "recovery"}.get(each.name, "")
        address = given[each.name] if given.get(each.name) else BEHIND[each.name] if given.get(behind) else None
        if address is not None:
            found += [option(each.name), base58(address)]
    for meta in case.remaining:
        found += ["--remaining", f"{meta.pubkey}{':w' if meta.is_writable else ''}"]
    return found


def signers_of(case: Case) -> AvailableSigners:
    """The signers of the case have the roles that it takes."""
    held: dict[str, Any] = {}
    for spec, address in zip(INTERFACE.accounts_of[case.name], case.accounts, strict=True):
        if spec.signer and address is not None and spec.roles:
            held[spec.roles[-1]] = address
    signing = [Address(bytes(meta.pubkey)) for meta in case.built.accounts if meta.is_signer]
    config = replace(NOBODY, **held)
    if config.admin == ZERO_ADDRESS:
        config = replace(config, admin=Address(bytes([9]) * 32))
    return AvailableSigners(signing or [KEY], config)
