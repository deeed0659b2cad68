"""Kind ``written``: what a person marks.

Such a check is ``pending``: its points are open, and the report says so. A file that is missing,
empty or still the template's text has nothing in it to mark.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from grader.errors import Failure, Pending
from grader.model import CheckSpec
from grader.readers.texts import clipped

from .base import CheckKind, Context, Judgement, Recorder
from .documents import decoded

MAX_SHOWN = 20_000  # characters of a text in the report


class FilesSpec(CheckSpec):
    """Mixin: ``files`` are the names of a text that is handed in, in the order of preference."""

    files: Annotated[list[Annotated[str, Field(pattern=r"^[\w.-]+$")]], Field(min_length=1)]

    @property
    def other_files(self) -> tuple[str, ...]:
        """The files, any of which may be handed in."""
        return tuple(self.files)


class WrittenSpec(FilesSpec):
    """Rubric keys of ``written``.

    ``placeholder`` is a text that stands in the template where the answer is to be written.
    """

    placeholder: str = "TODO"
    least_words: Annotated[int, Field(ge=1)] = 1


class TextKind(CheckKind):
    """A kind that needs nothing but the text that is handed in: it runs on any machine."""

    def record(self, spec: Any, recorder: Recorder) -> bool:
        """Record nothing."""
        del spec, recorder
        return True


class WrittenKind(TextKind):
    """Finds the text and leaves the marks to a person."""

    name = "written"
    options = WrittenSpec

    def run(self, spec: WrittenSpec, context: Context) -> Judgement:
        """Raise ``Pending`` with the text, or ``Failure`` if there is nothing to mark."""
        name, text = found_text(spec.files, context)
        words = len(re.findall(r"\w+", text))
        if not words or spec.placeholder in text:
            raise Failure("not_implemented", f"{name} has no answer yet")
        if words < spec.least_words:
            message = f"{name} has {words} words, but at least {spec.least_words} are required"
            raise Failure("not_implemented", message)
        shown = clipped(text, MAX_SHOWN)
        raise Pending(f"{name}, {words} words: a person must mark this", name, shown)


def found_text(files: Sequence[str], context: Context) -> tuple[str, str]:
    """Return name and text of the first of ``files`` that there is; raises ``Failure``."""
    missing: Failure | None = None
    for name in files:
        try:
            data = context.read_file(name)
        except Failure as failed:
            missing = missing or failed
            continue
        return name, decoded(data)
    raise missing or Failure("missing", f"{files[0]} is missing")
