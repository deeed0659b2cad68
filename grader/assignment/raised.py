"""What the assignment's own code raised, in a few words."""

from __future__ import annotations

from pathlib import Path

from grader.errors import GraderError


def short(error: BaseException, folder: Path | None = None) -> str:
    """Return type, text and place of an exception.

    Args:
        error: what was raised.
        folder: where to look for the place. An author can do little with a line of numpy's that
            the case file led to. Without it, or if no line in it was run, it is the last line.
    """
    if isinstance(error, GraderError):
        return str(error)
    trace, places = error.__traceback__, [""]
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if not str(file).startswith("<frozen "):  # Python's own machinery of imports
            own = folder is not None and file.is_relative_to(folder)
            shown = file.relative_to(folder.parent) if folder is not None and own else file.name
            place = f" ({shown}, line {trace.tb_lineno})"
            places = [*places, place] if own or folder is None else [place, *places[1:]]
        trace = trace.tb_next
    place = "" if isinstance(error, SyntaxError) else places[-1]  # says its own place
    words = f": {error}" if str(error) else ""
    return f"{type(error).__name__}{words}{place}"
