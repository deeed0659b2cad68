"""What is known of wrong layers: no mistake gives right values, and no two give the same."""

import itertools

import numpy as np
import pytest

from reference import rnn_layers as right
from reference.cases import layer_mistakes
from reference.cases import rnn_layers as cases

FORWARD = ("rnn_step_forward", "lstm_step_forward", "lstm_forward", "temporal_softmax_loss")
SEQUENCE = ["dx", "dh0", "dWx", "dWh", "db"]
STEP = ["dx", "dprev_h", "dWx", "dWh", "db"]
GRADIENTS = {
    "rnn_step_backward": ("rnn_step_forward", ["next_h"], STEP),
    "lstm_step_backward": (
        "lstm_step_forward", ["next_h", "next_c"], [*STEP[:2], "dprev_c", *STEP[2:]],
    ),
    "rnn_backward": ("rnn_forward", ["h"], SEQUENCE),
    "lstm_backward": ("lstm_forward", ["h"], SEQUENCE),
}  # fmt: skip


def values(result) -> list[np.ndarray]:
    """Return the arrays of a result, whether it is one, several, or a dictionary."""
    if isinstance(result, dict):
        result = list(result.values())
    return [np.asarray(one) for one in (result if isinstance(result, tuple | list) else [result])]


def differs(one, other) -> bool:
    pairs = itertools.zip_longest(values(one), values(other))
    return any(
        a is None or b is None or a.shape != b.shape or not np.allclose(a, b, rtol=1e-6)
        for a, b in pairs
    )


@pytest.mark.parametrize("function", FORWARD)
def test_forward_mistakes_differ_from_what_is_right_and_from_each_other(function):
    made = [case.arguments for case in getattr(cases, function)(np.random.default_rng(0))][:2]
    known = cases.MISTAKES[function]
    results = {text: [wrong(**arguments) for arguments in made] for text, wrong in known.items()}
    number = {"lstm_step_forward": 2, "temporal_softmax_loss": 2}.get(function, 1)
    truth = [getattr(right, function)(**arguments)[:number] for arguments in made]
    for text, given in results.items():
        if text == "the largest score is not subtracted before exp" or "1e-8" in text:
            continue  # shows where scores are large, or no probability is
        assert any(differs(a, b) for a, b in zip(given, truth, strict=True)), text
    for (text, given), (other, theirs) in itertools.combinations(results.items(), 2):
        if "largest score" in text + other or "1e-8" in text + other:
            continue
        assert any(differs(a, b) for a, b in zip(given, theirs, strict=True)), (text, other)


@pytest.mark.parametrize("function", GRADIENTS)
def test_mistakes_of_gradients_differ_from_what_is_right_and_from_each_other(function):
    forward, outputs, names = GRADIENTS[function]
    rng = np.random.default_rng(1)
    made, truth = [], []
    for case in list(getattr(cases, forward)(rng))[:2]:
        *shown, cache = getattr(right, forward)(**case.arguments)
        given = {n: rng.normal(size=v.shape) for n, v in zip(outputs, shown, strict=True)}
        made.append((case.arguments, given))
        gradients = getattr(right, function)(*given.values(), cache)
        truth.append(dict(zip(names, gradients, strict=True)))
    results = {t: [wrong(*one) for one in made] for t, wrong in cases.MISTAKES[function].items()}
    for text, given in results.items():
        pairs = zip(given, truth, strict=True)
        assert any(differs(a, {n: b[n] for n in a}) for a, b in pairs), text
    for (text, given), (other, theirs) in itertools.combinations(results.items(), 2):
        same = set(given[0]) & set(theirs[0])
        pairs = zip(given, theirs, strict=True)
        assert any(differs({n: a[n] for n in same}, {n: b[n] for n in same}) for a, b in pairs), (
            text, other,
        )  # fmt: skip


def test_all_orders_of_the_gates_are_known_by_the_columns_that_were_read():
    # A program that takes the first block for i and the second for f reads them as i, f, g, o.
    (case, *_rest) = cases.lstm_step_forward(np.random.default_rng(2))
    a = case.arguments
    assert len(layer_mistakes.gate_orders()) == 23
    i, f, o, g = np.split(a["x"] @ a["Wx"] + a["prev_h"] @ a["Wh"] + a["b"], 4, axis=1)
    f, i, g, o = right.sigmoid(f), right.sigmoid(i), np.tanh(g), right.sigmoid(o)
    c = f * a["prev_c"] + i * g
    text = "the gates are in the order i, f, o, g instead of f, i, g, o"
    assert not differs(layer_mistakes.gate_orders()[text](**a), (o * np.tanh(c), c))
