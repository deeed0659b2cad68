"""torch's compiler, asleep until a program needs it.

Each optimizer of torch imports the compiler, to say that it is not to be compiled itself. That
takes as long as to import torch (2 s), and adds 800 modules and 70 MB to every process: a fork of
it takes half as long again. Where nothing is compiled, what optimizers ask for does nothing.

For a program that names it, or a part of torch that rests on it, the fork server imports it before
the first worker of that program, and has it from then on: in the program's own surroundings (its
modules, threads, alarms) an import may go wrong. What only turns out to need it wakes it then.
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
# The compiler, and what rests on it.
NEEDS_IT = re.compile(
    rb"dynamo|functorch|torch\.func\b|torch import[^\n]*\bfunc\b|\bvmap\b|\bjacrev\b|\bjacfwd\b"
    rb"|utils\.checkpoint|utils import[^\n]*checkpoint|\bfx\b|torch\.export|attention\.bias"
    rb"|flex_attention|custom_op|flop_counter|torch\.library|fake_tensor|_inductor|\bhigher_order"
)
CACHE = "TORCHINDUCTOR_CACHE_DIR"
MAX_FILES, MAX_BYTES = 300, 1 << 20  # of a submission that is read; of more it is awake at once
LONGEST_WAIT_S = 20.0
_lock = threading.RLock()


class SleepingCompiler(types.ModuleType):
    """Stands in the compiler's place. All but what leaves code uncompiled imports the compiler."""

    @staticmethod
    def graph_break(msg: str = "") -> None:
        """Do nothing: only a compiler stops here."""

    @staticmethod
    def disable(fn: Any = None, *_args: Any, **_options: Any) -> Any:
        """Return a function as it is, uncompiled; or a decorator that does."""
        return _as_it_is if fn is None else fn

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
    count = 0
    for parent, _folders, names in os.walk(folder):
        for name in names:
            if not name.endswith((".py", ".pyi", ".pyx")):
                continue
            path = os.path.join(parent, name)
            try:
                status = os.lstat(path)
                count += 1
                if count > MAX_FILES or status.st_size > MAX_BYTES:
                    return True
                if stat.S_ISREG(status.st_mode):
                    with open(path, "rb") as file:
                        if NEEDS_IT.search(file.read()):
                            return True
            except OSError:
                return True
    return False


def wake_for(folder: str) -> bool:
    """Wake it in a fork server if the code in a folder names it; say whether that was done.

    It makes a folder for what it compiles, which a fork server cannot: it gets one that is there.
    Where it cannot be imported the server lives on, and the program finds out what that means.
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
    return not is_asleep()


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
                sys.modules[NAME] = asleep
                raise
        return sys.modules[NAME]
    finally:
        if held:
            _lock.release()


def _as_it_is(function: Any) -> Any:
    return function
