"""What an assignment's ``reference/judges/<file>.py`` is written in.

A driver runs next to student code and returns values; a judge examines these values on the trusted
side, where nobody can tamper with it, and says what they prove::

    def freeze(result, inputs, withheld):
        network = rebuild(result["parameters"])
        return Evidence(
            values={"accuracy": accuracy_of(network, withheld["images"], withheld["labels"])},
            findings=(Finding("head", 1.0), Finding("frozen", 0.0, "conv1.weight has changed")),
        )

``result`` is what the driver returned, ``inputs`` and ``withheld`` are the data set's. Anything in
``result`` may be forged, missing or of another type: a judge raises ``Failure`` (or lets a
TypeError, ValueError, KeyError, IndexError or AttributeError pass) for what it cannot read, and
never runs anything that it finds there. Points are the rubric's business; a judge gives fractions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from grader.errors import Reason


@dataclass(frozen=True)
class Finding:
    """Something that holds of what the student's code did, or does not.

    Attributes:
        name: as in the rubric's ``properties``.
        earned: what part of it holds, from 0 to 1.
        message: what is wrong, for the student.
        reason: the machine-readable reason, if something is wrong.
        undecided: a person must say whether it holds; ``earned`` is 0 and ``message`` says why.
    """

    name: str
    earned: float
    message: str = ""
    reason: Reason = "mismatch"
    undecided: bool = False


@dataclass(frozen=True)
class Rebuilt:
    """What the rubric's ``rebuild`` found out about where a model's predictions come from.

    Attributes:
        verdict: ``wanted`` (the network that was asked for gives them), ``other`` (they are
            another's, or cannot be the wanted one's), ``sibling`` (they are those of a network that
            another question asks for), ``foreign`` (they cannot be those of the model that was
            returned) or ``unknown`` (no network that was tried gives them, or one does of which
            ``message`` says what cannot be seen).
        network: the network that gives them, in words; empty if none does.
        message: what is wrong, for the student, with an input on which it shows.
    """

    verdict: Literal["wanted", "other", "sibling", "foreign", "unknown"]
    network: str = ""
    message: str = ""


@dataclass(frozen=True)
class Curves:
    """Learning curves: ``series`` by name, one value per step."""

    title: str
    series: Mapping[str, Sequence[float]]
    xlabel: str = "step"
    ylabel: str = "loss"
    log: bool = False


@dataclass(frozen=True)
class Pictures:
    """Pictures with captions: each (height, width, 3) of uint8, RGB."""

    title: str
    items: Sequence[tuple[str, npt.NDArray[np.uint8]]]


@dataclass(frozen=True)
class Table:
    """Rows of text, such as sampled captions next to the true ones."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Text:
    """A text for a person to read, such as a written explanation."""

    title: str
    text: str


@dataclass(frozen=True)
class Formula:
    """One formula: its place, its MathML (made by the grader from what was read), and its verdict.

    ``source`` is the formula as it was written; ``mathml`` is empty if it could not be read.
    """

    place: str
    mathml: str
    source: str
    verdict: str


@dataclass(frozen=True)
class Formulas:
    """Formulas of a derivation with their verdicts."""

    title: str
    rows: Sequence[Formula]


@dataclass(frozen=True)
class HandedInFiles:
    """Files that only a person can read, by name; they are put beside the report as they are."""

    title: str
    items: Sequence[tuple[str, bytes]]


Figure = Curves | Pictures | Table | Text | Formulas | HandedInFiles


@dataclass(frozen=True)
class Evidence:
    """What a judge found.

    Attributes:
        values: what was measured, by name (JSON values); all of it is in the report. The rubric
            says which of them become points.
        findings: what holds of the result, by the names in the rubric's ``properties``.
        measurements: the older name for values that become no points.
        figures: what a person should see.
        notes: what the student should know although it costs no points.
        misplaced: why nothing here earns points, however good it is: it is the answer to another
            question. Empty if it may earn points.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    measurements: Mapping[str, Any] = field(default_factory=dict)
    figures: Sequence[Figure] = ()
    notes: Sequence[str] = ()
    misplaced: str = ""
