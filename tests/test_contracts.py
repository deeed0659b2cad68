"""The contracts between rooms hold, and each of them notices an import that it forbids."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT

LINT = Path(sys.executable).with_name("lint-imports")


@dataclass(frozen=True)
class Forbidden:
    """An import that breaks a contract, and the words by which the report names it."""

    contract: str
    file: str
    line: str
    named: str


FORBIDDEN = (
    Forbidden(
        "Rooms lie in layers: upper ones import lower ones only",
        "grader/model.py", "from grader.run import session",
        "grader.model -> grader.run.session",
    ),
    Forbidden(
        "Rooms lie in layers: upper ones import lower ones only",
        "grader/drawer.py", "", "grader.drawer",
    ),
    Forbidden(
        "No circle among the rooms of the engine",
        "grader/intake/archives.py", "from grader.intake import unpacking",
        ".archives -> .unpacking",
    ),
    Forbidden(
        "What runs beside student code imports nothing else of ours",
        "grader/isolation/worker/child.py", "from grader import seeds",
        "grader.isolation.worker.child -> grader.seeds",
    ),
    Forbidden(
        "What runs beside student code imports nothing else of ours",
        "grader/isolation/wire/codec.py", "from grader.isolation.sandbox import limits",
        "grader.isolation.wire.codec -> grader.isolation.sandbox.limits",
    ),
    Forbidden(
        "The derivation reader knows nothing of the engine",
        "latexgrad/nodes.py", "from grader import errors",
        "latexgrad.nodes -> grader.errors",
    ),
    Forbidden(
        "The derivation reader has one door",
        "grader/reports/html.py", "from latexgrad import mathml",
        "grader.reports.html -> latexgrad.mathml",
    ),
)  # fmt: skip


def linted(folder):
    """Check the contracts of the packages in a folder; return the exit status and the report."""
    ran = subprocess.run(
        [LINT, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )
    return ran.returncode, ran.stdout + ran.stderr


def outcomes(report):
    """Return ``KEPT`` or ``BROKEN`` by contract."""
    found = re.finditer(r"^(.+) (KEPT|BROKEN)(?: \(\d+ ignored imports?\))?$", report, re.MULTILINE)
    return {each[1]: each[2] for each in found}


@pytest.fixture
def copied(tmp_path):
    """A copy of the packages with their contracts."""
    for package in ("grader", "latexgrad"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_hold_and_each_has_an_import_that_breaks_it(copied):
    status, report = linted(copied)
    assert status == 0, report
    kept = outcomes(report)
    assert set(kept.values()) == {"KEPT"}
    assert set(kept) == {each.contract for each in FORBIDDEN}


@pytest.mark.parametrize("forbidden", FORBIDDEN, ids=lambda each: each.file)
def test_a_forbidden_import_breaks_its_contract(copied, forbidden):
    file = copied / forbidden.file
    old = file.read_text(encoding="utf-8") if file.exists() else ""
    file.write_text(f"{old}\n{forbidden.line}\n", encoding="utf-8")
    status, report = linted(copied)
    assert status == 1
    assert outcomes(report)[forbidden.contract] == "BROKEN"
    assert forbidden.named in report
