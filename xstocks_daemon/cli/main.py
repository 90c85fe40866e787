"""`xstocks`: the operator's and the custodian's command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from xstocks_daemon import __version__
from xstocks_daemon.cli.output import ERRORS, print_faults
from xstocks_daemon.errors import EXIT_USAGE, UserError

INTERRUPTED = 130
ATTESTER = "attester"


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script. Exit codes: 0 done, 1 failed, 2 the user's mistake; never a traceback for a mistake."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code."""
    try:
        code = _app(arguments)(args=list(arguments), prog_name="xstocks", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except typer.TyperException as error:
        return _usage(error)
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except typer.Exit as leave:
        return leave.exit_code
    except Exception as error:
        known = _known(error)
        if known is None:
            raise
        print_faults(known)
        return known.exit_code


def _app(arguments: Sequence[str]) -> typer.Typer:
    """The commands; for a sidecar's only those, since the daemon's load the journal's database libraries."""
    app = typer.Typer(
        name="xstocks",
        help="Keeps the supply of tokenised shares equal to the shares in custody.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    from xstocks_daemon.cli import attester

    if arguments[:1] != [ATTESTER]:
        from xstocks_daemon.cli import approvals, daemon, handover, orders, program, proposals, queries

        for commands in (daemon, queries, orders, approvals, handover, proposals):
            commands.add_to(app)
        app.add_typer(program.program_app(filled=program.PROGRAM in arguments[:1]), name=program.PROGRAM)
    app.add_typer(attester.attester_app, name=ATTESTER)
    return app


def _say_version(asked: bool) -> None:
    if asked:
        # The interface takes a moment to load, so only where it is asked for.
        from xstocks_daemon.chain.program.idl import load_interface

        idl = load_interface().idl
        typer.echo(f"xstocks {__version__} (program {idl.name} {idl.version})")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_say_version, help="Say the versions and leave.")
    ] = False,
) -> None:
    """Options of `xstocks` itself; the help text is the app's."""


def _known(error: Exception) -> UserError | None:
    """The lines of an error that a user should see so; None for a bug."""
    from xstocks_daemon.app.runtime import as_user_error
    from xstocks_daemon.cli.common import opened_settings

    return as_user_error(error, opened_settings())


def _usage(error: typer.TyperException) -> int:
    """A command line that does not parse: one line, with the command it is about."""
    message: str = getattr(error, "format_message", lambda: str(error))()
    context = getattr(error, "ctx", None)
    command = "xstocks" if context is None else " ".join(["xstocks", *context.command_path.split()[1:]])
    if message:  # without one, no command was given and its help is printed already
        ERRORS.print(f"error: {command}: {' '.join(message.split())}: `{command} --help` lists what it takes")
    return EXIT_USAGE
