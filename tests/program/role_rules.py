"""Who may call which instruction, and a scene in which each passes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from solders.instruction import Instruction
from solders.keypair import Keypair

from tests.program.role_keys import PARTICIPANT
from tests.support.deployed import Asset, DeployedProgram
from tests.support.edit import with_account
from tests.support.error_codes import ErrorCode
from tests.support.initialized import OTHER_CUSTODIAN, OWN_CUSTODIAN, ROOMY
from tests.support.live_chain import Call, address_of, call
from tests.support.mints import live_mint
from tests.support.redeeming import Request, participant_with, requested
from xstocks_daemon.chain.program import Role
from xstocks_daemon.domain.snapshot import AttesterKey, Hold, Scope
from xstocks_daemon.domain.units import Address, multiplier_bits_of

Build = Callable[[Address], Instruction]
"""The instruction as that key would sign it."""

Prepare = Callable[[DeployedProgram, Asset], Awaitable[Build]]


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may, how everybody else is refused, and what is prepared before. The signer is the first account."""

    allowed: tuple[str, ...]
    otherwise: ErrorCode
    prepare: Prepare
    own_program: bool = False
    also: tuple[str, ...] = ()
    """Who signs beside, in another place."""


# ---- one scene per instruction -------------------------------------------------------------------------------------


async def seal(program: DeployedProgram, _asset: Asset) -> Build:
    return lambda key: program.client.seal(admin=key, timelock_secs=1)


async def set_role(program: DeployedProgram, _asset: Asset) -> Build:
    other = address_of(Keypair())
    return lambda key: program.client.set_role(admin=key, role=Role.COMPLIANCE, key=other)


async def clear_role(program: DeployedProgram, _asset: Asset) -> Build:
    return lambda key: program.client.clear_role(admin=key, role=Role.COMPLIANCE)


async def set_timing(program: DeployedProgram, _asset: Asset) -> Build:
    return lambda key: program.client.set_timing(admin=key, timelock_secs=0, max_skew_secs=3)


async def propose_admin(program: DeployedProgram, _asset: Asset) -> Build:
    other, expires_ts = address_of(Keypair()), await program.chain.clock_ts() + 3_600
    return lambda key: program.client.propose_admin(admin=key, pending_admin=other, expires_ts=expires_ts)


async def offered(program: DeployedProgram) -> None:
    """The admin role is offered to the key of the registrar."""
    offer = program.client.propose_admin(
        admin=program.keys.admin.address,
        pending_admin=program.keys.registrar.address,
        expires_ts=await program.chain.clock_ts() + 3_600,
    )
    await program.accepted(program.by("admin", offer))


async def cancel_admin(program: DeployedProgram, _asset: Asset) -> Build:
    await offered(program)
    return lambda key: program.client.cancel_admin(authority=key)


async def accept_admin(program: DeployedProgram, _asset: Asset) -> Build:
    await offered(program)
    return lambda key: program.client.accept_admin(pending_admin=key)


async def accept_role(program: DeployedProgram, asset: Asset) -> Build:
    """The key of the participant is to have a role."""
    await program.accepted(program.by("admin", (await seal(program, asset))(program.keys.admin.address)))
    admin, new_key = program.keys.admin.address, address_of(PARTICIPANT)
    given = program.client.set_role(admin=admin, role=Role.COMPLIANCE, key=new_key)
    await program.accepted(program.by("admin", program.client.propose(admin=admin, instruction=given)))
    proposal = program.client.proposal_address(given)
    return lambda key: program.client.accept_role(new_key=key, proposal=proposal)


async def propose(program: DeployedProgram, _asset: Asset) -> Build:
    await program.accepted(program.by("admin", (await seal(program, _asset))(program.keys.admin.address)))
    proposed = program.client.set_role(admin=program.keys.admin.address, role=Role.OPERATOR, key=address_of(Keypair()))
    return lambda key: program.client.propose(admin=key, instruction=proposed)


