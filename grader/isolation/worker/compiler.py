"""torch's compiler, asleep until a program needs it.

Each optimizer of torch imports the compiler, to say that it is not to be compiled itself. That
takes as long as to import torch (2 s), and adds 800 modules and 70 MB to every process: a fork of
it takes half as long again. Where nothing is compiled, what optimizers ask for does nothing.

A program that names it, or a part of torch that rests on it, gets a worker that imports it before
any of its code is there: in the program's own surroundings (its modules, threads, alarms) an import
may go wrong. What only turns out to need it wakes it then. A fork server never does: what is loaded
there would be loaded for the programs of others.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import re
import stat
import sys
import tempfile
import threading
import types
from typing import Any

NAME = "torch._dynamo"
# The compiler, and what rests on it; names of it after an import from torch or from torch.utils.
NEEDS_IT = re.compile(
    rb"dynamo|functorch|torch\.func\b|torch\.cond\b|torch\.compiler|\bvmap\b|\bjacrev\b|\bjacfwd\b"
    rb"|utils\.checkpoint|\bfx\b|torch\.export|attention\.bias|flex_attention|custom_op"
    rb"|flop_counter|torch\.library|fake_tensor|_inductor|\bhigher_order"
)
IMPORTED = re.compile(rb"\b(?:checkpoint|compiler|cond|export|func|library)\b")
IN_MORE_LINES = re.compile(rb"\bimport\s*\(|\\\r?\n")
FROM_TORCH = re.compile(rb"torch(?:\.utils)?\s+import\b")
CACHE = "TORCHINDUCTOR_CACHE_DIR"
# Of a submission that is read, which takes a second at most; of more it is awake at once.
MAX_FILES, MAX_BYTES = 300, 4 << 20
LONGEST_WAIT_S = 20.0
_lock = threading.RLock()


class SleepingCompiler(types.ModuleType):
    """Stands in the compiler's place. All but what leaves code uncompiled imports the compiler."""

    @staticmethod
    def graph_break(msg: str = "") -> None:
        """Do nothing: only a compiler stops here."""

    @staticmethod
    def disable(fn: Any = None, *arguments: Any, **options: Any) -> Any:
        """Return a function of torch's own as it is: torch has wrapped it already."""
        if fn is not None and options.get("wrapping") is False:
            return fn
        return wake().disable(fn, *arguments, **options)

    def __getattr__(self, name: str) -> Any:
        # Whoever looks at all modules asks for such names: not for the compiler.
        if name.startswith("__") and name not in ("__path__", "__all__"):
            raise AttributeError(name)
        return getattr(wake(), name)


def put_to_sleep() -> bool:
    """Let torch, once it is imported, import its compiler when that is used; say whether it does.

    Versions without a compiler, and those that have imported it already, are left as they are.
    """
    torch = sys.modules.get("torch")
    if torch is None or NAME in sys.modules:
        return False
    found = importlib.util.find_spec(NAME)
    if found is None or found.origin is None:
        return False
    asleep = SleepingCompiler(NAME)
    asleep.__file__, asleep.__spec__, asleep.__loader__ = found.origin, found, found.loader
    asleep.__package__ = NAME
    sys.modules[NAME] = asleep
    vars(torch)[NAME.rpartition(".")[2]] = asleep
    return True


def is_asleep() -> bool:
    """Say whether it has been put to sleep, and nothing has woken it."""
    return isinstance(sys.modules.get(NAME), SleepingCompiler)


def is_named(folder: str) -> bool:
    """Say whether the code in a folder names it, or what rests on it. Nothing of it is run."""
    files, size = 0, 0
    for parent, _folders, names in os.walk(folder):
        for name in names:
            if not name.endswith((".py", ".pyi", ".pyx")):
                continue
            path = os.path.join(parent, name)
            try:
                status = os.lstat(path)
                files, size = files + 1, size + status.st_size
                if files > MAX_FILES or size > MAX_BYTES:
                    return True
                if stat.S_ISREG(status.st_mode):
                    with open(path, "rb") as file:
                        if names_it(file.read(MAX_BYTES)):
                            return True
            except OSError:
                return True
    return False


def names_it(text: bytes) -> bool:
    """Say whether a program's text names it. The time is that of reading, whatever stands there."""
    if NEEDS_IT.search(text):
        return True
    if not FROM_TORCH.search(text):
        return False
    if IN_MORE_LINES.search(text):  # what is imported may stand in other lines
        return IMPORTED.search(text) is not None
    return any(
        found is not None and IMPORTED.search(line, found.end())
        for line in text.splitlines()
        if (found := FROM_TORCH.search(line)) is not None
    )


def wake_for(folder: str) -> bool:
    """Wake it in a new worker if the code in a folder names it; say whether that was tried.

    It makes a folder for what it compiles, which cannot be made here: it gets one that is there.
    Where it cannot be imported the program finds out what that means.
    """
    if not is_asleep() or not is_named(folder):
        return False
    before, usual = dict(os.environ), tempfile.tempdir
    os.environ[CACHE] = tempfile.tempdir = os.sep
    with contextlib.suppress(Exception):
        wake()
    tempfile.tempdir = usual
    os.environ.clear()
    os.environ.update(before)
    return True


def wake() -> types.ModuleType:
    """Return the compiler, imported now if it has not been."""
    # Whoever imports a part of it may wait for another thread, which waits for that part.
    held = _lock.acquire(timeout=LONGEST_WAIT_S)
    try:
        asleep = sys.modules[NAME]
        if isinstance(asleep, SleepingCompiler):
            del sys.modules[NAME]
            try:
                importlib.import_module(NAME)
            except BaseException:
                # Parts of it that are there hold on to a package that is not whole.
                for name in [name for name in sys.modules if name.startswith(f"{NAME}.")]:
                    del sys.modules[name]
                sys.modules[NAME] = asleep
                raise
        return sys.modules[NAME]
    finally:
        if held:
            _lock.release()
