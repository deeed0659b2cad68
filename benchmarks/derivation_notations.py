"""Notations for ``make derivations``: one thing at a time, and several at once."""

# ruff: noqa: E501, RUF001 - tables with a row for each; letters of other alphabets are what is read

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

from benchmarks.derivation_writeups import Notation, varied

PLAIN = Notation()
RNN = ("q3.5", "q3.6")
STEPS = ("q3.5", "q4.5")
LSTM = ("q4.5", "q4.6")
SEQUENCES = ("q3.6", "q4.6")
Formulas = list[tuple[str, str]]


def _lines(before: str, between: str, after: str, sign: str = " = ") -> Callable[[Formulas], str]:
    def block(formulas: Formulas) -> str:
        rows = [f"{left}{sign}{right}" for left, right in formulas]
        return before + between.join(rows) + after

    return block


def _each(form: str) -> Callable[[Formulas], str]:
    return lambda formulas: "\n".join(
        form.replace("LEFT", left).replace("RIGHT", right) for left, right in formulas
    )


def _name(text: str) -> Callable[[str, str], str]:
    """Return names for the gradient by a preactivation, from a pattern with GATE and TIME."""

    def pre(gate: str, time: str) -> str:
        return text.replace("GATE", gate or "y").replace("TIME", time)

    return pre


