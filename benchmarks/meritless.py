"""Can points be bought with programs that compute nothing of the homework?

::

    python benchmarks/meritless.py                         # 2,000 programs
    python benchmarks/meritless.py --count 200 --first 5000 --show 3

Each program (``meritless_programs.py`` makes them, one per seed) is graded by the checks of q3, q4
and q5 that need no training. It must earn no more than the template that students receive. Exits
with 1 if one does, or if a check is broken.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from meritless_programs import program
from one_change import MODEL, MODULE, ROOT, Grading, plan

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.job import Settings
from grader.model import CheckSpec, Question, Rubric
from grader.run.workers import ForkServers

TEMPLATE = ROOT / "submissions_template"
CLOSE = 1e-9  # points


@dataclass(frozen=True)
class Outcome:
    """What a program gained above the template, and what was broken, by check."""

    seed: int
    gained: Mapping[str, float]
    broken: tuple[str, ...] = ()


class Judge:
    """Grades programs without merit beside the template, in this process."""

    def __init__(self, rubric: Rubric, grading: Grading) -> None:
        self._grading = grading
        template = {name: (TEMPLATE / name).read_text() for name in (MODULE, MODEL)}
        reached = plan(rubric, template[MODULE], template[MODEL]).reached
        by_id = {
            check.id: (question, check) for pairs in reached.values() for question, check in pairs
        }
        self._checks: list[tuple[Question, CheckSpec]] = [by_id[name] for name in sorted(by_id)]
        self._floor = {
            name: result.points for name, result in grading.graded(template, self._checks).items()
        }

    def outcome(self, seed: int) -> Outcome:
        """Grade the program of a seed."""
        results = self._grading.graded(program(seed), self._checks)
        gained = {
            name: result.points - self._floor[name]
            for name, result in results.items()
            if result.points > self._floor[name] + CLOSE
        }
        broken = tuple(name for name, result in results.items() if result.outcome == "broken")
        return Outcome(seed, gained, broken)


def outcomes(seeds: Sequence[int], jobs: int) -> list[Outcome]:
    """Grade the programs of some seeds in several processes."""
    context = get_context("fork")
    queue = context.Queue()

    def work(mine: Sequence[int]) -> None:
        rubric = load_rubric(ROOT / "rubric.yaml", KINDS)
        with (
            tempfile.TemporaryDirectory(prefix="meritless-") as name,
            ForkServers(policy=Settings().policy(rubric)) as fork_servers,
        ):
            judge = Judge(rubric, Grading(rubric, fork_servers, Path(name) / "work"))
            for seed in mine:
                queue.put(judge.outcome(seed))
        queue.put(None)

    processes = [context.Process(target=work, args=(seeds[n::jobs],)) for n in range(jobs)]
    for process in processes:
        process.start()
    found: list[Outcome] = []
    while len(found) < len(seeds) and any(process.is_alive() for process in processes):
        outcome = queue.get()
        found += [] if outcome is None else [outcome]
        if len(found) % 100 == 0:
            gained = sum(bool(outcome.gained) for outcome in found)
            print(f"{len(found)} of {len(seeds)}, {gained} gained", file=sys.stderr, flush=True)
    for process in processes:
        process.join()
    if len(found) < len(seeds):
        sys.exit("error: a process that graded programs failed")
    return sorted(found, key=lambda outcome: outcome.seed)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print how many programs gained points, and how many points."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=2000, help="how many programs")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="of the first one")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N that gained")
    options = parser.parse_args(arguments)
    found = outcomes(range(options.first, options.first + options.count), options.jobs)
    winners = sorted((o for o in found if o.gained), key=lambda o: -sum(o.gained.values()))
    most = max((sum(o.gained.values()) for o in winners), default=0.0)
    broken = [outcome for outcome in found if outcome.broken]
    print(
        f"{len(found)} programs without merit: {len(winners)} gained points, at most {most:g}; "
        f"{len(broken)} broke a check"
    )
    for outcome in winners[:20]:
        checks = ", ".join(f"{name} {points:g}" for name, points in outcome.gained.items())
        print(f"  seed {outcome.seed}: {checks}")
    for outcome in broken[:20]:
        print(f"  seed {outcome.seed}: broken: {', '.join(outcome.broken)}")
    for outcome in winners[: options.show]:
        print(*program(outcome.seed).values(), sep="\n")
    sys.exit(1 if winners or broken else 0)


if __name__ == "__main__":
    main()
