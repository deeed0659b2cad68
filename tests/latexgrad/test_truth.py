"""The truth against an oracle of its own: the equations in numpy, and differences of the loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from latexgrad.evaluate import evaluate
from latexgrad.functions import Functions
from latexgrad.limits import Budget
from latexgrad.network import TIME, Key, key_of
from latexgrad.prepare import prepared
from latexgrad.truth import _settled_network, dims_of, paths, point
from tests.latexgrad.tasks import shipped

STEP = 1e-6


def network_and_sizes(check: str):
    _question, spec = shipped(check)
    task = prepared(spec)
    return task.network, task.sizes


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def rnn_loss(values, last):
    h = values[Key("", "h"), 0]
    total = 0.0
    for t in range(1, last + 1):
        y = values[Key("", "W", ("x",)), None] @ values[Key("", "x"), t]
        y = y + values[Key("", "W", ("h",)), None] @ h + values[Key("", "b"), None]
        h = np.tanh(y)
        total += float((values[Key("D", "h"), t] * h).sum())
    return total


def lstm_loss(values, last):
    h, c = values[Key("", "h"), 0], values[Key("", "c"), 0]
    total = 0.0
    for t in range(1, last + 1):
        a = {}
        for gate in ("f", "i", r"\tilde c", "o"):
            wx = values[Key("", "W", tuple(sorted((gate, "x")))), None]
            wh = values[Key("", "W", tuple(sorted((gate, "h")))), None]
            a[gate] = wx @ values[Key("", "x"), t] + wh @ h + values[Key("", "b", (gate,)), None]
        c = sigmoid(a["f"]) * c + sigmoid(a["i"]) * np.tanh(a[r"\tilde c"])
        h = sigmoid(a["o"]) * np.tanh(c)
        total += float((values[Key("D", "h"), t] * h).sum())
        if (Key("D", "c"), t) in values:
            total += float((values[Key("D", "c"), t] * c).sum())
    return total


@pytest.mark.parametrize("check", ["q3.5", "q3.6", "q4.5", "q4.6"])
def test_gradients_are_those_of_differences_of_the_loss(check):
    network, sizes = network_and_sizes(check)
    loss = rnn_loss if check.startswith("q3") else lstm_loss
    checked = 0
    for size in sizes:
        where = point(network, size, 3)
        values = dict(where.values)
        for key in network.inputs:
            for time in (None, 0, 1, where.last):
                gradient = values.get((Key("L", key.name, key.labels), time))
                started = time == 0 or key not in {Key("", "h"), Key("", "c")}
                if gradient is None or not started:
                    continue
                for place in np.ndindex(gradient.shape):
                    sides = []
                    for sign in (1, -1):
                        moved = values[key, time].copy()
                        moved[place] += sign * STEP
                        sides.append(loss({**values, (key, time): moved}, where.last))
                    expected = (sides[0] - sides[1]) / (2 * STEP)
                    assert gradient[place] == pytest.approx(expected, rel=1e-5, abs=1e-7)
                    checked += 1
    assert checked > 40


class TorchScope:
    """Evaluates the same equations with torch's own functions."""

    functions = Functions(
        values={"tanh": torch.tanh, "sigmoid": torch.sigmoid},
        slopes={},
        number=float,
        ones=lambda rows, columns: torch.ones((rows, columns), dtype=torch.float64),
        eye=lambda size: torch.eye(size, dtype=torch.float64),
    )

    def __init__(self, values, last):
        self.budget = Budget()
        self.values = values
        self.last = last

    def leaf(self, node, time):
        return self.values[key_of(node), time]


@pytest.mark.parametrize("check", ["q3.5", "q3.6", "q4.5", "q4.6"])
def test_gradients_are_those_of_torch_autograd(check):
    network, sizes = network_and_sizes(check)
    for size in sizes:
        where = point(network, size, 7)
        computed = {key_of(symbol) for symbol, _node in network.forward}
        values = {
            (key, time): torch.tensor(value, requires_grad=True)
            for (key, time), value in where.values.items()
            if not key.of and (key not in computed or time == 0)
        }
        scope = TorchScope(values, where.last)
        for step in range(1, where.last + 1):
            for symbol, node in _settled_network(network)[0]:
                value = evaluate(node, {TIME: step}, scope)
                value.retain_grad()
                values[key_of(symbol), step] = value
        loss = sum(
            (values[key._replace(of=""), time] * torch.tensor(weights)).sum()
            for (key, time), weights in where.values.items()
            if key.of == "D"
        )
        loss.backward()
        for (key, time), value in values.items():
            assert np.allclose(value.detach(), where.values[key, time], rtol=1e-12, atol=1e-14)
            gradient = where.values[key._replace(of="L"), time]
            expected = np.zeros(gradient.shape) if value.grad is None else value.grad.numpy()
            assert np.allclose(gradient, expected, rtol=1e-11, atol=1e-13), (key, time)


@pytest.mark.parametrize("check", ["q3.6", "q4.6"])
def test_a_gradient_is_the_sum_of_what_comes_by_each_path(check):
    network, sizes = network_and_sizes(check)
    where = point(network, sizes[0], 3)
    found = paths(network, sizes[0], 3)
    for key in (Key("", "h"), Key("", "x")):
        for time in range(1, where.last + 1):
            total = where.values.get((key._replace(of="D"), time), 0)
            total = total + sum(g for (used, _by), g in found.items() if used == (key, time))
            assert np.allclose(total, where.values[key._replace(of="L"), time])


def test_sizes_and_shapes_tell_transposes_apart():
    for check in ("q3.5", "q3.6", "q4.5", "q4.6"):
        network, sizes = network_and_sizes(check)
        assert all(dims for dims in dims_of(network).values())
        for size in sizes:
            numbers = dict(size)
            assert len({numbers["D"], numbers["H"], 1}) == 3
            assert numbers["T"] in (1, *{3, 4} - {numbers["D"], numbers["H"]})


def test_other_seeds_are_other_points():
    network, sizes = network_and_sizes("q3.5")
    one, two, again = (point(network, sizes[0], seed) for seed in (1, 2, 1))
    assert one is again
    assert not np.allclose(one.values[Key("", "b"), None], two.values[Key("", "b"), None])
