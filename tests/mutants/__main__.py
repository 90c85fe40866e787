"""python -m tests.mutants [--python]: plant the bugs one at a time and say which test kills each.

Exit codes: 0 all killed or explained, 1 a survivor, a bug that does not build or one that hangs, 2 bad arguments or a
broken suite.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

from tests.mutants.mutant import Mutant
from tests.mutants.program import PROGRAM
from tests.mutants.python import PYTHON
from tests.mutants.suite import Suite
from tests.mutants.table import killers, write_docs
from tests.mutants.workshop import Outcome, SuiteBroken, Verdict, Workshop


def main() -> int:
    """Run; gives the exit code."""
    args = _arguments()
    suite = PYTHON if args.python else PROGRAM
    by_name = {each.name: each for each in suite.mutants}
    if unknown := [name for name in args.only if name not in by_name]:
        print(f"error: no such bug of the {suite.subject}: {', '.join(unknown)}", file=sys.stderr)
        return 2
    chosen = [by_name[name] for name in args.only] or list(suite.mutants)
    os.nice(10)
    verdicts: list[Verdict] = []
    try:
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
            _judge_all(suite, chosen, args, Path(folder), verdicts)
    except SuiteBroken as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    finally:
        if args.write_docs:
            write_docs(suite, verdicts)
    explained = {each.name for each in chosen if each.equivalent}
    bad = [each for each in verdicts if not _good(each, explained)]
    if not args.json:
        print(
            f"{len(verdicts)} bugs, {len(bad)} neither killed nor explained: {', '.join(each.mutant for each in bad)}"
        )
    return 1 if bad else 0


def _good(verdict: Verdict, explained: set[str]) -> bool:
    survived = verdict.outcome is Outcome.SURVIVED and verdict.mutant in explained
    return verdict.outcome is Outcome.KILLED or survived


def _judge_all(
    suite: Suite, chosen: Sequence[Mutant], args: argparse.Namespace, folder: Path, verdicts: list[Verdict]
) -> None:
    made = [suite.workshop(folder / str(number)) for number in range(args.jobs)]
    try:
        _judge_in(made, suite, chosen, args, verdicts)
    finally:
        for each in made:
            each.close()


def _judge_in(
    made: Sequence[Workshop], suite: Suite, chosen: Sequence[Mutant], args: argparse.Namespace, verdicts: list[Verdict]
) -> None:
    workshops: queue.SimpleQueue[Workshop] = queue.SimpleQueue()
    for each in made:
        workshops.put(each)
    if not args.skip_baseline:
        first = workshops.get()
        first.baseline(chosen)
        workshops.put(first)

    known = killers(suite)

    def judge(mutant: Mutant) -> Verdict:
        workshop = workshops.get()
        try:
            return workshop.judge(mutant, killer=known.get(mutant.name, ""))
        finally:
            workshops.put(workshop)

    with ThreadPoolExecutor(args.jobs) as pool:
        running = [pool.submit(judge, mutant) for mutant in chosen]
        try:
            for done in as_completed(running):
                verdict = done.result()
                verdicts.append(verdict)
                print(_shown(verdict, as_json=args.json), flush=True)
        finally:
            pool.shutdown(cancel_futures=True)


def _shown(verdict: Verdict, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(asdict(verdict))
    return f"{verdict.mutant}: {verdict.outcome} {verdict.killed_by}".rstrip()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Plant bugs and see the tests fail.")
    parser.add_argument("--python", action="store_true", help="bugs of the daemon instead of the program's")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="try this bug (repeatable)")
    parser.add_argument("--jobs", type=int, choices=range(1, 65), default=1, metavar="N", help="at a time (default 1)")
    parser.add_argument("--skip-baseline", action="store_true", help="do not run the tests without a bug first")
    parser.add_argument("--json", action="store_true", help="a JSON object a line")
    parser.add_argument("--write-docs", action="store_true", help="write the page in docs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
