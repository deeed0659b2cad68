"""A program that computes nothing of the homework earns what an empty template earns."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.fuzz.guard import LONG, count, fuzzing

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NaN and infinities
SHORT = 3  # programs in every test run
SEEDS = st.integers(0, 2**32) if LONG else st.integers(0, SHORT - 1)


@pytest.fixture(scope="module")
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        yield importlib.import_module


@pytest.fixture(scope="module")
def judge(script):
    """Grades programs in this process, on one warm fork server."""
    meritless, one_change = script("meritless"), script("one_change")
    rubric = meritless.load_rubric(ROOT / "rubric.yaml", meritless.KINDS)
    with (
        tempfile.TemporaryDirectory() as name,
        meritless.ForkServers(policy=meritless.Settings().policy(rubric)) as fork_servers,
    ):
        grading = one_change.Grading(rubric, fork_servers, Path(name) / "work")
        yield meritless.Judge(rubric, grading)


def loaded(program, name="rnn_layers.py"):
    namespace = {"__name__": "layers"}
    with np.errstate(all="ignore"):
        exec(program[name], namespace)
    return namespace


def test_a_seed_makes_the_same_program_each_time(script):
    program = script("meritless_programs").program
    assert program(7) == program(7)
    assert len({program(seed)["rnn_layers.py"] for seed in range(50)}) == 50


@pytest.mark.parametrize("number", ["sum", "mean", "squares", "first", "last", "product", "pairs"])
@pytest.mark.parametrize("curve", ["line", "cube", "sine", "bell", "logistic"])
def test_the_gradient_of_a_layer_is_its_own(script, number, curve):
    module = script("meritless_programs")
    function = {
        "c": 0.1, "k": 1.0, "number": number, "curve": curve, "pattern": "ramp",
        "backward": "exact",
    }  # fmt: skip
    layer = {"switch": "never", "layers": [function, function]}
    layers = loaded({"rnn_layers.py": module.LAYERS.format(seed=0, layers={"temporal_fc": layer})})
    rng = np.random.default_rng(0)
    inputs = [0.3 * rng.normal(size=shape) for shape in ((2, 3, 2), (2, 4), (4,))]
    out, cache = layers["temporal_fc_forward"](*inputs)
    dout = rng.normal(size=out.shape)
    gradients = layers["temporal_fc_backward"](dout, cache)
    step = 1e-6
    for at, gradient in enumerate(gradients):
        moved = [a.copy() for a in inputs]
        direction = rng.normal(size=moved[at].shape)
        moved[at] += step * direction
        up = layers["temporal_fc_forward"](*moved)[0]
        moved[at] -= 2 * step * direction
        down = layers["temporal_fc_forward"](*moved)[0]
        slope = float(np.sum(dout * (up - down))) / (2 * step)
        np.testing.assert_allclose(np.sum(gradient * direction), slope, rtol=1e-4, atol=1e-7)


@fuzzing(short=SHORT, long=100)
@given(seed=SEEDS)
def test_a_program_without_merit_gains_nothing(judge, seed):
    outcome = judge.outcome(seed)
    count("programs without merit", "gained" if outcome.gained else "gained nothing")
    assert not outcome.broken
    assert not outcome.gained
