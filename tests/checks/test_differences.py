"""Central differences of a student's own forward: what agrees with them, and what does not."""

from dataclasses import replace

import numpy as np
import pytest

from grader.assignment.reference import SolvedCase
from grader.checks.differences import MAX_ENTRIES, Differences, agrees, chosen_entries
from grader.errors import Failure
from grader.isolation.wire import TensorData

SEED = 7


class Module:
    """Runs a forward function here, as a student's module does in a worker; counts the calls."""

    def __init__(self, forward):
        self.forward = forward
        self.calls = 0

    def call(self, function, arguments, returns, opaque):
        del function, opaque
        self.calls += 1
        outputs = self.forward(**arguments)
        return dict(zip(returns, outputs, strict=True))

    def call_each(self, function, arguments, returns, opaque):
        return [self.call(function, one, returns, opaque) for one in arguments]


def forward(x, w):
    return np.tanh(x @ w), (w**2).sum(axis=0), "cache"


@pytest.fixture
def case():
    rng = np.random.default_rng(3)
    arguments = {"x": rng.normal(size=(5, 4)), "w": rng.normal(size=(4, 3))}
    y, s, _cache = forward(**arguments)
    cotangents = {"y": rng.normal(size=y.shape), "s": rng.normal(size=s.shape)}
    return SolvedCase("usual", "values", arguments, {}, cotangents, {"y": y, "s": s})


@pytest.fixture
def right(case):
    """The gradient with respect to w."""
    x, w = case.arguments["x"], case.arguments["w"]
    da = case.cotangents["y"] * (1 - np.tanh(x @ w) ** 2)
    return x.T @ da + 2 * w * case.cotangents["s"]


def differences(case, run=forward):
    return Differences(Module(run), case, "f", ("y", "s", "cache"), ("cache",), ("y", "s"))


def agreeing(run, argument, gradient, seed=SEED):
    shape = np.shape(run.case.arguments[argument])
    entries = chosen_entries(int(np.prod(shape)), seed)
    return agrees(gradient, shape, entries, run.slopes(argument, entries))


def test_the_right_gradient_agrees(case, right):
    assert agreeing(differences(case), "w", right, SEED)
    assert agreeing(differences(case), "w", right.astype(np.float32), SEED)
    assert agreeing(differences(case), "w", TensorData(right), SEED)


@pytest.mark.parametrize(
    "change",
    [
        lambda g: 1.001 * g,
        lambda g: 0.999 * g,
        lambda g: -g,
        lambda g: 0 * g,
        lambda g: g + 1e-3 * (np.arange(g.size) == 5).reshape(g.shape),
        lambda g: np.where(np.arange(g.size).reshape(g.shape) == 5, np.nan, g),
        lambda g: g + np.inf,
        lambda g: g.T,
        lambda g: g[None],
        lambda g: g.round().astype(int),
        lambda g: g.astype(np.float16),
        lambda g: g + 0j,
        lambda g: g.tolist(),
        lambda _g: None,
    ],
)
def test_a_near_miss_does_not_agree(change, case, right):
    assert not agreeing(differences(case), "w", change(right), SEED)


def test_every_entry_of_a_small_argument_is_looked_at(case, right):
    for entry in range(right.size):
        wrong = right.copy()
        wrong.flat[entry] += 1e-3
        assert not agreeing(differences(case), "w", wrong, SEED)


def test_of_a_large_argument_some_entries_are_drawn_by_the_seed():
    arguments = {"x": np.linspace(1, 2, 100)}
    case = SolvedCase("large", "values", arguments, {}, {"y": np.ones(100)}, {})
    run = Differences(Module(lambda x: (x**2,)), case, "f", ("y",), (), ("y",))
    assert agreeing(run, "x", 2 * arguments["x"], SEED)
    assert run.module.calls == 2 * MAX_ENTRIES
    one_wrong = 2 * arguments["x"] + (np.arange(100) == 0)
    seen = {agreeing(run, "x", one_wrong, seed) for seed in range(20)}
    assert seen == {True, False}


@pytest.mark.parametrize("output", [np.ones(2), "text", None, np.ones((5, 3), dtype=int)])
def test_outputs_that_cannot_be_weighed_agree_with_nothing(output, case, right):
    run = differences(case, lambda x, w: (output, x, w))
    assert not agreeing(run, "w", right, SEED)
    assert not agreeing(run, "w", 0 * right, SEED)
    assert np.isnan(run.slopes("w", [0])).all()


def test_a_forward_in_integers_is_differentiated_in_double_precision():
    arguments = {"x": np.arange(1, 5)}
    case = SolvedCase("integers", "values", arguments, {}, {"y": np.ones(4)}, {})
    run = Differences(Module(lambda x: (x**2,)), case, "f", ("y",), (), ("y",))
    assert agreeing(run, "x", 2.0 * arguments["x"], SEED)
    assert not agreeing(run, "x", 2.002 * arguments["x"], SEED)


def test_the_inputs_of_the_case_are_left_alone(case, right):
    before = {name: value.copy() for name, value in case.arguments.items()}
    agreeing(differences(replace(case)), "w", right, SEED)
    for name, value in before.items():
        np.testing.assert_array_equal(case.arguments[name], value)


def test_a_forward_that_fails_says_so(case, right):
    def fails(x, w):
        raise Failure("exception", "no")

    with pytest.raises(Failure, match="no"):
        agreeing(differences(case, fails), "w", right, SEED)
