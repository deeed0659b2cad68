"""A check of a graded submission once more, with the two numbers that its report names."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from grader.assignment import secret
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import UsageError
from grader.frontends.commands import replayed_case
from grader.frontends.commands.exit_status import EXIT_BROKEN, EXIT_FAILURES
from grader.frontends.commands.options import demand, find_rubric, read_settings
from grader.frontends.commands.out_folder import check_writable
from grader.intake import submission
from grader.intake.submission import Origin, Submission
from grader.intake.wanted import asked_by
from grader.job import Settings
from grader.model import CheckSpec, Question, Rubric
from grader.readers.texts import counted, plain
from grader.reports import origins, stored, terminal
from grader.reports.report import CheckReport, Report
from grader.run.basis import basis_of
from grader.run.replayed_check import Replayed
from grader.run.replaying import replayed
from grader.run.workers import ForkServers

MAX_CLASS_BYTES = 16 << 30


@dataclass(frozen=True)
class ReplayOptions:
    """How a check is run again; see the options of the command."""

    named: Path | None
    rubric: Path | None
    data: Path | None
    device: Any
    seed_file: Path | None
    isolation: Any
    unsafe: bool


def replay_of_report(
    report: Path, check: str, case: int | None, out: Path | None, options: ReplayOptions
) -> None:
    """Run a check of a report again; print what is wrong, and leave with the status that says so.

    Raises:
        UsageError: the report, the check or the submission is not there.
    """
    kept = stored.read_one(report)
    made = kept.report
    loaded = load_rubric(find_rubric(options.rubric, Path.cwd()), KINDS)
    question, spec, reported = _asked(loaded, made, check)
    if out is not None:
        check_writable(out)
    settings = read_settings(made.tier, options.data, None, options.device)
    settings = demand(settings, options.isolation, unsafe=options.unsafe)
    settings = _drawn_alike(settings, made, options.seed_file)
    is_as_graded = _warn_of_changes(loaded, settings, made, reported)
    with submission.Classes(MAX_CLASS_BYTES) as classes:
        origin = _origin(kept, options.named, loaded, classes)
        with ForkServers(policy=settings.policy(loaded)) as servers:
            staged = servers.stage(made.id, origin, loaded)
            is_as_graded &= _warn_of_other_files(staged, made, origin)
            found = replayed(servers, loaded, settings, staged, (question, spec, reported))
            replayed_case.show(found, made.id, case)
            if out is not None:
                replayed_case.write(out, found, case, staged)
            servers.unstage()
    _end(found, is_as_graded=is_as_graded)


def _asked(rubric: Rubric, made: Report, check: str) -> tuple[Question, CheckSpec, CheckReport]:
    """Return the question, the check, and what the report says of it.

    Raises:
        UsageError: the report has no such check, or belongs to another rubric.
    """
    if made.assignment != rubric.assignment:
        raise UsageError(
            f"the report belongs to the assignment {made.assignment!r}, and {rubric.path} to "
            f"{rubric.assignment!r}: name the right one with --rubric FILE"
        )
    reported = made.by_id()
    if check not in reported:
        raise UsageError(f"{check}: the report has no such check (it has {', '.join(reported)})")
    for question in rubric.questions:
        for spec in question.checks:
            if spec.id == check:
                return question, spec, reported[check]
    raise UsageError(f"{check}: {rubric.path} has no such check any more")


def _drawn_alike(settings: Settings, made: Report, named: Path | None) -> Settings:
    """Return the settings with the seed that the report's data were drawn from.

    Raises:
        UsageError: it is not here.
    """
    found = secret.of_report(made.assignment, made.seed, named)
    if isinstance(found, int):
        return replace(settings, seed=found)
    path = named or secret.usual_path(made.assignment)
    return replace(settings, secret=found, hidden=(*settings.hidden, path.resolve()))


def _origin(
    kept: stored.Stored, named: Path | None, rubric: Rubric, classes: submission.Classes
) -> Origin:
    """Return what was handed in.

    Raises:
        UsageError: it is not where it was, or ``named`` holds no submission of this name.
    """
    if named is not None:
        found = _found(named, rubric, classes)
        if kept.id not in found and len(found) > 1:
            count = counted(len(found), "submission")
            raise UsageError(f"{named}: holds {count}, none of them {kept.id}")
        return found.get(kept.id) or next(iter(found.values()))
    source = origins.read(kept.folder.parent).get(kept.id)
    if source is None:
        raise UsageError(f"{kept.id}: where it was handed in is not known: add --submission PATH")
    place = Path(source)
    while not place.exists():  # in the archive of a class
        place = place.parent
    # What platforms hand out as single files belongs together.
    for folder in (place, place.parent):
        with contextlib.suppress(UsageError):
            found = _found(folder, rubric, classes)
            if kept.id in found:
                return found[kept.id]
    raise UsageError(f"{source} is not there any more: add --submission PATH")


def _found(path: Path, rubric: Rubric, classes: submission.Classes) -> dict[str, Origin]:
    modules, texts = asked_by(rubric)
    return dict(submission.find([path], list(modules), classes, texts))


def _warn_of_changes(
    rubric: Rubric, settings: Settings, made: Report, reported: CheckReport
) -> bool:
    """Say if something has changed that the check depends on; return whether all is as it was."""
    now = basis_of(rubric, settings).checks[reported.id]
    if reported.basis is None or now == reported.basis:
        return True
    click.echo(
        "note: since this was graded, the rubric, the reference, the data, the options or the "
        f"grader (then {made.grader_version}) have changed: the numbers may be others",
        err=True,
    )
    return False


def _warn_of_other_files(staged: Submission, made: Report, origin: Origin) -> bool:
    if staged.sha256 == made.submission.sha256:
        return True
    where = f"{origin} is" if isinstance(origin, Path) else "this is"
    click.echo(
        terminal.clean(
            f"note: {where} not what was graded: its SHA-256 is {staged.sha256}, that of the "
            f"report {made.submission.sha256}"
        ),
        err=True,
    )
    return False


def _end(found: Replayed, *, is_as_graded: bool) -> None:
    if found.again.outcome == "broken":
        sys.exit(EXIT_BROKEN)
    if found.is_the_same:
        _say("The report says the same.")
        return
    reported = found.reported.machine if found.reported.outcome != "broken" else found.reported
    _say(
        f"The report says something else: {reported.outcome}, {plain(reported.points)} points: "
        f"{reported.message or 'right'}"
    )
    if is_as_graded:
        _say("Nothing that the grader knows of has changed: is the code random?")
    sys.exit(EXIT_FAILURES)


def _say(text: str) -> None:
    click.echo(terminal.clean(text))
