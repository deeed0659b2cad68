"""Right derivations in many notations, and wrong ones with one mistake each, by their claims."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.latexgrad.tasks import VARIANTS, claims, run

RIGHT = sorted((VARIANTS / "right").iterdir())
WRONG = sorted((VARIANTS / "wrong").iterdir())
EARNS = 0.5  # of a quantity that is right for an earlier mistake


@pytest.fixture(scope="module", autouse=True)
def _warm():
    # torch and the parser's tables are loaded once per grading process.
    for check in ("q3.5", "q3.6", "q4.5", "q4.6"):
        run(check, (VARIANTS / "right" / "whole_file_short_headings.tex").read_text())


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.name)
def test_every_right_variant_earns_everything_at_once(path):
    text = path.read_text(encoding="utf-8")
    for check in claims(path)["earns"].split():
        found = run(check, text, f"derivations{path.suffix}")
        assert found.pending is None, found.pending.message
        assert found.lost == {}
        assert found.earned == pytest.approx(1)


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.name)
def test_every_wrong_variant_loses_what_it_should_and_says_why(path):
    claimed = claims(path)
    found = run(claimed["check"], path.read_text(encoding="utf-8"), "derivations.tex")
    assert found.pending is None, found.pending.message
    assert set(found.lost) == set(claimed["wrong"].split(", "))
    assert claimed["says"]
    assert any(claimed["says"] in message for message in found.lost.values()), found.lost


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.name)
def test_a_wrong_variant_is_wrong_at_other_random_points_too(path):
    claimed = claims(path)
    found = run(claimed["check"], path.read_text(encoding="utf-8"), seed=777)
    assert set(found.lost) == set(claimed["wrong"].split(", "))


def test_there_are_enough_variants_of_every_part():
    assert len(RIGHT) >= 30
    assert len(WRONG) >= 40
    parts = Counter(check for path in RIGHT for check in claims(path)["earns"].split())
    parts.update(claims(path)["check"] for path in WRONG)
    assert set(parts) == {"q3.5", "q3.6", "q4.5", "q4.6"}
    assert min(parts.values()) >= 9
    texts = {path.read_text(encoding="utf-8").split("\n", 3)[3] for path in WRONG}
    assert len(texts) == len(WRONG)
