"""Reading LaTeX: blocks, macros, equations, scripts, and the places of what cannot be read."""

from __future__ import annotations

import pytest

from latexgrad import equations, parser, source
from latexgrad.limits import MAX_DEPTH, UnreadableError
from latexgrad.looks import plain_lexemes
from latexgrad.nodes import (
    Apply,
    Gradient,
    Index,
    Number,
    Ones,
    Power,
    Product,
    Quotient,
    Series,
    Sum,
    Symbol,
    Transpose,
)
from latexgrad.statements import read_file

T = Index("t")
H, X = Symbol("h", (), T), Symbol("x", (), T)
HI = Symbol("h", (), Index("i"))
WX = Symbol("W", ("x",))
AB, CD = (["a", "b"], ["="], []), (["c", "d"], ["="], [])


def parsed(text: str):
    return parser.expression(plain_lexemes(text, 0, {}), 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("h_t", H),
        ("h_{t - 1}", Symbol("h", (), Index("t", -1))),
        ("h^{(t-1)}", Symbol("h", (), Index("t", -1))),
        (r"h^{\langle t+1 \rangle}", Symbol("h", (), Index("t", 1))),
        ("h_T", Symbol("h", (), Index("T"))),
        ("h_{T+1}", Symbol("h", (), Index("T", 1))),
        ("h_0", Symbol("h", (), Index(None, 0))),
        ("h_{prev}", Symbol("h", (), Index("t", -1))),
        (r"h_{\text{prev}}", Symbol("h", (), Index("t", -1))),
        ("W_x", WX),
        ("W_x^T", Transpose(WX)),
        (r"W_x^\top", Transpose(WX)),
        (r"W_x^{\mathsf T}", Transpose(WX)),
        (r"W^\mathsf{T}_x", Transpose(WX)),
        ("W_x'", Transpose(WX)),
        ("{W_x}^T", Transpose(WX)),
        ("W_x^f", Symbol("W", ("f", "x"))),
        ("W^{(f)}_x", Symbol("W", ("f", "x"))),
        ("W_{xf}", Symbol("W", ("f", "x"))),
        ("W_{f, x}", Symbol("W", ("f", "x"))),
        (r"W_{\mathrm{xf}}", Symbol("W", ("f", "x"))),
        ("W_x^{fT}", Transpose(Symbol("W", ("f", "x")))),
        (r"W_x^{(f)\top}", Transpose(Symbol("W", ("f", "x")))),
        (r"\mathbf{W}_x", WX),
        (r"\tilde c_t", Symbol(r"\tilde c", (), T)),
        (r"\tilde{c}_t", Symbol(r"\tilde c", (), T)),
        (r"\widetilde{\mathbf c}_{t}", Symbol(r"\tilde c", (), T)),
        (r"\tilde{c_t}", Symbol(r"\tilde c", (), T)),
        ("h_t^2", Power(H, 2.0)),
        (r"h_t^{\odot 2}", Power(H, 2.0)),
        ("h^2_t", Power(H, 2.0)),
        (r"\tanh(h_t)", Apply("tanh", H)),
        (r"\tanh h_t", Apply("tanh", H)),
        (r"\tanh^2(h_t)", Power(Apply("tanh", H), 2.0)),
        (r"\tanh(h_t)^2", Power(Apply("tanh", H), 2.0)),
        (r"\tanh'(h_t)", Apply("tanh", H, 1)),
        (r"\text{sigmoid}(h_t)", Apply("sigmoid", H)),
        (r"\operatorname{Diag}(h_t)", Apply("diag", H)),
        (r"\mathrm{tanh}(h_t)", Apply("tanh", H)),
        ("e^{h_t}", Apply("exp", H)),
        (r"\mathbb 1", Ones()),
        (r"\mathbf{1}", Ones()),
        ("I", Ones(identity=True)),
        (r"\frac{\partial L}{\partial h_t}", Gradient("L", H)),
        (r"\frac{d L}{d h_t}", Gradient("L", H)),
        (r"\frac{\mathrm{d} \mathcal L}{\mathrm{d} h_t}", Gradient("L", H)),
        (r"\partial L / \partial h_t", Gradient("L", H)),
        (r"\nabla_{h_t} L", Gradient("L", H)),
        (r"\nabla_{h_t}", Gradient("L", H)),
        (r"\partial_{h_t} L", Gradient("L", H)),
        ("dh_t", Gradient("L", H)),
        (r"\frac{\partial L(\theta)}{\partial h_t}", Gradient("L", H)),
        (r"\frac{\partial L_t}{\partial h_t}", Gradient("D", H)),
        (r"\frac{\partial D(y_t, \hat y_t)}{\partial h_t}", Gradient("D", H)),
        (r"\frac{\partial \ell^{(t)}}{\partial h^{(t)}}", Gradient("D", H)),
        (r"\frac{h_t}{2}", Quotient(H, Number(2.0))),
        ("h_t / 2", Quotient(H, Number(2.0))),
        ("-h_t", Sum((H,), (-1,))),
        ("1 - h_t", Sum((Number(1.0), H), (1, -1))),
        ("W_x x_t", Product((WX, X), ("",))),
        (r"h_t * h_t \odot h_t", Product((H, H, H), ("*", r"\odot"))),
        (r"\sum_{t=1}^{T} h_t", Series("sum", "t", H, Index(None, 1), Index("T"))),
        (r"\sum_{1 \le t < T} h_t", Series("sum", "t", H, Index(None, 1), Index("T", -1))),
        (r"\sum_{s \ge t} h_s", Series("sum", "s", Symbol("h", (), Index("s")), T, Index("T"))),
        (r"\sum_t h_t", Series("sum", "t", H)),
        (r"\sum_{i=1}^T h_i", Series("sum", "i", HI, Index(None, 1), Index("T"))),
        (r"\sum_t h_t + x_t", Sum((Series("sum", "t", H), X), (1, 1))),
        (r"\bigl[ h_t \bigr]", H),
        (r"\underbrace{h_t}_{\text{state}}", H),
    ],
)  # fmt: skip
def test_expressions(text, expected):
    assert parsed(text) == expected


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("h_t +", 4, "something is missing after +"),
        ("h_t ) x", 4, ") closes nothing"),
        ("( h_t ]", 6, "] closes nothing"),
        (r"\frac{h_t}", 0, r"\frac has no argument"),
        (r"h_t \oint x", 4, r"\oint is not understood"),
        (r"\frac{\partial L}{h_t}", 0, "only one half of the fraction is a derivative"),
        (r"\partial h_t", 0, "a derivative is incomplete"),
        ("h_{t-s}", 3, "an index must be a letter plus or minus a number"),
        ("h_{t-}", 3, "an index is incomplete"),
        (r"\tanh(h_t, x_t)", 0, "the argument of tanh is not understood"),
        ("h_t ; x", 4, "; is not understood"),
        ("h_t \x00", 4, "has no meaning here"),
        ("", 0, "a formula is missing"),
        ("(" * (MAX_DEPTH + 1) + "x" + ")" * (MAX_DEPTH + 1), MAX_DEPTH, "nested too deeply"),
        ("x_{" * 40 + "t" + "}" * 40, None, ""),
        (r"\frac{1}{" * 40 + "x" + "}" * 40, None, "nested too deeply"),
        ("e^{" * 40 + "x" + "}" * 40, None, "nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text, at, message):
    with pytest.raises(UnreadableError) as caught:
        parsed(text)
    assert message in caught.value.message
    assert at is None or caught.value.at == at


def sides(text: str):
    return [
        (
            [name(parser.expression(side, 0)) for side in equation.sides],
            equation.relations,
            ["".join(x.text for x in condition) for condition in equation.conditions],
        )
        for equation in equations.equations(plain_lexemes(text, 0, {}))
    ]


def name(node):
    return node.name if isinstance(node, Symbol) else type(node).__name__


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = b", [(["a", "b"], ["="], [])]),
        ("a &= b = c", [(["a", "b", "c"], ["=", "="], [])]),
        (r"a &= b \\ &= c", [(["a", "b", "c"], ["=", "="], [])]),
        (r"a &= b \\ c &= d", [AB, CD]),
        (r"a &= b & c &= d", [AB, CD]),
        (r"a &=& b \\[2pt] c &=& d", [AB, CD]),
        (r"a = b, \quad c = d", [AB, CD]),
        (r"a = b \Rightarrow c = d", [AB, CD]),
        (r"a = b \text{ and so } c = d", [AB, CD]),
        (r"a &= b \\ &+ c", [(["a", "Sum"], ["="], [])]),
        (r"a = b + \\ c", [(["a", "Sum"], ["="], [])]),
        (r"a = \\ b", [(["a", "b"], ["="], [])]),
        (r"a := b", [(["a", "b"], ["="], [])]),
        (r"a \leftarrow b", [(["a", "b"], ["<-"], [])]),
        (r"a += b", [(["a", "b"], ["+="], [])]),
        (r"a \overset{(1)}{=} b", [(["a", "b"], ["="], [])]),
        (r"a = b \quad \forall 1 \leq t \leq T", [(["a", "b"], ["="], [r"1\let\leT"])]),
        (r"a = b, t = T", [(["a", "b"], ["="], ["t=T"])]),
        (r"a = b, \quad t = T, \dots, 1", [(["a", "b"], ["="], ["t=T", r"\dots", "1"])]),
        (r"a = b. \tag{3} \label{x}", [(["a", "b"], ["="], [])]),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", [AB, CD]),
        ("a", []),
    ],
)  # fmt: skip
def test_equations_chains_and_conditions(text, expected):
    assert sides(text) == expected


