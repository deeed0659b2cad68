"""Right solutions written in unusual ways lose nothing; wrong ones cannot buy points."""

import pytest

from tests.conftest import LAYERS

LAST = "temporal_fc_backward"
RIGHT_BACKWARD = """x, w, b = cache
N, T, D = x.shape
flat = dout.reshape(N * T, -1)
dx, dw, db = (flat @ w.T).reshape(x.shape), x.reshape(N * T, D).T @ flat, flat.sum(axis=0)
"""


@pytest.mark.parametrize(
    "cache",
    [
        "[x, w, b]",
        "(x, w, b)",
        "{'x': x, 'w': w, 'b': b}.values()",
        "np.array([x, w, b, None], dtype=object)[:3]",
        "iter([x, w, b])",
        "(array for array in (x, w, b))",
        "type('Cache', (), {'__iter__': lambda self: iter((x, w, b))})()",
    ],
    ids=["list", "tuple", "dict view", "object array", "iterator", "generator", "object"],
)
def test_a_cache_may_be_anything(cache, submission, judge):
    folder = submission(
        temporal_fc_forward=f"out = x @ w + b\nreturn out, {cache}",
        temporal_fc_backward=RIGHT_BACKWARD + "return dx, dw, db",
    )
    results = judge(folder, "q5.1", "q5.2")
    assert [result.outcome for result in results.values()] == ["passed", "passed"]


def test_backward_may_consume_its_cache(submission, judge):
    folder = submission(
        temporal_fc_forward="return x @ w + b, [b, w, x]",
        temporal_fc_backward=RIGHT_BACKWARD.replace(
            "x, w, b = cache", "x, w, b = cache.pop(), cache.pop(), cache.pop()"
        )
        + "return dx, dw, db",
    )
    assert judge(folder, "q5.2")["q5.2"].outcome == "passed"


@pytest.mark.parametrize(
    "returned",
    ["[dx, dw, db]", "(dx, dw, sum(flat))", "(dx, dw, db.astype(np.float64))", "(dx, dw, db * 1)"],
)
def test_gradients_may_be_returned_in_any_container(returned, submission, judge):
    folder = submission(temporal_fc_backward=RIGHT_BACKWARD + f"return {returned}")
    assert judge(folder, "q5.2")["q5.2"].outcome == "passed"


@pytest.mark.parametrize(
    ("loss", "outcome"),
    [
        ("float(loss)", "passed"),
        ("np.float64(loss)", "passed"),
        ("np.array(loss)", "passed"),
        ("np.array([loss])", "failed"),
        ("str(loss)", "failed"),
        ("complex(loss)", "failed"),
        ("None", "failed"),
        ("loss + 1e-3", "failed"),
        ("loss * 1.001", "failed"),
    ],
)
def test_a_loss_is_a_number_in_whatever_type(loss, outcome, submission, judge):
    folder = submission(
        temporal_softmax_loss=f"""
x = x - x.max(axis=2, keepdims=True)
p = np.exp(x) / np.exp(x).sum(axis=2, keepdims=True)
N, T, V = x.shape
logp = x - np.log(np.exp(x).sum(axis=2, keepdims=True))
loss = -(np.take_along_axis(logp, y[:, :, None], 2)[:, :, 0] * mask).sum() / N
dx = p
np.put_along_axis(dx, y[:, :, None], np.take_along_axis(dx, y[:, :, None], 2) - 1, 2)
dx = dx * mask[:, :, None] / N
return {loss}, dx"""
    )
    results = judge(folder, "q5.3", "q5.4")
    assert results["q5.3"].outcome == outcome
    assert results["q5.4"].outcome == "passed"


