"""What people and logs see: one line for each problem, and never a secret."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from xstocks_daemon.app.logging import configure_logging, get_logger
from xstocks_daemon.app.settings import LoggingSettings
from xstocks_daemon.errors import Fault, UserError, operation_error, user_error
from xstocks_daemon.redaction import redact_urls


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:pass@rpc.example:8443/v2/token?key=1 is down", "https://rpc.example:8443/... is down"),
        ("http://127.0.0.1:8899", "http://127.0.0.1:8899"),
        ("ws://[::1]:8900/abc", "ws://[::1]:8900/..."),
        ("http://host:port/x", "(hidden)"),
        (
            "at http://host/secret: no answer (see http://other/secret).",
            "at http://host/...: no answer (see http://other/...).",
        ),
        ("no url here", "no url here"),
    ],
)
def test_urls_are_cut_to_scheme_host_and_port(text: str, shown: str) -> None:
    assert redact_urls(text) == shown


def test_a_problem_is_one_line_whatever_the_value() -> None:
    assert Fault("field", "two\nlines", "do this").line() == "field: two lines: do this"
    error = UserError(Fault("a", "1", "x"), Fault("b", "2", "y"))
    assert str(error).splitlines() == ["a: 1: x", "b: 2: y"]


def test_mistakes_and_failures_have_their_exit_codes() -> None:
    assert user_error("a", 1, "x").exit_code == 2
    assert operation_error("a", 1, "x").exit_code == 1


@pytest.fixture
def lines() -> io.StringIO:
    return io.StringIO()


def test_the_log_is_json_without_secrets(lines: io.StringIO) -> None:
    try:
        configure_logging(LoggingSettings(level="debug"), lines)
        get_logger("test").info(
            "asked",
            url="https://u:p@host/secret",
            bearer_token="hush",
            nested={"password": "hush", "amount_raw": 5},
            listed=["http://h/secret"],
            key_bytes=b"\x01",
        )
        logging.getLogger("library").warning("GET %s", "http://h/secret")
    finally:
        structlog.reset_defaults()
    ours, library = (json.loads(line) for line in lines.getvalue().splitlines())
    assert ours["url"] == "https://host/..."
    assert ours["bearer_token"] == ours["nested"]["password"] == "(hidden)"
    assert (ours["nested"]["amount_raw"], ours["listed"], ours["room"]) == (5, ["http://h/..."], "test")
    assert library["event"] == "GET http://h/..."
    assert "hush" not in lines.getvalue()
    assert "secret" not in lines.getvalue()


def test_a_level_below_the_settings_is_not_written(lines: io.StringIO) -> None:
    try:
        configure_logging(LoggingSettings(level="warning"), lines)
        get_logger("test").info("quiet")
        get_logger("test").warning("loud")
    finally:
        structlog.reset_defaults()
    assert [json.loads(line)["event"] for line in lines.getvalue().splitlines()] == ["loud"]
