"""Makes the documents that exist into a site: the README is its first page, and links to files that are no pages
(sources, other folders) lead to the repository."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

_ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)")
_DIAGRAMS = "assets/mermaid.min.js"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The script that draws diagrams, where `./localnet.sh docs` could get it; else they are shown as their text."""
    if (_ROOT / ".localnet/site-assets/mermaid.min.js").exists():
        config.extra_javascript.append(_DIAGRAMS)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """README.md as index.md, and the script beside it."""
    readme = (_ROOT / "README.md").read_text(encoding="utf-8")
    files.append(File.generated(config, "index.md", content=_from_root(readme)))
    if _DIAGRAMS in config.extra_javascript:
        script = _ROOT / ".localnet/site-assets/mermaid.min.js"
        files.append(File.generated(config, _DIAGRAMS, abs_src_path=str(script)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files, **_: Any) -> str:
    """Links out of docs/ lead to the repository."""
    folder = posixpath.dirname(page.file.src_uri)

    def absolute(match: re.Match[str]) -> str:
        target = match.group(1)
        path = posixpath.normpath(posixpath.join(folder, target))
        if files.get_file_from_path(path) is not None or path.startswith("assets/"):
            return target
        repository_path = posixpath.normpath(posixpath.join("docs", path))
        found = _ROOT / repository_path
        if not found.exists():
            return target  # mkdocs says that it is missing
        kind = "tree" if found.is_dir() else "blob"
        return f"{config.repo_url}/{kind}/main/{repository_path}"

    return _LINK.sub(absolute, markdown)


def _from_root(readme: str) -> str:
    """Links of the README as they are from docs/."""

    def moved(match: re.Match[str]) -> str:
        target = match.group(1)
        return target.removeprefix("docs/") if target.startswith("docs/") else f"../{target}"

    return _LINK.sub(moved, readme)
