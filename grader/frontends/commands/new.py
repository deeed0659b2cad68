"""``grader new``: a small assignment to start from, which runs as it is."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
from pydantic import TypeAdapter, ValidationError

from grader import author
from grader.errors import UsageError
from grader.frontends.commands.exit_status import reports_errors
from grader.frontends.commands.options import RUBRIC_NAME
from grader.model import Id

# Its files lie in the package as they are written; the name alone is put in.
STARTER = Path(author.__path__[0]) / "starter"
NAME = b"assignment: starter\n"
OF_GIT = (".git", ".gitignore", ".gitattributes")  # of a new repository; none is overwritten
COMPILED = "__pycache__"  # pip compiles every module that it installs, these too


@click.command("new")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@reports_errors
def new_command(folder: Path) -> None:
    """Write a small assignment into DIR, which must be new or empty (but for git's own files).

    It has one check of each basic kind, a reference, a template and two examples, and runs as it
    is. The name of DIR becomes the assignment's id.
    """
    name = folder.resolve().name
    try:
        _refuse(folder, name)
        for path, data in _files():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_named(data, name) if path.name == RUBRIC_NAME else data)
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: {error.strerror}") from None
    click.echo(f"{folder}: wrote the assignment {name}. Its README.md explains the files. Try it:")
    enter = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))} && "
    click.echo(f"    {enter}grader verify")


def _refuse(folder: Path, name: str) -> None:
    """Refuse a folder that holds something, and a name that cannot be an assignment's.

    Raises:
        UsageError: what is wrong, and what to do.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: this is a file; name a new folder")
    if folder.is_dir() and any(path.name not in OF_GIT for path in folder.iterdir()):
        raise UsageError(f"{folder}: this folder is not empty; name a new one")
    for parent in folder.parents:
        if parent.exists() and not parent.is_dir():
            raise UsageError(f"{folder}: {parent} is a file; name a folder that is not below it")
    try:
        TypeAdapter(Id).validate_python(name)
    except ValidationError:
        raise UsageError(
            f"{folder}: the folder's name becomes the assignment's id, but {name!r} cannot be one: "
            "use letters, digits, '.', '_' and '-', a letter or digit first, 64 at most"
        ) from None


def _files() -> Iterator[tuple[Path, bytes]]:
    """Yield the path and the contents of every file of the starter."""
    for path in sorted(STARTER.rglob("*")):
        if path.is_file() and COMPILED not in path.parts:
            yield path.relative_to(STARTER), path.read_bytes()


def _named(rubric: bytes, name: str) -> bytes:
    """Return the rubric with this id, in quotes: YAML takes 42 for a number and no for False."""
    return rubric.replace(NAME, b"assignment: " + json.dumps(name).encode() + b"\n", 1)
