"""The cases and comparisons of q3 and q4 in one process, without any protection.

What a course without a grader does in its tests; ``bench_grading.py`` measures it as pytest, as
unittest, and by itself.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
reference = importlib.import_module("reference.rnn_layers")
cases = importlib.import_module("reference.cases.rnn_layers")

PAIRS = [
    ("rnn_step", ("next_h",)),
    ("rnn", ("h",)),
    ("lstm_step", ("next_h", "next_c")),
    ("lstm", ("h",)),
]
# The files of the submissions, one a line of this variable's text.
FILES = [Path(line) for line in os.environ.get("BENCH_MODULES", "").splitlines()]


def loaded(path: Path) -> ModuleType:
    """Import a submission's file as a module of its own."""
    spec = importlib.util.spec_from_file_location(f"student_{path.parent.name}", path)
    if spec is None or spec.loader is None:
        raise ImportError(str(path))
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))  # for the files beside it
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _tolerance(arguments: dict[str, Any]) -> float:
    return 1e-3 if arguments["x"].dtype == np.float32 else 1e-6


def forward(student: ModuleType, name: str, outputs: tuple[str, ...]) -> None:
    """Compare the outputs of a forward function on every case."""
    for case in getattr(cases, f"{name}_forward")(np.random.default_rng(0)):
        arguments = {k: v.copy() for k, v in case.arguments.items()}
        got = getattr(student, f"{name}_forward")(*arguments.values())
        expected = getattr(reference, f"{name}_forward")(*case.arguments.values())
        for index in range(len(outputs)):
            rtol = _tolerance(arguments)
            np.testing.assert_allclose(got[index], expected[index], rtol=rtol, atol=rtol)


def backward(student: ModuleType, name: str, outputs: tuple[str, ...]) -> None:
    """Compare the gradients of a backward function on every case."""
    rng = np.random.default_rng(1)
    for case in getattr(cases, f"{name}_forward")(np.random.default_rng(0)):
        arguments = {k: v.copy() for k, v in case.arguments.items()}
        ours = getattr(student, f"{name}_forward")(*arguments.values())
        right = getattr(reference, f"{name}_forward")(*case.arguments.values())
        cotangents = [rng.normal(size=right[i].shape) for i in range(len(outputs))]
        copies = [cotangent.copy() for cotangent in cotangents]
        got = getattr(student, f"{name}_backward")(*copies, ours[-1])
        expected = getattr(reference, f"{name}_backward")(*cotangents, right[-1])
        for mine, theirs in zip(got, expected, strict=True):
            rtol = _tolerance(arguments)
            np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=rtol)


def compared(path: Path) -> int:
    """Make all comparisons of a submission; return how many functions are right."""
    student, right = loaded(path), 0
    for name, outputs in PAIRS:
        for compare in (forward, backward):
            try:
                compare(student, name, outputs)
            except Exception:  # noqa: BLE001 - a wrong program may raise anything
                continue
            right += 1
    return right
