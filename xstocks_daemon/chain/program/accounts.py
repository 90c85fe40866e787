"""The program's accounts, decoded into the domain's types."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import cached_property
from typing import Any

from xstocks_daemon.chain.addresses import UPGRADEABLE_LOADER, base58
from xstocks_daemon.chain.errors import MalformedAccount
from xstocks_daemon.chain.program.codec import ProgramCodec
from xstocks_daemon.chain.program.idl import discriminator
from xstocks_daemon.chain.program.records import (
    Adoption,
    AdoptionState,
    Authorities,
    Profile,
    Proposal,
    ProposalState,
    Recovery,
    RecoveryState,
    Role,
)
from xstocks_daemon.domain.snapshot import (
    AssetAccount,
    AssetState,
    AttesterKey,
    Bucket,
    Config,
    Custodian,
    CustodianState,
    Entry,
    EntryState,
    Hold,
    Participant,
    ParticipantState,
    Policy,
    Redemption,
    RedemptionState,
    Scope,
)
from xstocks_daemon.domain.units import ZERO_ADDRESS, Address

LAYOUT_VERSION = 1
_VERSION_AT = 8
_NO_ROLE = 0xFF
# A tag, a slot, whether there is an upgrade authority, and which.
_PROGRAM_DATA_TAG, _PROGRAM_DATA_HEAD = (3).to_bytes(4, "little"), 45


class AccountDecoder(ProgramCodec):
    """Decodes accounts. MalformedAccount names the account and what is wrong; `owner`, where given, is checked to be
    the program."""

    @cached_property
    def _sizes(self) -> dict[str, int]:
        return {name: 8 + layout.sizeof() for name, layout in self._coder.accounts._accounts_layout.items()}

    def _parse(self, name: str, address: Address, data: bytes, owner: Address | None) -> Any:
        shown = f"{name} account {base58(address)}"
        if owner is not None and owner != self.program_id:
            raise MalformedAccount(f"{shown} is owned by {base58(owner)}, not by the program {base58(self.program_id)}")
        if data[:8] != discriminator("account", name):
            raise MalformedAccount(f"{shown} has another discriminator: it is no {name}")
        # Before the size, which is another version's own.
        if len(data) > _VERSION_AT and data[_VERSION_AT] != LAYOUT_VERSION:
            raise MalformedAccount(
                f"{shown} has version {data[_VERSION_AT]}, this daemon reads {LAYOUT_VERSION}: use the daemon's "
                "release that fits the deployed program"
            )
        if len(data) != self._sizes[name]:
            raise MalformedAccount(f"{shown} has {len(data)} bytes, a {name} has {self._sizes[name]}")
        return self._coder.accounts.decode(data)

    def config(self, data: bytes, owner: Address | None = None) -> Config:
        """Decode the Config account."""
        address = self.addresses.config
        raw = self._parse("Config", address, data, owner)
        return Config(
            address=address,
            sealed=bool(raw.sealed),
            paused=Scope(raw.paused),
            max_skew_secs=raw.max_skew_secs,
            timelock_secs=raw.timelock_secs,
            min_timelock_secs=raw.min_timelock_secs,
            admin_epoch=raw.admin_epoch,
            genesis_hash=Address(bytes(raw.genesis_hash)),
            admin=_address(raw.admin),
            operator=_address(raw.operator),
            registrar=_address(raw.registrar),
            guardian=_address(raw.guardian),
            resumer=_address(raw.resumer),
            compliance=_address(raw.compliance),
            corporate_actions=_address(raw.corporate_actions),
            pending_admin=_address(raw.pending_admin),
            pending_admin_ready_ts=raw.pending_admin_ready_ts,
            pending_admin_expires_ts=raw.pending_admin_expires_ts,
        )

    def upgrade_authority(self, address: Address, data: bytes, owner: Address) -> Address | None:
        """Who may replace the program's code (None: nobody), by the first 45 bytes of its ProgramData account."""
        shown = f"ProgramData account {base58(address)}"
        if owner != UPGRADEABLE_LOADER:
            raise MalformedAccount(f"{shown} is owned by {base58(owner)}, not by the upgradeable loader")
        if address != self.addresses.program_data:
            raise MalformedAccount(f"{shown} is not the program's: that is {base58(self.addresses.program_data)}")
        if len(data) < _PROGRAM_DATA_HEAD or data[:4] != _PROGRAM_DATA_TAG:
            raise MalformedAccount(f"{shown} is of another kind, or shorter than {_PROGRAM_DATA_HEAD} bytes")
        return Address(data[13:_PROGRAM_DATA_HEAD]) if data[12] else None

    def custodian(self, address: Address, data: bytes, owner: Address | None = None) -> Custodian:
        """Decode a Custodian account."""
        raw = self._parse("Custodian", address, data, owner)
        with _values_of("Custodian", address):
            return Custodian(
                address=address,
                id=raw.id,
                state=CustodianState(raw.state),
                epoch=raw.epoch,
                threshold=raw.threshold,
                keys=tuple(
                    AttesterKey(_address(key.key), key.party, key.expires_ts) for key in raw.keys[: raw.key_count]
                ),
                name=bytes(raw.name).rstrip(b"\0").decode(),
            )

    def asset(self, address: Address, data: bytes, owner: Address | None = None) -> AssetAccount:
        """Decode an Asset account. Empty entry slots are left out."""
        raw = self._parse("Asset", address, data, owner)
        with _values_of("Asset", address):
            return AssetAccount(
                address=address,
                mint=_address(raw.mint),
                vault=_address(raw.vault),
                redemption_vault=_address(raw.redemption_vault),
                decimals=raw.decimals,
                state=AssetState(raw.state),
                paused=Scope(raw.paused),
                holds=Hold(raw.holds),
                hold_number=raw.hold_number,
                sequence=raw.sequence,
                last_intent_hash=bytes(raw.last_intent_hash),
                multiplier_bits=raw.multiplier_bits,
                pending_multiplier_bits=raw.pending_multiplier_bits,
                multiplier_effective_ts=raw.multiplier_effective_ts,
                multiplier_changed_ts=raw.multiplier_changed_ts,
                change_cancelled_ts=raw.change_cancelled_ts,
                policy=Policy(**{each.name: getattr(raw.policy, each.name) for each in fields(Policy)}),
                mint_bucket=Bucket(raw.mint_bucket.level_raw, raw.mint_bucket.updated_ts),
                distribute_bucket=Bucket(raw.distribute_bucket.level_raw, raw.distribute_bucket.updated_ts),
                burn_bucket=Bucket(raw.burn_bucket.level_raw, raw.burn_bucket.updated_ts),
                initial_mint_raw=raw.initial_mint_raw,
                adopted_raw=raw.adopted_raw,
                minted_raw=raw.minted_raw,
                burnt_raw=raw.burnt_raw,
                distributed_raw=raw.distributed_raw,
                open_redemptions=raw.open_redemptions,
                entries=tuple(
                    Entry(
                        custodian=_address(entry.custodian),
                        state=EntryState(entry.state),
                        withdrawn=bool(entry.withdrawn),
                        confirmed=bool(entry.confirmed),
                        epoch=entry.epoch,
                        observed_ms=entry.observed_ms,
                        expires_ts=entry.expires_ts,
                        shares_nano=entry.shares_nano,
                        capacity_raw=entry.capacity_raw,
                        redeemed_total_raw=entry.redeemed_total_raw,
                        redeemed_seen_raw=entry.redeemed_seen_raw,
                        multiplier_bits=entry.multiplier_bits,
                    )
                    for entry in raw.entries[: raw.entry_count]
                ),
            )

    def participant(self, address: Address, data: bytes, owner: Address | None = None) -> Participant:
        """Decode a Participant account."""
        raw = self._parse("Participant", address, data, owner)
        with _values_of("Participant", address):
            return Participant(
                address=address,
                wallet=_address(raw.wallet),
                state=ParticipantState(raw.state),
                country=bytes(raw.country).decode("ascii"),
                expires_ts=raw.expires_ts,
            )

    def redemption(self, address: Address, data: bytes, owner: Address | None = None) -> Redemption:
        """Decode a Redemption account."""
        raw = self._parse("Redemption", address, data, owner)
        custodian = _address(raw.custodian)
        with _values_of("Redemption", address):
            state = RedemptionState(raw.state)
        return Redemption(
            address=address,
            state=state,
            id=bytes(raw.id),
            mint=_address(raw.mint),
            wallet=_address(raw.wallet),
            source=_address(raw.source),
            amount_raw=raw.amount_raw,
            requested_ts=raw.requested_ts,
            closed_ts=None if state is RedemptionState.REQUESTED else raw.closed_ts,
            custodian=None if custodian == ZERO_ADDRESS else custodian,
            accepted_epoch=raw.accepted_epoch,
            locked_until_ts=raw.locked_until_ts,
            on_hold=bool(raw.on_hold),
        )

    def proposal(self, address: Address, data: bytes, owner: Address | None = None) -> Proposal:
        """Decode a Proposal account."""
        raw = self._parse("Proposal", address, data, owner)
        with _values_of("Proposal", address):
            return Proposal(
                address=address,
                state=ProposalState(raw.state),
                data=bytes(raw.data[: raw.data_length]),
                accounts=tuple(_address(each) for each in raw.accounts[: raw.account_count]),
                hash=bytes(raw.hash),
                role=None if raw.role == _NO_ROLE else Role(raw.role),
                key=_address(raw.key),
                accepted=bool(raw.accepted),
                ready_ts=raw.ready_ts,
                admin_epoch=raw.admin_epoch,
            )

    def recovery(self, address: Address, data: bytes, owner: Address | None = None) -> Recovery:
        """Decode a Recovery account."""
        raw = self._parse("Recovery", address, data, owner)
        with _values_of("Recovery", address):
            return Recovery(
                address=address,
                state=RecoveryState(raw.state),
                mint=_address(raw.mint),
                source=_address(raw.source),
                destination=_address(raw.destination),
                amount_raw=raw.amount_raw,
                announced_ts=raw.announced_ts,
                ready_ts=raw.ready_ts,
            )

    def adoption(self, address: Address, data: bytes, owner: Address | None = None) -> Adoption:
        """Decode an Adoption account."""
        raw = self._parse("Adoption", address, data, owner)
        with _values_of("Adoption", address):
            return Adoption(
                address=address,
                state=AdoptionState(raw.state),
                profile=Profile(raw.profile),
                mint=_address(raw.mint),
                holders=Authorities(
                    **{each.name: _address(getattr(raw.holders, each.name)) for each in fields(Authorities)}
                ),
            )


@contextmanager
def _values_of(name: str, address: Address) -> Iterator[None]:
    """Values that no program of this layout writes are named with their account."""
    try:
        yield
    except ValueError as error:
        raise MalformedAccount(f"{name} account {base58(address)}: {error}") from None


def _address(key: Any) -> Address:
    return Address(bytes(key))
