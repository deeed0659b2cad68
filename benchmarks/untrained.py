"""How far untrained networks are from the first point, over many seeds.

``python benchmarks/untrained.py --seeds 30`` (small data: half a minute a seed on one core). One
submission in which no network learns anything (``not_trained.py``) runs on each seed. Printed are,
for each training check, its metric and how often, with 95 % confidence at most, it is beyond
``zero_at`` (``grader/calibration/thresholds.py`` says how that is bounded). Exit status 1: a bound
is above 1 in 10,000, or there were points. ``--keep FILE`` keeps what was measured, for more seeds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from many_seeds import METRICS, PLAIN, ROOT, reference
from not_trained import CHECKS, write

from grader.calibration.thresholds import Distribution

GAINED = 1.0e-4
WAY = "untrained"
# Steps that change nothing need no gradients: it is the same network in a third of the time.
IDLE = """

class CaptioningRNN(CaptioningRNN):
    def loss(self, features, captions):
        return 1.0, {name: 0 * value for name, value in self.params.items()}
"""


def main() -> None:
    """Print one line per check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--keep", type=Path, help="a file of what was measured before")
    parser.add_argument("--jobs", type=int, default=2, help="seeds at a time")
    options = parser.parse_args()
    kept: dict[str, dict[str, Any]] = {}
    if options.keep is not None and options.keep.is_file():
        kept = json.loads(options.keep.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = spoiled(folder)
        left = [seed for seed in range(options.seeds) if str(seed) not in kept]
        with ThreadPoolExecutor(options.jobs) as pool:
            grade = partial(graded, made, folder)
            for seed, found in zip(left, pool.map(grade, left), strict=True):
                kept[str(seed)] = found
                if options.keep is not None:
                    options.keep.write_text(json.dumps(kept), encoding="utf-8")
                print(f"  seed {seed}", file=sys.stderr, flush=True)
    sys.exit(0 if shown(kept) else 1)


def spoiled(folder: Path) -> Path:
    """Write one submission in which nothing is trained."""
    made = reference(folder)
    target = folder / WAY
    done = set()
    for check in CHECKS:
        if CHECKS[check] not in done:
            done.add(CHECKS[check])
            part = write(PLAIN, folder / "parts", check, WAY)
            module = CHECKS[check][0]
            target.mkdir(exist_ok=True)
            if not (target / module).exists():
                (target / module).write_text((made / module).read_text())
            spoiled_text, plain_text = ((p / module).read_text() for p in (part, PLAIN))
            with (target / module).open("a", encoding="utf-8") as file:
                file.write(spoiled_text[len(plain_text) :])
    with (target / "rnn.py").open("a", encoding="utf-8") as file:
        file.write(IDLE)
    for path in PLAIN.glob("*.py"):
        if not (target / path.name).exists():
            (target / path.name).write_text((made / path.name).read_text())
    return target


def graded(submission: Path, folder: Path, seed: int) -> dict[str, Any]:
    """Grade once; return points and metric by check."""
    out = folder / f"out-{seed}"
    command = [sys.executable, "-m", "grader", "grade", str(submission), "--out", str(out)]
    command += ["--rubric", str(ROOT / "rubric.yaml"), "--seed", str(seed), "--force"]
    command += [word for check in CHECKS for word in ("--only", check)]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, cwd=ROOT)
    report = json.loads((out / submission.name / "report.json").read_text(encoding="utf-8"))
    found = {}
    for check in (c for question in report["questions"] for c in question["checks"]):
        if check["id"] in CHECKS:
            values = [check["measurements"].get(metric) for metric in METRICS]
            metric = next((value for value in values if value is not None), None)
            found[check["id"]] = {
                "points": check["points"],
                "metric": metric,
                "outcome": check["outcome"],
            }
    return found


def shown(kept: dict[str, dict[str, Any]]) -> bool:
    """Print what was measured; say whether all bounds hold."""
    rubric = yaml.safe_load((ROOT / "rubric.yaml").read_text(encoding="utf-8"))
    limits = {c["id"]: c for question in rubric["questions"] for c in question["checks"]}
    by_check: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for checks in kept.values():
        for check, found in checks.items():
            by_check[check].append(found)
    good = True
    print("| check | nothing at | seeds | least / median / most | beyond that, at most | points |")
    print("|---|---|---|---|---|---|")
    for check in CHECKS:
        values = tuple(found["metric"] for found in by_check[check] if found["metric"] is not None)
        zero_at = limits[check]["tiers"]["mini"]["zero_at"]
        spread, bound = "none measured", 0.0
        if values:
            one = Distribution(WAY, values, rises=False)
            bound = one.below(zero_at)
            spread = f"{min(values):.4f} / {one.median:.4f} / {max(values):.4f}"
        points = max(found["points"] for found in by_check[check])
        print(f"| {check} | {zero_at:g} | {len(values)} | {spread} | {bound:.2g} | {points:g} |")
        good &= bound <= GAINED and points == 0
    return good


if __name__ == "__main__":
    main()
