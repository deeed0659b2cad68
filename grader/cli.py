"""The command line: ``grader grade``, ``check``, ``verify`` and ``doctor``.

Exit status: 0 graded, 1 graded but ``check`` or ``verify`` found failures, 2 usage or rubric error,
3 broken (our side failed and at least one grade is withheld).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import click

# Before numpy is imported anywhere: a pool of threads per process is slower for small arrays, and
# grading runs as many processes as there are cores.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

from grader import __version__, accelerator, batch, doctor, submission, verify  # noqa: E402
from grader.errors import BrokenError, GraderError, RubricError, UsageError  # noqa: E402
from grader.grading import Job, Work  # noqa: E402
from grader.model import DEVICES, TIERS, Rubric  # noqa: E402
from grader.progress import follow  # noqa: E402
from grader.reports import gradebook, html, terminal  # noqa: E402
from grader.reports.files import write_json  # noqa: E402
from grader.rubric import load_rubric  # noqa: E402
from grader.sandbox import LEVELS  # noqa: E402
from grader.session import Settings  # noqa: E402

EXIT_FAILURES, EXIT_USAGE, EXIT_BROKEN, EXIT_INTERRUPTED = 1, 2, 3, 130
RUBRIC_NAME = "rubric.yaml"
MAX_PLACES = 4  # places named for one message; the reports name all


def _told(command: Callable[..., None]) -> Callable[..., None]:
    """Turn our own errors into one message and an exit status."""

    @wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except RubricError as error:
            for problem in error.problems:
                click.echo(terminal.clean(problem), err=True)
            count = len(error.problems)
            click.echo(f"{count} problem{'s' if count > 1 else ''}; nothing was graded", err=True)
            sys.exit(EXIT_USAGE)
        except UsageError as error:
            click.echo(terminal.clean(f"error: {error}"), err=True)
            sys.exit(EXIT_USAGE)
        except GraderError as error:
            click.echo(terminal.clean(f"broken: {error}"), err=True)
            sys.exit(EXIT_BROKEN)
        except KeyboardInterrupt:
            click.echo("interrupted; the reports written so far are complete", err=True)
            sys.exit(EXIT_INTERRUPTED)

    return wrapped


def _shared(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that every grading command has."""
    options = (
        click.option(
            "--rubric", type=click.Path(path_type=Path), metavar="FILE",
            help=f"The rubric (default: {RUBRIC_NAME} here or in a folder above).",
        ),
        click.option("--tier", type=click.Choice(TIERS), default="mini", show_default=True,
                     help="Generated data sets, or the homework's own."),
        click.option(
            "--data", type=click.Path(path_type=Path), envvar="GRADER_DATA", metavar="DIR",
            help="Folder with the homework's own data (default: GRADER_DATA).",
        ),
        click.option("--seed", type=click.IntRange(min=0), metavar="N",
                     help="Draw all cases and data with this seed, not the rubric's."),
        click.option("--device", type=click.Choice(DEVICES), default="cpu", show_default=True,
                     help="Where training runs; cuda becomes cpu where there is none."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def _isolated(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say how well student code must be isolated."""
    options = (
        click.option(
            "--isolation", type=click.Choice(LEVELS), default="full", show_default=True,
            help="Grade nothing where student code is isolated less than this (grader doctor).",
        ),
        click.option("--unsafe", is_flag=True,
                     help="Allow --isolation none: student code can then do what you can."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Grade deep-learning homework: gradients, models and training runs."""


@main.command()
@click.argument("submissions", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR",
              help="Where the reports go: DIR/<submission>/report.json and more.")  # fmt: skip
@click.option("--only", multiple=True, metavar="ID", help="A question or check; may be repeated.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N",
              help="Submissions graded at a time (default: one per core).")  # fmt: skip
@_shared
@_isolated
@_told
def grade(
    submissions: Sequence[Path],
    out: Path,
    only: Sequence[str],
    jobs: int | None,
    rubric: Path | None,
    tier: Any,
    data: Path | None,
    seed: int | None,
    device: Any,
    *,
    isolation: Any,
    unsafe: bool,
) -> None:
    """Grade SUBMISSIONS: folders, .zip or .tar.gz files, or folders full of these."""
    loaded = load_rubric(_find_rubric(rubric, Path.cwd()))
    settings = _demand(_settings(tier, data, seed, device), isolation, unsafe=unsafe)
    wanted = _wanted(loaded, only)
    modules = [name for question in loaded.questions for name in question.modules]
    work = [Work(*found, wanted) for found in submission.find(submissions, modules)]
    _writable(out)
    events = batch.run(Job(loaded, settings, out), work, jobs or batch.cores())
    reports = follow(events, work)
    if len(reports) > 1:
        reports.sort(key=lambda made: str(made["submission"]["id"]))
        gradebook.write(out / "gradebook.csv", loaded, reports)
        html.write_index(out / "index.html", reports)
    _tell(reports, out)
    if any(made["status"] == "broken" for made in reports):
        sys.exit(EXIT_BROKEN)


@main.command()
@click.argument("arguments", nargs=-1, metavar="[DIR] [ID]...")
@_shared
@_told
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
    loaded = load_rubric(_find_rubric(rubric, folder.resolve()))
    visible = {
        check.id
        for question in loaded.questions
        for check in question.checks
        if check.visibility == "visible"
    }
    wanted = _wanted(loaded, only) & visible
    if not wanted:
        raise UsageError(f"{', '.join(only)}: not a check that can be run here: it is hidden")
    # It is the student's own machine: whatever isolation there is will do.
    settings = replace(_settings(tier, data, seed, device), isolation="none")
    job = Job(loaded, settings, None)
    work = [Work("submission", folder, frozenset(wanted))]
    (made,) = follow(batch.run(job, work, 1), work)
    terminal.console().print(terminal.report(made, visible_only=True))
    if made["status"] == "broken":
        _tell_broken([made])
        sys.exit(EXIT_BROKEN)
    outcomes = {check["outcome"] for question in made["questions"] for check in question["checks"]}
    if outcomes - {"passed", "pending"}:
        sys.exit(EXIT_FAILURES)


@main.command("verify")
@click.argument("names", nargs=-1, metavar="[EXAMPLE]...")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="Where the reports go (default: none are written).")  # fmt: skip
@click.option("--jobs", type=click.IntRange(min=1), metavar="N",
              help="Submissions graded at a time (default: one per core).")  # fmt: skip
@_shared
@_isolated
@_told
def verify_command(
    names: Sequence[str],
    out: Path | None,
    jobs: int | None,
    rubric: Path | None,
    tier: Any,
    data: Path | None,
    seed: int | None,
    device: Any,
    *,
    isolation: Any,
    unsafe: bool,
) -> None:
    """Grade the assignment's example submissions and compare with what each must score.

    EXAMPLE is a pattern such as wrong/rnn_* and limits the run to the examples it matches.
    """
    loaded = load_rubric(_find_rubric(rubric, Path.cwd()))
    examples = verify.matching(verify.load_examples(loaded), names)
    if out is not None:
        _writable(out)
    settings = _demand(_settings(tier, data, seed, device), isolation, unsafe=unsafe)
    job = Job(loaded, settings, out)
    with verify.assembled(examples) as work:
        reports = follow(batch.run(job, work, jobs or batch.cores()), work)
    verdicts = verify.verdicts(examples, reports)
    if out is not None:
        gradebook.write(out / "gradebook.csv", loaded, reports)
        html.write_index(out / "index.html", reports)
    screen = terminal.console()
    screen.print(verify.table(verdicts))
    wrong = [verdict for verdict in verdicts if verdict.problems]
    for verdict in wrong:
        for problem in verdict.problems:
            click.echo(terminal.clean(f"{verdict.example.name}: {problem}"), err=True)
    click.echo(f"{len(verdicts) - len(wrong)} of {len(verdicts)} examples score as they claim")
    if out is not None:
        click.echo(f"reports: {out}/index.html, {out}/gradebook.csv, {out}/<example>/report.json")
    if any(made["status"] == "broken" for made in reports):
        _tell_broken(reports)
        sys.exit(EXIT_BROKEN)
    if wrong:
        sys.exit(EXIT_FAILURES)


@main.command("doctor")
@click.option("--rubric", type=click.Path(path_type=Path), metavar="FILE",
              help=f"Try to read its files (default: {RUBRIC_NAME} here or above).")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path), envvar="GRADER_DATA", metavar="DIR",
              help="Folder with the homework's own data (default: GRADER_DATA).")  # fmt: skip
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE",
              help="Also write what was found to FILE.")  # fmt: skip
