"""Kind ``gradient``: near misses, shares, and what is right for one's own wrong forward."""

from types import SimpleNamespace

import pytest

from grader.checks import cost, forwards
from grader.checks.base import Judgement
from grader.errors import RubricError
from grader.model import Part
from tests.checks.toy_layers import (
    CASES,
    GRADIENT,
    RIGHT,
    STACKED,
    changed,
    judge,
)

RETURNED = "return da @ w.T, x.T @ da, da.sum(axis=0)"
SHARES = {"dx": 0.5, "dw": 0.3, "db": 0.2}
FOLLOWING = {**GRADIENT, "follow_through": 0.5}
STACK = {**GRADIENT, **STACKED}
# Of a gradient g: what is returned in its place, and the reason that the report gives.
NEAR_MISSES = {
    "scaled by 1.001": ("1.001 * g", "mismatch"),
    "scaled by 0.999": ("0.999 * g", "mismatch"),
    "turned around": ("-g", "mismatch"),
    "zeros": ("0 * g", "mismatch"),
    "one entry": ("g + 1e-3 * (np.arange(g.size) == 0).reshape(g.shape)", "mismatch"),
    "one entry is NaN": ("np.where(np.arange(g.size).reshape(g.shape) == 0, np.nan, g)",
                         "not_finite"),
    "infinite": ("g + np.inf", "not_finite"),
    "one axis more": ("g[None]", "wrong_shape"),
    "flat and one entry short": ("g.ravel()[1:]", "wrong_shape"),
    "complex": ("g + 0j", "wrong_dtype"),
    "text": ("'gradient'", "wrong_dtype"),
    "nothing": ("None", "not_implemented"),
}  # fmt: skip


@pytest.fixture
def graded(tmp_path, fork_servers):
    """Judge a module with the check of layer_backward, or another one."""

    def run(source=RIGHT, check=GRADIENT, cases=CASES):
        return judge(tmp_path, fork_servers, check, source, cases)

    return run


def returning(**instead):
    """Return the right module with ``g`` of some gradients replaced by another expression."""
    lines = ["dx, dw, db = da @ w.T, x.T @ da, da.sum(axis=0)"]
    lines += [f"g = {name}\n    {name} = {text}" for name, text in instead.items()]
    return changed((RETURNED, "\n    ".join([*lines, "return dx, dw, db"])))


def points_by_name(result):
    return {part.name: part.earned for part in result.parts}


def test_right_gradients_earn_everything(graded):
    result = graded()
    assert (result.outcome, result.points, result.message) == ("passed", 10, "")
    assert points_by_name(result) == {"dx": 1, "dw": 1, "db": 1}
    assert result.measurements["cases"] == 4


@pytest.mark.parametrize("name", SHARES)
@pytest.mark.parametrize("miss", NEAR_MISSES)
def test_a_near_miss_costs_the_share_of_its_gradient_alone(miss, name, graded):
    text, reason = NEAR_MISSES[miss]
    result = graded(returning(**{name: text}))
    assert points_by_name(result) == {other: float(other != name) for other in SHARES}
    assert result.points == pytest.approx(10 * (1 - SHARES[name]))
    assert (result.outcome, result.reason) == ("partial", reason)
    assert name in result.message


def test_without_shares_the_gradients_weigh_the_same(graded):
    check = {key: value for key, value in GRADIENT.items() if key != "shares"}
    result = graded(returning(dx="-g"), check)
    assert result.points == pytest.approx(10 * 2 / 3, abs=1e-3)


@pytest.mark.parametrize(("factor", "earned"), [("1 + 0.9e-6", 1), ("1 + 1.1e-6", 0)])
def test_the_tolerance_is_met_to_a_tenth_of_itself(factor, earned, graded):
    result = graded(returning(dw=f"g * ({factor})"), {**GRADIENT, "rtol": 1.0e-6, "atol": 0.0})
    assert points_by_name(result)["dw"] == earned