def test_blocks_headings_and_comments_are_found_where_they_stand():
    text = (
        "\\section{One}\n% $$ a = b $$\n\\begin{align}\na &= b % c\n\\end{align}\n"
        "Costs 5\\$ and $x$.\n\\subsection*{Two $x$}\n\\[ c \\] "
        "\\begin{verbatim} $$ d $$ \\end{verbatim}"
        "$$ e $$ \\end{document} $$ f $$"
    )
    document = source.read(text, markdown=False)
    assert document.headings == ("One", "One / Two x")
    found = [(block.text.split()[0], block.display, block.heading) for block in document.blocks]
    assert found == [
        ("a", True, "One"),
        ("x", False, "One"),
        ("c", True, "One / Two x"),
        ("e", True, "One / Two x"),
    ]
    first = document.blocks[0]
    assert document.place(first.at + 1) == (4, 1)
    assert text[first.at : first.at + len(first.text)].splitlines()[0] == ""


def test_markdown_has_its_own_headings_and_fences():
    text = (
        "# One\n100% sure\n```math\na = b\n```\n"
        "## Two\n```\n$$ c = d $$\n```\n**Three**\n$$ e = f $$\n"
    )
    document = source.read(text, markdown=True)
    assert document.headings == ("One", "One / Two", "One / Two / Three")
    assert [block.text.strip() for block in document.blocks] == ["a = b", "e = f"]
    assert document.place(document.blocks[0].at)[0] in (3, 4)


