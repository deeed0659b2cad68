"""Entry of a plain worker: ``python plain.py NAME...``, with the names of libraries to load.

It runs a student's code on the student's own machine, on any system, and isolates nothing. Its wire
is the pair of pipes that it was started with as standard input and output; what the code prints
goes to the pipe that it was started with as standard error. The first line that it reads is its
setup as JSON: ``submission``, ``home`` (where the student has it), ``forbidden``, ``seed`` and
``life_s``, the time after which it ends in any case.
"""

import faulthandler
import importlib
import importlib.machinery
import json
import os
import sys
import types
from typing import Any

PACKAGE = "_dlg"
MAX_SETUP = 1 << 20


class Pipes:
    """A pair of pipes instead of a socket."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading = reading
        self._writing = writing

    def sendall(self, data: object) -> None:
        """Write all of ``data``."""
        view = memoryview(data).cast("B")  # type: ignore[arg-type]
        while view:
            view = view[os.write(self._writing, view) :]

    def recv_into(self, buffer: memoryview) -> int:
        """Read into ``buffer``; return how many bytes, 0 at the end."""
        data = os.read(self._reading, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def line(self) -> bytes:
        """Return the next line; what follows it stays in the pipe."""
        read = bytearray()
        while not read.endswith(b"\n") and len(read) < MAX_SETUP:
            byte = os.read(self._reading, 1)
            if not byte:
                sys.exit(0)  # the grader is gone, or needs no more workers
            read += byte
        return bytes(read)


def take_wire() -> Pipes:
    """Move the wire away from standard input and output, which student code uses."""
    reading, writing = os.dup(0), os.dup(1)
    if sys.platform == "win32":
        import msvcrt

        for descriptor in (reading, writing):
            msvcrt.setmode(descriptor, os.O_BINARY)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return Pipes(reading, writing)


def preload(names: list[str]) -> None:
    """Load the libraries of a question."""
    importlib.import_module("numpy")
    for name in names:
        module = importlib.import_module(name)
        if name == "torch":
            module.set_num_threads(1)
        elif name == "matplotlib":
            module.use("agg")


def main() -> None:
    """Load libraries, wait for the setup, and serve until the wire is closed."""
    wire = take_wire()
    try:
        child, served = set_up(wire)
    except Exception as error:
        # One line for a person: no student code has been read yet.
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit(1)
    wire.sendall(child.READY)
    try:
        served.serve()
    finally:
        os._exit(child.EXIT_SERVING_FAILED)


def set_up(wire: Pipes) -> tuple[types.ModuleType, Any]:
    """Load libraries and wait for the setup; return the module ``child`` and a ``Child``."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if entry and os.path.abspath(entry) != here]
    names, sys.argv[:] = sys.argv[1:], [""]
    preload(names)
    package = types.ModuleType(PACKAGE)
    package.__path__ = [os.path.dirname(here)]
    sys.modules[PACKAGE] = package
    child = importlib.import_module(f"{PACKAGE}.worker.child")
    compiler = importlib.import_module(f"{PACKAGE}.worker.compiler")
    package.__path__ = []
    setup = json.loads(wire.line())
    compiler.put_to_sleep()
    with importlib.import_module(f"{PACKAGE}.worker.modules").ahead_of_time():
        compiler.wake_for(setup["submission"])
    # Should the grader be killed while the code is in an endless loop: this needs no interpreter.
    faulthandler.dump_traceback_later(setup["life_s"], exit=True)
    seeds = child.generators(accelerator=False)
    seeds(setup["seed"])
    os.chdir(setup["home"])
    keep_places(setup["submission"], setup["home"])
    return child, child.Child(wire, setup["submission"], tuple(setup["forbidden"]), seeds=seeds)


def keep_places(staged: str, home: str) -> None:
    """Let modules below ``staged`` find data beside them: their ``__file__`` is below ``home``."""
    statements = sys.modules[f"{PACKAGE}.worker.statements"]
    for loader in (importlib.machinery.SourceFileLoader, statements.StudentLoader):
        keep_place(loader, staged, home)


def keep_place(loader: Any, staged: str, home: str) -> None:
    """Let the modules of one loader find data beside them."""
    execute = loader.exec_module

    def exec_module(self: Any, module: types.ModuleType) -> None:
        file = module.__file__ or ""
        if file.startswith(staged + os.sep):
            module.__file__ = home + file[len(staged) :]
        execute(self, module)

    loader.exec_module = exec_module


if __name__ == "__main__":
    main()
