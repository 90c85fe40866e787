"""Where bugs of the program are tried: a copy of the program's sources, built with one bug at a time and tested."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.mutant import ROOT, Mutant
from tests.mutants.suite import named_test
from tests.mutants.workshop import Endless, Outcome, SuiteBroken, Verdict, first_failure, run
from tests.support.cluster import PROGRAM_SO_ENV

SOURCES = Path("programs") / "xstocks_mint" / "src"
TESTS = Path("tests") / "program"
PACKAGE = "xstocks_mint"
#: What the program's own build and host tests read.
_COPIED = ("programs", "idl", "tests/vectors", "docs")
#: Not about what the program does, or slow and random: last.
_LEFT_OUT = ("test_compute_units.py", "test_errors.py")
_LAST = ("test_model.py", "test_fuzz.py")
_TIMEOUT_SECS = 900.0
_ATTEMPTS = 3
#: The error of a check stands so near behind it.
_NEAR = 160
_ERROR = re.compile(r"\bError::(\w+)")
#: So many of the tests that assert it are tried before whole files.
_ASSERTING = 6
_OF_THE_MACHINE = re.compile(r"\b(ChainError|RpcUnreachable|TimeoutError|OSError|ConnectionError|FileNotFoundError)\b")
_RUST_FAILED = re.compile(r"^test (\S+) \.\.\. FAILED$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ProgramWorkshop:
    """A folder with copied sources; its build output stays between bugs, so each costs seconds."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> ProgramWorkshop:
        """Copy the sources."""
        for part in _COPIED:
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("target"))
        return cls(folder)

    def baseline(self, chosen: Sequence[Mutant]) -> None:
        """All tests pass without a bug, whatever is chosen. SuiteBroken otherwise."""
        if (failed := self._host_tests()) is not None:
            raise SuiteBroken(f"a host test fails without a bug: {failed[1]}")
        built = self._build()
        if built is None:
            raise SuiteBroken("the program does not build without a bug: run programs/build.sh")
        if (failed := _run_pytest(built, _files(()))) is not None:
            raise SuiteBroken(f"a test fails without a bug: {failed[1]}")

    def judge(self, mutant: Mutant, *, killer: str = "") -> Verdict:
        """Plant it, build, test, take it out again. `killer` is the test that killed it last time: it goes first."""
        path = self.folder / SOURCES / mutant.file
        original = path.read_text(encoding="utf-8")
        path.write_text(mutant.applied(original), encoding="utf-8")
        try:
            return self._judged(mutant, original, killer)
        finally:
            path.write_text(original, encoding="utf-8")

    def close(self) -> None:
        """Nothing was started that has not ended."""

    def _judged(self, mutant: Mutant, original: str, killer: str) -> Verdict:
        if "#[cfg(test)]" in original:
            if self._cargo("test", "--no-run").returncode != 0:
                return Verdict(mutant.name, Outcome.NOT_BUILT)
            if (failed := self._host_tests()) is not None:
                return Verdict(mutant.name, Outcome.KILLED, *failed)
        built = self._build()
        if built is None:
            return Verdict(mutant.name, Outcome.NOT_BUILT)
        first = [killer] if killer.startswith("tests/") else _asserting(mutant, original)
        for tests in (first, _files(mutant.tests)):
            if tests and (failed := _run_pytest(built, tests)) is not None:
                return Verdict(mutant.name, Outcome.KILLED, *failed)
        return Verdict(mutant.name, Outcome.SURVIVED)

    def _cargo(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ("cargo", *arguments, "--package", PACKAGE, "--features", "idl")
        return run(command, self.folder / "programs", None, _TIMEOUT_SECS)

    def _host_tests(self) -> tuple[str, str] | None:
        """The first host test that fails, and its line; None where all pass."""
        done = self._cargo("test")
        if done.returncode == 0:
            return None
        failed = _RUST_FAILED.search(done.stdout)
        if failed is None:
            raise SuiteBroken(f"cargo test ended with {done.returncode}: {done.stderr[-2_000:]}")
        return f"cargo test {failed[1]}", failed[0]

    def _build(self) -> Path | None:
        """The program, None where it does not build."""
        built = self.folder / "programs" / "deploy" / f"{PACKAGE}.so"
        built.unlink(missing_ok=True)
        command = (str(self.folder / "programs" / "build.sh"), PACKAGE)
        done = run(command, self.folder / "programs", None, _TIMEOUT_SECS)
        if done.returncode == 2:
            raise SuiteBroken(done.stderr.strip())
        return built if done.returncode == 0 and built.exists() else None


def _asserting(mutant: Mutant, original: str) -> list[str]:
    """Tests that assert the error of the check that is taken away: the error named in it or next after it."""
    at = original.index(mutant.source)
    named = _ERROR.search(original, at, at + len(mutant.source) + _NEAR)
    if named is None:
        return []
    paths = [named_test(TESTS, each) for each in mutant.tests]
    tests = [(path, text) for path in paths for text in (ROOT / path).read_text("utf-8").split("\nasync def test_")[1:]]
    asserting = [(path, text) for path, text in tests if re.search(rf"ErrorCode\.{named[1]}\b", text)]
    return [f"{path}::test_{text.partition('(')[0]}" for path, text in asserting[:_ASSERTING]]


def _files(first: Sequence[str]) -> list[str]:
    """All test files of the program, those of `first` first and the random ones last."""
    names = sorted(path.name for path in (ROOT / TESTS).glob("test_*.py") if path.name not in _LEFT_OUT)
    named = [f"test_{each}.py" for each in first]
    order = [
        *named,
        *(each for each in names if each not in (*named, *_LAST)),
        *(each for each in names if each in _LAST),
    ]
    return [str(TESTS / each) for each in dict.fromkeys(order)]


def _run_pytest(program: Path, tests: Sequence[str]) -> tuple[str, str] | None:
    """The first test that fails with this program, and what it said; None where all pass.

    A failure of the machine (no chain, no answer) is none of the program's: tried again, then SuiteBroken.
    """
    environment = {
        PROGRAM_SO_ENV: str(program),
        "PYTHONPATH": str(ROOT),
        # What fails here is no example to remember for the program itself.
        "HYPOTHESIS_STORAGE_DIRECTORY": str(program.parent / "hypothesis"),
    }
    for _attempt in range(_ATTEMPTS):
        try:
            failed = first_failure(tests, ROOT, environment, _TIMEOUT_SECS)
        except Endless as error:
            raise SuiteBroken(str(error)) from None
        if failed is None or not _OF_THE_MACHINE.search(failed[1]):
            return failed
    raise SuiteBroken(f"the tests do not run here: {failed}")
