"""The program's interface: IDL spec 0.1.0, and its translation into the older form that anchorpy 0.21 reads.

The daemon's copy of `xstocks_mint.json` comes with the wheel; in a checkout it is the repository's `idl/`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from anchorpy_core.idl import Idl

from xstocks_daemon.chain.addresses import parse_address
from xstocks_daemon.chain.errors import IdlError
from xstocks_daemon.domain.units import Address

IDL_FILE = "xstocks_mint.json"
SPEC = "0.1.0"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seed:
    """One seed of a derived address: constant bytes, or the name of the account or argument that it is."""

    const: bytes | None
    account: str | None
    arg: str | None


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """One account of an instruction, in the place it must take. `fixed` is the only address allowed, if any; `seeds`
    (none: empty) are those of the program's address that it must be. `roles`: the Config's fields, any one of whose
    keys may sign as it; empty for a signer that is whoever it is, such as a wallet."""

    name: str
    signer: bool
    writable: bool
    optional: bool
    fixed: Address | None
    seeds: tuple[Seed, ...]
    roles: tuple[str, ...]
    doc: str


@dataclass(frozen=True, slots=True)
class RemainingAccount:
    """One account of a group behind the named ones."""

    name: str
    writable: bool


@dataclass(frozen=True, slots=True)
class RemainingGroup:
    """Accounts that an instruction takes together behind its named ones, again and again: for each item of the argument
    `per`, or from `least` to `most` times where there is no such argument. `ascending_by`: "address" or "mint" where
    they ascend strictly by it."""

    accounts: tuple[RemainingAccount, ...]
    per: str | None
    least: int
    most: int
    ascending_by: str | None


@dataclass(frozen=True, slots=True)
class ProgramInterface:
    """What the IDL says, in the forms that the client needs."""

    program_id: Address
    idl: Idl
    accounts_of: Mapping[str, tuple[AccountSpec, ...]]
    args_of: Mapping[str, tuple[tuple[str, Any], ...]]
    """Of each instruction: its arguments in order, by name and type (of spec 0.1.0)."""
    doc_of: Mapping[str, str]
    timelocked: frozenset[str]
    """Instructions that wait for the timelock once the program is sealed; the last account of each is its proposal."""
    remaining_of: Mapping[str, tuple[RemainingGroup, ...]]
    """Of each instruction: what it takes behind its named accounts, in order."""
    error_of: Mapping[int, tuple[str, str]]
    fields_of: Mapping[str, tuple[tuple[str, Any], ...]]
    """Of each struct, events included: its fields in order, by name and type (of spec 0.1.0)."""

    @property
    def roles(self) -> frozenset[str]:
        """Every role that may sign something: fields of the Config that name a key."""
        return frozenset(role for specs in self.accounts_of.values() for spec in specs for role in spec.roles)


def plain_value(interface: ProgramInterface, kind: Any, value: Any) -> Any:
    """What anchorpy's coder parsed, as plain Python: addresses and byte arrays as bytes, structs as dicts."""
    match kind:
        case "pubkey" | {"array": ["u8", _]}:
            return bytes(value)
        case {"array": [inner, _]} | {"vec": inner}:
            return [plain_value(interface, inner, each) for each in value]
        case {"defined": {"name": name}}:
            fields = interface.fields_of[name]
            # By position: the coder changes names such as _pad0.
            parsed = vars(value).values()
            return {
                field: plain_value(interface, inner, each) for (field, inner), each in zip(fields, parsed, strict=True)
            }
        case _:
            return value


def discriminator(namespace: str, name: str) -> bytes:
    """Anchor's discriminator: the first 8 bytes of sha256("namespace:Name")."""
    return hashlib.sha256(f"{namespace}:{name}".encode()).digest()[:8]


def idl_text() -> str:
    """The IDL as checked in. IdlError where the file is missing."""
    packaged = resources.files(__package__) / IDL_FILE
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    path = Path(__file__).resolve().parents[3] / "idl" / IDL_FILE
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise IdlError(f"{path}: {error.strerror}; reinstall the package, or run from the checkout") from None


@cache
def load_interface() -> ProgramInterface:
    """The program's interface, read once."""
    try:
        spec = json.loads(idl_text())
    except ValueError as error:
        raise IdlError(f"{IDL_FILE} is not JSON: {error}") from None
    return interface_of(spec)


