"""What travels over the wire besides Python's own values and arrays, and how it can fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


class WireError(Exception):
    """A frame that breaks the format or a cap. On the trusted side: the worker cheated."""


class TooMuchAnnouncedError(WireError):
    """A frame announces more bytes than its reader takes; nothing of them was read."""

    def __init__(self, announced: int, most: int) -> None:
        super().__init__(f"a frame of {announced} bytes exceeds the limit of {most}")
        self.most = most


@dataclass(frozen=True)
class Opaque:
    """An object that stays in the worker; ``handle`` names it in later calls."""

    handle: int
    type_name: str


@dataclass(frozen=True)
class TensorData:
    """The values of a torch tensor, carried as an array by a process that may not import torch."""

    array: np.ndarray[Any, Any]
