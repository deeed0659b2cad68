"""A right program in other words computes the same."""

import ast

import numpy as np
import pytest

from grader.isolation.worker.rewrites import rewrites_of

SOURCE = '''
import numpy as np


def f(x, w, flag):
    """Doc."""
    cache = (x, w)
    out = np.zeros((len(x), w.shape[1]))
    for t in range(len(x)):
        out += (x @ w) * (1 - w[0] ** 2) - x[t].sum(axis=0)
    if flag:
        out = out + x.sum(axis=0).sum()
    else:
        out = -out
    total = np.zeros(len(out))
    total += out.T.sum(axis=0)
    scale = 2 if flag else w[0, 0] ** 2
    return np.dot(out.T, x) * scale, total, f"{total.shape}", cache
'''
KINDS = {
    "another function", "another name", "branches exchanged", "copy", "equal formula",
    "list as cache", "list of indices", "not in place", "operands exchanged",
    "other order of a sum", "single precision", "sum over indices", "temporary", "view",
}  # fmt: skip


def values(source, flag):
    rng = np.random.default_rng(0)
    program = {}
    exec(compile(source, "f", "exec"), program)
    return program["f"](rng.normal(size=(4, 4)), rng.normal(size=(4, 3)), flag)


@pytest.mark.parametrize("flag", [True, False])
def test_every_rewrite_gives_the_same_values(flag):
    right = values(SOURCE, flag)
    found = list(rewrites_of(SOURCE, ["f"]))
    assert {one.kind for one in found} == KINDS
    for one in found:
        given = values(one.source, flag)
        assert given[2] == right[2], one.diff
        for theirs, ours in zip([*given[:2], *given[3]], [*right[:2], *right[3]], strict=True):
            rtol = 1e-6 if one.kind == "single precision" else 1e-12
            np.testing.assert_allclose(theirs, ours, rtol=rtol, atol=rtol, err_msg=one.diff)


def test_every_rewrite_is_another_program_and_keeps_the_text_around_it():
    found = list(rewrites_of(SOURCE, ["f"]))
    programs = {ast.dump(ast.parse(one.source)) for one in found}
    assert len(programs) == len(found)
    assert ast.dump(ast.parse(SOURCE)) not in programs
    assert all('"""Doc."""' in one.source for one in found)


def test_what_may_be_a_sequence_is_left_alone():
    source = "import numpy as np\ndef f(x):\n    return [x] + [1], 'a' + x, [0] * 3\n"
    kinds = {one.kind for one in rewrites_of(source, ["f"])}
    assert kinds == {"copy", "view", "temporary"}


def test_methods_are_rewritten_and_functions_of_torch_have_no_functions_of_numpy():
    source = (
        "import torch\nclass A:\n    def f(self, x):\n        y = x @ x\n        return y + x\n"
    )
    found = list(rewrites_of(source, ["A.f"]))
    assert {one.kind for one in found} == {"temporary", "operands exchanged", "another name"}
    assert not any("np." in one.source for one in found)


@pytest.mark.parametrize(
    ("made", "becomes"),
    [
        ("np.zeros((2, 3))", "np.zeros((2, 3), dtype=np.float32)"),
        ("np.zeros(3, dtype=x.dtype)", "np.zeros(3, dtype=np.float32)"),
        ("np.zeros_like(x, dtype=np.float64)", "np.zeros_like(x, dtype=np.float32)"),
        ("np.zeros(3, dtype=bool)", None),
        ("np.zeros(3, x.dtype)", None),  # the type stands among the arguments
        ("np.full(3, 7)", None),  # of integers, as likely as not
        ("np.ones(3, dtype=int)", None),
    ],
)
def test_only_new_arrays_of_numbers_are_made_in_single_precision(made, becomes):
    source = f"import numpy as np\n\n\ndef f(x):\n    return {made}\n"
    found = [one.source for one in rewrites_of(source, ["f"]) if one.kind == "single precision"]
    assert found == ([] if becomes is None else [source.replace(made, becomes)])
