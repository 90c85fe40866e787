#!/usr/bin/env bash
# Builds the documentation site into .localnet/site (called by ./localnet.sh docs, which makes the environment).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# The script that draws the diagrams, by its hash. The theme would ask a stranger's host for it in the reader's browser.
mermaid=mermaid@11.12.0
sha256=93492e4d609be83653a41c435f4cbd7e74419f7fa6b4fc90a8c983195f64af82
assets=.localnet/site-assets
if [ ! -f "$assets/mermaid.min.js" ]; then
  mkdir -p "$assets"
  if command -v npm >/dev/null && (cd "$assets" && npm pack --silent "$mermaid" >/dev/null); then
    echo "$sha256  $assets/${mermaid/@/-}.tgz" | sha256sum --check --quiet
    tar -xzf "$assets/${mermaid/@/-}.tgz" -C "$assets" --strip-components=2 package/dist/mermaid.min.js
    rm "$assets/${mermaid/@/-}.tgz"
  else
    echo "docs: npm is not found: diagrams are shown as text"
  fi
fi
NO_MKDOCS_2_WARNING=1 exec docs/site/.venv/bin/mkdocs build --strict --quiet "$@"
