"""Options of ``grader grade`` for late hand-ins and groups."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from grader.readers.moments import moment
from grader.run.late_days import Told


class Moment(click.ParamType):  # type: ignore[type-arg]  # newer ones are generic
    """A date with its time."""

    name = "date"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the moment."""
        if isinstance(value, datetime):
            return value
        try:
            return moment(value)
        except ValueError:
            self.fail(f"{value!r} is not a date such as 2027-03-01T23:59+01:00", param, ctx)


def late_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options, which the command gets together as ``told``."""

    @wraps(command)
    def wrapped(
        *arguments: Any,
        times: Path | None,
        due: datetime | None,
        groups: Path | None,
        earlier: tuple[Path, ...],
        **options: Any,
    ) -> None:
        command(*arguments, told=Told(times, due, groups, earlier), **options)

    file = click.Path(path_type=Path, dir_okay=False)
    folder = click.Path(path_type=Path, file_okay=False)
    added = (
        click.option("--times", type=file, metavar="FILE",
                     help="A table of when each submission was handed in, with extensions."),
        click.option("--due", type=Moment(), metavar="DATE",
                     help="When the homework was due, such as 2027-03-01T23:59+01:00."),
        click.option("--groups", type=file, metavar="FILE",
                     help="The list of groups: a row for each member."),
        click.option("--bank", "earlier", type=folder, multiple=True, metavar="DIR",
                     help="Reports of an earlier homework; its late days count. May be repeated."),
    )  # fmt: skip
    made: Callable[..., None] = wrapped
    for option in reversed(added):
        made = option(made)
    return made
