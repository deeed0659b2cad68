"""Kind ``forward``: near misses, groups of cases, and what one's own wrong helpers cost."""

import pytest

from grader.errors import RubricError
from tests.checks.toy_layers import CASES, FORWARD, RIGHT, changed, judge

Y = "y = np.tanh(x @ w + b)"
STACK = {
    **FORWARD, "function": "stack_forward", "returns": ["h", "caches"], "opaque": ["caches"],
    "builds_on": ["layer_forward"], "shares": {"values": 1.0},
}  # fmt: skip
# Of an output y: what is returned in its place, and the reason that the report gives.
NEAR_MISSES = {
    "scaled by 1.001": ("1.001 * y", "mismatch"),
    "scaled by 0.999": ("0.999 * y", "mismatch"),
    "turned around": ("-y", "mismatch"),
    "zeros": ("0 * y", "mismatch"),
    "shifted": ("y + 1e-4", "mismatch"),
    "one entry": ("y + 1e-3 * (np.arange(y.size) == 0).reshape(y.shape)", "mismatch"),
    "one entry is NaN": ("np.where(np.arange(y.size).reshape(y.shape) == 0, np.nan, y)",
                         "not_finite"),
    "infinite": ("y / 0", "not_finite"),
    "transposed": ("y.T", "wrong_shape"),
    "one axis more": ("y[None]", "wrong_shape"),
    "complex": ("y + 0j", "wrong_dtype"),
    "text": ("'y'", "wrong_dtype"),
    "nested lists": ("y.tolist()", "wrong_shape"),
    "rounded to half precision": ("y.astype(np.float16)", "mismatch"),
}  # fmt: skip


@pytest.fixture
def graded(tmp_path, fork_servers):
    """Judge a module with the check of layer_forward, or another one."""

    def run(source=RIGHT, check=FORWARD, cases=CASES):
        return judge(tmp_path, fork_servers, check, source, cases)

    return run


def returning(text):
    """Return the right module, whose layer_forward returns an expression of ``y`` in its place."""
    return changed(("return y, (x, w, y)", f"return {text}, (x, w, y)"))


def earned(result):
    return {part.name: part.earned for part in result.parts}


def test_a_right_function_earns_everything(graded):
    result = graded()
    assert (result.outcome, result.points, result.message) == ("passed", 10, "")
    assert earned(result) == {"values": 1, "edge_cases": 1}
    assert result.measurements["cases"] == 4


@pytest.mark.parametrize("miss", NEAR_MISSES)
def test_a_near_miss_earns_nothing(miss, graded):
    text, reason = NEAR_MISSES[miss]
    result = graded(returning(text))
    assert (result.outcome, result.points, result.reason) == ("failed", 0, reason)
    assert "y" in result.message


@pytest.mark.parametrize(("factor", "points"), [("1 + 0.9e-6", 10), ("1 + 1.1e-6", 0)])
def test_the_tolerance_is_met_to_a_tenth_of_itself(factor, points, graded):
    check = {**FORWARD, "rtol": 1.0e-6, "atol": 0.0}
    assert graded(returning(f"y * ({factor})"), check).points == points


def test_inputs_in_float32_have_their_own_tolerance(graded):
    source = returning("y * (1 + 1e-4 * (y.dtype == np.float32))")
    assert graded(source).points == 10
    assert graded(source, {**FORWARD, "rtol_float32": 1.0e-5}).points == 0


@pytest.mark.parametrize(
    ("text", "usual", "exact"),
    [("y", 10, 10), ("y.astype(np.float64)", 10, 0), ("np.asfortranarray(y)", 10, 10)],
)
def test_the_type_counts_only_where_the_rubric_says_so(text, usual, exact, graded):
    assert graded(returning(text)).points == usual
    result = graded(returning(text), {**FORWARD, "exact_dtype": True})
    assert result.points == exact
    assert result.reason == (None if exact else "wrong_dtype")


def test_an_edge_case_costs_its_share(graded):
    result = graded(returning("y + (len(x) == 1)"))
    assert earned(result) == {"values": 1, "edge_cases": 0}
    assert (result.outcome, result.points, result.reason) == ("partial", 7, "mismatch")
    assert "edge_cases" in result.message
    assert "N=1 D=2 H=2" in result.message


