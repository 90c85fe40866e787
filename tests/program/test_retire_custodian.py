"""retire_custodian: for ever, with nothing unseen; who takes the slot of whom, and what never comes back by that."""

from __future__ import annotations

from solders.instruction import Instruction

from tests.support.deployed import Asset, DeployedProgram
from tests.support.error_codes import ErrorCode
from tests.support.live_chain import Call
from tests.support.redeeming import Request, participant_with
from xstocks_daemon.domain.snapshot import CustodianState, EntryState

MAX_ENTRIES = 4


def attaching(asset: Asset, name: str, *, retired: str | None = None) -> Call:
    """attach_custodian, naming perhaps whose slot is taken."""
    program = asset.program
    instruction = program.client.attach_custodian(
        admin=program.keys.admin.address,
        custodian=program.custodian(name).address,
        mint=asset.mint,
        retired=None if retired is None else program.custodian(retired).address,
    )
    return program.by("admin", instruction)


def detaching(asset: Asset, name: str) -> Call:
    program = asset.program
    custodian = program.custodian(name).address
    instruction = program.client.detach_custodian(
        admin=program.keys.admin.address, custodian=custodian, mint=asset.mint
    )
    return program.by("admin", instruction)


def retirement(program: DeployedProgram, name: str) -> Instruction:
    return program.client.retire_custodian(admin=program.keys.admin.address, custodian=program.custodian(name).address)


def retiring(program: DeployedProgram, name: str) -> Call:
    return program.by("admin", retirement(program, name))


async def attached_to(program: DeployedProgram, count: int) -> tuple[Asset, list[str]]:
    """A fresh asset with so many fresh custodians, whose first statements may be made at once."""
    names = [await program.add_custodian() for _ in range(count)]
    [asset] = await program.register(custodians=names)
    return asset, names


async def redeemed(asset: Asset, name: str, amount_raw: int) -> None:
    """Mints that much on the custodian's statement, and redeems it at the custodian, which has not counted it yet."""
    program = asset.program
    await asset.attest(1_000, custodian=name)
    wallet = await participant_with(asset, 0)
    await program.accepted(await asset.mint_call(amount_raw, custodians=[name]))
    await program.accepted(await asset.distribute_call(amount_raw, wallet))
    request = Request(asset, wallet)
    await program.accepted(request.request_call(amount_raw))
    await program.accepted(request.accept_call(name))
    await program.accepted(request.settle_call(name))


async def attached_again(asset: Asset, name: str) -> None:
    """As the chain takes its next statement at once."""
    await asset.program.accepted(attaching(asset, name))
    await asset.program.chain.clock_reaches(await asset.program.chain.clock_ts() + 1)


async def counted(asset: Asset, name: str, seen_raw: int) -> None:
    """The custodian's next statement counts so much of its redemptions."""
    await asset.attest(1_000 - seen_raw, custodian=name, redeemed_seen_raw=seen_raw)


async def test_a_custodian_is_retired_once_it_is_detached_and_has_counted_everything(program: DeployedProgram) -> None:
    asset, [name] = await attached_to(program, 1)
    await program.refused(retiring(program, name), ErrorCode.CustodianInUse)
    await redeemed(asset, name, 400)
    await program.accepted(detaching(asset, name))
    # Detached, but what it did not count would lower the ceiling for ever.
    await program.refused(retiring(program, name), ErrorCode.CustodianInUse)
    await attached_again(asset, name)
    await counted(asset, name, 400)
    await program.refused(retiring(program, name), ErrorCode.CustodianInUse)
    await program.accepted(detaching(asset, name))
    [event] = await program.accepted(retiring(program, name))
    address = program.custodian(name).address
    assert (event.name, event.fields) == ("CustodianRetired", {"custodian": address})
    assert (await program.read_custodian(address)).state is CustodianState.RETIRED

    # For ever: nothing brings it back, to its old slot neither.
    await program.refused(retiring(program, name), ErrorCode.CustodianRetired)
    await program.refused(attaching(asset, name), ErrorCode.CustodianRetired)
    await program.refused(attaching(asset, name, retired=name), ErrorCode.CustodianRetired)


async def test_a_custodian_of_two_assets_is_retired_when_neither_has_it(program: DeployedProgram) -> None:
    first, [name] = await attached_to(program, 1)
    [second] = await program.register(custodians=[name])
    await program.accepted(detaching(first, name))
    await program.refused(retiring(program, name), ErrorCode.CustodianInUse)
    await attached_again(first, name)
    await program.accepted(detaching(second, name))
    await program.refused(retiring(program, name), ErrorCode.CustodianInUse)
    await program.accepted(detaching(first, name))
    await program.accepted(retiring(program, name))


