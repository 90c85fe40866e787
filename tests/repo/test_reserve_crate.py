"""The crate for integrators, as it would be published: every function has an example (which cargo runs)."""

from __future__ import annotations

import re

from tests.repo.files import text_of, tracked

_PUBLIC = re.compile(r"((?: *///[^\n]*\n)*)(?: *#\[[^\n]*\n)* *pub (?:const )?fn (\w+)")
#: Modules whose functions no other crate can call.
_PRIVATE = {"bytes.rs", "entry.rs", "nano.rs"}


def test_every_public_function_has_an_example() -> None:
    without, seen = [], 0
    for path in tracked("programs/xstocks_reserve/src/*.rs"):
        if path.name in _PRIVATE:
            continue
        for docs, name in _PUBLIC.findall(text_of(path)):
            seen += 1
            if "/// ```" not in docs:
                without.append(f"{path}: {name}")
    assert not without
    assert seen >= 26
