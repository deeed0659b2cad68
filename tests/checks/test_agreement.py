"""What rubric, case file and reference say of each other, and mistakes that have a shape."""

import re

import pytest

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import RubricError
from tests.checks.toy import judged, make

REFERENCE = """
import numpy as np

def scale(x, w, v):
    return x * w * v + x, (x, w, v)

def scale_backward(dout, cache):
    x, w, v = cache
    return dout * (w * v + 1), (dout * x * v).sum(0), (dout * x * w).sum(0)

def twice(x, w, v):
    first, _ = scale(x, w, v)
    return scale(first, w, v)[0]
"""
CASES = """
import numpy as np

from grader.author.cases import Case

from .. import toy as right

def scale(rng):
    yield Case("N=3 D=4", {"x": rng.normal(size=(3, 4)), "w": rng.normal(size=4),
                           "v": rng.normal(size=4)})

twice = scale

def _cache(call, arguments, forward):
    given = {name: arguments[name] for name in ("x", "w", "v")}
    assert forward["out"].shape == given["x"].shape
    return call("scale", given, ["out", "cache"], ["cache"])["cache"]

def _known(x, w, v):
    return {"out": x * w * v + x, "product": w * v}

MISTAKES = {
    "scale": {
        "it is summed over the batch": lambda x, w, v: right.scale(x, w, v)[0].sum(0),
        "v is forgotten": lambda x, w, v: right.scale(x, w, 1)[0],
    },
    "scale_backward": {
        "dw is not summed": lambda a, d: {"dw": d["out"] * a["x"] * a["v"]},
    },
}
CACHES = {"scale_backward": _cache}
INTERMEDIATES = {"scale": _known}
"""
CHECKS = """
      - {id: q1.1, title: forward, points: 1, kind: forward, function: scale,
         returns: [out, cache], opaque: [cache]}
      - {id: q1.2, title: backward, points: 2, kind: gradient, function: scale_backward,
         forward: scale, returns: [out, cache], opaque: [cache],
         gradients: {dx: x, dw: w, dv: v}}
      - {id: q1.3, title: twice, points: 1, kind: forward, function: twice, returns: [h],
         builds_on: [scale], follow_through: 0.5}
"""


def written(folder, checks=CHECKS, reference=REFERENCE, cases=CASES):
    rubric = make(folder, checks)
    (folder / "reference" / "toy.py").write_text(reference)
    (folder / "reference" / "cases" / "toy.py").write_text(cases)
    return rubric


def problems(rubric):
    with pytest.raises(RubricError) as error:
        load_rubric(rubric, KINDS)
    return [line.removeprefix(f"{rubric}:") for line in error.value.problems]


def test_what_agrees_has_no_problem(tmp_path):
    assert load_rubric(written(tmp_path), KINDS).max_score == 4


@pytest.mark.parametrize("table", ["MISTAKES", "CACHES", "INTERMEDIATES", "COMPARISONS"])
def test_a_key_that_names_no_function_is_told_with_its_line(table, tmp_path):
    extra = f"\n{table} = {{**globals().get({table!r}, {{}}),\n    'scael': {{}},\n}}\n"
    (found,) = problems(written(tmp_path, cases=CASES + extra))
    line = (CASES + extra).splitlines().index("    'scael': {},") + 1
    assert found == (
        f"8: reference/cases/toy.py:{line}: {table}: 'scael' is neither a function nor a generator "
        "of cases (did you mean 'scale'?)"
    )


def test_keys_of_functions_that_the_rubric_leaves_out_are_no_problem(tmp_path):
    first = CHECKS.partition("      - {id: q1.2")[0].replace("points: 1", "points: 4")
    assert load_rubric(written(tmp_path, first), KINDS).max_score == 4


def test_a_table_that_is_none_is_told(tmp_path):
    found = problems(written(tmp_path, cases=CASES + "\nMISTAKES = [1]\n"))
    assert "8: reference/cases/toy.py: MISTAKES must be a dictionary by function" in found


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('{"dw": d["out"]', '{"dW": d["out"]', "returns 'dW', which is not one of dx, dw, dv"),
        ("right.scale(x, w, 1)[0]", "right.scale(x, w, 1)", "must return one value for each of"),
        ("right.scale(x, w, 1)[0]", "1 / 0", "raised ZeroDivisionError: division by zero"),
        ('("x", "w", "v")}', '("x", "v", "w")}',
         "CACHES of scale_backward does not give the reference's"),
        ('call("scale", given', 'call("scales", given', "CACHES of scale_backward fails"),
        ('forward["out"].shape ==', 'forward["out"].shape !=', "CACHES of scale_backward fails"),
        ('"out": x * w * v + x', '"out": x * w * v', "INTERMEDIATES of scale: out is not what"),
        ('return {"out": x * w', 'return {"out": x @ w', "INTERMEDIATES of scale fails"),
        ('return {"out": x * w * v + x, "product": w * v}', "return x", "must return a dictionary"),
    ],
)  # fmt: skip
def test_an_entry_that_does_not_fit_its_function_is_told(old, new, words, tmp_path):
    assert old in CASES
    found = problems(written(tmp_path, cases=CASES.replace(old, new)))
    assert any(words in line for line in found), found


