"""A reading of the IDL of its own, written from the Borsh specification: values by type, their bytes, and back.

It shares no code with the daemon's reading, so that the tests compare two of them.
"""

from __future__ import annotations

import hashlib
import json
import random
import struct
from pathlib import Path
from typing import Any

SPEC: dict[str, Any] = json.loads((Path(__file__).parents[2] / "idl" / "xstocks_mint.json").read_text())
TYPES: dict[str, Any] = {each["name"]: each["type"]["fields"] for each in SPEC["types"]}
INTEGERS = {"u8": "<B", "u16": "<H", "u32": "<I", "u64": "<Q", "i64": "<q"}


def discriminator(namespace: str, name: str) -> bytes:
    return hashlib.sha256(f"{namespace}:{name}".encode()).digest()[:8]


def value_of(kind: Any, rng: random.Random) -> Any:
    """A random value: int, str, bytes (addresses, byte arrays, bytes), list, or dict of fields."""
    match kind:
        case str() if kind in INTEGERS:
            bits = struct.calcsize(INTEGERS[kind]) * 8
            signed = kind.startswith("i")
            return rng.choice([0, 1, 2 ** (bits - signed) - 1, rng.randrange(2 ** (bits - signed))])
        case "pubkey":
            return rng.randbytes(32)
        case "bytes":
            return rng.randbytes(rng.randrange(40))
        case "string":
            return "".join(rng.choice("aZ 9äß€𝄞") for _ in range(rng.randrange(12)))
        case {"array": ["u8", length]}:
            return rng.randbytes(length)
        case {"array": [inner, length]}:
            return [value_of(inner, rng) for _ in range(length)]
        case {"vec": inner}:
            return [value_of(inner, rng) for _ in range(rng.randrange(1, 5))]
        case {"defined": {"name": name}}:
            return {field["name"]: value_of(field["type"], rng) for field in TYPES[name]}
    raise AssertionError(f"no value for type {kind!r}")


def encode(kind: Any, value: Any) -> bytes:
    """Borsh (borsh.io): little endian, vectors and strings with a u32 length before them, structs field by field."""
    match kind:
        case str() if kind in INTEGERS:
            return struct.pack(INTEGERS[kind], value)
        case "pubkey" | {"array": ["u8", _]}:
            return bytes(value)
        case "bytes":
            return struct.pack("<I", len(value)) + bytes(value)
        case "string":
            return encode("bytes", value.encode())
        case {"array": [inner, _]}:
            return b"".join(encode(inner, each) for each in value)
        case {"vec": inner}:
            return struct.pack("<I", len(value)) + b"".join(encode(inner, each) for each in value)
        case {"defined": {"name": name}}:
            return b"".join(encode(field["type"], value[field["name"]]) for field in TYPES[name])
    raise AssertionError(f"no encoding for type {kind!r}")


def wire(kind: Any, value: Any) -> Any:
    """The value in the JSON form of node/read.mjs."""
    match kind:
        case str() if kind in INTEGERS:
            return str(value)
        case "pubkey" | "bytes" | {"array": ["u8", _]}:
            return bytes(value).hex()
        case "string":
            return value
        case {"array": [inner, _]} | {"vec": inner}:
            return [wire(inner, each) for each in value]
        case {"defined": {"name": name}}:
            return [wire(field["type"], value[field["name"]]) for field in TYPES[name]]
    raise AssertionError(f"no wire form for type {kind!r}")


def struct_type(name: str) -> Any:
    return {"defined": {"name": name}}


def account_bytes(name: str, value: dict[str, Any]) -> bytes:
    return discriminator("account", name) + encode(struct_type(name), value)


def event_bytes(name: str, value: dict[str, Any]) -> bytes:
    return discriminator("event", name) + encode(struct_type(name), value)


def instruction_bytes(name: str, args: dict[str, Any]) -> bytes:
    described = next(each for each in SPEC["instructions"] if each["name"] == name)
    return discriminator("global", name) + b"".join(encode(arg["type"], args[arg["name"]]) for arg in described["args"])


def plausible(name: str, **changes: Any) -> dict[str, Any]:
    """A random account of the kind with the fields that decide how it is read set to something valid."""
    value = value_of(struct_type(name), random.Random(f"account {name}"))
    fixed: dict[str, dict[str, Any]] = {
        "Config": {"sealed": 1, "paused": 3},
        "Custodian": {"state": 1, "key_count": 3, "name": b"Gtn".ljust(32, b"\0")},
        "Asset": {"state": 1, "paused": 16, "holds": 5, "entry_count": 2, "decimals": 8},
        "Proposal": {"state": 1, "role": 2},
        "Participant": {"state": 1, "country": b"DE"},
        "Recovery": {"state": 1},
        "Adoption": {"state": 2, "profile": 1},
        "Redemption": {"state": 1},
    }
    value |= {"version": 1} | fixed[name] | changes
    if name == "Asset":
        for entry, state in zip(value["entries"], (1, 2, 0, 0), strict=True):
            entry |= {"state": state, "withdrawn": int(state == 2)}
    return dict(value)
