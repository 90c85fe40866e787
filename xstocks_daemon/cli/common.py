"""What all commands share: the settings file's option, logging, and running asynchronous work."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from xstocks_daemon.app.logging import configure_logging
from xstocks_daemon.app.settings import CONFIG_ENV, JournalSettings, LoggingSettings, Settings, load_settings

T = TypeVar("T")

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", envvar=CONFIG_ENV, help="The settings file (TOML)."),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Send without asking.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
AssetArgument = Annotated[str, typer.Argument(metavar="MINT|SYMBOL", help="The asset, by mint or symbol.")]
PersonOption = Annotated[
    str | None, typer.Option("--person", help="Who decides this; by default the name of this account.")
]

_opened: list[Settings] = []


def open_settings(config: Path | None, *, quiet: bool = True, **overrides: Any) -> Settings:
    """The settings, with logging set up by them. `quiet`: a command that prints a result logs problems only."""
    settings = load_settings(config, **overrides)
    _opened[:] = [settings]
    logging = LoggingSettings(format="console", level="error") if quiet else settings.logging
    configure_logging(logging)
    return settings


def open_settings_of_a_role(config: Path | None) -> Settings:
    """The settings for a command of the issuer's other roles: nothing of it is the journal's, so nobody needs one."""
    return open_settings(config, live=False, journal=JournalSettings(path=Path(os.devnull)))


def opened_settings() -> Settings | None:
    """The settings of the running command, for error messages."""
    return _opened[0] if _opened else None


def person_or_account(name: str | None) -> str:
    """The person that was named, or this account's name."""
    return name or getpass.getuser()


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run asynchronous work to its end."""
    return asyncio.run(work)
