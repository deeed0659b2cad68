"""torch's compiler, asleep until a program needs it.

Each optimizer of torch imports the compiler, to say that it is not to be compiled itself. That
takes as long as to import torch (2 s), and adds 800 modules and 70 MB to every process: a fork of
it takes half as long again. Where nothing is compiled, what optimizers ask for does nothing.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from typing import Any

NAME = "torch._dynamo"


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
        if name.startswith("__") and name != "__path__":
            raise AttributeError(name)
        return getattr(_awake(), name)


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
    asleep.__file__ = found.origin
    sys.modules[NAME] = asleep
    vars(torch)[NAME.rpartition(".")[2]] = asleep
    return True


def _awake() -> types.ModuleType:
    """Return the compiler, imported now if it has not been."""
    asleep = sys.modules[NAME]
    if isinstance(asleep, SleepingCompiler):
        del sys.modules[NAME]
        try:
            importlib.import_module(NAME)
        except BaseException:
            sys.modules[NAME] = asleep
            raise
    return sys.modules[NAME]


def _as_it_is(function: Any) -> Any:
    return function
