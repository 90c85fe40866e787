"""A custodian accepts a redemption: its word that it delivers the shares, given before the tokens are burnt (M6)."""

from __future__ import annotations

from xstocks_daemon.attester.books import AssetBook, Books, Target
from xstocks_daemon.attester.books_file import BooksFile
from xstocks_daemon.attester.operations import custodian_address, served_custodian
from xstocks_daemon.attester.settings import AttesterSettings
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.chain.errors import ChainError
from xstocks_daemon.chain.program import ProgramClient
from xstocks_daemon.chain.rpc import RpcPool
from xstocks_daemon.chain.sender import send_and_confirm
from xstocks_daemon.domain.snapshot import Redemption, RedemptionState
from xstocks_daemon.domain.units import Address, UnitError, shares_nano_for, shares_text
from xstocks_daemon.errors import operation_error, user_error
from xstocks_daemon.signing import load_keyfile


async def accept_redemption(settings: AttesterSettings, custodian_id: int, redemption: Address) -> Redemption:
    """Accept an open redemption as the custodian, with the sidecar's own key, if the books have the shares for it.
    Gives the redemption as it was read (finalized). UserError names what keeps it from being accepted."""
    served = served_custodian(settings, custodian_id)
    custodian = custodian_address(settings, served)
    books = BooksFile(served.books_file, custodian_id).load()
    attester = load_keyfile(settings.key_file, "key_file")
    payer = attester if settings.fee_payer_file is None else load_keyfile(settings.fee_payer_file, "fee_payer_file")
    client = ProgramClient(settings.program_id)
    try:
        async with RpcPool(settings.rpc_urls) as pool:
            await pool.check_cluster(settings.genesis_hash)
            found = (await pool.first(lambda endpoint: endpoint.account(redemption, commitment="finalized"))).value
            if found is None:
                raise user_error("redemption", base58(redemption), "the chain has no such account at finalized")
            waiting = client.redemption(redemption, found.data, found.owner)
            require_acceptable(waiting, books, Target(settings.genesis_hash, settings.program_id, waiting.mint))
            instruction = client.accept_redemption(
                attester=attester.public_key, custodian=custodian, mint=waiting.mint, redemption=redemption
            )
            await send_and_confirm(
                pool,
                client,
                payer=payer.public_key,
                instructions=[instruction],
                signers={each.public_key: each.sign for each in (payer, attester)},
            )
    except ChainError as error:
        raise operation_error("redemption", base58(redemption), f"could not be accepted: {error}") from error
    return waiting


def require_acceptable(redemption: Redemption, books: Books, target: Target) -> AssetBook:
    """The record that has the shares for it, at its own multiplier and rounded up. UserError where none has, or where
    the redemption is not one to accept."""
    shown = base58(redemption.address)
    if redemption.state is not RedemptionState.REQUESTED:
        raise user_error("redemption", shown, f"it was {redemption.state.name.lower()} before")
    if redemption.on_hold:
        raise user_error("redemption", shown, "compliance holds it; wait until it is released")
    book = books.by_target.get(target)
    if book is None:
        raise user_error("redemption", shown, f"the books have no allotment to its mint {base58(redemption.mint)}")
    try:
        owed_nano = shares_nano_for(redemption.amount_raw, book.multiplier_bits, book.decimals)
    except UnitError as error:
        raise user_error("redemption", shown, str(error)) from None
    attested_nano = book.attested_nano(target)
    if owed_nano > attested_nano:
        raise user_error(
            "redemption",
            shown,
            f"it takes {shares_text(owed_nano)} shares, {shares_text(attested_nano)} of {book.symbol} are allotted and "
            "not leaving: deposit first, or take marks back",
        )
    return book
