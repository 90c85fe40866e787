"""Compute units of the program's instructions, measured: `python bench/program_cu.py [--json] [--write-docs]`.

Starts an embedded chain with the checked-in program, executes every instruction for real on eight-extension mints
whose custodian signs with a quorum of two out of three, and reads what the runtime logs of the instruction itself
("Program ... consumed N of M compute units"). Keys and addresses are fixed, so the figures repeat exactly.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from solders.keypair import Keypair

from localnet.demo.chains import ChainError
from localnet.demo.deploy import AGENTS, KEEPERS, Keys
from localnet.demo.keys import Key
from tests.support.deployed import OWN_KEEPER, Asset, Deployed, deploy_program, supply_call
from tests.support.live_chain import Call, address_of, call
from tests.support.mints import live_mint
from tests.support.redeeming import Request
from tests.support.start import laboratory
from tests.support.tables import lookup_table
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import TransactionTooLarge
from xstocks_daemon.chain.program import Profile, Role
from xstocks_daemon.chain.transactions import compile_message
from xstocks_daemon.domain.intent import IntentKind
from xstocks_daemon.domain.snapshot import Hold, Scope
from xstocks_daemon.domain.statement import MAX_ENTRIES
from xstocks_daemon.domain.units import Address, multiplier_bits_of

DOCS = Path(__file__).resolve().parents[1] / "docs" / "compute-units.md"

MAX_LOCKS = 64
"""Accounts that one transaction may lock on mainnet; the local chains would take more."""
MAX_BATCH = 20
"""Entries that the program's mint and burn take at most."""
PRESENT_CUSTODIANS = 3
"""In the batch of the design: an asset has one custodian here, but a batch may have to pass those of others too."""
CAPACITY_RAW = 10**12
AMOUNT_RAW = 10**8

_CONSUMED = re.compile(r"Program (\w+) consumed (\d+) of \d+ compute units")


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. `units` and `counts` in the order of their printing; `version` is the chain's own word."""

    units: Mapping[str, int]
    counts: Mapping[str, int]
    chain: str
    version: str

    def as_json(self) -> dict[str, object]:
        """One flat object."""
        return {**self.units, **self.counts, "chain": self.chain, "chain_version": self.version, "measured": MEASURED}


MEASURED = (
    "compute units that the runtime logs for the program's own instruction, calls into Token-2022 included, in "
    "transactions that were executed; eight-extension mint, one custodian per asset with a quorum of 2 of 3, fixed keys"
)

MEANING = {
    "mint": "one mint",
    "mint_each_more": "each further mint of a batch",
    "mint_adopted": "one mint where Pausable stands fifth, as in the real mints",
    "burn": "one burn",
    "burn_each_more": "each further burn of a batch",
    "distribute": "one distribution",
    "request_redemption": "a participant asks for the shares of its tokens; the record is created",
    "settle_redemption": "the tokens of one redemption are burnt",
    "cancel_redemption": "the tokens of one redemption go back",
    "submit_attestation_first": "a statement of one asset, two signatures",
    "submit_attestation_each_more": "each further asset of the statement, its shares as before",
    "submit_attestation_each_more_changed": "each further asset whose shares changed",
    "withdraw_entry": "one attester withdraws an entry",
    "register_asset": "a mint is registered: metadata with two additional fields, two vaults",
    "register_asset_open": "the same of the open profile",
    "begin_adopt": "the adoption of a live mint begins",
    "finish_adopt": "a live mint is adopted: verified, two vaults",
    "abort_adopt": "an adoption is given up: nine authorities go back",
    "mint_open": "one mint of the open profile",
    "attach_custodian": "a custodian is attached to an asset",
    "set_participant": "a new participant",
    "set_role": "a role's key, before the seal",
    "loosen_policy": "other limits, before the seal",
    "set_metadata": "one additional field of a mint that grows by it",
    "freeze": "a holder's token account",
    "thaw": "the same account",
    "announce_recovery": "the first one of a token account, which it freezes",
    "execute_recovery": "thaw, transfer and freeze again",
    "pause": "one scope of one asset",
    "pause_transfers": "the transfers of one asset, by Token-2022's own pause",
    "resume": "one scope of one asset",
    "clear_hold": "one hold",
    "schedule_multiplier": "another multiplier is announced",
    "cancel_multiplier": "the announced multiplier is taken back",
    "mints_per_transaction": "most mints of one v0 transaction with a lookup table and a compute budget instruction",
    "mints_per_transaction_3_custodians": "the same where three custodians are passed",
    "attestations_per_transaction": "most assets of one statement in such a transaction, two signatures",
}


