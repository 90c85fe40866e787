"""Compute units of the program's instructions, measured: `python bench/program_cu.py [--json] [--write-docs]`.

Starts an embedded chain with the checked-in program, executes every instruction for real on mints of each profile whose
custodians sign with a quorum of two out of three, and reads what the runtime logs ("Program ... consumed N of M compute
units"). Keys and addresses are fixed, so the figures repeat exactly.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.measure.asset_lifecycle import measure_asset_lifecycle
from bench.measure.batches import measure_batches
from bench.measure.document import Figures, document, tables
from bench.measure.governance import BLANK, measure_governance, measure_initialize, measure_participants
from bench.measure.meter import Meter, seeded
from localnet.harness.chains import ChainStartError
from localnet.harness.deploy import AGENTS, CUSTODIANS, Keys
from localnet.harness.keys import Key
from tests.support.cluster import cluster, program_so
from tests.support.deployed import deploy_program
from xstocks_daemon.chain.program import Profile

DOCS = Path(__file__).resolve().parents[1] / "docs" / "compute-units.md"


def seeded_keys(folder: Path) -> Keys:
    """Fixed keys for every part of a deployment."""

    def key(name: str) -> Key:
        return Key(seeded(name), folder / f"{name}.json")

    return Keys(
        upgrade_authority=key("upgrade_authority"),
        admin=key("admin"),
        operator=key("operator"),
        registrar=key("registrar"),
        guardian=key("guardian"),
        resumer=key("resumer"),
        compliance=key("compliance"),
        corporate_actions=key("corporate_actions"),
        custodians={name: key(f"attester {name}") for name in CUSTODIANS},
        agents={name: key(f"attester {name}") for name in AGENTS},
    )


async def measure() -> Figures:
    """Start the embedded chain, measure, stop it. Raises ChainStartError; AssertionError or ValueError where something
    is refused, or measured without a meaning."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        keys = seeded_keys(Path(folder))
        async with cluster("embedded", Path(folder), keys=keys, also={BLANK: program_so()}) as started:
            version = await started.chain.rpc.call("getVersion")
            meter = Meter(started.chain)
            await measure_initialize(meter, started)
            program = await deploy_program(started.chain, keys, started.client)
            await measure_participants(meter, program)
            for profile in Profile:
                await measure_asset_lifecycle(meter, program, profile)
            batches = await measure_batches(meter, program)
            await measure_governance(meter, program)
            return Figures(
                units=meter.units,
                batches=batches,
                instructions=frozenset(meter.instructions),
                chain="embedded (LiteSVM)",
                version=str(version["solana-core"]),
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exit code 1 where nothing could be measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    parser.add_argument("--write-docs", action="store_true", help=f"write {DOCS.name} too")
    options = parser.parse_args(arguments)
    try:
        figures = asyncio.run(measure())
    except ChainStartError as error:
        print(f"program_cu: {error}", file=sys.stderr)
        return 1
    if options.write_docs:
        DOCS.write_text(document(figures), encoding="utf-8")
    print(json.dumps(figures.as_json()) if options.json else f"{figures.chain} {figures.version}\n\n{tables(figures)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
