"""Accounts of a real chain and what they say of the reserve: `python -m tests.reserve.vectors --write`.

Plays a story on the embedded chain and notes, beside the accounts, the answers that follow from what was done, not from
any reader's arithmetic. tests/vectors/reserve.json keeps one such run; the Rust crate and the Python module must both
give its answers. Accounts of cases whose name says "edited" were changed after they were read.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from localnet.harness.deploy import TIMELOCK_SECS
from tests.support.cluster import cluster
from tests.support.deployed import NANO_PER_RAW, Asset, DeployedProgram, deploy_program
from tests.support.edit import patched
from tests.support.initialized import OTHER_CUSTODIAN, OWN_CUSTODIAN, ROOMY
from tests.support.live_chain import Call, address_of, call
from tests.support.redeeming import requested
from xstocks_daemon.chain.rpc import AccountInfo
from xstocks_daemon.domain.snapshot import AssetState, Hold, Scope
from xstocks_daemon.domain.units import MILLIS_PER_SEC, Address, multiplier_bits_of

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "reserve.json"
ONE, NEW = multiplier_bits_of("1"), multiplier_bits_of("1.02")

# Offsets of docs/reserve-account.md, for the edited accounts.
_PROGRAM_DATA_HEAD, _HAS_AUTHORITY_AT = 45, 12
_VERSION_AT, _ASSET_STATE_AT, _ENTRIES_AT, _ENTRY_BYTES, _REDEEMED_TOTAL_AT = 8, 12, 336, 96, 72


@dataclass(slots=True)
class Story:
    """What was read so far. An account stands once under a name, however many cases take it.

    `now_ts` is the time that statements and cases are told of: the chain's clock, which moves on with every slot, as it
    stood when the part of the story began.
    """

    program: DeployedProgram
    now_ts: int = 0
    accounts: dict[str, dict[str, str]] = field(default_factory=dict)
    cases: list[dict[str, Any]] = field(default_factory=list)

    async def begins(self) -> None:
        """A part of the story: its time is the chain's."""
        self.now_ts = await self.program.chain.clock_ts()

    def named(self, address: Address, info: AccountInfo) -> str:
        """The name under which these bytes are kept."""
        content = {"address": address.hex(), "owner": info.owner.hex(), "data": info.data.hex()}
        for name, known in self.accounts.items():
            if known == content:
                return name
        name = f"account {len(self.accounts) + 1}"
        self.accounts[name] = content
        return name

    async def read(self, address: Address) -> str:
        """The name of an account as it stands on the chain now."""
        return self.named(address, await self.program.chain.account(address))

    async def code(self, program: DeployedProgram, *, final: bool = False) -> str:
        """The name of the head of a program's ProgramData account, the code behind it left away; `final` without an
        upgrade authority."""
        address = program.addresses.program_data
        info = await self.program.chain.account(address)
        head = bytearray(info.data[:_PROGRAM_DATA_HEAD])
        if final:
            head[_HAS_AUTHORITY_AT:] = bytes(_PROGRAM_DATA_HEAD - _HAS_AUTHORITY_AT)
        return self.named(address, replace(info, data=bytes(head)))

    async def edited(self, address: Address, offset: int, content: bytes) -> str:
        """The name of an account with one thing changed."""
        info = await self.program.chain.account(address)
        return self.named(address, replace(info, data=patched(info.data, offset, content)))

    async def case(
        self,
        name: str,
        asset: Asset,
        expect: dict[str, Any] | str,
        *,
        custodians: Sequence[str] = (OWN_CUSTODIAN,),
        now_ts: int | None = None,
        changed: dict[str, str] | None = None,
        terms: dict[str, Any] | None = None,
    ) -> None:
        """Note the accounts of an asset as they stand, and the answers; a text is the name of the error.

        `changed` puts other accounts (by name) in the place of `config`, `asset`, `mint`, `program`, `program_data`;
        `terms` are what a reader asks for, else the timelock and the upgrade authority that there are.
        """
        program = self.program
        addresses = {
            "config": program.addresses.config,
            "asset": asset.address,
            "mint": asset.mint,
            "program": program.client.program_id,
        }
        read = {part: await self.read(address) for part, address in addresses.items()}
        read["program_data"] = await self.code(program)
        asked = {
            "min_timelock_secs": TIMELOCK_SECS,
            "upgrade_authority": program.keys.upgrade_authority.address.hex(),
        } | (terms or {})
        self.cases.append(
            {
                "name": name,
                "now_ts": self.now_ts if now_ts is None else now_ts,
                **read,
                **(changed or {}),
                **asked,
                "custodians": [await self.read(self.program.custodian(custodian).address) for custodian in custodians],
                **({"error": expect} if isinstance(expect, str) else {"expect": expect}),
            }
        )

    def vectors(self) -> dict[str, Any]:
        """The file's content."""
        return {
            "about": "made by: .venv/bin/python -m tests.reserve.vectors --write",
            "program_id": self.program.client.program_id.hex(),
            "accounts": self.accounts,
            "cases": self.cases,
        }


