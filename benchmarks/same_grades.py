"""Does a change touch a grade? Grade all examples before and after it, and compare every check.

::

    python benchmarks/same_grades.py OLD NEW [PATTERN]...

OLD and NEW are each one of

* a git commit (``HEAD~3``, a tag, a hash): it is checked out into a temporary worktree, and its
  examples are graded there by its own code;
* a folder with a checkout (``.`` for uncommitted work), graded in the same way;
* a folder of reports that ``grader verify --out DIR`` wrote, which is read as it is.

PATTERN limits the comparison to matching examples, such as ``'wrong/rnn_*'``. For each check of
each example ``points``, ``max_points``, ``outcome`` and ``reason`` must be equal, and for each
example ``status``, ``score`` and ``max_score``. Messages, causes, measurements and times may
differ.

Reports of a commit stay in ``build/same_grades/COMMIT``; pass that folder in place of the commit to
grade one side only. Grading all examples takes about six minutes on two cores, for each side.

The exit status is 0 if all grades are the same, 1 if any differs or if examples or checks are on
one side only, and 2 if the two sides could not be compared.
"""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "build" / "same_grades"
OF_A_CHECK = ("points", "max_points", "outcome", "reason")
OF_AN_EXAMPLE = ("status", "score", "max_score")
GRADED = (0, 1)  # exit statuses of ``grader verify``; 1: an example does not score as it claims
BROKEN = 3  # some example could not be graded; its report says so, and is compared

Grades = dict[str, dict[str, Any]]  # by example: its own fields, and one mapping for each check


class CompareError(Exception):
    """The two sides cannot be compared."""


@dataclass(frozen=True)
class Comparison:
    """What differs, one line each, and how much was compared."""

    differences: tuple[str, ...]
    examples: int
    checks: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Print each difference and a count; exit with 1 if there is any."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("old", help="a commit, a checkout, or a folder of reports")
    parser.add_argument("new", help="a commit, a checkout, or a folder of reports")
    parser.add_argument("patterns", nargs="*", metavar="PATTERN", help="examples to compare")
    parser.add_argument("--jobs", type=int, help="submissions graded at a time")
    options = parser.parse_args(arguments)
    try:
        old, new = (
            chosen(read(reports_of(side, options.patterns, options.jobs)), options.patterns)
            for side in (options.old, options.new)
        )
        found = compare(old, new)
    except CompareError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    print(*found.differences, sep="\n", end="\n" if found.differences else "")
    print(f"{len(found.differences)} differences in {found.checks} checks of "
          f"{found.examples} examples")  # fmt: skip
    sys.exit(1 if found.differences else 0)


def reports_of(side: str, patterns: Sequence[str], jobs: int | None) -> Path:
    """Return the folder of reports of one side, after grading where it is not one already."""
    folder = Path(side)
    if (folder / "grader" / "__init__.py").is_file():
        out = KEPT / "working_tree"
        graded(folder.resolve(), out, patterns, jobs)
        return out
    if folder.is_dir():
        return folder
    commit = resolved(side)
    out = KEPT / commit[:12]
    with worktree(commit) as checkout:
        graded(checkout, out, patterns, jobs)
    return out


def resolved(name: str) -> str:
    """Return the hash of the commit that a name stands for."""
    return git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")


@contextlib.contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """Check a commit out into a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="same-grades-") as name:
        Path(name).chmod(0o755)  # workers run as another user, and load their code from here
        folder = Path(name) / "checkout"
        git("worktree", "add", "--detach", str(folder), commit)
        try:
            yield folder
        finally:
            git("worktree", "remove", "--force", str(folder))


def git(*arguments: str) -> str:
    """Run git in this repository; return what it prints."""
    ran = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        why = ran.stderr.strip() or "there is no such commit or folder"
        raise CompareError(f"git {' '.join(arguments)}: {why}")
    return ran.stdout.strip()


def graded(checkout: Path, out: Path, patterns: Sequence[str], jobs: int | None) -> None:
    """Grade the examples of a checkout by its own code; write the reports to ``out``.

    Raises:
        CompareError: the checkout's code would not be what grades, or could not grade.
    """
    # First on the path, so that an editable installation of another checkout does not win.
    environment = os.environ | {"PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"}
    where = subprocess.run(
        [sys.executable, "-c", "import grader; print(grader.__file__)"],
        cwd=checkout, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if Path(where.stdout.strip()) != checkout / "grader" / "__init__.py":
        raise CompareError(
            f"{checkout}: grader is imported from {where.stdout.strip() or where.stderr.strip()}"
        )
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    command = [sys.executable, "-m", "grader", "verify", *patterns, "--out", str(out)]
    command += ["--jobs", str(jobs)] if jobs else []
    print(f"{out.name}: grading; reports go to {out}", file=sys.stderr, flush=True)
    with (out / "verify.txt").open("w", encoding="utf-8") as printed:
        ran = subprocess.run(
            command, cwd=checkout, env=environment, stdout=printed, stderr=subprocess.PIPE,
            text=True, check=False,
        )  # fmt: skip
        printed.write(ran.stderr)
    if ran.returncode not in {*GRADED, BROKEN}:
        raise CompareError(f"grader verify: exit status {ran.returncode}: {ran.stderr.strip()}")


def read(folder: Path) -> Grades:
    """Return what must be equal, by example, from the reports in a folder."""
    found: Grades = {}
    for path in sorted(folder.glob("*/report.json")):
        report = json.loads(path.read_text(encoding="utf-8"))
        fields = {name: report[name] for name in OF_AN_EXAMPLE}
        for question in report["questions"]:
            for check in question["checks"]:
                fields[check["id"]] = {name: check[name] for name in OF_A_CHECK}
        found[path.parent.name] = fields
    if not found:
        raise CompareError(f"{folder}: has no reports (*/report.json)")
    return found


def chosen(grades: Grades, patterns: Sequence[str]) -> Grades:
    """Return the examples that match any of the patterns; all if there are none."""
    dotted = [pattern.replace("/", ".") for pattern in patterns]  # as report folders are called
    return {
        name: fields
        for name, fields in grades.items()
        if not dotted or any(fnmatch.fnmatchcase(name, pattern) for pattern in dotted)
    }


def compare(old: Grades, new: Grades) -> Comparison:
    """Compare two sides.

    Raises:
        CompareError: there is nothing to compare.
    """
    both = [name for name in old if name in new]
    if not both:
        raise CompareError("no example is on both sides")
    lines = [f"{name}: on the old side only" for name in old if name not in new]
    lines += [f"{name}: on the new side only" for name in new if name not in old]
    checks = 0
    for name in both:
        lines += [f"{name}: {line}" for line in _unlike(old[name], new[name])]
        checks += sum(isinstance(value, dict) for value in old[name].values())
    return Comparison(tuple(lines), len(both), checks)


def _unlike(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yield one line for each field or check of an example that differs."""
    for key in [*old, *(key for key in new if key not in old)]:
        if key not in new:
            yield f"{key}: on the old side only"
        elif key not in old:
            yield f"{key}: on the new side only"
        elif old[key] != new[key]:
            yield f"{key}: {_shown(old[key], new[key])}"


def _shown(old: Any, new: Any) -> str:
    """Return ``old -> new``, of a check for each field that differs."""
    if not isinstance(old, dict):
        return f"{old} -> {new}"
    return ", ".join(f"{n} {old[n]} -> {new[n]}" for n in old if old[n] != new[n])


if __name__ == "__main__":
    main()
