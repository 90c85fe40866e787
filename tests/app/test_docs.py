"""docs/operator.md names every setting with its default, every halt, every metric and every command."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from xstocks_daemon.app.metrics import Metrics
from xstocks_daemon.app.settings import _SECTIONS, Settings
from xstocks_daemon.cli.main import _app
from xstocks_daemon.domain.plan_inputs import HaltReason

DOC = (Path(__file__).resolve().parents[2] / "docs" / "operator.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(?P<key>[a-z0-9_.]+)` \| (?P<default>[^|]+) \|", re.MULTILINE)


def settings_fields() -> Iterator[tuple[str, FieldInfo]]:
    """Every key as the settings file writes it, with its field."""
    for name, field in Settings.model_fields.items():
        section: type[BaseModel] | None = _SECTIONS.get(name)
        if section is None:
            yield name, field
            continue
        for key, inner in section.model_fields.items():
            yield f"{name}.{key}", inner


def default_text(key: str, field: FieldInfo) -> str:
    """The default as the table writes it: as TOML, `none`, or required."""
    if key == "operator.key_file":
        return "required if live"
    if field.is_required():
        return "required"
    if field.default is None:
        return "none"
    return f"`{TypeAdapter(object).dump_json(field.default).decode()}`"


def test_the_table_of_settings_has_every_key_with_its_default() -> None:
    start = DOC.index("| key | default | meaning |")
    table = DOC[start : DOC.index("\n\n", start)]
    documented = {row["key"]: row["default"].strip() for row in ROW.finditer(table)}
    assert documented == {key: default_text(key, field) for key, field in settings_fields()}


def test_the_example_of_settings_is_valid(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t")
    example = tomllib.loads(DOC.split("```toml\n")[1].split("```")[0])
    for custodian in example["custodians"]:
        custodian["token_file"] = str(tmp_path / "token")
    assert Settings(**example).live


def test_every_halt_is_documented() -> None:
    documented = set(
        re.findall(r"^\| `([a-z_]+)` \|", DOC[DOC.index("## Halts") : DOC.index("## Metrics")], re.MULTILINE)
    )
    assert documented == {reason.value for reason in HaltReason}


def test_every_metric_is_documented_with_its_labels() -> None:
    documented = set(re.findall(r"^\| `(xstocks_[a-z_]+)(?:\{([a-z,]+)\})?` \|", DOC, re.MULTILINE))
    metrics = Metrics([1])
    served = set()
    for family in metrics.registry.collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        served.add((name, frozenset(labels)))
    assert {(name, frozenset(labels.split(",")) - {""}) for name, labels in documented} == served


def command_names() -> list[str]:
    """The commands and groups that `xstocks` has."""
    group = typer.main.get_group(_app([]))
    return sorted(group.commands)


@pytest.mark.parametrize("command", command_names())
def test_every_command_is_documented(command: str) -> None:
    assert f"`xstocks {command}" in DOC or f"`{command}`" in DOC