async def play() -> dict[str, Any]:
    """A run of the story on an embedded chain of its own. Raises ChainStartError, AssertionError."""
    with tempfile.TemporaryDirectory(prefix="vectors-") as folder:
        async with cluster("embedded", Path(folder), spare=1) as started:
            program = await deploy_program(started.chain, started.keys, started.client)
            foreign = await started.deploy()
            story = Story(program)
            third = await program.add_custodian()
            [keyed] = await program.register(custodians=(third,))
            assets = iter(await program.register(10))
            [strange] = await foreign.register()
            # Beyond the time before which an attached entry takes nothing.
            await program.chain.advance_clock(100)
            await _before_the_seal(story, next(assets))
            seal = program.client.seal(admin=program.keys.admin.address, timelock_secs=TIMELOCK_SECS)
            await program.accepted(program.by("admin", seal))
            await _two_custodians(story, next(assets), third)
            await _short_and_withdrawn(story, next(assets))
            await _multiplier(story, next(assets))
            await _keys(story, keyed, third)
            await _redeemed(story, next(assets))
            await _unseen_and_states(story, next(assets))
            await _wrong_accounts(story, next(assets), next(assets), strange)
            await _terms(story, next(assets), foreign)
            await _pauses(story, next(assets))
            return story.vectors()


def _says(supply_raw: int, ceiling_raw: int, age_secs: int | None, **others: Any) -> dict[str, Any]:
    """The answers: those of an ordinary asset with one statement at a multiplier of one, and `others`."""
    short_raw = max(0, supply_raw - ceiling_raw)
    return {
        "enforced": True,
        "state": AssetState.ACTIVE.name,
        "paused": 0,
        "holds": 0,
        "multiplier_bits": str(ONE),
        "supply_raw": str(supply_raw),
        "ceiling_raw": str(ceiling_raw),
        "unseen_raw": "0",
        "fully_backed": not short_raw,
        "shortfall_raw": str(short_raw),
        "lacks_less_than_nano": str(short_raw * NANO_PER_RAW + 1 if short_raw else 0),
        "newest_age_secs": age_secs,
        "oldest_age_secs": age_secs,
    } | {name: str(value) if name.endswith(("_raw", "_nano")) else value for name, value in others.items()}


async def _attest(
    story: Story, asset: Asset, capacity: int, ago_ms: int, custodian: str = OWN_CUSTODIAN, **options: Any
) -> None:
    """A statement of that capacity, observed `ago_ms` before the story's time."""
    program = story.program
    observed_ms = story.now_ts * MILLIS_PER_SEC - ago_ms
    shares = {asset: capacity * NANO_PER_RAW}
    statement = await program.statement(shares, custodian=custodian, observed_ms=observed_ms, **options)
    await program.accepted(program.relay(statement, *program.quorum(custodian)))


async def _mint(asset: Asset, amount_raw: int, *custodians: str) -> None:
    await asset.program.accepted(await asset.mint_call(amount_raw, custodians=custodians or (OWN_CUSTODIAN,)))


async def _before_the_seal(story: Story, asset: Asset) -> None:
    await story.begins()
    await _attest(story, asset, 1_000, 2_500)
    await _mint(asset, 600)
    await story.case("not sealed", asset, _says(600, 1_000, 3, enforced=False))


