"""What deployer, admin and registrar do with the program itself: before the seal, after it, and the hand-over."""

from __future__ import annotations

from solders.instruction import Instruction

from bench.measure.asset_lifecycle import HEIR, WALLET, new_asset
from bench.measure.meter import Meter, seeded
from localnet.harness.deploy import MAX_SKEW_SECS
from tests.support.cluster import TestCluster, initialization
from tests.support.deployed import DeployedProgram
from tests.support.initialized import ROOMY
from tests.support.live_chain import address_of, call
from xstocks_daemon.chain.program import ProgramClient, Role
from xstocks_daemon.domain.snapshot import AttesterKey
from xstocks_daemon.domain.units import Address

BLANK = address_of(seeded("a program that nobody has initialized"))
"""Where the program is loaded a second time."""
TIMELOCK_SECS = 1
_EXPIRES_TS = 2**40 - 1


async def measure_initialize(meter: Meter, started: TestCluster) -> None:
    """The deployer makes the configuration."""
    instruction = await initialization(started, ProgramClient(BLANK))
    await meter.measure("initialize", call(instruction, started.keys.upgrade_authority.keypair))


async def measure_participants(meter: Meter, program: DeployedProgram) -> None:
    """The registrar puts the wallets on the list that `asset_lifecycle` then uses."""
    for wallet in (WALLET, HEIR):
        instruction = program.client.set_participant(
            registrar=program.keys.registrar.address,
            wallet=address_of(wallet),
            active=True,
            expires_ts=_EXPIRES_TS,
            country="CH",
        )
        if wallet is WALLET:
            await meter.measure("set_participant", program.by("registrar", instruction))
        else:
            await program.accepted(program.by("registrar", instruction))
        await program.chain.fund(address_of(wallet))


async def measure_governance(meter: Meter, program: DeployedProgram) -> None:
    """Measure roles, timelock and custodians. Afterwards the program is sealed and has another admin."""
    run = _Governance(meter, program, (await new_asset(program, "of governance")).mint)
    await run.at_once()
    await run.timelocked()
    await run.hand_over()


class _Governance:
    def __init__(self, meter: Meter, program: DeployedProgram, mint: Address) -> None:
        self.meter, self.program, self.mint = meter, program, mint
        self.client, self.admin = program.client, program.keys.admin.address

    async def by_admin(self, figure: str, instruction: Instruction) -> None:
        await self.meter.measure(figure, self.program.by("admin", instruction))

    def widening(self, custodian_id: int, *, timelock_secs: int) -> dict[str, Instruction]:
        """What is under the timelock once the program is sealed, in an order in which all of it can be done."""
        client, admin, mint = self.client, self.admin, self.mint
        custodian = self.program.addresses.custodian(custodian_id)
        officer = address_of(seeded(f"compliance officer {custodian_id}"))
        return {
            "set_role": client.set_role(admin=admin, role=Role.COMPLIANCE, key=officer),
            "set_timing": client.set_timing(admin=admin, timelock_secs=timelock_secs, max_skew_secs=MAX_SKEW_SECS),
            "register_custodian": client.register_custodian(
                admin=admin, custodian_id=custodian_id, name="Another", threshold=2, keys=attesters("first")
            ),
            "set_custodian_keys": client.set_custodian_keys(
                admin=admin, custodian=custodian, threshold=2, keys=attesters("second")
            ),
            "attach_custodian": client.attach_custodian(admin=admin, custodian=custodian, mint=mint),
            "loosen_policy": client.loosen_policy(admin=admin, mint=mint, policy=ROOMY),
        }

    async def at_once(self) -> None:
        """Before the seal nothing waits; what only narrows never does."""
        client, admin, mint = self.client, self.admin, self.mint
        custodian_id = 1_000
        for name, instruction in self.widening(custodian_id, timelock_secs=0).items():
            await self.by_admin(name, instruction)
        custodian, attester = self.program.addresses.custodian(custodian_id), attesters("second")[0]
        narrowing = {
            "revoke_custodian_key": client.revoke_custodian_key(authority=admin, custodian=custodian, key=attester.key),
            "detach_custodian": client.detach_custodian(admin=admin, custodian=custodian, mint=mint),
            "retire_custodian": client.retire_custodian(admin=admin, custodian=custodian),
            "tighten_policy": client.tighten_policy(admin=admin, mint=mint, policy=ROOMY),
            "clear_role": client.clear_role(admin=admin, role=Role.COMPLIANCE),
            "seal": client.seal(admin=admin, timelock_secs=TIMELOCK_SECS),
        }
        for name, instruction in narrowing.items():
            await self.by_admin(name, instruction)

    async def timelocked(self) -> None:
        """The same again, each proposed, and executed after its time."""
        client, admin, chain = self.client, self.admin, self.program.chain
        release = client.release_authority(
            admin=admin, mint=self.mint, new_authority=address_of(seeded("next mint authority"))
        )
        last = {"release_authority": release}
        for name, instruction in (self.widening(1_001, timelock_secs=TIMELOCK_SECS) | last).items():
            propose = client.propose(admin=admin, instruction=instruction)
            if name == "set_role":
                await self.by_admin("propose", propose)
                cancel = client.cancel_proposal(authority=admin, proposal=client.proposal_address(instruction))
                await self.by_admin("cancel_proposal", cancel)
            await self.program.accepted(self.program.by("admin", propose))
            if name == "set_role":
                officer = seeded("compliance officer 1001")
                proposal = client.proposal_address(instruction)
                accept = client.accept_role(new_key=address_of(officer), proposal=proposal)
                await self.meter.measure("accept_role", call(accept, officer))
            await chain.advance_clock(TIMELOCK_SECS)
            await self.by_admin(f"{name}_timelocked", client.with_proposal(instruction))

    async def hand_over(self) -> None:
        """The admin role is offered, the offer taken back, made again, and accepted."""
        client, admin, chain, heir = self.client, self.admin, self.program.chain, seeded("next admin")
        offer = client.propose_admin(
            admin=admin, pending_admin=address_of(heir), expires_ts=await chain.clock_ts() + 3_600
        )
        await self.by_admin("propose_admin", offer)
        await self.by_admin("cancel_admin", client.cancel_admin(authority=admin))
        await self.program.accepted(self.program.by("admin", offer))
        await chain.advance_clock(TIMELOCK_SECS)
        await self.meter.measure("accept_admin", call(client.accept_admin(pending_admin=address_of(heir)), heir))


def attesters(name: str) -> list[AttesterKey]:
    """Three fixed keys of three parties, in the order that the program asks for."""
    keys = (AttesterKey(address_of(seeded(f"{name} attester {party}")), party, _EXPIRES_TS) for party in range(3))
    return sorted(keys, key=lambda each: each.key)
