"""The check kinds. A new kind is one new file and one line in ``CLASSES``."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping

from .base import CheckKind, Context, Judgement
from .student_code import StudentModule

# The class of each kind, in the module of its name.
CLASSES = {
    "forward": "ForwardKind",
    "gradient": "GradientKind",
    "values": "ValuesKind",
    "training": "TrainingKind",
    "property": "PropertyKind",
    "image": "ImageKind",
    "predictions": "PredictionsKind",
    "written": "WrittenKind",
    "derivation": "DerivationKind",
}


class _Kinds(Mapping[str, CheckKind]):
    """The kinds by name, each imported when it is asked for: a student's check needs one of them.

    One that cannot be imported stops whoever asks for it.
    """

    def __init__(self) -> None:
        self._made: dict[str, CheckKind] = {}

    def __getitem__(self, name: str) -> CheckKind:
        if name not in self._made:
            kind = CLASSES[name]
            module = importlib.import_module(f".{name}", __package__)
            self._made[name] = getattr(module, kind)()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(CLASSES)

    def __len__(self) -> int:
        return len(CLASSES)


KINDS: Mapping[str, CheckKind] = _Kinds()

__all__ = ["KINDS", "CheckKind", "Context", "Judgement", "StudentModule"]
