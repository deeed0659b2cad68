"""Looking at files again and again: which modules have changed, and which checks that concerns.

Modification times are polled: that needs nothing from the operating system, and of a homework's
files few are looked at (``grader/frontends/student/staged.py``).
"""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import click

from grader.frontends.student.look import Chosen, HomeJob
from grader.frontends.student.staged import StudentFolder, listed
from grader.intake.notebook import SUFFIX
from grader.intake.places import is_meant
from grader.model import CheckResult, CheckSpec, Question

POLL_S = 0.3
WAITING = "waiting for you to save a file (Ctrl-C to stop)"
SUFFIXES = (".py", SUFFIX, ".tex", ".md", ".txt", ".npz")
IMPORT = re.compile(r"^[ \t]*(?:import|from)[ \t]+(\w+)", re.MULTILINE)
Stamp = tuple[int, int]  # nanoseconds of the last change, and size


def follow(job: HomeJob, shown: Callable[[Sequence[Chosen]], Sequence[CheckResult]]) -> None:
    """Run all checks, then those that each change concerns; Ctrl-C is the way to end it.

    Args:
        job: what to check.
        shown: runs some of the checks, shows the results and returns them.

    Raises:
        UsageError: the folder is gone.
        BrokenError: there is no place for temporary files.
    """
    known = stamps(job.folder)
    try:
        before = deciding(job)
        passed = _passed_of(shown(job.checks))
        click.echo(WAITING)
        for changed in changes(job.folder, known):
            now = deciding(job)
            # What a check read before the change counts as well: the file may be gone now.
            checks = [one for one in job.checks if changed & (before[one[1].id] | now[one[1].id])]
            before = now
            if not checks:
                continue
            click.clear()
            click.echo(f"{', '.join(sorted(changed))} changed")
            passed |= _passed_of(shown(checks))
            click.echo(f"{sum(passed.values())} of {len(passed)} checks passed so far; {WAITING}")
    except KeyboardInterrupt:
        click.echo()


def _passed_of(results: Sequence[CheckResult]) -> dict[str, bool]:
    return {result.spec.id: result.outcome == "passed" for result in results}


def stamps(folder: Path) -> dict[str, Stamp]:
    """Return when each file of ``folder`` that a check may read was last changed.

    Raises:
        UsageError: the folder is gone.
    """
    found = {}
    for name in listed(folder).files:
        if not name.lower().endswith(SUFFIXES):
            continue
        try:
            state = (folder / name).stat()
        except OSError:  # an editor that saves by renaming: the next look finds it
            continue
        found[name] = (state.st_mtime_ns, state.st_size)
    return found


def changes(folder: Path, known: Mapping[str, Stamp]) -> Iterator[set[str]]:
    """Yield the names of files that differ from ``known``, as soon as they are at rest; forever.

    What changes while its consumer is at work is found afterwards.
    """
    before = last = dict(known)
    while True:
        time.sleep(POLL_S)
        now = stamps(folder)
        if now == last and now != before:
            yield {name for name in {*now, *before} if now.get(name) != before.get(name)}
            before = now
        last = now


def deciding(job: HomeJob) -> dict[str, set[str]]:
    """Return the files that decide how each check ends, by its id; paths as in ``stamps``.

    Raises:
        UsageError: the folder is gone.
        BrokenError: there is no place for temporary files.
    """
    with job.staged() as here:
        return {check.id: concerned(here, question, check) for question, check in job.checks}


def concerned(here: StudentFolder, question: Question, check: CheckSpec) -> set[str]:
    """Return the files that decide how a check ends, relative to the student's folder.

    These are the files that it reads and the modules that its module imports, and so on.
    """
    found = set[str]().union(*(meant(here, name) for name in check.other_files))
    if check.functions:
        module = question.of(check).module
        found |= meant(here, module) | imported(here, module)
    # A text may lie outside the folder of the module.
    outside = {
        file
        for file in here.submission.everything
        if any(is_meant(PurePosixPath(file).name, name) for name in check.other_files)
    }
    return {here.named(file) for file in found} | outside


def meant(here: StudentFolder, name: str) -> set[str]:
    """Return the file that is read as ``name``, and those that would be in its place."""
    submission = here.submission
    found = {name} | {f for f in submission.files if is_meant(PurePosixPath(f).name, name)}
    place = submission.places.found.get(name)
    if place is not None:
        found.add(place.source)
    if not (submission.folder / submission.path_of(name)).is_file():
        # Any notebook may become the one that is read.
        found |= {file for file in submission.files if file.lower().endswith(SUFFIX)}
    return found


def imported(here: StudentFolder, module: str) -> set[str]:
    """Return the student's own files that ``module`` imports, directly or not."""
    submission = here.submission
    found: set[str] = set()
    waiting = [submission.path_of(module)]
    while waiting:
        path = waiting.pop()
        try:
            text = (submission.folder / path).read_bytes()
        except OSError:
            continue  # whoever fixes it changes it
        new = set(_own(submission.files, _tops(text))) - found
        found |= new
        waiting += new
    return found


def _own(files: Iterable[str], tops: Collection[str]) -> Iterator[str]:
    """Yield the files that may be imported by one of these names, with all of a package."""
    for file in files:
        path = PurePosixPath(file)
        if path.suffix == ".py" and not {path.stem, *path.parts[:-1]}.isdisjoint(tops):
            yield file


def _tops(text: bytes) -> Collection[str]:
    """Return the first parts of the names of everything that is imported."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # One cell of a notebook may be no Python, while the others are run.
        return set(IMPORT.findall(text.decode("utf-8", "replace")))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names
