"""What a rubric asks students to hand in, and whether a module can be Python at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from grader.errors import Failure
from grader.intake import sources
from grader.intake.archives import MAX_SHOWN, shown
from grader.intake.submission import Submission
from grader.model import Rubric
from grader.readers.texts import printable

MAX_NAMED = 6  # files in a note


def asked_by(rubric: Rubric) -> tuple[dict[str, set[str]], list[str]]:
    """Return a rubric's modules with the functions that each must have, and its other files."""
    modules: dict[str, set[str]] = {}
    others: list[str] = []
    for question in rubric.questions:
        for name in question.modules:
            modules.setdefault(name, set())
        for check in question.checks:
            modules[check.module or question.module].update(check.functions)
            others += check.other_files
    return modules, others


def unreadable(submission: Submission, module: str) -> Failure | None:
    """Return why a module cannot be Python source at all, without importing it."""
    if submission.problem is None and module in submission.places.obstacles:
        return Failure(*submission.places.obstacles[module])
    path = submission.folder / submission.path_of(module)
    if not path.is_file():
        return Failure("missing", submission.missing(module))
    data = path.read_bytes()
    problem = sources.problem(submission.shown(module), data)
    if problem is None:
        return None
    return Failure("import_error" if data.strip() else "missing", problem)


def ambiguous(submission: Submission, missing: Iterable[str]) -> list[str]:
    """Return a note for each import that could mean two of the student's own files."""
    notes = []
    for name in missing:
        files = [f for f in submission.files if PurePosixPath(f).name == f"{name}.py"]
        if len(files) > 1:
            told = ", ".join(map(shown, files[:MAX_NAMED]))
            notes.append(
                f"import {printable(name, MAX_SHOWN)}: several files could be meant ({told}), so "
                "none was imported: keep only one of them, next to the module"
            )
    return notes