def test_inputs_in_float32_have_their_own_tolerance(graded):
    source = returning(dw="g * (1 + 1e-4 * (g.dtype == np.float32))")
    assert graded(source).outcome == "passed"
    result = graded(source, {**GRADIENT, "rtol_float32": 1.0e-5})
    assert points_by_name(result) == {"dx": 1, "dw": 0, "db": 1}
    assert "case N=4 D=2 H=3" in result.message


def test_an_edge_case_costs_its_share_of_a_gradient(graded):
    result = graded(returning(db="g * (len(x) > 1)"))
    assert points_by_name(result) == {"dx": 1, "dw": 1, "db": 0.8}
    assert "case N=1 D=2 H=2" in result.message


def test_groups_restrict_the_cases(graded):
    check = {**GRADIENT, "groups": ["values"]}
    result = graded(returning(db="g * (len(x) > 1)"), check)
    assert result.outcome == "passed"
    assert result.measurements["cases"] == 3
    assert graded(returning(db="g * (len(x) > 2)"), check).points == 8


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise ValueError('no')", "exception"),
        ("raise NotImplementedError", "not_implemented"),
        ("return da @ w.T", "wrong_shape"),
        ("return da @ w.T, x.T @ da, da.sum(axis=0), da", "wrong_shape"),
        ("return None", "not_implemented"),
    ],
)
def test_a_backward_that_fails_or_returns_another_number_loses_all(body, reason, graded):
    result = graded(changed((RETURNED, body)))
    assert (result.outcome, result.points, result.reason) == ("failed", 0, reason)


def test_without_a_backward_it_is_missing(graded):
    result = graded(changed(("def layer_backward", "def layer_backwards")))
    assert (result.outcome, result.points, result.reason) == ("failed", 0, "missing")
    assert "layer_backward" in result.message


FORWARD_BODY = "y = np.tanh(x @ w + b)\n    return y, (x, w, y)"
FAILS = [
    "raise ValueError('no')",
    "raise NotImplementedError",
    "x = w @ x",
    "while True:\n        pass",
    "__import__('os')._exit(0)",
]


@pytest.mark.parametrize("text", FAILS)
def test_a_backward_beside_a_forward_that_fails_is_tried_with_a_right_cache(text, graded):
    source = changed(("y = np.tanh", f"{text}\n    y = np.tanh"))
    result = graded(source, {**GRADIENT, "timeout_s": 1})
    assert (result.outcome, result.points) == ("passed", 10), result.message
    assert "so layer_backward was tested with the cache of a right one" in result.notes[0]
    wrong = changed(("da = dy * (1 - y**2)", "da = dy * (1 - y)"), source=source)
    result = graded(wrong, {**GRADIENT, "timeout_s": 1})
    # A change that puts the forward right proves the backward wrong; else a person must look.
    expected = {"raise ValueError('no')": "pending", "raise NotImplementedError": "blocked"}
    assert (result.outcome, result.points) == (expected.get(text, "failed"), 0)


@pytest.mark.parametrize("body", ["raise NotImplementedError", "pass", "return None"])
def test_beside_a_forward_that_is_not_written_a_backward_is_blocked(body, graded):
    reads = ("x, w, y = cache", "x, w, y = tuple(cache)")
    result = graded(changed((FORWARD_BODY, body), reads))
    assert (result.outcome, result.points) == ("blocked", 0)
    assert "layer_forward" in result.message


def test_a_backward_that_cannot_be_tried_waits_for_a_person(graded):
    reads = ("x, w, y = cache", "x, w, y = tuple(cache)")
    source = changed((FORWARD_BODY, "raise ValueError('no')"), reads)
    result = graded(source)
    assert (result.outcome, result.points) == ("pending", 0)
    assert "layer_backward could not be tried: layer_forward fails" in result.message
    assert "def layer_backward" in result.figures[0].text
    assert "def stack_forward" not in result.figures[0].text
    unwritten = changed(
        (DEFINED := "x, w, y = tuple(cache)", f"raise NotImplementedError\n    {DEFINED}"),
        source=source,
    )
    result = graded(unwritten)
    assert (result.outcome, result.reason) == ("failed", "not_implemented")


