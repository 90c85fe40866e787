"""Commands without a chain: the real journal and settings, and a chain's state that the test sets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from solders.keypair import Keypair

from tests.custody.builders import GENESIS, PROGRAM, asset_view, mint_of, snapshot_of
from xstocks_daemon.app.settings import Settings
from xstocks_daemon.chain.addresses import ProgramAddresses, base58
from xstocks_daemon.cli.main import run
from xstocks_daemon.domain.snapshot import AssetView, ChainSnapshot, Entry, ParticipantState
from xstocks_daemon.domain.units import Address
from xstocks_daemon.journal import Journal, open_journal

T = TypeVar("T")
AAPL, TSLA = mint_of(1), mint_of(2)


def named(symbol: str, mint: Address, *entries: Entry, **changes: Any) -> AssetView:
    """An asset with its symbol."""
    view = asset_view(mint, *entries, **changes)
    return replace(view, mint=replace(view.mint, symbol=symbol))


@dataclass
class Surroundings:
    """What a command finds: the chain as it is said here, and the journal of the settings' file."""

    settings_path: Path
    capsys: pytest.CaptureFixture[str]
    views: dict[Address, AssetView] = field(
        default_factory=lambda: {AAPL: named("AAPLx", AAPL), TSLA: named("TSLAx", TSLA)}
    )
    participants: dict[Address, ParticipantState] = field(default_factory=dict)
    addresses: ProgramAddresses = field(default_factory=lambda: ProgramAddresses(PROGRAM))

    @property
    def journal_path(self) -> Path:
        return self.settings_path.with_name("journal.sqlite")

    @asynccontextmanager
    async def runtime(self, settings: Settings) -> AsyncIterator[Any]:
        """In place of `open_runtime`."""
        journal = await open_journal(settings.journal.path, GENESIS, PROGRAM)
        try:
            yield SimpleNamespace(
                settings=settings,
                live=settings.live,
                journal=journal,
                reader=self,
                client=SimpleNamespace(addresses=self.addresses, participant=self._participant),
                mints=self.registered_mints,
                registered_mints=self.registered_mints,
            )
        finally:
            await journal.close()

    async def registered_mints(self) -> tuple[Address, ...]:
        return tuple(self.views)

    async def snapshot(self, mints: Sequence[Address]) -> ChainSnapshot:
        return snapshot_of(*(self.views[mint] for mint in mints))

    async def read_groups(self, groups: Sequence[Sequence[Address]]) -> Any:
        known = {self.addresses.participant(wallet): state for wallet, state in self.participants.items()}
        ((address,),) = groups
        state = known.get(address)
        account = None if state is None else SimpleNamespace(data=state, owner=PROGRAM)
        return [(SimpleNamespace(accounts=[account]), None)]

    def _participant(self, _address: Address, state: ParticipantState, _owner: Address) -> Any:
        return SimpleNamespace(state=state)

    def types(self, *arguments: str) -> tuple[int, str, str]:
        """A command line; gives exit code, what it printed and the one line of what is wrong ("" for none)."""
        self.capsys.readouterr()
        code = run([*arguments, "--config", str(self.settings_path)])
        out, err = self.capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err.strip()

    def done(self, *arguments: str) -> str:
        code, out, err = self.types(*arguments)
        assert (code, err) == (0, "")
        return out

    def refused(self, *arguments: str, code: int = 2) -> str:
        found, out, err = self.types(*arguments)
        assert (found, out) == (code, "")
        (line,) = err.splitlines()
        return line

    def journal(self, work: Callable[[Journal], Awaitable[T]]) -> T:
        """Something done with the journal beside the commands, under the daemon's lease."""

        async def opened() -> T:
            journal = await open_journal(self.journal_path, GENESIS, PROGRAM)
            try:
                await journal.acquire_lease("daemon", 60_000)
                return await work(journal)
            finally:
                await journal.close()

        return asyncio.run(opened())


def write_settings(folder: Path, more: str = "") -> Path:
    """Settings of a live daemon whose endpoint is never asked."""
    key = folder / "operator.json"
    key.write_text(json.dumps(list(bytes(Keypair.from_seed(bytes([6]) * 32)))))
    key.chmod(0o600)
    path = folder / "daemon.toml"
    path.write_text(
        f'live = true\nprogram_id = "{base58(PROGRAM)}"\n'
        f'[cluster]\nrpc_urls = ["http://127.0.0.1:9"]\ngenesis_hash = "{base58(GENESIS)}"\nsingle_endpoint = true\n'
        f'[operator]\nkey_file = "operator.json"\n[journal]\npath = "journal.sqlite"\n{more}'
    )
    return path
