"""Instructions and statements with one thing changed, for the refusals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from solders.instruction import AccountMeta, Instruction

from xstocks_daemon.chain.addresses import pubkey
from xstocks_daemon.domain.statement import Statement
from xstocks_daemon.domain.units import Address


def with_account(instruction: Instruction, index: int, address: Address) -> Instruction:
    """Another address in the place of one account; its flags stay."""
    metas = list(instruction.accounts)
    old = metas[index]
    metas[index] = AccountMeta(pubkey(address), old.is_signer, old.is_writable)
    return Instruction(instruction.program_id, instruction.data, metas)


def with_flags(
    instruction: Instruction, index: int, *, signer: bool | None = None, writable: bool | None = None
) -> Instruction:
    """Other flags of one account."""
    metas = list(instruction.accounts)
    old = metas[index]
    metas[index] = AccountMeta(
        old.pubkey,
        old.is_signer if signer is None else signer,
        old.is_writable if writable is None else writable,
    )
    return Instruction(instruction.program_id, instruction.data, metas)


def with_accounts(instruction: Instruction, metas: Sequence[AccountMeta]) -> Instruction:
    """Other accounts altogether."""
    return Instruction(instruction.program_id, instruction.data, list(metas))


def with_data(instruction: Instruction, data: bytes) -> Instruction:
    """Other data."""
    return Instruction(instruction.program_id, data, instruction.accounts)


def patched(data: bytes, offset: int, content: bytes) -> bytes:
    """`data` with `content` written over it at `offset`; the length stays."""
    end = offset + len(content)
    assert end <= len(data), "beyond the end"
    return data[:offset] + content + data[end:]


def tampered(statement: Statement, index: int = 0, **changes: Any) -> Statement:
    """The same statement with one line changed."""
    entries = list(statement.entries)
    entries[index] = replace(entries[index], **changes)
    return replace(statement, entries=tuple(entries))
