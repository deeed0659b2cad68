"""Submissions as bytes, and as files again, so that a worker needs no access to the class."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from grader.errors import BrokenError
from grader.frontends.cluster.messages import PackedFile, PackedPart, PackedSubmission
from grader.intake.downloads import Collected, HandedInFile
from grader.intake.layouts import Origin
from grader.intake.names import CLUTTER, installed_in
from grader.intake.submission import MAX_FILE_BYTES
from grader.job import Submitted
from grader.reports import stored
from grader.reports.frame import Frame
from grader.reports.report import Report

MIB = 2**20
MAX_PACKED = 512 * MIB  # of one submission: twice what one may hold unpacked
NAMELESS = ("", ".", "..")


def pack(one: Submitted, out: Path) -> PackedSubmission:
    """Return a submission as bytes.

    Args:
        one: the submission.
        out: the folder of the reports, with the pictures of an earlier one.

    Raises:
        BrokenError: it cannot be read, or is too large to be sent.
    """
    origin = one.path
    given = origin if isinstance(origin, Collected) else None
    parts = given.parts if given is not None else (HandedInFile(_path(origin), ""),)
    try:
        packed = tuple(map(_pack_part, parts))
    except OSError as error:
        raise BrokenError(f"{error.filename}: cannot be read: {error.strerror}") from None
    size = sum(len(file.data or b"") for part in packed for file in part.files)
    if size > MAX_PACKED:
        raise BrokenError(
            f"it holds {size // MIB} MiB, and at most {MAX_PACKED // MIB} MiB are sent to a dask "
            "worker: grade it without --dask"
        )
    earlier = one.earlier
    pictures = {}
    if earlier is not None:
        pictures = stored.pictures(stored.Stored(out / one.identifier, earlier))
    return PackedSubmission(
        one.identifier,
        packed,
        given is not None,
        given.student if given is not None else None,
        given.notes if given is not None else (),
        given.doubt if given is not None else "",
        one.wanted,
        one.contested,
        one.basis,
        None if earlier is None else earlier.model_dump_json(),
        pictures,
        one.frame.model_dump_json(),
    )


def packed_bytes(one: PackedSubmission) -> int:
    """Return about how many bytes a packed submission has."""
    files = sum(len(file.data or b"") + 200 for part in one.parts for file in part.files)
    return files + sum(map(len, one.pictures.values())) + len(one.earlier or "")


def _path(origin: Origin) -> Path:
    if isinstance(origin, Collected):
        raise TypeError(origin)
    return origin


def _pack_part(part: HandedInFile) -> PackedPart:
    path = part.path.resolve()
    name = path.name if part.path.name in NAMELESS else part.path.name
    if not path.is_dir():
        files = (PackedFile("", path.stat().st_size, path.read_bytes()),)
        return PackedPart(name, path.name, part.name, None, files)
    folders, inner = [], []
    for below, entry in _entries(path, ""):
        if entry.is_dir(follow_symlinks=False):
            folders.append(below)
        else:
            inner.append(_pack_file(below, entry))
    return PackedPart(name, path.name, part.name, tuple(folders), tuple(inner))


def _entries(top: Path, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    with os.scandir(top) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        name = prefix + entry.name
        yield name, entry
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(Path(entry.path), f"{name}/")


def _pack_file(name: str, entry: os.DirEntry[str]) -> PackedFile:
    if entry.is_symlink():
        return PackedFile(name, 0, None, str(Path(entry.path).readlink()))
    found = entry.stat(follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode):
        # What is neither file nor folder is left out like a link to nothing, in other words.
        return PackedFile(name, -1, None)
    parts = tuple(name.split("/"))
    unread = any(part in CLUTTER for part in parts) or installed_in(parts[:-1]) is not None
    if unread or found.st_size > MAX_FILE_BYTES:
        return PackedFile(name, found.st_size, None)
    return PackedFile(name, found.st_size, Path(entry.path).read_bytes())


def unpack(one: PackedSubmission, into: Path, out: Path) -> Submitted:
    """Write a submission's files into a new folder, and the pictures of its earlier report.

    Args:
        one: the submission.
        into: the folder to make.
        out: the folder of the reports.

    Raises:
        OSError: the disk is full or fails.
    """
    parts = []
    for number, part in enumerate(one.parts):
        place = into / str(number)
        place.mkdir(parents=True)
        parts.append(HandedInFile(_unpack_part(part, place), part.called))
    for name, data in one.pictures.items():
        picture = out / one.identifier / name
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(data)
    origin: Origin = parts[0].path
    if one.collected:
        origin = Collected(one.identifier, tuple(parts), one.student, one.notes, one.doubt)
    earlier = None if one.earlier is None else Report.read(one.earlier.encode())
    return Submitted(
        *(one.identifier, origin, one.wanted, one.contested, one.basis, earlier),
        frame=Frame.model_validate_json(one.frame),
    )


def _unpack_part(part: PackedPart, place: Path) -> Path:
    """Write a part; a link that had another name than what it leads to is one again."""
    real = place / part.real_name
    if part.name != part.real_name:
        (place / "real").mkdir()
        real = place / "real" / part.real_name
    if part.folders is None:
        _write(real, part.files[0])
    else:
        real.mkdir()
        for folder in part.folders:
            (real / folder).mkdir()
        for file in part.files:
            _write(real / file.name, file)
    if part.name == part.real_name:
        return real
    link = place / part.name
    link.symlink_to(real)
    return link


def _write(path: Path, file: PackedFile) -> None:
    if file.link is not None:
        path.symlink_to(file.link)
    elif file.data is not None:
        path.write_bytes(file.data)
    elif file.size < 0:
        os.mkfifo(path)
    else:
        with path.open("wb") as made:
            made.truncate(file.size)  # takes no room on the disk
