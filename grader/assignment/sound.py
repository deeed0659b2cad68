"""Remembers rubrics that fit their reference: finding that out again takes a second at every start.

What is remembered is a digest of all that was looked at: the rubric, every file of the reference
and of what it uses beside it, this program, Python and its libraries. It is an empty file of that
name in the user's folder for state. Where none can be read or written, the rubric is looked at each
time.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Mapping, Sized
from pathlib import Path

from grader.assignment import digests, state
from grader.assignment.used_files import files_of, used_beside
from grader.errors import GraderError

FOLDER = "sound-rubrics"
MAX_KEPT = 64


class Fitting:
    """A rubric beside its reference, and whether it was found to fit before.

    Args:
        rubric: the file.
        reference: the folder.
        kinds: the kinds of checks.
        whole: whether the reference is run, too.
    """

    def __init__(
        self, rubric: Path, reference: Path, kinds: Mapping[str, object], *, whole: bool
    ) -> None:
        names = [f"{type(one).__module__}.{type(one).__qualname__}" for one in kinds.values()]
        self._name = ""
        with contextlib.suppress(OSError, GraderError, ValueError):
            beside = used_beside(reference)
            every = (rubric, *files_of(reference), *beside)
            files = [(str(path.resolve()), digests.content(path)) for path in every]
            parts = [whole, digests.engine(), digests.installed(), names, files]
            self._name = digests.digest(parts)

    @property
    def is_known(self) -> bool:
        """Whether the very same was found to fit."""
        with contextlib.suppress(OSError, GraderError):
            mark = state.folder() / FOLDER / self._name
            status = mark.lstat()
            if self._name and stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
                with contextlib.suppress(OSError):
                    os.utime(mark)  # of too many those go that were not asked for long
                return True
        return False

    def remember(self, problems: Sized) -> None:
        """Remember that it fits, if no problem was found."""
        if self._name and not len(problems):
            with contextlib.suppress(OSError, GraderError):
                (state.room(FOLDER, MAX_KEPT) / self._name).touch(mode=0o600)
