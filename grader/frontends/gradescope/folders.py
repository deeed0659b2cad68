"""Where Gradescope puts things, and keeping them from student code."""

from __future__ import annotations

import contextlib
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OWNER_ONLY_FOLDER, OWNER_ONLY_FILE = 0o700, 0o600


@dataclass(frozen=True)
class Folders:
    """The files of one run. ``root`` is ``/autograder`` on the platform."""

    root: Path

    @property
    def submission(self) -> Path:
        """The folder with the student's files."""
        return self.root / "submission"

    @property
    def metadata(self) -> Path:
        """What the platform knows about the submission."""
        return self.root / "submission_metadata.json"

    @property
    def results(self) -> Path:
        """What the platform reads."""
        return self.root / "results" / "results.json"

    @property
    def rubric(self) -> Path:
        """The rubric, where ``setup.sh`` and the Dockerfile put it."""
        return self.root / "source" / "assignment" / "rubric.yaml"


@contextlib.contextmanager
def closed(places: Folders) -> Iterator[None]:
    """Close the results and the metadata to other users while student code runs.

    They reveal hidden checks of this submission and of earlier ones. Where workers have no private
    root folder, only these modes keep a worker from reading them. The folder around them is closed
    as well, unless the libraries are in it.
    """
    modes = {places.results.parent: OWNER_ONLY_FOLDER, places.metadata: OWNER_ONLY_FILE}
    if not Path(sys.prefix).resolve().is_relative_to(places.root.resolve()):
        modes[places.root] = OWNER_ONLY_FOLDER
    before: dict[Path, int] = {}
    for path, mode in modes.items():
        with contextlib.suppress(OSError):  # may belong to another user: the canary tests access
            before[path] = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode)
    try:
        yield
    finally:
        for path, mode in before.items():
            with contextlib.suppress(OSError):
                path.chmod(mode)
