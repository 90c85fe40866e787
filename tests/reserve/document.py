"""docs/reserve-account.md: `python -m tests.reserve.document --write`.

The layouts come from the IDL, which comes from the program's structs (they have no padding, so a field stands where
the ones before it end); the examples are the files that the tests run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from localnet.harness.paths import ROOT

DOCS = ROOT / "docs" / "reserve-account.md"
COMMAND = ".venv/bin/python -m tests.reserve.document --write"
DISCRIMINATOR_BYTES = 8
_IDL = json.loads((ROOT / "idl" / "xstocks_mint.json").read_text(encoding="utf-8"))
_TYPES = {each["name"]: each for each in _IDL["types"]}
_ACCOUNTS = {each["name"]: bytes(each["discriminator"]) for each in _IDL["accounts"]}
_SCALARS = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i64": 8, "pubkey": 32}
_GATE = ROOT / "programs" / "examples" / "lending_gate" / "src" / "lib.rs"
_EXAMPLES = ROOT / "docs" / "examples"


@dataclass(frozen=True, slots=True)
class Place:
    """A field and where it stands."""

    offset: int
    size: int
    name: str
    type: str
    meaning: str


def size_of(kind: Any) -> int:
    """Bytes of a type of the IDL. KeyError for one that has no fixed size."""
    if isinstance(kind, str):
        return _SCALARS[kind]
    if "array" in kind:
        inner, count = kind["array"]
        return size_of(inner) * int(count)
    return sum(size_of(field["type"]) for field in _TYPES[kind["defined"]["name"]]["type"]["fields"])


def type_text(kind: Any) -> str:
    """A type as people write it."""
    if isinstance(kind, str):
        return kind
    if "array" in kind:
        inner, count = kind["array"]
        return f"[{type_text(inner)}; {count}]"
    return str(kind["defined"]["name"])


def places(struct: str) -> Iterator[Place]:
    """The fields of a struct; of an account from its first byte on."""
    offset = DISCRIMINATOR_BYTES if struct in _ACCOUNTS else 0
    for field in _TYPES[struct]["type"]["fields"]:
        name, size = field["name"], size_of(field["type"])
        meaning = " ".join(field.get("docs", []))
        if name.startswith("_pad"):
            meaning = "zeros"
        if name == "reserved":
            meaning = "zeros; for later fields of this version"
        if not meaning:
            raise ValueError(f"{struct}.{name} has no documentation: write it in programs/xstocks_mint/src/state")
        yield Place(offset, size, name, type_text(field["type"]), meaning.rstrip("."))
        offset += size


def bytes_of(struct: str) -> int:
    """Size of a struct, or of the whole account."""
    last = list(places(struct))[-1]
    return last.offset + last.size


def table(struct: str) -> str:
    """A struct as Markdown."""
    lines = ["| offset | bytes | field | type | meaning |", "|---:|---:|---|---|---|"]
    if struct in _ACCOUNTS:
        lines.append(
            f"| 0 | 8 | | | discriminator `{_ACCOUNTS[struct].hex()}`: sha256(`account:{struct}`) cut to 8 bytes |"
        )
        if sha256(f"account:{struct}".encode()).digest()[:8] != _ACCOUNTS[struct]:
            raise ValueError(f"the discriminator of {struct} is not Anchor's")
    lines += [
        f"| {each.offset} | {each.size} | `{each.name}` | {each.type} | {each.meaning} |" for each in places(struct)
    ]
    return "\n".join(lines)


def section(struct: str) -> str:
    """One struct under its own heading."""
    return f"### {struct} ({bytes_of(struct)} bytes)\n{' '.join(_TYPES[struct]['docs'])}\n\n{table(struct)}"


def _rust() -> str:
    source = _GATE.read_text(encoding="utf-8")
    return source.split("// docs: begin\n")[1].split("// docs: end\n")[0].strip()


def document() -> str:
    """The whole page."""
    sections = "\n\n".join(map(section, ("Asset", "Entry", "Policy", "Bucket", "Custodian", "AttesterKey", "Config")))
    entries_at = next(each.offset for each in places("Asset") if each.name == "entries")
    entry_bytes = bytes_of("Entry")
    slots = ", ".join(str(entries_at + slot * entry_bytes) for slot in range(4))
    python, typescript = (
        (_EXAMPLES / name).read_text("utf-8").strip() for name in ("read_reserve.py", "read_reserve.mjs")
    )
    return f"""# The reserve account

Written by `{COMMAND}` from the program's own structs and from the examples that the tests run; a
test compares. For those who take a token as collateral, list it or publish its reserve.

## What to check

Read Config, Asset, the mint and the asset's Custodian accounts **in one call, at finalized** (or in one
transaction, on chain), and take the time from the Clock sysvar. Then, in this order:

1. **Whose accounts.** Owner of Config, Asset and Custodian is the issuer's program; owner of the mint is
   Token-2022; the discriminator, the size and version 1 are right; `Asset.mint` is your mint. Bytes of another
   owner are worth nothing. There is one Config, and one Asset for each mint, so nothing has to be derived; off
   chain derive, to find them.