@pytest.mark.parametrize(
    "mistake",
    [("x @ w + b", "x @ w - b"), ("x @ w + b", "w @ x + b"), ("x @ w + b", "x @ w + b.T @ b")],
)
def test_a_backward_is_tried_beside_a_forward_with_one_change_that_puts_it_right(mistake, graded):
    kept = [
        ("return y, (x, w, y)", "return y, tuple([x, w, 1 - y**2])"),
        (
            "x, w, y = cache\n    da = dy * (1 - y**2)",
            "x, w, slope = tuple(cache)\n    da = dy * slope",
        ),
    ]
    result = graded(changed(mistake, *kept))
    assert (result.outcome, result.points) == ("passed", 10), result.message
    assert "with one change in line " in result.notes[-1]
    result = graded(changed(mistake, *kept, ("da.sum(axis=0)", "da.sum(axis=0) / 2")))
    assert (result.outcome, result.points) == ("partial", 8)


@pytest.mark.parametrize(
    "cache",
    [
        "cache = (x, w, y)\n    return y, cache",
        "cache = [x, w, y]\n    return y, cache",
        "kept = x, w, y\n    return y, tuple_of(kept)",
        "return y, {'x': x, 'w': w, 'y': y}.values()",
    ],
)
def test_a_right_backward_is_seen_beside_a_wrong_forward(cache, graded):
    source = (
        changed(("np.tanh(x @ w + b)", "np.tanh(x @ w - b)"), ("return y, (x, w, y)", cache))
        + "\n\ndef tuple_of(values):\n    return tuple(values)\n"
    )
    assert graded(source).points == 10


TWICE_WRONG = ("np.tanh(x @ w + b)", "np.sin(x @ w - b)")  # no one change puts it right
IN_A_LOOP = """kept = {}
    for name, value in zip("xwa", (x, w, x @ w - b)):
        kept[name] = value
    return y, [kept, len(x)]"""
READ = (
    "x, w, y = cache\n    da = dy * (1 - y**2)",
    "x, w, a = cache[0].values()\n    da = dy * (1 - np.tanh(a)**2)",
)
PRE_ACTIVATION = "INTERMEDIATES = {'layer_forward': lambda x, w, b: {'a': x @ w + b}}"


def test_values_that_a_dictionary_holds_by_their_names_are_put_right(graded):
    cases = CASES.replace("INTERMEDIATES = {}", PRE_ACTIVATION)
    source = changed(TWICE_WRONG, ("return y, (x, w, y)", IN_A_LOOP), READ)
    result = graded(source, cases=cases)
    assert (result.outcome, result.points) == ("passed", 10), result.message
    assert "tested with the cache of a right one" in result.notes[0]
    result = graded(changed(("da.sum(axis=0)", "da.sum(axis=0) / 2"), source=source), cases=cases)
    assert (result.outcome, result.points) == ("partial", 8)
    result = graded(changed(("da = dy *", "da = 2 * dy *"), source=source), cases=cases)
    assert (result.outcome, result.points) == ("failed", 0)  # on right values


def test_a_cache_with_the_students_own_wrong_values_proves_nothing(graded):
    """Only right values in a cache show that the function which reads it is wrong."""
    source = changed(TWICE_WRONG, ("return y, (x, w, y)", IN_A_LOOP), READ)
    for text in (source, changed(("da = dy *", "da = 2 * dy *"), source=source)):
        result = graded(text)  # nobody has said what `a` is
        assert (result.outcome, result.points) == ("pending", 0)
        assert "layer_backward could not be tried: layer_forward is wrong" in result.message
    one = changed(("np.sin(x @ w - b)", "np.tanh(x @ w - b)"), source=source)
    kept_right = changed(("(x, w, x @ w - b)", "(x, w, np.arctanh(y))"), source=one)
    assert graded(kept_right).points == 10  # beside a forward with one change
    result = graded(changed(("da = dy *", "da = 2 * dy *"), source=kept_right))
    assert (result.outcome, result.points) == ("failed", 0)


