"""Whatever bytes are handed in as predicted labels, they are judged or the student's failure."""

from __future__ import annotations

import types
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from grader.assignment.reference import Dataset
from grader.checks.base import Context
from grader.checks.predictions import PredictionsKind, PredictionsSpec
from grader.errors import Failure
from tests.fuzz.guard import MIB, at_most, count, fuzzing, within
from tests.fuzz.hostile_frames import damaged

ITEMS = 12
SPEC = PredictionsSpec(
    id="q1.1", title="x", points=1.0, kind="predictions", file="predictions.txt", dataset="words",
    items="items", labels="labels", seed=0, zero_at=0.5, full_at=0.9,
)  # fmt: skip
DATA = Dataset({"items": ["word"] * ITEMS}, {"labels": np.arange(ITEMS) % 2})
BREAKS = [b"\n", b"\r\n", b"\r", b"\n\n", b"\x0b", b"\x0c", b"\x1c", "\x85".encode(), b" \n", b","]
LABELS = [b"0", b"1", b" 1 ", b"1.0", b"True", b"-0", b"", "\u0661".encode(), b"\xff", b"\0",
          b"=cmd()", b"\x1b[2J", "\u202e".encode(), b"x" * 5000]  # fmt: skip


@st.composite
def predictions(draw: st.DrawFn) -> bytes:
    labels = draw(st.lists(st.sampled_from(LABELS[:2]), min_size=ITEMS, max_size=ITEMS))
    whole = b"".join(label + draw(st.sampled_from(BREAKS)) for label in labels)
    kind = draw(st.sampled_from(["edges", "damaged", "bytes", "many", "odd"]))
    if kind == "damaged":
        return draw(damaged(whole))
    if kind == "bytes":
        return draw(st.binary(max_size=60) | st.text(max_size=30).map(lambda t: t.encode("utf-16")))
    if kind == "many":
        return draw(st.sampled_from([b"\n", b"0\n", b"\0", b" "])) * draw(st.integers(0, 100_000))
    if kind == "odd":
        return b"\n".join(draw(st.lists(st.sampled_from(LABELS), max_size=ITEMS + 2)))
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf", b"\n"])) + whole


def judged(data: bytes) -> str:
    """Judge a file of predictions; return what came of it."""
    assignment = types.SimpleNamespace(dataset=lambda *_arguments: DATA)
    question, opened = types.SimpleNamespace(), None
    context = Context(assignment, question, 0, "mini", Path(), opened, lambda _name: data)  # type: ignore[arg-type]
    message = reason = ""
    with within(5), at_most(256 * MIB):
        try:
            (part,) = PredictionsKind().run(SPEC, context).parts
        except Failure as failed:
            message, reason = failed.message, failed.reason
    if reason:
        message.encode("utf-8")
        assert message.isprintable()
        assert len(message) < 400
        return reason
    assert 0 <= part.earned <= 1
    return "judged"


@fuzzing(short=100, long=4_000)
@given(data=predictions())
def test_any_file_of_predictions_is_judged_or_the_students_failure(data):
    count("predictions", judged(data))
