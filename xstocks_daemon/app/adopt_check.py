"""What an adoption cannot see: accounts of a permissioned mint that were thawed before it and can change hands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xstocks_daemon.app.handover import FIELD
from xstocks_daemon.app.runtime import ChainConnection
from xstocks_daemon.chain.addresses import TOKEN_2022, base58
from xstocks_daemon.chain.mint_layout import TokenAccount, freezes_new_accounts, read_mint, read_token_account
from xstocks_daemon.domain.units import Address
from xstocks_daemon.errors import user_error

_MINT_OFFSET = 0
"""Where a token account names its mint."""


@dataclass(frozen=True, slots=True)
class AdoptCheck:
    """Of one mint: whether its new accounts are frozen, and the accounts that its owners can give to anybody."""

    mint: Address
    permissioned: bool
    transferable: tuple[tuple[Address, TokenAccount], ...]


async def check_adoptions(chain: ChainConnection, mints: Sequence[Address]) -> list[AdoptCheck]:
    """Look through the accounts of each mint. UserError where there is none, MalformedAccount where it is no mint.

    The mints are read agreed; their accounts by the word of the first endpoint that answers, as the search over all
    accounts of Token-2022 is not served by every provider.
    """
    checks = []
    for mint, read in zip(mints, await chain.reader.read_groups([(mint,) for mint in mints]), strict=True):
        (account,) = read[0].accounts
        if account is None:
            raise user_error(FIELD, base58(mint), "no account of this address exists on this cluster")
        read_mint(mint, account.data, account.owner)
        permissioned = freezes_new_accounts(mint, account.data)
        found = await _transferable(chain, mint) if permissioned else ()
        checks.append(AdoptCheck(mint, permissioned, found))
    return checks


async def _transferable(chain: ChainConnection, mint: Address) -> tuple[tuple[Address, TokenAccount], ...]:
    """Accounts of a mint that are thawed and whose owner can change, ascending by address."""
    of_mint = {"memcmp": {"offset": _MINT_OFFSET, "bytes": base58(mint)}}
    accounts = await chain.pool.first(lambda endpoint: endpoint.program_accounts(TOKEN_2022, filters=[of_mint]))
    read = [(address, read_token_account(address, info.data, info.owner)) for address, info in sorted(accounts.items())]
    return tuple((address, each) for address, each in read if not each.frozen and not each.immutable_owner)