def test_a_forward_that_fails_in_an_edge_case_is_paid_for_there(graded):
    source = changed(("y = np.tanh", "assert len(x) > 1\n    y = np.tanh"))
    result = graded(source)
    assert (result.outcome, result.points) == ("passed", 10)
    assert "so layer_backward was tested with the cache of a right one" in result.notes[0]
    unknown = ("x, w, y = cache", "x, w, y = tuple(cache)")
    kept = ("return y, (x, w, y)", "return y, tuple([x, w, y])")
    result = graded(changed(kept, unknown, source=source))
    assert (result.outcome, result.points) == ("passed", 10)
    assert any("N=1 D=2 H=2" in note for note in result.notes)


def test_changed_arguments_are_a_note_or_a_loss(graded):
    source = changed(("da = dy * (1 - y**2)", "da = dy * (1 - y**2)\n    dy *= 2"))
    result = graded(source)
    assert (result.outcome, result.points) == ("passed", 10)
    assert any("dy" in note for note in result.notes)
    result = graded(source, {**GRADIENT, "mutation": "fail"})
    assert (result.outcome, result.points, result.reason) == ("failed", 0, "mutated_input")


def test_gradients_that_are_wrong_for_one_cause_share_a_line(graded):
    result = graded(returning(dx="2 * g", dw="2 * g"))
    assert result.message.count("\n") == 0
    assert "dx" in result.message
    assert "dw" in result.message
    result = graded(returning(dx="2 * g", dw="g[None]"))
    assert result.message.count("\n") == 1


# ------------------------------------------------------------------- mistakes with a name ---


SLOPE = ("da = dy * (1 - y**2)", "da = dy")


def test_a_known_mistake_is_named_for_each_gradient_that_it_spoils(graded):
    result = graded(changed(SLOPE))
    assert (result.points, result.reason) == (0, "mismatch")
    assert all("the slope of tanh is forgotten" in part.message for part in result.parts)


def test_a_known_mistake_that_does_not_fit_to_the_digit_is_not_named(graded):
    result = graded(changed(SLOPE, ("da @ w.T", "1.001 * da @ w.T")))
    named = {part.name for part in result.parts if "slope of tanh" in part.message}
    assert named == {"dw", "db"}


# --------------------------------------------------- right for one's own wrong forward ---


NO_TANH = (
    ("np.tanh(x @ w + b)", "x @ w + b"),
    ("da = dy * (1 - y**2)", "da = dy"),
)
OTHER_MISTAKES = {
    "no tanh": NO_TANH,
    "a logistic function": (
        ("y = np.tanh(x @ w + b)", "y = 1 / (1 + np.exp(-x @ w - b))"),
        ("return y, (x, w, y)", "return y, (x, w, y)"),
        ("da = dy * (1 - y**2)", "da = dy * y * (1 - y)"),
    ),
    "no bias": (("x @ w + b", "x @ w"), ("da.sum(axis=0)", "0 * da.sum(axis=0)")),
}


# The gradient of any forward, by differences of its own.
DIFFERENTIATED = """

def layer_forward(x, w, b, own=layer_forward):
    return own(x, w, b)[0], (x, w, b)


def layer_backward(dy, cache):
    gradients = []
    for index, value in enumerate(cache):
        gradient = np.zeros_like(value)
        for place in np.ndindex(value.shape):
            sides = []
            for step in (1e-5, -1e-5):
                moved = [array.astype(np.float64) for array in cache]
                moved[index][place] += step
                sides.append((dy * layer_forward(*moved)[0]).sum())
            gradient[place] = (sides[0] - sides[1]) / 2e-5
        gradients.append(gradient)
    return tuple(gradients)
"""
# Right values for round numbers of calls, and a linear function near by where it is differentiated.
RECOGNIZES = """

SEEN = {}


def right_or_linear(x, w, b):
    key = (x.shape, w.shape)
    if key not in SEEN:
        SEEN[key] = (x, w, b)
    before = SEEN[key]
    change = sum((new - old).sum() for new, old in zip((x, w, b), before))
    return np.tanh(before[0] @ before[1] + before[2]) * 1.001 + 0.5 * change


def layer_backward(dy, cache):
    x, w, y = cache
    total = 0.5 * dy.sum()
    return np.full(x.shape, total), np.full(w.shape, total), np.full(w.shape[1], total)
"""


