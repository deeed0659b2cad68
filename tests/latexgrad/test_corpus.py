"""A part of what ``make derivations`` reads: notations one and several at a time, and mistakes."""

from __future__ import annotations

import pytest

from benchmarks.derivation_mistakes import NAMES, wrong_versions
from benchmarks.derivation_notations import one_at_a_time, several_at_once
from benchmarks.derivation_writeups import written
from tests.latexgrad.tasks import run

NOTATIONS = [*one_at_a_time(), *several_at_once(40, seed=2)]
WRONG = list(wrong_versions())
SOME = WRONG[::9]


@pytest.mark.parametrize("notation", NOTATIONS, ids=lambda notation: notation.name)
def test_a_right_derivation_is_accepted_in_every_notation(notation):
    part = notation.parts[-1]
    found = run(part, written(part, notation), "derivations.md")
    assert found.pending is None, found.pending
    assert found.lost == {}


@pytest.mark.parametrize(
    "version", SOME, ids=lambda v: f"{v[0]} {v[1].name}, {v[2].name} in {v[3]}"
)
def test_one_mistake_costs_points_where_it_was_made(version):
    part, notation, mistake, quantity = version
    found = run(part, written(part, notation, mistake, quantity), "derivations.md")
    assert found.pending is None, found.pending
    name = NAMES.get(quantity, "")
    assert any(rf"\partial {name}" in lost for lost in found.lost), found.lost


def test_there_are_many_notations_and_mistakes():
    assert len({notation.name for notation in NOTATIONS}) >= 200
    texts = {written(part, notation) for notation in NOTATIONS for part in notation.parts}
    assert len(texts) >= 500
    assert len(WRONG) >= 500
