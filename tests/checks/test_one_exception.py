"""One exception costs what raised, and no more; the message shows the way to it."""

import pytest

from tests.checks.toy_layers import CASES, FORWARD, GRADIENT, RIGHT, changed, judge

DA = "da = dy * (1 - y**2)"
Y = "y = np.tanh(x @ w + b)"


@pytest.fixture
def graded(tmp_path, fork_servers):
    def run(source, check):
        return judge(tmp_path, fork_servers, check, source)

    return run


# What stands in front of the right formula, for a case with one row only.
IN_THE_EDGE_CASE = {
    "assert": "assert len(x) > 1",
    "index": "x[1]",
    "not implemented": "if len(x) == 1:\n        raise NotImplementedError('one row')",
    "division": "1 // (len(x) - 1)",
    "key": "{2: 0, 3: 0, 4: 0}[len(x)]",
    "name": "if len(x) < 2:\n        undefined_name",
    "attribute": "if len(x) < 2:\n        x.rows",
    "shape": "if len(x) < 2:\n        x @ np.ones((7, 7))",
    "type": "len(x) < 2 and len(3)",
    "helper": "help_with(x)",
    "unpacking": "first, second, *rest = x",
    "stop": "next(iter(x[1:]))",
}
HELPER = "\n\ndef help_with(x):\n    if len(x) == 1:\n        raise NotImplementedError\n"


@pytest.mark.parametrize("name", IN_THE_EDGE_CASE)
def test_a_forward_loses_the_share_of_the_edge_cases(graded, name):
    result = graded(changed((Y, f"{IN_THE_EDGE_CASE[name]}\n    {Y}")) + HELPER, FORWARD)
    assert (result.outcome, result.points) == ("partial", 7)
    assert "case N=1 D=2 H=2" in result.message


@pytest.mark.parametrize("name", IN_THE_EDGE_CASE)
def test_a_backward_loses_the_share_of_the_edge_cases(graded, name):
    source = changed((DA, f"{IN_THE_EDGE_CASE[name]}\n    {DA}")) + HELPER
    result = graded(source, GRADIENT)
    assert (result.outcome, result.points) == ("partial", 8)
    assert {part.earned for part in result.parts} == {0.8}
    assert "case N=1 D=2 H=2" in result.message
    assert graded(source, {**GRADIENT, "edge_share": 0.5}).points == 5


ENDS_THE_WORKER = {
    "endless loop": ("while len(x) == 1:\n        pass", "did not finish within 1 s"),
    "os._exit": ("len(x) == 1 and __import__('os')._exit(3)", "exited with status 3"),
    "abort": ("len(x) == 1 and __import__('os').abort()", "the process "),
    "segmentation fault": ("len(x) == 1 and __import__('ctypes').string_at(0)", "segmentation"),
    "prints too much": ("while len(x) == 1:\n        print('x' * 1000)", "printed more than"),
}


@pytest.mark.parametrize("name", ENDS_THE_WORKER)
@pytest.mark.parametrize("check", [FORWARD, GRADIENT], ids=["forward", "backward"])
def test_a_special_case_that_ends_the_worker_costs_its_share(graded, name, check):
    text, words = ENDS_THE_WORKER[name]
    line = Y if check is FORWARD else DA
    source = changed((line, f"{text}\n    {line}"))
    result = graded(source, {**check, "timeout_s": 1})
    assert (result.outcome, result.points) == ("partial", 7 if check is FORWARD else 8)
    assert "case N=1 D=2 H=2: " in result.message
    assert words in result.message


MANY = CASES.replace(
    """(1, 2, 2, np.float64, "edge_cases"),""",
    "\n        ".join(f"(1, {d}, 2, np.float64, 'edge_cases')," for d in range(2, 9)),
)