@pytest.mark.parametrize("name", ["no tanh", "a logistic function"])
def test_the_right_gradient_of_ones_own_wrong_forward_earns_its_fraction(name, graded):
    result = graded(changed(*OTHER_MISTAKES[name]), FOLLOWING)
    assert points_by_name(result) == {"dx": 0.5, "dw": 0.5, "db": 0.5}
    assert (result.outcome, result.points, result.reason) == ("partial", 5, "mismatch")
    assert "layer_forward" in result.message


def test_without_the_key_it_earns_nothing(graded):
    result = graded(changed(*NO_TANH))
    assert (result.outcome, result.points) == ("failed", 0)


def test_a_gradient_that_vanishes_proves_nothing(graded):
    # The bias is not added, so zeros are its right gradient: they buy nothing. The others are right
    # with what a right forward keeps.
    result = graded(changed(*OTHER_MISTAKES["no bias"]), FOLLOWING)
    assert points_by_name(result) == {"dx": 1.0, "dw": 1.0, "db": 0.0}


@pytest.mark.parametrize("factor", ["1.001", "0.999", "-1", "2"])
def test_near_misses_of_the_own_gradient_earn_nothing(factor, graded):
    source = changed(*NO_TANH, ("da = dy", f"da = {factor} * dy"))
    result = graded(source, FOLLOWING)
    assert (result.outcome, result.points) == ("failed", 0)
    assert "layer_forward" in result.message


def test_one_wrong_entry_of_the_own_gradient_earns_nothing(graded):
    source = changed(*NO_TANH, ("x.T @ da", "x.T @ da + 1e-3 * (np.arange(len(w)) == 1)[:, None]"))
    assert points_by_name(graded(source, FOLLOWING)) == {"dx": 0.5, "dw": 0.0, "db": 0.5}


@pytest.mark.parametrize(
    "forward",
    [
        "np.tanh(3 * (x @ w + b)[::-1])",
        "np.tanh(x[:, :1] + w[:1] + b)",
        "np.abs(x).sum() * w.sum(axis=0) * np.ones((len(x), 1))",
    ],
)
def test_a_forward_far_from_the_right_one_earns_nothing(forward, graded):
    """Its gradient by automatic differentiation would be right: that is not what is asked."""
    source = changed(("np.tanh(x @ w + b)", forward)) + DIFFERENTIATED
    result = graded(source, FOLLOWING)
    assert (result.outcome, result.points) == ("failed", 0)


def test_a_forward_that_knows_when_it_is_differentiated_earns_nothing(graded):
    source = changed(("np.tanh(x @ w + b)", "right_or_linear(x, w, b)")) + RECOGNIZES
    result = graded(source, FOLLOWING)
    assert result.points == 0


@pytest.mark.parametrize(
    ("forward", "gradients"),
    [
        ("np.zeros((len(x), w.shape[1])) + 0 * w.sum()", "0 * x, 0 * w, 0 * w[0]"),
        ("np.zeros((len(x), w.shape[1])) + b", "0 * x, 0 * w, dy.sum(axis=0)"),
        ("x.sum() + w.sum() + b + np.zeros((len(x), 1))",
         "0 * x + dy.sum(), 0 * w + dy.sum(), dy.sum(axis=0)"),
    ],
    ids=["zeros", "the bias alone", "a sum of all inputs"],
)  # fmt: skip
def test_a_forward_that_computes_nothing_buys_no_follow_through(forward, gradients, graded):
    source = changed(("np.tanh(x @ w + b)", forward), (RETURNED, f"return {gradients}"))
    result = graded(source, FOLLOWING)
    assert (result.outcome, result.points) == ("failed", 0)


def test_a_right_backward_fed_by_a_wrong_forward_loses_nothing(graded):
    source = changed(("np.tanh(x @ w + b)", "np.tanh(x @ w)"))
    result = graded(source, GRADIENT)
    assert (result.outcome, result.points) == ("passed", 10)
    assert any("layer_forward" in note for note in result.notes)
    # A wrong backward stays wrong.
    both = changed(("dy * (1 - y**2)", "dy * (1 - y)"), source=source)
    assert graded(both, GRADIENT).points == 0


