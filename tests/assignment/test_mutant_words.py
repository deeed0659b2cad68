"""A change of the reference in words: what stands where, and not more of the solution than that."""

import pytest

from grader.assignment.mutant_words import MAX_SHOWN, description
from grader.isolation.worker.mutants import mutants_of

SOURCE = """def step(x, prev_h, Wx, Wh, b):
    a = x @ Wx + prev_h @ Wh + b
    f, i = np.split(a, 2, axis=1)
    total = 0
    out = np.zeros_like(a)
    for t in range(len(x)):
        total += a[t]
        out[t] = np.tanh(a[t])
        keep(out)
    if total.sum() > 0:
        out = out.T
    return out, (f, i)
"""


def described():
    """Return the description of each changed line."""
    found = {}
    for mutant in mutants_of(SOURCE, {"step"}):
        new = [line[1:].strip() for line in mutant.diff.splitlines() if line.startswith("+")]
        found.setdefault(" / ".join(new), description(mutant))
    return found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("a = (x @ Wx + prev_h @ Wh) - b", "`-` is used for `+` where a is computed"),
        ("a = (x @ Wx + prev_h @ Wh)", "`+ b` is missing where a is computed"),
        ("a = Wx @ x + prev_h @ Wh + b", None),
        ("a = -(x @ Wx + prev_h @ Wh + b)", "the sign is wrong where a is computed"),
        ("a = x @ Wx + x @ Wh + b", "`x` is used for `prev_h` where a is computed"),
        ("a = x @ Wx + prev_h @ Wh.T + b", "`.T` is added where a is computed"),
        ("f, i = np.split(a, 3, axis=1)", "`3` is used for `2` where f and i are computed"),
        ("(i, f) = np.split(a, 2, axis=1)",
         "the values are in another order where f and i are computed"),
        ("total = a[t]", "`=` is used for `+=` where total is computed"),
        ("out[t] += np.tanh(a[t])", "`+=` is used for `=` where out is computed"),
        ("out[t] = a[t]", "`a[t]` is used for `np.tanh(a[t])` where out is computed"),
        ("for t in reversed(range(len(x))):", "something else is used where the loop begins"),
        ("for t in range(len(x))[1:]:", "`[1:]` is added where the loop begins"),
        ("keep(a)", "`a` is used for `out` in the call of keep"),
        ("if total.sum() >= 0:", "`>=` is used for `>` in a condition"),
        ("out = out", "a matrix is not transposed (`.T` is missing) where out is computed"),
        ("return (out,)", "`(f, i)` is missing in what is returned"),
        ("return ((f, i), out)", "the values are in another order in what is returned"),
    ],
)  # fmt: skip
def test_a_change_is_said_by_what_stands_where(change, words):
    found = described()
    if words is None:
        words = "the operands are exchanged where a is computed"
        change = next(new for new in found if new.startswith("a = (Wx @ x)") or "Wx @ x" in new)
    assert found[change] == words


def test_every_change_has_words_and_long_parts_of_a_formula_are_not_told():
    for mutant in mutants_of(SOURCE, {"step"}):
        words = description(mutant)
        assert " where " in words or " in " in words, (mutant.diff, words)
        shown = words.split("`")[1::2]
        assert all(0 < len(text) <= MAX_SHOWN for text in shown), words
        assert "x @ Wx + prev_h @ Wh" not in words