def test_edge_cases_earn_nothing_while_the_usual_ones_are_wrong(graded):
    result = graded(returning("y * (len(x) == 1)"))
    assert earned(result) == {"values": 0, "edge_cases": 0}
    assert "edge_cases" not in result.message  # one message, about the common cases


def test_one_usual_case_is_enough_to_lose_the_usual_ones(graded):
    result = graded(returning("y + (len(x) == 2)"))
    assert result.points == 0
    assert "N=2 D=3 H=5" in result.message
    result = graded(returning("y + (len(x) > 1)"))
    assert "N=3 D=4 H=2" in result.message  # the first; the others are counted
    assert "3 of 3" in result.message


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise ValueError('no')", "exception"),
        ("raise NotImplementedError", "not_implemented"),
        ("return None", "not_implemented"),
        ("return y", "wrong_shape"),
        ("return y, x, w", "wrong_shape"),
    ],
)
def test_a_function_that_fails_or_returns_another_number_earns_nothing(body, reason, graded):
    result = graded(changed(("return y, (x, w, y)", body)))
    assert (result.outcome, result.points, result.reason) == ("failed", 0, reason)


def test_an_exception_in_an_edge_case_costs_its_share(graded):
    result = graded(changed((Y, f"assert len(x) > 1\n    {Y}")))
    assert (result.outcome, result.points, result.reason) == ("partial", 7, "exception")


def test_without_the_function_it_is_missing(graded):
    result = graded("x = 1\n")
    assert (result.outcome, result.points, result.reason) == ("failed", 0, "missing")


def test_what_is_opaque_is_not_looked_at(graded):
    assert graded(changed(("return y, (x, w, y)", "return y, object()"))).points == 10


def test_changed_arguments_are_a_note_or_a_loss(graded):
    source = changed((Y, f"{Y}\n    x *= 2"))
    result = graded(source)
    assert (result.outcome, result.points) == ("passed", 10)
    assert any("x" in note for note in result.notes)
    result = graded(source, {**FORWARD, "mutation": "fail"})
    assert (result.outcome, result.points, result.reason) == ("failed", 0, "mutated_input")


# ------------------------------------------------------------------- mistakes with a name ---


def test_a_known_mistake_is_named(graded):
    result = graded(changed((Y, "y = np.tanh(x @ w)")))
    assert (result.points, result.reason) == (0, "mismatch")
    assert "the bias is forgotten" in result.message


def test_a_known_mistake_of_the_wrong_shape_is_named(graded):
    result = graded(returning("y[:, :-1]"))
    assert (result.points, result.reason) == (0, "wrong_shape")
    assert "the last column is left out" in result.message


@pytest.mark.parametrize("text", ["1.001 * np.tanh(x @ w)", "np.tanh(x @ w)[::-1]", "x @ w"])
def test_what_only_resembles_a_known_mistake_is_not_named(text, graded):
    result = graded(returning(text))
    assert result.points == 0
    assert "the bias is forgotten" not in result.message


# ------------------------------------------------------------ built from smaller functions ---


WRONG_LAYER = (Y, "y = np.tanh(2 * x @ w + b)")


@pytest.mark.parametrize("fraction", [0.5, 1])
def test_what_is_built_from_a_wrong_function_is_run_again_with_a_right_one(fraction, graded):
    result = graded(changed(WRONG_LAYER), {**STACK, "follow_through": fraction})
    assert result.points == 10 * fraction
    if fraction == 1:
        assert result.outcome == "passed"
        assert any("layer_forward" in note for note in result.notes)
    else:
        assert (result.outcome, result.reason) == ("partial", "mismatch")
        assert "layer_forward" in result.message


def test_without_the_key_it_earns_nothing(graded):
    assert graded(changed(WRONG_LAYER), {**STACK, "follow_through": 0}).points == 0