async def cancel_proposal(program: DeployedProgram, asset: Asset) -> Build:
    proposing = (await propose(program, asset))(program.keys.admin.address)
    await program.accepted(program.by("admin", proposing))
    proposal_index = 2
    proposal = Address(bytes(proposing.accounts[proposal_index].pubkey))
    return lambda key: program.client.cancel_proposal(authority=key, proposal=proposal)


def two_keys() -> list[AttesterKey]:
    return [AttesterKey(address_of(Keypair()), party, 2**40) for party in (0, 1)]


async def register_custodian(program: DeployedProgram, _asset: Asset) -> Build:
    keys = two_keys()
    custodian_id = 50_000 + len(program.deployment.custodians)
    return lambda key: program.client.register_custodian(
        admin=key, custodian_id=custodian_id, name="Another", threshold=2, keys=keys
    )


async def set_custodian_keys(program: DeployedProgram, _asset: Asset) -> Build:
    keys, custodian = two_keys(), program.custodian(await program.add_custodian()).address
    return lambda key: program.client.set_custodian_keys(admin=key, custodian=custodian, threshold=2, keys=keys)


async def revoke_custodian_key(program: DeployedProgram, _asset: Asset) -> Build:
    custodian = program.custodian(await program.add_custodian())
    revoked = custodian.attesters[0].address
    return lambda key: program.client.revoke_custodian_key(authority=key, custodian=custodian.address, key=revoked)


async def attach_custodian(program: DeployedProgram, asset: Asset) -> Build:
    custodian = program.custodian(await program.add_custodian()).address
    return lambda key: program.client.attach_custodian(admin=key, custodian=custodian, mint=asset.mint)


async def detach_custodian(program: DeployedProgram, asset: Asset) -> Build:
    custodian = program.custodian(OTHER_CUSTODIAN).address
    return lambda key: program.client.detach_custodian(admin=key, custodian=custodian, mint=asset.mint)


async def register_asset(program: DeployedProgram, _asset: Asset) -> Build:
    fresh = await program.mint_to_register()
    await program.chain.accepted(call(fresh.create, program.keys.admin.keypair, fresh.key))
    return lambda key: program.registration(fresh.mint, admin=key)


async def begin_adopt(program: DeployedProgram, _asset: Asset) -> Build:
    live = await live_mint(program)
    return lambda key: program.client.begin_adopt(admin=key, mint=live.mint)


async def handed_over(program: DeployedProgram) -> Address:
    """A live mint between the second step of its adoption and the third."""
    live = await live_mint(program)
    await program.accepted(live.begin())
    await live.hand_over()
    return live.mint


async def finish_adopt(program: DeployedProgram, _asset: Asset) -> Build:
    mint = await handed_over(program)
    return lambda key: program.client.finish_adopt(admin=key, mint=mint, policy=ROOMY)


async def abort_adopt(program: DeployedProgram, _asset: Asset) -> Build:
    mint = await handed_over(program)
    return lambda key: program.client.abort_adopt(admin=key, mint=mint)


async def tighten_policy(program: DeployedProgram, asset: Asset) -> Build:
    return lambda key: program.client.tighten_policy(admin=key, mint=asset.mint, policy=ROOMY)


async def loosen_policy(program: DeployedProgram, asset: Asset) -> Build:
    return lambda key: program.client.loosen_policy(admin=key, mint=asset.mint, policy=ROOMY)


async def retire_custodian(program: DeployedProgram, asset: Asset) -> Build:
    custodian = program.custodian(await program.add_custodian()).address
    return lambda key: program.client.retire_custodian(admin=key, custodian=custodian)


async def retire_asset(program: DeployedProgram, asset: Asset) -> Build:
    return lambda key: program.client.retire_asset(admin=key, mint=asset.mint)


async def release_authority(program: DeployedProgram, asset: Asset) -> Build:
    other = address_of(Keypair())
    return lambda key: program.client.release_authority(admin=key, mint=asset.mint, new_authority=other)


async def set_metadata(program: DeployedProgram, asset: Asset) -> Build:
    """A name of the same length: no key but the admin's need have money."""
    return lambda key: program.client.set_metadata(admin=key, mint=asset.mint, updates=[("name", "Best xStock")])


