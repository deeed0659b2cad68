"""Claims of example submissions: all problems of ``expected.yaml`` files, each with its place."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from grader.errors import RubricError, UsageError
from grader.model import Rubric
from grader.rubric import load_rubric
from grader.verify import Claims, Loss, load_examples, matching

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def shipped() -> Rubric:
    return load_rubric(ROOT / "rubric.yaml")


@pytest.fixture
def with_claims(shipped, tmp_path):
    """Load examples whose claims are the given texts, each in a folder ``wrong/<name>``."""

    def load(**claims: str):
        (tmp_path / "submissions" / "full_marks" / "plain").mkdir(parents=True)
        for name, text in claims.items():
            folder = tmp_path / "submissions" / "wrong" / name
            folder.mkdir(parents=True)
            (folder / "expected.yaml").write_text(text)
            (folder / "rnn_layers.py").touch()
        return load_examples(dataclasses.replace(shipped, reference=tmp_path))

    return load


def test_patterns_choose_examples_and_one_that_matches_nothing_is_refused(shipped):
    examples = load_examples(shipped)
    chosen = matching(examples, ["wrong/rnn_*", "hostile/crashes"])
    assert {example.name.partition("/")[0] for example in chosen} == {"wrong", "hostile"}
    assert matching(examples, []) == examples
    with pytest.raises(UsageError, match="wrong/no_such"):
        matching(examples, ["wrong/no_such*"])


def test_every_shipped_claim_loads(shipped):
    examples = load_examples(shipped)
    folders = {
        path.parent for path in (ROOT / "reference" / "submissions").glob("*/*/expected.yaml")
    }
    assert {example.folder for example in examples} == folders
    assert all(example.base is None or example.base.is_dir() for example in examples)


def test_claims_are_read_with_their_kinds(with_claims):
    (example,) = with_claims(
        a="mistake: x\nbase: full_marks/plain\nloses:\n"
        "  q3.1: {points: 0.5, reason: mismatch, message: dW, outcome: partial}\n"
        "  q3.2: {points: [0.5, 1]}\n"
    )
    assert example.name == "wrong/a"
    assert example.base is not None
    assert example.base.name == "plain"
    losses = example.claims.loses
    assert isinstance(losses, dict)
    assert losses["q3.1"] == Loss(points=0.5, reason="mismatch", message="dW", outcome="partial")
    assert losses["q3.2"].between == (0.5, 1.0)


def test_a_claim_may_be_that_everything_is_lost_or_nothing(with_claims):
    everything, nothing = with_claims(a="loses: all\n", b="note: x\n")
    assert everything.claims.loses == "all"
    assert nothing.claims == Claims(note="x")


def test_all_wrong_claims_are_reported_in_one_run_with_their_places(with_claims, tmp_path):
    with pytest.raises(RubricError) as caught:
        with_claims(
            a="loses:\n  q3.1: {points: 1}\n  q99.1: {points: 1}\n",
            b="loses:\n  q3.1: {points: 1, reason: mistake}\n",
            c="note: x\nbase: full_marks/fancy\n",
            d="mistakes: x\n",
            e="loses:\n  q3.1: {points: -1}\n",
            f="note: no\n",
            g="note: [\n",
            h="",
        )
    places = [
        problem.removeprefix(f"{tmp_path}/submissions/wrong/").partition(" ")[0]
        for problem in caught.value.problems
    ]
    text = str(caught.value)
    for name, line in [("a", 3), ("b", 2), ("c", 2), ("d", 1), ("f", 1), ("g", 2), ("h", 1)]:
        assert f"{name}/expected.yaml:{line}:" in places
    assert any(place.startswith("e/expected.yaml:") for place in places)
    assert "the rubric has no check 'q99.1'" in text
    assert "there is no reason 'mistake'" in text
    assert "there is no example 'full_marks/fancy'" in text


def test_an_assignment_without_examples_is_a_usage_error(with_claims):
    with pytest.raises(UsageError, match="no example submission"):
        with_claims()


def test_an_example_that_checks_nothing_is_refused(shipped, tmp_path):
    folder = tmp_path / "submissions" / "wrong" / "a"
    folder.mkdir(parents=True)
    (folder / "expected.yaml").write_text("mistake: x\n")
    (folder / "another_homework.py").touch()
    with pytest.raises(RubricError, match="nothing would be checked"):
        load_examples(dataclasses.replace(shipped, reference=tmp_path))
