"""What is prepared once: no later process draws or computes it again."""

from __future__ import annotations

import subprocess
import sys

import pytest

from grader.assignment import kept_data
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS, reference_mutants
from grader.errors import BrokenError, UsageError
from grader.frontends.gradescope import preparing
from grader.job import Settings
from grader.run.prepared import prepare
from tests.conftest import HIDDEN, ROOT


@pytest.fixture
def state(tmp_path, monkeypatch):
    """A folder for state of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(kept_data, "LEAST_S", 0.0)
    return tmp_path / "state" / "dl-grader"


@pytest.fixture
def few(rubric, monkeypatch):
    """Prepare some checks of the shipped rubric only."""
    wanted = ("q3.1", "q3.2", "q5.7", "q6.1")
    for kind in {check.kind for question in rubric.questions for check in question.checks}:
        one = KINDS[kind]
        known = type(one).prepare
        monkeypatch.setattr(
            type(one),
            "prepare",
            lambda self, spec, context, known=known: (
                known(self, spec, context) if spec.id in wanted else None
            ),
        )


def test_the_next_process_draws_and_computes_nothing(few, rubric, state, monkeypatch):
    prepare(rubric, Settings())
    assert len(list((state / "changes").iterdir())) == 2
    # Captions, sentences, and what the questions change in them.
    assert len(list((state / "data-sets").iterdir())) == 4

    def again(*_args):
        raise AssertionError("computed again")

    monkeypatch.setattr(reference_mutants, "changed_references", again)
    monkeypatch.setattr(kept_data, "_encoded", again)  # of what was drawn
    prepare(rubric, Settings())


def test_an_image_says_that_it_is_ready(few, state):
    said = preparing.main(ROOT / "rubric.yaml", {"GRADER_SEED": "public"})
    assert said.startswith("ready: ")
    assert said.endswith("100 points")
    assert (state / "data-sets").is_dir()


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"GRADER_TIER": "large"}, "GRADER_TIER=large: must be one of mini, full"),
        ({"GRADER_TIER": "full", "GRADER_DATA": "/nowhere"}, "(full tier)"),
        ({"GRADER_SEED": "x"}, "GRADER_SEED=x: must be a number or public"),
    ],
)
def test_what_cannot_be_prepared_keeps_no_image_from_working(environment, why, few, state):
    said = preparing.main(ROOT / "rubric.yaml", {"GRADER_SEED": "public", **environment})
    first, second = said.splitlines()
    assert first.startswith("ready: ")
    assert second.startswith("not prepared, so that each run takes longer: ")
    assert why in second


def test_a_rubric_that_cannot_be_read_stops_the_image(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        preparing.main(tmp_path / "rubric.yaml", {})


def test_a_kind_that_asks_for_a_submission_is_refused(small_assignment, monkeypatch):
    rubric = load_rubric(small_assignment(HIDDEN), KINDS)

    def asks(_self, _spec, context):
        with context.open_module(0):
            pass

    monkeypatch.setattr(type(KINDS["forward"]), "prepare", asks)
    with pytest.raises(BrokenError, match="there is no submission yet"):
        prepare(rubric, Settings())


def test_one_check_that_fails_keeps_no_other_from_being_prepared(rubric, monkeypatch):
    prepared = []

    def prepare_one(_self, spec, _context):
        prepared.append(spec.id)
        if spec.id in ("q3.1", "q3.3"):
            raise BrokenError("there is no file x.npz")

    for kind in {check.kind for question in rubric.questions for check in question.checks}:
        monkeypatch.setattr(type(KINDS[kind]), "prepare", prepare_one)
    with pytest.raises(BrokenError, match=r"^q3\.1, q3\.3: there is no file x\.npz$"):
        prepare(rubric, Settings())
    assert len(prepared) == len([1 for one in rubric.questions for _check in one.checks])


def test_without_a_rubric_it_says_how_it_is_called():
    module = "grader.frontends.gradescope.preparing"
    done = subprocess.run(
        [sys.executable, "-m", module], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == f"usage: python -m {module} RUBRIC\n"