async def freeze(program: DeployedProgram, asset: Asset) -> Build:
    account = await asset.open_account(address_of(Keypair()))
    return lambda key: program.client.freeze(compliance=key, mint=asset.mint, account=account)


async def thaw(program: DeployedProgram, asset: Asset) -> Build:
    account = await asset.open_account(address_of(Keypair()))
    compliance = program.keys.compliance.address
    freezing = program.client.freeze(compliance=compliance, mint=asset.mint, account=account)
    await program.accepted(program.by("compliance", freezing))
    resumer = program.keys.resumer.address
    return lambda key: program.client.thaw(authority=key, mint=asset.mint, account=account, resumer=resumer)


async def announce_recovery(program: DeployedProgram, asset: Asset) -> Build:
    wallet, destination = await asset.holder(1_000), await asset.open_account(address_of(Keypair()))
    return lambda key: program.client.announce_recovery(
        compliance=key,
        mint=asset.mint,
        source=asset.token_account(address_of(wallet)),
        destination=destination,
        amount_raw=1,
        delay_secs=0,
    )


async def announced(program: DeployedProgram, asset: Asset) -> tuple[Address, Address]:
    """An announced recovery; gives its source and destination."""
    announcing = (await announce_recovery(program, asset))(program.keys.compliance.address)
    await program.accepted(program.by("compliance", announcing))
    source_index, destination_index = 4, 5
    keys = [Address(bytes(meta.pubkey)) for meta in announcing.accounts]
    return keys[source_index], keys[destination_index]


async def execute_recovery(program: DeployedProgram, asset: Asset) -> Build:
    source, destination = await announced(program, asset)
    return lambda key: program.client.execute_recovery(
        compliance=key, admin=program.keys.admin.address, mint=asset.mint, source=source, destination=destination
    )


async def cancel_recovery(program: DeployedProgram, asset: Asset) -> Build:
    source, _destination = await announced(program, asset)
    return lambda key: program.client.cancel_recovery(guardian=key, source=source)


async def set_participant(program: DeployedProgram, _asset: Asset) -> Build:
    wallet = address_of(Keypair())
    return lambda key: program.client.set_participant(
        registrar=key, wallet=wallet, active=True, expires_ts=2**40, country="CH"
    )


async def pause(program: DeployedProgram, asset: Asset) -> Build:
    return lambda key: program.client.pause(guardian=key, scopes=Scope.MINT, mint=asset.mint)


async def resume(program: DeployedProgram, asset: Asset) -> Build:
    await program.accepted(program.by("guardian", (await pause(program, asset))(program.keys.guardian.address)))
    return lambda key: program.client.resume(resumer=key, scopes=Scope.MINT, mint=asset.mint)


async def clear_hold(program: DeployedProgram, asset: Asset) -> Build:
    await asset.attest(1_000)
    await asset.attest(1_000_000)
    assert (await asset.read()).holds == Hold.RISE
    number = (await asset.read()).hold_number
    return lambda key: program.client.clear_hold(resumer=key, mint=asset.mint, holds=Hold.RISE, hold_number=number)


async def schedule_multiplier(program: DeployedProgram, asset: Asset) -> Build:
    effective_ts = await program.chain.clock_ts() + 3_600
    return lambda key: program.client.schedule_multiplier(
        corporate_actions=key,
        mint=asset.mint,
        current_bits=asset.multiplier_bits,
        new_bits=multiplier_bits_of("1.01"),
        effective_ts=effective_ts,
    )


async def cancel_multiplier(program: DeployedProgram, asset: Asset) -> Build:
    scheduling = (await schedule_multiplier(program, asset))(program.keys.corporate_actions.address)
    await program.accepted(program.by("corporate_actions", scheduling))
    return lambda key: program.client.cancel_multiplier(
        authority=key, mint=asset.mint, pending_bits=multiplier_bits_of("1.01")
    )


async def withdraw_entry(program: DeployedProgram, asset: Asset) -> Build:
    custodian = program.custodian().address
    return lambda key: program.client.withdraw_entry(attester=key, custodian=custodian, mint=asset.mint)


