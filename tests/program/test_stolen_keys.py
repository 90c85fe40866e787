"""The worst that one stolen key may do (design, section 3): each thief tries what it can, and ends where that says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair

from tests.support.cluster import TestCluster
from tests.support.deployed import Asset, DeployedProgram, sign
from tests.support.ed25519 import assemble, canonical
from tests.support.error_codes import ErrorCode
from tests.support.initialized import OTHER_CUSTODIAN, OWN_CUSTODIAN, ROOMY
from tests.support.live_chain import Call, address_of, call
from tests.support.mints import live_mint
from xstocks_daemon.chain.addresses import ED25519, TOKEN_2022, pubkey
from xstocks_daemon.chain.program import Role
from xstocks_daemon.domain.snapshot import AttesterKey, Hold, Scope
from xstocks_daemon.domain.units import Address

FULL_STOP = Scope.MINT | Scope.BURN | Scope.DISTRIBUTE | Scope.REDEEM


async def stocked(program: DeployedProgram, asset: Asset, amount_raw: int = 1_000) -> None:
    await asset.attest(amount_raw)
    await program.accepted(await asset.mint_call(amount_raw))


def participating(program: DeployedProgram, thief: Keypair, registrar: Keypair) -> Call:
    """The thief puts itself on the list, signed by that key."""
    instruction = program.client.set_participant(
        registrar=address_of(registrar), wallet=address_of(thief), active=True, expires_ts=2**40, country="CH"
    )
    return call(instruction, registrar)


@pytest.mark.embedded_only
async def test_a_stolen_operator_key_moves_inventory_to_participants_within_the_bucket(
    program: DeployedProgram,
) -> None:
    policy = replace(ROOMY, distribute_burst_raw=100, distribute_refill_raw_per_sec=1)
    [asset] = await program.register(policy=policy)
    await stocked(program, asset)
    operator, thief = program.keys.operator.keypair, Keypair()
    await asset.open_account(address_of(thief))
    honest = await program.participant()
    await asset.open_account(address_of(honest))
    await program.chain.advance_clock(200)

    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)
    await program.refused(await asset.distribute_call(1, thief), ErrorCode.AccountNotInitialized)
    await program.refused(participating(program, thief, operator), ErrorCode.NotRegistrar)
    await program.refused(await asset.distribute_call(101, honest), ErrorCode.BucketEmpty)
    await program.accepted(await asset.distribute_call(100, honest))
    await program.refused(await asset.distribute_call(50, honest), ErrorCode.BucketEmpty)
    # Burning inventory destroys no share: the same ceiling lets it be minted again.
    await program.accepted(await asset.burn_call(900))
    await program.accepted(await asset.mint_call(900))
    assert await asset.supply_raw() == 1_000
    assert await asset.balance_raw(asset.token_account(address_of(thief))) == 0


async def test_a_stolen_guardian_key_stops_everything_and_no_more(own_program: DeployedProgram) -> None:
    program, guardian = own_program, own_program.keys.guardian
    [asset] = await program.register()
    await stocked(program, asset)
    client = program.client
    await program.accepted(program.by("guardian", client.pause(guardian=guardian.address, scopes=FULL_STOP)))
    for sent in (await asset.mint_call(1), await asset.burn_call(1)):
        await program.refused(sent, ErrorCode.Paused)
    resume = client.resume(resumer=guardian.address, scopes=FULL_STOP)
    await program.refused(call(resume, guardian.keypair), ErrorCode.NotResumer)
    role = client.set_role(admin=guardian.address, role=Role.RESUMER, key=address_of(Keypair()))
    await program.refused(call(role, guardian.keypair), ErrorCode.NotAdmin)
    clear = client.clear_role(admin=guardian.address, role=Role.RESUMER)
    await program.refused(call(clear, guardian.keypair), ErrorCode.NotAdmin)
    expires_ts = await program.chain.clock_ts() + 3_600
    offer = client.propose_admin(admin=guardian.address, pending_admin=guardian.address, expires_ts=expires_ts)
    await program.refused(call(offer, guardian.keypair), ErrorCode.NotAdmin)
    # It ends when the resumer lets go on; a thief that stays is replaced by the admin.
    resumed = client.resume(resumer=program.keys.resumer.address, scopes=FULL_STOP)
    await program.accepted(program.by("resumer", resumed))
    await program.accepted(await asset.burn_call(1))


@pytest.mark.embedded_only
async def test_a_stolen_guardian_key_takes_attesters_away_until_it_is_replaced(own_program: DeployedProgram) -> None:
    """The resumer cannot undo that: it takes new keys, which the thief cancels, so the guardian is replaced first."""
    program, client, keys = own_program, own_program.client, own_program.keys
    admin, guardian, new_key, timelock_secs = keys.admin.address, keys.guardian, Keypair(), 3_600
    [asset] = await program.register(custodians=(OWN_CUSTODIAN,))
    await asset.attest(1_000)
    await program.accepted(program.by("admin", client.seal(admin=admin, timelock_secs=timelock_secs)))
    custodian, attesters = program.custodian().address, program.custodian().attesters
    for attester in attesters:
        revoke = client.revoke_custodian_key(authority=guardian.address, custodian=custodian, key=attester.address)
        await program.accepted(program.by("guardian", revoke))
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)
    await program.refused(program.relay(await program.statement({asset: 10_000})), ErrorCode.SignerUnknown)

    back = sorted(
        (AttesterKey(attester.address, party, 2**40) for party, attester in enumerate(attesters)),
        key=lambda each: each.key,
    )
    restore = client.set_custodian_keys(admin=admin, custodian=custodian, threshold=2, keys=back)
    replace_guardian = client.set_role(admin=admin, role=Role.GUARDIAN, key=address_of(new_key))
    for instruction in (restore, replace_guardian):
        await program.accepted(program.by("admin", client.propose(admin=admin, instruction=instruction)))
    cancel = client.cancel_proposal(authority=guardian.address, proposal=client.proposal_address(restore))
    await program.accepted(program.by("guardian", cancel))
    accept = client.accept_role(new_key=address_of(new_key), proposal=client.proposal_address(replace_guardian))
    await program.accepted(call(accept, new_key))
    await program.chain.advance_clock(timelock_secs)
    await program.accepted(program.by("admin", client.with_proposal(replace_guardian)))

    await program.accepted(program.by("admin", client.propose(admin=admin, instruction=restore)))
    cancel = client.cancel_proposal(authority=guardian.address, proposal=client.proposal_address(restore))
    await program.refused(program.by("guardian", cancel), ErrorCode.NotAdminOrGuardian)
    await program.chain.advance_clock(timelock_secs)
    await program.accepted(program.by("admin", client.with_proposal(restore)))
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(1_000))


async def test_a_stolen_registrar_key_gets_nothing_alone(program: DeployedProgram, asset: Asset) -> None:
    await stocked(program, asset)
    registrar, thief = program.keys.registrar.keypair, Keypair()
    account = await asset.open_account(address_of(thief))
    await program.accepted(participating(program, thief, registrar))
    good = await asset.distribute_call(1, thief)
    [instruction] = good.instructions
    by_thief = Instruction(instruction.program_id, instruction.data, signed_by(instruction, registrar))
    await program.refused(call(by_thief, registrar), ErrorCode.NotOperator)
    assert await asset.balance_raw(account) == 0
    # Its twin: with the operator's signature the tokens do move. It takes both.
    await program.accepted(good)
    # It takes participants off the list: they get nothing more, and keep what they have.
    delist = program.client.set_participant(
        registrar=address_of(registrar), wallet=address_of(thief), active=False, expires_ts=2**40, country="CH"
    )
    await program.accepted(call(delist, registrar))
    await program.refused(await asset.distribute_call(1, thief), ErrorCode.ParticipantInactive)
    assert (await asset.balance_raw(account), await asset.frozen(account)) == (1, False)


def signed_by(instruction: Instruction, key: Keypair) -> list[AccountMeta]:
    first, *others = instruction.accounts
    return [AccountMeta(key.pubkey(), first.is_signer, first.is_writable), *others]


async def test_a_stolen_resumer_key_gets_nothing_alone(program: DeployedProgram, asset: Asset) -> None:
    await asset.attest(100)
    await asset.attest(1_000)
    resumer = program.keys.resumer
    await program.accepted(await asset.clear_hold_call(Hold.RISE))
    await program.refused(await asset.mint_call(1, operator=resumer.keypair), ErrorCode.NotOperator)
    pause = program.client.pause(guardian=resumer.address, scopes=Scope.MINT, mint=asset.mint)
    await program.refused(call(pause, resumer.keypair), ErrorCode.NotGuardian)
    await program.accepted(await asset.mint_call(1))


async def test_one_stolen_attester_key_signs_nothing_alone_and_can_only_withdraw(
    program: DeployedProgram, asset: Asset
) -> None:
    await asset.attest(100)
    statement = await program.statement({asset: 1_000_000_000})
    submission = program.client.submit_attestation(statement)
    for thief in program.quorum(parties=(0, 1, 2)):
        [alone] = sign(statement.digest(), (thief,))
        once = Instruction(pubkey(ED25519), assemble(canonical([alone], statement.digest())), [])
        twice = Instruction(pubkey(ED25519), assemble(canonical([alone, alone], statement.digest())), [])
        await program.refused(call((once, submission)), ErrorCode.SignatureCountInvalid)
        await program.refused(call((twice, submission)), ErrorCode.SignersNotAscending)
        await program.refused(program.relay(statement, thief, Keypair()), ErrorCode.SignerUnknown)
    assert (await asset.entry()).capacity_raw == 100
    thief = program.quorum()[1]
    custodian = program.custodian().address
    withdraw = program.client.withdraw_entry(attester=address_of(thief), custodian=custodian, mint=asset.mint)
    await program.accepted(call(withdraw, thief))
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)


@pytest.mark.embedded_only
async def test_a_stolen_admin_key_makes_no_token_before_the_timelock_and_the_guardian_cancels(
    own_program: DeployedProgram,
) -> None:
    """With custodians of its own and an operator of its own the admin could mint: both wait, and both are cancelled."""
    program, client, admin = own_program, own_program.client, own_program.keys.admin.address
    [asset] = await program.register(custodians=(OWN_CUSTODIAN,))
    await program.accepted(program.by("admin", client.seal(admin=admin, timelock_secs=86_400)))
    own_keys = [AttesterKey(address_of(Keypair()), party, 2**40) for party in (0, 1)]
    wanted = [
        client.set_role(admin=admin, role=Role.OPERATOR, key=address_of(Keypair())),
        client.set_custodian_keys(
            admin=admin, custodian=program.custodian(OWN_CUSTODIAN).address, threshold=2, keys=own_keys
        ),
        client.register_custodian(admin=admin, custodian_id=77, name="Mine", threshold=2, keys=own_keys),
        client.attach_custodian(admin=admin, custodian=program.custodian(OTHER_CUSTODIAN).address, mint=asset.mint),
        client.loosen_policy(admin=admin, mint=asset.mint, policy=ROOMY),
        client.set_timing(admin=admin, timelock_secs=1, max_skew_secs=3_600),
        client.release_authority(admin=admin, mint=asset.mint, new_authority=address_of(Keypair())),
    ]
    for instruction in wanted:
        await program.refused(program.by("admin", instruction), ErrorCode.ProposalRequired)
        await program.accepted(program.by("admin", client.propose(admin=admin, instruction=instruction)))
        await program.chain.advance_clock(3_600)
        execute = program.by("admin", client.with_proposal(instruction))
        await program.refused(execute, ErrorCode.ProposalNotReady)
        cancel = client.cancel_proposal(
            authority=program.keys.guardian.address, proposal=client.proposal_address(instruction)
        )
        await program.accepted(program.by("guardian", cancel))
        await program.chain.advance_clock(86_400)
        await program.refused(execute, ErrorCode.ProposalNotPending)
    await hands_nothing_over(program)
    # A mint of its own it may register at once: without an attached custodian nothing is minted there.
    fresh = await program.mint_to_register()
    await program.chain.accepted(call(fresh.create, program.keys.admin.keypair, fresh.key))
    await program.accepted(program.by("admin", program.registration(fresh.mint, initial_mint_raw=1_000)))
    own_asset = Asset(program, fresh.mint, asset.multiplier_bits)
    await program.refused(await own_asset.mint_call(1), ErrorCode.CeilingExceeded)


async def hands_nothing_over(program: DeployedProgram) -> None:
    """The thief offers the admin role to a key that nobody else has: it waits too, and the guardian takes it back.
    Removing the guardian first does not help: that is under the timelock as well."""
    client, admin, own_key = program.client, program.keys.admin.address, Keypair()
    expires_ts = await program.chain.clock_ts() + 10 * 86_400
    offer = client.propose_admin(admin=admin, pending_admin=address_of(own_key), expires_ts=expires_ts)
    accept = call(client.accept_admin(pending_admin=address_of(own_key)), own_key)
    await program.accepted(program.by("admin", offer))
    await program.refused(accept, ErrorCode.OfferNotReady)
    clear_guardian = client.clear_role(admin=admin, role=Role.GUARDIAN)
    await program.refused(program.by("admin", clear_guardian), ErrorCode.GuardianNotClearable)
    replace_guardian = client.set_role(admin=admin, role=Role.GUARDIAN, key=address_of(Keypair()))
    await program.refused(program.by("admin", replace_guardian), ErrorCode.ProposalRequired)
    taken_back = client.cancel_admin(authority=program.keys.guardian.address)
    await program.accepted(program.by("guardian", taken_back))
    await program.chain.advance_clock(86_400)
    await program.refused(accept, ErrorCode.NoPendingAdmin)
    assert (await program.config()).admin == admin


@pytest.mark.embedded_only
async def test_a_stolen_admin_key_mints_nothing_while_guardian_and_resumer_are_honest(
    own_program: DeployedProgram,
) -> None:
    """The whole theft: the guardian and the resumer are to go first, then the rest; round after round. Each proposal is
    cancelled in time, the guardian's replacement by guardian and resumer together."""
    program, client, keys = own_program, own_program.client, own_program.keys
    admin, guardian, resumer = keys.admin.address, keys.guardian, keys.resumer
    [asset] = await program.register(custodians=(OWN_CUSTODIAN,))
    timelock_secs = 3_600
    await program.accepted(program.by("admin", client.seal(admin=admin, timelock_secs=timelock_secs)))
    before = await program.config()
    own_keys = [AttesterKey(address_of(Keypair()), party, 2**40) for party in (0, 1)]
    custodian = program.custodian(OWN_CUSTODIAN).address
    wanted = [client.set_role(admin=admin, role=role, key=address_of(Keypair())) for role in Role]
    wanted += [
        client.set_timing(admin=admin, timelock_secs=1, max_skew_secs=3_600),
        client.set_custodian_keys(admin=admin, custodian=custodian, threshold=2, keys=own_keys),
        client.loosen_policy(admin=admin, mint=asset.mint, policy=ROOMY),
    ]
    for role, error in ((Role.GUARDIAN, ErrorCode.GuardianNotClearable), (Role.RESUMER, ErrorCode.ResumerNotClearable)):
        await program.refused(program.by("admin", client.clear_role(admin=admin, role=role)), error)
    for _round in range(2):
        for instruction in wanted:
            await program.accepted(program.by("admin", client.propose(admin=admin, instruction=instruction)))
        offer = client.propose_admin(
            admin=admin,
            pending_admin=address_of(Keypair()),
            expires_ts=await program.chain.clock_ts() + 2 * timelock_secs,
        )
        await program.accepted(program.by("admin", offer))
        for instruction in wanted:
            cancel = client.cancel_proposal(
                authority=guardian.address,
                proposal=client.proposal_address(instruction),
                resumer=resumer.address,
            )
            await program.accepted(call(cancel, guardian.keypair, resumer.keypair))
        await program.accepted(program.by("guardian", client.cancel_admin(authority=guardian.address)))
        await program.chain.advance_clock(timelock_secs)
        for instruction in wanted:
            execute = program.by("admin", client.with_proposal(instruction))
            await program.refused(execute, ErrorCode.ProposalNotPending)
    assert await program.config() == before
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)
    assert await asset.supply_raw() == 0


