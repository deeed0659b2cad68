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
# Everything quick on many seeds, the models that train for long on fewer.
QUICK = ("q3", "q4", "q5", "q6.1")
SLOW = ("q6.2", "q6.3", "q6.4", "q6.5")
SEEDS = {"mini": {QUICK: range(20), SLOW: range(5)}, "full": {QUICK: range(3), SLOW: range(1)}}
NOT_TRAINED = {
    "bow_untrained": "q6.1",
    "bow_majority_class": "q6.1",
    "bow_shuffled_labels": "q6.1",
    "average_embeddings_shuffled_labels": "q6.2",
    "rnn_untrained": "q6.4",
    "lstm_majority": "q6.5",
}
NOT_TRAINED_SEEDS = {"mini": range(5), "full": range(1)}


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
    good = True
    for only, seeds in SEEDS[tier].items():
        full = []
        accuracy: dict[str, list[float]] = {}
        seconds: dict[str, list[float]] = {}
        for seed in seeds:
            report, checks = graded(reference, out, tier, seed, *only)
            full.append(report["score"] == report["max_score"])
            for name, check in checks.items():
                if "accuracy" in check["measurements"]:
                    accuracy.setdefault(name, []).append(check["measurements"]["accuracy"])
                    seconds.setdefault(name, []).append(check["duration_s"])
        print(f"{tier}: {', '.join(only)}: full marks on {sum(full)} of {len(full)} seeds")
        for name, values in accuracy.items():
            print(f"{tier}: {name} accuracy {spread(values)}, seconds {spread(seconds[name])}")
        good &= all(full)
    return good


def not_trained_on(tier: str, out: Path) -> bool:
    """Grade what is not trained on every seed; print the most points any of it earns."""
    good = True
    for name, only in NOT_TRAINED.items():
        points, metrics = [], []
        for seed in NOT_TRAINED_SEEDS[tier]:
            _report, checks = graded(SUBMISSIONS / "wrong" / name, out, tier, seed, only)
            points.append(checks[only]["points"])
            metrics.append(checks[only]["measurements"]["accuracy"])
        print(f"{tier}: {name}: at most {max(points):g} points, accuracy {spread(metrics)}")
        good &= max(points) == 0
    return good


def spread(values: Any) -> str:
    """Return the least, the median and the most of some numbers."""
    return f"{min(values):.4f} / {statistics.median(values):.4f} / {max(values):.4f}"


if __name__ == "__main__":
    main()
