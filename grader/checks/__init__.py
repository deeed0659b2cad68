"""The check kinds. A new kind is one new file and one line in ``KINDS``."""

from __future__ import annotations

from .base import CheckKind, Context, Judgement, StudentModule
from .forward import Forward
from .gradient import Gradient
from .image import Image
from .predictions import Predictions
from .property import PropertyKind
from .training import Training
from .values import Values
from .written import Derivation, Written

_ALL: tuple[CheckKind, ...] = (
    *(Forward(), Gradient(), Values(), Training(), PropertyKind(), Image()),
    *(Predictions(), Written(), Derivation()),
)
KINDS: dict[str, CheckKind] = {kind.name: kind for kind in _ALL}

__all__ = ["KINDS", "CheckKind", "Context", "Judgement", "StudentModule"]
