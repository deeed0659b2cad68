"""``autograder.zip``: what an instructor uploads to Gradescope.

Source: Gradescope autograder documentation, "Autograder Specifications": ``setup.sh`` and an
executable ``run_autograder`` at the root of the archive, which is unpacked to
``/autograder/source``.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from grader.assignment import secret
from grader.errors import UsageError
from grader.frontends import wheel
from grader.model import Rubric, Tier
from grader.readers.yaml_source import read as read_yaml
from grader.seeds import Secret

SCRIPTS = ("setup.sh", "run_autograder")
# Example solutions, claims and caches: not needed for grading, and safer left out.
LEFT_OUT = frozenset(["__pycache__", ".git", ".pytest_cache", ".mypy_cache", ".ruff_cache"])
SEED = "seed"  # the file with the secret; only root may enter the folder that it is in
MAX_BYTES = 500 * 1024 * 1024  # far more than a code assignment should need; uploads take minutes


@dataclass(frozen=True)
class Choices:
    """What the instructor chooses; None leaves the default.

    Attributes:
        tier: which data sets to grade with.
        data: the homework's own data, for the full tier.
        budget_s: seconds for one submission.
        pip_args: arguments of ``pip install`` when the image is built.
        isolation: the lowest level to grade with.
        constraints: the versions to install.
        secret: what hidden data are drawn from; without it the image makes its own.
    """

    tier: Tier = "mini"
    data: Path | None = None
    budget_s: float | None = None
    pip_args: str | None = None
    isolation: str | None = None
    constraints: Path | None = None
    secret: Secret | None = None


def build(rubric: Rubric, choices: Choices) -> bytes:
    """Return the archive.

    Raises:
        UsageError: a file cannot be read, or it would be too large.
        BrokenError: the engine is not installed.
    """
    files = resources.files("grader.frontends.gradescope") / "files"
    members = {name: (files / name).read_bytes() for name in SCRIPTS}
    members["settings.sh"] = settings(choices).encode()
    members[wheel.name()] = wheel.build()
    if choices.constraints is not None:
        members["constraints.txt"] = _bytes(choices.constraints)
    if choices.secret is not None:
        members[SEED] = secret.text_of(choices.secret).encode()
    total = 0
    for name, path in _assignment(rubric, choices):
        data = _bytes(path)
        total += len(data)
        if total > MAX_BYTES:
            raise UsageError(
                f"{path}: this file would make the archive larger than {MAX_BYTES} bytes; build "
                "an image with the Dockerfile instead"
            )
        members[name] = data
    return wheel.archive(members, executable=frozenset(SCRIPTS), closed=frozenset([SEED]))


def settings(choices: Choices) -> str:
    """Return the shell script with the choices; the environment overrides each of them."""
    values = {
        "GRADER_TIER": choices.tier,
        "GRADER_DATA": "/autograder/source/data" if choices.data is not None else None,
        "GRADER_TIME_BUDGET_S": None if choices.budget_s is None else f"{choices.budget_s:g}",
        "GRADER_ISOLATION": choices.isolation,
        "GRADER_PIP_ARGS": choices.pip_args,
    }
    lines = [
        f'if [ -z "${{{name}+set}}" ]; then export {name}={shlex.quote(value)}; fi'
        for name, value in values.items()
        if value is not None
    ]
    return "\n".join(["# Written by: grader bundle gradescope", *lines]) + "\n"


def _assignment(rubric: Rubric, choices: Choices) -> Iterator[tuple[str, Path]]:
    """Yield the name in the archive and the path of each file of the assignment."""
    folder = rubric.path.resolve().parent
    yield "assignment/rubric.yaml", rubric.path
    examples = rubric.reference / "submissions"
    for path in _files(rubric.reference):
        if not path.is_relative_to(examples):
            yield f"assignment/{path.relative_to(folder).as_posix()}", path
    template = folder / template_name(rubric.path)
    if template.is_dir():
        for path in _files(template):
            yield f"assignment/{path.relative_to(folder).as_posix()}", path
    if choices.data is not None:
        for path in _files(choices.data):
            yield f"data/{path.relative_to(choices.data).as_posix()}", path


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not LEFT_OUT & set(path.relative_to(folder).parts):
            yield path


def template_name(rubric: Path) -> str:
    """Return the name of the folder that students start from, as the rubric says."""
    data = read_yaml(rubric).data
    named = data.get("template") if isinstance(data, dict) else None
    return named if isinstance(named, str) else "submissions_template"


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
