"""Training checks: thresholds, near misses, and programs that only look trained."""

import numpy as np
import pytest

from grader.author import Evidence, Finding
from grader.checks import Judgement
from grader.checks.training import TrainingKind, TrainingSpec
from tests.conftest import SUBMISSIONS, checks_of, handed_in

SPEC = {
    "id": "q6.1", "title": "t", "points": 4.0, "kind": "training", "function": "train",
    "driver": "a.b", "dataset": "sentences", "near_miss": 0.02, "extra_seeds": 2,
    "tiers": {"mini": {"zero_at": 0.6, "full_at": 0.8}, "full": {"zero_at": 0.7, "full_at": 0.9}},
}  # fmt: skip


class Fixed(TrainingKind):
    """A training kind whose runs return given accuracies, one after the other."""

    def __init__(self, *values: float, wrong: tuple[str, ...] = ()) -> None:
        self.values = list(values)
        self.wrong = wrong
        self.seeds: list[int] = []

    def evidence(self, spec, context, seed, notes):
        self.seeds.append(seed)
        finding = Finding("structure", float(not self.wrong), "; ".join(self.wrong))
        return Evidence({"accuracy": self.values.pop(0)}, [finding])


class Context:
    """The little of a context that ``run`` uses itself."""

    public_seed = 5

    def __init__(self, tier="mini"):
        self.tier = tier


def run(*values, tier="mini") -> tuple[Judgement, Fixed]:
    kind = Fixed(*values)
    return kind.run(TrainingSpec.model_validate(SPEC), Context(tier)), kind


@pytest.mark.parametrize(
    ("value", "earned"),
    [(0.0, 0), (0.6, 0), (0.65, 0.25), (0.7, 0.5), (0.8, 1), (0.99, 1)],
)
def test_points_rise_linearly_between_the_thresholds(value, earned):
    judgement, kind = run(value)
    assert judgement.parts[0].earned == pytest.approx(earned)
    assert len(kind.seeds) == 1
    assert (judgement.parts[0].reason == "below_threshold") == (earned < 1)


def test_a_near_miss_is_repeated_and_the_median_counts():
    judgement, kind = run(0.79, 0.81, 0.85)
    assert judgement.parts[0].earned == 1
    assert len(set(kind.seeds)) == 3
    judgement, _kind = run(0.79, 0.85, 0.70)
    assert judgement.parts[0].earned == pytest.approx(0.95)
    assert "the median of 3 runs" in judgement.parts[0].message
    assert judgement.measurements["by_seed"] == [0.79, 0.85, 0.70]


@pytest.mark.parametrize(
    "keys",
    [
        {"facts": "file.function"},
        {"judge": "file.function", "labels": "labels", "properties": {"structure": 0.5}},
    ],
    ids=["facts", "judge"],
)
@pytest.mark.parametrize(
    ("value", "wrong", "points"),
    [(0.9, (), 1.0), (0.9, ("it is no bag",), 0.5), (0.7, (), 0.75), (0.5, (), 0.0)],
)
def test_the_structure_has_a_share_that_an_untrained_model_does_not_earn(
    value, wrong, points, keys
):
    spec = TrainingSpec.model_validate({**SPEC, **keys})
    parts = Fixed(value, wrong=wrong).run(spec, Context()).parts
    assert sum(part.share * part.earned for part in parts) == pytest.approx(points)
    if wrong:
        assert parts[1].message == "it is no bag"


def test_the_tier_chooses_the_thresholds():
    assert run(0.8, tier="full")[0].parts[0].earned == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["bow_untrained", "bow_majority_class", "bow_shuffled_labels"])
def test_what_is_not_trained_earns_nothing(name, grade, tmp_path):
    ran, reports = grade(handed_in(f"wrong/{name}", tmp_path), only=("q6.1",))
    (check,) = checks_of(reports[name]).values()
    assert ran.status == 0
    assert (check["points"], check["reason"]) == (0, "below_threshold")


@pytest.mark.parametrize(
    ("returned", "reason", "words"),
    [
        ("None", "exception", "must return a model and a function predict"),
        ("(None, lambda s: np.zeros(len(s) - 1))", "wrong_shape", "shape (999,), expected (1000,)"),
        ("(None, lambda s: np.full(len(s), np.nan))", "not_finite", "1000 of 1000 predictions"),
        ("(None, lambda s: ['a'] * len(s))", "wrong_dtype", "expected an array"),
        ("(None, lambda s: np.full(len(s), 7.0))", "mismatch", "is a sigmoid missing?"),
    ],
)
def test_unusable_predictions_say_why(returned, reason, words, judge, tmp_path):
    (tmp_path / "text_classification.py").write_text(
        f"import numpy as np\n\ndef train_bag_of_words(*a, **k):\n    return {returned}\n"
    )
    result = judge(tmp_path, "q6.1")["q6.1"]
    assert (result.outcome, result.reason) == ("failed", reason)
    assert words in result.message


def test_test_labels_never_reach_the_worker(judge, tmp_path):
    """Whatever the training function is given, it holds no labels of the test sentences."""
    (tmp_path / "text_classification.py").write_text(
        """
import numpy as np


def train_bag_of_words(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    import gc, sys
    frame = sys._getframe(1)
    given = frame.f_locals["training"]
    lengths = sorted(len(value) for value in given.values())
    arrays = [o for o in gc.get_objects() if type(o) is np.ndarray and o.shape == (1000,)]
    assert lengths == [600, 600, 3000, 3000], lengths
    assert not arrays
    return None, lambda sentences: np.zeros(len(sentences), dtype=int)
"""
    )
    result = judge(tmp_path, "q6.1")["q6.1"]
    assert result.reason == "below_threshold", result.message
    assert result.measurements["accuracy"] == pytest.approx(0.5, abs=0.01)


def test_the_same_seed_trains_to_the_same_predictions(grade):
    example = SUBMISSIONS / "full_marks" / "vectorised"
    values = set()
    for _ in range(2):
        _ran, reports = grade(example, only=("q6.1",))
        values.add(checks_of(reports["vectorised"])["q6.1"]["measurements"]["accuracy"])
    assert len(values) == 1
    assert np.isfinite(values.pop())
