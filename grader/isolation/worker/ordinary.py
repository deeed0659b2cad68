"""What ordinary programs do that a worker cannot: done another way, with a word about it.

A worker starts no processes. A data loader with workers, a pool of processes or a compiled network
give the same values without: they run in the one process that there is. What was replaced is
reported by its name, and told as a note.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable
from typing import Any

replaced: list[str] = []  # names of what student code has used, each once


def note(name: str) -> None:
    """Remember that something was done another way."""
    if name not in replaced:
        replaced.append(name)


def prepare(names: list[str]) -> None:
    """Replace what starts processes in the libraries that are loaded."""
    _pools()
    if "torch" in names:
        _data_loader(importlib.import_module("torch.utils.data"))
        _compile(sys.modules["torch"])


def _data_loader(data: Any) -> None:
    original = data.DataLoader.__init__

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        names = original.__code__.co_varnames[1 : original.__code__.co_argcount]
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        if given.get("num_workers"):
            note("DataLoader")
            kept = {"num_workers", "timeout", "multiprocessing_context", "prefetch_factor"}
            given = {k: v for k, v in given.items() if k not in {*kept, "persistent_workers"}}
            original(self, **given)
        else:
            original(self, *args, **kwargs)

    data.DataLoader.__init__ = __init__


def _compile(torch: Any) -> None:
    def compiled(model: Any = None, **options: Any) -> Any:
        """Return a network or function as it is: it computes the same values uncompiled."""
        note("torch.compile")
        return model if model is not None else lambda function: compiled(function, **options)

    torch.compile = compiled
    method = getattr(torch.nn.Module, "compile", None)
    if method is not None:

        def in_place(_self: Any, *_args: Any, **_options: Any) -> None:
            note("torch.compile")

        torch.nn.Module.compile = in_place


def _pools() -> None:
    """Let pools of processes be pools of threads."""
    import concurrent.futures
    import multiprocessing
    import multiprocessing.pool

    def threads(limit: int | None) -> int:
        return max(1, min(MAX_THREADS, limit or MAX_THREADS))

    def pool(processes: int | None = None, *args: Any, **_options: Any) -> Any:
        note("Pool")
        return multiprocessing.pool.ThreadPool(threads(processes), *args[:2])

    def executor(max_workers: int | None = None, **options: Any) -> Any:
        note("ProcessPoolExecutor")
        start = {k: v for k, v in options.items() if k in ("initializer", "initargs")}
        return concurrent.futures.ThreadPoolExecutor(threads(max_workers), **start)

    replacements: dict[str, Callable[..., Any]] = {"Pool": pool}
    for name, value in replacements.items():
        setattr(multiprocessing, name, value)
    concurrent.futures.ProcessPoolExecutor = executor  # type: ignore[assignment,misc]


MAX_THREADS = 4  # beside the main one; a worker may have a few more
