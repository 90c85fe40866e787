"""Custodians: their keys, key epochs, and how they are attached to assets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair

from tests.support.deployed import Asset, DeployedProgram
from tests.support.edit import patched, with_account
from tests.support.error_codes import ErrorCode
from tests.support.initialized import OTHER_CUSTODIAN, OWN_CUSTODIAN
from tests.support.live_chain import Call, address_of
from xstocks_daemon.chain.program import ProgramEvent
from xstocks_daemon.domain.snapshot import AttesterKey, CustodianState, EntryState
from xstocks_daemon.domain.units import MILLIS_PER_SEC, Address

FAR_TS = 2**40
MAX_KEYS = 8
MAX_PARTY = 63
MAX_ENTRIES = 4


def some_keys(parties: Sequence[int], expires_ts: int = FAR_TS) -> list[AttesterKey]:
    """A fresh key for each party, strictly ascending."""
    addresses = sorted(address_of(Keypair()) for _ in parties)
    return [AttesterKey(address, party, expires_ts) for address, party in zip(addresses, parties, strict=True)]


def registering(
    program: DeployedProgram,
    keys: Sequence[AttesterKey],
    *,
    threshold: int = 2,
    name: bytes = b"Custodian",
    custodian_id: int = 40_000,
) -> Call:
    """register_custodian with exactly these bytes (the client sorts keys and pads names)."""
    admin = program.keys.admin
    instruction = program.client.build(
        "register_custodian",
        {
            "id": custodian_id,
            "name": name.ljust(32, b"\0"),
            "threshold": threshold,
            "keys": [{"key": key.key, "party": key.party, "expires_ts": key.expires_ts} for key in keys],
        },
        {"admin": admin.address, "custodian": program.addresses.custodian(custodian_id)},
    )
    return program.by("admin", instruction)


def repeated(keys: list[AttesterKey]) -> list[AttesterKey]:
    return [keys[0], replace(keys[1], key=keys[0].key)]


@pytest.mark.parametrize(
    ("keys", "threshold", "error"),
    [
        (some_keys([0] * (MAX_KEYS + 1)), 2, ErrorCode.TooManyKeys),
        (some_keys([0, 1])[::-1], 2, ErrorCode.KeysNotAscending),
        (repeated(some_keys([0, 1])), 2, ErrorCode.KeysNotAscending),
        (some_keys([0, 1]), 1, ErrorCode.ThresholdTooLow),
        (some_keys([0, 1]), 0, ErrorCode.ThresholdTooLow),
        (some_keys([0, 1]), 3, ErrorCode.NotEnoughParties),
        (some_keys([0, 0, 0]), 2, ErrorCode.NotEnoughParties),
        ([], 2, ErrorCode.NotEnoughParties),
        (some_keys([1, 2]), 2, ErrorCode.CustodianPartyMissing),
        (some_keys([0, MAX_PARTY + 1]), 2, ErrorCode.PartyOutOfRange),
        (some_keys([0, 1], expires_ts=1), 2, ErrorCode.KeyExpired),
        (some_keys([0, 1], expires_ts=-1), 2, ErrorCode.KeyExpired),
    ],
    ids=[
        "nine keys",
        "descending",
        "the same key twice",
        "threshold one",
        "threshold zero",
        "threshold above the parties",
        "three keys of one party",
        "no keys",
        "not the custodian itself",
        "party 64",
        "expired",
        "expiry before 1970",
    ],
)
async def test_key_sets_that_make_no_quorum_are_refused(
    program: DeployedProgram, keys: list[AttesterKey], threshold: int, error: ErrorCode
) -> None:
    await program.refused(registering(program, keys, threshold=threshold), error)
    other = program.custodian(await program.add_custodian()).address
    setting = program.client.build(
        "set_custodian_keys",
        {
            "threshold": threshold,
            "keys": [{"key": key.key, "party": key.party, "expires_ts": key.expires_ts} for key in keys],
        },
        {"admin": program.keys.admin.address, "custodian": other},
    )
    await program.refused(program.by("admin", setting), error)


async def test_the_largest_and_the_smallest_key_sets_pass(program: DeployedProgram) -> None:
    """The twin of the refusals, at their bounds."""
    largest = some_keys([0, 1, 2, 3, 4, 5, 6, MAX_PARTY])
    [event] = await program.accepted(registering(program, largest, threshold=8, custodian_id=40_001))
    assert event.name == "CustodianRegistered"
    custodian = await program.read_custodian(program.addresses.custodian(40_001))
    assert (custodian.id, custodian.epoch, custodian.threshold) == (40_001, 1, 8)
    assert (custodian.keys, custodian.name) == (tuple(largest), "Custodian")
    assert custodian.state is CustodianState.ACTIVE
    await program.accepted(registering(program, some_keys([0, 1]), custodian_id=40_002))


@pytest.mark.parametrize(
    "name",
    [b"", b"\xff\xfe", b"gap\0after", b"\0behind", b"\xc3" + b"x" * 31],
    ids=["empty", "not UTF-8", "text after a zero", "zero first", "cut character"],
)
async def test_a_name_is_text_padded_with_zeros(program: DeployedProgram, name: bytes) -> None:
    await program.refused(registering(program, some_keys([0, 1]), name=name), ErrorCode.BadName)


async def test_a_name_fills_its_place(program: DeployedProgram) -> None:
    name = "ünübertrefflich" + "x" * 15
    assert len(name.encode()) == 32
    await program.accepted(registering(program, some_keys([0, 1]), name=name.encode(), custodian_id=40_003))
    assert (await program.read_custodian(program.addresses.custodian(40_003))).name == name


async def test_a_custodian_is_registered_once_at_its_own_address(program: DeployedProgram) -> None:
    custodian_index = 2
    [instruction] = registering(program, some_keys([0, 1]), custodian_id=40_004).instructions
    elsewhere = with_account(instruction, custodian_index, program.addresses.custodian(40_005))
    await program.refused(program.by("admin", elsewhere), ErrorCode.ConstraintSeeds)
    await program.accepted(program.by("admin", instruction))
    await program.refused(program.by("admin", instruction), ErrorCode.AlreadyInitialized)


@pytest.mark.parametrize("lamports", [1_000_000, 10**10], ids=["under-funded", "over-funded"])
async def test_a_prefunded_custodian_address_blocks_nothing(program: DeployedProgram, lamports: int) -> None:
    custodian_id = 40_006 + (lamports > 10**9)
    await program.chain.fund(program.addresses.custodian(custodian_id), lamports=lamports)
    await program.accepted(registering(program, some_keys([0, 1]), custodian_id=custodian_id))


async def test_new_keys_start_a_new_epoch_and_end_the_old_entries(program: DeployedProgram, asset: Asset) -> None:
    """M2: what the old set signed backs nothing any more, at once and without touching the asset."""
    name = await attached(program, asset)
    custodian = program.custodian(name)
    old_quorum = program.quorum(name)
    await asset.attest(1_000, custodian=name)
    await program.accepted(await asset.mint_call(500, custodians=[name]))

    fresh = [Keypair(), Keypair()]
    keys = [AttesterKey(address_of(key), party, FAR_TS) for party, key in enumerate(fresh)]
    setting = program.client.set_custodian_keys(
        admin=program.keys.admin.address, custodian=custodian.address, threshold=2, keys=keys
    )
    early = await program.statement({asset: 10_000}, custodian=name)
    before = await program.read_custodian(custodian.address)
    [event] = await program.accepted(program.by("admin", setting))
    assert (event.name, event.fields["epoch"], event.fields["key_count"]) == ("CustodianKeysChanged", 2, 2)
    assert changed_keys(event) == (before.threshold, list(before.keys), 2, sorted(keys, key=lambda each: each.key))
    assert {key.key for key in (await program.read_custodian(custodian.address)).keys} == {key.key for key in keys}

    await program.refused(await asset.mint_call(500, custodians=[name]), ErrorCode.CeilingExceeded)
    await program.refused(program.relay(early, *old_quorum), ErrorCode.WrongEpoch)
    late = replace(await program.statement({asset: 10_000}, custodian=name), epoch=2)
    await program.refused(program.relay(late, *old_quorum), ErrorCode.SignerUnknown)
    await program.accepted(program.relay(late, *fresh))
    await program.accepted(await asset.mint_call(500, custodians=[name]))


def changed_keys(event: ProgramEvent) -> tuple[int, list[AttesterKey], int, list[AttesterKey]]:
    """Old threshold and keys, and the new ones, as CustodianKeysChanged tells them."""
    old, new = (
        [AttesterKey(**each) for each in event.fields[name][: event.fields[count]]]
        for name, count in (("old_keys", "old_key_count"), ("keys", "key_count"))
    )
    return event.fields["old_threshold"], old, event.fields["threshold"], new


async def attached(program: DeployedProgram, asset: Asset) -> str:
    """A fresh custodian attached to the asset, ready for its first statement."""
    name = await program.add_custodian()
    await attach(program, asset, name)
    return name


async def attach(program: DeployedProgram, asset: Asset, name: str) -> None:
    await program.accepted(program.by("admin", attaching(program, asset, name)))
    await program.chain.clock_reaches(await program.chain.clock_ts() + 1)


def attaching(program: DeployedProgram, asset: Asset, name: str) -> Instruction:
    return program.client.attach_custodian(
        admin=program.keys.admin.address, custodian=program.custodian(name).address, mint=asset.mint
    )


def detaching(program: DeployedProgram, asset: Asset, name: str) -> Instruction:
    return program.client.detach_custodian(
        admin=program.keys.admin.address, custodian=program.custodian(name).address, mint=asset.mint
    )


def revoking(program: DeployedProgram, name: str, key: Address) -> Call:
    custodian = program.custodian(name).address
    return program.by(
        "guardian",
        program.client.revoke_custodian_key(authority=program.keys.guardian.address, custodian=custodian, key=key),
    )


async def test_a_revoked_key_signs_nothing_and_the_others_begin_a_new_epoch(
    program: DeployedProgram, asset: Asset
) -> None:
    name = await attached(program, asset)
    custodian = program.custodian(name)
    own, agent, other_agent = (key.keypair for key in custodian.attesters)
    await program.refused(revoking(program, name, address_of(Keypair())), ErrorCode.KeyNotFound)
    before = await program.read_custodian(custodian.address)
    [event] = await program.accepted(revoking(program, name, address_of(agent)))
    assert (event.name, event.fields["epoch"], event.fields["key_count"]) == ("CustodianKeysChanged", 2, 2)
    after = await program.read_custodian(custodian.address)
    assert changed_keys(event) == (before.threshold, list(before.keys), after.threshold, list(after.keys))
    kept = sorted((address_of(own), address_of(other_agent)))
    assert [key.key for key in (await program.read_custodian(custodian.address)).keys] == kept

    statement = await program.statement({asset: 10_000}, custodian=name)
    await program.refused(program.relay(statement, own, agent), ErrorCode.SignerUnknown)
    await program.accepted(program.relay(statement, own, other_agent))
    await program.refused(revoking(program, name, address_of(agent)), ErrorCode.KeyNotFound)


async def test_with_fewer_parties_than_the_threshold_nothing_is_signed_until_keys_are_set(
    program: DeployedProgram, asset: Asset
) -> None:
    name = await program.add_custodian(parties=(0, 0, 1))
    await attach(program, asset, name)
    custodian = program.custodian(name)
    own, own_second, agent = (key.keypair for key in custodian.attesters)
    await program.accepted(revoking(program, name, address_of(agent)))
    statement = await program.statement({asset: 10_000}, custodian=name)
    await program.refused(program.relay(statement, own, own_second), ErrorCode.QuorumNotMet)
    keys = [AttesterKey(address_of(key), party, FAR_TS) for party, key in enumerate((own, agent))]
    setting = program.client.set_custodian_keys(
        admin=program.keys.admin.address, custodian=custodian.address, threshold=2, keys=keys
    )
    await program.accepted(program.by("admin", setting))
    await program.accepted(program.relay(await program.statement({asset: 10_000}, custodian=name), own, agent))


async def test_a_custodian_is_attached_once(program: DeployedProgram, asset: Asset) -> None:
    again = program.by("admin", attaching(program, asset, OWN_CUSTODIAN))
    await program.refused(again, ErrorCode.AlreadyAttached)
    await program.accepted(program.by("admin", detaching(program, asset, OWN_CUSTODIAN)))
    await program.refused(program.by("admin", detaching(program, asset, OWN_CUSTODIAN)), ErrorCode.NotAttached)
    await program.accepted(again)


async def test_a_custodian_that_was_never_attached_cannot_be_detached(program: DeployedProgram, asset: Asset) -> None:
    name = await program.add_custodian()
    await program.refused(program.by("admin", detaching(program, asset, name)), ErrorCode.NotAttached)
    await program.accepted(program.by("admin", attaching(program, asset, name)))
    await program.accepted(program.by("admin", detaching(program, asset, name)))


async def test_an_asset_has_at_most_four_custodians(program: DeployedProgram, asset: Asset) -> None:
    names = [await program.add_custodian() for _ in range(MAX_ENTRIES - 1)]
    for name in names[:-1]:
        await program.accepted(program.by("admin", attaching(program, asset, name)))
    last = program.by("admin", attaching(program, asset, names[-1]))
    await program.refused(last, ErrorCode.EntriesFull)
    await program.accepted(program.by("admin", detaching(program, asset, OTHER_CUSTODIAN)))
    await program.accepted(last)
    await program.refused(program.by("admin", attaching(program, asset, OTHER_CUSTODIAN)), ErrorCode.EntriesFull)
    assert len((await asset.read()).entries) == MAX_ENTRIES


async def test_attaching_voids_all_that_was_observed_before(program: DeployedProgram, asset: Asset) -> None:
    """M3: a statement signed before the attachment, kept back, must not count after it."""
    config = await program.config()
    name = await program.add_custodian()
    kept_back = replace(
        await program.statement({asset: 10_000}, custodian=OWN_CUSTODIAN),
        custodian=program.custodian(name).address,
        observed_ms=await program.chain.clock_ts() * MILLIS_PER_SEC,
    )
    before_ts = await program.chain.clock_ts()
    [event] = await program.accepted(program.by("admin", attaching(program, asset, name)))
    assert event.name == "CustodianAttached"
    entry = await asset.entry(name)
    assert (entry.state, entry.withdrawn, entry.capacity_raw) == (EntryState.ATTACHED, True, 0)
    assert entry.observed_ms >= (before_ts + config.max_skew_secs) * MILLIS_PER_SEC
    await program.chain.clock_reaches(before_ts + 2)
    signers = program.quorum(name)
    await program.refused(program.relay(kept_back, *signers), ErrorCode.StatementNotNewer)
    at_bound = replace(kept_back, observed_ms=entry.observed_ms)
    await program.refused(program.relay(at_bound, *signers), ErrorCode.StatementNotNewer)
    newer = replace(kept_back, observed_ms=entry.observed_ms + 1)
    await program.accepted(program.relay(newer, *signers))


async def test_a_detached_custodians_entry_counts_nothing_and_takes_nothing(
    program: DeployedProgram, asset: Asset
) -> None:
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(400))
    kept_back = await program.statement({asset: 10_000})
    before = await asset.entry()
    await program.accepted(program.by("admin", detaching(program, asset, OWN_CUSTODIAN)))

    entry = await asset.entry()
    assert (entry.state, entry.capacity_raw, entry.shares_nano) == (EntryState.DETACHED, 0, 0)
    assert entry.observed_ms == before.observed_ms
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)
    await program.refused(program.relay(kept_back), ErrorCode.StatementNotNewer)

    await attach(program, asset, OWN_CUSTODIAN)
    await program.refused(program.relay(kept_back), ErrorCode.StatementNotNewer)
    await program.refused(await asset.mint_call(1), ErrorCode.CeilingExceeded)
    await asset.attest(1_000)
    await program.accepted(await asset.mint_call(600))


# Custodian account: discriminator 8, version, bump, id u16, threshold, key_count, state, pad, epoch u32.
_STATE_AT = 8 + 6
_EPOCH_AT = 8 + 8


@pytest.mark.embedded_only
async def test_a_retired_custodian_signs_nothing_and_backs_nothing(program: DeployedProgram, asset: Asset) -> None:
    """None is retired while it is attached, so the account is edited; its twin is put back and passes."""
    name = await attached(program, asset)
    address = program.custodian(name).address
    await asset.attest(1_000, custodian=name)
    info = await program.chain.account(address)
    retired = replace(info, data=patched(info.data, _STATE_AT, bytes([CustodianState.RETIRED])))
    statement = await program.statement({asset: 10_000}, custodian=name)
    relayed = program.relay(statement, *program.quorum(name))
    setting = program.by(
        "admin",
        program.client.set_custodian_keys(
            admin=program.keys.admin.address, custodian=address, threshold=2, keys=some_keys([0, 1])
        ),
    )
    detached = program.by("admin", detaching(program, asset, name))
    attached_again = program.by("admin", attaching(program, asset, name))

    await program.chain.set_account(address, retired)
    await program.refused(relayed, ErrorCode.CustodianRetired)
    await program.refused(await asset.mint_call(1, custodians=[name]), ErrorCode.CeilingExceeded)
    await program.refused(setting, ErrorCode.CustodianRetired)
    await program.accepted(detached)
    await program.refused(attached_again, ErrorCode.CustodianRetired)

    await program.chain.set_account(address, info)
    await program.accepted(attached_again)
    await program.accepted(setting)


@pytest.mark.embedded_only
async def test_key_epochs_never_wrap_around(program: DeployedProgram) -> None:
    """An epoch that came again would revive statements of the first one."""
    name = await program.add_custodian()
    custodian = program.custodian(name)
    info = await program.chain.account(custodian.address)
    exhausted = replace(info, data=patched(info.data, _EPOCH_AT, (2**32 - 1).to_bytes(4, "little")))
    await program.chain.set_account(custodian.address, exhausted)
    revoked = custodian.attesters[0].address
    await program.refused(revoking(program, name, revoked), ErrorCode.EpochExhausted)
    before_last = replace(info, data=patched(info.data, _EPOCH_AT, (2**32 - 2).to_bytes(4, "little")))
    await program.chain.set_account(custodian.address, before_last)
    await program.accepted(revoking(program, name, revoked))
    assert (await program.read_custodian(custodian.address)).epoch == 2**32 - 1
