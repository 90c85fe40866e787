"""A day in the life of a localnet: what custodians, operator, thieves and crashes do, and what the chain says.

Each step does one thing, waits until the finalized chain shows its consequence, and prints both.
"""

from __future__ import annotations

import asyncio
import json
import signal
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import aiohttp
from solders.instruction import Instruction
from solders.keypair import Keypair

from localnet.catalogue.reader import DECIMALS
from localnet.harness.custody import Sidecar, backed_raw
from localnet.harness.deploy import DeployedAsset
from localnet.harness.keys import generate_key
from localnet.harness.submit import Job, submit, submit_ok
from localnet.harness.wait import until
from localnet.harness.world import World
from xstocks_daemon.attester.release import Condition
from xstocks_daemon.chain.addresses import associated_token_address, base58
from xstocks_daemon.chain.errors import ProgramError
from xstocks_daemon.chain.mint_layout import read_token_account
from xstocks_daemon.chain.rpc import Commitment
from xstocks_daemon.chain.transactions import create_token_account, quorum_instruction, transfer_tokens
from xstocks_daemon.custody.http import HttpTarget
from xstocks_daemon.custody.source import CustodianEndpoint, HttpStatementSource
from xstocks_daemon.domain.intent import Intent, IntentKind
from xstocks_daemon.domain.snapshot import AssetView, Scope
from xstocks_daemon.domain.statement import AttesterSignature, SignedStatement
from xstocks_daemon.domain.units import NANO_PER_SHARE, Address, capacity_raw, decimal_text, shares_text

KILL_AT = "after-first-send"
_PARTICIPANT_SECS = 365 * 86_400
_PERSON = "demo"


class DayFailed(Exception):
    """The chain, the daemon or a custodian did something else than the rules say; the message says what."""


