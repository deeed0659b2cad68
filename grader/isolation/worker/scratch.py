"""A worker's own folder for files: bounded, private, and gone with the worker.

Ordinary programs write: a cache of fonts, the best weights of a training, a log. HOME, TMPDIR, the
working folder, ``/tmp`` and ``/dev/shm`` of a worker all lie in one scratch folder. With a root
folder of its own (``namespaces.py``) that is a file system in memory, which nobody else can see and
which ends with the worker's last process. Elsewhere it is a folder beside the submissions, which
the fork server makes and removes; Landlock keeps its worker in it and others out, and the grader
ends a worker that fills it. Where there is neither, nothing can be written. Sources: tmpfs(5),
mount_namespaces(7).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
from collections.abc import Iterator

PLACE = "/scratch"  # in the private root folder
RELOCATED = "/.shown"  # where that root holds what lies below the folders that lead to the scratch
# These lead into the scratch folder: programs name them without asking anybody.
LINKED = {"/tmp": "tmp", "/var/tmp": "tmp", "/dev/shm": "shm"}  # noqa: S108
FOLDERS = ("home", "tmp", "shm", "work")
MAX_FILES = 16_384  # files and folders of one worker
MAX_MIRRORED = 2_000  # files of a submission; intake allows no more
MAX_COPIED_BYTES = 16 * 1024 * 1024  # files of the submission are copied, so as to be changed
COPIED_AT_ONCE = 256 * 1024
COPIED_SHARE = 0.25  # of the scratch folder, at most
SOURCES = (".py", ".ipynb")
MS_NOSUID, MS_NODEV, MS_NOATIME = 2, 4, 1024
CLONE_NEWNS = 0x20000


def relocated(path: str) -> str:
    """Return where the private root holds a path of the machine."""
    for folder in LINKED:
        if path.startswith(f"{folder}/"):
            return f"{RELOCATED}{path}"
    return path


def link_shown(base: str, source: str) -> None:
    """Let what the root holds of ``/tmp`` and its like be found there, below ``base``/<folder>.

    ``source`` is the root folder, as it is called now.
    """
    for folder, name in LINKED.items():
        shown = f"{source}{RELOCATED}{folder}"
        if os.path.isdir(shown):
            for entry in os.listdir(shown):
                target = f"{base}/{name}/{entry}"
                if not os.path.lexists(target):
                    os.symlink(f"{RELOCATED}{folder}/{entry}", target)


def mount_point(root: str) -> None:
    """Make the place for the scratch folder in a new root, and the links that lead to it."""
    for name in FOLDERS:
        os.makedirs(f"{root}{PLACE}/{name}", mode=0o755, exist_ok=True)
    for folder, name in LINKED.items():
        os.makedirs(os.path.dirname(root + folder), mode=0o755, exist_ok=True)
        os.symlink(f"{PLACE}/{name}", root + folder)
    link_shown(root + PLACE, root)


def mount(libc: ctypes.CDLL, uid: int, size_mb: int) -> str:
    """Put a new file system in memory at the scratch folder's place; return that.

    Raises:
        OSError: it cannot be mounted.
    """
    options = f"mode=700,uid={uid},size={size_mb}m,nr_inodes={MAX_FILES}"
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    flags = ctypes.c_ulong(MS_NOSUID | MS_NODEV | MS_NOATIME)
    if libc.mount(b"none", PLACE.encode(), b"tmpfs", flags, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), "mount")
    return PLACE


def fill(base: str, submission: str, size_mb: int) -> str:
    """Make the folders of a scratch folder, with the submission's files; return the working folder.

    Folders are real ones, so that files can be added. Files are copies, which can be changed and
    whose real path is where they seem to be: sources first, then the others by size, up to a bound.
    All others are links to what was handed in. Called as the worker's user, who then owns them all.
    """
    for name in FOLDERS:
        os.mkdir(f"{base}/{name}", 0o700)
    if base == PLACE:
        link_shown(base, "")
    work, files = f"{base}/work", []
    for parent, entry in _entries(submission):
        path = os.path.join(parent, entry.name)
        target = f"{work}/{os.path.relpath(path, submission)}"
        if entry.is_dir(follow_symlinks=False):
            os.mkdir(target, 0o700)
        else:
            size = entry.stat(follow_symlinks=False).st_size
            files.append((not entry.name.endswith(SOURCES), size, path, target))
    left = min(MAX_COPIED_BYTES, int(size_mb * 1024 * 1024 * COPIED_SHARE))
    for _kind, size, path, target in sorted(files):
        left -= size
        if left < 0:
            os.symlink(path, target)
            continue
        _copy(path, target)
    return work


def _copy(source: str, target: str) -> None:
    """Copy a file; most are small, for which ``shutil`` takes three times as long."""
    fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        new = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            while data := os.read(fd, COPIED_AT_ONCE):
                while data:
                    data = data[os.write(new, data) :]
        finally:
            os.close(new)
    finally:
        os.close(fd)


def _entries(folder: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield files and folders below ``folder``, each after the folder that it is in."""
    waiting, count = [folder], 0
    while waiting:
        parent = waiting.pop()
        with os.scandir(parent) as entries:
            for entry in entries:
                count += 1
                if count > MAX_MIRRORED:
                    return
                yield parent, entry
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


def environment(base: str) -> dict[str, str]:
    """Return the variables by which programs find a place for their files."""
    home, temporary = f"{base}/home", f"{base}/tmp"  # noqa: S108 - below a folder of its own
    return {
        "HOME": home,
        "TMPDIR": temporary,
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "USER": "student",
        "LOGNAME": "student",
    }


def remove(folder: str) -> None:
    """Remove a worker's folder, however deep its folders are and whatever their modes.

    Folders inside others are moved up first: a path may be too long to be named, and walking down
    would take as many calls and descriptors as there are levels.
    """
    count = 0
    while True:
        inner = [entry for entry in _listed(folder) if entry.is_dir(follow_symlinks=False)]
        if not inner:
            break
        for entry in inner:
            for deeper in _listed(entry.path):
                if deeper.is_dir(follow_symlinks=False):
                    count += 1
                    with contextlib.suppress(OSError):
                        os.rename(deeper.path, f"{folder}/moved-{os.getpid()}-{count}")
            shutil.rmtree(entry.path, ignore_errors=True)
            if os.path.lexists(entry.path):
                return  # what cannot be removed stays in a folder that nobody else can open
    shutil.rmtree(folder, ignore_errors=True)


def _listed(folder: str) -> list[os.DirEntry[str]]:
    """Return what is in a folder that its owner may have closed; nothing if that fails."""
    with contextlib.suppress(OSError):
        os.chmod(folder, 0o700)
        with os.scandir(folder) as entries:
            return list(entries)
    return []
