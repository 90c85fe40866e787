"""The Rust sources: no circle between files, and no file that is too long to be read at once.

A file leads to each file whose names it uses, and to the modules that it declares: so a folder's mod.rs only declares
and hands on, and what two of its files share stands in a third. Tests inside a file may use what they test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).resolve().parents[2] / "programs"
CRATES = ("xstocks_mint", "xstocks_reserve", "examples/lending_gate", "testing/lying_token", "testing/small_multisig")
MOST_LINES = 450

Module = tuple[str, ...]
"""A module's path from the crate's root, which is the empty one."""

_TESTS = re.compile(r"^#\[cfg\(test\)\]\n(?:mod \w+ \{.*|mod \w+;\n)", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"//.*")
_DECLARED = re.compile(r"^(?:pub(?:\(crate\))? )?mod (\w+);", re.MULTILINE)
_USED = re.compile(r"^(?:pub(?:\(crate\))? )?use ((?:super|self)::.*?);", re.MULTILINE | re.DOTALL)
_FROM_ROOT = re.compile(r"\bcrate::(\{[^;]*\}|\w+(?:::\w+)*(?:::\{[^;]*\})?)", re.DOTALL)


def leaves_of(tree: str) -> Iterator[Module]:
    """The paths of a use tree: `a::{b, c::d}` has a::b and a::c::d."""
    depth, start = 0, 0
    parts: list[str] = []
    for at, character in enumerate(f"{tree},"):
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            parts.append(tree[start:at].strip())
            start = at + 1
    for part in filter(None, parts):
        head, brace, rest = part.partition("{")
        names = tuple(name for name in head.strip().split("::") if name)
        if not brace:
            yield names
        else:
            yield from (names + leaf for leaf in leaves_of(rest.rstrip().removesuffix("}")))


def modules_of(source: Path) -> Mapping[Module, Path]:
    """The files of a crate by their modules."""
    found: dict[Module, Path] = {}
    for path in sorted(source.rglob("*.rs")):
        parts = path.relative_to(source).with_suffix("").parts
        if parts[0] != "bin":
            found[() if parts == ("lib",) else parts[:-1] if parts[-1] == "mod" else parts] = path
    return found


def uses_of(module: Module, text: str, modules: Mapping[Module, Path]) -> set[Module]:
    """The modules that a file leads to."""
    text = _COMMENT.sub("", _TESTS.sub("", text))
    paths = [(*module, name) for name in _DECLARED.findall(text)]
    for tree in _FROM_ROOT.findall(text):
        paths += leaves_of(tree)
    for tree in _USED.findall(text):
        for leaf in leaves_of(tree):
            paths.append(module[:-1] + leaf[1:] if leaf[0] == "super" else module + leaf[1:])
    return {deepest(path, modules) for path in paths} - {module}


def deepest(path: Module, modules: Mapping[Module, Path]) -> Module:
    """The module that a path's name is of."""
    while path not in modules:
        path = path[:-1]
    return path


def circle_in(graph: Mapping[Module, set[Module]]) -> list[Module]:
    """The modules of one circle, empty where there is none."""
    done: set[Module] = set()

    def walk(module: Module, above: list[Module]) -> list[Module]:
        if module in above:
            return above[above.index(module) :]
        if module in done:
            return []
        found = next(filter(None, (walk(each, [*above, module]) for each in sorted(graph[module]))), [])
        done.add(module)
        return found

    return next(filter(None, (walk(module, []) for module in graph)), [])


@pytest.mark.parametrize("crate", CRATES)
def test_no_two_files_need_each_other(crate: str) -> None:
    modules = modules_of(PROGRAMS / crate / "src")
    assert () in modules
    graph = {module: uses_of(module, path.read_text(encoding="utf-8"), modules) for module, path in modules.items()}
    assert len(modules) == 1 or any(graph.values())
    assert [str(modules[module].relative_to(PROGRAMS)) for module in circle_in(graph)] == []


def test_a_circle_would_be_found() -> None:
    texts = {
        (): "mod a;\nmod b;\n",
        ("a",): "use crate::{b::{self, Thing}, c};\n",
        ("b",): "#[cfg(test)]\nmod tests {\n    use crate::a::Other;\n}\n",
    }
    modules = {module: Path("/".join(module)) for module in texts}
    graph = {module: uses_of(module, text, modules) for module, text in texts.items()}
    # What a does not find in a module, such as c, it takes from the root.
    assert graph == {(): {("a",), ("b",)}, ("a",): {("b",), ()}, ("b",): set()}
    assert circle_in(graph) == [(), ("a",)]
    graph[("a",)].discard(())
    assert circle_in(graph) == []
    graph[("b",)] = uses_of(("b",), "use super::a::Other;\n", modules)
    assert circle_in(graph) == [("a",), ("b",)]


def test_no_file_is_too_long_to_be_read() -> None:
    files = [path for folder in CRATES for path in (PROGRAMS / folder).rglob("*.rs") if "target" not in path.parts]
    assert files
    long = {
        str(path.relative_to(PROGRAMS)): lines
        for path in files
        if (lines := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert long == {}