@pytest.mark.parametrize(
    "own",
    [
        ("return x, caches", "return 1.001 * x, caches"),
        ("return x, caches", "return -x, caches"),
        ("return x, caches", "return x + np.nan, caches"),
        ("return x, caches", "return x[:, :-1], caches"),
        ("range(depth)", "range(depth - 1)"),
    ],
)
def test_a_mistake_of_its_own_on_top_is_not_followed(own, graded):
    assert graded(changed(WRONG_LAYER, own), {**STACK, "follow_through": 1}).points == 0


@pytest.mark.parametrize(
    "layer",
    ["0 * x", "x + w + b", "None", "x[:1]", "1 / 0", "x.no_such", "exec('while True: pass')"],
)
def test_a_stack_is_right_whatever_its_layer_does(layer, graded):
    result = graded(changed((Y, f"y = {layer}")), {**STACK, "follow_through": 1, "timeout_s": 1})
    assert (result.outcome, result.points) == ("passed", 10)
    assert "right when tested with a right layer_forward" in result.notes[-1]


@pytest.mark.parametrize("layer", ["0 * x", "x", "x + w + b", "np.tanh(x)"])
def test_a_stack_that_only_fits_its_own_wrong_layer_earns_nothing(layer, graded):
    source = changed(
        (Y, f"y = {layer}"),
        ("x, cache = layer_forward(x, w, b)", f"x, cache = {layer}, layer_forward(x, w, b)[1]"),
    )
    assert graded(source, {**STACK, "follow_through": 1}).points == 0


@pytest.mark.parametrize(
    "call",
    [
        "layer_forward(x=x, w=w, b=b)",
        "layer_forward(x, b=b, w=w)",
        "LAYERS['tanh'](x, w, b)",
        "(lambda *given: LAYERS['tanh'](*given))(x, w, b)",
        "globals()['layer_forward'](x, w, b)",
    ],
)
def test_a_function_is_answered_however_it_is_called(call, graded):
    source = changed(
        WRONG_LAYER,
        ("x, cache = layer_forward(x, w, b)", f"x, cache = {call}"),
        ("def stack_forward", "LAYERS = {'tanh': layer_forward}\n\n\ndef stack_forward"),
    )
    assert graded(source, {**STACK, "follow_through": 1}).points == 10


def test_a_call_with_arguments_that_do_not_fit_is_the_callers_mistake(graded):
    source = changed(WRONG_LAYER, ("layer_forward(x, w, b)", "layer_forward(x, w.T[:1], b)"))
    assert graded(source, {**STACK, "follow_through": 1}).points == 0


def test_a_layer_that_is_right_in_other_words_costs_nothing(graded):
    other = changed(
        (
            "x, cache = layer_forward(x, w, b)",
            "x, cache = np.tanh(np.einsum('nd,dh->nh', x, w) + b), 0",
        )
    )
    assert graded(other, {**STACK, "follow_through": 0.5}).outcome == "passed"


# ------------------------------------------------------------------------- rubrics refused ---


@pytest.mark.parametrize(
    ("check", "change", "words"),
    [
        (FORWARD, {"function": "layer"}, "'layer'"),
        (FORWARD, {"shares": {"values": 1.0}}, "'edge_cases'"),
        (FORWARD, {"shares": {"edge_cases": 1.0}}, "'values'"),
        (FORWARD, {"shares": {"values": 0.7, "edge_cases": 0.2}}, "0.9"),
        (FORWARD, {"shares": {"values": 0.6, "edge_cases": 0.3, "rare": 0.1}}, "'rare'"),
        (FORWARD, {"opaque": ["state"]}, "'state'"),
        (FORWARD, {"returns": ["y"], "opaque": []}, "returns"),
        (FORWARD, {"follow_through": 0.5}, "builds_on"),
        (STACK, {"builds_on": ["stack_backward"]}, "no check says what layers.stack_backward"),
        (STACK, {"builds_on": ["layer"]}, "'layer'"),
        (STACK, {"follow_through": -1}, "follow_through"),
    ],
)
def test_a_check_that_does_not_fit_the_reference_is_refused(check, change, words, graded):
    with pytest.raises(RubricError) as error:
        graded(RIGHT, {**check, **change})
    assert any(words in problem for problem in error.value.problems), error.value.problems