ALIGN = _lines("\\begin{align}\n", " \\\\\n", "\n\\end{align}", " &= ")
GROUPS: dict[str, dict[str, dict[str, object]]] = {
    "times": {name: {"times": sign} for name, sign in {
        "asterisk": "*", "circ": r"\circ", "otimes": r"\otimes", "bullet": r"\bullet",
        "unicode": "⊙", "ast": r"\ast", "star": r"\star", "boxdot": r"\boxdot",
    }.items()},
    "transpose": {name: {"transpose": lambda of, sign=sign: f"{of}^{sign}"} for name, sign in {
        "top": r"\top", "mathsf": r"{\mathsf{T}}", "mathrm": r"{\mathrm{T}}", "intercal": r"\intercal",
        "lower t": "t", "tr": r"{\mathrm{tr}}", "dagger": r"\dagger", "small": r"{\scriptstyle T}",
        "text": r"{\text{T}}", "unicode": "{⊤}",
    }.items()} | {
        "in front": {"transpose": lambda of: f"{{}}^t {of}"},
        "primed": {"transpose": lambda of: f"({of})'"},
    },
    "gradient": {name: {"gradient": form} for name, form in {
        "slash": lambda by: rf"\partial L / \partial {by}",
        "nabla": lambda by: rf"\nabla_{{{by}}} L",
        "nabla of loss": lambda by: rf"\nabla L_{{{by}}}",
        "operator": lambda by: rf"\frac{{\partial}}{{\partial {by}}} L",
        "upright d": lambda by: rf"\frac{{\mathrm{{d}} L}}{{\mathrm{{d}} {by}}}",
        "deltas": lambda by: rf"\frac{{\delta L}}{{\delta {by}}}",
        "dfrac": lambda by: rf"\dfrac{{\partial \mathcal{{L}}}}{{\partial {by}}}",
        "J": lambda by: rf"\frac{{\partial J}}{{\partial {by}}}",
        "E": lambda by: rf"\frac{{\partial E}}{{\partial {by}}}",
        "ell": lambda by: rf"\frac{{\partial \ell}}{{\partial {by}}}",
        "word": lambda by: rf"\frac{{\partial \text{{Loss}}}}{{\partial {by}}}",
    }.items()},
    "loss of any name": {name: {
        "gradient": lambda by, name=name: rf"\frac{{\partial {name}}}{{\partial {by}}}",
        "parts": ("q3.5", "q4.5"),
    } for name in (r"\varepsilon", "S", r"\Phi", "Q", "R", r"\mathcal{J}")},
    "prefix": {name: {"gradient": lambda by, mark=mark: f"{mark} {by}", "parts": STEPS}
               for name, mark in {"d": "d", "upright d": r"\mathrm{d}", "delta": r"\delta",
                                  "Delta": r"\Delta"}.items()},
    "time": {
        "superscript": {"at": lambda letter, time: f"{letter}^{{({time})}}"},
        "angles": {"at": lambda letter, time: rf"{letter}^{{\langle {time} \rangle}}"},
        "brackets": {"at": lambda letter, time: f"{letter}({time})", "parts": RNN,
                     "tanh_slope": lambda value: f"(1 - {value} {PLAIN.times} {value})",
                     "transpose": lambda of: f"({of})^T"},
        "square brackets": {"at": lambda letter, time: f"{letter}^{{[{time}]}}"},
    },
    "weight": {
        "two letters": {"weight": lambda of, _gate: f"W_{{{of}h}}", "parts": RNN},
        "library": {"weight": lambda of, _gate: "W_{ih}" if of == "x" else "W_{hh}",
                    "bias": lambda _gate: "b_{h}", "parts": RNN},
        "U and W": {"weight": lambda of, _gate: "U" if of == "x" else "W", "parts": RNN},
        "V and R": {"weight": lambda of, _gate: "V" if of == "x" else "R", "parts": RNN},
        "A and B": {"weight": lambda of, _gate: "A" if of == "x" else "B",
                    "bias": lambda _gate: "c", "parts": ("q3.5",)},
        "numbers": {"weight": lambda of, _gate: "W_1" if of == "x" else "W_2", "parts": ("q3.5",)},
        "gate below": {"weight": lambda of, gate: f"W_{{{of}{gate}}}",
                       "bias": lambda gate: f"b_{{{gate}}}", "parts": LSTM},
        "gate below, input above": {"weight": lambda of, gate: f"W_{{{gate}}}^{{{of}}}",
                                    "bias": lambda gate: f"b_{{{gate}}}", "parts": LSTM},
        "W and U with gates": {"weight": lambda of, g: f"W_{{{g}}}" if of == "x" else f"U_{{{g}}}",
                               "bias": lambda gate: f"b_{{{gate}}}", "parts": LSTM},
        "U and V with gates": {"weight": lambda of, g: f"U^{{{g}}}" if of == "x" else f"V^{{{g}}}",
                               "parts": LSTM},
        "brackets": {"weight": lambda of, gate: f"W^{{({gate})}}_{{{of}}}",
                     "bias": lambda gate: f"b^{{({gate})}}", "parts": LSTM},
        "bold": {"weight": lambda of, gate: rf"\mathbf{{W}}_{of}" + (f"^{{{gate}}}" if gate else "")},
        "without a subscript": {"weight": lambda of, _gate: f"W{of}", "parts": RNN},
    },
    "values": {
        "s for h": {"letters": {"h": "s"}, "parts": RNN},
        "z for y": {"letters": {"y": "z"}, "parts": RNN},
        "a for y": {"letters": {"y": "a"}, "parts": RNN},
        "capital cell": {"letters": {"c": "C"}, "parts": LSTM},
        "capital candidate": {"letters": {"c": "C", "g": r"\tilde C", "_c": r"\tilde C"}, "parts": LSTM},
        "hat": {"letters": {"g": r"\hat c", "_c": r"\hat c"}, "parts": LSTM},
        "bar": {"letters": {"g": r"\bar c", "_c": r"\bar c"}, "parts": LSTM},
        "wide tilde": {"letters": {"g": r"\widetilde{c}", "_c": r"\widetilde{c}"}, "parts": LSTM},
        "g": {"letters": {"g": "g", "_c": "g"}, "parts": LSTM},
        "z candidate": {"letters": {"g": "z", "_c": "z"}, "parts": LSTM},
        "u candidate": {"letters": {"g": "u", "_c": "u"}, "parts": LSTM},
        "primed candidate": {"letters": {"g": "c'", "_c": "c'"}, "parts": ("q4.5",),
                             "tanh_slope": lambda value: f"(1 - {value} {PLAIN.times} {value})"},
        "plain c as label": {"letters": {"_c": "c"}, "parts": LSTM},
        "z as preactivation": {"letters": {"a": "z"}, "parts": LSTM},
        "bold": {"letters": {n: rf"\mathbf{{{n}}}" for n in "xhcfioya"} | {"g": r"\tilde{\mathbf{c}}"}},
    },
    "own names": {name: {"pre": _name(text)} for name, text in {
        "delta": r"\delta^{GATE}_{TIME}", "delta below": r"\delta_{GATE,TIME}",
        "nested": r"\delta_{GATE_{TIME}}", "bracketed": r"\delta^{(GATE)}_{TIME}",
        "epsilon": r"\epsilon^{GATE}_{TIME}", "e": r"e^{GATE}_{TIME}", "word": r"\text{grad}^{GATE}_{TIME}",
        "bar": r"\bar{z}^{GATE}_{TIME}", "capital": r"\Delta^{GATE}_{TIME}", "r": r"r^{GATE}_{TIME}",
        "d with gate": r"dz^{GATE}_{TIME}", "upright dz": r"\mathrm{d}z^{GATE}_{TIME}",
        "g": r"\nu^{GATE}_{TIME}",
    }.items()},
    "cell": {name: {"cell": lambda time, text=text: text.replace("TIME", time), "parts": ("q4.5",)}
             for name, text in {
        "delta c": r"\delta^c_{TIME}", "delta of c": r"\delta c_{TIME}", "bar": r"\bar c_{TIME}",
        "primed": r"c'_{TIME}", "S": r"S_{TIME}", "dc": r"dc_{TIME}", "star": r"c^*_{TIME}",
        "nested": r"\delta_{c_{TIME}}", "hat": r"\hat c_{TIME}", "word": r"\text{total}_{TIME}",
    }.items()},
    "slope": {name: {"tanh_slope": form} for name, form in {
        "product": lambda v: f"(1 - {v} {PLAIN.times} {v})", "square": lambda v: rf"(1 - ({v})^{{\odot 2}})",
        "ones": lambda v: rf"(\mathbf{{1}} - {v}^2)", "ones with size": lambda v: f"(1_H - {v}^2)",
        "e": lambda v: f"(e - {v} {PLAIN.times} {v})", "other order": lambda v: f"(-{v}^2 + 1)",
        "factored": lambda v: f"(1 - {v}) {PLAIN.times} (1 + {v})",
        "sized brackets": lambda v: rf"\left(1 - {v}^2\right)", "square brackets": lambda v: f"[1 - {v}^2]",
    }.items()} | {
        "function": {"tanh_slope": lambda _v: r"\tanh'(y_t)", "parts": RNN},
        "named function": {"tanh_slope": lambda _v: r"\phi'(y_t)", "parts": RNN,
                           "before": r"With $\phi(z) = \tanh(z)$:"},
        "prime command": {"tanh_slope": lambda _v: r"\tanh^{\prime}(y_t)", "parts": RNN},
        "of the preactivation": {"tanh_slope": lambda _v: r"(1 - \tanh^2(y_t))", "parts": RNN},
        "bare tanh": {"tanh_slope": lambda _v: r"(1 - tanh^2(y_t))", "parts": RNN},
        "sech": {"tanh_slope": lambda _v: r"\operatorname{sech}^2(y_t)", "parts": RNN},
    },
    "sum": {name: {"total": form, "parts": SEQUENCES} for name, form in {
        "without limits": lambda b: rf"\sum_t {b}", "tau": lambda b: rf"\sum_{{t=1}}^{{\tau}} {b}",
        "N": lambda b: rf"\sum_{{t=1}}^{{N}} {b}", "limits": lambda b: rf"\sum\limits_{{t=1}}^{{T}} {b}",
        "between": lambda b: rf"\sum_{{1 \le t \le T}} {b}", "set": lambda b: rf"\sum_{{t \in \{{1, \dots, T\}}}} {b}",
        "listed": lambda b: rf"\sum_{{t = 1, 2, \dots, T}} {b}", "backwards": lambda b: rf"\sum_{{t=T}}^{{1}} {b}",
        "brackets": lambda b: rf"\sum_{{t=1}}^{{T}} \left[ {b} \right]",
    }.items()},
    "layout": {
        "rows": {"layout": "rows"}, "stored": {"layout": "stored"},
        "shaped": {"layout": "shaped", "times": "", "parts": RNN,
                   "tanh_slope": lambda v: rf"\operatorname{{diag}}(1 - {v}^2)"},
        "rows, own name": {"layout": "rows", "pre": _name(r"\delta^{GATE}_{TIME}")},
        "stored, own name": {"layout": "stored", "pre": _name(r"\delta^{GATE}_{TIME}")},
    },
    "block": {name: {"block": form} for name, form in {
        "align": ALIGN, "gather": _lines("\\begin{gather}\n", " \\\\\n", "\n\\end{gather}"),
        "aligned": _lines("$$\n\\begin{aligned}\n", " \\\\\n", "\n\\end{aligned}\n$$", " &= "),
        "align in dollars": _lines("$$\n\\begin{align*}\n", " \\\\\n", "\n\\end{align*}\n$$", " &= "),
        "array": _lines("$$\n\\begin{array}{rcl}\n", " \\\\\n", "\n\\end{array}\n$$", " &=& "),
        "cases": _lines("$$\n\\begin{cases}\n", " \\\\\n", "\n\\end{cases}\n$$"),
        "brace": _lines("$$\\left\\{\\begin{aligned}\n", " \\\\\n", "\n\\end{aligned}\\right.$$"),
        "boxes": _each("$$\\boxed{LEFT = RIGHT}$$"), "group": _each("$${\\large LEFT = RIGHT}$$"),
        "color": _each("$$\\textcolor{blue}{LEFT = RIGHT}$$"), "inline": _each("- $LEFT = RIGHT$"),
        "github": _each("- $`LEFT = RIGHT`$"), "numbered": _each("1. $$LEFT = RIGHT$$"),
        "quad": _lines("$$", " \\qquad ", "$$"), "commas": _lines("$$", ",\\quad ", "$$"),
        "hspace": _lines("$$", " \\hspace{1cm} ", "$$"), "blank text": _lines("$$", ", \\text{ } ", "$$"),
        "and": _lines("$$", " \\quad \\text{and} \\quad ", "$$"), "tags": _each("$$LEFT = RIGHT \\tag{1}$$"),
        "labels": _each("$$\\text{Gradient: } LEFT = RIGHT$$"), "letters": _each("$$(a)\\; LEFT = RIGHT$$"),
        "remark": _each("$$LEFT = RIGHT \\quad \\text{(by the chain rule)}$$"),
        "defined": _each("$$LEFT := RIGHT$$"), "equiv": _each("$$LEFT \\equiv RIGHT$$"),
        "arrows": _each("$$\\Rightarrow LEFT = RIGHT.$$"), "brackets": _each("\\[ LEFT = RIGHT \\]"),
        "equation": _each("\\begin{equation}\nLEFT = RIGHT\n\\end{equation}"),
        "macro": lambda f: "\\newcommand{\\is}{=}\n" + _each("$$LEFT \\is RIGHT$$")(f),
        "math fence": _each("```math\nLEFT = RIGHT\n```"), "list": _each("* Gradient: $$LEFT = RIGHT$$"),
    }.items()},
    "time letter": {name: {"edit": lambda text, new=new: re.sub(r"(?<=[_{])t(?=[}+\-=])", new, text),
                           "parts": ("q3.6",)} for name, new in {"n": "n", "k": "k", "tau": r"\\tau"}.items()},
    "steps": {
        "next and prev": {"at": lambda letter, time: f"{letter}_{{" + {
            "t": "next" if letter == "h" else "t", "t-1": "prev"}.get(time, time) + "}", "parts": ("q3.5",)},
        "words": {"at": lambda letter, time: {"t-1": rf"\text{{prev\_{letter}}}"}.get(
            time, f"{letter}_{{{time}}}"), "parts": ("q3.5",)},
        "one": {"edit": lambda text: text.replace("{t-1}", "{0}").replace("{t}", "{1}"),
                "parts": ("q3.5",)},
    },
}  # fmt: skip