@pytest.mark.embedded_only
async def test_a_stolen_guardian_key_does_not_keep_itself_in_office(own_program: DeployedProgram) -> None:
    program, client, keys = own_program, own_program.client, own_program.keys
    admin, new_key = keys.admin.address, Keypair()
    new = address_of(new_key)
    await program.accepted(program.by("admin", client.seal(admin=admin, timelock_secs=3_600)))
    replace_guardian = client.set_role(admin=admin, role=Role.GUARDIAN, key=new)
    proposal = client.proposal_address(replace_guardian)
    await program.accepted(program.by("admin", client.propose(admin=admin, instruction=replace_guardian)))
    cancel = client.cancel_proposal(authority=keys.guardian.address, proposal=proposal)
    await program.refused(program.by("guardian", cancel), ErrorCode.GuardianCannotCancel)
    await program.accepted(call(client.accept_role(new_key=new, proposal=proposal), new_key))
    await program.chain.advance_clock(3_600)
    await program.accepted(program.by("admin", client.with_proposal(replace_guardian)))
    assert (await program.config()).guardian == new
    pause = client.pause(guardian=keys.guardian.address, scopes=FULL_STOP)
    await program.refused(program.by("guardian", pause), ErrorCode.NotGuardian)


async def test_a_stolen_compliance_key_moves_nothing_alone(program: DeployedProgram, asset: Asset) -> None:
    """It freezes holders, so many a day, which moves nothing and which admin and resumer undo at once; what it
    announces the admin does not sign and the guardian stops."""
    wallet, thief = await asset.holder(1_000), Keypair()
    source, own = asset.token_account(address_of(wallet)), await asset.open_account(address_of(thief))
    client, compliance = program.client, program.keys.compliance
    announce = client.announce_recovery(
        compliance=compliance.address, mint=asset.mint, source=source, destination=own, amount_raw=1_000, delay_secs=0
    )
    await program.accepted(program.by("compliance", announce))
    for admin in (compliance.keypair, thief):
        execute = client.execute_recovery(
            compliance=compliance.address, admin=address_of(admin), mint=asset.mint, source=source, destination=own
        )
        await program.refused(call(execute, compliance.keypair, admin), ErrorCode.NotAdmin)
    vault = client.freeze(compliance=compliance.address, mint=asset.mint, account=asset.vault)
    await program.refused(program.by("compliance", vault), ErrorCode.VaultProtected)
    cancel = client.cancel_recovery(guardian=program.keys.guardian.address, source=source)
    await program.accepted(program.by("guardian", cancel))
    both = client.execute_recovery(
        compliance=compliance.address,
        admin=program.keys.admin.address,
        mint=asset.mint,
        source=source,
        destination=own,
    )
    await program.refused(call(both, compliance.keypair, program.keys.admin.keypair), ErrorCode.RecoveryNotOpen)
    keys = program.keys
    thaw = client.thaw(authority=keys.admin.address, mint=asset.mint, account=source, resumer=keys.resumer.address)
    await program.accepted(call(thaw, keys.admin.keypair, keys.resumer.keypair))
    assert not await asset.frozen(source)
    # It lets go whom compliance has frozen, which moves nothing by itself either.
    freeze = client.freeze(compliance=compliance.address, mint=asset.mint, account=source)
    await program.accepted(program.by("compliance", freeze))
    thaw = client.thaw(authority=compliance.address, mint=asset.mint, account=source)
    await program.accepted(program.by("compliance", thaw))
    assert not await asset.frozen(source)
    assert (await asset.balance_raw(source), await asset.balance_raw(own)) == (1_000, 0)


