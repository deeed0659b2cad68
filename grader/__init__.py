"""Autograder for deep-learning homework: the engine, which knows nothing of any one assignment.

In a notebook, ``grader.check("q3.1")`` and the cell magic ``%%grader q3.1`` check the homework.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

    from grader.frontends.notebook.checked import Checked

__version__ = "0.1.0"


def check(*ids: str, folder: str = ".") -> Checked | None:
    """Check homework as ``grader check`` does; in a notebook, with the functions defined in it.

    Args:
        ids: questions (``"q3"``) or checks (``"q3.1"``); by default all that can run here.
        folder: the folder of the homework.

    Returns:
        What was found; a notebook shows it as a table. None where student code is being checked: a
        notebook that checks itself is not checked within its own check.

    Raises:
        UsageError: there is no such check or folder, or no homework there.
        BrokenError: a recorded file is damaged, or there is no place for temporary files.
    """
    if "_dlg" in sys.modules:  # the package of workers
        return None
    from grader.frontends.notebook.checking import check_here

    return check_here(ids, folder, _shell())


def load_ipython_extension(shell: Any) -> None:
    """Add the magic ``%%grader``: IPython calls this for ``%load_ext grader``."""

    def magic(line: str, cell: str | None = None) -> Checked | None:
        """Run a cell, then check homework: %%grader q3.1."""
        if cell is not None and not shell.run_cell(cell, store_history=False).success:
            return None  # IPython has shown why
        return check(*line.split())

    shell.register_magic_function(magic, "line_cell", "grader")


def _shell() -> Any:
    """Return IPython's shell if this is a notebook, else None; nothing is imported for that."""
    ipython: ModuleType | None = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython and hasattr(ipython, "get_ipython") else None


if (_there := _shell()) is not None:
    load_ipython_extension(_there)
