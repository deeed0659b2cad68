"""Running the checks of a homework from a notebook, as ``grader check`` does at home."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from grader.checks import KINDS
from grader.errors import UsageError
from grader.frontends.commands.home_checks import HomeChecks, of_rubric, recorded, visible
from grader.frontends.commands.options import bundle_of, find_rubric
from grader.frontends.notebook.checked import Checked
from grader.frontends.notebook.kernel import live_modules
from grader.frontends.student.replay import load
from grader.intake.wanted import asked_by
from grader.job import Settings
from grader.readers.texts import printable

MAX_SHOWN = 40  # characters of what was given instead of an id


def check_here(only: Sequence[str], folder: str, shell: Any) -> Checked:
    """Check homework and return what was found.

    The functions that a notebook defines come before those of files. Student code runs as it does
    for ``grader check``: in a process of its own for each check, on a copy of the code. Nothing
    that it does reaches the notebook.

    Args:
        only: ids of questions and checks; without any, all that can run here.
        folder: the folder of the homework.
        shell: IPython's, or None outside of a notebook.

    Raises:
        UsageError: there is no such check or folder, no homework there, or an id is not a text.
        BrokenError: a recorded file is damaged, or there is no place for temporary files.
    """
    if odd := [one for one in only if not isinstance(one, str)]:
        raise UsageError(
            f"{printable(repr(odd[0]), MAX_SHOWN)}: name questions and checks as texts: "
            'grader.check("q3.1", "q5")'
        )
    here = Path(folder)
    if not here.is_dir():
        raise UsageError(f"{folder}: no such folder")
    work = _work(here, only)
    if shell is not None:
        asked, _others = work.job.asked or asked_by(work.job.rubric)
        work = replace(work, job=replace(work.job, live=live_modules(shell, asked)))
    told: list[str] = []
    results = tuple(work.job.run(work.job.checks, told.append))
    return Checked(results, (*told, *work.more()))


def _work(folder: Path, only: Sequence[str]) -> HomeChecks:
    home = bundle_of(folder)
    if home is not None:
        return recorded(load(home), folder, only)
    from grader.assignment.reference import Assignment
    from grader.assignment.rubric import load_rubric

    rubric = load_rubric(find_rubric(None, folder.resolve()), KINDS)
    settings = Settings(isolation="none")  # as for grader check
    wanted = visible(rubric, only)
    return of_rubric(rubric, Assignment(rubric.reference), folder, wanted, settings)
