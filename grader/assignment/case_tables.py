"""The dictionaries of a case file: entries that nothing could ever use."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from grader.assignment.reference import Assignment
from grader.readers.texts import did_you_mean

TABLES = ("MISTAKES", "CACHES", "INTERMEDIATES", "COMPARISONS")


def key_problems(assignment: Assignment, module: str, functions: Collection[str]) -> Iterator[str]:
    """Yield what is wrong with the keys of a case file's dictionaries.

    Args:
        assignment: the assignment.
        module: the student's module, such as ``rnn_layers.py``.
        functions: the functions and case generators that the rubric names.

    Raises:
        UsageError: one of them is not a dictionary.
        BrokenError: a file is not Python.
    """
    path, stem = assignment.folder / "cases" / module, module.removesuffix(".py")
    known = {*functions, *assignment.defined(stem), *assignment.defined(f"cases.{stem}")}
    for table in TABLES:
        for key in assignment.case_table(module, table):
            if key not in known:
                near = did_you_mean(str(key), sorted(known))
                place = f"{assignment.folder.name}/cases/{module}{_line(path, str(key))}"
                what = "is neither a function nor a generator of cases"
                yield f"{place}: {table}: {key!r} {what}{near}"


def _line(path: Any, key: str) -> str:
    """Return ``:line`` of a key in a file, if it stands there in quotation marks."""
    pattern = re.compile(f"""["']{re.escape(key)}["']\\s*[:\\]]""")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return ""
    numbers = [number for number, text in enumerate(lines, 1) if pattern.search(text)]
    return f":{numbers[0]}" if numbers else ""
