"""The check kinds. A new kind is one new file and one line in ``CLASSES``."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping

from .base import CheckKind, Context, Judgement, Recorder
from .student_code import StudentModule

# The class of each kind: its module, and its name in it.
CLASSES = {
    "forward": "grader.checks.forward:ForwardKind",
    "gradient": "grader.checks.gradient:GradientKind",
    "values": "grader.checks.values:ValuesKind",
    "training": "grader.checks.training:TrainingKind",
    "property": "grader.checks.property:PropertyKind",
    "image": "grader.checks.image:ImageKind",
    "predictions": "grader.checks.predictions:PredictionsKind",
    "written": "grader.checks.written:WrittenKind",
    "derivation": "grader.checks.derivation:DerivationKind",
}


class _Kinds(Mapping[str, CheckKind]):
    """The kinds by name, each imported when it is asked for: a student's check needs one of them.

    One that cannot be imported stops whoever asks for it.
    """

    def __init__(self) -> None:
        self._made: dict[str, CheckKind] = {}

    def __getitem__(self, name: str) -> CheckKind:
        if name not in self._made:
            self._made[name] = pkgutil.resolve_name(CLASSES[name])()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(CLASSES)

    def __len__(self) -> int:
        return len(CLASSES)


KINDS: Mapping[str, CheckKind] = _Kinds()

__all__ = ["CLASSES", "KINDS", "CheckKind", "Context", "Judgement", "Recorder", "StudentModule"]
