"""``/tmp`` and its like for workers that have no root folder of their own.

Where a worker may not mount anything, ``/tmp`` is the machine's, and closed to it. Programs name
that folder without asking anybody: their paths below it lead into the scratch folder instead. This
is a convenience and not a wall: what a worker may really open is for the layers in ``lockdown.py``
to say.
"""

from __future__ import annotations

import builtins
import functools
import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from .scratch import LINKED

ONE_PATH = (
    "stat", "lstat", "mkdir", "rmdir", "remove", "unlink", "listdir", "scandir", "open", "access",
    "chmod", "utime", "truncate", "chdir", "readlink", "statvfs", "pathconf", "mkfifo", "chown",
    "lchown", "listxattr", "getxattr", "setxattr", "removexattr",
)  # fmt: skip
TWO_PATHS = ("rename", "replace", "link", "symlink")
BY_THEMSELVES = {
    "sqlite3": ("connect",),
    "sqlite3.dbapi2": ("connect",),
    "torch.jit": ("load",),
    "h5py": ("File",),
}
PATH_NAMES = ("path", "src", "dst", "file", "database")  # of such parameters


def install(base: str) -> None:
    """Let paths below ``/tmp`` and its like lead into the scratch folder ``base``."""
    kept = [os.path.dirname(base), sys.prefix, sys.base_prefix, *filter(None, sys.path)]
    lead = functools.partial(redirected, base, [f"{os.path.realpath(path)}/" for path in kept])
    io.open = builtins.open = _wrapped(builtins.open, lead, 1)
    for name in ("chmod", "utime"):
        setattr(os, name, _optional(getattr(os, name), base))
    for name in ONE_PATH:
        if hasattr(os, name):
            setattr(os, name, _wrapped(getattr(os, name), lead, 1))
    for name in TWO_PATHS:
        setattr(os, name, _wrapped(getattr(os, name), lead, 2))
    _redirect_libraries(lead)


def redirected(base: str, kept: Sequence[str], path: Any) -> Any:
    """Return where a path leads; what is not a path below such a folder is returned as it is.

    Args:
        base: the scratch folder.
        kept: beginnings of paths that stay: Python and the submission can lie below ``/tmp``, too.
        path: what a program has given.
    """
    if isinstance(path, int) or path is None:
        return path
    try:
        text = os.fsdecode(path)
    except TypeError:
        return path
    for folder, name in LINKED.items():
        if text == folder or text.startswith(f"{folder}/"):
            if any(f"{text}/".startswith(start) for start in kept):
                return path
            leads = f"{base}/{name}{text[len(folder) :]}"
            return os.fsencode(leads) if isinstance(path, bytes) else leads
    return path


def _wrapped(function: Callable[..., Any], lead: Callable[[Any], Any], paths: int) -> Any:
    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        for key in PATH_NAMES:
            if key in options:
                options[key] = lead(options[key])
        return function(*map(lead, args[:paths]), *args[paths:], **options)

    return call


def _optional(function: Callable[..., Any], base: str) -> Any:
    """Let a change of modes or times that the system refuses pass for files of the worker's own.

    Landlock does not know such changes, so they are refused everywhere where the worker's user owns
    other files; copying a file does not depend on them.
    """

    @functools.wraps(function)
    def call(path: Any, *args: Any, **options: Any) -> Any:
        try:
            return function(path, *args, **options)
        except PermissionError:
            if isinstance(path, int) or not os.path.realpath(path).startswith(f"{base}/"):
                raise

    return call


def _redirect_libraries(lead: Callable[[Any], Any]) -> None:
    """Wrap what opens a path by itself, in C, or has kept the ``open`` of before."""
    for module, names in BY_THEMSELVES.items():
        loaded = sys.modules.get(module)
        for name in names if loaded is not None else ():
            if hasattr(loaded, name):
                setattr(loaded, name, _wrapped(getattr(loaded, name), lead, 1))
    for module, name in (("bz2", "_builtin_open"), ("tokenize", "_builtin_open")):
        if module in sys.modules:
            setattr(sys.modules[module], name, builtins.open)
    sources = getattr(sys.modules.get("numpy.lib._datasource"), "_file_openers", None)
    if sources is not None:
        vars(sources)["_file_openers"][None] = builtins.open
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.save = _saves(torch.save, lead)
        torch.jit.save = _saves(torch.jit.save, lead)


def _saves(save: Any, lead: Callable[[Any], Any]) -> Any:
    """Wrap a function whose second argument, ``f``, is a path or a file."""

    @functools.wraps(save)
    def redirected_save(obj: Any, f: Any, *args: Any, **options: Any) -> Any:
        return save(obj, lead(f) if isinstance(f, str | os.PathLike) else f, *args, **options)

    return redirected_save