async def mint(program: DeployedProgram, asset: Asset) -> Build:
    await asset.attest(1_000)
    [instruction] = (await asset.mint_call(1_000)).instructions
    return lambda key: with_account(instruction, 0, key)


async def burn(program: DeployedProgram, asset: Asset) -> Build:
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(1_000))
    [instruction] = (await asset.burn_call(1_000)).instructions
    return lambda key: with_account(instruction, 0, key)


async def distribute(program: DeployedProgram, asset: Asset) -> Build:
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(1_000))
    wallet = await program.participant()
    await asset.open_account(address_of(wallet))
    [instruction] = (await asset.distribute_call(1_000, wallet)).instructions
    return lambda key: with_account(instruction, 0, key)


async def request_redemption(program: DeployedProgram, asset: Asset) -> Build:
    await asset.attest(1_000)
    wallet = await participant_with(asset, 1_000, wallet=PARTICIPANT)
    [instruction] = Request(asset, wallet).request_call(1_000).instructions
    return lambda key: with_account(instruction, 0, key)


async def open_redemption(asset: Asset, by: str | None = OWN_CUSTODIAN) -> Request:
    await asset.attest(1_000)
    return await requested(asset, 1_000, wallet=PARTICIPANT, by=by)


def on_redemption(act: Callable[[Request], Call], by: str | None = OWN_CUSTODIAN) -> Prepare:
    async def prepare(_program: DeployedProgram, asset: Asset) -> Build:
        [instruction] = act(await open_redemption(asset, by)).instructions
        return lambda key: with_account(instruction, 0, key)

    return prepare


async def hold_redemption(program: DeployedProgram, asset: Asset) -> Build:
    redemption = (await open_redemption(asset)).address
    return lambda key: program.client.hold_redemption(compliance=key, redemption=redemption)


async def clear_redemption_hold(program: DeployedProgram, asset: Asset) -> Build:
    request = await open_redemption(asset)
    await program.accepted(request.hold_call())
    resumer = program.keys.resumer.address
    return lambda key: program.client.clear_redemption_hold(authority=key, redemption=request.address, resumer=resumer)


async def announce_redemption_recovery(program: DeployedProgram, asset: Asset) -> Build:
    request = await open_redemption(asset)
    return lambda key: program.client.announce_redemption_recovery(
        compliance=key, mint=asset.mint, redemption=request.address, destination=request.account, delay_secs=0
    )


async def execute_redemption_recovery(program: DeployedProgram, asset: Asset) -> Build:
    request = await open_redemption(asset)
    await program.accepted(request.announce_recovery_call(request.account))
    [instruction] = request.execute_recovery_call(request.account).instructions
    return lambda key: with_account(instruction, 0, key)


ONLY_ADMIN = (("admin",), ErrorCode.NotAdmin)

ADMIN_OR_GUARDIAN = (("admin", "guardian"), ErrorCode.NotAdminOrGuardian)

ONLY_OPERATOR = (("operator",), ErrorCode.NotOperator)

ONLY_RESUMER = (("resumer",), ErrorCode.NotResumer)

ONLY_GUARDIAN = (("guardian",), ErrorCode.NotGuardian)

ONLY_COMPLIANCE = (("compliance",), ErrorCode.NotCompliance)

