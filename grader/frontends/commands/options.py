"""Options of several commands, and the settings that they ask for."""

from __future__ import annotations

import math
import os
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import click

from grader import extras
from grader.assignment import secret
from grader.errors import UsageError
from grader.frontends.student.replay import FOLDER, is_bundle
from grader.isolation.sandbox import LEVELS
from grader.job import Settings
from grader.model import DEVICES, TIERS, Rubric
from grader.reports import terminal
from grader.reports.shards import Shard
from grader.run import accelerator

RUBRIC_NAME = "rubric.yaml"
MAX_NEAR = 1000  # folders that are searched for a homework
PUBLIC: Literal["public"] = "public"  # a value of --seed
Seed = int | Literal["public"] | None


class ForStudentsToo(click.Command):
    """A command of graders and students; at a student's, help lists the student's options only."""

    def __init__(self, *arguments: Any, for_graders: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._for_graders = frozenset(for_graders)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options that have an effect here."""
        if extras.absent() or bundle_of(Path()) is not None:
            for option in self.params:
                if isinstance(option, click.Option) and option.name in self._for_graders:
                    option.hidden = True
        super().format_options(ctx, formatter)


class FiniteRange(click.FloatRange):
    """A number in a range; ``nan`` and ``inf`` are refused, too."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


class SeedType(click.ParamType):  # type: ignore[type-arg]  # newer ones are generic
    """A seed that is not secret: a number, or ``public`` for the rubric's."""

    name = "seed"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | Literal["public"]:
        """Return the number, or ``public``."""
        if value == PUBLIC:
            return PUBLIC
        number: int = click.IntRange(min=0).convert(value, param, ctx)
        return number


class ShardType(click.ParamType):  # type: ignore[type-arg]  # newer ones are generic
    """A part of a class: ``K/N``, with K from 1 to N."""

    name = "shard"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Shard:
        """Return the part."""
        if isinstance(value, Shard):
            return value
        match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", value, re.ASCII)
        made = Shard(int(match[1]), int(match[2])) if match else Shard(0, 0)
        if not 1 <= made.number <= made.of:
            self.fail(f"{value!r} is not K/N with K from 1 to N, such as 1/4", param, ctx)
        return made


def secret_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add the option that names the file of the secret seed."""
    return click.option(
        "--seed-file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
        envvar=secret.VARIABLE,
        help="Where the secret seed is kept (default: in your folder for state).",
    )(command)  # fmt: skip


def grading_options(command: Callable[..., None]) -> Callable[..., None]:
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
        click.option("--seed", type=SeedType(), metavar="N", envvar="GRADER_SEED",
                     help="The seed for all cases and data; public for the rubric's."),
        click.option("--device", type=click.Choice(DEVICES), default="cpu", show_default=True,
                     help="Where training runs; without a GPU, cuda means cpu."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def isolation_options(command: Callable[..., None]) -> Callable[..., None]:
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


def bundle_of(start: Path) -> Path | None:
    """Return the bundle that a folder is or is in; None if a rubric is closer."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if is_bundle(folder):
            return folder
        if (folder / RUBRIC_NAME).is_file():
            return None
    return None


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
    raise UsageError(
        f"no homework here: {_where(start)} and the folders above hold neither {RUBRIC_NAME} nor "
        f"the recorded checks of an archive for students; {_way_to_homework(start)}"
    )


def _where(start: Path) -> str:
    return "this folder" if start.resolve() == Path.cwd() else str(start)


def _way_to_homework(start: Path) -> str:
    """Say how to get to a homework: one that lies close by, or else what its folder looks like."""
    here = start.resolve()
    for folder in (here, here.parent):
        near = sorted(inner for inner in _folders(folder) if _is_homework(inner))
        if near:
            return f"the homework in {near[0].name} is near: cd {shlex.quote(_short(near[0]))}"
    return (
        f"students: cd into the unpacked folder of the homework, the one with README.md and "
        f"{FOLDER}/; instructors: cd to the rubric, or name it with --rubric FILE"
    )


def _is_homework(folder: Path) -> bool:
    return is_bundle(folder) or (folder / RUBRIC_NAME).is_file()


def _short(folder: Path) -> str:
    return os.path.relpath(folder)


def _folders(folder: Path) -> list[Path]:
    try:
        found = [Path(entry.path) for entry in os.scandir(folder) if entry.is_dir()]
    except OSError:
        return []
    return found[:MAX_NEAR]


def read_settings(tier: Any, data: Path | None, seed: Seed, device: Any) -> Settings:
    """Return the settings that options ask for; data are drawn from a public seed.

    Raises:
        UsageError: the data are missing.
    """
    if data is not None and not data.is_dir():
        raise UsageError(f"--data {data}: no such folder")
    if tier == "full" and data is None:
        raise UsageError("--tier full needs the homework's data: --data DIR or GRADER_DATA")
    number = seed if isinstance(seed, int) else None
    return Settings(tier, data.resolve() if data else None, number, accelerator.usable(device))


def with_secret(settings: Settings, rubric: Rubric, seed: Seed, named: Path | None) -> Settings:
    """Return the settings with the secret seed, unless a public one is asked for.

    Raises:
        UsageError: the secret can be neither read nor made.
    """
    if seed is not None:
        refuse_both("seed", "seed_file")
        return settings
    found = kept_secret(rubric.assignment, named)
    return replace(settings, secret=found.secret, hidden=(*settings.hidden, found.path.resolve()))


def kept_secret(assignment: str, named: Path | None) -> secret.SecretFile:
    """Return the secret seed of an assignment, and say so if it is a new one.

    A file that is named must be there: a new secret under a mistyped name gives other data.

    Raises:
        UsageError: it can be neither read nor made.
    """
    if named is not None and not named.exists():
        making = "python3 -c 'import secrets; print(secrets.token_hex(32))'"
        raise UsageError(
            f"--seed-file {named}: no such file; correct the path (or {secret.VARIABLE}), or make "
            f"a new secret there: (umask 077; {making} > {shlex.quote(str(named))})"
        )
    found = secret.read_or_make(assignment, named)
    if found.is_new:
        click.echo(terminal.clean(
            f"note: hidden data are drawn from a new secret seed, kept in {found.path}; keep that "
            "file to grade again with the same data, and show it to nobody"
        ), err=True)  # fmt: skip
    return found


def refuse_both(*options: str) -> None:
    """Refuse options that contradict each other; what the environment says is only a default."""
    context = click.get_current_context()
    source = click.core.ParameterSource.COMMANDLINE
    if all(context.get_parameter_source(option) is source for option in options):
        named = " and ".join(f"--{option.replace('_', '-')}" for option in options)
        raise UsageError(f"{named} contradict each other: leave one of them out")


def warn_of_public_seed(settings: Settings, rubric: Rubric, count: int) -> None:
    """Say that students can compute what they are graded with, if they can."""
    if settings.secret is not None:
        return
    number = settings.public_seed(rubric)
    if number == rubric.seed:
        why = "whoever has the rubric can compute the hidden data and their labels"
    elif count > 1:
        why = "so short a number is found by trying, and gives the hidden data and their labels"
    else:
        return
    click.echo(
        f"warning: graded with the public seed {number}: {why}; leave out --seed to use a secret",
        err=True,
    )


def demand(settings: Settings, isolation: Any, *, unsafe: bool) -> Settings:
    """Return the settings with the required isolation."""
    if isolation == "none" and not unsafe:
        raise UsageError(
            "--isolation none lets student code read the reference, change grades and delete "
            "files; add --unsafe if that is what you want"
        )
    return replace(settings, isolation=isolation, locked=isolation != "none")
