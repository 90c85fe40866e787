"""Durable nonces: a transaction whose first instruction advances a nonce account uses its value as blockhash.

The account (solana-nonce): version u32, state u32 (1: initialised), authority 32 bytes, nonce 32 bytes, lamports per
signature u64.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Final

from solders.account import Account
from solders.hash import Hash
from solders.pubkey import Pubkey

from localnet.embedded_chain import addresses
from localnet.embedded_chain.ledger import ResolvedTransaction

_ADVANCE: Final = b"\4\0\0\0"
_INITIALISED: Final = b"\1\0\0\0\1\0\0\0"
_ACCOUNT_BYTES: Final = 80


def nonce_account(
    resolved: ResolvedTransaction, blockhash: Hash, account_at: Callable[[Pubkey], Account | None]
) -> Pubkey | None:
    """The nonce account whose stored value is `blockhash`, where the first instruction advances it; else None."""
    instructions = resolved.tx.message.instructions
    if not instructions:
        return None
    first = instructions[0]
    keys = resolved.static_keys
    if keys[first.program_id_index] != addresses.SYSTEM or first.data[:4] != _ADVANCE:
        return None
    if not first.accounts or first.accounts[0] >= len(keys) or not resolved.is_writable(first.accounts[0]):
        return None
    account = account_at(keys[first.accounts[0]])
    if account is None or account.owner != addresses.SYSTEM or len(account.data) != _ACCOUNT_BYTES:
        return None
    if account.data[:8] != _INITIALISED or account.data[40:72] != bytes(blockhash):
        return None
    authority = Pubkey(account.data[8:40])
    signers = keys[: resolved.tx.message.header.num_required_signatures]
    return keys[first.accounts[0]] if authority in signers else None


def advanced(account: Account, environment_hash: bytes) -> Account:
    """The nonce account with its next value, which the runtime derives from its own latest blockhash."""
    value = sha256(b"DURABLE_NONCE" + environment_hash).digest()
    return Account(account.lamports, account.data[:40] + value + account.data[72:], account.owner)
