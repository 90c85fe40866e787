"""Record what a real validator answers: `.venv/bin/python -m tests.embedded_chain.record`, in the project's root.

Takes solana-test-validator from XSTOCKS_VALIDATOR_BIN or PATH, writes recorded/*.json
beside this file.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from localnet.harness.chains import ChainKind, chain_process
from tests.embedded_chain.envelopes import envelopes
from tests.embedded_chain.probes import probes
from tests.embedded_chain.scenario import answers, play
from tests.embedded_chain.sockets import notifications

RECORDED = Path(__file__).resolve().parent / "recorded"
SLOT_MS = 50


async def ask(kind: ChainKind) -> tuple[str, dict[str, dict[str, Any]]]:
    """The version of a fresh chain of that kind, its answers and its notifications."""
    async with chain_process(kind, slot_ms=SLOT_MS) as chain:
        version = (await chain.call("getVersion"))["solana-core"]
        story = await play(chain)
        found = await answers(story, probes(story, await story.blockhash()))
        return version, {
            "answers": found,
            "envelopes": await envelopes(chain),
            "notifications": await notifications(story),
        }


def main() -> None:
    version, recordings = asyncio.run(ask("validator"))
    RECORDED.mkdir(exist_ok=True)
    for name, content in recordings.items():
        document = {"validator": f"solana-test-validator {version}", name: content}
        (RECORDED / f"{name}.json").write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
