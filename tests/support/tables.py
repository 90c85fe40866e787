"""Lookup tables for the transactions that do not fit without one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import Instruction

from localnet.harness.wait import until
from tests.support.deployed import DeployedProgram
from tests.support.initialized import OTHER_CUSTODIAN, OWN_CUSTODIAN
from tests.support.live_chain import address_of, call
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.lookup_tables import ensure_lookup_tables
from xstocks_daemon.domain.units import Address


async def lookup_table(
    program: DeployedProgram, mints: Sequence[Address], custodians: Iterable[str] = (OWN_CUSTODIAN, OTHER_CUSTODIAN)
) -> AddressLookupTableAccount:
    """One table, usable at once, with all accounts of these mints and the shared ones, made as the daemon makes it."""
    chain = program.chain
    payer = address_of(chain.payer)

    async def send(instructions: Sequence[Instruction]) -> None:
        await chain.accepted(call(instructions))

    if chain.embedded:
        await chain.advance_slots(2)
    book = await ensure_lookup_tables(
        chain.rpc,
        program.client,
        mints,
        custodians=[program.custodian(custodian).address for custodian in custodians],
        authority=payer,
        payer=payer,
        send=send,
        known=(),
    )
    table = book.table_of[mints[0]]
    assert all(book.table_of[mint] is table for mint in mints), f"more than one table: {base58(table.address)}"
    if chain.embedded:
        await chain.advance_slots(2)

    async def usable() -> bool:
        return await chain.rpc.slot("confirmed") > table.last_extended_slot

    await until(usable, "the lookup table's use")
    return table.account()
