"""NaN and infinity prove nothing: no judge takes a comparison with them for an agreement."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from grader.assignment.reference import Assignment
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS, forward, gradient, values
from grader.errors import Failure
from reference import training_habits
from reference.datasets import insects, prediction_figure
from reference.judges import prediction_figure as figure_judge
from reference.judges import style_transfer as style_judge
from reference.judges import text_classification as text_judge
from reference.judges import transfer_learning as transfer_judge

pytestmark = pytest.mark.usefixtures("one_thread")
ROOT = Path(__file__).resolve().parents[2]
NOT_FINITE = (np.nan, np.inf, -np.inf)
ORDERED = ("bag_of_words", "average", "average_embeddings", "recurrent")


@pytest.mark.parametrize("value", NOT_FINITE)
@pytest.mark.parametrize("batch", ["predictions", "order", "again"])
@pytest.mark.parametrize("name", ORDERED)
def test_predictions_that_are_not_finite_say_nothing_about_order(name, batch, value):
    parameters = {"count": 3, "shapes": [[30, 20]]}
    straight = np.linspace(0, 1, 8)
    order = straight if name != "recurrent" else straight[::-1]
    result = {"predictions": straight, "order": order, "again": order, "parameters": parameters}
    inputs = {"train_sentences": ["a b c"]}
    (right,) = getattr(text_judge, name)(result, inputs, {}).findings
    assert right.earned == 1
    spoiled = result[batch].copy()
    spoiled[3] = value
    (finding,) = getattr(text_judge, name)({**result, batch: spoiled}, inputs, {}).findings
    assert finding.earned == 0
    assert "1 of 8 predictions" in finding.message


@pytest.mark.parametrize("value", NOT_FINITE)
def test_an_image_with_a_value_that_is_not_finite_is_none_of_the_images(value):
    loaded = prediction_figure.load("mini", None, 3)
    image = loaded["inputs"]["val_images"][0].astype(np.float64) / 255
    assert figure_judge._which(image, loaded["inputs"]) == (0, "")
    image[0, 0, 0] = value
    assert figure_judge._which(image, loaded["inputs"]) == (None, "it holds NaN or infinity")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"titles": ["x" * 201]}, "a title has 201 characters"),
        ({"images": [np.zeros(4_000_001, dtype=np.int8)]}, "an image has 4000001 values"),
        ({"images": [0] * 65, "titles": [""] * 65}, "a figure shows 65 images"),
    ],
)
def test_what_the_driver_would_have_cut_is_refused(change, said):
    shown = {"titles": ["a"], "images": [np.zeros(3)], "training": True, **change}
    with pytest.raises(Failure, match=said):
        figure_judge._check_sizes(shown)


def test_a_list_of_millions_of_losses_is_refused_before_it_is_converted():
    with pytest.raises(Failure, match="20001 entries"):
        style_judge._losses("a", np.zeros(20_001, dtype=np.int8))
    assert style_judge._losses("a", [1, 2.5]).tolist() == [1, 2.5]


def test_a_head_whose_loss_overflows_is_not_trained():
    loaded = insects.load("mini", None, 0)
    inputs = loaded["inputs"]
    network = transfer_judge._network(inputs)
    start = transfer_judge._pretrained(inputs)
    width = int(network.fc.in_features)
    rng = np.random.default_rng(0)
    weight = (rng.choice([-3e38, 3e38], (2, width))).astype(np.float32)
    state = {**start, "fc.weight": weight, "fc.bias": np.zeros(2, dtype=np.float32)}
    # Called again with the labels exchanged, it learns those.
    exchanged = 1 - np.asarray(inputs["val_labels"])
    result = {"parameters": state, "exchanged": exchanged, "seen": {}}
    evidence = transfer_judge.freeze(result, inputs, loaded["withheld"])
    found = {finding.name: finding.earned for finding in evidence.findings}
    assert found["trained_head"] == 0
    labels = loaded["withheld"]["labels"]
    assert evidence.values["accuracy"] <= np.bincount(labels).max() / len(labels)


class Undecided:
    """Losses without a gradient at the image, or with one that is not finite."""

    def __init__(self, factor: float) -> None:
        self._factor = factor

    def terms(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        middle = image.mean()
        return middle, middle**2, middle * self._factor


@pytest.mark.parametrize("factor", [0.0, float("inf"), float("nan")])
def test_weights_that_cannot_be_told_earn_nothing(factor):
    image = torch.linspace(0, 1, 75).reshape(1, 3, 5, 5)
    assert style_judge.balance_at(Undecided(factor), image) is None
    terms = (1.0, 1.0, 1.0)
    look = style_judge.Look(image, terms, (9.0,) * 3, (9.0,) * 3, terms, None, (27.0, 3.0))
    assert look.is_minimised
    finding = style_judge._balance({"a": look})
    assert finding.earned == 0
    assert "no gradient" in finding.message


@pytest.mark.parametrize("value", NOT_FINITE)
def test_weights_that_are_not_finite_are_never_the_same(value):
    weights = {"fc.weight": np.ones((2, 2))}
    spoiled = {"fc.weight": np.array([[1, 1], [1, value]])}
    assert training_habits.same(weights, weights)
    assert not training_habits.same(spoiled, weights)


def test_nothing_that_the_homework_expects_is_nan(monkeypatch):
    """An expected NaN would agree with a NaN of the student's."""
    seen = []
    for module in (forward, gradient, values):
        monkeypatch.setattr(module, "bytes_for", lambda cases: seen.extend(cases) or 0)
    rubric = load_rubric(ROOT / "rubric.yaml", KINDS, run_reference=False)
    assignment = Assignment(rubric.reference)
    for question in rubric.questions:
        for check in question.checks:
            if check.kind in ("forward", "gradient", "values"):
                context = SimpleNamespace(
                    assignment=assignment, question=question.of(check), seed=5
                )
                KINDS[check.kind].reply_bytes(check, context)
    assert len(seen) > 100
    for case in seen:
        for name, expected in case.expected.items():
            assert expected.dtype.kind not in "fc" or np.isfinite(expected).all(), (case, name)
