"""How long it takes to judge a derivation: processor time per file and check.

Run with ``make bench`` or ``python benchmarks/bench_derivations.py``. Every variant under
``reference/derivations/`` is judged by the check it is about, read anew each time; what one grading
process loads once (torch, the parser's tables) is loaded before.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.latexgrad.tasks import VARIANTS, claims, run

GOAL_S = 0.2
ROUNDS = 3


def seconds_of(check: str, path: Path) -> float:
    """Return the best of some rounds: whatever else the machine does can only make it slower."""
    text = path.read_text(encoding="utf-8")
    found = []
    for number in range(ROUNDS):
        # What was read is kept for the checks of one submission: lines at the end make it another.
        fresh = text + "\n" * (number + 1)
        started = time.process_time()
        run(check, fresh, f"derivations{path.suffix}")
        found.append(time.process_time() - started)
    return min(found)


def main() -> None:
    """Print median and maximum of the right and of the wrong variants."""
    for check in ("q3.5", "q3.6", "q4.5", "q4.6"):
        run(check, (VARIANTS / "right" / "whole_file_short_headings.tex").read_text())
    for group in ("right", "wrong"):
        times: dict[str, float] = {}
        for path in sorted((VARIANTS / group).iterdir()):
            claimed = claims(path)
            for check in claimed.get("earns", claimed.get("check", "")).split():
                times[f"{path.name} {check}"] = seconds_of(check, path)
        slowest = max(times, key=lambda name: times[name])
        over = sum(value > GOAL_S for value in times.values())
        print(
            f"{group}: {len(times)} judged, median {statistics.median(times.values()):.3f} s, "
            f"at most {times[slowest]:.3f} s ({slowest}), {over} over {GOAL_S:g} s"
        )


if __name__ == "__main__":
    main()
