"""Grades every hostile example in one process, each followed by an honest submission.

After each of them: the claims of the example hold, the honest submission still earns every point
in the same way as before, the reports fit their schema, and nothing is left, neither a process nor
a file nor shared memory. The summary has the most memory that the grading process or its bounded
child took, and by how much a check went beyond its time limit at most. Run it as
``python benchmarks/hostile.py [--json FILE]`` (about four minutes), as root or as a user who can
only read the repository; it exits with 1 if anything is wrong. ``make hostile`` runs it on three
kinds of machine (``hostile_machines.py``).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
from leftovers import Surroundings

from grader.assignment.examples import Example, assembled, claim_checks, load_examples, matching
from grader.assignment.reference import Assignment
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import GraderError
from grader.isolation.sandbox import LEVELS
from grader.job import Job, Settings, Submitted
from grader.reports.report import Report
from grader.run import grading
from grader.run.workers import ForkServers

ROOT = Path(__file__).resolve().parent.parent
HONEST = ROOT / "reference" / "submissions" / "full_marks" / "plain"
LAYERS = frozenset(f"q{question}.{check}" for question in (3, 4, 5) for check in (1, 2, 3, 4))
MAX_SECONDS = 60.0
CLOSE = 1.0e-3  # points
MAX_NAMED = 3  # checks named in the table


@dataclass(frozen=True)
class Row:
    """What became of one example."""

    example: Example
    gained: float
    fate: str
    seconds: float
    late_s: float  # by which a check went beyond its limit
    problems: tuple[str, ...]


def main() -> None:
    """Print one line per example and a summary; exit with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="*", metavar="PATTERN", help="names below hostile/")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to FILE")
    parser.add_argument(
        "--isolation", choices=LEVELS, default="full", help="the least to go on with"
    )
    options = parser.parse_args()
    rubric = load_rubric(ROOT / "rubric.yaml", KINDS)
    examples = matching(load_examples(rubric), [f"hostile/{options.only}"])
    job = Job(rubric, Settings(isolation=options.isolation), None)
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory(prefix="hostile-") as name,
        assembled(examples) as work,
    ):
        own = Path(name)
        own.chmod(0o711)  # workers, under another user id, must pass through
        with ForkServers(own, job.settings.policy(rubric)) as fork_servers:
            run = Run(job, fork_servers, own)
            print(f"honest before: {run.honest['score']:g} / {run.honest['max_score']:g}")
            for example, item in zip(examples, work, strict=True):
                rows.append(run.row(example, item))
                print(_line(rows[-1]), flush=True)
            isolation = fork_servers.isolation
            peak_mb = run.peak_mb()
        if list(own.iterdir()):
            sys.exit(f"the grader left files of its own: {[path.name for path in own.iterdir()]}")
    print(_summary(rows), f"Isolation: {', '.join(isolation)}.")
    late = max(rows, key=lambda row: row.late_s)
    print(
        f"The grading side took {peak_mb:.0f} MB at most. A check went {late.late_s:.1f} s beyond "
        f"its limit at most, {late.example.name}."
    )
    if options.json is not None:
        found = {"isolation": isolation, "rows": [_plain(row) for row in rows]}
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    sys.exit(1 if any(row.problems for row in rows) else 0)


