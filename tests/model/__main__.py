"""python -m tests.model: explore a world, or all small ones, and print what was found.

Exit codes: 0 nothing bad, 1 unbacked tokens or a stuck state, 2 bad arguments or more states than allowed.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from tests.model.explore import Result, TooManyStates, explore
from tests.model.rules import Kind, Rule
from tests.model.scenarios import SMALL, WORLDS
from tests.model.shown import write_docs
from tests.model.words import action_words, ending, state_words, trace_words


def main() -> int:
    """Run; gives the exit code."""
    args = _arguments()
    if args.write_docs:
        write_docs()
        return 0
    taken_away = frozenset(Rule[name] for name in args.without)
    if args.design:
        taken_away |= {rule for rule in Rule if rule.kind is Kind.AMENDMENT}
    found = False
    for name in args.bound or SMALL:
        try:
            result = explore(WORLDS[name], taken_away, liveness=not args.safety_only, max_states=args.max_states)
        except TooManyStates as error:
            print(f"{name}: {error}; raise --max-states", file=sys.stderr)
            return 2
        found = found or result.problem is not None
        print(json.dumps(_as_json(name, result)) if args.json else _as_text(name, result), flush=True)
    return 1 if found else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.model", description="Explore the model of the money rules.")
    rules, worlds = [rule.name for rule in Rule], list(WORLDS)
    parser.add_argument("--without", action="append", default=[], choices=rules, metavar="RULE", help=", ".join(rules))
    parser.add_argument("--design", action="store_true", help="without the amendments: the design as it stands")
    parser.add_argument("--bound", action="append", choices=worlds, metavar="WORLD", help=", ".join(worlds))
    parser.add_argument("--safety-only", action="store_true", help="do not search for stuck states")
    parser.add_argument("--max-states", type=int, default=10_000_000, help="stop above so many (default 10,000,000)")
    parser.add_argument("--json", action="store_true", help="a JSON object a line")
    parser.add_argument("--write-docs", action="store_true", help="write the generated part of the docs")
    return parser.parse_args()


def _as_text(name: str, result: Result) -> str:
    found = f"{result.states} states, {result.transitions} transitions, depth {result.depth}, {result.seconds:.1f} s"
    head = f"{name}: {found}: {ending(result) if result.trace else 'nothing bad'}"
    return f"{head}\n{trace_words(result)}" if result.trace else head


def _as_json(name: str, result: Result) -> dict[str, Any]:
    return {
        "world": name,
        "states": result.states,
        "transitions": result.transitions,
        "depth": result.depth,
        "seconds": round(result.seconds, 2),
        "problem": result.problem.value if result.problem else None,
        "trace": [{"step": action_words(step.action), "state": state_words(step.state)} for step in result.trace],
    }


if __name__ == "__main__":
    sys.exit(main())
