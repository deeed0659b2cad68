"""What ordinary programs do that a worker cannot: done another way, with a word about it.

A worker starts no processes. A data loader with workers, a pool of processes or a compiled network
give the same values without: they run in the one process that there is. What was replaced is
reported by its name, and the report has a note about it.
"""

from __future__ import annotations

import functools
import importlib
import sys
import threading
from typing import Any

replaced: list[str] = []  # names of what student code has used, each once


def note(name: str) -> None:
    """Remember that something was done another way."""
    if name not in replaced:
        replaced.append(name)


def prepare(names: list[str]) -> None:
    """Replace what starts processes in the libraries that are loaded."""
    _pools()
    _executors()
    _shared_among_threads()
    if "torch" in names:
        _data_loader(importlib.import_module("torch.utils.data"))
        _compile(sys.modules["torch"])
        _torch_alone(sys.modules["torch"])


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


def _torch_alone(torch: Any) -> None:
    """Leave out what torch does for other processes and threads, of which there are none."""

    def share_memory_(self: Any) -> Any:
        """Return the tensor as it is: nobody else can read it."""
        return self

    torch.Tensor.share_memory_ = share_memory_
    torch.set_num_interop_threads = lambda _count: None  # an error once anything has run


def _pools() -> None:
    """Let pools of processes be pools of threads, whatever they are called by."""
    from multiprocessing import pool

    original = pool.Pool.__init__

    @functools.wraps(original)
    def __init__(  # noqa: N807
        self: Any, processes: int | None = None, *args: Any, **options: Any
    ) -> None:
        if not isinstance(self, pool.ThreadPool):
            note("Pool")
        allowed = MAX_POOL if processes is None else min(MAX_POOL, processes)
        original(self, allowed, *args, **options)

    pool.Pool.__init__ = __init__  # type: ignore[method-assign]
    for name in THREAD_POOL:
        setattr(pool.Pool, name, vars(pool.ThreadPool)[name])


def _executors() -> None:
    """Let executors run in threads, and in no more of them than a worker has."""
    import concurrent.futures
    import concurrent.futures.process

    class ThreadPoolExecutor(concurrent.futures.ThreadPoolExecutor):
        def __init__(self, max_workers: int | None = None, *args: Any, **options: Any) -> None:
            asked = MAX_EXECUTOR if max_workers is None else max_workers
            super().__init__(min(asked, MAX_EXECUTOR), *args, **options)

    class ProcessPoolExecutor(concurrent.futures.ThreadPoolExecutor):
        def __init__(
            self,
            max_workers: int | None = None,
            mp_context: Any = None,
            initializer: Any = None,
            initargs: tuple[Any, ...] = (),
            **_options: Any,
        ) -> None:
            del mp_context
            note("ProcessPoolExecutor")
            super().__init__(min(max_workers or MAX_POOL, MAX_POOL), "", initializer, initargs)

    for cls in (ThreadPoolExecutor, ProcessPoolExecutor):
        cls.__qualname__ = cls.__name__
        cls.__module__ = "concurrent.futures"
        setattr(concurrent.futures, cls.__name__, cls)
    concurrent.futures.thread.ThreadPoolExecutor = ThreadPoolExecutor  # type: ignore[misc]
    concurrent.futures.process.ProcessPoolExecutor = ProcessPoolExecutor  # type: ignore[assignment,misc]
    start = threading.Thread.start

    @functools.wraps(start)
    def explained(self: threading.Thread) -> None:
        try:
            start(self)
        except RuntimeError as error:
            if "can't start new thread" not in str(error):
                raise
            raise RuntimeError(f"{error}: {TOO_MANY}") from None

    threading.Thread.start = explained  # type: ignore[method-assign]


class _Lock:
    """A lock of ``threading`` that is called like one of ``multiprocessing``."""

    def __init__(self, lock: Any) -> None:
        self._lock = lock

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:  # noqa: FBT001, FBT002
        """Acquire the lock; say whether that was possible."""
        if not block:
            return bool(self._lock.acquire(blocking=False))
        return bool(self._lock.acquire(True, -1 if timeout is None else max(0.0, timeout)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lock, name)

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_error: object) -> None:
        self._lock.release()


class _Manager:
    """What a manager of ``multiprocessing`` offers, in the worker's one process."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module("multiprocessing.dummy"), name)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_error: object) -> None:
        self.shutdown()

    def shutdown(self) -> None:
        """Do nothing: there is no process to end."""


def _shared_among_threads() -> None:
    """Let what processes share be shared among threads: a worker's only process has no others.

    The semaphores of ``multiprocessing`` are files in ``/dev/shm``, which C code opens by its name.
    """
    import multiprocessing
    import multiprocessing.context
    import multiprocessing.dummy.connection
    import queue

    class Queue(queue.Queue[Any]):
        def close(self) -> None:
            """Do nothing: there is no other end."""

        join_thread = cancel_join_thread = close

    makers: dict[str, Any] = {
        "Lock": lambda _context: _Lock(threading.Lock()),
        "RLock": lambda _context: _Lock(threading.RLock()),
        "Semaphore": lambda _context, value=1: _Lock(threading.Semaphore(value)),
        "BoundedSemaphore": lambda _context, value=1: _Lock(threading.BoundedSemaphore(value)),
        "Condition": lambda _context, lock=None: threading.Condition(getattr(lock, "_lock", lock)),
        "Event": lambda _context: threading.Event(),
        "Barrier": lambda _context, *args, **options: threading.Barrier(*args, **options),
        "Queue": lambda _context, maxsize=0: Queue(maxsize),
        "JoinableQueue": lambda _context, maxsize=0: Queue(maxsize),
        "Pipe": lambda _context, duplex=True: multiprocessing.dummy.connection.Pipe(duplex),
        "Manager": lambda _context: _Manager(),
    }
    base = multiprocessing.context.BaseContext
    for name, make in makers.items():
        setattr(base, name, make)
    # Bound methods of the default context, made when the packages were imported.
    default = getattr(multiprocessing.context, "_default_context")  # noqa: B009 - private
    for package in ("multiprocessing", "torch.multiprocessing"):
        module = sys.modules.get(package)
        for name in makers if module is not None else ():
            setattr(module, name, getattr(default, name))


# What a pool of threads does in another way than one of processes.
THREAD_POOL = (
    "_wrap_exception", "Process", "_setup_queues", "_get_sentinels", "_get_worker_sentinels",
    "_help_stuff_finish",
)  # fmt: skip
MAX_POOL = 4  # threads of a pool of processes
MAX_EXECUTOR = 32  # threads of an executor; Python's own default goes no further
TOO_MANY = "during grading, code may run at most 48 threads"  # MAX_TASKS of lockdown.py