async def _two_custodians(story: Story, asset: Asset, stranger: str) -> None:
    await story.begins()
    both = (OWN_CUSTODIAN, OTHER_CUSTODIAN)
    await _attest(story, asset, 700, 10_000)
    now_ts = story.now_ts
    await _attest(story, asset, 500, 400, OTHER_CUSTODIAN, expires_ts=now_ts + 1_800)
    await _mint(asset, 1_200, *both)
    ages = {"newest_age_secs": 1, "oldest_age_secs": 10}
    await story.case("two custodians back exactly all", asset, _says(1_200, 1_200, None, **ages), custodians=both)
    await story.case("the first alone is short", asset, _says(1_200, 700, 10))
    await story.case("the other alone is short", asset, _says(1_200, 500, 1), custodians=(OTHER_CUSTODIAN,))
    await story.case(
        "passed twice it counts once", asset, _says(1_200, 700, 10), custodians=(OWN_CUSTODIAN, OWN_CUSTODIAN)
    )
    await story.case("nobody passed", asset, _says(1_200, 0, None), custodians=())
    await story.case("a custodian of other assets", asset, "ForeignCustodian", custodians=(*both, stranger))
    ages = {"newest_age_secs": 1_800, "oldest_age_secs": 1_809}
    last = _says(1_200, 1_200, None, **ages)
    await story.case("a second before the other's expiry", asset, last, custodians=both, now_ts=now_ts + 1_799)
    await story.case("the other expired", asset, _says(1_200, 700, 1_810), custodians=both, now_ts=now_ts + 1_800)
    oldest = now_ts - 10 + ROOMY.max_age_secs
    await story.case("at the greatest age", asset, _says(1_200, 700, 3_600), custodians=both, now_ts=oldest)
    await story.case("beyond the greatest age", asset, _says(1_200, 0, None), custodians=both, now_ts=oldest + 1)
    await story.case("a backwards clock", asset, _says(1_200, 1_200, 0), custodians=both, now_ts=now_ts - 20)
    await story.case("a clock before 1970", asset, "WrongClock", custodians=both, now_ts=-1)


async def _short_and_withdrawn(story: Story, asset: Asset) -> None:
    await story.begins()
    program = story.program
    await _attest(story, asset, 1_000, 9_000)
    await _mint(asset, 1_000)
    await story.case("one custodian backs exactly all", asset, _says(1_000, 1_000, 9))
    await _attest(story, asset, 900, 8_000)
    await story.case("a lower statement shows the shortfall", asset, _says(1_000, 900, 8))
    await _attest(story, asset, 5_000, 7_000)
    await story.case("a rise is on hold", asset, _says(1_000, 5_000, 7, holds=int(Hold.RISE)))
    attester = program.quorum()[0]
    custodian = program.custodian().address
    withdraw = program.client.withdraw_entry(attester=address_of(attester), custodian=custodian, mint=asset.mint)
    await program.accepted(call(withdraw, attester))
    await story.case("withdrawn", asset, _says(1_000, 0, None, holds=int(Hold.RISE)))


async def _multiplier(story: Story, asset: Asset) -> None:
    await story.begins()
    program, chain = story.program, story.program.chain
    await _attest(story, asset, 1_000_000, 5_000)
    await _mint(asset, 1_000_000)
    effective_ts = story.now_ts + ROOMY.min_notice_secs + 60
    schedule = program.client.schedule_multiplier(
        corporate_actions=program.keys.corporate_actions.address,
        mint=asset.mint,
        current_bits=ONE,
        new_bits=NEW,
        effective_ts=effective_ts,
    )
    await program.accepted(program.by("corporate_actions", schedule))
    await story.case("a multiplier is announced", asset, _says(1_000_000, 1_000_000, 5))
    last = _says(1_000_000, 1_000_000, 124)
    await story.case("a second before it is in force", asset, last, now_ts=effective_ts - 1)
    # 1.02 as an f64 is a little more than 1.02, but not by a billionth of these.
    nothing = _says(1_000_000, 0, None, multiplier_bits=str(NEW), lacks_less_than_nano=10_200_001)
    await story.case("from its time on old statements count nothing", asset, nothing, now_ts=effective_ts)
    await chain.advance_clock(effective_ts + 10 - await chain.clock_ts())
    await story.begins()
    renewed = Asset(program, asset.mint, NEW)
    # 2 % more shares, as the multiplier is 2 % more, back one unit less.
    exact = await program.statement({renewed: 10_200_000}, observed_ms=(story.now_ts - 5) * MILLIS_PER_SEC)
    await program.accepted(program.relay(exact))
    rounded = _says(1_000_000, 999_999, 5, multiplier_bits=str(NEW), lacks_less_than_nano=1)
    await story.case("short of what rounding down leaves", renewed, rounded)
    # floor(10,201,000 x 10^8 / (10^9 x 1.02)), within the tolerance of the old capacity.
    statement = await program.statement({renewed: 10_201_000}, observed_ms=(story.now_ts - 4) * MILLIS_PER_SEC)
    await program.accepted(program.relay(statement))
    signed = _says(1_000_000, 1_000_098, 4, multiplier_bits=str(NEW))
    await story.case("a statement with the new multiplier", renewed, signed)


