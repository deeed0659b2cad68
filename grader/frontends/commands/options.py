"""What the commands share: options, exit statuses and error messages."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import click

from grader.errors import BrokenError, GraderError, RubricError, UsageError
from grader.intake.names import RESERVED_IDS
from grader.isolation.sandbox import LEVELS
from grader.job import Settings
from grader.model import DEVICES, TIERS, Rubric
from grader.reports import terminal
from grader.reports.report import Report
from grader.run import accelerator

EXIT_FAILURES, EXIT_USAGE, EXIT_BROKEN, EXIT_INTERRUPTED = 1, 2, 3, 130
RUBRIC_NAME = "rubric.yaml"
PROBE_BYTES = 4096  # an empty file can be created even on a full disk
MAX_PLACES = 4  # places named for one message; the reports name all


def told(command: Callable[..., None]) -> Callable[..., None]:
    """Turn the grader's own errors into one message and an exit status."""

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
            written = "out" in options  # grader check writes no reports
            ending = "; the reports written so far are complete" if written else ""
            click.echo(f"interrupted{ending}", err=True)
            sys.exit(EXIT_INTERRUPTED)

    return wrapped


def shared(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that every grading command has."""
    options = (
        click.option(
            "--rubric", type=click.Path(path_type=Path), metavar="FILE",
            help=f"The rubric (default: {RUBRIC_NAME} here or in a folder above).",
        ),
        click.option("--tier", type=click.Choice(TIERS), default="mini", show_default=True,
                     help="Use generated data sets (mini) or the homework's own (full)."),
        click.option(
            "--data", type=click.Path(path_type=Path), envvar="GRADER_DATA", metavar="DIR",
            help="The folder with the homework's own data (default: GRADER_DATA).",
        ),
        click.option("--seed", type=click.IntRange(min=0), metavar="N",
                     help="The seed for all cases and data, instead of the rubric's."),
        click.option("--device", type=click.Choice(DEVICES), default="cpu", show_default=True,
                     help="Where training runs; without a GPU, cuda means cpu."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def isolated(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say how well student code must be isolated."""
    options = (
        click.option(
            "--isolation", type=click.Choice(LEVELS), default="full", show_default=True,
            help="The lowest isolation to grade with (see grader doctor).",
        ),
        click.option("--unsafe", is_flag=True,
                     help="Allow --isolation none: student code can then do what you can."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def find_rubric(named: Path | None, start: Path) -> Path:
    """Return the rubric: the one named, or the nearest in ``start`` or above it.

    Raises:
        UsageError: there is none.
    """
    if named is not None:
        if not named.is_file():
            raise UsageError(f"{named}: no such file")
        return named
    for folder in (start, *start.parents, Path.cwd()):
        if (folder / RUBRIC_NAME).is_file():
            found = folder / RUBRIC_NAME
            here = Path.cwd()
            return found.relative_to(here) if found.is_relative_to(here) else found
    raise UsageError(f"no {RUBRIC_NAME} here or in a folder above; name one with --rubric FILE")


def read_settings(tier: Any, data: Path | None, seed: int | None, device: Any) -> Settings:
    """Return the settings that options ask for.

    Raises:
        UsageError: the data are missing.
    """
    if data is not None and not data.is_dir():
        raise UsageError(f"--data {data}: no such folder")
    if tier == "full" and data is None:
        raise UsageError("--tier full needs the homework's data: --data DIR or GRADER_DATA")
    return Settings(tier, data.resolve() if data else None, seed, accelerator.usable(device))


def demand(settings: Settings, isolation: Any, *, unsafe: bool) -> Settings:
    """Return the settings with the required isolation."""
    if isolation == "none" and not unsafe:
        raise UsageError(
            "--isolation none lets student code read the reference, change grades and delete "
            "files; add --unsafe if that is what you want"
        )
    return replace(settings, isolation=isolation, locked=isolation != "none")


def wanted_checks(rubric: Rubric, only: Sequence[str]) -> frozenset[str]:
    """Return the ids of the checks that are named, by themselves or by their question."""
    return wanted_of(
        {question.id: [check.id for check in question.checks] for question in rubric.questions},
        only,
    )


def wanted_of(by_id: Mapping[str, Sequence[str]], only: Sequence[str]) -> frozenset[str]:
    """Return the ids of the checks that are named; ``by_id`` has those of each question.

    Raises:
        UsageError: a name is neither a question's nor a check's.
    """
    everything = [check for checks in by_id.values() for check in checks]
    known: dict[str, Sequence[str]] = {check.lower(): [check] for check in everything}
    known |= {question.lower(): checks for question, checks in by_id.items()}
    unknown = [name for name in only if name.lower() not in known]
    if unknown:
        told = ", ".join(name.strip() or repr(name) for name in unknown)
        raise UsageError(
            f"{told}: no such question, check or folder (questions: "
            f"{', '.join(by_id)}; checks: {', '.join(everything)})"
        )
    chosen = frozenset(check for name in only for check in known[name.lower()])
    return chosen or frozenset(everything)


def writable(out: Path) -> None:
    """Find out before grading whether reports can be written.

    Raises:
        BrokenError: they cannot; it says why.
    """
    probe = out / f".probe-{os.getpid()}"
    try:
        out.mkdir(parents=True, exist_ok=True)
        try:
            probe.write_bytes(bytes(PROBE_BYTES))
        finally:
            probe.unlink(missing_ok=True)
        for name in RESERVED_IDS:
            if (out / name).is_dir():
                raise BrokenError(f"--out {out}: {name} is a folder; remove or rename it")
    except OSError as error:
        raise BrokenError(f"--out {out}: cannot write there: {error.strerror}") from None


def apart(out: Path, submissions: Sequence[Path], identifiers: Sequence[str]) -> None:
    """Refuse to write reports into submissions: the next run would grade them, too.

    Raises:
        UsageError: a report would lie in a submission or in the folder of a class.
    """
    graded = {path: path.resolve() for path in submissions if path.is_dir()}
    for identifier in identifiers:
        place = (out / identifier).resolve()
        for path, folder in graded.items():
            if place.is_relative_to(folder):
                raise UsageError(f"--out {out}: is inside {path}, a submission; name another DIR")


def tell_broken(reports: Sequence[Report]) -> None:
    """Print what failed in the grader, each different message once."""
    places: dict[str, list[str]] = {}
    for made in reports:
        if made.status != "broken":
            continue
        told = [
            (f"{made.id} {check.id}", check.message)
            for check in made.checks()
            if check.outcome == "broken"
        ]
        for place, message in told or [(made.id, note) for note in made.submission.notes]:
            places.setdefault(message, []).append(place)
    for message, found in places.items():
        shown = ", ".join(found[:MAX_PLACES])
        more = f" and {len(found) - MAX_PLACES} more" if len(found) > MAX_PLACES else ""
        click.echo(terminal.clean(f"broken: {message} [{shown}{more}]"), err=True)
