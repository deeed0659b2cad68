"""Standard output and error that are closed or full: one sentence, and nothing else is lost.

A stream that the shell has closed is None in Python, and its descriptor goes to the next file that
is opened: what a library prints would end up there.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import traceback
from typing import NoReturn

PRINTING = ("click.utils", "rich.console")  # the modules that print
STREAMS = {"stdout": "standard output", "stderr": "standard error"}


class ClosedOutput(io.TextIOBase):
    """Stands for a closed standard output: fails as a full one does, when something is printed."""

    def write(self, text: str, /) -> NoReturn:
        """Raise ``OSError``."""
        del text
        raise OSError("it is closed")


class Nowhere(io.TextIOBase):
    """Takes everything and keeps nothing."""

    def write(self, text: str, /) -> int:
        """Return the number of characters."""
        return len(text)


def open_closed() -> None:
    """Give closed standard streams a place, before files get their descriptors."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free descriptor is this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if sys.stdout is None:
        sys.stdout = ClosedOutput()
    if sys.stderr is None:
        sys.stderr = Nowhere()


def unwritten(error: OSError) -> str | None:
    """Return which standard stream cannot be written, and why; None if ``error`` is another one.

    What could not be written is dropped, so that Python does not try again when it ends.
    """
    name = _printed_to(error)
    if name is None:
        return None
    stream = getattr(sys, name)
    with contextlib.suppress(OSError):  # that of a test has no descriptor
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        stream.flush()
    setattr(sys, name, Nowhere())
    return f"{STREAMS[name]} cannot be written: {error.strerror or error}"


def _printed_to(error: OSError) -> str | None:
    """Return the stream that was printed to when an error was raised."""
    for frame, _line in traceback.walk_tb(error.__traceback__):
        if frame.f_globals.get("__name__") in PRINTING:
            printing = frame.f_locals
            console = printing.get("self")
            stream = printing.get("file") or getattr(console, "file", None)
            return "stderr" if stream is sys.stderr else "stdout"
    return None
