"""YAML files beside the examples that are a list of entries of one kind."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from grader.assignment.wording import worded
from grader.errors import UsageError
from grader.model import Strict
from grader.readers import yaml_source

Entry = TypeVar("Entry", bound=Strict)


def read_list(
    path: Path, model: type[Entry], what: str
) -> tuple[yaml_source.Source, dict[int, Entry]]:
    """Return a file, with its problems, and its right entries by their position.

    ``what`` names the entries in messages.

    Raises:
        UsageError: the file cannot be read.
    """
    try:
        source = yaml_source.read(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    found: dict[int, Entry] = {}
    if not isinstance(source.data, list):
        if not source.problems:
            source.problems.add(1, f"must be a list of {what}")
        return source, found
    for number, entry in enumerate(source.data):
        try:
            found[number] = model.model_validate(entry)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                key, text = worded(detail, "", model)
                source.problems.add(source.line((number, *detail["loc"][:1])), text, key)
    return source, found
