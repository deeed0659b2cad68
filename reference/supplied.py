"""The supplied files that students are given with the template, imported on the trusted side."""

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).resolve().parents[1] / "submissions_template"


@cache
def load(name: str) -> ModuleType:
    """Import ``submissions_template/<name>.py`` under a private name, once.

    Raises:
        ImportError: there is no such file.
    """
    path = FOLDER / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"_supplied_{name}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
