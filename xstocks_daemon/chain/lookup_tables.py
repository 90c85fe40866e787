"""Address lookup tables: groups of assets whose accounts transactions name by one byte instead of 32.

A table holds the shared accounts (config, token program, clock and instructions sysvars, custodians) and of each of up
to 83 assets its Asset account, mint and vault. An asset is in exactly one table, so a batch of assets of one table
needs one table. Account layout: 56 bytes of meta (type u32, deactivation slot u64, last extended slot u64, start index
u8, authority option), then the addresses (Agave, address-lookup-table-interface `state.rs`).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import Instruction
from solders.system_program import (
    CreateLookupTableParams,
    ExtendLookupTableParams,
    create_lookup_table,
    extend_lookup_table,
)

from xstocks_daemon.aio import gather_all
from xstocks_daemon.chain.addresses import (
    CLOCK_SYSVAR,
    INSTRUCTIONS_SYSVAR,
    LOOKUP_TABLE_PROGRAM,
    TOKEN_2022,
    base58,
    pubkey,
)
from xstocks_daemon.chain.errors import MalformedAccount
from xstocks_daemon.chain.program import ProgramClient
from xstocks_daemon.chain.rpc import AccountInfo, Commitment, RpcEndpoint
from xstocks_daemon.domain.units import Address

MAX_TABLE_ADDRESSES = 256
MAX_ASSETS_PER_TABLE = 83
ADDRESSES_PER_ASSET = 3
#: Addresses added by one transaction: with payer and authority apart, 27 just fit 1,232 bytes.
ADDRESSES_PER_EXTENSION = 27

_META_BYTES = 56
_TYPE_TABLE = 1
_NOT_DEACTIVATED = 2**64 - 1
_AUTHORITY_OFFSET = 22

AssetTriple = tuple[Address, Address, Address]
"""Asset account, mint, vault."""
SendTransaction = Callable[[Sequence[Instruction]], Coroutine[Any, Any, object]]
"""Sends one transaction with these instructions and waits until it is confirmed (sender.send_and_confirm)."""


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A table as the chain has it. Addresses count in slots after `last_extended_slot` only."""

    address: Address
    addresses: tuple[Address, ...]
    last_extended_slot: int
    active: bool

    def account(self) -> AddressLookupTableAccount:
        """The table in the form in which solders compiles messages."""
        return AddressLookupTableAccount(pubkey(self.address), [pubkey(each) for each in self.addresses])


@dataclass(frozen=True, slots=True)
class TableChange:
    """Addresses to add to a table, or to a new one where `table` is None."""

    table: Address | None
    add: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class LookupTableSet:
    """Which lookup table serves which mint."""

    tables: tuple[LookupTable, ...]
    table_of: Mapping[Address, LookupTable]

    def groups(self, mints: Iterable[Address], size: int) -> list[tuple[tuple[Address, ...], LookupTable | None]]:
        """The mints in batches of at most `size`, each of one table, in the order given; None for those in no table."""
        by_table: dict[Address | None, list[Address]] = {}
        for mint in mints:
            table = self.table_of.get(mint)
            by_table.setdefault(None if table is None else table.address, []).append(mint)
        return [
            (tuple(members[start : start + size]), self.table_of.get(members[0]))
            for members in by_table.values()
            for start in range(0, len(members), size)
        ]


def shared_addresses(client: ProgramClient, custodians: Iterable[Address]) -> tuple[Address, ...]:
    """What every hot transaction names: config, token program, instructions sysvar, custodians."""
    return (client.addresses.config, TOKEN_2022, CLOCK_SYSVAR, INSTRUCTIONS_SYSVAR, *sorted(set(custodians)))


def parse_lookup_table(address: Address, account: AccountInfo) -> LookupTable:
    """Decode a lookup table account. MalformedAccount where it is none."""
    data = account.data
    if account.owner != LOOKUP_TABLE_PROGRAM or len(data) < _META_BYTES or (len(data) - _META_BYTES) % 32:
        raise MalformedAccount(f"{base58(address)} is no address lookup table")
    if int.from_bytes(data[:4], "little") != _TYPE_TABLE:
        raise MalformedAccount(f"lookup table {base58(address)} is not initialized")
    return LookupTable(
        address=address,
        addresses=tuple(Address(data[start : start + 32]) for start in range(_META_BYTES, len(data), 32)),
        last_extended_slot=int.from_bytes(data[12:20], "little"),
        active=int.from_bytes(data[4:12], "little") == _NOT_DEACTIVATED,
    )


async def find_tables(
    endpoint: RpcEndpoint, authority: Address, commitment: Commitment = "confirmed"
) -> list[LookupTable]:
    """The active tables of `authority`, ordered by address. Providers may refuse this search (getProgramAccounts);
    then remember the addresses and use `read_tables`."""
    found = await endpoint.program_accounts(
        LOOKUP_TABLE_PROGRAM,
        filters=[{"memcmp": {"offset": _AUTHORITY_OFFSET, "bytes": base58(authority)}}],
        commitment=commitment,
    )
    tables = [parse_lookup_table(address, account) for address, account in sorted(found.items())]
    return [table for table in tables if table.active]


