"""The sidecar: books, signing, co-signing, and the release of shares. `xstocks attester` calls what is listed here."""

from xstocks_daemon.attester.acceptance import accept_redemption
from xstocks_daemon.attester.books import AssetBook, Books, Leaving, Target, new_asset_book
from xstocks_daemon.attester.operations import (
    BooksChange,
    ReleaseRefused,
    books_count_redemptions,
    books_create,
    books_deposit,
    books_mark_leaving,
    books_release,
    books_return_redemptions,
    books_show,
    books_unmark,
)
from xstocks_daemon.attester.run import run_attester
from xstocks_daemon.attester.settings import AttesterSettings, load_attester_settings

__all__ = [
    "AssetBook",
    "AttesterSettings",
    "Books",
    "BooksChange",
    "Leaving",
    "ReleaseRefused",
    "Target",
    "accept_redemption",
    "books_count_redemptions",
    "books_create",
    "books_deposit",
    "books_mark_leaving",
    "books_release",
    "books_return_redemptions",
    "books_show",
    "books_unmark",
    "load_attester_settings",
    "new_asset_book",
    "run_attester",
]
