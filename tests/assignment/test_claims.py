"""Claims of example submissions: all problems of ``expected.yaml`` files, each with its place."""

from __future__ import annotations

import dataclasses

import pytest

from grader.assignment.examples import Claims, Loss, load_examples, matching
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import RubricError, UsageError
from grader.model import Rubric
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def shipped() -> Rubric:
    return load_rubric(ROOT / "rubric.yaml", KINDS)


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


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("mistakes: x\n", 1, "unknown key 'mistakes' (did you mean 'mistake'?)"),
        (
            "loses:\n  q3.1: {pionts: 1, points: 1}\n", 2,
            "q3.1: unknown key 'pionts' (did you mean 'points'?)",
        ),
        ("loses:\n  q3.1: {reason: mismatch}\n", 2, "q3.1: key 'points' is missing"),
        ("loses:\n  q3.1:\n    points: half\n", 3, "q3.1: points: 'half': must be a number"),
        ("loses:\n  q3.1: 0.5\n", 2, "q3.1: must be a mapping with the keys points, reason"),
        ("note: x\nloses: everything\n", 2, "loses: 'everything': must be 'all', or a mapping"),
        ("loses:\n  q3.11: {points: 1}\n", 2, "the rubric has no check 'q3.11' (did you mean 'q"),
        ("only: [q33]\n", 1, "only: the rubric has no check 'q33' (did you mean 'q3."),
        (
            "loses:\n  q3.1: {points: 1, reason: mismach}\n", 2,
            "q3.1: reason: there is no reason 'mismach' (did you mean 'mismatch'?)",
        ),
        (
            "loses:\n  q3.1:\n    points: 1\n    outcome: fail\n", 4,
            "q3.1: outcome: there is no outcome 'fail' (did you mean 'failed'?)",
        ),
        ("- note\n", 1, "must be a mapping with the keys mistake, function, base"),
        ("note: 3\n", 1, "note: 3: "),
    ],
)  # fmt: skip
def test_a_typo_is_one_line_with_file_line_key_and_what_was_meant(
    text, line, words, with_claims, tmp_path
):
    with pytest.raises(RubricError) as caught:
        with_claims(a=text)
    (problem,) = caught.value.problems
    assert problem.startswith(f"{tmp_path}/submissions/wrong/a/expected.yaml:{line}: ")
    assert words in problem


def test_a_base_that_is_not_there_names_one_that_is(with_claims):
    with pytest.raises(RubricError) as caught:
        with_claims(a="note: x\n", b="base: wrong/aa\n")
    assert "base: there is no example 'wrong/aa' (did you mean 'wrong/a'?)" in str(caught.value)


def test_claims_that_cannot_be_read_are_told(with_claims, monkeypatch):
    def unreadable(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("grader.readers.yaml_source.read", unreadable)
    with pytest.raises(RubricError, match=r"expected.yaml: cannot be read: Permission denied"):
        with_claims(a="note: x\n")
