"""What a worker says of an exception: its type and text, and the student's own lines."""

from __future__ import annotations

import os
import traceback
from collections.abc import Collection
from types import ModuleType
from typing import Any

from ..wire import WireError
from . import clock, modules, statements
from .absent import MissingPackageError, package_in
from .newer import newer_in

MAX_MESSAGE_TEXT = 2000  # characters of an exception's text; the rest does not help
MAX_LINE = 100  # characters of a line of the student's
MAX_CAUSE = 300  # characters of the exception that kept a name from being defined
MAX_FRAMES = 8


class Describer:
    """Describes the exceptions of one submission.

    Attributes:
        driver: the name of the assignment's driver that has run last.

    Args:
        submission: the folder of the student's code.
        staged: other paths under which it may be named.
    """

    def __init__(self, submission: str, staged: Collection[str] = ()) -> None:
        self.driver = ""
        self._submission = submission
        # The longest first: one can lie in another.
        self._places = sorted({submission, *staged}, key=len, reverse=True)

    def described(self, error: BaseException, module: ModuleType | None) -> dict[str, Any]:
        """Return type, text and the student's own lines of an exception, innermost last.

        ``module`` is the student's, once it is loaded.
        """
        missing = _missing_package(error)
        try:
            text = self._without_our_paths(str(error))[:MAX_MESSAGE_TEXT]
            text += self._without_our_paths(_cause(error))
            if isinstance(error, WireError):
                text = f"the returned value cannot be sent to the grader ({text}): return arrays"
        except BaseException:
            text = "(its message could not be produced)"
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename.startswith(self._submission)]
        where = [
            [os.path.relpath(frame.filename, self._submission), frame.lineno, frame.name]
            for frame in own
        ]
        lines = [(frame.line or "")[:MAX_LINE] for frame in own]
        known = (self._submission, self.driver or self._submission)
        inner = [frame.filename for frame in frames if frame.filename.startswith(known)][-1:]
        if isinstance(error, SyntaxError) and str(error.filename).startswith(self._submission):
            text = str(error.msg)[:MAX_MESSAGE_TEXT]
            if module is not None and (newer := newer_in(error)):
                text += f"; {newer}"
            where.append(
                [os.path.relpath(error.filename or "", self._submission), error.lineno, ""]
            )
            lines.append("")  # its text is what cannot be read
        kinds = [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins"]
        return {
            "type": "ValueError" if isinstance(error, WireError) else type(error).__name__[:100],
            "kinds": kinds[:8],
            "text": text,
            "where": where[-MAX_FRAMES:],
            "lines": lines[-MAX_FRAMES:],
            "missing_package": missing,
            "undefined": isinstance(error, modules.UndefinedFunctionError),
            "by_driver": inner == [self.driver],
        }

    def _without_our_paths(self, text: str) -> str:
        """Write paths as they are in what was handed in: no student knows ours."""
        for place in self._places:
            text = text.replace(f"{place}/", "")
        return text


def _missing_package(error: BaseException) -> str | None:
    """Return the package that is not installed, if that is what an exception is about."""
    if isinstance(error, MissingPackageError):
        return error.package
    if isinstance(error, ModuleNotFoundError) and error.name:
        return error.name.partition(".")[0]
    if isinstance(error, NameError):
        return statements.star_package()
    try:
        return package_in(str(error))
    except BaseException:
        return None


def _cause(error: BaseException) -> str:
    """Return what kept a statement from defining the name that is not there."""
    name = getattr(error, "name", None)
    cause = statements.why_undefined(name) if isinstance(error, NameError) and name else None
    if cause is None or cause is error:
        return ""
    frames = traceback.extract_tb(cause.__traceback__)
    files = [os.path.basename(frame.filename) for frame in frames if ", cell " in frame.filename]
    place = files[0] if files else "a statement outside the functions"
    if isinstance(cause, clock.TakesTooLongError):
        return f"; {place} would define it, but took too long"
    if isinstance(cause, statements.LeftOutError):
        return f"; {place} would define it, but {cause}"
    told = f"{type(cause).__name__}: {cause}"[:MAX_CAUSE]
    if newer := newer_in(cause):
        told += f"; {newer}"
    return f"; {place} would define it, but raised {told}"