def one_at_a_time() -> Iterator[Notation]:
    """Yield notations in which one thing is unusual."""
    yield PLAIN
    for group, choices in GROUPS.items():
        for name, changes in choices.items():
            yield varied(PLAIN, f"{group}: {name}", **changes)


def several_at_once(count: int, seed: int = 1) -> Iterator[Notation]:
    """Yield notations in which three to six things are unusual, drawn at random."""
    rng = random.Random(seed)
    names = [group for group in GROUPS if group not in ("time letter", "steps", "prefix")]
    while count:
        chosen: dict[str, object] = {}
        parts = set(PLAIN.parts)
        title: list[str] = []
        for group in rng.sample(names, rng.randint(3, 6)):
            name, changes = rng.choice(list(GROUPS[group].items()))
            if chosen.keys() & (changes.keys() - {"parts"}):
                continue
            if any(name.split()[0] == other.split(": ")[1].split()[0] for other in title):
                continue  # c' for the candidate and for the gradient by the cell
            parts &= set(changes.get("parts", PLAIN.parts))  # type: ignore[arg-type]
            chosen |= {key: value for key, value in changes.items() if key != "parts"}
            title.append(f"{group}: {name}")
        if parts and len(title) > 2:
            count -= 1
            ordered = tuple(part for part in PLAIN.parts if part in parts)
            yield varied(PLAIN, "; ".join(title), **chosen, parts=(rng.choice(ordered),))
