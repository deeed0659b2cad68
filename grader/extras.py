"""What the plain installation lacks: the packages of the extra ``grading`` in ``pyproject.toml``.

``pip install dl-grader`` serves students; grading needs ``pip install 'dl-grader[grading]'``.
"""

from __future__ import annotations

from importlib.util import find_spec

DISTRIBUTION = "dl-grader"
REMEDY = f"install the extra for grading: pip install '{DISTRIBUTION}[grading]'"
# The packages of the extra by their modules; a test compares them with pyproject.toml.
GRADING = {
    "torch": "torch",
    "pytest": "pytest",
    "pytest_jsonreport": "pytest-json-report",
    "jinja2": "jinja2",
    "h5py": "h5py",
    "matplotlib": "matplotlib",
    "PIL": "pillow",
}


def absent() -> tuple[str, ...]:
    """Return the packages of the extra ``grading`` that are not installed."""
    return tuple(package for module, package in GRADING.items() if find_spec(module) is None)


def needs(packages: tuple[str, ...]) -> str:
    """Return what to say of a command that lacks packages of the extra."""
    *most, last = packages
    named = f"{', '.join(most)} and {last}" if most else last
    return f"needs {named}, which {'are' if most else 'is'} not installed"
