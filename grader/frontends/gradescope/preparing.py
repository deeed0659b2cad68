"""What ``setup.sh`` does last: the rubric is read, and what takes long is computed once per image.

Run as ``python -m grader.frontends.gradescope.preparing RUBRIC``, with the variables of a run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import GraderError, UsageError
from grader.frontends.gradescope.run import seeded
from grader.job import Settings
from grader.model import TIERS
from grader.run.prepared import prepare

TIER, DATA = "GRADER_TIER", "GRADER_DATA"


def main(rubric: Path, environment: Mapping[str, str]) -> str:
    """Read the rubric and prepare its checks; return what to say of it.

    What cannot be prepared is computed in each run: that is said, and keeps nothing from working.

    Raises:
        GraderError: the rubric or the reference cannot be read.
    """
    loaded = load_rubric(rubric, KINDS)
    said = f"ready: {loaded.title}, {loaded.max_score:g} points"
    try:
        tier = environment.get(TIER) or "mini"
        if tier not in TIERS:
            raise UsageError(f"{TIER}={tier}: must be one of {', '.join(TIERS)}")
        data = Path(environment[DATA]) if environment.get(DATA) else None
        prepare(loaded, seeded(Settings(tier, data), loaded, environment))
    except GraderError as error:
        said += f"\nnot prepared, so that each run takes longer: {error}"
    return said


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the rubric alone
        sys.exit("usage: python -m grader.frontends.gradescope.preparing RUBRIC")
    try:
        sys.stdout.write(f"{main(Path(sys.argv[1]), os.environ)}\n")
    except GraderError as error:
        sys.exit(f"setup.sh: {error}")