class Bench:
    """One measuring run on a deployment of its own."""

    def __init__(self, program: Deployed) -> None:
        self.program = program
        self.units: dict[str, int] = {}
        self._mints = 0

    async def run(self) -> tuple[dict[str, int], dict[str, int]]:
        """All figures: compute units, and counts per transaction."""
        await self._set_up()
        assets = await self._assets(MAX_ENTRIES)
        await self._hot(assets)
        await self._rest(assets[0])
        counts = {
            "mints_per_transaction": await self._most_mints(assets, 1),
            "mints_per_transaction_3_custodians": await self._most_mints(assets, PRESENT_CUSTODIANS),
            "attestations_per_transaction": await self._most_attestations(assets),
        }
        return self.units, counts

    async def consumed(self, sent: Call) -> int:
        """What the program's own instruction consumed, one per transaction here."""
        # A bucket is refilled in every measured mint, and not only in those that a second begins before.
        await self.program.chain.advance_clock(1)
        landed = await self.program.chain.accepted(sent)
        own = base58(self.program.client.program_id)
        found = [int(match[2]) for line in landed.logs if (match := _CONSUMED.fullmatch(line)) and match[1] == own]
        if len(found) != 1:
            raise ValueError(
                f"{len(found)} instructions of the program in one transaction, one was meant: {landed.logs}"
            )
        return found[0]

    async def measure(self, name: str, sent: Call) -> None:
        self.units[name] = await self.consumed(sent)

    async def _assets(self, count: int, profile: Profile = Profile.XSTOCKS) -> list[Asset]:
        keys = [seeded(f"mint {self._mints + index}") for index in range(count)]
        self._mints += count
        return await self.program.register(mint_keys=keys, keepers=(OWN_KEEPER,), profile=profile)

    async def _set_up(self) -> None:
        program, admin = self.program, self.program.keys.admin
        for name, profile in (("register_asset", Profile.XSTOCKS), ("register_asset_open", Profile.OPEN)):
            fresh = await program.mint_to_register(key=seeded(name), profile=profile)
            await program.chain.accepted(call(fresh.create, admin.keypair, fresh.key))
            await self.measure(name, program.by("admin", program.registration(fresh.mint, profile=profile)))

        holders = (seeded("minter"), seeded("guard"), seeded("issuer"))
        for last in ("abort_adopt", "finish_adopt"):
            mint_key = seeded(f"live mint, {last}")
            live = await live_mint(program, mint_key=mint_key, holders=holders, wallet=seeded("wallet of the supply"))
            await self.measure("begin_adopt", live.begin())
            await live.hand_over()
            await self.measure(last, live.abort() if last == "abort_adopt" else live.finish())

    async def _hot(self, assets: Sequence[Asset]) -> None:
        program, first = self.program, assets[0]
        table = (await lookup_table(program, [asset.mint for asset in assets]),)

        async def attest(count: int, shares_micro: int = CAPACITY_RAW // 100) -> int:
            statement = await program.statement(dict.fromkeys(assets[:count], shares_micro))
            return await self.consumed(program.relay(statement).but(tables=table))

        async def change(kind: IntentKind, count: int) -> int:
            sent = await supply_call(program, kind, [(asset, AMOUNT_RAW) for asset in assets[:count]])
            return await self.consumed(sent.but(tables=table, payer=program.keys.operator.keypair))

        # Statements once before: the first one of an asset is measured like any other.
        await attest(MAX_ENTRIES)
        self._first_and_more("submit_attestation", await attest(1), await attest(MAX_ENTRIES), MAX_ENTRIES)
        changed = [await attest(count, CAPACITY_RAW // 100 + count) for count in (1, MAX_ENTRIES)]
        self.units["submit_attestation_each_more_changed"] = -((changed[0] - changed[1]) // (MAX_ENTRIES - 1))
        batch = 18
        await change(IntentKind.MINT, batch)
        for name, kind in (("mint", IntentKind.MINT), ("burn", IntentKind.BURN)):
            self._first_and_more(name, await change(kind, 1), await change(kind, batch), batch)
        await change(IntentKind.MINT, 1)
        wallet = seeded("wallet")
        await self.measure("set_participant", await self._participant(wallet))
        await first.open_account(address_of(wallet))
        await self.measure("distribute", await first.distributing(AMOUNT_RAW // 2, wallet))
        await program.chain.fund(address_of(wallet))
        for end in ("settle", "cancel"):
            request = Request(first, wallet, hashlib.sha256(end.encode()).digest()[:16])
            await self.measure("request_redemption", request.requesting(AMOUNT_RAW // 8))
            sent = request.settling() if end == "settle" else request.cancelling()
            await self.measure(f"{end}_redemption", sent)
        await self._compliance(first, first.token_account(address_of(wallet)))

    async def _compliance(self, asset: Asset, source: Address) -> None:
        program, client, keys = self.program, self.program.client, self.program.keys
        compliance, mint = keys.compliance.address, asset.mint
        for name, build in (("freeze", client.freeze), ("thaw", client.thaw)):
            instruction = build(compliance=compliance, mint=mint, account=source)
            await self.measure(name, program.by("compliance", instruction))
        destination = await asset.open_account(address_of(seeded("heir")))
        announce = client.announce_recovery(
            compliance=compliance, mint=mint, source=source, destination=destination, amount_raw=1, delay_secs=0
        )
        await self.measure("announce_recovery", program.by("compliance", announce))
        execute = client.execute_recovery(
            compliance=compliance, admin=keys.admin.address, mint=mint, source=source, destination=destination
        )
        await self.measure("execute_recovery", call(execute, keys.compliance.keypair, keys.admin.keypair))

    def _first_and_more(self, name: str, one: int, all_together: int, count: int) -> None:
        """The cost of one, and what each further one adds on average, rounded up."""
        first = f"{name}_first" if name == "submit_attestation" else name
        self.units[first] = one
        self.units[f"{name}_each_more"] = -((one - all_together) // (count - 1))

    async def _participant(self, wallet: Keypair) -> Call:
        program = self.program
        return program.by(
            "registrar",
            program.client.set_participant(
                registrar=program.keys.registrar.address,
                wallet=address_of(wallet),
                active=True,
                expires_ts=2**40,
                country="CH",
            ),
        )

    async def _rest(self, asset: Asset) -> None:
        program, client, keys = self.program, self.program.client, self.program.keys
        mint, admin = asset.mint, keys.admin.address
        [open_asset] = await self._assets(1, Profile.OPEN)
        await open_asset.attest(CAPACITY_RAW)
        await self.measure("mint_open", await open_asset.minting(AMOUNT_RAW))
        as_real = await self._asset_as_the_real_ones()
        await as_real.attest(CAPACITY_RAW)
        await self.measure("mint_adopted", await as_real.minting(AMOUNT_RAW))

        guardian, resumer = keys.guardian.address, keys.resumer.address
        await self.measure(
            "pause", program.by("guardian", client.pause(guardian=guardian, scopes=Scope.MINT, mint=mint))
        )
        await self.measure(
            "resume", program.by("resumer", client.resume(resumer=resumer, scopes=Scope.MINT, mint=mint))
        )
        transfers = client.pause(guardian=guardian, scopes=Scope.TRANSFERS, mint=mint)
        await self.measure("pause_transfers", program.by("guardian", transfers))
        resume = client.resume(resumer=resumer, scopes=Scope.TRANSFERS, mint=mint)
        await program.accepted(program.by("resumer", resume))
        await open_asset.attest(10 * CAPACITY_RAW)
        await self.measure("clear_hold", await open_asset.clearing(Hold.RISE))
        officer = keys.corporate_actions.address
        schedule = client.schedule_multiplier(
            corporate_actions=officer,
            mint=mint,
            current_bits=asset.multiplier_bits,
            new_bits=multiplier_bits_of("1.01"),
            effective_ts=await program.chain.clock_ts() + 3_600,
        )
        await self.measure("schedule_multiplier", program.by("corporate_actions", schedule))
        cancel = client.cancel_multiplier(authority=officer, mint=mint, pending_bits=multiplier_bits_of("1.01"))
        await self.measure("cancel_multiplier", program.by("corporate_actions", cancel))
        policy = (await asset.read()).policy
        update = client.set_metadata(
            admin=admin, mint=mint, updates=[("benchmark", "of 32 bytes, as an address has it")]
        )
        await self.measure("set_metadata", program.by("admin", update))
        loosen = client.loosen_policy(admin=admin, mint=mint, policy=policy)
        await self.measure("loosen_policy", program.by("admin", loosen))
        role = client.set_role(admin=admin, role=Role.COMPLIANCE, key=address_of(seeded("compliance officer")))
        await self.measure("set_role", program.by("admin", role))

        attester = program.quorum()[0]
        custodian = program.keeper().address
        withdraw = client.withdraw_entry(attester=address_of(attester), custodian=custodian, mint=open_asset.mint)
        await self.measure("withdraw_entry", call(withdraw, attester))
        keepers = [await self._keeper(number) for number in range(PRESENT_CUSTODIANS)]
        attach = client.attach_custodian(admin=admin, custodian=program.keeper(keepers[0]).address, mint=mint)
        await self.measure("attach_custodian", program.by("admin", attach))

    async def _asset_as_the_real_ones(self) -> Asset:
        """An asset whose mint has its extensions in the real mints' order: Pausable after ScaledUiAmount."""
        program, admin = self.program, self.program.keys.admin
        fresh = await program.mint_to_register(key=seeded("mint in the real order"))
        account, pausable, *others = fresh.create
        reordered = (account, *others[:4], pausable, *others[4:])
        await program.chain.accepted(call(reordered, admin.keypair, fresh.key))
        attach = program.client.attach_custodian(
            admin=admin.address, custodian=program.keeper().address, mint=fresh.mint
        )
        await program.accepted(program.by("admin", program.registration(fresh.mint), attach))
        await program.chain.clock_reaches(await program.chain.clock_ts() + 1)
        return Asset(program, fresh.mint, multiplier_bits_of("1"))

    async def _keeper(self, number: int) -> str:
        attesters = [seeded(f"attester {number} {party}") for party in range(3)]
        before = set(self.program.deployment.keepers)
        name = await self.program.add_keeper(attesters=attesters)
        if name in before:
            raise ValueError(f"custodian {name} was there already")
        return name

    # ---- how many fit ---------------------------------------------------------------------------------------------

    async def _most_mints(self, assets: Sequence[Asset], custodians: int) -> int:
        program = self.program
        keepers = list(program.deployment.keepers)[:custodians]
        table = (await lookup_table(program, [asset.mint for asset in assets], keepers),)
        await program.accepted(
            program.relay(await program.statement(dict.fromkeys(assets, CAPACITY_RAW // 100))).but(tables=table)
        )
        for count in range(MAX_BATCH, 0, -1):
            entries = [(asset, AMOUNT_RAW) for asset in assets[:count]]
            sent = await supply_call(program, IntentKind.MINT, entries, keepers=keepers)
            if await self._executes(sent.but(tables=table, payer=program.keys.operator.keypair)):
                return count
        return 0

    async def _most_attestations(self, assets: Sequence[Asset]) -> int:
        program = self.program
        table = (await lookup_table(program, [asset.mint for asset in assets]),)
        for count in range(len(assets), 0, -1):
            statement = await program.statement(dict.fromkeys(assets[:count], CAPACITY_RAW // 100))
            if await self._executes(program.relay(statement).but(tables=table)):
                return count
        return 0

    async def _executes(self, sent: Call) -> bool:
        """Whether it fits a packet and mainnet's account locks, and then really executes."""
        try:
            message = compile_message(
                address_of(sent.payer or self.program.chain.payer), sent.instructions, bytes(32), sent.tables
            )
            looked_up = message.address_table_lookups
            locks = len(message.account_keys) + sum(
                len(each.writable_indexes) + len(each.readonly_indexes) for each in looked_up
            )
            # The compute budget program is one more account when the transaction is sent.
            if locks + 1 > MAX_LOCKS:
                return False
            landed = await self.program.chain.send(sent)
        except TransactionTooLarge:
            return False
        return landed.err is None


def seeded(name: str) -> Keypair:
    """A fixed key: addresses, and with them derivations and comparisons, cost the same in every run."""
    return Keypair.from_seed(hashlib.sha256(f"bench:{name}".encode()).digest())


def seeded_keys(folder: Path) -> Keys:
    """Fixed keys for every part of a deployment."""

    def key(name: str) -> Key:
        return Key(seeded(name), folder / f"{name}.json")

    return Keys(
        upgrade_authority=key("upgrade_authority"),
        admin=key("admin"),
        operator=key("operator"),
        registrar=key("registrar"),
        guardian=key("guardian"),
        resumer=key("resumer"),
        compliance=key("compliance"),
        corporate_actions=key("corporate_actions"),
        keepers={name: key(f"attester {name}") for name in KEEPERS},
        agents={name: key(f"attester {name}") for name in AGENTS},
    )


async def measure() -> Figures:
    """Start the embedded chain, measure, stop it. Raises ChainError, AssertionError."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        keys = seeded_keys(Path(folder))
        async with laboratory("embedded", Path(folder), keys=keys) as started:
            version = await started.chain.rpc.call("getVersion")
            bench = Bench(await deploy_program(started.chain, keys, started.client))
            units, counts = await bench.run()
            ordered = {name: units[name] for name in MEANING if name in units}
            return Figures(ordered, counts, "embedded (LiteSVM)", str(version["solana-core"]))


def table(figures: Figures) -> str:
    """For people, as Markdown."""
    lines = ["| figure | value | what |", "|---|---:|---|"]
    lines += [
        f"| `{name}` | {value:,} | {MEANING[name]} |"
        for name, value in (*figures.units.items(), *figures.counts.items())
    ]
    return "\n".join(lines)


def document(figures: Figures) -> str:
    """docs/compute-units.md."""
    return f"""# Compute units

Written by `.venv/bin/python bench/program_cu.py --write-docs`; a test compares it with a new measurement, exactly.

Measured on the {figures.chain} chain, version {figures.version}: {MEASURED}.

{table(figures)}

How: `*_each_more` is the whole batch (18 mints or burns, 24 assets) less one, divided by the others, rounded up. What
fits a transaction was executed, and kept within a packet of 1,232 bytes and within mainnet's {MAX_LOCKS} account locks,
which the local chains do not enforce. The runtime itself verifies the ed25519 instruction before `submit_attestation`;
it counts no compute units.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exit code 1 where nothing could be measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--write-docs", action="store_true", help=f"write {DOCS.name} too")
    options = parser.parse_args(arguments)
    try:
        figures = asyncio.run(measure())
    except ChainError as error:
        print(f"program_cu: {error}", file=sys.stderr)
        return 1
    if options.write_docs:
        DOCS.write_text(document(figures), encoding="utf-8")
    print(json.dumps(figures.as_json()) if options.json else f"{figures.chain} {figures.version}\n{table(figures)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
