"""What an exception in student code means, in words for its author."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.checks import causes
from grader.errors import Failure, Reason
from grader.isolation.sandbox.student_error import StudentError
from grader.isolation.worker.newer import newer_name
from grader.readers.texts import clipped

# What the system says of a disk that is full, and of a file that is larger than allowed.
FULL = re.compile(r"\[Errno (?:27|28|122)\]")
MAX_CALLERS = 3  # frames shown besides the innermost one
MAX_LINE_SHOWN = 80  # characters


def failure(
    error: StudentError, function: str, file: str, forbidden: Sequence[str] = ()
) -> Failure:
    """Return the failure that an exception raised by student code means."""
    if error.undefined:
        instead = f"; {error.text}" if error.text else ""
        return Failure("missing", f"{file} has no function {function}{instead}")
    package = error.missing_package
    if package is not None and package in forbidden:
        message = f"{function} uses {package!r}{located(error)}"
        message += ": solve this question without it"
        return Failure("forbidden", message, causes.of_package(package, forbidden=True))
    if package is not None:
        named = f"{package!r}, which" if package else "a package that"
        message = f"{function} needs {named} {lacks(package)}{located(error)}"
        return Failure("import_error", message, causes.of_package(package, forbidden=False))
    if "NotImplementedError" in error.kinds:
        return Failure("not_implemented", _not_implemented(error, function))
    reason: Reason = "memory" if "MemoryError" in error.kinds else "exception"
    cause = causes.of_exception(error.kinds) if reason == "exception" else None
    return Failure(reason, f"{function} raised {described(error)}", cause)


def _not_implemented(error: StudentError, function: str) -> str:
    """Return which function is a stub: the innermost one that is named."""
    inner = error.where[-1][2] if error.where else ""
    words = f": {error.text}" if error.text not in ("", function, inner) else ""
    if not inner or inner in (function, "<module>"):
        return f"{function} is not implemented yet{words}"
    return f"{function} calls {inner}, which is not implemented yet{located(error)}{words}"


def described(error: StudentError) -> str:
    """Return an exception's type, text and place, and what is special about being graded."""
    text = f"{error.type}: {error.text}" if error.text else error.type
    text += located(error)
    if "PermissionError" in error.kinds or "Read-only file system" in error.text:
        text += (
            ": during grading, code may not start processes or open connections, and writes only "
            "to its working folder, its home and temporary folders"
        )
    elif FULL.search(error.text):
        text += ": during grading, the files that code writes may not take more room than this"
    elif "FileNotFoundError" in error.kinds and "'/" in error.text:
        text += ": during grading, only the files that you handed in are there"
    return text


def located(error: StudentError) -> str:
    """Return where in the student's files an exception was raised, and what had called that."""
    if not error.where:
        return ""
    lines = error.lines if len(error.lines) == len(error.where) else ("",) * len(error.where)
    frames = [_frame(place, line) for place, line in zip(error.where, lines, strict=True)]
    chain = list(dict.fromkeys(reversed(frames)))  # a recursion repeats its frames
    callers = [words for words in chain[1:] if "<module>" not in words]
    if len(callers) > MAX_CALLERS:  # the outermost is the function that the check calls
        callers = [*callers[: MAX_CALLERS - 1], f"... and at last from {callers[-1]}"]
    return f" ({'; called from '.join([chain[0], *callers])})"


def _frame(place: tuple[str, int, str], line: str) -> str:
    file, number, function = place
    words = f"{file}, line {number}{f', in {function}' if function else ''}"
    text = clipped(" ".join(line.split()), MAX_LINE_SHOWN)
    return f"{words}: `{text}`" if text and "`" not in text else words


def lacks(package: str) -> str:
    """Return what is wrong with a package that cannot be imported, after "which"."""
    return newer_name(package) or "is neither in the submission nor installed in the grader"