async def test_a_stolen_compliance_key_freezes_so_many_pools_a_day_and_no_more(program: DeployedProgram) -> None:
    [asset] = await program.register(policy=replace(ROOMY, freezes_per_day=2))
    pools = [await asset.open_account(address_of(Keypair())) for _ in range(2)]
    pools.append(asset.token_account(address_of(await asset.holder(1_000))))
    keys, client = program.keys, program.client

    def freeze(pool: Address) -> Call:
        return program.by(
            "compliance", client.freeze(compliance=keys.compliance.address, mint=asset.mint, account=pool)
        )

    for pool in pools[:2]:
        await program.accepted(freeze(pool))
    await program.refused(freeze(pools[2]), ErrorCode.FreezeLimitReached)
    # Nor by announcing recoveries, which freeze too.
    announce = client.announce_recovery(
        compliance=keys.compliance.address,
        mint=asset.mint,
        source=pools[2],
        destination=await asset.open_account(address_of(Keypair())),
        amount_raw=1,
        delay_secs=0,
    )
    await program.refused(program.by("compliance", announce), ErrorCode.FreezeLimitReached)
    for pool in pools[:2]:
        thaw = client.thaw(authority=keys.admin.address, mint=asset.mint, account=pool, resumer=keys.resumer.address)
        await program.accepted(call(thaw, keys.admin.keypair, keys.resumer.keypair))
        await program.refused(freeze(pool), ErrorCode.FreezeLimitReached)
    assert [await asset.frozen(pool) for pool in pools] == [False, False, False]


