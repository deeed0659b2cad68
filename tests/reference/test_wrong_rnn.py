"""Every wrong example submission is wrong, in the function it says, and nowhere else.

All of them are the full-mark submission "plain" with one mistake; most import what they share with
it from ``_honest``. A mistake shows in the results
of the function that holds it, and in those of the functions that call it or get their cache from
it; both are listed below.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest
import yaml

from reference import rnn_layers as ref
from tests.reference.rnn_calls import (
    BACKWARD,
    FUNCTIONS,
    HONEST,
    SUBMISSIONS,
    call_all,
    disagreement,
    load,
    make_inputs,
)

PLAIN_FILE = SUBMISSIONS / "full_marks" / "plain" / "rnn_layers.py"
PLAIN = load(PLAIN_FILE)
WRONG = SUBMISSIONS / "wrong"
# Handed in as they are by other tests, so these hold all functions; the others only their own.
WHOLE = ("fc_without_bias", "missing_package", "softmax_epsilon")


@dataclass(frozen=True)
class Mistake:
    """Functions changed (the first one holds the mistake), functions that suffer, and where."""

    changed: tuple[str, ...]
    suffer: tuple[str, ...] = ()
    shows_on: str = "general"  # otherwise: right on general inputs


LOSS = ("temporal_softmax_loss",)
RNN_REST = ("rnn_step_backward", "rnn_forward", "rnn_backward")
MISTAKES = {
    "softmax_without_max": Mistake(LOSS, shows_on="large scores"),
    "softmax_epsilon": Mistake(LOSS),
    "softmax_divides_by_mask_count": Mistake(LOSS),
    "softmax_ignores_mask_in_dx": Mistake(LOSS),
    "batch_axis_dropped": Mistake(("rnn_step_forward",), shows_on="one sequence"),
    "ragged_array": Mistake(("rnn_backward",)),
    "ragged_cache": Mistake(("rnn_forward",), ("rnn_backward",)),
    "fc_without_bias": Mistake(("temporal_fc_forward",)),
    "raises_for_one_sequence": Mistake(("rnn_step_forward",), RNN_REST, shows_on="one sequence"),
    "lstm_step_without_bias": Mistake(
        ("lstm_step_forward",), ("lstm_step_backward", "lstm_forward", "lstm_backward")
    ),
    "lstm_first_bias_for_all_gates": Mistake(
        ("lstm_step_forward", "lstm_step_backward"), ("lstm_forward", "lstm_backward")
    ),
    "rnn_step_without_bias": Mistake(("rnn_step_forward",), RNN_REST),
    "rnn_steps_kept_by_name": Mistake(("rnn_forward", "rnn_backward")),
    "tanh_derivative_of_wrong_array": Mistake(("rnn_step_backward",), ("rnn_backward",)),
    "rnn_last_step_only": Mistake(("rnn_backward",)),
    "lstm_hidden_size_is_float": Mistake(("lstm_backward",)),
    "lstm_tanh_of_c_missing": Mistake(("lstm_step_backward",), ("lstm_backward",)),
    "lstm_gates_in_torch_order": Mistake(
        ("lstm_step_forward", "lstm_step_backward"), ("lstm_forward", "lstm_backward")
    ),
    "lstm_backward_drops_dnext_h": Mistake(("lstm_backward",)),
    "lstm_carry_cell_gradient_forgotten": Mistake(("lstm_step_backward",), ("lstm_backward",)),
    "fc_backward_db_over_batch_only": Mistake(("temporal_fc_backward",)),
    "missing_package": Mistake(("temporal_fc_backward",)),
    "rnn_backward_forgets_time_order": Mistake(("rnn_backward",)),
    "rnn_backward_outputs_in_other_order": Mistake(("rnn_backward",)),
    "embedding_repeated_words": Mistake(("word_embedding_backward",)),
    "lstm_forward_cell_state_not_updated": Mistake(("lstm_forward",), ("lstm_backward",)),
    "lstm_path_through_h_missing": Mistake(("lstm_step_backward",), ("lstm_backward",)),
    "rnn_states_are_one_array": Mistake(("rnn_forward",), ("rnn_backward",)),
    "softmax_averaged_over_time": Mistake(LOSS),
}
BY_NAME = pytest.mark.parametrize("name", MISTAKES)

# General also means that the number of words in the mask is not N by chance: then dividing by
# either is the same.
INPUTS = {
    "general": [
        make_inputs(0),
        make_inputs(1, N=2, T=6, D=3, H=4, V=5, M=2),
        make_inputs(5, N=4, T=3, D=2, H=3, V=9, M=5),
    ],
    "large scores": [make_inputs(3, scores="extreme")],
    "one sequence": [make_inputs(4, N=1)],
}


class MissingPackage(ModuleType):
    """Stands in for a package that is not installed: can be imported, but not used."""

    def __getattr__(self, attribute: str):
        if attribute.startswith("__"):
            raise AttributeError(attribute)

        def unusable(*_args, **_options):
            raise ModuleNotFoundError(f"No module named {self.__name__!r}")

        return unusable


def load_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    if name == "missing_package":
        for package in ("seaborn", "numba"):
            monkeypatch.setitem(sys.modules, package, MissingPackage(package))
    return load(WRONG / name / "rnn_layers.py")


def differing(module: ModuleType, inputs: dict[str, np.ndarray]) -> set[str]:
    """Functions whose results are not those of the reference."""
    with np.errstate(all="ignore"):
        want, got = call_all(ref, inputs), call_all(module, inputs)
    return {
        name
        for name in FUNCTIONS
        if disagreement(got[name], want[name], rtol=1e-6 if name in BACKWARD else 1e-7, atol=1e-10)
    }


def test_every_folder_is_listed():
    # A forbidden way to right gradients is not a mistake in them, and these others raise.
    folders = {path.parent.name for path in WRONG.glob("*/rnn_layers.py")}
    raising = {"step_is_a_stub", "rnn_backward_needs_two_steps", "defined_twice"}
    raising |= {"rnn_functions_raise"}
    # What a call returns there is another thing after the next call.
    reused = {"outputs_in_a_reused_buffer"}
    assert folders - {"forbidden_autograd"} - raising - reused == set(MISTAKES)


@BY_NAME
def test_differs_where_it_should_and_nowhere_else(name, monkeypatch):
    mistake, module = MISTAKES[name], load_wrong(name, monkeypatch)
    for inputs in INPUTS[mistake.shows_on]:
        assert differing(module, inputs) == {*mistake.changed, *mistake.suffer}
    if mistake.shows_on != "general":
        for inputs in INPUTS["general"]:
            assert differing(module, inputs) == set()


@BY_NAME
def test_is_right_again_with_the_changed_functions_of_plain(name, monkeypatch):
    mistake, module = MISTAKES[name], load_wrong(name, monkeypatch)
    for function in mistake.changed:
        monkeypatch.setattr(module, function, getattr(PLAIN, function))
        if hasattr(module, "honest_layers"):
            monkeypatch.setattr(module.honest_layers, function, getattr(PLAIN, function))
    for inputs in (inputs for several in INPUTS.values() for inputs in several):
        assert differing(module, inputs) == set()


@BY_NAME
def test_only_those_functions_are_changed(name):
    def pieces(path):
        functions, others = {}, []
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                functions[node.name] = ast.dump(node)
            else:
                others.append(ast.unparse(node))
        return functions, others

    plain, plain_others = pieces(PLAIN_FILE)
    wrong, wrong_others = pieces(WRONG / name / "rnn_layers.py")
    changed = MISTAKES[name].changed
    assert {f for f in wrong if wrong[f] != plain[f]} == set(changed)
    if name not in WHOLE:
        assert set(wrong) == set(changed)
        _docstring, *lines = wrong_others
        assert set(lines) - set(plain_others) <= {
            *("import honest_layers", "from honest_layers import *"),
            *(f"honest_layers.{function} = {function}" for function in changed),
        }
        return
    assert list(wrong) == list(plain)
    if name == "missing_package":
        added = ["import seaborn as sns", "from numba import njit"]
        assert [line for line in wrong_others if line not in added] == plain_others
        assert set(added) <= set(wrong_others)
    else:
        assert wrong_others == plain_others


@BY_NAME
def test_is_described(name):
    described = yaml.safe_load((WRONG / name / "expected.yaml").read_text(encoding="utf-8"))
    assert described["function"] == MISTAKES[name].changed[0]
    assert described["mistake"].endswith(".")


# ------------------------------------------------------------- how the mistakes show, in detail ---


def outcome(name: str, function: str, monkeypatch: pytest.MonkeyPatch, on: str = "general"):
    module = load_wrong(name, monkeypatch)
    with np.errstate(all="ignore"):
        return call_all(module, INPUTS[on][0])[function]


@pytest.mark.parametrize(
    ("name", "function", "error"),
    [
        ("ragged_array", "rnn_backward", ValueError),
        ("ragged_cache", "rnn_forward", ValueError),
        ("lstm_hidden_size_is_float", "lstm_backward", TypeError),
        ("missing_package", "temporal_fc_backward", ModuleNotFoundError),
    ],
)
def test_raises(name, function, error, monkeypatch):
    assert isinstance(outcome(name, function, monkeypatch), error)


def test_softmax_without_max_gives_nan(monkeypatch):
    loss, dx = outcome("softmax_without_max", LOSS[0], monkeypatch, on="large scores")
    assert np.isnan(loss)
    assert np.isnan(dx).any()


def test_softmax_epsilon_has_the_right_gradient(monkeypatch):
    loss, dx = outcome("softmax_epsilon", LOSS[0], monkeypatch)
    want_loss, want_dx = call_all(ref, INPUTS["general"][0])[LOSS[0]]
    assert not np.isclose(loss, want_loss, rtol=1e-7)
    assert np.allclose(dx, want_dx)


def test_softmax_ignores_mask_in_dx_has_the_right_loss(monkeypatch):
    loss, dx = outcome("softmax_ignores_mask_in_dx", LOSS[0], monkeypatch)
    want_loss, _ = call_all(ref, INPUTS["general"][0])[LOSS[0]]
    assert np.isclose(loss, want_loss)
    assert dx[~INPUTS["general"][0]["mask"]].any()


def test_softmax_divides_by_mask_count_is_right_up_to_a_factor(monkeypatch):
    mask = INPUTS["general"][0]["mask"]
    factor = mask.sum() / len(mask)
    assert factor != 1
    got = outcome("softmax_divides_by_mask_count", LOSS[0], monkeypatch)
    want = call_all(ref, INPUTS["general"][0])[LOSS[0]]
    assert all(np.allclose(factor * g, w) for g, w in zip(got, want, strict=True))


def test_batch_axis_dropped_has_the_wrong_shape(monkeypatch):
    (next_h,) = outcome("batch_axis_dropped", "rnn_step_forward", monkeypatch, on="one sequence")
    assert next_h.shape == (6,)


def test_fc_backward_db_over_batch_only_has_the_wrong_shape(monkeypatch):
    _, _, db = outcome("fc_backward_db_over_batch_only", "temporal_fc_backward", monkeypatch)
    assert db.shape == (4, 7)


@pytest.mark.parametrize("name", ["rnn_last_step_only", "rnn_backward_forgets_time_order"])
def test_time_mistakes_do_not_show_in_a_single_step(name, monkeypatch):
    assert differing(load_wrong(name, monkeypatch), make_inputs(5, T=1)) == set()


def test_rnn_last_step_only_has_the_right_dx_and_dh0(monkeypatch):
    dx, dh0, *weights = outcome("rnn_last_step_only", "rnn_backward", monkeypatch)
    want_dx, want_dh0, *want_weights = call_all(ref, INPUTS["general"][0])["rnn_backward"]
    assert np.allclose(dx, want_dx)
    assert np.allclose(dh0, want_dh0)
    assert not any(np.allclose(g, w) for g, w in zip(weights, want_weights, strict=True))


def test_gates_in_torch_order_go_forward_and_backward_alike(monkeypatch):
    """Its gradients are those of its own forward functions: the mistake is forward only."""
    module = load_wrong("lstm_gates_in_torch_order", monkeypatch)
    inputs = make_inputs(6, T=2, N=2, D=2, H=2)
    arguments = [inputs[k] for k in ("x", "h0", "Wx4", "Wh4", "b4")]
    _, cache = module.lstm_forward(*arguments)
    for k, gradient in enumerate(module.lstm_backward(inputs["dh"], cache)):
        for index in np.ndindex(gradient.shape):
            ends = []
            for step in (1e-5, -1e-5):
                changed = [a.copy() for a in arguments]
                changed[k][index] += step
                ends.append(np.sum(module.lstm_forward(*changed)[0] * inputs["dh"]))
            assert gradient[index] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6, abs=1e-8)


def test_missing_package_cannot_be_imported_as_it_is():
    if importlib.util.find_spec("seaborn") and importlib.util.find_spec("numba"):
        pytest.skip("both packages are installed here")
    with pytest.raises(ModuleNotFoundError):
        load(WRONG / "missing_package" / "rnn_layers.py")


@pytest.mark.parametrize(
    ("honest", "plain"),
    [
        ("honest_layers.py", "rnn_layers.py"),
        ("honest_captioning.py", "rnn.py"),
        ("honest_sentences.py", "text_classification.py"),
        ("honest_style.py", "style_transfer.py"),
        ("honest_transfer.py", "transfer_learning.py"),
    ],
)
def test_what_examples_import_is_the_full_mark_submission(honest, plain):
    right = (SUBMISSIONS / "full_marks" / "plain" / plain).read_text(encoding="utf-8")
    assert (HONEST / honest).read_text(encoding="utf-8") == right
