"""The four losses of style transfer: reference, cases, named mistakes, drivers, examples."""

import importlib.util
import inspect
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from reference import style_transfer as right
from reference.cases import style_mistakes
from reference.cases import style_transfer as cases
from reference.drivers import style_layers, style_pieces
from submissions_template import style_transfer as template

ROOT = Path(__file__).resolve().parents[2]
LOSSES = ("content_loss", "gram_matrix", "style_loss", "tv_loss")
DRIVERS = {name: style_layers if name == "style_loss" else style_pieces for name in LOSSES}
DIFFERENTIATED = {
    "content_loss": "content_current",
    "gram_matrix": "features",
    "tv_loss": "img",
}


def drive(module, name, arguments):
    return getattr(DRIVERS[name], name)(module, **arguments)


def all_cases(name):
    return list(getattr(cases, name)(np.random.default_rng(7)))


def same(a, b):
    return all(a[key].shape == b[key].shape and np.allclose(a[key], b[key]) for key in b)


@pytest.mark.parametrize("name", LOSSES)
def test_groups_of_cases(name):
    groups = {case.group for case in all_cases(name)}
    assert {"values", "batches", "edge_cases"} <= groups
    assert ("unnormalized" in groups) == (name == "gram_matrix")


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("style", ["plain", "loop", "vectorised"])
def test_full_marks_agree_with_the_reference(name, style, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "submissions_template")  # for style_utils
    path = ROOT / "reference" / "submissions" / "full_marks" / style / "style_transfer.py"
    spec = importlib.util.spec_from_file_location(f"{style}_style_transfer", path)
    student = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(student)
    for case in all_cases(name):
        found = drive(student, name, case.arguments)
        assert same(found, drive(right, name, case.arguments)), case.name


@pytest.mark.parametrize("name", DIFFERENTIATED)
def test_gradients_are_those_of_finite_differences(name):
    arguments = all_cases(name)[0].arguments
    key = DIFFERENTIATED[name]
    cotangent = arguments.get("cotangent", 1.0)

    def value(array):
        return float((drive(right, name, {**arguments, key: array})["value"] * cotangent).sum())

    gradient = drive(right, name, arguments)["gradient"]
    given = arguments[key]
    for index in [(0, 0, 0, 0), (0, 1, 2, 1), (0, 2, 1, 3)]:
        step = np.zeros_like(given)
        step[index] = 1e-5
        difference = (value(given + step) - value(given - step)) / 2e-5
        assert gradient[index] == pytest.approx(difference, rel=1e-6, abs=1e-9)


def test_values_by_hand():
    x = torch.arange(4.0).reshape(1, 1, 2, 2)
    assert right.tv_loss(x, 2.0).item() == 2 * (2 * 4 + 2 * 1)
    assert right.content_loss(0.5, x, x + 2).item() == 0.5 * 16
    assert right.gram_matrix(x).item() == 14 / 4
    assert right.gram_matrix(x, normalize=False).item() == 14
    target = torch.full((1, 1, 1), 1.5)
    assert right.style_loss([x + 9, x], [1], [target], [10.0]).item() == 10 * 2.0**2


@pytest.mark.parametrize("name", LOSSES)
def test_every_named_mistake_is_one_and_can_be_run_on_every_case(name):
    mistakes = cases.MISTAKES[name]
    assert len(mistakes) > 6
    seen = set()
    for case in all_cases(name):
        expected = drive(right, name, case.arguments)
        for text, wrong in mistakes.items():
            found = wrong(**case.arguments)
            assert set(found) <= set(expected)
            if not same(found, {key: expected[key] for key in found}):
                seen.add(text)
    assert seen == set(mistakes)


@pytest.mark.parametrize("name", LOSSES)
def test_named_mistakes_differ_from_each_other(name):
    """Two that gave the same result in every case could not both be named."""
    results = {}
    for text, wrong in cases.MISTAKES[name].items():
        found = [wrong(**case.arguments) for case in all_cases(name)]
        results[text] = np.concatenate([f["gradient"].ravel() for f in found])
    texts = list(results)
    for i, first in enumerate(texts):
        for second in texts[i + 1 :]:
            assert not np.allclose(results[first], results[second]), (first, second)


@pytest.mark.parametrize("cut", [torch.Tensor.detach, torch.Tensor.item])
def test_loss_without_gradient_has_its_value_and_zeros(cut):
    student = SimpleNamespace(tv_loss=lambda img, weight: cut(right.tv_loss(img, weight)))
    arguments = all_cases("tv_loss")[0].arguments
    found = drive(student, "tv_loss", arguments)
    assert found["value"] == pytest.approx(drive(right, "tv_loss", arguments)["value"])
    assert found["gradient"].shape == arguments["img"].shape
    assert not found["gradient"].any()
    named = cases.MISTAKES["tv_loss"][style_mistakes.NO_GRADIENT](**arguments)
    assert np.array_equal(named["gradient"], found["gradient"])


def test_gram_of_a_wrong_shape_reaches_the_comparison():
    student = SimpleNamespace(gram_matrix=lambda x, *_rest: right.gram_matrix(x)[0])
    found = drive(student, "gram_matrix", all_cases("gram_matrix")[0].arguments)
    assert found["value"].shape == (4, 4)
    assert not found["gradient"].any()


def test_what_is_no_number_is_handed_on():
    student = SimpleNamespace(tv_loss=lambda *_arguments: None)
    assert drive(student, "tv_loss", all_cases("tv_loss")[0].arguments)["value"] is None


def test_wrong_gram_matrix_costs_nothing_in_style_loss():
    module = SimpleNamespace()

    def gram_matrix(*_arguments):
        raise AssertionError("the student's own")

    def style_loss(feats, layers, targets, weights):
        parts = zip(layers, targets, weights, strict=True)
        return sum(w * ((module.gram_matrix(feats[i]) - a) ** 2).sum() for i, a, w in parts)

    module.gram_matrix, module.style_loss = gram_matrix, style_loss
    for case in all_cases("style_loss"):
        found = drive(module, "style_loss", case.arguments)
        assert same(found, drive(right, "style_loss", case.arguments))
    assert module.gram_matrix is gram_matrix  # the driver puts back what it replaces


@pytest.mark.parametrize("name", [*LOSSES, "style_transfer"])
def test_template_has_the_same_parameters_and_is_empty(name):
    def shape(function):
        parameters = inspect.signature(function).parameters.values()
        return [(p.name, p.default) for p in parameters]

    theirs = getattr(template, name)
    assert shape(theirs) == shape(getattr(right, name))
    with pytest.raises(NotImplementedError, match=name):
        theirs(*[None] * sum(default is inspect.Parameter.empty for _, default in shape(theirs)))


def test_no_driver_holds_what_it_checks():
    """A worker that checks a loss must not have a right one for the taking."""
    folder = ROOT / "reference" / "drivers"
    pieces = (folder / "style_pieces.py").read_text()
    layers = (folder / "style_layers.py").read_text()
    assert "** 2" not in pieces
    assert "einsum" not in pieces
    assert "** 2" not in layers