@pytest.mark.parametrize(
    ("gradients", "words"),
    [
        ("{dw: w, dx: x, dv: v}", ("dw: at this position the reference's scale_backward returns "
         "an array of shape (3, 4), but w has shape (4,)")),
        ("{dx: x, dv: v, dw: w}", ("dv: at this position the reference's scale_backward returns "
         "the gradient of w: swap dv and dw")),
        ("{dx: x, dw: w}", "the reference scale_backward returns 3 values, but the rubric names 2"),
    ],
)  # fmt: skip
def test_gradients_in_another_order_are_told(gradients, words, tmp_path):
    checks = CHECKS.replace("{dx: x, dw: w, dv: v}", gradients)
    (found,) = problems(written(tmp_path, checks))
    assert found.startswith("15: q1.2: gradients: ")
    assert words in found


def test_the_order_of_the_reference_is_guessed_where_shapes_allow(tmp_path):
    cases = CASES.replace('"v": rng.normal(size=4)', '"v": rng.normal(size=(1, 4))')
    reference = REFERENCE.replace("(dout * x * w).sum(0)", "(dout * x * w).sum(0, keepdims=True)")
    checks = CHECKS.replace("{dx: x, dw: w, dv: v}", "{dv: v, dx: x, dw: w}")
    found = problems(written(tmp_path, checks, reference, cases))
    assert "the reference's order seems to be dx, dw, dv" in found[0]


def test_other_numbers_of_outputs_are_told(tmp_path):
    found = problems(written(tmp_path, CHECKS.replace("returns: [h]", "returns: [h, c]")))
    assert any("q1.3: returns: the reference twice returns" in line for line in found)


def test_a_reference_that_fails_is_left_to_grading(tmp_path):
    reference = REFERENCE.replace("first, _ =", "raise OSError; first, _ =")
    assert load_rubric(written(tmp_path, reference=reference), KINDS).max_score == 4


def test_the_reference_is_not_run_where_that_is_not_asked_for(tmp_path):
    reference = REFERENCE.replace("first, _ =", "raise SystemExit; first, _ =")
    cases = CASES.replace('{"dw": d["out"]', '{"dW": d["out"]')
    rubric = written(tmp_path, reference=reference, cases=cases)
    assert load_rubric(rubric, KINDS, run_reference=False).max_score == 4


VALUES = """
      - {id: q1.1, title: line, points: 4, kind: values, function: Line, driver: toy.line,
         cases: line, shares: {values: 0.75, edge_cases: 0.25}, outputs: {value: 0.5, slope: 0.5}}
"""


def test_outputs_that_the_driver_does_not_return_are_told(tmp_path):
    rubric = make(tmp_path, VALUES.replace("slope: 0.5", "slpoe: 0.5"))
    (found,) = problems(rubric)
    assert "q1.1: outputs: the driver toy.line returns no 'slpoe' (did you mean 'slope'?)" in found


def test_a_comparison_that_refuses_the_reference_is_told(tmp_path):
    rubric = make(tmp_path, VALUES)
    with (tmp_path / "reference" / "cases" / "toy.py").open("a") as file:
        file.write("\nCOMPARISONS['line'] = lambda *_: 'never'\n")
    (found,) = problems(rubric)
    assert "q1.1: cases: COMPARISONS of line refuses the reference: never" in found


RIGHT = REFERENCE


@pytest.mark.parametrize(
    ("check", "old", "new", "cause"),
    [
        ("q1.1", "return x * w * v + x,", "return (x * w * v + x).sum(0),",
         "it is summed over the batch"),
        ("q1.2", "(dout * x * v).sum(0)", "dout * x * v", "dw is not summed"),
    ],
)  # fmt: skip
def test_a_known_mistake_of_a_wrong_shape_is_named(check, old, new, cause, tmp_path, fork_servers):
    assert old in RIGHT
    results = judged(written(tmp_path), {"toy.py": RIGHT.replace(old, new)}, fork_servers)
    assert results[check].reason == "wrong_shape"
    assert f"these are exactly the values you get when {cause}" in results[check].message


def test_other_values_of_that_shape_are_not_named(tmp_path, fork_servers):
    wrong = RIGHT.replace("return x * w * v + x,", "return (x * w * v + 2 * x).sum(0),")
    result = judged(written(tmp_path), {"toy.py": wrong}, fork_servers)["q1.1"]
    assert result.reason == "wrong_shape"
    assert re.search("shape", result.message)
    assert "these are exactly" not in result.message


SIGN = ("dout * (w * v + 1), (dout", "dout * (w * v + 1), -(dout")


