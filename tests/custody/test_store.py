"""What a key has signed is on disk before the signature leaves, and nothing that was refused is (M3)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.custody.builders import CUSTODIAN, PROGRAM, mint_of
from xstocks_daemon.attester import store as store_module
from xstocks_daemon.attester.store import AlreadySigned, SignedStore
from xstocks_daemon.domain.units import Address
from xstocks_daemon.errors import UserError

MINT, OTHER = mint_of(1), mint_of(2)
FIRST, SECOND = b"1" * 32, b"2" * 32


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SignedStore]:
    with SignedStore(tmp_path / "signed.sqlite3") as opened:
        yield opened


def test_a_promise_survives_a_power_cut_as_far_as_sqlite_can(store: SignedStore) -> None:
    found = [store._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 2]


def test_nobody_else_signs_between_the_look_and_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes with one store, by mistake: the second waits for the first, and then sees what it signed."""
    monkeypatch.setattr(store_module, "_BUSY_SECS", 0.0)
    with SignedStore(tmp_path / "signed.sqlite3") as first, SignedStore(tmp_path / "signed.sqlite3") as second:
        look = first._row

        def meanwhile(custodian: Address, mint: Address) -> tuple[int, bytes] | None:
            with pytest.raises(UserError, match="locked"):
                second.record_signature(CUSTODIAN, [MINT], 5, SECOND)
            return look(custodian, mint)

        with monkeypatch.context() as patched:
            patched.setattr(first, "_row", meanwhile)
            first.record_signature(CUSTODIAN, [MINT], 5, FIRST)
        with pytest.raises(AlreadySigned):
            second.record_signature(CUSTODIAN, [MINT], 5, SECOND)
        second.record_signature(CUSTODIAN, [MINT], 6, SECOND)


def test_of_a_refused_statement_no_mint_is_put_down(store: SignedStore) -> None:
    store.record_signature(CUSTODIAN, [OTHER], 9, FIRST)
    with pytest.raises(AlreadySigned) as refused:
        store.record_signature(CUSTODIAN, [MINT, OTHER], 5, SECOND)
    assert (refused.value.mint, refused.value.observed_ms, refused.value.same_time) == (OTHER, 9, False)
    assert store.last_observed_ms(CUSTODIAN, [MINT]) == 0
    store.record_signature(CUSTODIAN, [MINT], 4, SECOND)


def test_the_newest_promise_is_kept_whole(store: SignedStore) -> None:
    store.record_signature(CUSTODIAN, [MINT], 5, FIRST)
    store.record_signature(CUSTODIAN, [MINT], 6, SECOND)
    store.record_signature(CUSTODIAN, [MINT], 6, SECOND)
    for observed_ms, digest, same_time in ((6, FIRST, True), (5, FIRST, False), (5, SECOND, False)):
        with pytest.raises(AlreadySigned) as refused:
            store.record_signature(CUSTODIAN, [MINT], observed_ms, digest)
        assert (refused.value.observed_ms, refused.value.same_time) == (6, same_time)
    store.record_signature(CUSTODIAN, [MINT], 7, FIRST)


def test_promises_of_two_custodians_are_kept_apart(store: SignedStore) -> None:
    store.record_signature(CUSTODIAN, [MINT], 9, FIRST)
    store.record_signature(PROGRAM, [MINT], 5, SECOND)
    assert [store.last_observed_ms(custodian, [MINT]) for custodian in (CUSTODIAN, PROGRAM)] == [9, 5]


def test_the_latest_time_of_several_mints_is_known(store: SignedStore) -> None:
    assert store.last_observed_ms(CUSTODIAN, [MINT, OTHER]) == 0
    store.record_signature(CUSTODIAN, [MINT], 5, FIRST)
    store.record_signature(CUSTODIAN, [OTHER], 9, FIRST)
    assert store.last_observed_ms(CUSTODIAN, [MINT, OTHER]) == 9


def test_a_promise_is_there_after_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        with SignedStore(tmp_path / "signed.sqlite3") as store:
            store.record_signature(CUSTODIAN, [MINT], 5, FIRST)
            with pytest.raises(AlreadySigned):
                store.record_signature(CUSTODIAN, [MINT], 5, SECOND)


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    path = tmp_path / "signed.sqlite3"
    path.write_text("not a database, " * 100)
    with pytest.raises(UserError) as refused:
        SignedStore(path)
    assert (refused.value.field, str(path) in str(refused.value)) == ("store_file", True)
