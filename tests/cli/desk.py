"""Where the commands of `xstocks program` are typed, and how they ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair

from localnet.harness.keys import write_secret
from localnet.harness.wait import until
from tests.support.deployed import DeployedProgram
from tests.support.error_codes import ErrorCode
from xstocks_daemon.chain.addresses import base58
from xstocks_daemon.cli.main import run
from xstocks_daemon.domain.units import Address


@dataclass(frozen=True)
class Ran:
    """How a command line ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """What it printed with --json."""
        assert self.code == 0, self.err
        found: dict[str, Any] = json.loads(self.out)
        return found


class Desk:
    """Where the commands are typed: the settings file of one deployment, and key files."""

    def __init__(self, program: DeployedProgram, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.program = program
        self.folder = folder
        self._capsys = capsys
        self._secrets: list[str] = []
        self.settings = folder / "role.toml"
        self.write_settings()

    def write_settings(self, more: str = "") -> None:
        process, client = self.program.chain.process, self.program.client
        self.settings.write_text(
            f'program_id = "{base58(client.program_id)}"\n'
            "[cluster]\n"
            f'rpc_urls = ["{process.rpc_url}"]\n'
            f'genesis_hash = "{process.genesis_hash}"\n'
            f"single_endpoint = true\n{more}"
        )

    def key(self, who: str | Keypair) -> Path:
        """The key file of a role, or of a key."""
        keypair = getattr(self.program.keys, who).keypair if isinstance(who, str) else who
        path = self.folder / f"{keypair.pubkey()}.json"
        write_secret(path, json.dumps(list(bytes(keypair))))
        self._secrets += [str(keypair), json.dumps(list(bytes(keypair)))[1:60], bytes(keypair)[:32].hex()]
        return path

    async def types(self, *arguments: str, keys: Sequence[str | Keypair] = (), yes: bool = True) -> Ran:
        """`xstocks program ARGUMENTS`, each of `keys` by --key."""
        return await self.runs("program", *arguments, keys=keys, yes=yes)

    async def runs(self, *arguments: str, keys: Sequence[str | Keypair] = (), yes: bool = True) -> Ran:
        """`xstocks ARGUMENTS`, the same."""
        line = [*arguments, "--config", str(self.settings), *(["--yes"] if yes else [])]
        for who in keys:
            line += ["--key", str(self.key(who))]
        self._capsys.readouterr()
        chain = self.program.chain
        async with chain.ticking():
            made_at = await chain.rpc.slot("confirmed")

            async def final() -> bool:
                return await chain.rpc.slot("finalized") >= made_at

            await until(final, "what the test made so far, finalized: the command reads no other state")
            code = await asyncio.to_thread(run, line)
        out, err = self._capsys.readouterr()
        assert "Traceback" not in err
        assert not any(secret in out + err for secret in self._secrets)
        return Ran(code, out, err)

    async def done(self, *arguments: str, keys: Sequence[str | Keypair] = ()) -> Ran:
        """The same, and it must have been done."""
        ran = await self.types(*arguments, keys=keys)
        assert ran.code == 0, ran.err
        assert "finalized in slot" in ran.out
        return ran

    async def refused(self, error: ErrorCode, *arguments: str, keys: Sequence[str | Keypair] = ()) -> str:
        """The same, and the program must refuse it by this error, found by simulation; gives the line."""
        ran = await self.types(*arguments, keys=keys)
        (line,) = ran.err.splitlines()
        name = arguments[0].replace("-", "_")
        assert (ran.code, ran.out) == (1, "")
        assert line.startswith(f"error: {name}: {error.name} ({int(error)}): ")
        return line

    async def sent_by(self, key: Address) -> list[str]:
        """Signatures that the ledger has of a key."""
        rows = await self.program.chain.rpc.call("getSignaturesForAddress", [base58(key), {"commitment": "confirmed"}])
        return [row["signature"] for row in rows]


MakeDesk = Callable[[DeployedProgram], Desk]
