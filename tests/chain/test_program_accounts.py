"""The program's accounts: read as they are laid out, refused by name where they are not."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from tests.chain import idl_values as reading
from tests.chain.cases import CLIENT, CUSTODIAN, KEY, MINT
from xstocks_daemon.chain.errors import MalformedAccount
from xstocks_daemon.chain.program import AdoptionState, Profile, ProposalState, RecoveryState, Role
from xstocks_daemon.domain.snapshot import (
    AssetState,
    CustodianState,
    EntryState,
    ParticipantState,
    RedemptionState,
    Scope,
)


def test_config_is_decoded() -> None:
    raw = reading.plausible("Config")
    config = CLIENT.config(reading.account_bytes("Config", raw), CLIENT.program_id)
    assert config.address == CLIENT.addresses.config
    assert config.sealed is True
    assert config.paused == Scope.MINT | Scope.BURN
    same = set(asdict(config)) - {"address", "sealed", "paused"}
    assert {name: getattr(config, name) for name in same} == {name: raw[name] for name in same}


def test_custodian_is_decoded() -> None:
    raw = reading.plausible("Custodian")
    custodian = CLIENT.custodian(CUSTODIAN, reading.account_bytes("Custodian", raw))
    assert (custodian.id, custodian.epoch, custodian.threshold) == (raw["id"], raw["epoch"], raw["threshold"])
    assert custodian.name == "Gtn"
    assert custodian.state is CustodianState.RETIRED
    assert [asdict(key) for key in custodian.keys] == [
        {name: key[name] for name in ("key", "party", "expires_ts")} for key in raw["keys"][:3]
    ]


def test_asset_is_decoded() -> None:
    raw = reading.plausible("Asset")
    asset = CLIENT.asset(CLIENT.addresses.asset(MINT), reading.account_bytes("Asset", raw))
    assert asset.state is AssetState.ACTIVE
    assert [entry.state for entry in asset.entries] == [EntryState.ATTACHED, EntryState.DETACHED]
    for found, given in zip(asset.entries, raw["entries"][:2], strict=True):
        assert asdict(found) == {name: given[name] for name in asdict(found)}
    policy = {name: value for name, value in raw["policy"].items() if not name.startswith("_pad")}
    assert asdict(asset.policy) == policy
    assert asdict(asset.mint_bucket) == raw["mint_bucket"]
    assert asdict(asset.distribute_bucket) == raw["distribute_bucket"]
    assert asdict(asset.burn_bucket) == raw["burn_bucket"]
    plain = set(asdict(asset)) - {"address", "entries", "policy", "mint_bucket", "distribute_bucket", "burn_bucket"}
    assert {name: getattr(asset, name) for name in plain} == {name: raw[name] for name in plain}


def test_proposal_and_participant_are_decoded() -> None:
    raw = reading.plausible("Proposal")
    proposal = CLIENT.proposal(KEY, reading.account_bytes("Proposal", raw))
    assert (proposal.state, proposal.role) == (ProposalState.EXECUTED, Role.GUARDIAN)
    assert (proposal.hash, proposal.ready_ts) == (raw["hash"], raw["ready_ts"])
    assert CLIENT.proposal(KEY, reading.account_bytes("Proposal", raw | {"role": 0xFF})).role is None
    raw = reading.plausible("Participant")
    participant = CLIENT.participant(KEY, reading.account_bytes("Participant", raw))
    assert (participant.state, participant.country) == (ParticipantState.ACTIVE, "DE")
    assert (participant.wallet, participant.expires_ts) == (raw["wallet"], raw["expires_ts"])


def test_recovery_is_decoded() -> None:
    raw = reading.plausible("Recovery")
    recovery = CLIENT.recovery(KEY, reading.account_bytes("Recovery", raw), CLIENT.program_id)
    assert recovery.state is RecoveryState.EXECUTED
    same = set(asdict(recovery)) - {"address", "state"}
    assert {name: getattr(recovery, name) for name in same} == {name: raw[name] for name in same}
    with pytest.raises(MalformedAccount, match="3 is not a valid RecoveryState"):
        CLIENT.recovery(KEY, reading.account_bytes("Recovery", raw | {"state": 3}))


def test_adoption_is_decoded() -> None:
    raw = reading.plausible("Adoption")
    adoption = CLIENT.adoption(KEY, reading.account_bytes("Adoption", raw), CLIENT.program_id)
    assert (adoption.state, adoption.profile) == (AdoptionState.ABORTED, Profile.OPEN)
    assert adoption.mint == raw["mint"]
    assert asdict(adoption.holders) == raw["holders"]
    with pytest.raises(MalformedAccount, match="3 is not a valid AdoptionState"):
        CLIENT.adoption(KEY, reading.account_bytes("Adoption", raw | {"state": 3}))


def test_redemption_is_decoded() -> None:
    raw = reading.plausible("Redemption")
    redemption = CLIENT.redemption(KEY, reading.account_bytes("Redemption", raw))
    assert redemption.state is RedemptionState.SETTLED
    same = set(asdict(redemption)) - {"address", "state"}
    assert {name: getattr(redemption, name) for name in same} == {name: raw[name] for name in same}
    waiting = raw | {"state": 0, "closed_ts": 0, "custodian": bytes(32)}
    redemption = CLIENT.redemption(KEY, reading.account_bytes("Redemption", waiting))
    assert (redemption.state, redemption.closed_ts, redemption.custodian) == (RedemptionState.REQUESTED, None, None)
    with pytest.raises(MalformedAccount, match="5 is not a valid RedemptionState"):
        CLIENT.redemption(KEY, reading.account_bytes("Redemption", raw | {"state": 5}))


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda data: data[:-1], "has 799 bytes, a Asset has 800"),
        (lambda data: data + b"\0", "has 801 bytes"),
        (lambda data: bytes(8) + data[8:], "another discriminator"),
        (lambda data: b"", "another discriminator"),
        (lambda data: data[:8] + b"\2" + data[9:], "version 2, this daemon reads 1"),
        (lambda data: data[:8] + b"\2" + data[9:] + bytes(64), "version 2, this daemon reads 1"),
        (lambda data: data[:12] + b"\x09" + data[13:], "9 is not a valid AssetState"),
    ],
)
def test_malformed_asset_is_refused_by_name(fault: Any, message: str) -> None:
    data = reading.account_bytes("Asset", reading.plausible("Asset"))
    CLIENT.asset(KEY, data)
    with pytest.raises(MalformedAccount, match=message):
        CLIENT.asset(KEY, fault(data))


def test_account_of_another_owner_is_refused() -> None:
    data = reading.account_bytes("Config", reading.plausible("Config"))
    with pytest.raises(MalformedAccount, match="not by the program"):
        CLIENT.config(data, KEY)
