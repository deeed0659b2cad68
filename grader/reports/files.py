"""Writing files so that a reader sees the old one or the new one, never half of one."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import tempfile
import unicodedata
from pathlib import Path
from typing import Any

import pydantic_core

from grader.errors import BrokenError
from grader.readers.texts import UNPRINTABLE

TEMPORARY = ".unfinished-"  # begins names that no reader takes for a report
# What open(2) says where a file system, or an old kernel, knows no files without a name.
NO_UNNAMED_FILES = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT)


class UnwritableError(BrokenError):
    """A file cannot be written; ``why`` is what the system says, without the file's name."""

    why: str = ""


def write_text(path: Path, text: str, *, flush: bool = True) -> None:
    """Write ``text`` as UTF-8, as ``write_bytes`` does."""
    write_bytes(path, text.encode(), flush=flush)


def write_bytes(path: Path, data: bytes, *, private: bool = False, flush: bool = True) -> None:
    """Write ``data`` next to ``path``, flush it to disk, and then replace ``path``.

    Where the file system allows it, the data has no name until it is complete: a process that is
    killed at any moment leaves nothing behind that looks like a report. Only its owner may read a
    ``private`` file. Without ``flush`` only a machine that loses power can lose the data: for what
    can be made again from another file.

    Raises:
        UnwritableError: the disk is full or the folder cannot be written.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd, temporary = _open_beside(path)
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(fd, 0o600 if private else 0o666 & ~_umask())
            if flush:
                os.fsync(fd)
            if temporary is None:
                temporary = _put(fd, path)
        if temporary is not None:
            temporary.replace(path)
    except BaseException as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        if isinstance(error, OSError):
            unwritable = UnwritableError(f"{path} cannot be written: {error.strerror}")
            unwritable.why = str(error.strerror)
            raise unwritable from None
        raise


def _umask() -> int:
    """Return the umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _open_beside(path: Path) -> tuple[int, Path | None]:
    """Open a new file in the folder of ``path``; return its name too, if it has one."""
    if hasattr(os, "O_TMPFILE"):
        try:
            return os.open(path.parent, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600), None
        except OSError as error:
            if error.errno not in NO_UNNAMED_FILES:
                raise
    fd, name = tempfile.mkstemp(dir=path.parent, prefix=TEMPORARY)
    return fd, Path(name)


def _put(fd: int, path: Path) -> Path | None:
    """Give the file ``fd`` the name ``path``; if that is taken, another one, which is returned."""
    if not path.exists():
        with contextlib.suppress(FileExistsError):
            _link(fd, path)
            return None
    temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")
    _link(fd, temporary)
    return temporary


def _link(fd: int, path: Path) -> None:
    # Naming the folder by its descriptor makes Python use linkat(2), which follows the link in
    # /proc to the file without a name; see open(2), O_TMPFILE.
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.link(f"/proc/self/fd/{fd}", path.name, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def write_json(path: Path, data: Any, *, flush: bool = True) -> None:
    """Write strict JSON (no NaN) with a final line end, its control characters as escapes.

    They come from submissions, and a terminal that shows the file would obey them.
    """
    text = _as_json(data) + "\n"
    if not text.replace("\n", "").isprintable():
        kinds = {char: unicodedata.category(char) for char in set(text) - {"\n"}}
        controls = [char for char, kind in kinds.items() if kind.startswith(UNPRINTABLE)]
        text = text.translate({ord(char): _escaped(char) for char in controls})
    write_text(path, text, flush=flush)


def _as_json(data: Any) -> str:
    json.dumps(data, allow_nan=False)  # raises ValueError where the fast encoder does not
    try:
        return pydantic_core.to_json(data, indent=1).decode()
    except pydantic_core.PydanticSerializationError:  # it knows no halves of characters
        return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
