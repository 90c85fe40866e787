"""Lookup tables: every asset whole in one table, found again, extended where there is room."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.instruction import Instruction

from tests.chain.cases import CLIENT, KEY, WALLET, address
from tests.chain.fake_rpc import QUICK, FakeNode, serving
from xstocks_daemon.chain.addresses import LOOKUP_TABLE_PROGRAM, base58
from xstocks_daemon.chain.errors import MalformedAccount
from xstocks_daemon.chain.lookup_tables import (
    ADDRESSES_PER_EXTENSION,
    MAX_ASSETS_PER_TABLE,
    MAX_TABLE_ADDRESSES,
    AssetTriple,
    LookupTable,
    LookupTableSet,
    ensure_lookup_tables,
    find_tables,
    lookup_table_set,
    parse_lookup_table,
    plan_tables,
    read_tables,
    shared_addresses,
)
from xstocks_daemon.chain.rpc import AccountInfo, RpcPool
from xstocks_daemon.chain.transactions import compile_message, transaction_bytes
from xstocks_daemon.domain.units import Address

AUTHORITY, CUSTODIANS = KEY, (address(), address())
SHARED = shared_addresses(CLIENT, CUSTODIANS)


def numbered(number: int) -> Address:
    return Address(number.to_bytes(32, "big"))


def triples_of(count: int, first: int = 0) -> dict[Address, AssetTriple]:
    return {
        numbered(1_000 + 3 * n): (numbered(999 + 3 * n), numbered(1_000 + 3 * n), numbered(1_001 + 3 * n))
        for n in range(first, first + count)
    }


def table_data(addresses: Sequence[Address], authority: Address = AUTHORITY, deactivated: int = 2**64 - 1) -> bytes:
    head = (1).to_bytes(4, "little") + deactivated.to_bytes(8, "little") + (55).to_bytes(8, "little") + b"\0"
    return head + b"\1" + authority + bytes(2) + b"".join(addresses)


def account(data: bytes) -> AccountInfo:
    return AccountInfo(LOOKUP_TABLE_PROGRAM, data, 1, executable=False)


def applied(tables: Sequence[LookupTable], triples: dict[Address, AssetTriple]) -> list[LookupTable]:
    """The tables after the planned changes."""
    after = {each.address: each for each in tables}
    for change in plan_tables(tables, triples, SHARED):
        key = change.table or numbered(10**9 + len(after))
        known = after.get(key)
        after[key] = LookupTable(key, (known.addresses if known else ()) + change.add, 1, active=True)
    return list(after.values())


@given(st.integers(0, 300), st.integers(0, 200))
def test_plan_puts_every_asset_whole_into_one_table_with_the_shared_accounts(first: int, more: int) -> None:
    tables = applied([], triples_of(first))
    assert plan_tables(tables, triples_of(first), SHARED) == []
    everything = triples_of(first + more)
    after = applied(tables, everything)
    assert plan_tables(after, everything, SHARED) == []
    book = lookup_table_set(after, everything)
    assert set(book.table_of) == set(everything)
    for each in after:
        assert len(each.addresses) <= MAX_TABLE_ADDRESSES
        assert len(set(each.addresses)) == len(each.addresses)
        assert set(SHARED) <= set(each.addresses)
        assert sum(table is each for table in book.table_of.values()) <= MAX_ASSETS_PER_TABLE
    # No asset is put in twice.
    assert sum(len(each.addresses) - len(SHARED) for each in after) == 3 * len(everything)


def test_828_assets_take_ten_tables() -> None:
    assert len(applied([], triples_of(828))) == 10


def test_table_that_is_not_whole_does_not_serve() -> None:
    (mint,) = triples = triples_of(1)
    partial = LookupTable(numbered(5), (*SHARED, *triples[mint][:2]), 1, active=True)
    assert lookup_table_set([partial], triples).table_of == {}
    assert [change.table for change in plan_tables([partial], triples, SHARED)] == [partial.address]


def test_new_custodian_is_added_where_there_is_room() -> None:
    triples = triples_of(2)
    (table,) = applied([], triples)
    newer = address()
    (change,) = plan_tables([table], triples, (*SHARED, newer))
    assert (change.table, change.add) == (table.address, (newer,))
    full = LookupTable(table.address, tuple(numbered(n) for n in range(256)), 1, active=True)
    assert plan_tables([full], {}, SHARED) == []


def test_an_asset_goes_to_a_table_that_has_room_for_all_three_of_its_accounts() -> None:
    """The table serves one asset already, and holds much that is of no asset here."""
    triples = triples_of(2)
    old, new = triples
    strangers = MAX_TABLE_ADDRESSES - len(SHARED) - 3
    for room, goes_to in ((2, None), (3, numbered(5))):
        held = (*SHARED, *triples[old], *(numbered(10**6 + n) for n in range(strangers - room)))
        table = LookupTable(numbered(5), held, 1, active=True)
        (change,) = plan_tables([table], triples, SHARED)
        assert (change.table, change.add[-3:]) == (goes_to, triples[new])


def test_a_table_that_serves_no_asset_costs_nothing() -> None:
    triples = triples_of(2)
    (serving_all,) = applied([], triples)
    empty = [LookupTable(numbered(n), (), 1, active=True) for n in (5, 6)]
    assert plan_tables([serving_all, *empty], triples, SHARED) == []
    # An empty one is taken where a table is needed.
    assert [change.table for change in plan_tables(empty, triples, SHARED)] == [numbered(5)]


def test_groups_never_straddle_tables() -> None:
    triples = triples_of(100)
    tables = applied([], triples)
    book = lookup_table_set(tables, triples)
    unknown = address()
    groups = book.groups([*triples, unknown], 18)
    assert [mint for mints, _ in groups for mint in mints] == [*triples, unknown]
    assert all(len(mints) <= 18 for mints, _ in groups)
    for mints, table in groups:
        assert all(book.table_of.get(mint) is table for mint in mints)
    assert groups[-1] == ((unknown,), None)
    assert LookupTableSet((), {}).groups([], 18) == []


def test_account_is_parsed_strictly() -> None:
    table = parse_lookup_table(KEY, account(table_data([WALLET, KEY])))
    assert table == LookupTable(KEY, (WALLET, KEY), 55, active=True)
    assert [bytes(each) for each in table.account().addresses] == [WALLET, KEY]
    assert parse_lookup_table(KEY, account(table_data([], deactivated=9))).active is False
    for data in (b"", table_data([])[:-1], table_data([]) + bytes(31), bytes(56)):
        with pytest.raises(MalformedAccount):
            parse_lookup_table(KEY, account(data))
    with pytest.raises(MalformedAccount):
        parse_lookup_table(KEY, AccountInfo(WALLET, table_data([]), 1, executable=False))


async def test_tables_are_found_by_authority_or_read_by_address() -> None:
    active, dead, gone = numbered(1), numbered(2), numbered(3)
    node = FakeNode(accounts={active: account(table_data([WALLET])), dead: account(table_data([], deactivated=1))})
    async with serving(node) as urls, RpcPool(urls, QUICK) as pool:
        endpoint = pool.endpoints[0]
        assert [table.address for table in await find_tables(endpoint, AUTHORITY)] == [active]
        assert [table.address for table in await read_tables(endpoint, [gone, dead, active])] == [active]
    method, params = node.calls[0]
    assert method == "getProgramAccounts"
    assert params[1]["filters"] == [{"memcmp": {"offset": 22, "bytes": base58(AUTHORITY)}}]


class TableProgram:
    """Executes create and extend on a fake node, as the lookup table program does."""

    def __init__(self, node: FakeNode) -> None:
        self.node = node
        self.sent: list[Instruction] = []

    async def send(self, instructions: Sequence[Instruction]) -> None:
        message = compile_message(WALLET, instructions, bytes(32))
        assert transaction_bytes(message) <= 1_232
        for each in instructions:
            self.sent.append(each)
            key = Address(bytes(each.accounts[0].pubkey))
            data = bytes(each.data)
            if data[:4] == bytes(4):
                assert key not in self.node.accounts
                self.node.accounts[key] = account(table_data([]))
            else:
                assert data[:4] == (2).to_bytes(4, "little")
                old = self.node.accounts[key].data
                self.node.accounts[key] = account(old + data[12:])
                assert len(self.node.accounts[key].data) <= 56 + 32 * MAX_TABLE_ADDRESSES


@pytest.mark.parametrize("remembered", [False, True])
async def test_ensure_creates_extends_and_then_does_nothing(remembered: bool) -> None:
    node = FakeNode(slot=500)
    program = TableProgram(node)
    mints = [address() for _ in range(100)]

    async def ensure(wanted: list[Address]) -> LookupTableSet:
        known = list(node.accounts) if remembered else None
        return await ensure_lookup_tables(
            pool.endpoints[0],
            CLIENT,
            wanted,
            custodians=CUSTODIANS,
            authority=AUTHORITY,
            payer=WALLET,
            send=program.send,
            known=known,
        )

    async with serving(node) as urls, RpcPool(urls, QUICK) as pool:
        book = await ensure(mints)
        assert set(book.table_of) == set(mints)
        assert len(book.tables) == 2
        assert all(len(bytes(each.data)) <= 12 + 32 * ADDRESSES_PER_EXTENSION for each in program.sent)
        sent = len(program.sent)
        assert (await ensure(mints)).table_of == book.table_of
        assert len(program.sent) == sent
        more = await ensure([*mints, address()])
        assert len(program.sent) == sent + 1
        assert len(more.tables) == 2
        assert len(more.table_of) == 101
