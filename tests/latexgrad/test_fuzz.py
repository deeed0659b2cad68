"""Hostile and broken formulas: always a judgement, a failure or a person, and soon."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latexgrad.limits import MAX_SECONDS
from latexgrad.statements import read_file
from tests.latexgrad.tasks import LSTM_STEP, RNN_SEQUENCE, RNN_STEP, VARIANTS, run

OPTIONS = {"deadline": None, "max_examples": 60}
STUMBLED = "could not be evaluated"  # our reader raised something it should not
TEXTS = [path.read_text(encoding="utf-8") for path in sorted(VARIANTS.glob("*/*.tex"))]
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)
WORDS = (
    *(r"\frac", "{", "}", r"\partial", " L ", "W_x", "h_t", "_", "^", "T", "(", ")", "+", "-", "*"),
    *("=", "&", r"\\", r"\sum_{t=1}^{T}", r"\sum_g", r"\tanh", r"\sigma", "1", "2", "x_t^T", "'"),
    *(r"\begin{cases}", r"\end{cases}", r"\text{for }", r"\left(", r"\right)", r"\nabla_", "d"),
    *(r"\odot", "/", r"\prod_{s=t}^T", r"\forall", ",", r"\mathbf", r"\Rightarrow", "e^", "|", "$"),
    *(r"\{", r"\}", "$$", r"\newcommand{\a}{\a\a}", r"\a", r"\tilde", r"\operatorname{diag}", "I"),
    *(r"\mathbf{1}", r"\sqrt", r"\begin{pmatrix}", "[", "]", "T+1", "9999999999", "{}", r"\hat"),
    *(r"\underbrace", r"\leftarrow", ":", ";", "<", r"\le", r"\in", "#1", "~", "%", "\n\n", "é"),
)


def formula(right: str) -> str:
    """Return an equation for the gradient of b."""
    return r"$$\frac{\partial L}{\partial b} = " + right + "$$"


def settled(check: str, text: str, name: str = "derivations.tex") -> None:
    """Run a check; it must end in a verdict."""
    read_file.cache_clear()
    found = run(check, text, name)
    ended = found.judgement or found.failure or found.pending
    assert ended is not None
    if found.judgement is not None:
        assert 0 <= found.earned <= 1 + 1e-9
    if found.pending is not None:
        assert STUMBLED not in found.pending.message


@settings(**OPTIONS)
@given(st.text(max_size=300), st.sampled_from(["derivations.tex", "derivations.md"]))
def test_any_text(text, name):
    settled("q3.5", f"# RNN step\n{RNN_STEP}\n{text}", name)


@settings(**OPTIONS)
@given(st.lists(st.sampled_from(WORDS), max_size=40), st.sampled_from([RNN_STEP, RNN_SEQUENCE]))
def test_any_formula_made_of_the_words_of_the_language(words, heading):
    check = "q3.5" if heading == RNN_STEP else "q3.6"
    settled(check, f"{heading}{formula(' '.join(words))}")


@pytest.mark.slow
@settings(**OPTIONS | {"max_examples": 30})  # each is tried in several meanings
@given(st.data())
def test_any_spoilt_derivation(data):
    tokens = TOKEN.findall(data.draw(st.sampled_from(TEXTS)))
    for _edit in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(tokens) - 1))
        kind = data.draw(st.sampled_from(["drop", "insert", "repeat"]))
        if kind == "drop" and len(tokens) > 1:
            del tokens[place]
        elif kind == "insert":
            tokens.insert(place, data.draw(st.sampled_from(WORDS)))
        else:
            length = data.draw(st.integers(1, 20))
            tokens[place:place] = tokens[place : place + length]
    text = "".join(tokens)
    for check in ("q3.5", "q3.6", "q4.5", "q4.6"):
        settled(check, text)


def expression(depth: int):
    leaves = st.sampled_from(
        ["h_t", "x_t", "W_x", "W_h^T", "b", "1", r"\frac{\partial L}{\partial h_t}", "y_{t+1}", "0"]
    )
    if depth == 0:
        return leaves
    inner = expression(depth - 1)
    return st.one_of(
        leaves,
        st.tuples(inner, st.sampled_from(["+", "-", "*", r"\odot", r"\cdot", " "]), inner).map(
            lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
        ),
        inner.map(lambda text: rf"\tanh({text})"),
        inner.map(lambda text: rf"{{{text}}}^T"),
        inner.map(lambda text: rf"({text})^2"),
        inner.map(lambda text: rf"\sum_{{t=1}}^T {text}"),
        inner.map(lambda text: rf"\frac{{{text}}}{{2}}"),
    )


@settings(**OPTIONS)
@given(expression(4))
def test_any_formula_of_the_language_is_read_and_judged(text):
    read_file.cache_clear()
    found = run("q3.6", RNN_SEQUENCE + formula(text))
    assert found.judgement is not None, (found.failure or found.pending).message
    (read,) = read_file(f"$$ b = {text} $$", markdown=False).statements
    assert read.problem is None


BOMBS = {
    "nested sums": r"\sum_{t=1}^{T} " * 20 + "h_t",
    "nested products": "".join(rf"\prod_{{s{0}=1}}^{{T}} ".replace("0", "") for _ in range(30))
    + "h_t",
    "wide product": " ".join(["W_h"] * 16),
    "many wide products": " + ".join([" * ".join(["W_h h_t"] * 8)] * 30),
    "powers of powers": "{" * 20 + "9" + "}^{999}" * 20,
    "negative roots": "(-1)^{0.5} h_t",
    "huge number": "9" * 3000,
    "deep brackets": "(" * 5000 + "h_t" + ")" * 5000,
    "deep fractions": r"\frac{1}{" * 3000 + "h_t" + "}" * 3000,
    "deep fonts": r"\mathbf{" * 3000 + "h_t" + "}" * 3000,
    "deep accents": r"\tilde{" * 3000 + "h_t" + "}" * 3000,
    "deep scripts": "h_{" * 3000 + "t" + "}" * 3000,
    "deep functions": r"\tanh" * 3000 + "(h_t)",
    "deep partials": r"\partial " * 3000 + "h_t",
    "many primes": "h_t" + "'" * 5000,
    "long sum": "+".join(["h_t"] * 10000),
    "long range": r"\sum_{t=1}^{999999} h_t",
    "long index": "h_{t+" + "9" * 4000 + "}",
    "many transposes": "h_t" + "^T" * 3000,
    "signs": "-" * 5000 + "h_t",
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("heading", [RNN_STEP, RNN_SEQUENCE], ids=["step", "sequence"])
def test_bombs_end_soon(name, heading):
    check = "q3.5" if heading == RNN_STEP else "q3.6"
    started = time.process_time()
    settled(check, f"{heading}{formula(BOMBS[name])}")
    assert time.process_time() - started < MAX_SECONDS + 2


@pytest.mark.parametrize(
    "text",
    [
        "$$ x = y $$" * 5000,
        "$" * 60_000,
        "\\begin{align}" * 4000,
        "\\section{" * 6000,
        "\\section{a}" * 5000,
        "$$" + "\\\\".join(["\\delta_t = \\delta_{t+1} + \\delta_{t-1}"] * 1500) + "$$",
        "\\newcommand{\\x}[9]{" + "#1" * 400 + "}$$ b = \\x{\\x{\\x{\\x{h}}}} $$",
        pytest.param(
            "".join(
                f"$$\\frac{{\\partial L}}{{\\partial a_{{{n}}}}} = h_t * W_h h_t$$"
                for n in range(550)
            ),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["formulas", "dollars", "open", "braces", "headings", "recursions", "macros", "rules"],
)
def test_files_that_are_too_much_end_soon(text):
    started = time.process_time()
    for check in ("q3.5", "q3.6"):
        settled(check, RNN_STEP + RNN_SEQUENCE + text)
        settled("q4.5", LSTM_STEP + text)
    assert time.process_time() - started < 4 * MAX_SECONDS


@pytest.mark.parametrize("sign", ["<!--", r"\begin{comment}", r"\begin{verbatim}", r"\iffalse "])
def test_what_is_never_closed_is_looked_for_once(sign):
    started = time.process_time()
    settled("q3.5", RNN_STEP + sign * (60_000 // len(sign)))
    assert time.process_time() - started < 1


def test_many_circles_of_own_symbols_end_soon():
    names = [f"a^{{{number}}}" for number in range(60)]
    text = "".join(
        f"$$ {name}_t = W_h^T {names[(n + 1) % 60]}_{{t+1}} + {names[n * 7 % 60]}_t $$"
        for n, name in enumerate(names)
    )
    started = time.process_time()
    settled("q3.6", RNN_SEQUENCE + text)
    assert time.process_time() - started < MAX_SECONDS
