"""What student code prints: it goes to two descriptors, and for a while nowhere."""

from __future__ import annotations

import builtins
import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

STANDARD = (1, 2)  # output and errors
PRINT = builtins.print


class Output:
    """Where standard output and errors go."""

    def __init__(self) -> None:
        self._kept: list[int] = []

    def drop(self) -> None:
        """Drop what is printed from now on; the text of ``print`` is not even made."""
        if self._kept:
            return
        builtins.print = _quiet
        with contextlib.suppress(OSError):  # no descriptor is left: then it is heard
            nowhere = os.open(os.devnull, os.O_WRONLY)
            self._kept = [os.dup(descriptor) for descriptor in STANDARD]
            for descriptor in STANDARD:
                os.dup2(nowhere, descriptor)
            os.close(nowhere)

    @contextlib.contextmanager
    def dropped(self) -> Iterator[None]:
        """Drop what is printed in this block."""
        self.drop()
        try:
            yield
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(Exception):  # closed or replaced by student code
                    stream.flush()
            self.restore()

    def restore(self) -> None:
        """Let it go where it went before."""
        builtins.print = PRINT
        for kept, descriptor in zip(self._kept, STANDARD, strict=False):
            os.dup2(kept, descriptor)
            os.close(kept)
        self._kept = []


def _quiet(*values: Any, **options: Any) -> None:
    """Print to files only: to show arrays takes longer than to compute them."""
    if options.get("file") is not None:
        PRINT(*values, **options)
