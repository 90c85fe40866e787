"""One version for daemon, program, IDL and localnet; the licence stands in every manifest."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from tests.repo.files import ROOT, text_of, tracked
from xstocks_daemon import __version__

CARGO_WORKSPACE = Path("programs/Cargo.toml")


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(text_of(path))


def test_the_program_the_idl_and_the_localnet_have_the_daemons_version() -> None:
    assert _toml(CARGO_WORKSPACE)["workspace"]["package"]["version"] == __version__
    assert json.loads(text_of(Path("idl/xstocks_mint.json")))["metadata"]["version"] == __version__
    assert _toml(Path("localnet/pyproject.toml"))["project"]["version"] == __version__
    assert _toml(Path("pyproject.toml"))["project"]["dynamic"] == ["version"]


def test_the_programs_bytes_say_their_version_and_where_to_report_a_weakness() -> None:
    program = (ROOT / "programs/deploy/xstocks_mint.so").read_bytes()
    begin = program.index(b"=======BEGIN SECURITY.TXT V1=======\0")
    fields = program[begin : program.index(b"=======END SECURITY.TXT V1", begin)].split(b"\0")[1:]
    said = dict(zip(fields[::2], fields[1::2], strict=False))
    repository = _toml(CARGO_WORKSPACE)["workspace"]["package"]["repository"]
    assert said[b"source_release"].decode() == f"v{__version__}"
    assert said[b"source_code"].decode() == repository
    assert said[b"contacts"].decode() == f"link:{repository}/security/advisories/new"
    assert f"{repository}/security/advisories/new" in text_of(Path("SECURITY.md"))


def test_every_manifest_names_the_licence_that_is_there() -> None:
    assert "Apache License" in text_of(Path("LICENSE"))
    for path in tracked("pyproject.toml", "localnet/pyproject.toml"):
        assert _toml(path)["project"]["license"] == "Apache-2.0", path
    assert _toml(CARGO_WORKSPACE)["workspace"]["package"]["license"] == "Apache-2.0"
    manifests = [path for path in tracked("programs/**/Cargo.toml") if path != CARGO_WORKSPACE]
    assert len(manifests) >= 4
    for path in manifests:
        package = _toml(path)["package"]
        assert package["license"] == {"workspace": True}, path
        assert package["version"] == {"workspace": True}, path


def test_the_project_has_one_address() -> None:
    urls = _toml(Path("pyproject.toml"))["project"]["urls"]
    repository = _toml(CARGO_WORKSPACE)["workspace"]["package"]["repository"]
    assert urls["Repository"] == repository
    assert f"repo_url: {repository}\n" in text_of(Path("mkdocs.yml"))
    assert f"{repository}/security/advisories/new" in text_of(Path(".github/ISSUE_TEMPLATE/config.yml"))
