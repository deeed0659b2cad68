"""The user's folder for what this program keeps from one run to the next.

It is outside the assignment's folder, which is packed, published and copied, and its owner alone
may read what is in it. Source: the XDG Base Directory Specification.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from pathlib import Path

from grader.errors import GraderError, UsageError
from grader.reports.files import write_bytes

FOLDER = "dl-grader"
SEAL = 32  # bytes of the digest in front of what is kept
HOMELESS = "the secret seed has no place: name one with --seed-file FILE"


def folder() -> Path:
    """Return the folder, which may not be there yet; raises ``UsageError`` without a home."""
    named = Path(os.environ.get("XDG_STATE_HOME", ""))
    if named.is_absolute():
        return named / FOLDER
    try:
        home = Path.home()
    except RuntimeError:
        raise UsageError(HOMELESS) from None
    if os.environ.get("HOME") == "" or not home.is_absolute():
        raise UsageError(HOMELESS)
    return home / ".local" / "state" / FOLDER


def room(name: str, most: int) -> Path:
    """Return a folder of this name in it, made, without all but the newest files.

    Raises:
        OSError: it cannot be made.
        UsageError: the user has no home folder.
    """
    place = folder() / name
    for one in (place.parent, place):
        one.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = one.stat()
        if status.st_uid != os.geteuid():
            raise PermissionError(f"{one} belongs to somebody else")
        if status.st_mode & 0o022:  # others could put files in, or take the room away
            one.chmod(0o700)
    ages = []
    for path in place.iterdir():
        with contextlib.suppress(OSError):  # gone by now
            ages.append((path.lstat().st_mtime, path))
    for _age, path in sorted(ages)[: max(0, len(ages) - most + 1)]:  # one more is to come
        with contextlib.suppress(OSError):  # a folder, which nobody has made here
            path.unlink()
    return place


def read(name: str, file: str) -> bytes | None:
    """Return what was written to a file of a room; None if that cannot be known.

    Nor if it is damaged, or others than the owner may have written it, or may read it.
    """
    with contextlib.suppress(OSError, GraderError):
        path = folder() / name / file
        with path.open("rb") as opened:
            status = os.fstat(opened.fileno())
            if status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o077:
                sealed = opened.read()
                # Of too many those go that were not read for long.
                with contextlib.suppress(OSError):  # a file system that is only read
                    os.utime(opened.fileno())
                data = sealed[SEAL:]
                return data if sealed[:SEAL] == _seal(file, data) else None
    return None


def write(name: str, file: str, data: bytes, most: int) -> None:
    """Write a file of a room, which only the owner may read, if that is possible."""
    with contextlib.suppress(OSError, GraderError):
        sealed = _seal(file, data) + data
        write_bytes(room(name, most) / file, sealed, private=True, flush=False)


def _seal(file: str, data: bytes) -> bytes:
    """Return what tells a file that is whole, and under the name that it was given."""
    return hashlib.sha256(file.encode() + b"\0" + data).digest()