def interface_of(spec: Json) -> ProgramInterface:
    """What the client needs of an IDL of spec 0.1.0. IdlError for anything that would change bytes silently."""
    try:
        return ProgramInterface(
            program_id=parse_address(spec["address"], "IDL address"),
            idl=Idl.from_json(json.dumps(translate(spec))),
            accounts_of={each["name"]: tuple(map(_account, each["accounts"])) for each in spec["instructions"]},
            args_of={each["name"]: _named(each["args"]) for each in spec["instructions"]},
            doc_of={each["name"]: " ".join(each.get("docs", ())) for each in spec["instructions"]},
            timelocked=frozenset(each["name"] for each in spec["instructions"] if each.get("timelocked", False)),
            remaining_of={
                each["name"]: tuple(map(_remaining_group, each.get("remaining_accounts", ())))
                for each in spec["instructions"]
            },
            error_of={each["code"]: (each["name"], each.get("msg", "")) for each in spec.get("errors", ())},
            fields_of={each["name"]: _named(_fields(each)) for each in spec["types"]},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise IdlError(f"{IDL_FILE} is not an IDL of spec {SPEC}: {error}") from None


def translate(spec: Json) -> dict[str, Any]:
    """Spec 0.1.0 -> the form before it: account and event structs stand in their own lists, flags and types have other
    names, discriminators are not written but follow from the names (so they are checked here)."""
    if spec["metadata"]["spec"] != SPEC:
        raise IdlError(f"{IDL_FILE} is of spec {spec['metadata']['spec']}, this daemon reads {SPEC}")
    structs = {each["name"]: each for each in spec["types"]}
    for namespace, listed in (("global", "instructions"), ("account", "accounts"), ("event", "events")):
        for each in spec[listed]:
            if bytes(each["discriminator"]) != discriminator(namespace, each["name"]):
                raise IdlError(f"{IDL_FILE}: the discriminator of {each['name']} is not Anchor's")
    apart = {each["name"] for listed in ("accounts", "events") for each in spec[listed]}
    return {
        "version": spec["metadata"]["version"],
        "name": spec["metadata"]["name"],
        "instructions": [
            {
                "name": each["name"],
                "accounts": [
                    {
                        "name": account["name"],
                        "isMut": account.get("writable", False),
                        "isSigner": account.get("signer", False),
                        "isOptional": account.get("optional", False),
                    }
                    for account in each["accounts"]
                ],
                "args": [_field(arg) for arg in each["args"]],
            }
            for each in spec["instructions"]
        ],
        "accounts": [_struct(structs[each["name"]]) for each in spec["accounts"]],
        "types": [_struct(each) for name, each in structs.items() if name not in apart],
        "events": [
            {
                "name": each["name"],
                "fields": [{**_field(field), "index": False} for field in _fields(structs[each["name"]])],
            }
            for each in spec["events"]
        ],
        "errors": [dict(each) for each in spec.get("errors", ())],
        "metadata": {"address": spec["address"]},
    }


def _account(account: Json) -> AccountSpec:
    fixed = account.get("address")
    return AccountSpec(
        name=account["name"],
        signer=account.get("signer", False),
        writable=account.get("writable", False),
        optional=account.get("optional", False),
        fixed=None if fixed is None else parse_address(fixed, f"IDL account {account['name']}"),
        seeds=tuple(map(_seed, account.get("pda", {}).get("seeds", ()))),
        roles=tuple(account.get("roles", ())),
        doc=" ".join(account.get("docs", ())),
    )


def _remaining_group(group: Json) -> RemainingGroup:
    repeat = group["repeat"]
    return RemainingGroup(
        accounts=tuple(RemainingAccount(each["name"], each.get("writable", False)) for each in group["accounts"]),
        per=repeat.get("per"),
        least=repeat.get("min", 0),
        most=repeat.get("max", 0),
        ascending_by=group.get("ascending_by"),
    )


def _seed(seed: Json) -> Seed:
    match seed:
        case {"kind": "const", "value": list(value)}:
            return Seed(bytes(value), None, None)
        case {"kind": "account", "path": str(name)}:
            return Seed(None, name, None)
        case {"kind": "arg", "path": str(name)}:
            return Seed(None, None, name)
        case _:
            raise IdlError(f"{IDL_FILE}: seed {seed!r} is not known to this translation")


def _named(fields: Iterable[Json]) -> tuple[tuple[str, Any], ...]:
    return tuple((field["name"], field["type"]) for field in fields)


def _fields(struct: Json) -> list[Json]:
    if struct["type"]["kind"] != "struct":
        raise IdlError(f"{IDL_FILE}: type {struct['name']} is no struct, which this translation does not know")
    fields: list[Json] = struct["type"]["fields"]
    return fields


def _struct(struct: Json) -> dict[str, Any]:
    return {
        "name": struct["name"],
        "type": {"kind": "struct", "fields": [_field(field) for field in _fields(struct)]},
    }


def _field(field: Json) -> dict[str, Any]:
    return {"name": field["name"], "type": _type(field["type"])}


def _type(kind: Any) -> Any:
    match kind:
        case "pubkey":
            return "publicKey"
        case str():
            return kind
        case {"defined": {"name": str(name)}}:
            return {"defined": name}
        case {"vec": inner}:
            return {"vec": _type(inner)}
        case {"option": inner}:
            return {"option": _type(inner)}
        case {"array": [inner, int(length)]}:
            return {"array": [_type(inner), length]}
        case _:
            raise IdlError(f"{IDL_FILE}: type {kind!r} is not known to this translation")