def test_a_wrong_sign_in_a_reference_is_a_problem_with_its_line(tmp_path):
    (found,) = problems(written(tmp_path, reference=REFERENCE.replace(*SIGN)))
    assert re.match(r"\d+: q1.2: gradients: dw: reference/toy.py:\d+, scale_backward, gives", found)
    assert "than the derivative of scale by w" in found
    assert found.endswith("(case N=3 D=4); is a sign wrong?")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("dout * (w * v + 1)", "dout * (w * v + 1.01)"),  # a little off
        ("dout * (w * v + 1)", "dout * w * v"),  # a term
        ("(dout * x * v).sum(0)", "(dout * x * v).mean(0)"),
        ("(dout * x * w).sum(0)", "np.zeros_like(v)"),
    ],
)
def test_a_gradient_that_is_not_the_derivative_is_a_problem(old, new, tmp_path):
    assert old in REFERENCE
    (found,) = problems(written(tmp_path, reference=REFERENCE.replace(old, new)))
    assert "than the derivative of scale" in found


def test_a_surrogate_gradient_is_left_alone(tmp_path):
    checks = CHECKS.replace("gradients: {", "surrogate: [dw], gradients: {")
    rubric = written(tmp_path, checks, REFERENCE.replace(*SIGN))
    assert load_rubric(rubric, KINDS).max_score == 4
    (found,) = problems(written(tmp_path / "b", checks.replace("[dw]", "[dz]")))
    assert "surrogate: 'dz' is not one of the gradients" in found


@pytest.mark.parametrize(
    ("forward", "slope"),
    [
        ("np.maximum(x, 0)", "(x > 0)"),  # 0 at its kink, differences give one half
        ("np.abs(x)", "np.sign(x)"),
        ("x * 1e12", "1e12"),
        ("np.tanh(x * 1e4)", "1e4 * (1 - np.tanh(x * 1e4) ** 2)"),
        ("x + rng.normal(size=x.shape)", "1"),  # another number at every call
    ],
)
def test_what_differences_cannot_tell_is_no_problem(forward, slope, tmp_path):
    reference = (
        "import numpy as np\nrng = np.random.default_rng(0)\n"
        f"def f(x):\n    return {forward}, x\n"
        f"def f_backward(dout, x):\n    return dout * {slope}\n"
    )
    cases = (
        "import numpy as np\nfrom grader.author.cases import Case\n"
        "def f(rng):\n    x = rng.normal(size=(3, 4))\n    x[0] = 0\n"
        "    yield Case('some', {'x': x})\n"
    )
    checks = """
      - {id: q1.1, title: f, points: 4, kind: gradient, function: f_backward, forward: f,
         returns: [out, cache], opaque: [cache], gradients: {dx: x}}
"""
    assert load_rubric(written(tmp_path, checks, reference, cases), KINDS).max_score == 4


DRIVER = """
def grads(module, x, params):
    loss, found = module.loss(x, **params)
    return {"loss": loss, **{f"d{name}": value for name, value in found.items()}}
"""
LOSS = """
import numpy as np

def loss(x, w, b):
    out = x @ w + b
    return (out ** 2).sum(), {"w": 2 * x.T @ out, "b": 2 * out.sum(0)}
"""
LOSS_CASES = """
from grader.author.cases import Case

def loss(rng):
    params = {"w": rng.normal(size=(4, 2)), "b": rng.normal(size=2)}
    yield Case("N=3", {"x": rng.normal(size=(3, 4)), "params": params})
"""
LOSS_CHECKS = """
      - {id: q1.1, title: loss, points: 4, kind: values, function: loss, driver: toy.grads,
         outputs: {loss: 0.5, dw: 0.25, db: 0.25}}
"""


@pytest.mark.parametrize("sign", ["", "-"])
def test_gradients_that_a_driver_returns_are_derivatives_of_its_number(sign, tmp_path):
    reference = LOSS.replace('"b": 2', f'"b": {sign}2')
    rubric = written(tmp_path, LOSS_CHECKS, reference, LOSS_CASES)
    (tmp_path / "reference" / "drivers" / "toy.py").write_text(DRIVER)
    if not sign:
        assert load_rubric(rubric, KINDS).max_score == 4
        return
    (found,) = problems(rubric)
    assert "the driver toy.grads on the reference: db is something else than" in found


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("x + x * (v * w), None", ""),
        ("x - x * (v * w), None", "and reference/toy.py differ in case N=3 D=4: out: 12 of 12"),
        ("x.none", "AttributeError"),
        ("x", "scale returns one value, expected 2 values"),
    ],
)
def test_a_second_solution_that_differs_is_a_problem(body, words, tmp_path):
    rubric = written(tmp_path)
    (tmp_path / "reference" / "second").mkdir()
    second = tmp_path / "reference" / "second" / "toy.py"
    second.write_text(f"def scale(x, w, v):\n    return {body}\n")
    if not words:
        assert load_rubric(rubric, KINDS).max_score == 4
        return
    (found,) = problems(rubric)
    assert "q1.1: function: reference/second/toy.py" in found
    assert words in found
