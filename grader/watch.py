"""Looking at files again and again: which modules have changed, and which checks that concerns.

Modification times are polled: that needs nothing from the operating system, and a homework has few
files.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

import click

from grader.errors import UsageError
from grader.home import Chosen, Look
from grader.model import CheckResult, CheckSpec, Question

POLL_S = 0.3
WAITING = "waiting for a file to be saved (Ctrl-C ends this)"
SUFFIXES = frozenset([".py", ".tex", ".md", ".txt", ".npz"])
Stamp = tuple[int, int]  # nanoseconds of the last change, and size


def follow(look: Look, shown: Callable[[Sequence[Chosen]], Sequence[CheckResult]]) -> None:
    """Run all checks, then those that each change concerns; Ctrl-C is the way to end it.

    Args:
        look: what to check.
        shown: runs some of the checks, shows the results and returns them.

    Raises:
        UsageError: the folder is gone.
    """
    known = stamps(look.folder)
    try:
        passed = _passed_of(shown(look.checks))
        click.echo(WAITING)
        for changed in changes(look.folder, known):
            checks = [one for one in look.checks if concerned(look.folder, *one) & changed]
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
    """Return when each file directly in ``folder`` that a check may read was last changed.

    Raises:
        UsageError: the folder is gone.
    """
    found = {}
    try:
        paths = [path for path in folder.iterdir() if path.suffix in SUFFIXES]
    except OSError as error:
        raise UsageError(f"{folder}: cannot be read: {error.strerror}") from None
    for path in paths:
        try:
            state = path.stat()
        except OSError:  # an editor that saves by renaming: the next look finds it
            continue
        found[path.name] = (state.st_mtime_ns, state.st_size)
    return found


def changes(folder: Path, known: Mapping[str, Stamp]) -> Iterator[set[str]]:
    """Yield the names of files that differ from ``known``, as soon as they are at rest; for ever.

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


def concerned(folder: Path, question: Question, check: CheckSpec) -> set[str]:
    """Return the names of the files that decide how a check ends.

    These are the files that it reads and the modules that its module imports, and so on.
    """
    named = getattr(check, "files", None) or [getattr(check, "file", None)]
    files = {name for name in named if name}
    if hasattr(check, "function"):
        files |= imported(folder, question.of(check).module)
    return files


def imported(folder: Path, module: str) -> set[str]:
    """Return ``module`` and the files of ``folder`` that it imports, directly or not."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        try:
            tree = ast.parse((folder / name).read_bytes())
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # whoever mends it changes it
        waiting += [f"{top}.py" for top in _tops(tree) if (folder / f"{top}.py").is_file()]
    return found


def _tops(tree: ast.AST) -> Collection[str]:
    """Return the first parts of the names of everything that is imported."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names