@_told
def doctor_command(rubric: Path | None, data: Path | None, json_file: Path | None) -> None:
    """Attack this machine's isolation, and explain what is protected and what is missing.

    Exit status: 0 isolation is full, 1 it is not, 3 it could not be tried.
    """
    try:
        path: Path | None = _find_rubric(rubric, Path.cwd())
    except UsageError:
        if rubric is not None:
            raise
        path = None
    found = doctor.examine(path, data)
    terminal.console().print(doctor.table(found))
    if json_file is not None:
        write_json(json_file, doctor.as_json(found))
    if found.verdict.level != "full":
        sys.exit(EXIT_FAILURES)


def _find_rubric(named: Path | None, start: Path) -> Path:
    if named is not None:
        if not named.is_file():
            raise UsageError(f"{named}: there is no such rubric")
        return named
    for folder in (start, *start.parents, Path.cwd()):
        if (folder / RUBRIC_NAME).is_file():
            found = folder / RUBRIC_NAME
            here = Path.cwd()
            return found.relative_to(here) if found.is_relative_to(here) else found
    raise UsageError(f"no {RUBRIC_NAME} here or in a folder above; name one with --rubric FILE")


def _settings(tier: Any, data: Path | None, seed: int | None, device: Any) -> Settings:
    if data is not None and not data.is_dir():
        raise UsageError(f"--data {data}: there is no such folder")
    if tier == "full" and data is None:
        raise UsageError("--tier full needs the homework's data: --data DIR or GRADER_DATA")
    return Settings(tier, data.resolve() if data else None, seed, accelerator.usable(device))