2. **Is it enforced, on your terms.** `Config.sealed` is 1, `Asset.state` is not 3 (Released), `Config.timelock_secs` is
   at least the time that you need to leave before a rule changes (it never falls below `Config.min_timelock_secs`), and
   the program's upgrade authority is nobody, or the one that you expect: it stands in the ProgramData account of the
   upgradeable loader, and whoever holds it can replace every rule at once. Otherwise say "not enforced", whatever the
   numbers are. A program on chain that is not passed Program and ProgramData cannot know who that is: its operator
   looks, and looks again after each upgrade.
3. **Is it backed.** `supply <= ceiling_raw`, as below. A statement below the supply is taken by the program: it stops
   minting and shows the shortfall here at once. Capacities are rounded down and few multipliers are exact, so honest
   books may end a base unit short of what they back; beside this strict answer, by which the program mints, each
   reader below gives `shortfall_raw` and `lacks_less_than_nano`: the supply is backed but for less than so many
   billionths of a share (0 where it is fully backed, 1 where all of it is rounding).
4. **How old.** The oldest statement that counts is younger than you can stand; `policy.max_age_secs` is only what the
   issuer can stand. Without a statement that counts there is no reserve, not an old one.
5. **Is somebody looking.** `holds` is 0. A hold stops minting because a statement moved in a way that people must
   explain.
6. **Can you get out.** `paused` of Asset and Config: transfers (16) stop your liquidation, redeem (8) the way back
   to the share. Token-2022's own pause and a frozen account show on the mint and the account.
7. **In which unit.** Keep balances, prices and debts in raw. A person's amount is raw x multiplier / 10^decimals; the
   multiplier changes at a dividend, and an announced one counts from its time on, by the clock, without a
   transaction.

An **oracle** publishes ceiling, supply, the ages and `enforced` together with the slot, and publishes the failure
rather than the last good number. A **lending market** refuses new collateral on 1 to 5 and goes on to let people
repay and leave. A **DEX** shows 2, 3 and 5; trading a token that is short is for its users to decide, not to
discover.

## The ceiling

```
now_ms      = Clock.unix_timestamp x 1000
in force    = pending_multiplier_bits where multiplier_effective_ts != 0 and now >= multiplier_effective_ts,
              else multiplier_bits; the mint's own multiplier in force must be the same bits, else nothing is fresh
fresh(e)    = e.state == 1 (Attached) and e.withdrawn == 0
              and e.epoch == epoch of its Custodian account, which you read and whose state is 0 (Active)
              and now < e.expires_ts and now_ms <= e.observed_ms + policy.max_age_secs x 1000
              and e.multiplier_bits == in force
unseen(e)   = e.redeemed_total_raw - e.redeemed_seen_raw
ceiling_raw = max(0, sum of capacity_raw over fresh entries - sum of unseen over ALL entries in use)
claimed     = supply + sum of unseen over ALL entries in use
lacks_less_than_nano = 0 where supply <= ceiling_raw, else 1 + max(0,
              floor(claimed x multiplier in force x 10^9 / 10^decimals) - sum of shares_nano over fresh entries)
```

All in integers, sums that stop at 2^64 - 1. A custodian that you do not read counts zero, its unseen redemptions do
count: leaving an account out can only lower the ceiling. The mint's supply is the u64 at byte 36 of the mint. Its
multiplier stands in the ScaledUiAmount extension, whose header (`19 00 38 00`) is at `scaled_ui_offset`: from there
multiplier at 36, effective time (i64) at 44, new multiplier at 52, and the new one is in force from its time on.

While `multiplier_effective_ts` is not 0, a change is announced and nothing is minted. `multiplier_changed_ts` is
the time of the last change that took effect. An entry with another multiplier than the one in force does not count, and
never will: when the next change is announced its `multiplier_bits` become 0.

## The layouts

Little-endian; offsets of the accounts count from their first byte, those of the other structs from the struct's own.
The four entries stand at {slots} of the Asset; those before the first with state 0 are in use.
A later version of a layout has another `version` and may be longer; it keeps every offset and appends. Refuse a
version that you do not know; accounts change one at a time, so who learns the later one goes on reading this one.

{sections}

## On chain, in Rust

The crate [`programs/xstocks_reserve`](../programs/xstocks_reserve/src/lib.rs) (`no_std`, no dependencies, no
`unsafe`) reads all this. The example
[`programs/examples/lending_gate`](../programs/examples/lending_gate/src/lib.rs) takes a deposit only while the
reserve is good, each refusal with its own number; its tests are in `tests/reserve/`. Its heart:

```rust
{_rust()}
```

## In Python

[`xstocks_daemon/domain/reserve.py`](../xstocks_daemon/domain/reserve.py) answers the same questions; both are held to
`tests/vectors/reserve.json`, accounts of a real chain with the answers that follow from what was done there.

```python
{python}
```

## In TypeScript

```ts
{typescript}
```
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {DOCS.name} instead of printing it")
    if parser.parse_args(arguments).write:
        DOCS.write_text(document(), encoding="utf-8")
    else:
        print(document())
    return 0


if __name__ == "__main__":
    sys.exit(main())