async def test_the_slot_of_a_retired_custodian_is_taken_by_the_next(program: DeployedProgram) -> None:
    asset, names = await attached_to(program, MAX_ENTRIES)
    former, other = names[1], names[2]
    new, elsewhere = [await program.add_custodian() for _ in range(2)]
    await redeemed(asset, former, 400)
    await counted(asset, former, 400)
    kept_back = await program.statement({asset: 1_000}, custodian=former)
    await program.accepted(detaching(asset, former))
    # Its counters are still its own: it may come back.
    await program.refused(attaching(asset, new), ErrorCode.EntriesFull)
    await program.refused(attaching(asset, new, retired=former), ErrorCode.CustodianNotRetired)
    await program.accepted(retiring(program, former))
    await program.accepted(retiring(program, elsewhere))
    await program.refused(attaching(asset, new), ErrorCode.EntriesFull)
    await program.refused(attaching(asset, new, retired=elsewhere), ErrorCode.EntriesFull)
    await program.refused(attaching(asset, new, retired=other), ErrorCode.CustodianNotRetired)
    [event] = await program.accepted(attaching(asset, new, retired=former))
    assert (event.name, event.fields["slot"]) == ("CustodianAttached", 1)

    entries = (await asset.read()).entries
    assert [entry.custodian for entry in entries] == [
        program.custodian(name).address for name in (names[0], new, other, names[3])
    ]
    entry = entries[1]
    assert (entry.state, entry.withdrawn) == (EntryState.ATTACHED, True)
    stated = (entry.shares_nano, entry.capacity_raw, entry.redeemed_total_raw, entry.redeemed_seen_raw)
    assert (stated, entry.multiplier_bits, entry.epoch, entry.expires_ts) == ((0, 0, 0, 0), 0, 0, 0)
    await program.refused(await asset.mint_call(1, custodians=[new]), ErrorCode.CeilingExceeded)
    await program.chain.clock_reaches(await program.chain.clock_ts() + 1)
    await program.refused(program.relay(kept_back, *program.quorum(former)), ErrorCode.CustodianRetired)
    await asset.attest(1_000, custodian=new)
    await program.accepted(await asset.mint_call(1_000, custodians=[new]))


async def test_the_slot_of_who_never_had_a_redemption_is_taken_and_nothing_of_it_revives(
    program: DeployedProgram,
) -> None:
    asset, names = await attached_to(program, MAX_ENTRIES)
    first, second = names[:2]
    new = await program.add_custodian()
    await asset.attest(1_000, custodian=first)
    kept_back = await program.statement({asset: 1_000}, custodian=first)
    await program.accepted(detaching(asset, first))
    await program.accepted(attaching(asset, new))
    await program.refused(attaching(asset, first), ErrorCode.EntriesFull)
    await program.refused(program.relay(kept_back, *program.quorum(first)), ErrorCode.StatementNotNewer)

    # It comes back in another slot, and what it signed before does not.
    await program.accepted(detaching(asset, second))
    await attached_again(asset, first)
    await program.refused(program.relay(kept_back, *program.quorum(first)), ErrorCode.StatementNotNewer)
    await program.refused(await asset.mint_call(1, custodians=[first]), ErrorCode.CeilingExceeded)
    assert [entry.custodian for entry in (await asset.read()).entries] == [
        program.custodian(name).address for name in (new, first, *names[2:])
    ]
    await asset.attest(1_000, custodian=first)
    await program.accepted(await asset.mint_call(1_000, custodians=[first]))


async def test_the_slot_with_unseen_redemptions_is_nobody_elses(program: DeployedProgram) -> None:
    asset, names = await attached_to(program, MAX_ENTRIES)
    new = await program.add_custodian()
    await redeemed(asset, names[0], 400)
    await program.accepted(detaching(asset, names[0]))
    await program.refused(attaching(asset, new), ErrorCode.EntriesFull)
    await asset.attest(500, custodian=names[1])
    # They go on lowering the ceiling (M6).
    await program.refused(await asset.mint_call(101, custodians=[names[1]]), ErrorCode.CeilingExceeded)
    await program.accepted(await asset.mint_call(100, custodians=[names[1]]))
    await program.accepted(detaching(asset, names[3]))
    await program.accepted(attaching(asset, new))