@dataclass(frozen=True, slots=True)
class Day:
    """The localnet of the day, and how it is shown: `title` prints a step's heading, `say` a line of it."""

    world: World
    title: Callable[[str], None]
    say: Callable[[str], None]

    async def play(self) -> None:
        """All steps. Raises DayFailed, NotReached, TransactionRefused, RpcError, ProcessError."""
        cast = _cast(self.world.deployment.assets)
        async with self.world.daemon():
            await self._deposit(cast.deposit)
            await self._withdrawal(cast.withdrawal)
            await self._shortfall(cast.shortfall)
            await self._forged_and_replayed(cast.forgery)
            await self._pause(cast.pause)
        await self._killed(cast.killed)
        async with self.world.daemon():
            await self._above_the_ceiling(cast.ceiling)
            await self._distribution(cast.distribution)

    # ---- the steps ----------------------------------------------------------------------------------------------

    async def _deposit(self, asset: DeployedAsset) -> None:
        before = await self._view(asset)
        shares_nano = _part_of(asset, 100)
        self.title(
            f"Deposit: {shares_text(shares_nano)} more {asset.row.symbol} shares arrive at {asset.row.custodian}"
        )
        await self._book(asset, shares_nano)
        after = await self._on_target(asset)
        self.say(f"the chain says: {_change(before, after)}, ceiling {self._ceiling(after)}")

    async def _withdrawal(self, asset: DeployedAsset) -> None:
        before = await self._view(asset)
        shares_nano = _part_of(asset, 50)
        self.title(
            f"Withdrawal: {shares_text(shares_nano)} {asset.row.symbol} shares are to leave {asset.row.custodian}"
        )
        custody = self.world.custody
        leaving = await asyncio.to_thread(custody.mark_leaving, asset, shares_nano)
        unmet = await custody.release(asset, leaving)
        if not unmet:
            raise DayFailed("the books let shares go at once, before any token was burnt (M13)")
        self.say(f"marked; the books do not let them go yet: {unmet[0]}")
        after = await self._on_target(asset)
        self.say(f"the chain says: a lower statement, then a burn from the inventory: {_change(before, after)}")

        async def released() -> bool:
            waiting = await custody.release(asset, leaving)
            if any(one.condition is Condition.OBSERVED_AFTER_MARK for one in waiting):
                # The daemon confirms a lower number once; where an agent marked later than that, it would be minutes
                # until the next statement is due. Anybody may relay one, so a custodian in a hurry does.
                await self._relay(await self._statement(asset))
            return not waiting

        await until(released, f"the release of {asset.row.symbol} shares")
        self.say("now the books let the shares go")

    async def _shortfall(self, asset: DeployedAsset) -> None:
        before = await self._view(asset)
        shares_nano = asset.row.shares_nano or 0
        lost_nano = shares_nano * 3 // 10
        self.title(
            f"Below supply: {asset.row.custodian} finds {shares_text(lost_nano)} {asset.row.symbol} shares missing"
        )
        await asyncio.to_thread(self.world.custody.mark_leaving, asset, lost_nano)

        async def lowered() -> AssetView | None:
            view = await self._view(asset)
            return view if self._ceiling_raw(view) < view.mint.supply_raw else None

        short = await until(lowered, f"the lower statement of {asset.row.symbol} on chain")
        missing_raw = short.mint.supply_raw - self._ceiling_raw(short)
        self.say(
            f"the chain says: supply {_tokens(short.mint.supply_raw, short)}, ceiling {self._ceiling(short)}: "
            f"{_tokens(missing_raw, short)} tokens lack backing, for everybody to see"
        )
        await self._refused_mint(asset, 1)
        line = await self._plan_line(asset, "needs_approval")
        self.say(f"the daemon says: {line}: so large a burn waits for a person")
        await self._xstocks("approve-burn", asset.row.symbol, "--up-to-raw", str(missing_raw), "--person", _PERSON)
        after = await self._on_target(asset)
        self.say(f"approved; the chain says: {_change(before, after)}")

    async def _forged_and_replayed(self, asset: DeployedAsset) -> None:
        self.title(f"Forged and replayed statements of {asset.row.symbol}")
        signed = await self._statement(asset)
        statement = signed.statement
        entry = statement.entries[0]
        more = entry.shares_nano + NANO_PER_SHARE
        inflated = replace(
            statement,
            entries=(
                replace(
                    entry,
                    shares_nano=more,
                    capacity_raw=capacity_raw(more, entry.multiplier_bits, DECIMALS),
                ),
            ),
        )
        proof = quorum_instruction(statement.digest(), signed.signatures)
        error = await self._refusal("inflated statement", [proof, self.world.client.submit_attestation(inflated)])
        self.say(f"one share added under the quorum's signatures: refused, {error}")
        strangers = [Keypair(), Keypair()]
        forged = sorted(
            (
                AttesterSignature(Address(bytes(one.pubkey())), bytes(one.sign_message(inflated.digest())))
                for one in strangers
            ),
            key=lambda each: each.key,
        )
        proof = quorum_instruction(inflated.digest(), forged)
        error = await self._refusal("forged statement", [proof, self.world.client.submit_attestation(inflated)])
        self.say(f"signed by two strangers: refused, {error}")

        async def on_chain() -> bool:
            view = await self._view(asset)
            return view.asset.entries[0].observed_ms >= statement.observed_ms

        genuine = await self._relay(signed)
        await until(on_chain, "the genuine statement on chain")
        error = await self._refusal("replayed statement", genuine)
        self.say(f"the genuine one is taken, and the second time: refused, {error}")

    async def _pause(self, asset: DeployedAsset) -> None:
        self.title(f"The guardian pauses minting of {asset.row.symbol}")
        keys, client = self.world.deployment.keys, self.world.client
        pause = client.pause(guardian=keys.guardian.address, scopes=Scope.MINT, mint=asset.mint)
        await submit_ok(self.world.rpc, [self._job("pause", [pause], keys.guardian.keypair)])
        await self._refused_mint(asset, 1)
        resume = client.resume(resumer=keys.resumer.address, scopes=Scope.MINT, mint=asset.mint)
        await submit_ok(self.world.rpc, [self._job("resume", [resume], keys.resumer.keypair)])
        self.say("another key, the resumer's, lets it go on")

    async def _killed(self, asset: DeployedAsset) -> None:
        before = await self._view(asset)
        shares_nano = _part_of(asset, 100)
        self.title(f"SIGKILL: the daemon dies after sending the mint for {shares_text(shares_nano)} {asset.row.symbol}")
        async with self.world.daemon(environment={"XSTOCKS_TEST_KILL_AT": KILL_AT}) as daemon:
            await self._book(asset, shares_nano)
            async with asyncio.timeout(300):
                code = await daemon.process.wait()
        if code != -signal.SIGKILL:
            raise DayFailed(f"the daemon ended with {code} instead of by SIGKILL; {daemon.tail()}")
        self.say("killed between sending and confirming, at a point that only tests can name")
        async with self.world.daemon():
            after = await self._on_target(asset)
        steps = after.asset.sequence - before.asset.sequence
        if steps != 1:
            raise DayFailed(f"{asset.row.symbol}: the sequence moved {steps} times instead of once (M4)")
        self.say(f"restarted; the chain says: {_change(before, after)}, sequence moved once: minted exactly once")

    async def _above_the_ceiling(self, asset: DeployedAsset) -> None:
        self.title(f"The operator's key tries to mint one base unit of {asset.row.symbol} above the ceiling")
        view = await self._on_target(asset)
        await self._refused_mint(asset, self._ceiling_raw(view) - view.mint.supply_raw + 1)

    async def _distribution(self, asset: DeployedAsset) -> None:
        world, keys = self.world, self.world.deployment.keys
        amount_raw = (await self._view(asset)).vault_raw // 200
        participant = generate_key(world.folder / "keys", "participant")
        friend = generate_key(world.folder / "keys", "friend")
        self.title(f"Distribution: {asset.row.symbol} from the inventory to a participant, and on to another wallet")
        register = world.client.set_participant(
            registrar=keys.registrar.address,
            wallet=participant.address,
            active=True,
            expires_ts=await self._now_ts() + _PARTICIPANT_SECS,
            country="CH",
        )
        accounts = [
            create_token_account(keys.registrar.address, key.address, asset.mint) for key in (participant, friend)
        ]
        job = self._job("participant", [register, *accounts], keys.registrar.keypair)
        await submit_ok(world.rpc, [job])
        allowed = world.client.addresses.participant(participant.address)

        async def on_the_list() -> bool:
            return (await world.rpc.account(allowed)).value is not None

        await until(on_the_list, "the participant on the finalized chain")
        order_id = uuid.uuid4().hex
        await self._xstocks(
            "distribute",
            asset.row.symbol,
            decimal_text(amount_raw, asset_decimals := (await self._view(asset)).asset.decimals).replace(",", ""),
            base58(participant.address),
            "--order-id",
            order_id,
        )
        theirs = associated_token_address(participant.address, asset.mint)
        friends = associated_token_address(friend.address, asset.mint)

        async def received() -> bool:
            return await self._balance_raw(theirs) == amount_raw

        await until(received, "the participant's tokens")
        view = await self._view(asset)
        self.say(f"the chain says: participant holds {_tokens(amount_raw, view)}, supply unchanged")
        half_raw = amount_raw // 2
        transfer = transfer_tokens(
            source=theirs,
            mint=asset.mint,
            destination=friends,
            owner=participant.address,
            amount_raw=half_raw,
            decimals=asset_decimals,
        )
        job = Job("wallet to wallet", [transfer], [keys.registrar.keypair, participant.keypair])
        await submit_ok(world.rpc, [job])
        if await self._balance_raw(friends, "confirmed") != half_raw:
            raise DayFailed("the other wallet did not receive the transfer")
        self.say(f"an ordinary SPL transfer: {_tokens(half_raw, view)} went on to another wallet")

    # ---- what the steps are made of -----------------------------------------------------------------------------

    async def _view(self, asset: DeployedAsset) -> AssetView:
        return (await self.world.reader.snapshot([asset.mint])).assets[asset.mint]

    async def _now_ts(self) -> int:
        return (await self.world.reader.snapshot([])).now_ts

    async def _balance_raw(self, account: Address, commitment: Commitment = "finalized") -> int:
        found = (await self.world.rpc.account(account, commitment=commitment)).value
        return 0 if found is None else read_token_account(account, found.data, found.owner).amount_raw

    def _ceiling_raw(self, view: AssetView) -> int:
        """By the entry alone: these assets have one custodian and its statement is minutes old at most."""
        return max(0, sum(entry.capacity_raw - entry.unseen_raw for entry in view.asset.entries))

    def _ceiling(self, view: AssetView) -> str:
        return _tokens(self._ceiling_raw(view), view)

    async def _book(self, asset: DeployedAsset, shares_nano: int) -> None:
        await asyncio.to_thread(self.world.custody.deposit, asset, shares_nano)

    async def _on_target(self, asset: DeployedAsset) -> AssetView:
        """Wait until the supply is what the custodian's books back."""
        book = await asyncio.to_thread(self.world.custody.record, asset)
        wanted_raw = 0 if book is None else backed_raw(book)

        async def reached() -> AssetView | None:
            view = await self._view(asset)
            return view if view.mint.supply_raw == wanted_raw else None

        return await until(reached, f"a supply of {wanted_raw} base units of {asset.row.symbol}")

    async def _statement(self, asset: DeployedAsset) -> SignedStatement:
        """A genuine statement of one asset, asked of the custodian's sidecar as the daemon would."""
        name = asset.row.custodian or ""
        sidecar: Sidecar = self.world.custody.sidecars[name]
        custodian = self.world.deployment.custodians[name].address
        async with aiohttp.ClientSession() as session:
            endpoint = CustodianEndpoint(custodian, HttpTarget(sidecar.url, sidecar.token))
            reading = await HttpStatementSource([endpoint], session).read({custodian: [[asset.mint]]})
        if not reading.statements:
            raise DayFailed(f"{name}'s sidecar gave no statement of {asset.row.symbol}: {reading}")
        return reading.statements[0][1]

    async def _relay(self, signed: SignedStatement) -> list[Instruction]:
        """Bring a statement to the chain; a newer one may be there already. Gives the instructions that did."""
        proof = quorum_instruction(signed.statement.digest(), signed.signatures)
        instructions = [proof, self.world.client.submit_attestation(signed.statement)]
        await submit(self.world.rpc, [self._job("statement", instructions)])
        return instructions

    async def _refused_mint(self, asset: DeployedAsset, amount_raw: int) -> None:
        """Try a mint by the operator's key without the daemon, and print the program's refusal."""
        view = await self._view(asset)
        operator = self.world.deployment.keys.operator
        intent = Intent(IntentKind.MINT, asset.mint, view.asset.sequence, amount_raw, view.asset.vault)
        instruction = self.world.client.mint(
            operator=operator.address,
            custodians=[entry.custodian for entry in view.asset.entries],
            intents=[intent],
            genesis_hash=self.world.deployment.genesis_hash,
        )
        error = await self._refusal("a mint that must fail", [instruction], operator.keypair)
        after = await self._view(asset)
        if after.mint.supply_raw != view.mint.supply_raw:
            raise DayFailed(f"{asset.row.symbol}: the supply changed although the mint was refused")
        self.say(f"the operator's key tries to mint {amount_raw} more base unit(s): refused, {error}")

    async def _refusal(self, label: str, instructions: Sequence[Instruction], signer: Keypair | None = None) -> str:
        """Send what must fail; gives the program's error. DayFailed where it succeeds or fails in another way."""
        receipt = (await submit(self.world.rpc, [self._job(label, instructions, signer)]))[0]
        if receipt.err is None:
            raise DayFailed(f"{label}: the program took it ({receipt.signature})")
        landed = await self.world.rpc.transaction(receipt.signature)
        failure = self.world.client.failure(receipt.err, landed.logs if landed else ())
        if not isinstance(failure, ProgramError):
            raise DayFailed(f"{label}: failed, but not by the program: {failure}")
        return f"error {failure.code} {failure.name}"

    def _job(self, label: str, instructions: Sequence[Instruction], signer: Keypair | None = None) -> Job:
        """Anybody may relay a statement: where no signer is asked for, the registrar's key pays."""
        return Job(label, instructions, [signer or self.world.deployment.keys.registrar.keypair])

    async def _plan_line(self, asset: DeployedAsset, reason: str) -> str:
        """Wait until `xstocks plan` gives `reason` for the asset; gives its line."""

        async def line() -> str | None:
            plan = json.loads(await self._xstocks("plan", "--json"))
            for one in plan["assets"]:
                if one["symbol"] == asset.row.symbol and reason in json.dumps(one):
                    return f"{one['symbol']}: {one['reason']}"
            return None

        return await until(line, f"the plan saying {reason} of {asset.row.symbol}")

    async def _xstocks(self, *arguments: str) -> str:
        """Run an `xstocks` command as the operator would; gives what it prints. DayFailed where it fails."""
        process = await asyncio.create_subprocess_exec(
            *self.world.xstocks(*arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(300):
            out, err = await process.communicate()
        if process.returncode != 0:
            raise DayFailed(f"xstocks {' '.join(arguments)}: exit {process.returncode}: {err.decode().strip()}")
        return out.decode()


@dataclass(frozen=True, slots=True)
class _Cast:
    """Which asset plays which step; with few assets one plays several."""

    deposit: DeployedAsset
    withdrawal: DeployedAsset
    shortfall: DeployedAsset
    forgery: DeployedAsset
    pause: DeployedAsset
    killed: DeployedAsset
    ceiling: DeployedAsset
    distribution: DeployedAsset


def _cast(assets: Sequence[DeployedAsset]) -> _Cast:
    held = [asset for asset in assets if (asset.row.shares_nano or 0) >= 200 * NANO_PER_SHARE]
    if not held:
        raise DayFailed("no asset with 200 shares or more to play the day with: take more with --assets")
    # Start with names that people know, where they are among the chosen.
    held.sort(key=lambda asset: asset.row.symbol not in ("AAPLx", "NVDAx", "TSLAx", "SPYx", "MSTRx", "GOOGLx", "AMZNx"))
    roles = list(_Cast.__dataclass_fields__)
    return _Cast(**{role: held[index % len(held)] for index, role in enumerate(roles)})


def _part_of(asset: DeployedAsset, fraction: int) -> int:
    """A whole number of shares, about 1/fraction of what is held, in billionths, and few enough for the bucket."""
    shares = (asset.row.shares_nano or 0) // NANO_PER_SHARE // fraction
    return NANO_PER_SHARE * min(max(shares, 1), 200)


def _tokens(raw: int, view: AssetView) -> str:
    return decimal_text(raw, view.asset.decimals)


def _change(before: AssetView, after: AssetView) -> str:
    return f"supply {_tokens(before.mint.supply_raw, before)} -> {_tokens(after.mint.supply_raw, after)}"