async def read_tables(
    endpoint: RpcEndpoint, addresses: Sequence[Address], commitment: Commitment = "confirmed"
) -> list[LookupTable]:
    """Tables by their addresses; those that do not exist or are deactivated are left out."""
    answer = await endpoint.multiple_accounts(addresses, commitment=commitment)
    tables = [
        parse_lookup_table(address, account)
        for address, account in zip(addresses, answer.value, strict=True)
        if account is not None
    ]
    return [table for table in tables if table.active]


def lookup_table_set(tables: Sequence[LookupTable], triples: Mapping[Address, AssetTriple]) -> LookupTableSet:
    """Which of `tables` holds all three addresses of each mint (`triples` by mint); the first one where several do."""
    held = [(table, frozenset(table.addresses)) for table in tables]
    table_of: dict[Address, LookupTable] = {}
    for mint, triple in triples.items():
        for table, addresses in held:
            if addresses.issuperset(triple):
                table_of[mint] = table
                break
    return LookupTableSet(tuple(tables), table_of)


def plan_tables(
    tables: Sequence[LookupTable], triples: Mapping[Address, AssetTriple], shared: Sequence[Address]
) -> list[TableChange]:
    """What to add so that each mint is whole in one table together with all shared addresses. Pure."""
    book = lookup_table_set(tables, triples)
    waiting = [mint for mint in triples if mint not in book.table_of]
    changes: list[TableChange] = []
    for table in tables:
        missing = [address for address in shared if address not in table.addresses]
        room = MAX_TABLE_ADDRESSES - len(table.addresses) - len(missing)
        if room < 0:
            continue  # full: transactions name the newer shared addresses in full
        assets = sum(other is table for other in book.table_of.values())
        take = max(0, min(room // ADDRESSES_PER_ASSET, MAX_ASSETS_PER_TABLE - assets))
        taken, waiting = waiting[:take], waiting[take:]
        add = (*missing, *(address for mint in taken for address in triples[mint]))
        # Anybody may create empty tables of this authority: they are used, but never paid for without need.
        if add and (assets or taken):
            changes.append(TableChange(table.address, add))
    size = min(MAX_ASSETS_PER_TABLE, (MAX_TABLE_ADDRESSES - len(shared)) // ADDRESSES_PER_ASSET)
    for start in range(0, len(waiting), size):
        group = waiting[start : start + size]
        changes.append(TableChange(None, (*shared, *(address for mint in group for address in triples[mint]))))
    return changes


async def ensure_lookup_tables(
    endpoint: RpcEndpoint,
    client: ProgramClient,
    mints: Sequence[Address],
    *,
    custodians: Iterable[Address],
    authority: Address,
    payer: Address,
    send: SendTransaction,
    known: Sequence[Address] | None = None,
) -> LookupTableSet:
    """Create and extend the authority's tables until they serve all `mints`; nothing is sent where they do already.

    `known` are remembered table addresses, for endpoints that refuse the search for tables by authority. The set's
    tables may be used in slots after the highest `last_extended_slot`: wait for that slot before sending.
    """

    created: list[Address] = []

    async def current() -> list[LookupTable]:
        if known is None:
            return await find_tables(endpoint, authority)
        return await read_tables(endpoint, [*known, *created])

    triples = {mint: client.asset_accounts(mint) for mint in mints}
    tables = await current()
    changes = plan_tables(tables, triples, shared_addresses(client, custodians))
    if not changes:
        return lookup_table_set(tables, triples)
    # A table's address comes from a recent slot, so new ones take one slot each.
    recent_slot = await endpoint.slot("confirmed")

    async def apply(change: TableChange, slot: int) -> None:
        table = change.table
        if table is None:
            create, key = create_lookup_table(
                CreateLookupTableParams(
                    authority_address=pubkey(authority), payer_address=pubkey(payer), recent_slot=slot
                )
            )
            table = Address(bytes(key))
            await send([create])
            created.append(table)
        # Their order in the table does not matter: it is read back.
        await gather_all(
            send(
                [
                    extend_lookup_table(
                        ExtendLookupTableParams(
                            lookup_table_address=pubkey(table),
                            authority_address=pubkey(authority),
                            payer_address=pubkey(payer),
                            new_addresses=[
                                pubkey(each) for each in change.add[start : start + ADDRESSES_PER_EXTENSION]
                            ],
                        )
                    )
                ]
            )
            for start in range(0, len(change.add), ADDRESSES_PER_EXTENSION)
        )

    await gather_all(apply(change, recent_slot - index) for index, change in enumerate(changes))
    return lookup_table_set(await current(), triples)
