"""The folder that reports are written to: found unusable before anything is graded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from grader.errors import BrokenError, UsageError
from grader.intake.names import RESERVED_IDS

PROBE_BYTES = 4096  # an empty file can be created even on a full disk


def check_writable(out: Path) -> None:
    """Find out before grading whether reports can be written.

    Raises:
        BrokenError: they cannot; it says why.
    """
    probe = out / f".probe-{os.getpid()}"
    try:
        out.mkdir(parents=True, exist_ok=True)
        try:
            probe.write_bytes(bytes(PROBE_BYTES))
        finally:
            probe.unlink(missing_ok=True)
        for name in RESERVED_IDS:
            if (out / name).is_dir():
                raise BrokenError(f"--out {out}: {name} is a folder; remove or rename it")
    except OSError as error:
        raise BrokenError(f"--out {out}: cannot write there: {error.strerror}") from None


def check_apart(out: Path, submissions: Sequence[Path], identifiers: Sequence[str]) -> None:
    """Refuse to write reports into submissions: the next run would grade them, too.

    Raises:
        UsageError: a report would lie in a submission or in the folder of a class.
    """
    graded = {path: path.resolve() for path in submissions if path.is_dir()}
    for identifier in identifiers:
        place = (out / identifier).resolve()
        for path, folder in graded.items():
            if place.is_relative_to(folder):
                raise UsageError(f"--out {out}: is inside {path}, a submission; name another DIR")