@pytest.mark.parametrize("check", [FORWARD, GRADIENT], ids=["forward", "backward"])
def test_many_special_cases_that_end_the_worker_cost_no_more_than_one(
    tmp_path, fork_servers, check
):
    line = Y if check is FORWARD else DA
    source = changed((line, f"len(x) == 1 and __import__('os')._exit(3)\n    {line}"))
    result = judge(tmp_path, fork_servers, check, source, MANY)
    assert (result.outcome, result.points) == ("partial", 7 if check is FORWARD else 8)


def test_an_ordinary_case_that_ends_the_worker_costs_the_check(graded):
    source = changed((Y, f"while len(x) == 2:\n        pass\n    {Y}"))
    result = graded(source, {**FORWARD, "timeout_s": 1})
    assert (result.outcome, result.points, result.reason) == ("failed", 0, "timeout")


def test_a_gradient_that_is_wrong_in_ordinary_cases_loses_all(graded):
    source = changed((DA, f"assert len(x) != 2\n    {DA}"))
    assert graded(source, GRADIENT).points == 0


def test_a_wrong_forward_does_not_pay_for_a_backward_that_raises(graded):
    cases = ("y = np.tanh(x @ w + b)", "y = np.tanh(x @ w)")
    source = changed(cases, (DA, f"raise ValueError('always')\n    {DA}"))
    assert graded(source, {**GRADIENT, "follow_through": 1.0}).points == 0
    source = changed(cases, (DA, f"assert len(x) > 1\n    {DA}"))
    assert graded(source, {**GRADIENT, "follow_through": 1.0}).points <= 8


def test_where_every_case_is_a_stub_nothing_is_written_yet(graded):
    result = graded(changed((DA, f"raise NotImplementedError\n    {DA}")), GRADIENT)
    assert (result.reason, result.points) == ("not_implemented", 0)
    assert "case" not in result.message


def test_the_innermost_function_is_the_one_that_is_not_implemented(graded):
    source = changed((Y, f"help_with(x[:1])\n    {Y}")) + HELPER
    result = graded(source, FORWARD)
    assert result.reason == "not_implemented"
    assert "layer_forward calls help_with, which is not implemented yet" in result.message


def test_the_lines_that_led_to_an_exception_are_shown_innermost_first(graded):
    source = changed((Y, f"outer(x)\n    {Y}"))
    source += (
        "\n\ndef outer(x):\n    return inner(x, 2)\n\n\ndef inner(x, n):\n    return x[n, 99]\n"
    )
    message = graded(source, FORWARD).message
    inner, outer, own = (
        message.index(text)
        for text in ("in inner: `return x[n, 99]`", "in outer: `return inner(x, 2)`",
                     "in layer_forward: `outer(x)`")
    )  # fmt: skip
    assert inner < outer < own
    assert message.count("; called from layers.py, line ") >= 2


def test_a_recursion_shows_its_frames_once(graded):
    source = changed((Y, f"again(x)\n    {Y}")) + "\n\ndef again(x):\n    return again(x)\n"
    message = graded(source, FORWARD).message.partition("edge_cases")[0]
    assert "RecursionError" in message
    assert message.count("in again: `return again(x)`") == 1


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("y = (v for v in x)", "y is a generator (does it use yield"),
        ("y = map(abs, x)", "y is a map object (use list(...))"),
        ("y = zip(x, x)", "y is a zip object"),
        ("y = range(3)", "y is a range (use np.arange)"),
        ("y = 'the output'", "y is a text ('the output'), expected an array of shape (3, 2)"),
        ("y = {'h': x}", "y is a value of type dict"),
        ("y = [x, x]", "y is a list of 2, expected an array"),
        ("y = None", "is None"),
        ("y = print", "y is a value of type builtin_function_or_method"),
        ("y = layer_forward", "y is a value of type function"),
        ("y = x.__class__", "y is a value of type type"),
    ],
)
def test_what_is_not_an_array_is_named(graded, line, text):
    result = graded(changed((f"{Y}\n    return y, (x, w, y)", f"{line}\n    return y, 0")), FORWARD)
    assert result.points == 0
    assert text in result.message


def test_the_right_module_earns_all():
    assert changed() == RIGHT
