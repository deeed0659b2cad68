"""``grader check``: a student's look at the visible checks."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from grader import batch
from grader.commands.common import (
    EXIT_BROKEN,
    EXIT_FAILURES,
    find_rubric,
    read_settings,
    shared,
    tell_broken,
    told,
    wanted_checks,
)
from grader.errors import UsageError
from grader.grading import Job, Work
from grader.progress import follow
from grader.reports import terminal
from grader.rubric import load_rubric


@click.command()
@click.argument("arguments", nargs=-1, metavar="[DIR] [ID]...")
@shared
@told
def check(
    arguments: Sequence[str],
    rubric: Path | None,
    tier: Any,
    data: Path | None,
    seed: int | None,
    device: Any,
) -> None:
    """Check your own work in DIR (default: here): all visible checks, or those named by ID.

    An ID is a question (q3) or a check (q3.1). Exit status: 0 all right, 1 something is not.
    """
    folder, only = Path(), list(arguments)
    if only and Path(only[0]).is_file():
        raise UsageError(f"{only[0]}: name the folder that it is in, not the file")
    if only and (Path(only[0]).is_dir() or os.sep in only[0]):
        folder = Path(only.pop(0))
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder")
    loaded = load_rubric(find_rubric(rubric, folder.resolve()))
    visible = {
        check.id
        for question in loaded.questions
        for check in question.checks
        if check.visibility == "visible"
    }
    wanted = wanted_checks(loaded, only) & visible
    if not wanted:
        raise UsageError(f"{', '.join(only)}: not a check that can be run here: it is hidden")
    # It is the student's own machine: whatever isolation there is will do.
    settings = replace(read_settings(tier, data, seed, device), isolation="none")
    job = Job(loaded, settings, None)
    work = [Work("submission", folder, frozenset(wanted))]
    (made,) = follow(batch.run(job, work, 1), work)
    terminal.console().print(terminal.report(made, visible_only=True))
    if made["status"] == "broken":
        tell_broken([made])
        sys.exit(EXIT_BROKEN)
    outcomes = {check["outcome"] for question in made["questions"] for check in question["checks"]}
    if outcomes - {"passed", "pending"}:
        sys.exit(EXIT_FAILURES)
