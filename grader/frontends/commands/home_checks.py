"""What is checked on a student's own machine: of recorded checks, or of a whole rubric."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.assignment.reference import Assignment
from grader.errors import UsageError
from grader.frontends.commands.wanted import wanted_checks, wanted_of
from grader.frontends.student.look import HomeJob, chosen
from grader.frontends.student.replay import Bundle
from grader.intake.places import is_meant
from grader.job import Settings
from grader.model import Rubric

CODE = (".py", ".ipynb")


@dataclass(frozen=True)
class HomeChecks:
    """Checks to run; ``more`` returns notes about the folder afterwards."""

    job: HomeJob
    more: Callable[[], list[str]]


def visible(rubric: Rubric, only: Sequence[str], file: str = "") -> frozenset[str]:
    """Return the ids of the wanted checks that are visible.

    Args:
        rubric: with the checks.
        only: ids of questions and checks; without any, all of ``file`` or all there are.
        file: the name of a module.

    Raises:
        UsageError: an id is unknown, or that of a hidden check.
    """
    checks = [check for question in rubric.questions for check in question.checks]
    shown = {check.id for check in checks if check.visibility == "visible"}
    wanted = wanted_checks(rubric, only) & shown
    if not wanted:
        raise UsageError(f"{', '.join(only)}: hidden checks cannot run here")
    about_file = _of_file(rubric, wanted, file)
    return wanted if only else about_file


def _of_file(rubric: Rubric, wanted: frozenset[str], file: str) -> frozenset[str]:
    """Return which of the wanted checks are about a file of code; all if it is not a module.

    Raises:
        UsageError: it is a module, and no check asks for it.
    """
    modules = {
        check.id: check.module or question.module
        for question in rubric.questions
        for check in question.checks
    }
    about = {name for name, module in modules.items() if is_meant(file, module)}
    if not about and file.lower().endswith(".py"):
        raise UsageError(
            f"{file}: the checks do not ask for this file; they ask for "
            f"{', '.join(sorted({*modules.values()}))}"
        )
    return wanted & about or wanted


def recorded(bundle: Bundle, folder: Path, only: Sequence[str], file: str = "") -> HomeChecks:
    """Return recorded checks of the files in ``folder``.

    Args:
        bundle: what the student was given.
        folder: the student's.
        only: ids of questions and checks; without any, all of ``file`` or all there are.
        file: the name of a module.

    Raises:
        UsageError: an id is unknown, or that of a check that only the instructor can run.
        BrokenError: a recorded file is damaged.
    """
    wanted = wanted_of(bundle.ids, only)
    if file:  # the kinds of all checks are loaded only where they must be looked through
        about_file = _of_file(bundle.rubric(wanted_of(bundle.ids, ())), wanted, file)
        wanted = wanted if only else about_file
    rubric = bundle.rubric(wanted)
    checks = chosen(rubric, wanted)
    if not checks:
        raise UsageError(f"{', '.join(only)}: only your instructor's grader can run this check")
    elsewhere = [one.id for one in bundle.elsewhere if one.id in wanted]

    def more() -> list[str]:
        text = f"only your instructor's grader can run {', '.join(elsewhere)}"
        notes = [*bundle.notes(bundle.home), *([text] if elsewhere else [])]
        return [*notes, *_code_is_elsewhere(rubric, bundle.home, folder)]

    settings = Settings(isolation="none", locked=False)
    about = bundle.asked, bundle.supplied
    job = HomeJob(rubric, bundle.assignment(rubric), folder, checks, settings, *about)
    return HomeChecks(job, more)


def _code_is_elsewhere(rubric: Rubric, home: Path, folder: Path) -> list[str]:
    """Return where the homework's modules are, if the folder that was checked holds no code."""
    here, home = folder.resolve(), home.resolve()
    try:
        if here == home or any(one.suffix in CODE for one in here.iterdir()):
            return []
        where = os.path.relpath(home)
    except (OSError, ValueError):  # it has vanished; another drive of Windows
        return []
    modules = {
        c.module or question.module for question in rubric.questions for c in question.checks
    }
    there = sorted(one for one in modules if (home / one).is_file())
    text = f"the folder that was checked holds no code; for {', '.join(there)}: cd {where}"
    return [text] if there else []


def of_rubric(
    rubric: Rubric,
    assignment: Assignment,
    folder: Path,
    wanted: frozenset[str],
    settings: Settings,
) -> HomeChecks:
    """Return checks of a whole rubric, in plain processes."""
    supplied = {file.name: file for question in rubric.questions for file in question.supplied}
    files = tuple(supplied.values())
    checks = chosen(rubric, wanted)
    return HomeChecks(HomeJob(rubric, assignment, folder, checks, settings, supplied=files), list)
