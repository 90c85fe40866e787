#!/usr/bin/env bash
# One command for a localnet: the chain, the program, the custodians and the daemon on this machine.
#   ./localnet.sh demo [--assets N] [--chain embedded|validator] [--validator-bin PATH] [--keep]
#   ./localnet.sh up|down|status      keep a localnet for development
#   ./localnet.sh test [pytest args]  all set-up, then the tests: on the embedded chain, and on solana-test-validator what
#                                     only it can show (--all-chains: everything on both); a worker per processor, or
#                                     as many as XSTOCKS_TEST_WORKERS says
#   ./localnet.sh check               style, types and imports, as CI checks them
#   ./localnet.sh docs                the documentation site, into .localnet/site
#   ./localnet.sh setup               only the Python environments
# Needs bash and Python 3.11 or newer; nothing else. uv is used where it is found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# A run starts a dozen Python processes; compiled modules save each of them two seconds.
unset PYTHONDONTWRITEBYTECODE

die() { printf 'error: %s\n' "$*" >&2; exit 2; }

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3.11 python3 python3.12 python3.13 python3.14; do
    if command -v "$candidate" >/dev/null 2>&1 &&
       "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s' "$candidate"; return
    fi
  done
  die "python: none of version 3.11 or newer on PATH: install python3.11, or name one with PYTHON=/path/to/python3"
}

# make_env DIR LOCK: a virtual environment with exactly the packages of LOCK, each checked by its hash.
make_env() {
  local dir=$1 lock=$2 python stamp
  stamp=$(cksum < "$lock")
  [ -f "$dir/.made-from" ] && [ "$(cat "$dir/.made-from")" = "$stamp" ] && return
  python=$(find_python)
  echo "setup: $dir from $lock"
  if command -v uv >/dev/null 2>&1; then
    uv venv --quiet --clear --python "$python" "$dir"
    uv pip install --quiet --compile-bytecode --python "$dir/bin/python" --require-hashes -r "$lock"
  else
    "$python" -m venv --clear "$dir" ||
      die "python: $python cannot make a virtual environment: install its venv module (Debian: python3-venv)"
    "$dir/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
  fi
  printf '%s' "$stamp" > "$dir/.made-from"
}

# link_project DIR: makes the project importable in DIR and puts its command there; nothing to build.
link_project() {
  "$1/bin/python" - "$PWD" <<'PY'
import pathlib, stat, sys, sysconfig
root = pathlib.Path(sys.argv[1])
pathlib.Path(sysconfig.get_path("purelib"), "xstocks.pth").write_text(f"{root}\n")
command = pathlib.Path(sysconfig.get_path("scripts"), "xstocks")
command.write_text(f"#!{sys.executable}\nfrom xstocks_daemon.cli.main import main\n\nmain()\n")
command.chmod(command.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
PY
}

setup() {
  make_env .venv requirements.lock
  link_project .venv
  make_env localnet/.venv localnet/requirements.lock
}

# check: everything that is checked without running it. The embedded chain's types are those of its own environment;
# the site's hooks are checked where theirs is made, by `docs`.
check() {
  .venv/bin/ruff check .
  .venv/bin/ruff format --check .
  .venv/bin/mypy
  .venv/bin/mypy docs/examples
  .venv/bin/mypy --python-executable localnet/.venv/bin/python --cache-dir .mypy_cache/embedded_chain \
    -p localnet.embedded_chain
  .venv/bin/lint-imports
}

# docs: the documentation site, in an environment of its own; nothing is fetched while it builds.
docs() {
  make_env docs/site/.venv docs/site/requirements.lock
  .venv/bin/mypy --python-executable docs/site/.venv/bin/python --cache-dir .mypy_cache/site docs/site/hooks.py
  docs/site/build.sh "$@"
  echo "docs: .localnet/site/index.html"
}

command=${1:-help}; shift || true
case $command in
  setup)               setup ;;
  demo|up|down|status) setup; exec .venv/bin/python -m localnet.demo "$command" "$@" ;;
  test)                setup; exec .venv/bin/python -m pytest -n "${XSTOCKS_TEST_WORKERS:-auto}" "$@" ;;
  check)               setup; check ;;
  docs)                setup; docs "$@" ;;
  help|-h|--help)      sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" ;;
  *)                   die "command: '$command' is not one of setup, demo, up, down, status, test, check, docs" ;;
esac
