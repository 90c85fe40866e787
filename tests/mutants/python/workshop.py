"""Where bugs of the daemon are tried: a copy of the repository, one bug at a time."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.mutant import ROOT, Mutant
from tests.mutants.suite import named_test
from tests.mutants.warm import WarmPytest
from tests.mutants.workshop import Endless, NotCollected, Outcome, SuiteBroken, Verdict, first_failure

SOURCES = Path("xstocks_daemon")
TESTS = Path("tests")
#: Large, or another's: what the tests need of these is linked.
_NOT_COPIED = (".git", ".venv", "target", "node_modules", "dist", ".localnet", "__pycache__", ".*_cache", ".hypothesis")
_LINKED = (".venv", "localnet/.venv")
#: Without a bug, and for one bug. The slowest test file takes a minute and a half.
_BASELINE_SECS = 1_800.0
_TIMEOUT_SECS = 240.0
#: For a bug that is known to hang: its tests take seconds without it.
_HANGING_SECS = 60.0


@dataclass(frozen=True, slots=True)
class PythonWorkshop:
    """A folder with a copy of the repository; its interpreter is the repository's own."""

    folder: Path
    warm: WarmPytest

    @classmethod
    def make(cls, folder: Path) -> PythonWorkshop:
        """Copy the sources."""
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*_NOT_COPIED), symlinks=True)
        for each in _LINKED:
            if (ROOT / each).exists():
                (folder / each).symlink_to(ROOT / each)
        (folder / "tmp").mkdir()
        return cls(folder, WarmPytest())

    def close(self) -> None:
        """End its pytest."""
        self.warm.close()

    def baseline(self, chosen: Sequence[Mutant]) -> None:
        """The tests of these pass without a bug. SuiteBroken otherwise."""
        if (failed := self._failed(self._files(chosen), _BASELINE_SECS)) is not None:
            raise SuiteBroken(f"a test fails without a bug: {failed[1]}")

    def judge(self, mutant: Mutant, *, killer: str = "") -> Verdict:
        """Plant it, test, take it out again. `killer` is the test that killed it last time: it goes first."""
        path = self.folder / SOURCES / mutant.file
        original = path.read_text(encoding="utf-8")
        planted = mutant.applied(original)
        try:
            compile(planted, str(path), "exec")
        except SyntaxError as error:
            return Verdict(mutant.name, Outcome.NOT_BUILT, said=str(error))
        _write(path, planted)
        timeout_secs = _HANGING_SECS if mutant.hangs else _TIMEOUT_SECS
        try:
            for tests in ([killer] if killer else [], self._files([mutant])):
                if tests and (failed := self._failed(tests, timeout_secs)) is not None:
                    return Verdict(mutant.name, Outcome.KILLED, *failed)
        except NotCollected as error:
            return Verdict(mutant.name, Outcome.NOT_BUILT, said=str(error))
        except Endless as error:
            return Verdict(mutant.name, Outcome.KILLED if mutant.hangs else Outcome.HANGS, error.test, str(error))
        finally:
            _write(path, original)
        return Verdict(mutant.name, Outcome.SURVIVED)

    def _files(self, mutants: Sequence[Mutant]) -> list[str]:
        return list(dict.fromkeys(str(named_test(TESTS, name)) for mutant in mutants for name in mutant.tests))

    def _failed(self, tests: Sequence[str], timeout_secs: float) -> tuple[str, str] | None:
        environment = {
            # Before the interpreter's own packages, where the repository is installed in place.
            "PYTHONPATH": str(self.folder),
            # A failing example need not be made small here.
            "HYPOTHESIS_PROFILE": "unshrunk",
            "HYPOTHESIS_STORAGE_DIRECTORY": str(self.folder / "hypothesis"),
            # Other runs of pytest clear the folder that they share.
            "PYTEST_DEBUG_TEMPROOT": str(self.folder / "tmp"),
        }
        return first_failure(tests, self.folder, environment, timeout_secs, self.warm.run)


def _write(path: Path, text: str) -> None:
    """Without the compiled form: it is told apart by the second and the size only."""
    path.write_text(text, encoding="utf-8")
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