def test_changing_an_argument_in_place_is_a_note_and_costs_nothing(submission, judge):
    folder = submission(temporal_fc_backward="dout *= 1.0\ndout += 0\ndout[:] = dout * 2\n"
                        + RIGHT_BACKWARD.replace("dout.reshape", "(dout / 2).reshape")
                        + "return dx, dw, db")  # fmt: skip
    results = judge(folder, "q5.1", "q5.2", "q5.3")
    assert {result.outcome for result in results.values()} == {"passed"}
    assert "changes its argument dout in place" in results["q5.2"].notes[0]
    assert results["q5.1"].notes == ()


def test_a_missing_package_costs_only_the_functions_that_use_it(submission, judge):
    top = "import seaborn as sns\nfrom no_such_package.sub import thing, other as alias\n"
    top += "import no_such_package.deep.er\n\n@alias.decorate(1)\ndef unused(x):\n    return x\n"
    folder = submission(top=top, temporal_fc_backward="sns.heatmap(dout)\nreturn dout, dout, dout")
    results = judge(folder, *LAYERS)
    assert {k for k, result in results.items() if result.outcome != "passed"} == {"q5.2"}
    assert results["q5.2"].reason == "import_error"
    assert "'seaborn'" in results["q5.2"].message
    notes = " ".join(results["q3.1"].notes)
    assert "'seaborn'" in notes
    assert "'no_such_package'" in notes


@pytest.mark.parametrize("factor", ["1.001", "0.999", "-1", "2.001", "0", "(1 + 1e-5)"])
@pytest.mark.parametrize("index", range(3))
def test_each_gradient_is_seen_to_fail_by_a_hair_and_alone(factor, index, submission, judge):
    names = ["dx", "dw", "db"]
    scaled = [f"{name} * {factor}" if i == index else name for i, name in enumerate(names)]
    folder = submission(temporal_fc_backward=RIGHT_BACKWARD + f"return {', '.join(scaled)}")
    result = judge(folder, "q5.2")["q5.2"]
    assert (result.outcome, result.reason) == ("partial", "mismatch")
    assert result.points == pytest.approx(2 * 2 / 3, abs=1e-4)
    assert [part.earned for part in result.parts] == [float(i != index) for i in range(3)]
    assert names[index] in result.message


def test_gradients_within_the_tolerance_pass(submission, judge):
    folder = submission(
        temporal_fc_backward=RIGHT_BACKWARD + "return dx * (1 + 1e-8), dw * (1 - 1e-8), db"
    )
    assert judge(folder, "q5.2")["q5.2"].outcome == "passed"


def test_a_wrong_step_is_paid_for_once(submission, judge):
    """The sequence functions call it in the right way, and their own code is right."""
    folder = submission(
        rnn_step_forward="next_h = np.tanh(x @ Wx + prev_h @ Wh - b)\n"
        "return next_h, (x, prev_h, Wx, Wh, next_h)"
    )
    results = judge(folder, "q3")
    assert results["q3.1"].points == 0
    assert results["q3.3"].points == 2
    assert "right when tested with a right rnn_step_forward" in results["q3.3"].notes[0]


@pytest.mark.parametrize(
    "trivial",
    ["next_h = prev_h", "next_h = np.zeros_like(prev_h)", "next_h = x @ Wx", "next_h = x @ Wx + b"],
)
def test_a_forward_that_ignores_its_inputs_buys_no_follow_through(trivial, submission, judge):
    folder = submission(
        rnn_step_forward=f"{trivial}\nreturn next_h, (x, prev_h, Wx, Wh, next_h)",
        rnn_step_backward="""x, prev_h, Wx, Wh, next_h = cache
return 0 * x, dnext_h, 0 * Wx, 0 * Wh, np.zeros(Wh.shape[1])""",
    )
    results = judge(folder, *LAYERS[:4])
    # The loops over time are right, and are tried with right steps.
    assert {k: r.points for k, r in results.items()} == {"q3.1": 0, "q3.2": 0, "q3.3": 2, "q3.4": 3}


