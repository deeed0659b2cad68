"""Options of several commands, and the settings that they ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from grader.errors import UsageError
from grader.isolation.sandbox import LEVELS
from grader.job import Settings
from grader.model import DEVICES, TIERS
from grader.run import accelerator

RUBRIC_NAME = "rubric.yaml"


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
        click.option("--seed", type=click.IntRange(min=0), metavar="N",
                     help="The seed for all cases and data, instead of the rubric's."),
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
