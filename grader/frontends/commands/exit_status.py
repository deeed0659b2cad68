"""How a command ends: its exit status, and one message for each error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import click

from grader.errors import GraderError, RubricError, UsageError
from grader.frontends import interrupts, streams
from grader.reports import terminal
from grader.reports.report import Report

EXIT_FAILURES, EXIT_USAGE, EXIT_BROKEN = 1, 2, 3
EXIT_INTERRUPTED = interrupts.EXIT_STATUS
MAX_PLACES = 4  # places named for one message; the reports name all


def reports_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Turn the grader's own errors into one message each and an exit status."""

    @wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> None:
        try:
            interrupts.catch()
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
            interrupts.ignore()
            out = options.get("out")
            written = out is not None and out.exists()
            ending = "; each file that was written is complete" if written else ""
            click.echo(f"interrupted{ending}", err=True)
            sys.exit(EXIT_INTERRUPTED)
        except OSError as error:
            unwritten = streams.unwritten(error)
            if unwritten is None:
                raise
            out = options.get("out")
            kept = f"; what was written to {out} is complete" if out is not None else ""
            click.echo(terminal.clean(f"broken: {unwritten}{kept}"), err=True)
            sys.exit(EXIT_BROKEN)

    return wrapped


def end_as_graded(reports: Sequence[Report], unlisted: GraderError | None = None) -> None:
    """End with the status of graded submissions, if it is not 0; say why it is not.

    Args:
        reports: their reports; what broke in them is printed already.
        unlisted: why they are not listed.
    """
    if unlisted is not None:
        click.echo(terminal.clean(f"broken: {unlisted}"), err=True)
    if unlisted is not None or any(made.status == "broken" for made in reports):
        sys.exit(EXIT_BROKEN)
    if contested := [made for made in reports if made.submission.contested]:
        for made in contested:
            text = f"contested: {made.id}: {made.submission.contested}"
            click.echo(terminal.clean(text), err=True)
        sys.exit(EXIT_FAILURES)


def print_broken(reports: Sequence[Report]) -> None:
    """Print what failed in the grader, each different message once."""
    places: dict[str, list[str]] = {}
    for made in reports:
        if made.status != "broken":
            continue
        causes = [
            (f"{made.id} {check.id}", check.message)
            for check in made.checks()
            if check.outcome == "broken"
        ]
        for place, message in causes or [(made.id, note) for note in made.submission.notes]:
            places.setdefault(message, []).append(place)
    for message, found in places.items():
        shown = ", ".join(found[:MAX_PLACES])
        more = f" and {len(found) - MAX_PLACES} more" if len(found) > MAX_PLACES else ""
        click.echo(terminal.clean(f"broken: {message} [{shown}{more}]"), err=True)