def test_a_block_that_is_never_closed_is_a_problem():
    document = source.read("text\n\\begin{align} a = b", markdown=False)
    (problem,) = document.problems
    assert document.place(problem.at) == (2, 1)


def test_macros_are_expanded_with_the_place_of_their_use():
    text = (
        "\\newcommand{\\dd}[2]{\\frac{\\partial #1}{\\partial #2}}\n"
        "\\newcommand\\g[1][L]{\\dd{#1}{h_t}}\\def\\two#1#2{#1 #2}\n"
        "$$\\g = \\g[D_t] + \\two{W_x}{x_t}$$"
    )
    (formula,) = read_file(text, markdown=False).statements
    one, two = formula.sides
    assert one == Gradient("L", H)
    assert two == Sum((Gradient("D", H), Product((WX, X), ("",))), (1, 1))
    assert text[one.at :].startswith("\\g =")


@pytest.mark.parametrize(
    "macros",
    [
        "\\newcommand{\\a}{\\a}",
        "\\newcommand{\\a}{\\b\\b}\\newcommand{\\b}{\\a\\a}",
        "".join(
            f"\\newcommand{{\\{one}}}{{{'' if two is None else (chr(92) + two) * 10}}}"
            for one, two in zip("abcdefgh", [*"bcdefgh", None], strict=True)
        ),
        "\\newcommand{\\a}[1]{#1#1#1\\a{#1#1}}",
        "\\newcommand{\\a}{#3}",
    ],
)
def test_macro_bombs_are_problems_and_not_hangs(macros):
    content = read_file(f"{macros}$$x = \\a{{y}}$$", markdown=False)
    problems = [error for _heading, error in content.problems]
    problems += [formula.problem for formula in content.statements if formula.problem]
    assert problems


def test_cases_become_equations_with_conditions():
    rows = r"x_t & t = T \\ x_{t+1} & \text{if } t < T \\ 0 & \text{otherwise}"
    text = rf"$$h_t = \begin{{cases}} {rows} \end{{cases}}$$"
    formulas = read_file(text, markdown=False).statements
    domains = [(formula.domain.lower, formula.domain.upper) for formula in formulas]
    assert domains == [(Index("T"), Index("T")), (Index(None, 1), Index("T", -1)), (None, None)]