def _demand(settings: Settings, isolation: Any, *, unsafe: bool) -> Settings:
    """Return the settings with what is asked of isolation."""
    if isolation == "none" and not unsafe:
        raise UsageError(
            "--isolation none lets student code read the reference, change grades and delete "
            "files; say --unsafe as well if that is what you want"
        )
    return replace(settings, isolation=isolation, locked=isolation != "none")


def _wanted(rubric: Rubric, only: Sequence[str]) -> frozenset[str]:
    """Return the ids of the checks that are named, by themselves or by their question."""
    by_id = {question.id: [check.id for check in question.checks] for question in rubric.questions}
    everything = [check for checks in by_id.values() for check in checks]
    known = {**{check.lower(): [check] for check in everything}}
    known |= {question.lower(): checks for question, checks in by_id.items()}
    unknown = [name for name in only if name.lower() not in known]
    if unknown:
        raise UsageError(
            f"{', '.join(unknown)}: no such question, check or folder (questions: "
            f"{', '.join(by_id)}; checks: {', '.join(everything)})"
        )
    chosen = frozenset(check for name in only for check in known[name.lower()])
    return chosen or frozenset(everything)


def _writable(out: Path) -> None:
    """Find out before grading whether reports can be written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise BrokenError(f"--out {out}: cannot be written: {error.strerror}") from None


def _tell(reports: Sequence[dict[str, Any]], out: Path) -> None:
    screen = terminal.console()
    if len(reports) == 1:
        screen.print(terminal.report(reports[0]))
        identifier = reports[0]["submission"]["id"]
        click.echo(f"isolation: {', '.join(reports[0]['isolation']) or 'no worker was needed'}")
        click.echo(f"report: {out / identifier / 'report.html'} (and report.json)")
    else:
        screen.print(terminal.summary(reports))
        click.echo(f"{len(reports)} submissions graded; reports: {out}/<submission>/report.json")
        click.echo(f"overview: {out / 'index.html'}, {out / 'gradebook.csv'}")
    _tell_broken(reports)


def _tell_broken(reports: Sequence[dict[str, Any]]) -> None:
    """Say what failed on our side, each different message once."""
    places: dict[str, list[str]] = {}
    for made in reports:
        if made["status"] != "broken":
            continue
        name = made["submission"]["id"]
        told = [
            (f"{name} {check['id']}", check["message"])
            for question in made["questions"]
            for check in question["checks"]
            if check["outcome"] == "broken"
        ]
        for place, message in told or [(name, note) for note in made["submission"]["notes"]]:
            places.setdefault(message, []).append(place)
    for message, found in places.items():
        shown = ", ".join(found[:MAX_PLACES])
        more = f" and {len(found) - MAX_PLACES} more" if len(found) > MAX_PLACES else ""
        click.echo(terminal.clean(f"broken: {message} [{shown}{more}]"), err=True)