async def _keys(story: Story, asset: Asset, custodian: str) -> None:
    await story.begins()
    program = story.program
    await _attest(story, asset, 300, 6_000, custodian)
    await _mint(asset, 300, custodian)
    await story.case("of the custodian's present keys", asset, _says(300, 300, 6), custodians=(custodian,))
    revoke = program.client.revoke_custodian_key(
        authority=program.keys.guardian.address,
        custodian=program.custodian(custodian).address,
        key=program.custodian(custodian).attesters[2].address,
    )
    await program.accepted(program.by("guardian", revoke))
    await story.case("of the custodian's former keys", asset, _says(300, 0, None), custodians=(custodian,))


async def _redeemed(story: Story, asset: Asset) -> None:
    await story.begins()
    program, both = story.program, (OWN_CUSTODIAN, OTHER_CUSTODIAN)
    await _attest(story, asset, 1_000, 6_000)
    await _attest(story, asset, 500, 2_000, OTHER_CUSTODIAN)
    redemption = await requested(asset, 300, by=OTHER_CUSTODIAN)
    await _mint(asset, 700)
    waiting = _says(1_000, 1_500, None, newest_age_secs=2, oldest_age_secs=6)
    await story.case("a redemption waits", asset, waiting, custodians=both)
    await program.accepted(redemption.settle_call(OTHER_CUSTODIAN))
    settled = waiting | {"supply_raw": "700", "ceiling_raw": "1200", "unseen_raw": "300"}
    await story.case("a settled redemption frees no ceiling", asset, settled, custodians=both)
    silent = _says(700, 700, 6, unseen_raw=300)
    await story.case("of a custodian that is not passed it counts too", asset, silent)
    await asset.attest(200, custodian=OTHER_CUSTODIAN, redeemed_seen_raw=300)
    observed_ms = (await asset.entry(OTHER_CUSTODIAN)).observed_ms
    counted = _says(700, 1_200, None, newest_age_secs=0, oldest_age_secs=6)
    assert observed_ms >= story.now_ts * MILLIS_PER_SEC
    await story.case("its custodian has counted it", asset, counted, custodians=both)


async def _unseen_and_states(story: Story, asset: Asset) -> None:
    await story.begins()
    program, both = story.program, (OWN_CUSTODIAN, OTHER_CUSTODIAN)
    await _attest(story, asset, 1_000, 3_000)
    await _attest(story, asset, 200, 2_000, OTHER_CUSTODIAN)
    await _mint(asset, 1_000)
    ages = {"newest_age_secs": 2, "oldest_age_secs": 3}
    own, other = (program.custodian(custodian).address for custodian in both)
    slots = [entry.custodian for entry in (await asset.read()).entries]

    async def with_redeemed(custodian_address: Address, total_raw: int) -> dict[str, str]:
        offset = _ENTRIES_AT + slots.index(custodian_address) * _ENTRY_BYTES + _REDEEMED_TOTAL_AT
        return {"asset": await story.edited(asset.address, offset, total_raw.to_bytes(8, "little"))}

    for name, custodian_address in (("own", own), ("other", other)):
        changed = await with_redeemed(custodian_address, 30)
        expect = _says(1_000, 1_170, None, unseen_raw=30, **ages)
        await story.case(f"unseen redemptions of the {name} (edited)", asset, expect, custodians=both, changed=changed)
    changed = await with_redeemed(other, 30)
    expect = _says(1_000, 970, 3, unseen_raw=30)
    await story.case("unseen redemptions of a silent custodian count (edited)", asset, expect, changed=changed)
    changed = await with_redeemed(own, 2**64 - 1)
    expect = _says(1_000, 0, 3, unseen_raw=2**64 - 1, lacks_less_than_nano=2**64 - 1)
    await story.case("more unseen redemptions than capacity (edited)", asset, expect, changed=changed)
    for state in AssetState:
        changed = {"asset": await story.edited(asset.address, _ASSET_STATE_AT, bytes([state]))}
        expect = _says(1_000, 1_000, 3, state=state.name, enforced=state is not AssetState.RELEASED)
        await story.case(f"state {state.name} (edited)", asset, expect, changed=changed)
    changed = {"asset": await story.edited(asset.address, _ASSET_STATE_AT, b"\x04")}
    await story.case("a state that nobody knows (edited)", asset, "UnknownState", changed=changed)
    detach = program.client.detach_custodian(admin=program.keys.admin.address, custodian=other, mint=asset.mint)
    await program.accepted(program.by("admin", detach))
    await story.case("a detached custodian counts nothing", asset, _says(1_000, 1_000, 3), custodians=both)


