"""Long proofs: right solutions earn full marks on every seed, models that learned nothing none.

Run it with ``python benchmarks/many_seeds.py`` (about 40 minutes on two cores; the full tier, which
is included where the homework's data is found through GRADER_DATA, takes another hour). The last
results are in ``docs/results.md``. ``--tier``, ``--only`` and ``--seeds`` choose a part of it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from not_trained import CHECKS, ways_of, write

ROOT = Path(__file__).resolve().parent.parent
PLAIN = ROOT / "reference" / "submissions" / "full_marks" / "plain"
SEEDS = {"mini": 10, "full": 3}
NOT_TRAINED_SEEDS = {"mini": 3, "full": 1}
QUESTIONS = ("q1", "q2", "q3", "q4", "q5", "q6")
METRICS = ("accuracy", "token_accuracy", "bleu", "loss_ratio")


@dataclass(frozen=True)
class Run:
    """One call of ``grader grade``."""

    name: str
    submission: Path
    tier: str
    seed: int
    only: tuple[str, ...]


def main() -> None:
    """Print one line per claim; exit with 1 if any does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tier", choices=["mini", "full"], action="append")
    parser.add_argument("--only", action="append", help="a question or a training check")
    parser.add_argument("--seeds", type=int, help="in place of the usual number")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    tiers = options.tier or ["mini", "full"]
    if "full" in tiers and not os.environ.get("GRADER_DATA"):
        print("full tier left out: GRADER_DATA is not set")
        tiers.remove("full")
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(options.jobs) as pool:
        folder = Path(name)
        good = True
        for tier in tiers:
            seeds = range(options.seeds or SEEDS[tier])
            questions = [q for q in QUESTIONS if not options.only or q in options.only]
            runs = [
                Run(question, reference(folder), tier, seed, wanted(question, tier))
                for question in questions
                for seed in seeds
            ]
            good &= full_marks(tier, list(pool.map(lambda run: graded(run, folder), runs)), runs)
            spoilt = list(spoilt_runs(folder, tier, options.only or (), options.seeds))
            good &= nothing_earned(
                tier, list(pool.map(lambda run: graded(run, folder), spoilt)), spoilt
            )
    sys.exit(0 if good else 1)


def wanted(question: str, tier: str) -> tuple[str, ...]:
    """Return the checks to run: the predictions handed in are those for the mini tier."""
    if (question, tier) == ("q6", "full"):
        return tuple(f"q6.{number}" for number in range(1, 6))
    return (question,)


def reference(folder: Path) -> Path:
    """Make a submission of the reference solutions, with the texts of a full-mark example."""
    target = folder / "reference"
    if not target.exists():
        shutil.copytree(PLAIN, target, ignore=shutil.ignore_patterns("expected.yaml"))
        for module in target.glob("*.py"):
            shutil.copy(ROOT / "reference" / module.name, module)
    return target


def spoilt_runs(folder: Path, tier: str, only: Sequence[str], seeds: int | None) -> Iterator[Run]:
    """Yield the runs of everything that learned nothing."""
    for check in CHECKS:
        if only and check not in only and check.partition(".")[0] not in only:
            continue
        for way in ways_of(check):
            spoilt = write(PLAIN, folder, check, way)
            for seed in range(min(seeds or 99, NOT_TRAINED_SEEDS[tier])):
                yield Run(f"{check} {way}", spoilt, tier, seed, (check,))


def graded(run: Run, folder: Path) -> dict[str, dict[str, Any]]:
    """Grade once; return the checks by id."""
    out = folder / "out" / f"{run.tier}-{run.name}-{run.seed}".replace(" ", "-")
    command = [sys.executable, "-m", "grader", "grade", str(run.submission), "--out", str(out)]
    command += ["--rubric", str(ROOT / "rubric.yaml"), "--tier", run.tier, "--seed", str(run.seed)]
    command += [word for name in run.only for word in ("--only", name)]
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, cwd=ROOT)
    report = json.loads((out / run.submission.name / "report.json").read_text())
    print(
        f"  {run.tier} {run.name} seed {run.seed}: {report['score']}", file=sys.stderr, flush=True
    )
    if done.returncode != 0:
        print(f"{run}: exit status {done.returncode}")
    return {c["id"]: c for question in report["questions"] for c in question["checks"]}


def full_marks(tier: str, found: Sequence[dict[str, Any]], runs: Sequence[Run]) -> bool:
    """Print, for each check, on how many seeds it was passed, its metric and its seconds."""
    by_check: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for run, checks in zip(runs, found, strict=True):
        for name, check in checks.items():
            by_check.setdefault(name, []).append((run.seed, check))
    good = True
    for name, results in by_check.items():
        checks = [check for _seed, check in results]
        if {check["outcome"] for check in checks} == {"pending"}:
            continue
        lost = [seed for seed, check in results if check["outcome"] != "passed"]
        line = f"{tier}: {name}: passed on {len(checks) - len(lost)} of {len(checks)} seeds"
        line += f" (not on {lost})" if lost else ""
        for metric, values in measured(checks).items():
            line += f"; {metric} {spread(values)}"
        print(f"{line}; seconds {spread([check['duration_s'] for check in checks], 1)}", flush=True)
        good &= not lost
    return good


def measured(checks: Sequence[dict[str, Any]]) -> dict[str, list[float]]:
    """Return the values of each metric; those of several images one by one."""
    found: dict[str, list[float]] = {}
    for check in checks:
        for metric in METRICS:
            value = check["measurements"].get(metric)
            values = value.values() if isinstance(value, dict) else [value]
            found.setdefault(metric, []).extend(v for v in values if v is not None)
    return {metric: values for metric, values in found.items() if values}


def nothing_earned(tier: str, found: Sequence[dict[str, Any]], runs: Sequence[Run]) -> bool:
    """Print the most points that any model earned that learned nothing."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for run, checks in zip(runs, found, strict=True):
        by_name.setdefault(run.name, []).append(checks[run.only[0]])
    for name, checks in by_name.items():
        line = f"{tier}: {name}: at most {max(check['points'] for check in checks):g} points"
        for metric, values in measured(checks).items():
            line += f"; {metric} {spread(values)}"
        if not measured(checks):
            line += f"; {checks[0]['message'][:200]}"
        print(line, flush=True)
    return all(check["points"] == 0 for checks in by_name.values() for check in checks)


def spread(values: Sequence[float], digits: int = 4) -> str:
    """Return the least, the median and the most of some numbers."""
    shown = (min(values), statistics.median(values), max(values))
    return " / ".join(f"{value:.{digits}f}" for value in shown)


if __name__ == "__main__":
    main()
