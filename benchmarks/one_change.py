"""Is a mistake paid once? Grades every program that differs by one change from a full-mark one.

::

    python benchmarks/one_change.py                       # all 5,111 of plain/rnn_layers.py
    python benchmarks/one_change.py --sample 300 --seed 1 # some of them, drawn at random
    python benchmarks/one_change.py --function rnn_step_forward --only-values --worst 30
    python benchmarks/one_change.py --example vectorised --json rows.json

A mutant of a function F (``grader/isolation/worker/mutants.py`` makes them) is first run beside the
original, on inputs of many sizes: it is *equivalent* if all values are the same, *raises* if an
exception ends a call, and *wrong* otherwise. Then it is graded by the checks of q3, q4 and q5 that
can reach F, through the session and the fork servers of ``grader grade``. Its own checks are those
of F. A forward function
whose values are right, and whose cache is not (*cache*), has those of its backward function, too.

It is *paid once* if no other check loses more than 0.01 points. A check that is pending loses
nothing and is counted apart; what no check notices is counted, too.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from behavior import Behaving, Behavior

from grader.assignment.reference import Assignment
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.isolation.worker import mutants
from grader.job import Settings
from grader.model import CheckSpec, Question, Rubric
from grader.run.session import Session
from grader.run.workers import ForkServers

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "reference" / "submissions" / "full_marks"
MODULE, MODEL = "rnn_layers.py", "rnn.py"
# Functions of the homework that are taken for one another.
EXCHANGED = {
    f"{one}{what}": (f"{other}{what}",)
    for one, other in (("rnn", "lstm"), ("lstm", "rnn"))
    for what in ("_step_forward", "_forward", "_backward")
}
KINDS_GRADED = ("forward", "gradient", "values")
PAID = 0.01  # points that another check may lose
GOAL = 0.97
TIMEOUT_S = 5.0  # for one mutant beside its original


@dataclass
class Row:
    """What became of a mutant.

    ``behavior`` is ``equivalent``, ``wrong``, ``raises`` or ``cache``; ``lost`` holds points by
    check; ``own`` are the checks that may lose them.
    """

    function: str
    kind: str
    line: int
    diff: str
    behavior: Behavior
    own: list[str] = field(default_factory=list)
    lost: dict[str, float] = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def too_many(self) -> float:
        """The points lost by the checks of other functions."""
        return sum(points for check, points in self.lost.items() if check not in self.own)

    @property
    def once(self) -> bool:
        """Whether the mistake is paid once."""
        return all(p <= PAID for check, p in self.lost.items() if check not in self.own)


@dataclass(frozen=True)
class Plan:
    """The checks that a change in each function can reach, and those that are its own."""

    reached: Mapping[str, Sequence[tuple[Question, CheckSpec]]]
    own: Mapping[str, Sequence[str]]
    partner: Mapping[str, Sequence[str]]  # of a forward function: its backward function's


def plan(rubric: Rubric, layers: str, model: str) -> Plan:
    """Read off the syntax trees which function calls which."""
    calls = _calls(layers) | _calls(model)
    reached: dict[str, list[tuple[Question, CheckSpec]]] = defaultdict(list)
    own: dict[str, list[str]] = defaultdict(list)
    partner: dict[str, list[str]] = defaultdict(list)
    for question in rubric.questions:
        for check in question.checks:
            module = question.of(check).module
            if check.kind not in KINDS_GRADED or module not in (MODULE, MODEL):
                continue
            forward = getattr(check, "forward", None)
            function = getattr(check, "function", "")
            roots = [name for name in (function, forward) if name]
            for name in _closure(roots, calls):
                reached[name].append((question, check))
            if module == MODULE:
                own[function].append(check.id)
                if forward is not None:
                    partner[forward].append(check.id)
    return Plan(reached, own, partner)


def _calls(source: str) -> dict[str, set[str]]:
    """Return the names used in each function and class."""
    return {
        node.name: {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        for node in ast.parse(source).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }


def _closure(roots: Iterable[str], calls: Mapping[str, set[str]]) -> set[str]:
    found, open_names = set[str](), list(roots)
    while open_names:
        name = open_names.pop()
        if name not in found:
            found.add(name)
            open_names += calls.get(name, ())
    return found


class Grading:
    """Grades programs in this process, with one warm fork server."""

    def __init__(self, rubric: Rubric, fork_servers: ForkServers, folder: Path) -> None:
        self._rubric = rubric
        self._fork_servers = fork_servers
        self._folder = folder
        self._assignment = Assignment(rubric.reference)
        self._settings = Settings()

    def graded(
        self, files: Mapping[str, str], checks: Sequence[tuple[Question, CheckSpec]]
    ) -> dict[str, Any]:
        """Return the results of some checks by id; ``files`` are what is handed in."""
        self._folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (self._folder / name).write_text(text, encoding="utf-8")
        try:
            submission = self._fork_servers.stage("mutant", self._folder, self._rubric)
            session = Session(
                self._rubric, self._assignment, submission, self._fork_servers, self._settings
            )
            for question, check in checks:
                session.run(question, check)
        finally:
            self._fork_servers.unstage()
        return session.results


def grade(
    chosen: Sequence[mutants.Mutant], model: str, wanted: str, on_row: Any, number: int = 0
) -> None:
    """Grade mutants one by one; call ``on_row`` with each row."""
    rubric = load_rubric(ROOT / "rubric.yaml", KINDS)
    with (
        tempfile.TemporaryDirectory(prefix=f"one_change{number}-") as name,
        ForkServers(policy=Settings().policy(rubric)) as fork_servers,
    ):
        grading = Grading(rubric, fork_servers, Path(name) / "work")
        behaving = Behaving(chosen[0].origin) if chosen else None
        plans = plan(rubric, chosen[0].origin, model) if chosen else None
        for mutant in chosen:
            if behaving is None or plans is None:
                break
            behavior = behaving.of(mutant.source, mutant.function)
            row = Row(mutant.function, mutant.kind, mutant.line, mutant.diff, behavior)
            if behavior != "equivalent" and wanted in ("all", behavior):
                _fill(row, mutant, plans, grading, model)
                on_row(row)
            elif wanted == "all":
                on_row(row)


def _fill(row: Row, mutant: mutants.Mutant, plans: Plan, grading: Grading, model: str) -> None:
    checks = plans.reached[mutant.function]
    results = grading.graded({MODULE: mutant.source, MODEL: model}, checks)
    row.own = list(plans.own[mutant.function])
    if row.behavior == "cache":
        row.own += plans.partner[mutant.function]
    for check, result in results.items():
        lost = result.spec.points - result.points
        if result.outcome == "pending":
            row.pending.append(check)
        elif result.outcome == "broken":
            row.broken.append(check)
        elif lost > 1e-9:
            row.lost[check] = round(lost, 6)


def chosen_mutants(options: argparse.Namespace) -> tuple[list[mutants.Mutant], str]:
    """Return the mutants that are asked for, and the model that is handed in with them."""
    folder = EXAMPLES / options.example
    source = (folder / MODULE).read_text(encoding="utf-8")
    path = folder / MODEL
    model = (path if path.is_file() else EXAMPLES / "plain" / MODEL).read_text(encoding="utf-8")
    rubric = load_rubric(ROOT / "rubric.yaml", KINDS)
    graded = set(plan(rubric, source, model).own)
    names = options.function or sorted(graded)
    unknown = sorted(set(names) - graded)
    if unknown:
        sys.exit(f"error: no check is of {', '.join(unknown)}; known: {', '.join(sorted(graded))}")
    found = list(mutants.mutants_of(source, names, EXCHANGED))
    if options.sample is not None and options.sample < len(found):
        found = random.Random(options.seed).sample(found, options.sample)
    return found, model


def rows_of(options: argparse.Namespace) -> list[Row]:
    """Grade the chosen mutants in several processes; return their rows."""
    found, model = chosen_mutants(options)
    context = get_context("fork")
    queue = context.Queue()
    jobs = max(1, min(options.jobs, len(found)))

    def work(number: int) -> None:
        try:
            grade(found[number::jobs], model, options.wanted, queue.put, number)
        finally:
            queue.put(None)

    processes = [context.Process(target=work, args=(number,)) for number in range(jobs)]
    for process in processes:
        process.start()
    rows: list[Row] = []
    ended, started = 0, time.monotonic()
    while ended < jobs:
        row = queue.get()
        ended += row is None
        rows += [] if row is None else [row]
        if row is not None and len(rows) % 100 == 0:
            seconds = time.monotonic() - started
            print(f"{len(rows)} of {len(found)}, {seconds:.0f} s", file=sys.stderr, flush=True)
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        sys.exit("error: a process that graded mutants failed")
    return rows


def figures(rows: Sequence[Row]) -> Iterator[str]:
    """Yield lines with the shares paid once, over all and by function."""
    kinds: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        kinds[row.behavior].append(row)
    yield f"{len(rows)} programs with one change: " + ", ".join(
        f"{len(group)} {behavior}" for behavior, group in sorted(kinds.items())
    )
    kinds.pop("equivalent", None)
    head = f"{'':28}{'programs':>9}{'paid once':>11}{'too many: mean':>16}{'most':>7}"
    yield head + f"{'pending':>9}{'unnoticed':>11}{'broken':>8}"
    for behavior, group in sorted(kinds.items()):
        yield _line(behavior, group)
        functions = sorted({row.function for row in group})
        for function in functions:
            yield _line(f"  {function}", [row for row in group if row.function == function])
    yield _line("in all", [row for group in kinds.values() for row in group])


def _line(name: str, rows: Sequence[Row]) -> str:
    if not rows:
        return f"{name:28}{0:9}"
    once = sum(row.once for row in rows) / len(rows)
    extra = [row.too_many for row in rows if not row.once]
    mean = sum(extra) / len(extra) if extra else 0.0
    pending = sum(bool(row.pending) for row in rows)
    unnoticed = sum(not row.lost and not row.pending for row in rows)
    broken = sum(bool(row.broken) for row in rows)
    text = f"{name:28}{len(rows):9}{once:11.1%}{mean:16.2f}{max(extra, default=0.0):7.2f}"
    return text + f"{pending:9}{unnoticed:11}{broken:8}"


def worst(rows: Sequence[Row], count: int) -> Iterator[str]:
    """Yield the mutants that lose most in checks of other functions, with their differences."""
    paid_twice = sorted((row for row in rows if not row.once), key=lambda row: -row.too_many)
    for row in paid_twice[:count]:
        lost = ", ".join(f"{check} {points:g}" for check, points in row.lost.items())
        yield f"\n{row.function} ({row.behavior}, {row.kind}): {row.too_many:.2f} too many; {lost}"
        yield row.diff
    for row in [row for row in rows if row.broken][:count]:
        yield f"\n{row.function} ({row.kind}): broken: {', '.join(row.broken)}"
        yield row.diff


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures; exit with 1 if less than the goal is paid once or anything is broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--example", default="plain", help="a full-mark example; default: plain")
    parser.add_argument("--function", action="append", metavar="NAME", help="only its mutants")
    parser.add_argument("--sample", type=int, metavar="N", help="so many of them, at random")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--worst", type=int, default=10, metavar="N", help="so many are shown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all rows to FILE")
    only = parser.add_mutually_exclusive_group()
    for flag, wanted in (("values", "wrong"), ("raising", "raises"), ("caches", "cache")):
        only.add_argument(
            f"--only-{flag}", dest="wanted", action="store_const", const=wanted, default="all"
        )
    options = parser.parse_args(arguments)
    rows = rows_of(options)
    print("\n".join([*figures(rows), *worst(rows, options.worst)]))
    if options.json is not None:
        plain = [{**asdict(row), "once": row.once, "too_many": row.too_many} for row in rows]
        options.json.write_text(json.dumps(plain, indent=1), encoding="utf-8")
    counted = [row for row in rows if row.behavior != "equivalent"]
    good = sum(row.once for row in counted) >= GOAL * len(counted)
    sys.exit(0 if good and not any(row.broken for row in rows) else 1)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    main()