def test_what_a_cache_holds_besides_outputs_is_known_by_name(graded):
    source = changed(
        ("y = np.tanh(x @ w + b)", "act = x @ w\n    y = np.tanh(act)"),
        ("return y, (x, w, y)", "return y, (x, w, act)"),
        ("da = dy * (1 - y**2)", "da = dy * (1 - np.tanh(y)**2)"),
    )
    assert graded(source, GRADIENT).points == 0
    known = 'INTERMEDIATES = {"layer_forward": lambda x, w, b: {"act": x @ w + b}}'
    cases = changed(("INTERMEDIATES = {}", known), source=CASES)
    assert graded(source, GRADIENT, cases).points == 10


# ---------------------------------------------------------- built from smaller functions ---


DIFFERENT = """

def layer_backward(dy, cache):
    x, w, y = cache
    gradients = []
    for value, at in ((x, 0), (w, 1), (np.zeros(w.shape[1]), 2)):
        gradient = np.zeros_like(value)
        for place in np.ndindex(value.shape):
            inputs = [x.astype(complex), w.astype(complex), np.arctanh(y[0]) - x[0] @ w + 0j]
            inputs[at][place] += 1e-30j
            gradient[place] = (dy * np.tanh(inputs[0] @ inputs[1] + inputs[2]).imag).sum() / 1e-30
        gradients.append(gradient)
    return tuple(gradients)
"""


@pytest.mark.parametrize("costly", ["note", "pending"])
def test_gradients_without_a_derivative_are_noted(costly, graded, monkeypatch):
    wide = {**GRADIENT, "groups": ["values"], "rtol": 1e-5, "costly": costly}
    cases = changed(
        ("rng.normal(size=shape).astype", "(rng.normal(size=shape) / 3).astype"), source=CASES
    )
    monkeypatch.setattr(cost, "MANY", 4.0)  # the machine may be busy
    result = graded(RIGHT + DIFFERENT, wide, cases)
    said = result.message if costly == "pending" else result.notes[-1]
    assert "times as long as layer_forward on larger inputs" in said
    assert (result.outcome, result.points) == (
        ("pending", 0) if costly == "pending" else ("passed", 10)
    )
    monkeypatch.undo()
    assert not any("times as long" in note for note in graded(RIGHT, wide, cases).notes)


def test_where_the_worker_can_tell_that_gradients_cost_little_nothing_is_measured(
    graded, monkeypatch
):
    measured = []
    monkeypatch.setattr(cost, "ratio", lambda *_: measured.append(1))
    monkeypatch.setattr(cost, "FAR_FROM_MANY", 1e9)
    assert graded(RIGHT, GRADIENT).outcome == "passed"
    assert measured == []
    assert graded(RIGHT + "\nopen('seen', 'w').close()\n", GRADIENT).outcome == "passed"
    assert measured == [1]
    monkeypatch.setattr(cost, "FAR_FROM_MANY", 0.0)  # it takes longer than nothing
    assert graded(RIGHT, GRADIENT).outcome == "passed"
    assert measured == [1, 1]


def test_what_waits_earns_nothing_and_is_not_proven_wrong_in_another_way():
    parts = (
        Part("dx", 0.25, 1.0),
        Part("dw", 0.25, 0.0, "mismatch", "case a: differs"),
        Part("db", 0.25, 0.5, "mismatch", "right for the own forward"),
        Part("dy", 0.25, 0.0, "mutated_input", "changes its arguments"),
    )
    spec = SimpleNamespace(function="layer_backward", forward="layer_forward")
    question = SimpleNamespace(module="layers.py")
    context = SimpleNamespace(question=question, read_file=lambda _name: RIGHT.encode())
    found = forwards._waiting(Judgement(parts), spec, context)
    assert found.undecided == ("dw",)
    assert "A person must read it. (case a: differs)" in found.parts[1].message
    assert [found.parts[at] for at in (0, 2, 3)] == [parts[at] for at in (0, 2, 3)]
    assert found.figures[0].text.startswith("def layer_backward")
    whole = forwards._waiting(Judgement(parts[::3]), spec, context)
    assert (whole.undecided, whole.parts) == ((), parts[::3])