async def _wrong_accounts(story: Story, asset: Asset, other: Asset, strange: Asset) -> None:
    await story.begins()
    foreign = strange.program
    for each in (asset, other):
        await _attest(story, each, 100, 1_000)
        await _mint(each, 100)
    config = story.program.addresses.config
    for name, error, changed in (
        ("the mint of another asset", "WrongMint", {"mint": await story.read(other.mint)}),
        ("the reserve of another asset", "WrongMint", {"asset": await story.read(other.address)}),
        ("an asset of another program", "WrongOwner", {"asset": await story.read(strange.address)}),
        ("the configuration of another program", "WrongOwner", {"config": await story.read(foreign.addresses.config)}),
        ("a mint that Token-2022 does not own", "WrongOwner", {"mint": await story.read(asset.address)}),
        ("a configuration as asset", "WrongLength", {"asset": await story.read(config)}),
        ("another kind (edited)", "WrongDiscriminator", {"asset": await story.edited(asset.address, 0, b"\0")}),
        ("another version (edited)", "UnsupportedVersion", {"config": await story.edited(config, _VERSION_AT, b"\2")}),
    ):
        await story.case(name, asset, error, changed=changed)


async def _pauses(story: Story, asset: Asset) -> None:
    await story.begins()
    program = story.program
    guardian = program.keys.guardian.address

    def pause(scopes: Scope, mint: Address | None) -> Call:
        return program.by("guardian", program.client.pause(guardian=guardian, scopes=scopes, mint=mint))

    await _attest(story, asset, 100, 0)
    await _mint(asset, 100)
    await program.accepted(pause(Scope.MINT, asset.mint))
    await program.accepted(pause(Scope.REDEEM, None))
    await story.case("paused here and everywhere", asset, _says(100, 100, 0, paused=int(Scope.MINT | Scope.REDEEM)))


async def _terms(story: Story, asset: Asset, foreign: DeployedProgram) -> None:
    await story.begins()
    await _attest(story, asset, 100, 0)
    await _mint(asset, 100)
    longer, stranger = {"min_timelock_secs": TIMELOCK_SECS + 1}, {"upgrade_authority": bytes(range(32)).hex()}
    nobody, final = {"upgrade_authority": None}, {"program_data": await story.code(story.program, final=True)}
    says, free = _says(100, 100, 0), _says(100, 100, 0, enforced=False)
    await story.case("a longer timelock is asked for", asset, free, terms=longer)
    await story.case("another one than was agreed may replace the program", asset, free, terms=stranger)
    await story.case("somebody may replace the program", asset, free, terms=nobody)
    await story.case("nobody may replace the program (edited)", asset, says, terms=nobody, changed=final)
    await story.case("nobody may, where somebody might (edited)", asset, says, changed=final)
    other = {"program_data": await story.code(foreign)}
    await story.case("the code of another program", asset, "WrongProgram", changed=other)
    config = {"program_data": await story.read(story.program.addresses.config)}
    await story.case("no code at all", asset, "WrongOwner", changed=config)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: plays, and with --write keeps the run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {VECTORS.name}")
    options = parser.parse_args(arguments)
    vectors = asyncio.run(play())
    if options.write:
        VECTORS.write_text(json.dumps(vectors, indent=1) + "\n", encoding="utf-8")
    print(f"{len(vectors['cases'])} cases, {len(vectors['accounts'])} accounts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
