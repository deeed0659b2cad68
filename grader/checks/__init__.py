"""The check kinds. A new kind is one new file and one line in ``KINDS``."""

from __future__ import annotations

from .base import CheckKind, Context, Judgement, StudentModule
from .forward import Forward
from .gradient import Gradient
from .predictions import Predictions
from .training import Training

KINDS: dict[str, CheckKind] = {
    kind.name: kind for kind in (Forward(), Gradient(), Training(), Predictions())
}

__all__ = ["KINDS", "CheckKind", "Context", "Judgement", "StudentModule"]