def test_right_gradients_of_an_own_wrong_forward_earn_the_rubrics_fraction(submission, judge):
    folder = submission(
        rnn_step_forward="a = x @ Wx + prev_h @ Wh + b\n"
        "next_h = a / (1 + a ** 2) ** 0.5\nreturn next_h, (x, prev_h, Wx, Wh, a)",
        rnn_step_backward="""x, prev_h, Wx, Wh, a = cache
da = dnext_h / (1 + a ** 2) ** 1.5
return da @ Wx.T, da @ Wh.T, x.T @ da, prev_h.T @ da, da.sum(axis=0)""",
    )
    result = judge(folder, "q3.2")["q3.2"]
    assert (result.outcome, result.points) == ("partial", 1.5)
    assert "the right gradient of your own rnn_step_forward, which is wrong" in result.message


def test_wrong_gradients_of_a_wrong_forward_earn_nothing(submission, judge):
    folder = submission(
        rnn_step_forward="a = x @ Wx + prev_h @ Wh + b\nreturn a, (x, prev_h, Wx, Wh, a)",
        rnn_step_backward="""x, prev_h, Wx, Wh, a = cache
da = dnext_h * 1.001
return da @ Wx.T, da @ Wh.T, x.T @ da, prev_h.T @ da, da.sum(axis=0)""",
    )
    assert judge(folder, "q3.2")["q3.2"].points == 0


def test_a_loss_that_ignores_labels_and_mask_buys_no_gradient(submission, judge):
    folder = submission(temporal_softmax_loss="return x.sum(), np.ones_like(x)")
    assert judge(folder, "q5.4")["q5.4"].points == 0


def test_a_backward_without_its_forward_is_blocked(submission, judge):
    folder = submission(temporal_fc_forward='raise NotImplementedError("temporal_fc_forward")')
    results = judge(folder, "q5.1", "q5.2")
    assert (results["q5.1"].outcome, results["q5.1"].reason) == ("failed", "not_implemented")
    assert (results["q5.2"].outcome, results["q5.2"].reason) == ("blocked", "not_implemented")


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        ("return None", "not_implemented", "returns None"),
        ("return None, None", "not_implemented", "out is None"),
        ("pass", "not_implemented", "returns None"),
        ("return x @ w + b", "wrong_shape", "returns one value, expected 2 values (out, cache)"),
        ("return x @ w + b, 1, 2", "wrong_shape", "returns 3 values"),
        ("return (x @ w + b).T, None", "wrong_shape", "it is transposed"),
        ("return list(x @ w + b), None", "wrong_shape", "np.stack"),
        ("return x @ w + b + 0j, None", "wrong_dtype", "complex"),
        ("return 'a string', None", "wrong_dtype", "is a text"),
        ("return (x @ w + b).astype(int), None", "mismatch", "entries differ"),
        ("return (x @ w + b) * np.nan, None", "not_finite", "NaN"),
        ("return (x @ w + b) * 2, None", "mismatch", "is a factor of 2 too many?"),
        ("return undefined_name, None", "exception", "NameError"),
        ("raise NotImplementedError", "not_implemented", "not implemented yet"),
    ],
)
def test_every_kind_of_failure_has_its_reason_and_says_what_is_wrong(
    body, reason, words, submission, judge
):
    result = judge(submission(temporal_fc_forward=body), "q5.1")["q5.1"]
    assert (result.outcome, result.reason) == ("failed", reason)
    assert words in result.message
    assert result.hint


def test_an_exception_names_the_students_own_line(submission, judge):
    folder = submission(temporal_fc_backward="x, w, b = cache\n\nreturn x.no_such_thing")
    source = (folder / "rnn_layers.py").read_text().splitlines()
    line = next(n for n, text in enumerate(source, 1) if "no_such_thing" in text)
    message = judge(folder, "q5.2")["q5.2"].message
    assert f"(rnn_layers.py, line {line}, in temporal_fc_backward: `return x.no" in message


