"""A case with the right answers, the same for every submission of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from grader.model import Array

SINGLE = np.dtype(np.float32)


@dataclass(frozen=True)
class SolvedCase:
    """A case with the reference's answers.

    ``expected`` holds a forward function's outputs. For a gradient function it holds the gradients,
    ``cotangents`` those of the forward outputs that it is given, and ``forward`` these outputs.
    ``mistaken`` keeps what known mistakes give.
    """

    name: str
    group: str
    arguments: dict[str, Any]
    expected: dict[str, Array]
    cotangents: dict[str, Array] = field(default_factory=dict)
    forward: dict[str, Array] = field(default_factory=dict)
    mistaken: dict[Any, Any] = field(init=False, default_factory=dict, repr=False, compare=False)

    @cached_property
    def nbytes(self) -> int:
        """How many bytes all its values take."""
        groups = (self.arguments, self.expected, self.cotangents, self.forward)
        return sum(_size(value) for group in groups for value in group.values())

    @cached_property
    def is_single(self) -> bool:
        """Whether an argument is in single precision."""
        return any(_is_single(getattr(value, "dtype", None)) for value in self.arguments.values())


def _size(value: Any) -> int:
    """Return the bytes of an array or a tensor, and those of arrays in lists and dictionaries."""
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_size, value))
    if isinstance(value, str):
        return len(value)
    return int(getattr(value, "nbytes", 8))


def _is_single(dtype: Any) -> bool:
    if isinstance(dtype, np.dtype):
        return dtype == SINGLE
    # Of torch's types the name is enough: torch need not be loaded here.
    return str(dtype) in ("float32", "torch.float32")
