"""The golden vectors are what their generator makes, and it knows nothing of the product."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from tests.vectors import generate


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return generate.files()


@pytest.mark.parametrize("name", ["capacity.json", "lacking.json", "statement.json", "intent.json"])
def test_making_the_vectors_again_gives_the_same_file(made: dict[str, str], name: str) -> None:
    assert (generate.HERE / name).read_text() == made[name]


def test_a_vector_is_made_of_what_it_says(monkeypatch: pytest.MonkeyPatch, made: dict[str, str]) -> None:
    monkeypatch.setattr(generate, "PROGRAM", generate.GENESIS)
    other = generate.files()
    assert [name for name in made if made[name] != other[name]] == ["statement.json", "intent.json"]


def test_the_generator_imports_the_standard_library_alone() -> None:
    tree = ast.parse(Path(generate.__file__).read_text())
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported
    assert imported <= set(sys.stdlib_module_names)


def test_ed25519_is_that_of_the_rfc() -> None:
    """The first of the test vectors in RFC 8032, for the empty message."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public, signature = generate.signed(seed, b"")
    assert public.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert signature.hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
