"""Tools of ``benchmarks/`` import one another by their bare names, as scripts of one folder do."""

import importlib
import sys

import pytest

from tests.conftest import ROOT


@pytest.fixture
def script(monkeypatch):
    """Return a function that imports a script of ``benchmarks/`` by its name."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    before = set(sys.modules)

    def imported(name):
        return importlib.import_module(name)

    yield imported
    for name in set(sys.modules) - before:
        if not name.startswith(("grader", "reference")) and "." not in name:
            path = getattr(sys.modules[name], "__file__", None) or ""
            if path.startswith(str(ROOT / "benchmarks")):
                del sys.modules[name]
