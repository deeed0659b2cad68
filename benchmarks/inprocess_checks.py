"""What a course without a grader does: one pytest file that imports a submission and compares.

The same cases and comparisons as q3 and q4 of the rubric, in the process of pytest, without any
protection. ``bench_grading.py`` runs it once per submission, as a cold process.
"""

from __future__ import annotations

import importlib.util
import os
from types import ModuleType
from typing import Any

import numpy as np
import pytest

if os.environ.get("BENCH_IMPORT_TORCH"):
    import torch  # noqa: F401 - what most course graders import first

from reference import rnn_layers as reference
from reference.cases import rnn_layers as cases

PAIRS = [
    ("rnn_step", ("next_h",)),
    ("rnn", ("h",)),
    ("lstm_step", ("next_h", "next_c")),
    ("lstm", ("h",)),
]


def _student() -> ModuleType:
    spec = importlib.util.spec_from_file_location("student", os.environ["BENCH_MODULE"])
    if spec is None or spec.loader is None:
        raise ImportError
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


STUDENT = _student()


def _tolerance(arguments: dict[str, Any]) -> float:
    return 1e-3 if arguments["x"].dtype == np.float32 else 1e-6


@pytest.mark.parametrize(("name", "outputs"), PAIRS)
def test_forward(name: str, outputs: tuple[str, ...]) -> None:
    """Compare the outputs of a forward function on every case."""
    for case in getattr(cases, f"{name}_forward")(np.random.default_rng(0)):
        arguments = {k: v.copy() for k, v in case.arguments.items()}
        got = getattr(STUDENT, f"{name}_forward")(*arguments.values())
        expected = getattr(reference, f"{name}_forward")(*case.arguments.values())
        for index in range(len(outputs)):
            rtol = _tolerance(arguments)
            np.testing.assert_allclose(got[index], expected[index], rtol=rtol, atol=rtol)


@pytest.mark.parametrize(("name", "outputs"), PAIRS)
def test_backward(name: str, outputs: tuple[str, ...]) -> None:
    """Compare the gradients of a backward function on every case."""
    rng = np.random.default_rng(1)
    for case in getattr(cases, f"{name}_forward")(np.random.default_rng(0)):
        arguments = {k: v.copy() for k, v in case.arguments.items()}
        forward = getattr(STUDENT, f"{name}_forward")(*arguments.values())
        right = getattr(reference, f"{name}_forward")(*case.arguments.values())
        cotangents = [rng.normal(size=right[i].shape) for i in range(len(outputs))]
        copies = [cotangent.copy() for cotangent in cotangents]
        got = getattr(STUDENT, f"{name}_backward")(*copies, forward[-1])
        expected = getattr(reference, f"{name}_backward")(*cotangents, right[-1])
        for mine, theirs in zip(got, expected, strict=True):
            rtol = _tolerance(arguments)
            np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=rtol)