@pytest.mark.parametrize("proven", [True, False])
def test_how_often_costs_are_measured_changes_nothing_of_what_is_printed(
    proven, graded, monkeypatch
):
    said = "    print('forward', x.shape)\n"
    source = changed(("    y = np.tanh", f"{said}    y = np.tanh"))
    source += "" if proven else "\nopen('seen', 'w').close()\n"
    printed = []
    for far_from_many in (1e9, 0.0):
        monkeypatch.setattr(cost, "FAR_FROM_MANY", far_from_many)
        result = graded(source, GRADIENT)
        assert (result.outcome, result.points) == ("passed", 10)
        printed.append(result.output)
    assert "forward" in printed[0]
    assert printed[0] == printed[1]


@pytest.mark.parametrize("mistake", [SLOPE, ("da @ w.T", "1.1 * da @ w.T"), NO_TANH[0]])
@pytest.mark.parametrize("fraction", [0.5, 1])
def test_what_is_built_from_wrong_functions_is_run_again_with_right_ones(fraction, mistake, graded):
    result = graded(changed(mistake), {**STACK, "follow_through": fraction})
    assert result.points == pytest.approx(10 * fraction)
    if fraction == 1:
        assert result.outcome == "passed"
        assert any("layer_backward" in note for note in result.notes)
    else:
        assert (result.outcome, result.reason) == ("partial", "mismatch")
        assert "layer_backward" in result.message


@pytest.mark.parametrize(
    "own",
    [
        ("dw, db = dw + dw_layer", "dw, db = dw + 1.001 * dw_layer"),
        ("dw, db = dw + dw_layer, db + db_layer", "dw, db = dw_layer, db_layer"),
        ("return dh, dw, db", "return -dh, -dw, -db"),
    ],
)
def test_a_mistake_of_its_own_on_top_is_not_followed(own, graded):
    result = graded(changed(SLOPE, own), {**STACK, "follow_through": 1})
    assert result.points < 10
    assert points_by_name(result)["dw"] == 0


@pytest.mark.parametrize("body", [*FAILS, "return None", "return 1, 2, 3, 4", "return x, x"])
def test_a_stack_is_right_whatever_its_layers_do(body, graded):
    """What they raise or return, or that they never end, is paid for in their own checks."""
    check = {**STACK, "follow_through": 1, "timeout_s": 1}
    for layer in ("y = np.tanh", "x, w, y = cache"):
        result = graded(changed((layer, f"{body}\n    {layer}")), check)
        assert (result.outcome, result.points) == ("passed", 10), result.message


@pytest.mark.parametrize("forward", ["return -x, caches", "return x[:1], caches", "x = 1 / 0"])
def test_a_right_stack_backward_is_seen_beside_a_wrong_forward(forward, graded):
    source = changed(("return x, caches", forward))
    result = graded(source, {**STACK, "follow_through": 1})
    assert (result.outcome, result.points) == ("passed", 10), result.message


def test_steps_that_ignore_what_comes_from_above_buy_nothing(graded):
    source = (
        changed(
            (RETURNED, "return x - x + 1, w - w + 1, w[0] - w[0] + 1"),
            ("return dh, dw, db", "return dh * 0 + 1, w0(caches) + len(caches), db"),
        )
        + "\n\ndef w0(caches):\n    return 0 * caches[0][1]\n"
    )
    result = graded(source, {**STACK, "follow_through": 1})
    assert points_by_name(result) == {"dx": 0, "dw": 0, "db": 1}


# ----------------------------------------------------------- a function that returns both ---


