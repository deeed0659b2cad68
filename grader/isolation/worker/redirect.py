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
    "chmod", "utime", "truncate", "chdir", "readlink",
)  # fmt: skip
TWO_PATHS = ("rename", "replace", "link")


def install(base: str) -> None:
    """Let paths below ``/tmp`` and its like lead into the scratch folder ``base``."""
    kept = [os.path.dirname(base), sys.prefix, sys.base_prefix, *filter(None, sys.path)]
    lead = functools.partial(redirected, base, [f"{os.path.realpath(path)}/" for path in kept])
    io.open = builtins.open = _wrapped(builtins.open, lead, 1)
    for name in ("chmod", "utime"):
        setattr(os, name, _optional(getattr(os, name), base))
    for name in ONE_PATH:
        setattr(os, name, _wrapped(getattr(os, name), lead, 1))
    for name in TWO_PATHS:
        setattr(os, name, _wrapped(getattr(os, name), lead, 2))
    torch = sys.modules.get("torch")
    if torch is not None:
        _redirect_torch(torch, lead)


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


def _redirect_torch(torch: Any, lead: Callable[[Any], Any]) -> None:
    """Wrap ``torch.save``, which writes to a path by itself."""
    save = torch.save

    @functools.wraps(save)
    def redirected_save(obj: Any, f: Any, *args: Any, **options: Any) -> Any:
        return save(obj, lead(f) if isinstance(f, str | os.PathLike) else f, *args, **options)

    torch.save = redirected_save
