"""Long proofs: the reference earns full marks on every seed, and what is not trained earns nothing.

Run it with ``make validity``; the last results are in ``docs/results.md``. The full tier is
included where the homework's data is found (GRADER_DATA).
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SUBMISSIONS = ROOT / "reference" / "submissions"
SEEDS = {"mini": range(20), "full": range(3)}
NOT_TRAINED = ("bow_untrained", "bow_majority_class", "bow_shuffled_labels")


def main() -> None:
    """Print one line per claim; exit with 1 if any does not hold."""
    tiers = ["mini"]
    if os.environ.get("GRADER_DATA"):
        tiers.append("full")
    else:
        print("full tier left out: GRADER_DATA is not set")
    good = True
    with tempfile.TemporaryDirectory() as name:
        reference = Path(name) / "reference"
        reference.mkdir()
        for file in (ROOT / "reference").glob("*.py"):
            if file.name != "__init__.py":
                shutil.copy(file, reference)
        for tier in tiers:
            good &= reference_on(tier, reference, Path(name) / "out")
            good &= not_trained_on(tier, Path(name) / "out")
    sys.exit(0 if good else 1)


def graded(
    submission: Path, out: Path, tier: str, seed: int, *only: str
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Grade once; return the report and its checks by id."""
    command = [sys.executable, "-m", "grader", "grade", str(submission), "--out", str(out)]
    command += ["--rubric", str(ROOT / "rubric.yaml"), "--tier", tier, "--seed", str(seed)]
    command += [word for name in only for word in ("--only", name)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    report = json.loads((out / submission.name / "report.json").read_text())
    return report, {c["id"]: c for question in report["questions"] for c in question["checks"]}


def reference_on(tier: str, reference: Path, out: Path) -> bool:
    """Grade the reference on every seed; print the scores and the measured accuracies."""
    scores, metrics = [], []
    for seed in SEEDS[tier]:
        report, checks = graded(reference, out, tier, seed)
        scores.append((report["score"], report["max_score"]))
        metrics.append((checks["q6.1"]["measurements"]["accuracy"], checks["q6.1"]["duration_s"]))
    full = [score == most for score, most in scores]
    accuracy, seconds = zip(*metrics, strict=True)
    print(f"{tier}: the reference has full marks on {sum(full)} of {len(full)} seeds")
    print(f"{tier}: q6.1 accuracy {spread(accuracy)}, seconds {spread(seconds)}")
    return all(full)


def not_trained_on(tier: str, out: Path) -> bool:
    """Grade what is not trained on every seed; print the most points any of it earns."""
    good = True
    for name in NOT_TRAINED:
        points, metrics = [], []
        for seed in SEEDS[tier]:
            _report, checks = graded(SUBMISSIONS / "wrong" / name, out, tier, seed, "q6.1")
            points.append(checks["q6.1"]["points"])
            metrics.append(checks["q6.1"]["measurements"]["accuracy"])
        print(f"{tier}: {name}: at most {max(points):g} points, accuracy {spread(metrics)}")
        good &= max(points) == 0
    return good


def spread(values: Any) -> str:
    """Return the least, the median and the most of some numbers."""
    return f"{min(values):.4f} / {statistics.median(values):.4f} / {max(values):.4f}"


if __name__ == "__main__":
    main()
