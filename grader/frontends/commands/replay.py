"""``grader replay``: a check of a report once more, with the two numbers that it names."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from grader.assignment import secret
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import UsageError
from grader.frontends.commands.exit_status import EXIT_BROKEN, EXIT_FAILURES, reports_errors
from grader.frontends.commands.options import (
    demand,
    find_rubric,
    isolation_options,
    read_settings,
    secret_option,
)
from grader.frontends.commands.out_folder import check_writable
from grader.intake import submission
from grader.intake.submission import Origin, Submission
from grader.intake.wanted import asked_by
from grader.job import Settings
from grader.model import DEVICES, CheckSpec, Question, Rubric
from grader.readers.texts import counted, plain
from grader.reports import origins, stored, terminal
from grader.reports.report import CheckReport, Report
from grader.run import replay_files
from grader.run.basis import basis_of
from grader.run.replaying import Replayed, replayed
from grader.run.workers import ForkServers

MAX_LISTED = 12  # cases
MAX_CLASS_BYTES = 16 << 30


@click.command("replay")
@click.argument("report", type=click.Path(path_type=Path))
@click.argument("check", metavar="CHECK")
@click.option("--case", type=click.IntRange(min=1), metavar="N",
              help="The number of the case (default: the one that the report names).")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="Write the inputs, the values and a script without the grader.")  # fmt: skip
@click.option("--submission", "named", type=click.Path(path_type=Path), metavar="PATH",
              help="What was handed in (default: where it was when it was graded).")  # fmt: skip
@click.option("--rubric", type=click.Path(path_type=Path), metavar="FILE",
              help="The rubric (default: rubric.yaml here or in a folder above).")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path), envvar="GRADER_DATA", metavar="DIR",
              help="The folder with the homework's own data (default: GRADER_DATA).")  # fmt: skip
@click.option("--device", type=click.Choice(DEVICES), default="cpu", show_default=True,
              help="Where training runs; without a GPU, cuda means cpu.")  # fmt: skip
@secret_option
@isolation_options
@reports_errors
def replay_command(
    report: Path,
    check: str,
    case: int | None,
    out: Path | None,
    named: Path | None,
    rubric: Path | None,
    data: Path | None,
    device: Any,
    seed_file: Path | None,
    *,
    isolation: Any,
    unsafe: bool,
) -> None:
    """Run CHECK of a graded submission again and show the values that are wrong.

    REPORT is a report.json or its folder. The inputs are drawn again as they were, so the numbers
    are those of the report. Exit status 1: this run finds something else than the report says.
    """
    kept = stored.read_one(report)
    made = kept.report
    loaded = load_rubric(find_rubric(rubric, Path.cwd()), KINDS)
    question, spec, reported = _asked(loaded, made, check)
    if out is not None:
        check_writable(out)
    settings = demand(read_settings(made.tier, data, None, device), isolation, unsafe=unsafe)
    settings = _drawn_alike(settings, made, seed_file)
    is_as_graded = _warn_of_changes(loaded, settings, made, reported)
    with submission.Classes(MAX_CLASS_BYTES) as classes:
        origin = _origin(kept, named, loaded, classes)
        with ForkServers(policy=settings.policy(loaded)) as servers:
            staged = servers.stage(made.id, origin, loaded)
            is_as_graded &= _warn_of_other_files(staged, made, origin)
            found = replayed(servers, loaded, settings, staged, (question, spec, reported))
            _show(found, made, case)
            if out is not None:
                _write(out, found, case, staged)
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


def _show(found: Replayed, made: Report, number: int | None) -> None:
    again = found.again
    points = f"{plain(again.points)} of {plain(again.max_points)} points"
    _print(f"{made.id} {again.id} {again.title}: {again.outcome}, {points}")
    chosen = found.chosen(number)
    if chosen is None:
        if again.message:
            _print(again.message)
        return
    case, value = chosen
    _print(f"case {case.number} of {len(found.cases)}, {case.name}")
    for one in case.wrong or (value,):
        _print(f"  {one.comparison.text if not one.comparison.ok else 'everything is right'}")
        if (numbers := _numbers(one.comparison)) is not None:
            _print(f"  {numbers}")
    wrong = [one for one in found.cases if one.wrong]
    if len(found.cases) > 1 and wrong:
        listed = ", ".join(f"{one.number} ({one.name})" for one in wrong[:MAX_LISTED])
        more = f" and {len(wrong) - MAX_LISTED} more" if len(wrong) > MAX_LISTED else ""
        _print(f"wrong in {len(wrong)} of {len(found.cases)} cases: {listed}{more}")


def _numbers(comparison: Any) -> str | None:
    """Return both numbers of the worst entry, with all digits."""
    wrong = comparison.mismatch
    if wrong is None:
        return None
    place = f"{comparison.name}{list(wrong.worst) if wrong.worst else ''}"
    got, wanted = float(wrong.actual[wrong.worst]), float(wrong.expected[wrong.worst])
    return f"{place}: got {got!r}, expected {wanted!r}"


def _write(out: Path, found: Replayed, number: int | None, staged: Submission) -> None:
    chosen = found.chosen(number)
    if chosen is None:
        raise UsageError(
            f"--out: nothing was written: {found.reported.id} ({found.reported.kind}, "
            f"{found.again.outcome}) has no case with a wrong value"
        )
    replay_files.write(out, chosen[1], found.question.module, staged, found.reported.id)
    _print(f"python {out / replay_files.SCRIPT}    # runs the student's code unprotected")


def _end(found: Replayed, *, is_as_graded: bool) -> None:
    if found.again.outcome == "broken":
        sys.exit(EXIT_BROKEN)
    if found.is_the_same:
        _print("The report says the same.")
        return
    reported = found.reported.machine if found.reported.outcome != "broken" else found.reported
    _print(
        f"The report says something else: {reported.outcome}, {plain(reported.points)} points: "
        f"{reported.message or 'right'}"
    )
    if is_as_graded:
        _print("Nothing that the grader knows of has changed: is the code random?")
    sys.exit(EXIT_FAILURES)


def _print(text: str) -> None:
    click.echo(terminal.clean(text))