def test_state_kept_between_checks_does_not_reach_the_next_check(submission, judge):
    """A solution that counts its calls gets the same verdict for every check."""
    folder = submission(
        top="CALLS = []",
        temporal_fc_forward="CALLS.append(1)\nassert len(CALLS) < 12\nreturn x @ w + b, (x, w, b)",
    )
    results = judge(folder, "q5.1", "q5.2")
    assert {result.outcome for result in results.values()} == {"passed"}


def test_a_forward_that_fails_on_a_special_case_does_not_block_its_backward(submission, judge):
    folder = submission(
        rnn_step_forward='if len(x) == 1:\n    raise ValueError("one")\n'
        "next_h = np.tanh(x @ Wx + prev_h @ Wh + b)\nreturn next_h, (x, prev_h, Wx, Wh, next_h)"
    )
    results = judge(folder, "q3.1", "q3.2")
    assert results["q3.1"].points == pytest.approx(1.6)
    assert results["q3.2"].outcome == "passed"
    assert "tested with the cache of a right one" in results["q3.2"].notes[0]


def test_inputs_invented_for_follow_through_do_not_fail_a_check(submission, judge):
    """Code that checks the range of a hidden state is right to do so."""
    folder = submission(
        rnn_step_forward="assert np.abs(prev_h).max() <= 1\n"
        "next_h = np.tanh(x @ Wx + prev_h @ Wh)\nreturn next_h, (x, prev_h, Wx, Wh, next_h)"
    )
    results = judge(folder, "q3.1", "q3.2")
    assert results["q3.1"].points == 0
    assert results["q3.2"].outcome == "passed"


def test_a_returned_value_that_does_not_fit_is_the_students_exception(submission, judge):
    folder = submission(temporal_fc_forward="return list(range(100_000)), 0")
    result = judge(folder, "q5.1")["q5.1"]
    assert result.reason == "exception"
    assert "the returned value cannot be sent to the grader" in result.message
    assert ": return arrays" in result.message


def test_a_named_tuple_is_a_tuple(submission, judge):
    top = "from collections import namedtuple\nResult = namedtuple('Result', 'out cache')"
    folder = submission(top=top, temporal_fc_forward="return Result(x @ w + b, (x, w, b))")
    assert judge(folder, "q5.1")["q5.1"].outcome == "passed"


@pytest.mark.parametrize("dtype", ["np.longdouble", "object"])
def test_an_array_of_a_dtype_that_cannot_be_compared_is_named(dtype, submission, judge):
    folder = submission(temporal_fc_forward=f"return (x @ w + b).astype({dtype}), None")
    result = judge(folder, "q5.1")["q5.1"]
    assert result.reason == "wrong_dtype"
    assert "numpy.ndarray of dtype" in result.message


def test_a_file_may_be_written_and_read_again(submission, judge):
    top = "import numpy as np\nnp.save('cache.npy', np.zeros(1))\nB = np.load('cache.npy')"
    folder = submission(top=top, temporal_fc_forward="return x @ w + b + B, (x, w, b)")
    assert judge(folder, "q5.1")["q5.1"].outcome == "passed"


def test_writing_elsewhere_is_refused_with_the_folders_where_it_works(submission, judge):
    folder = submission(temporal_fc_forward="open('/usr/lib/cache', 'w')")
    result = judge(folder, "q5.1")["q5.1"]
    assert result.reason == "exception"
    assert "writes only to its working folder, its home and temporary folders" in result.message


def test_reading_a_file_of_ones_own_machine_is_told_not_to_be_possible(submission, judge):
    folder = submission(temporal_fc_forward="return np.load('/home/me/homework/cache.npy'), 0")
    result = judge(folder, "q5.1")["q5.1"]
    assert result.reason == "exception"
    assert "only the files that you handed in" in result.message


def test_lost_digits_are_named(submission, judge):
    folder = submission(temporal_fc_forward="return (x @ w + b).astype(np.float16), (x, w, b)")
    assert "it is float16 instead of float64" in judge(folder, "q5.1")["q5.1"].message