RULES: Mapping[str, Rule] = {
    "seal": Rule(*ONLY_ADMIN, seal, own_program=True),
    "propose": Rule(*ONLY_ADMIN, propose, own_program=True),
    "cancel_proposal": Rule(*ADMIN_OR_GUARDIAN, cancel_proposal, own_program=True),
    "set_role": Rule(*ONLY_ADMIN, set_role, own_program=True),
    "clear_role": Rule(*ONLY_ADMIN, clear_role, own_program=True),
    "set_timing": Rule(*ONLY_ADMIN, set_timing, own_program=True),
    "propose_admin": Rule(*ONLY_ADMIN, propose_admin, own_program=True),
    "cancel_admin": Rule(*ADMIN_OR_GUARDIAN, cancel_admin, own_program=True),
    "accept_admin": Rule(("registrar",), ErrorCode.NotPendingAdmin, accept_admin, own_program=True),
    "accept_role": Rule(("participant",), ErrorCode.NotProposedKey, accept_role, own_program=True),
    "register_custodian": Rule(*ONLY_ADMIN, register_custodian),
    "set_custodian_keys": Rule(*ONLY_ADMIN, set_custodian_keys),
    "revoke_custodian_key": Rule(*ADMIN_OR_GUARDIAN, revoke_custodian_key),
    "attach_custodian": Rule(*ONLY_ADMIN, attach_custodian),
    "detach_custodian": Rule(*ONLY_ADMIN, detach_custodian),
    "retire_custodian": Rule(*ONLY_ADMIN, retire_custodian),
    "register_asset": Rule(*ONLY_ADMIN, register_asset),
    "begin_adopt": Rule(*ONLY_ADMIN, begin_adopt),
    "finish_adopt": Rule(*ONLY_ADMIN, finish_adopt),
    "abort_adopt": Rule(*ONLY_ADMIN, abort_adopt),
    "tighten_policy": Rule(*ONLY_ADMIN, tighten_policy),
    "loosen_policy": Rule(*ONLY_ADMIN, loosen_policy),
    "set_participant": Rule(("registrar",), ErrorCode.NotRegistrar, set_participant),
    "retire_asset": Rule(*ONLY_ADMIN, retire_asset),
    "release_authority": Rule(*ONLY_ADMIN, release_authority),
    "set_metadata": Rule(*ONLY_ADMIN, set_metadata),
    "freeze": Rule(*ONLY_COMPLIANCE, freeze),
    "thaw": Rule(("admin", "compliance"), ErrorCode.NotCompliance, thaw, also=("resumer",)),
    "announce_recovery": Rule(*ONLY_COMPLIANCE, announce_recovery),
    "execute_recovery": Rule(*ONLY_COMPLIANCE, execute_recovery, also=("admin",)),
    "cancel_recovery": Rule(*ONLY_GUARDIAN, cancel_recovery),
    "pause": Rule(*ONLY_GUARDIAN, pause),
    "resume": Rule(*ONLY_RESUMER, resume),
    "clear_hold": Rule(*ONLY_RESUMER, clear_hold),
    "schedule_multiplier": Rule(("corporate_actions",), ErrorCode.NotCorporateActions, schedule_multiplier),
    "cancel_multiplier": Rule(
        ("corporate_actions", "guardian"), ErrorCode.NotCorporateActionsOrGuardian, cancel_multiplier
    ),
    "withdraw_entry": Rule(("custodian's attester", "verification agent"), ErrorCode.NotAttester, withdraw_entry),
    "accept_redemption": Rule(
        ("custodian's attester",), ErrorCode.NotOwnParty, on_redemption(Request.accept_call, None)
    ),
    "mint": Rule(*ONLY_OPERATOR, mint),
    "burn": Rule(*ONLY_OPERATOR, burn),
    "distribute": Rule(*ONLY_OPERATOR, distribute),
    "request_redemption": Rule(("participant",), ErrorCode.ParticipantMismatch, request_redemption),
    "cancel_redemption": Rule(("participant",), ErrorCode.NotRedeemer, on_redemption(Request.cancel_call)),
    "reject_redemption": Rule(*ONLY_OPERATOR, on_redemption(Request.reject_call)),
    "settle_redemption": Rule(*ONLY_OPERATOR, on_redemption(Request.settle_call)),
    "hold_redemption": Rule(*ONLY_COMPLIANCE, hold_redemption),
    "clear_redemption_hold": Rule(
        ("admin", "compliance"), ErrorCode.NotCompliance, clear_redemption_hold, also=("resumer",)
    ),
    "announce_redemption_recovery": Rule(*ONLY_COMPLIANCE, announce_redemption_recovery),
    "execute_redemption_recovery": Rule(*ONLY_COMPLIANCE, execute_redemption_recovery, also=("admin",)),
}

#: Tried below in tests of their own: one by the deployer before there are roles, one by anybody.
ELSEWHERE = {"initialize", "submit_attestation"}