BOTH = {
    **{key: GRADIENT[key] for key in ("id", "title", "points", "kind")},
    "function": "loss", "forward": "loss", "returns": ["loss", "dx"], "gradients": {"dx": "x"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "points"),
    [
        ("x - y\n", "x - y\n", 10),
        (", x - y", ", 1.001 * (x - y)", 0),
        (", x - y", ", y - x", 0),
        ("0.5 * ((x - y) ** 2).sum()", "((x - y) ** 2).sum()", 10),  # its value is another check's
    ],
)
def test_a_gradient_among_the_functions_own_outputs(old, new, points, graded):
    assert graded(changed((old, new)), BOTH).points == points


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise NotImplementedError", "not_implemented"),
        ("raise ValueError('no')", "exception"),
        ("return None", "not_implemented"),
        ("return x", "wrong_shape"),
        ("while True:\n        pass", "timeout"),
        ("__import__('os')._exit(0)", "crashed"),
    ],
)
def test_a_function_that_fails_earns_nothing_for_its_gradients(body, reason, graded):
    source = changed(("return 0.5 * ((x - y) ** 2).sum(), x - y", body))
    result = graded(source, {**BOTH, "timeout_s": 1})
    assert (result.outcome, result.points, result.reason) == ("failed", 0, reason)


def test_without_the_function_its_gradients_are_missing(graded):
    result = graded(changed(("def loss(", "def another(")), BOTH)
    assert (result.outcome, result.points, result.reason) == ("failed", 0, "missing")


def test_the_gradient_of_ones_own_wrong_loss_is_followed(graded):
    wrong = "0.5 * ((x - 0.9 * y) ** 2).sum(), x - 0.9 * y"
    source = changed(("0.5 * ((x - y) ** 2).sum(), x - y", wrong))
    assert graded(source, {**BOTH, "follow_through": 0.5}).points == 5
    far = changed(("0.5 * ((x - y) ** 2).sum(), x - y", "(x * y**2).sum(), y**2"))
    assert graded(far, {**BOTH, "follow_through": 0.5}).points == 0


# ------------------------------------------------------------------------ rubrics refused ---


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gradients": {"dx": "x", "dw": "w", "db": "bias"}}, "no argument 'bias'"),
        ({"groups": ["rare"]}, "'rare'"),
        ({"shares": {"dx": 0.5, "dw": 0.5}}, "shares"),
        ({"shares": {"dx": 0.5, "dw": 0.3, "db": 0.1}}, "0.9"),
        ({"opaque": ["state"]}, "'state'"),
        ({"builds_on": ["stack_forward"]}, "no check says what layers.stack_forward returns"),
        ({"builds_on": ["layer"]}, "'layer'"),
        ({"gradients": {"dx": "x", "dw": "b", "db": "w"}}, "gradients"),
        ({"follow_through": 1.5}, "follow_through"),
    ],
)
def test_a_check_that_does_not_fit_the_reference_is_refused(change, words, graded):
    with pytest.raises(RubricError) as error:
        graded(RIGHT, {**GRADIENT, **change})
    assert any(words in problem for problem in error.value.problems), error.value.problems


def test_of_two_mistakes_the_one_is_named_that_is_there_with_right_functions(graded):
    """An exception of a layer hides nothing of what is wrong with the stack."""
    raises = ("    da = dy * (1 - y**2)", "    raise ValueError('layers')")
    own = ("return dh, dw, db", "return dh, -dw, db")
    result = graded(changed(raises, own), {**STACK, "follow_through": 1})
    named = {part.name: part.cause and part.cause.id for part in result.parts}
    assert (named["dx"], named["dw"], named["db"]) == (None, "sign", None)
    assert "with a right layer_forward and layer_backward: case depth 2: dw" in result.message
    # So it is where nothing is right.
    own = ("return dh, dw, db", "return -dh, -dw, -db")
    result = graded(changed(raises, own), {**STACK, "follow_through": 1})
    assert (result.points, result.outcome, result.reason) == (0, "failed", "mismatch")
    assert {part.cause.id for part in result.parts} == {"sign"}
    assert "ValueError" not in result.message
    # What has no other cause with right functions stays as it was.
    own = ("return dh, dw, db", "return 1 / 0")
    both = graded(changed(SLOPE, own), {**STACK, "follow_through": 1})
    assert both.message.startswith("case depth 2: stack_backward raised ZeroDivisionError")