async def test_stolen_admin_and_guardian_keys_recover_nothing_without_compliance(
    program: DeployedProgram, asset: Asset
) -> None:
    wallet, thief = await asset.holder(1_000), Keypair()
    source, own = asset.token_account(address_of(wallet)), await asset.open_account(address_of(thief))
    client = program.client
    for role in ("admin", "guardian"):
        key = getattr(program.keys, role)
        announce = client.announce_recovery(
            compliance=key.address, mint=asset.mint, source=source, destination=own, amount_raw=1, delay_secs=0
        )
        await program.refused(call(announce, key.keypair), ErrorCode.NotCompliance)
        freeze = client.freeze(compliance=key.address, mint=asset.mint, account=source)
        await program.refused(call(freeze, key.keypair), ErrorCode.NotCompliance)
    compliance = program.keys.compliance.address
    announce = client.announce_recovery(
        compliance=compliance, mint=asset.mint, source=source, destination=own, amount_raw=1, delay_secs=0
    )
    await program.accepted(program.by("compliance", announce))
    admin = program.keys.admin
    alone = client.execute_recovery(
        compliance=admin.address, admin=admin.address, mint=asset.mint, source=source, destination=own
    )
    await program.refused(call(alone, admin.keypair), ErrorCode.NotCompliance)
    assert await asset.balance_raw(own) == 0


