"""``grader bundle``: archives for other machines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import UsageError
from grader.frontends.commands.bundle_student import student
from grader.frontends.commands.exit_status import reports_errors
from grader.frontends.commands.options import FiniteRange, find_rubric, kept_secret, secret_option
from grader.frontends.gradescope import bundle as gradescope_bundle
from grader.model import TIERS
from grader.reports.files import write_bytes

CONSTRAINTS = "constraints.txt"


@click.group("bundle")
def bundle_command() -> None:
    """Pack an assignment for another machine."""


bundle_command.add_command(student)


@bundle_command.command("gradescope")
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("autograder.zip"),
              metavar="FILE", show_default=True, help="The archive to write.")  # fmt: skip
@click.option("--rubric", type=click.Path(path_type=Path), metavar="FILE",
              help="The rubric (default: rubric.yaml here or above).")  # fmt: skip
@click.option("--tier", type=click.Choice(TIERS), default="mini", show_default=True,
              help="Use generated data sets (mini) or the homework's own (full).")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path), metavar="DIR",
              help="Pack the homework's own data; needed for --tier full.")  # fmt: skip
@click.option("--budget", "budget_s", type=FiniteRange(min=30), metavar="SECONDS",
              help="Time per submission: a minute less than the platform's limit.")  # fmt: skip
@click.option("--pip-args", metavar="TEXT",
              help="Arguments of pip install (default: torch for the processor only).")  # fmt: skip
@click.option("--isolation", type=click.Choice(("full", "partial")), metavar="LEVEL",
              help="The lowest isolation to grade with (default: full).")  # fmt: skip
@click.option("--constraints", type=click.Path(path_type=Path), metavar="FILE",
              help="The versions to install (default: the rubric's constraints.txt).")  # fmt: skip
@secret_option
@reports_errors
def gradescope(
    out: Path,
    rubric: Path | None,
    tier: Any,
    data: Path | None,
    budget_s: float | None,
    pip_args: str | None,
    isolation: str | None,
    constraints: Path | None,
    seed_file: Path | None,
) -> None:
    """Write the archive from which Gradescope builds the autograder."""
    loaded = load_rubric(find_rubric(rubric, Path.cwd()), KINDS)
    if data is not None and not data.is_dir():
        raise UsageError(f"--data {data}: no such folder")
    if tier == "full" and data is None:
        raise UsageError("--tier full needs the homework's data: --data DIR")
    if constraints is not None and not constraints.is_file():
        raise UsageError(f"--constraints {constraints}: no such file")
    beside = loaded.path.resolve().parent / CONSTRAINTS
    pins = constraints or (beside if beside.is_file() else None)
    kept = kept_secret(loaded.assignment, seed_file)
    choices = gradescope_bundle.Choices(
        tier, data, budget_s, pip_args, isolation, pins, kept.secret
    )
    made = gradescope_bundle.build(loaded, choices)
    write_bytes(out, made, private=True)
    click.echo(
        f"{out}: {len(made) / 1e6:.1f} MB; it holds the answers and the secret seed: keep it from "
        "students"
    )
