"""No file that nobody reads to its end, no circle between files."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

from tests.repo.files import text_of, tracked

MAX_LINES = 450
CODE = ("*.py", "*.rs", "*.sh", "*.mjs", "*.ts", ".ci/*")
#: Tables of data: what is in them is looked up, not read through.
TABLES = ("tests/mutants/program/catalogue.py", "tests/mutants/python/")


def test_no_file_is_above_the_limit() -> None:
    long = {
        str(path): lines
        for path in tracked(*CODE)
        if (lines := text_of(path).count("\n")) > MAX_LINES and not str(path).startswith(TABLES)
    }
    assert not long


def test_the_tables_that_are_excepted_exist() -> None:
    for table in TABLES:
        assert any(str(path).startswith(table) for path in tracked("*.py")), table


@pytest.mark.parametrize("package", ["xstocks_daemon", "localnet"])
def test_no_circle_between_python_files(package: str) -> None:
    graph = grimp.build_graph(package, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(imports) > 20
    TopologicalSorter(imports).prepare()


def test_a_circle_would_be_seen() -> None:
    with pytest.raises(CycleError):
        TopologicalSorter({"a": {"b"}, "b": {"a"}}).prepare()


def test_what_a_newcomer_looks_for_is_there() -> None:
    for name in (
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        ".editorconfig",
        ".pre-commit-config.yaml",
        ".github/workflows/ci.yml",
        ".github/workflows/nightly.yml",
        "mkdocs.yml",
        "docs/design.md",
        "docs/glossary.md",
    ):
        assert text_of(Path(name)), name
