"""Entry of the fork server: ``python -s boot.py CONTROL_FD OPTIONS_JSON``.

Runs as a script in a fresh, isolated interpreter. It makes ``wire`` and ``worker`` importable
under the package name ``_dlg`` without executing ``grader/__init__.py``, loads the libraries that
students need, and then hides the engine: afterwards its folder cannot be reached by name or through
``sys.path``.
"""

import importlib
import os
import sys
import types

PACKAGE = "_dlg"


def clean_path() -> None:
    """Keep the standard library and installed packages on ``sys.path``, nothing else.

    An editable installation adds the folder of its project, and with it ``reference``, to the
    path of every interpreter of the environment.
    """
    library, here = os.path.dirname(os.__file__), os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [
        entry
        for entry in sys.path
        if (entry.startswith(library) and os.path.abspath(entry) != here)
        or os.path.basename(entry) in ("site-packages", "dist-packages")
        or entry == os.path.join(os.path.dirname(library), os.path.basename(library) + ".zip")
    ]
    sys.meta_path[:] = [
        finder
        for finder in sys.meta_path
        if "editable" not in f"{getattr(finder, '__name__', type(finder).__name__)}".lower()
    ]


def main() -> None:
    """Load the libraries named in the options and serve until the control socket closes."""
    clean_path()
    engine = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    package = types.ModuleType(PACKAGE)
    package.__path__ = [engine]
    sys.modules[PACKAGE] = package
    importlib.import_module("numpy")
    before = frozenset(sys.modules)  # what a program finds loaded that imports numpy, anywhere
    server = importlib.import_module(f"{PACKAGE}.worker.server")
    package.__path__ = []
    sys.argv[:] = [""]
    server.serve(*ARGUMENTS, before)


if __name__ == "__main__":
    ARGUMENTS = tuple(sys.argv[1:])
    main()