@pytest.mark.parametrize("role", ["operator", "admin", "guardian", "compliance"])
async def test_no_key_of_the_issuer_is_an_authority_of_the_mint(
    program: DeployedProgram, asset: Asset, role: str
) -> None:
    """Token-2022 itself refuses them: the Asset account is the only authority, and no key signs for it."""
    key = getattr(program.keys, role).keypair
    mint_to = bytes([14]) + (1).to_bytes(8, "little") + bytes([8])
    metas = [
        AccountMeta(pubkey(asset.mint), is_signer=False, is_writable=True),
        AccountMeta(pubkey(asset.vault), is_signer=False, is_writable=True),
        AccountMeta(key.pubkey(), is_signer=True, is_writable=False),
    ]
    owner_mismatch = 4
    forged = call(Instruction(pubkey(TOKEN_2022), mint_to, metas), key)
    await program.chain.fails(forged, {"InstructionError": [1, {"Custom": owner_mismatch}]})


async def test_a_stolen_admin_key_gains_nothing_from_an_adoption(cluster: TestCluster) -> None:
    """It gives one up: the authorities go to their recorded holders only. It ends one: the asset is halted until a
    custodian is attached, which takes the timelock."""
    program = await cluster.deploy(seal=True)
    admin = program.keys.admin
    live = await live_mint(program)
    holders = await live.holders()
    await program.accepted(live.begin())
    await live.hand_over(but=["hook"])
    await live.give("hook", address_of(Keypair()))
    await program.refused(live.finish(), ErrorCode.TransferHookInvalid)
    await program.accepted(live.abort())
    given_back = await live.holders()
    assert replace(given_back, hook=holders.hook) == holders

    other = await live_mint(program)
    asset = await other.adopt()
    attach = program.client.attach_custodian(
        admin=admin.address, custodian=program.custodian().address, mint=asset.mint
    )
    await program.refused(program.by("admin", attach), ErrorCode.ProposalRequired)
    await program.refused(await asset.mint_call(1), ErrorCode.AssetNotActive)
    await program.refused(other.abort(), ErrorCode.AdoptionNotBegun)
