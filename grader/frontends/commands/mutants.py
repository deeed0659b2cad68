"""``grader verify --mutants``: does the rubric see every program with one mistake?"""

from __future__ import annotations

import fnmatch
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.table import Table

from grader.assignment import mutated, paired
from grader.assignment.examples import load_examples
from grader.assignment.mutated import Making, MutantFate, RightProgram
from grader.assignment.paired import MutantPair
from grader.errors import UsageError
from grader.frontends.commands.exit_status import EXIT_BROKEN, EXIT_FAILURES
from grader.isolation.worker.mutants import mutants_of
from grader.job import Job
from grader.reports import terminal
from grader.reports.files import write_json
from grader.run import batch, second_look
from grader.run.progress import follow

AT_ONCE = 200  # mutants that are written to the disk at a time
NAME = "mutants.json"


def verify_mutants(
    job: Job, names: Sequence[str], jobs: int, sample: int | None, seed: int, *, pairs: bool
) -> None:
    """Grade mutants of the right programs whose names match; print what became of them.

    Raises:
        UsageError: a pattern matches no right program, or nothing can be changed.
    """
    programs = mutated.right_programs(job.rubric, load_examples(job.rubric))
    found = matching_fates(job, programs, names)
    fates = mutated.drawn(found, sample, seed)
    doubled = paired.pairs_of(fates, found, seed) if pairs else []
    alone = list({id(one): one for pair in doubled for one in pair.alone}.values())
    fates = [pair.both for pair in doubled] if pairs else fates
    if not fates:
        raise UsageError("there is nothing to change: no function of these programs is graded")
    known = mutated.listed(job.rubric)
    every = [*fates, *alone]
    for start in range(0, len(every), AT_ONCE):
        grade_each(job, every[start : start + AT_ONCE], jobs)
    for fate in (one for one in fates if one.fate == "alive"):
        entry = mutated.is_listed(fate, known)
        if entry is not None:
            fate.fate, fate.why = "listed", entry.reason
    alive = [fate for fate in fates if fate.fate == "alive"]
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        second_look.settle_all(job.rubric, job.settings, Path(folder), alive)
    _print(fates)
    if doubled:
        click.echo(_named(doubled))
    wrong = [fate for fate in fates if fate.fate in ("alive", "broken", "pending")]
    end(job, fates, wrong, doubled)


def end(
    job: Job,
    fates: Sequence[MutantFate],
    wrong: Sequence[MutantFate],
    pairs: Sequence[MutantPair] = (),
) -> None:
    """Print what is not as it must be, one by one, and leave with the status that says so."""
    for text in _one_by_one(wrong):
        click.echo(terminal.clean(text))
    if job.out is not None:
        rows = [_pair_row(pair) for pair in pairs] or [_row(fate) for fate in fates]
        write_json(job.out / NAME, rows)
        click.echo(terminal.clean(f"all of them: {job.out / NAME}"))
    if any(fate.fate == "broken" for fate in fates):
        sys.exit(EXIT_BROKEN)
    if any(fate.fate != "pending" for fate in wrong):
        sys.exit(EXIT_FAILURES)


def matching_fates(
    job: Job, programs: Sequence[RightProgram], names: Sequence[str], made: Making = mutants_of
) -> list[MutantFate]:
    """Return the mutants (or what else is ``made``) of programs, files or functions that match.

    Raises:
        UsageError: a pattern matches nothing.
    """
    found = [fate for program in programs for fate in mutated.fates_of(job.rubric, program, made)]
    for name in names:
        if not any(_matches(fate, name) for fate in found):
            known = ", ".join(one.name for one in programs)
            example = f"{programs[-1].name}/*:*"
            raise UsageError(f"{name}: no such right program (there are {known}; or {example})")
    return [fate for fate in found if not names or any(_matches(fate, name) for name in names)]


def _matches(fate: MutantFate, pattern: str) -> bool:
    file = f"{fate.program.name}/{fate.module}"
    whole = (fate.program.name, file, f"{file}:{fate.mutant.function}")
    return any(fnmatch.fnmatchcase(name, pattern) for name in whole)


def grade_each(job: Job, fates: Sequence[MutantFate], jobs: int) -> None:
    """Grade mutants, write no reports, and note what became of them."""
    quiet = Job(job.rubric, job.settings, None)
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        given = mutated.submitted(Path(name), fates)
        reports = {made.id: made for made in follow(batch.run(quiet, given, jobs), given)}
    for fate, one in zip(fates, given, strict=True):
        mutated.settle(fate, reports[one.identifier])


def _print(fates: Sequence[MutantFate]) -> None:
    screen = terminal.console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("function", no_wrap=True)
    for head in ("mutants", "equivalent", "killed", "by its own check", "paid once",
                 "cause named", "to a person"):  # fmt: skip
        table.add_column(head, justify="right")
    groups: dict[str, list[MutantFate]] = defaultdict(list)
    for fate in fates:
        groups[fate.mutant.function].append(fate)
    for function, group in sorted(groups.items()):
        table.add_row(function, *_figures(group))
    if len(groups) > 1:
        table.add_row("all", *_figures(fates))
    screen.print(table)


def _figures(fates: Sequence[MutantFate]) -> Iterator[str]:
    same = [fate for fate in fates if fate.fate in ("equivalent", "listed")]
    killed = [fate for fate in fates if fate.fate == "killed"]
    yield str(len(fates))
    yield str(len(same))
    yield _share(len(killed), len(fates) - len(same))
    for count in (
        sum(fate.by_own for fate in killed),
        sum(fate.once for fate in killed),
        sum(fate.has_cause for fate in killed),
    ):
        yield _share(count, len(killed))
    yield str(sum(fate.fate == "pending" for fate in fates))


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _named(pairs: Sequence[MutantPair]) -> str:
    """Return how many pairs have both changes named, and what is wrong with the others."""
    counts = Counter(pair.named for pair in pairs)
    whole = len(pairs) - counts["no pair"]
    return (
        f"a cause for both changes in {_share(counts['both'], whole)} of {whole} pairs; one hides "
        f"the other in {_share(counts['hidden'], whole)}, and a change does nothing alone in "
        f"{counts['no pair']} more"
    )


def _one_by_one(fates: Sequence[MutantFate]) -> Iterator[str]:
    """Yield the place and the change of each, with what is known about it."""
    for fate in fates:
        mutant = fate.mutant
        place = f"{fate.program.name}/{fate.module}, line {mutant.line}, {mutant.function}"
        lost = ", ".join(f"{check} loses {points:g}" for check, points in fate.lost.items())
        yield f"\n{fate.fate}: {place} ({mutant.kind}){': ' if lost else ''}{lost}"
        yield from [fate.first.diff] if fate.first is not None else []
        yield mutant.diff
        yield from [fate.why] if fate.why else []


def _row(fate: MutantFate) -> dict[str, Any]:
    return {
        "program": fate.program.name,
        "module": fate.module,
        "function": fate.mutant.function,
        "kind": fate.mutant.kind,
        "line": fate.mutant.line,
        "diff": fate.mutant.diff,
        "fate": fate.fate,
        "lost": fate.lost,
        "by_own": fate.by_own,
        "once": fate.once,
        "causes": fate.causes,
        "has_cause": fate.has_cause,
        "why": fate.why,
    }


def _pair_row(pair: MutantPair) -> dict[str, Any]:
    first, _second = pair.alone
    return {
        **_row(pair.both),
        "first": first.mutant.diff,
        "first_function": first.mutant.function,
        "named": pair.named,
        "alone": [{"fate": one.fate, "lost": one.lost, "causes": one.causes} for one in pair.alone],
    }
