"""Every wrong value that a report names comes again: ``grader replay`` of all wrong examples.

Each example's checks of values (forward, gradient, values) are graded; each that loses points is
then replayed. The messages must be the same to the last digit, and so must the numbers that the
script of ``--out`` prints, which runs without the grader. Part of ``make validity``. Patterns such
as ``wrong/rnn_*`` choose examples.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from grader.assignment.examples import Example, assembled, load_examples, matching
from grader.assignment.reference import Assignment
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.job import Settings
from grader.model import Rubric
from grader.reports import building
from grader.run import replay_files
from grader.run.grading import silenced
from grader.run.replayed_check import Replayed
from grader.run.replaying import replayed
from grader.run.session import Session
from grader.run.workers import ForkServers

ROOT = Path(__file__).resolve().parent.parent
OF_VALUES = ("forward", "gradient", "values")
NUMBERS = re.compile(r"got (\S+), expected (\S+)")
SCRIPT_S = 120


def main() -> None:
    """Print one line per replayed check that is not as it must be, and the counts."""
    rubric = load_rubric(ROOT / "rubric.yaml", KINDS)
    examples = matching(load_examples(rubric), sys.argv[1:] or ["wrong/*"])
    counts: Counter[str] = Counter()
    with ForkServers(policy=Settings().policy(rubric)) as servers:
        for example in examples:
            for check, problem in replays(rubric, servers, example):
                counts["replayed"] += 1
                counts["problems"] += bool(problem)
                if problem:
                    print(f"{example.name} {check}: {problem}", flush=True)
    print(f"{counts['replayed']} failing checks of values replayed, {counts['problems']} problems")
    sys.exit(bool(counts["problems"]))


def replays(
    rubric: Rubric, servers: ForkServers, example: Example
) -> Iterator[tuple[str, str | None]]:
    """Yield each check of values in which an example loses points, and what its replay lacks."""
    settings = Settings()
    with assembled([example]) as submitted, tempfile.TemporaryDirectory() as out:
        staged = servers.stage(submitted[0].identifier, submitted[0].path, rubric)
        session = Session(rubric, Assignment(rubric.reference), staged, servers, settings)
        for question in rubric.questions:
            for check in question.checks:
                if check.id not in submitted[0].wanted or check.kind not in OF_VALUES:
                    continue
                with silenced():
                    report = building.of_result(session.run(question, check))
                if report.outcome not in ("failed", "partial"):
                    continue
                found = replayed(servers, rubric, settings, staged, (question, check, report))
                problem = None if found.is_the_same else f"{found.again.message!r} is new"
                if problem is None and (chosen := found.chosen(None)) is not None:
                    folder = Path(out) / check.id
                    module = found.question.module
                    replay_files.write(folder, chosen[1], module, staged, check.id)
                    problem = _script_problem(found, folder)
                yield check.id, problem
        servers.unstage()


def _script_problem(found: Replayed, folder: Path) -> str | None:
    """Return how the script's numbers differ from those that were compared."""
    chosen = found.chosen(None)
    if chosen is None or not chosen[1].is_alone or chosen[1].comparison.mismatch is None:
        return None
    wrong = chosen[1].comparison.mismatch
    wanted = [float(values[wrong.worst]) for values in (wrong.actual, wrong.expected)]
    ran = subprocess.run(
        [sys.executable, "-B", replay_files.SCRIPT],
        cwd=folder, capture_output=True, text=True, timeout=SCRIPT_S, check=False,
    )  # fmt: skip
    numbers = NUMBERS.search(ran.stdout)
    if numbers is None:
        return f"its script ends with {ran.stderr.strip().splitlines()[-1:] or ran.stdout}"
    got = [float(number) for number in numbers.groups()]
    return None if got == wanted else f"its script prints {got}, the grader saw {wanted}"


if __name__ == "__main__":
    main()