class Run:
    """One grading process with all its fork servers, as ``grader.run.batch`` has several of."""

    def __init__(self, job: Job, fork_servers: ForkServers, own: Path) -> None:
        """Grade the honest submission once: the servers start, and there is something to keep."""
        self._job = job
        self._fork_servers = fork_servers
        self._assignment = Assignment(job.rubric.reference)
        questions = job.rubric.questions
        self._limits = {check.id: check.timeout_s for q in questions for check in q.checks}
        text = (resources.files("grader.reports") / "report.schema.json").read_text()
        self._schema = jsonschema.Draft202012Validator(json.loads(text))
        self.honest = self._graded(Submitted("honest", HONEST, LAYERS)).model_dump(mode="json")
        if self.honest["score"] != self.honest["max_score"]:
            sys.exit("the honest submission does not earn every point before anything hostile ran")
        self._surroundings = Surroundings(own)

    def row(self, example: Example, work: Submitted) -> Row:
        """Grade a hostile example and the honest submission after it."""
        started = time.monotonic()
        report = self._graded(work)
        seconds = time.monotonic() - started
        problems = list(claim_checks([example], [report])[0].problems)
        made = report.model_dump(mode="json")
        problems += self._schema_problems(made)
        problems += self._surroundings.changes()
        if seconds > MAX_SECONDS:
            problems.append(f"took {seconds:.0f} s")
        after = self._graded(Submitted("honest", HONEST, LAYERS)).model_dump(mode="json")
        problems += self._schema_problems(after)
        if _essence(after) != _essence(self.honest):
            problems.append(f"the honest submission is graded otherwise: {_fate(after)}")
        problems += self._surroundings.changes()
        late_s = max((self._late_s(check) for check in _checks(made)), default=0.0)
        return Row(example, _gained(example, made), _fate(made), seconds, late_s, tuple(problems))

    def peak_mb(self) -> float:
        """Return the most memory that this process or its bounded child has had, in MB."""
        child = self._fork_servers.bounded
        pids = [os.getpid(), *([child._pid] if child is not None and child._pid else [])]  # noqa: SLF001
        return max(map(_peak_mb, pids))

    def _late_s(self, check: dict[str, Any]) -> float:
        return max(0.0, check["duration_s"] - self._limits[check["id"]])

    def _graded(self, work: Submitted) -> Report:
        return grading.grade(self._job, self._assignment, self._fork_servers, work)

    def _schema_problems(self, made: dict[str, Any]) -> Iterator[str]:
        for error in self._schema.iter_errors(made):
            yield f"the report does not fit its schema: {error.json_path}: {error.message[:200]}"


def _peak_mb(pid: int) -> float:
    """Return the most resident memory of a process; source: proc(5), ``VmHWM``."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    (line,) = [line for line in lines if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1000


def _checks(made: dict[str, Any]) -> list[dict[str, Any]]:
    return [check for question in made["questions"] for check in question["checks"]]


def _essence(made: dict[str, Any]) -> list[tuple[Any, ...]]:
    kept = ("id", "outcome", "points", "reason", "message", "notes", "output")
    return [tuple(check.get(key) for key in kept) for check in _checks(made)]


def _gained(example: Example, made: dict[str, Any]) -> float:
    """Return the points earned beyond those that the claims allow."""
    claims = example.claims.loses
    gained = 0.0
    for check in _checks(made):
        if claims == "all":
            least = check["max_points"]
        else:
            least = claims[check["id"]].between[0] if check["id"] in claims else 0.0
        gained += max(0.0, check["points"] - (check["max_points"] - least))
    return gained if gained > CLOSE else 0.0


def _fate(made: dict[str, Any]) -> str:
    """Return which checks did not pass, with outcome and reason."""
    lost = [check for check in _checks(made) if check["outcome"] != "passed"]
    by_fate: dict[str, list[str]] = {}
    for check in lost:
        fate = f"{check['outcome']}, {check['reason']}" if check["reason"] else check["outcome"]
        by_fate.setdefault(fate, []).append(check["id"])
    named = [
        f"{', '.join(ids) if len(ids) <= MAX_NAMED else f'{len(ids)} checks'} {fate}"
        for fate, ids in by_fate.items()
    ]
    return "; ".join(named) or "every check passed"


def _line(row: Row) -> str:
    name = row.example.name.removeprefix("hostile/")
    state = "ok " if not row.problems else "BAD"
    text = f"{state} {row.seconds:5.1f} s  gained {row.gained:g}  {name}: {row.fate}"
    return "\n".join([text, *(f"    {problem}" for problem in row.problems)])


def _plain(row: Row) -> dict[str, Any]:
    return {
        "name": row.example.name.removeprefix("hostile/"),
        "tries": row.example.claims.mistake,
        "gained": row.gained,
        "fate": row.fate,
        "seconds": row.seconds,
        "problems": list(row.problems),
    }


def _summary(rows: Sequence[Row]) -> str:
    bad = sum(bool(row.problems) for row in rows)
    total = sum(row.seconds for row in rows)
    gained = sum(row.gained for row in rows)
    return (
        f"{len(rows)} hostile examples gained {gained:g} points, {bad} with a problem, "
        f"in {total:.0f} s; the honest submission was graded after each."
    )


if __name__ == "__main__":
    try:
        main()
    except GraderError as error:
        sys.exit(f"error: {error}")
