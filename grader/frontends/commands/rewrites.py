"""``grader verify --rewrites``: right programs in other words lose nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich import box
from rich.table import Table

from grader.assignment import mutated
from grader.assignment.examples import load_examples
from grader.errors import UsageError
from grader.frontends.commands.mutants import end, grade_each, matching_fates
from grader.isolation.worker.rewrites import rewrites_of
from grader.job import Job
from grader.reports import terminal

BATCH = 50  # programs that are graded with one seed


def verify_rewrites(
    job: Job, names: Sequence[str], jobs: int, sample: int | None, seed: int
) -> None:
    """Grade right programs in other words; print which lose points. Each batch has its own seed.

    Raises:
        UsageError: a pattern matches no right program, or nothing can be rewritten.
    """
    programs = mutated.right_programs(job.rubric, load_examples(job.rubric))
    found = matching_fates(job, programs, names, rewrites_of)
    fates = mutated.drawn(found, sample, seed)
    if not fates:
        raise UsageError("there is nothing to rewrite: no function of these programs is graded")
    first = job.settings.public_seed(job.rubric)
    starts = range(0, len(fates), BATCH)
    for number, start in enumerate(starts):
        settings = replace(job.settings, seed=first + number)
        grade_each(replace(job, settings=settings), fates[start : start + BATCH], jobs)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(f"rewrites, with {len(starts)} seeds", no_wrap=True)
    for head in ("programs", "lose points", "to a person"):
        table.add_column(head, justify="right")
    for kind in [*sorted({fate.mutant.kind for fate in fates}), "all"]:
        group = [fate for fate in fates if kind in (fate.mutant.kind, "all")]
        lost, pending = (sum(f.fate == fate for f in group) for fate in ("killed", "pending"))
        table.add_row(kind, str(len(group)), str(lost), str(pending))
    terminal.console().print(table)
    end(job, fates, [fate for fate in fates if fate.fate != "alive"])
