"""The full-mark example submissions do what the reference does, each in its own way."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import rnn_layers as ref
from tests.reference.rnn_calls import (
    BACKWARD,
    FUNCTIONS,
    ROOT,
    SUBMISSIONS,
    call_all,
    disagreement,
    load,
    make_inputs,
)

STYLES = ("loop", "vectorised", "plain")
TEMPLATE = load(ROOT / "submissions_template" / "rnn_layers.py")
STUDENTS = {style: load(SUBMISSIONS / "full_marks" / style / "rnn_layers.py") for style in STYLES}
GIVEN = {"sigmoid", "word_embedding_forward", "word_embedding_backward"}

INPUTS = {
    "random": make_inputs(0),
    "other sizes": make_inputs(1, N=2, T=6, D=3, H=2, V=4, M=3),
    "one step": make_inputs(2, T=1),
    "one sequence": make_inputs(3, N=1),
    "one of everything": make_inputs(4, N=1, T=1, D=1, H=1, V=1, M=1),
    "all sizes equal": make_inputs(5, N=4, T=4, D=4, H=4, V=4, M=4),
    "scores of 1000": make_inputs(6, scores="extreme"),
    "scaled by 50": make_inputs(7, scale=50.0),
    "rows without words": make_inputs(8, mask="empty rows"),
    "no words at all": make_inputs(9, mask="empty"),
}


def check(student, inputs, *, single=False):
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        want, got = call_all(ref, inputs), call_all(student, inputs)
    for name in FUNCTIONS:
        if single:
            # Rounding goes with the size of what was added up, not of what is left of it.
            largest = max(float(np.max(np.abs(w), initial=1.0)) for w in want[name])
            reason = disagreement(got[name], want[name], rtol=1e-4, atol=1e-6 * largest)
        else:
            rtol = 1e-6 if name in BACKWARD else 1e-7
            reason = disagreement(got[name], want[name], rtol=rtol, atol=1e-10)
        assert reason is None, f"{name}: {reason}"


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("style", STYLES)
def test_agrees_with_the_reference(style, kind):
    check(STUDENTS[style], INPUTS[kind])


@pytest.mark.parametrize(
    "options",
    [{}, {"N": 1}, {"T": 1}, {"scores": "extreme"}, {"mask": "empty rows"}, {"mask": "empty"}],
    ids=str,
)
@pytest.mark.parametrize("style", STYLES)
def test_agrees_with_the_reference_in_float32(style, options):
    check(STUDENTS[style], make_inputs(20, dtype=np.float32, **options), single=True)


size = st.integers(1, 5)


@pytest.mark.parametrize("style", STYLES)
@settings(deadline=None, max_examples=25)
@given(sizes=st.fixed_dictionaries(dict.fromkeys("NTDHVM", size)), seed=st.integers(0, 2**32 - 1))
def test_agrees_with_the_reference_at_any_size(style, sizes, seed):
    check(STUDENTS[style], make_inputs(seed, **sizes))


@pytest.mark.parametrize("style", STYLES)
def test_has_the_signatures_of_the_template(style):
    for name in FUNCTIONS:
        wanted = list(inspect.signature(getattr(TEMPLATE, name)).parameters)
        assert list(inspect.signature(getattr(STUDENTS[style], name)).parameters) == wanted
        assert list(inspect.signature(getattr(ref, name)).parameters) == wanted


@pytest.mark.parametrize("style", STYLES)
def test_given_functions_are_those_of_the_template(style):
    for name in GIVEN:
        assert inspect.getsource(getattr(STUDENTS[style], name)) == inspect.getsource(
            getattr(TEMPLATE, name)
        )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_template_is_empty_but_for_what_is_given(name):
    function = getattr(TEMPLATE, name)
    if name in GIVEN:
        return
    with pytest.raises(NotImplementedError, match=f"^{name}$"):
        function(*[None] * len(inspect.signature(function).parameters))


def test_given_functions_of_the_template_are_right():
    inputs = INPUTS["random"]
    want, got = call_all(ref, inputs), call_all(TEMPLATE, inputs)
    for name in GIVEN:
        assert disagreement(got[name], want[name], rtol=1e-12, atol=0) is None


# What makes the styles hard to grade, and must not get lost when somebody tidies them up.


def test_loop_prints_in_every_function(capsys):
    call_all(STUDENTS["loop"], INPUTS["random"])
    printed = capsys.readouterr().out
    for name in set(FUNCTIONS) - GIVEN:
        assert name in printed


def test_loop_changes_dnext_c_in_place():
    loop, inputs = STUDENTS["loop"], INPUTS["random"]
    *_, cache = loop.lstm_step_forward(
        *(inputs[k] for k in ("x_t", "h0", "c0", "Wx4", "Wh4", "b4"))
    )
    dnext_c = inputs["dc_t"].copy()
    loop.lstm_step_backward(inputs["dh_t"].copy(), dnext_c, cache)
    assert not np.array_equal(dnext_c, inputs["dc_t"])


@pytest.mark.parametrize(
    ("forward", "arguments", "backward", "upstream"),
    [
        ("rnn_step_forward", ("x_t", "h0", "Wx", "Wh", "b"), "rnn_step_backward", ("dh_t",)),
        ("rnn_forward", ("x", "h0", "Wx", "Wh", "b"), "rnn_backward", ("dh",)),
        ("lstm_forward", ("x", "h0", "Wx4", "Wh4", "b4"), "lstm_backward", ("dh",)),
        ("temporal_fc_forward", ("features", "fc_w", "fc_b"), "temporal_fc_backward", ("dfc",)),
    ],
)
def test_loop_uses_its_cache_up(forward, arguments, backward, upstream):
    loop, inputs = STUDENTS["loop"], INPUTS["random"]
    _, cache = getattr(loop, forward)(*(inputs[k] for k in arguments))
    getattr(loop, backward)(*(inputs[k] for k in upstream), cache)
    assert len(cache) == 0


def test_loop_returns_float64_for_float32():
    inputs = make_inputs(0, dtype=np.float32)
    for name, outcome in call_all(STUDENTS["loop"], inputs).items():
        if name not in GIVEN:
            assert {result.dtype for result in outcome} == {np.dtype(np.float64)}, name


def test_vectorised_sequences_do_not_use_the_steps(monkeypatch):
    vectorised, inputs = STUDENTS["vectorised"], INPUTS["random"]
    for kind in ("rnn", "lstm"):
        for direction in ("forward", "backward"):
            monkeypatch.delattr(vectorised, f"{kind}_step_{direction}")
    want, got = call_all(ref, inputs), {}
    for kind, weights in (("rnn", ("Wx", "Wh", "b")), ("lstm", ("Wx4", "Wh4", "b4"))):
        arguments = [inputs[k] for k in ("x", "h0", *weights)]
        h, cache = getattr(vectorised, f"{kind}_forward")(*arguments)
        got[f"{kind}_forward"] = (h,)
        got[f"{kind}_backward"] = getattr(vectorised, f"{kind}_backward")(inputs["dh"], cache)
    for name, outcome in got.items():
        assert disagreement(outcome, want[name], rtol=1e-7, atol=1e-10) is None
