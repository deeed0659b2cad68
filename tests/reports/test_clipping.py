"""A hostile result of any size becomes a report of a bounded one."""

from __future__ import annotations

import dataclasses
import json
import typing

import numpy as np
import pytest

from grader.author.evidence import (
    Curves,
    Figure,
    Formula,
    Formulas,
    HandedInFiles,
    Pictures,
    Table,
    Text,
)
from grader.errors import Cause
from grader.model import CheckResult, CheckSpec, Part
from grader.reports import building, clipping, figures

SPEC = CheckSpec(id="q1.1", title="a", points=1.0, kind="forward")
LONG = "x" * 1_000_000
MOST_BYTES = 10_000_000  # of a report in which each field is as long as it can be
FIGURES = {
    Curves: Curves(LONG, {f"{n}{LONG[:9]}": range(200_000) for n in range(50)}, LONG, LONG),
    Pictures: Pictures(LONG, [(LONG, np.zeros((3000, 2000, 3), dtype=np.uint8))] * 90),
    Table: Table(LONG, [LONG] * 30, [[LONG] * 30] * 3 + [["x"]] * 100_000),
    Text: Text(LONG, LONG),
    HandedInFiles: HandedInFiles(LONG, [(LONG, b"x")] * 900),
    Formulas: Formulas(LONG, [Formula(LONG, LONG, LONG, LONG)] * 900),
}
FIELDS = {
    "message": LONG,
    "cause": Cause(LONG, LONG),
    "notes": (LONG,) * 400,
    "parts": (Part(LONG, 0.001, 0.0, "mismatch", LONG, Cause(LONG, LONG)),) * 900,
    "measurements": {
        LONG: LONG,
        "list": [1.5] * 1_000_000,
        "array": np.zeros((4000, 400)),
        "digits": 1 << 1_000_000,
        "deep": [[[[[[[[[[[LONG]]]]]]]]]]],
        **{f"n{n}": {"a": [LONG] * 400} for n in range(40)},
    },
    "figures": tuple(FIGURES.values()),
}


def size(**fields: object) -> int:
    """Return how many bytes a check with these fields takes in ``report.json``."""
    result = clipping.result(CheckResult(SPEC, "failed", 0.0, "mismatch", **fields))
    return len(json.dumps(building.of_result(result).model_dump(mode="json")))


@pytest.mark.parametrize("field", FIELDS)
def test_each_field_of_a_result_is_clipped(field):
    # The table may have 400 rows of 20 cells.
    assert size(**{field: FIELDS[field]}) < MOST_BYTES


def test_every_field_of_a_result_that_a_check_fills_is_tried():
    ours = {"spec", "outcome", "points", "reason", "hint", "seed", "duration_s", "output"}
    ours |= {"unreached"}
    assert {field.name for field in dataclasses.fields(CheckResult)} - ours == set(FIELDS)
    assert set(FIGURES) == set(typing.get_args(Figure))


def test_a_title_of_many_characters_leaves_a_small_report():
    shown = "image 1 has the title " + repr(LONG)
    part = Part("titles", 1.0, 0.0, "mismatch", shown)
    picture = Pictures("shown", [(LONG, np.zeros((48, 48, 3), dtype=np.uint8))])
    assert size(message=shown, parts=(part,), figures=(picture,)) < 20_000


def test_pictures_are_made_small():
    found = clipping.figure(FIGURES[Pictures])
    assert len(found.items) == clipping.MAX_PICTURES
    assert max(found.items[0][1].shape) <= clipping.MAX_PIXELS
    result = CheckResult(SPEC, "failed", 0.0, "mismatch", figures=(found,))
    assert len(figures.pictures({"q1.1": result})) == clipping.MAX_PICTURES


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    "values", [[1e308, -1e308, 1.0], [5e-324, 1e308], [-1e101, 1e101] * 50, [1e100, -1e100], []]
)
def test_curves_of_the_largest_numbers_are_drawn(values, log):
    curve = Curves("c", {"$a_{": values}, log=log)
    found = CheckResult(SPEC, "failed", 0.0, "mismatch", figures=(clipping.figure(curve),))
    (described,) = figures.described(found)
    assert figures.curves_uri(described).startswith("data:image/svg+xml;base64,")


def test_what_is_small_enough_stays_as_it_is():
    made = (
        Curves("loss", {"a": [1.0, 2.0]}),
        Pictures("p", [("c", np.ones((4, 5, 3), dtype=np.uint8))]),
        Text("t", "one\ntwo"),
        Formulas("f", [Formula("line 1", "<math></math>", "", "right")]),
        Table("t", ["a"], [["b"], ["c"]]),
    )
    measured = {"a": 1, "b": [1.5, None], "c": {"d": True}}
    result = CheckResult(SPEC, "failed", 0.0, "mismatch", "no", measurements=measured)
    kept = clipping.result(dataclasses.replace(result, figures=made))
    assert kept.measurements == measured
    assert kept.message == "no"
    assert kept.figures[0] == made[0]
    assert kept.figures[2:4] == made[2:4]
    assert kept.figures[4].rows == [["b"], ["c"]]
    assert np.array_equal(kept.figures[1].items[0][1], made[1].items[0][1])
