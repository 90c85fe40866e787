"""One asset of a profile from its registration to its release, everybody doing with it once what they may."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.measure.meter import Meter, seeded
from tests.support.deployed import Asset, DeployedProgram
from tests.support.error_codes import ErrorCode
from tests.support.initialized import OWN_CUSTODIAN
from tests.support.live_chain import Call, address_of, call
from tests.support.mints import live_mint
from tests.support.redeeming import Request
from xstocks_daemon.chain.program import Profile
from xstocks_daemon.domain.snapshot import Hold, Scope
from xstocks_daemon.domain.units import Address, multiplier_bits_of

CAPACITY_RAW = 10**12
AMOUNT_RAW = 10**8

WALLET, HEIR = seeded("wallet"), seeded("heir")
"""Participants: who holds, and who gets what is recovered."""

REFUSED: Mapping[Profile, Mapping[str, ErrorCode]] = {
    Profile.XSTOCKS: {},
    Profile.OPEN: {
        "freeze": ErrorCode.NotFreezable,
        "thaw": ErrorCode.NotFreezable,
        "announce_recovery": ErrorCode.NotFreezable,
        "cancel_recovery": ErrorCode.AccountNotInitialized,
        "execute_recovery": ErrorCode.AccountNotInitialized,
        "pause_transfers": ErrorCode.TransfersNotPausable,
        "resume_transfers": ErrorCode.NothingToChange,
    },
    Profile.PERMISSIONED: {},
}
"""What a profile does not have, and how it is refused there."""


def figure_of(name: str, profile: Profile) -> str:
    """The figure of a profile: the usual one has the plain name."""
    return name if profile is Profile.XSTOCKS else f"{name}_{profile.name.lower()}"


async def new_asset(
    program: DeployedProgram,
    name: str,
    *,
    profile: Profile = Profile.XSTOCKS,
    custodians: Sequence[str] = (OWN_CUSTODIAN,),
    as_real: bool = False,
    meter: Meter | None = None,
) -> Asset:
    """A registered asset at a fixed address, attached to `custodians`. A `meter` measures its registration.

    `as_real`: its mint has its extensions in the real mints' order, Pausable after ScaledUiAmount.
    """
    admin, chain = program.keys.admin, program.chain
    fresh = await program.mint_to_register(key=seeded(f"mint {name}"), profile=profile)
    create = fresh.create
    if as_real:
        account, pausable, *others = create
        create = (account, *others[:4], pausable, *others[4:])
    await chain.accepted(call(create, admin.keypair, fresh.key))
    register = program.by("admin", program.registration(fresh.mint, profile=profile))
    if meter is None:
        await program.accepted(register)
    else:
        await meter.measure(figure_of("register_asset", profile), register)
    for custodian in custodians:
        custodian_address = program.custodian(custodian).address
        attach = program.client.attach_custodian(admin=admin.address, custodian=custodian_address, mint=fresh.mint)
        await program.accepted(program.by("admin", attach))
    # An attached entry takes nothing that was observed before now + the allowed skew.
    await chain.clock_reaches(await chain.clock_ts() + 1)
    return Asset(program, fresh.mint, multiplier_bits_of("1"))


async def measure_asset_lifecycle(meter: Meter, program: DeployedProgram, profile: Profile) -> None:
    """Measures all of it; what a profile does not have is refused, by name, and has no figure."""
    asset = await new_asset(program, f"of the profile {profile.name}", profile=profile, meter=meter)
    run = _AssetLifecycle(meter, program, profile, asset)
    await run.money()
    await run.redemptions()
    await run.compliance()
    await run.pauses()
    await run.corporate_actions()
    await run.statements()
    await run.end()
    await run.adoption()


@dataclass(frozen=True, slots=True)
class _AssetLifecycle:
    meter: Meter
    program: DeployedProgram
    profile: Profile
    asset: Asset

    @property
    def source(self) -> Address:
        """The holder's token account."""
        return self.asset.token_account(address_of(WALLET))

    async def measure(self, name: str, sent: Call) -> None:
        """Measure the call under its name, or see it refused where the profile does not have it."""
        if (error := REFUSED[self.profile].get(name)) is not None:
            await self.program.refused(sent, error)
        else:
            await self.meter.measure(figure_of(name, self.profile), sent)

    async def open_account(self, wallet: Address) -> Address:
        """A participant's token account that may be used: a permissioned one begins frozen."""
        account = await self.asset.open_account(wallet)
        if self.profile is Profile.PERMISSIONED:
            await self.program.accepted(self.thawing(account, wallet))
        return account

    def thawing(self, account: Address, wallet: Address) -> Call:
        """thaw, with its owner where the profile asks for it."""
        instruction = self.program.client.thaw(
            authority=self.program.keys.compliance.address,
            mint=self.asset.mint,
            account=account,
            wallet=wallet if self.profile is Profile.PERMISSIONED else None,
        )
        return self.program.by("compliance", instruction)

    async def money(self) -> None:
        asset = self.asset
        await asset.attest(CAPACITY_RAW)
        # The first one of an asset finds an empty bucket; measured is one like any other.
        await self.program.accepted(await asset.mint_call(AMOUNT_RAW))
        await self.measure("mint", await asset.mint_call(AMOUNT_RAW))
        await self.measure("burn", await asset.burn_call(AMOUNT_RAW))
        await self.open_account(address_of(WALLET))
        await self.measure("distribute", await asset.distribute_call(AMOUNT_RAW // 2, WALLET))

    async def redemptions(self) -> None:
        for end in ("settle", "cancel", "reject"):
            request = Request(self.asset, WALLET, hashlib.sha256(end.encode()).digest()[:16])
            requesting = request.request_call(AMOUNT_RAW // 8)
            if end == "settle":
                await self.measure("request_redemption", requesting)
                await self.measure("accept_redemption", request.accept_call())
                await self.measure("settle_redemption", request.settle_call())
            else:
                await self.program.accepted(requesting)
                await self.measure(
                    f"{end}_redemption", request.cancel_call() if end == "cancel" else request.reject_call()
                )
        held = Request(self.asset, WALLET, hashlib.sha256(b"hold").digest()[:16])
        await self.program.accepted(held.request_call(AMOUNT_RAW // 8))
        await self.measure("hold_redemption", held.hold_call())
        await self.measure("clear_redemption_hold", held.clear_hold_call())
        await self.measure("announce_redemption_recovery", held.announce_recovery_call(held.account))
        await self.measure("execute_redemption_recovery", held.execute_recovery_call(held.account))

    async def compliance(self) -> None:
        program, client, keys, mint = self.program, self.program.client, self.program.keys, self.asset.mint
        officer, source = keys.compliance.address, self.source
        freeze = client.freeze(compliance=officer, mint=mint, account=source)
        await self.measure("freeze", program.by("compliance", freeze))
        await self.measure("thaw", self.thawing(source, address_of(WALLET)))
        destination = await self.open_account(address_of(HEIR))
        announce = client.announce_recovery(
            compliance=officer, mint=mint, source=source, destination=destination, amount_raw=1, delay_secs=0
        )
        announcing = program.by("compliance", announce)
        await self.measure("announce_recovery", announcing)
        cancel = client.cancel_recovery(guardian=keys.guardian.address, source=source)
        await self.measure("cancel_recovery", program.by("guardian", cancel))
        if "announce_recovery" not in REFUSED[self.profile]:
            await program.accepted(announcing)
        execute = client.execute_recovery(
            compliance=officer, admin=keys.admin.address, mint=mint, source=source, destination=destination
        )
        executing = call(execute, keys.compliance.keypair, keys.admin.keypair)
        await self.measure("execute_recovery", executing)

    async def pauses(self) -> None:
        program, client, keys, mint = self.program, self.program.client, self.program.keys, self.asset.mint
        for scope, suffix in ((Scope.MINT, ""), (Scope.TRANSFERS, "_transfers")):
            pause = client.pause(guardian=keys.guardian.address, scopes=scope, mint=mint)
            await self.measure(f"pause{suffix}", program.by("guardian", pause))
            resume = client.resume(resumer=keys.resumer.address, scopes=scope, mint=mint)
            await self.measure(f"resume{suffix}", program.by("resumer", resume))

    async def corporate_actions(self) -> None:
        program, client, mint = self.program, self.program.client, self.asset.mint
        officer, new_bits = program.keys.corporate_actions.address, multiplier_bits_of("1.01")
        schedule = client.schedule_multiplier(
            corporate_actions=officer,
            mint=mint,
            current_bits=self.asset.multiplier_bits,
            new_bits=new_bits,
            effective_ts=await program.chain.clock_ts() + 3_600,
        )
        await self.measure("schedule_multiplier", program.by("corporate_actions", schedule))
        cancel = client.cancel_multiplier(authority=officer, mint=mint, pending_bits=new_bits)
        await self.measure("cancel_multiplier", program.by("corporate_actions", cancel))
        update = client.set_metadata(
            admin=program.keys.admin.address, mint=mint, updates=[("benchmark", "of 32 bytes, as an address has it")]
        )
        await self.measure("set_metadata", program.by("admin", update))

    async def statements(self) -> None:
        """A rise is held and cleared; then an attester withdraws the entry."""
        await self.asset.attest(10 * CAPACITY_RAW)
        await self.measure("clear_hold", await self.asset.clear_hold_call(Hold.RISE))
        attester = self.program.quorum()[0]
        withdraw = self.program.client.withdraw_entry(
            attester=address_of(attester), custodian=self.program.custodian().address, mint=self.asset.mint
        )
        await self.measure("withdraw_entry", call(withdraw, attester))

    async def end(self) -> None:
        """Nothing is left in the vault; the asset is retired, its mint handed on."""
        program, client, asset = self.program, self.program.client, self.asset
        await program.accepted(await asset.burn_call(await asset.balance_raw()))
        admin = program.keys.admin.address
        await self.measure("retire_asset", program.by("admin", client.retire_asset(admin=admin, mint=asset.mint)))
        heir = address_of(seeded("next mint authority"))
        release = client.release_authority(admin=admin, mint=asset.mint, new_authority=heir)
        await self.measure("release_authority", program.by("admin", release))

    async def adoption(self) -> None:
        """Of two other mints, in people's hands: one is adopted, the other given back."""
        holders = (seeded("minter"), seeded("guard"), seeded("issuer"))
        for last in ("finish_adopt", "abort_adopt"):
            live = await live_mint(
                self.program,
                profile=self.profile,
                mint_key=seeded(f"live mint of the profile {self.profile.name}, {last}"),
                holders=holders,
                wallet=seeded("wallet of the supply"),
            )
            if last == "finish_adopt":
                await self.measure("begin_adopt", live.begin())
            else:
                await self.program.accepted(live.begin())
            await live.hand_over()
            await self.measure(last, live.finish() if last == "finish_adopt" else live.abort())
