"""What the documents say of `xstocks program` is so."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.chain.cases import KEY
from tests.cli.program_options import INTERFACE, LIMITS, Read
from xstocks_daemon.chain.addresses import base58

DOCS = Path(__file__).parents[2] / "docs"
_PLACEHOLDER = re.compile(r"\b[A-Z][A-Z_]*\b")


def examples() -> list[tuple[str, str]]:
    """Every `xstocks program INSTRUCTION` that stands in a block of a document, with the document's name."""
    found = []
    for path in sorted(DOCS.glob("*.md")):
        for block in re.findall(r"```sh\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
            text = "\n".join(line for line in block.splitlines() if not line.startswith("#"))
            found += [
                (path.name, f"xstocks program {each}") for each in re.split(r"^xstocks program ", text, flags=re.M)[1:]
            ]
    return [each for each in found if each[1].split()[2] not in ("sign", "send")]


@pytest.mark.parametrize(("document", "example"), examples())
def test_every_example_of_the_documents_is_a_command_line_that_is_understood(
    document: str, example: str, read: Read, key_file: Path
) -> None:
    policy = json.dumps(LIMITS)
    words: list[str] = []
    for word in shlex.split(
        example.replace("\\\n", " ").replace('"$(cat policy.json)"', shlex.quote(policy)), posix=True
    )[2:]:
        if words and words[-1] == "--country":
            words.append(word)
            continue
        words.append(str(key_file) if word.endswith(".json") else _PLACEHOLDER.sub(base58(KEY), word))
    read(words[0], *words[1:])


def test_there_is_an_example_for_every_role() -> None:
    text = " ".join(example for document, example in examples() if document == "operator.md")
    for role in (*INTERFACE.roles, "wallet"):
        file = {"pending_admin": "heir", "operator": "settle-redemption"}.get(role, role).replace("_", "-")
        assert file in text


def test_what_is_under_the_timelock_is_listed() -> None:
    text = (DOCS / "operator.md").read_text(encoding="utf-8")
    listed = text[text.index("- **Under the timelock**") :].partition("):")[0]
    names = {name.replace("_", "-") for name in INTERFACE.accounts_of if name in INTERFACE.timelocked}
    assert set(re.findall(r"`([a-z-]+)`", listed)) == names


def test_the_settings_of_a_role_are_valid(monkeypatch: pytest.MonkeyPatch, read: Read, settings: Path) -> None:
    text = (DOCS / "operator.md").read_text(encoding="utf-8")
    settings.write_text(text[text.index("## Other roles") :].split("```toml\n")[1].split("```")[0])
    read("accept-admin")
