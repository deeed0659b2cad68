"""What a course without a grader does: one pytest file that imports submissions and compares.

``bench_grading.py`` runs it once per submission, as a cold process, and once for all of them.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from types import ModuleType

import pytest

if os.environ.get("BENCH_IMPORT_TORCH"):
    import torch  # noqa: F401 - what most course graders import first

import inprocess_comparisons as comparisons


@functools.cache
def _student(path: Path) -> ModuleType:
    return comparisons.loaded(path)


@pytest.mark.parametrize("path", comparisons.FILES)
@pytest.mark.parametrize(("name", "outputs"), comparisons.PAIRS)
def test_forward(path: Path, name: str, outputs: tuple[str, ...]) -> None:
    """Compare the outputs of a forward function."""
    comparisons.forward(_student(path), name, outputs)


@pytest.mark.parametrize("path", comparisons.FILES)
@pytest.mark.parametrize(("name", "outputs"), comparisons.PAIRS)
def test_backward(path: Path, name: str, outputs: tuple[str, ...]) -> None:
    """Compare the gradients of a backward function."""
    comparisons.backward(_student(path), name, outputs)
