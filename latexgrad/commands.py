"""What the commands of LaTeX mean for a formula: which are looks, which stand for others."""

# ruff: noqa: RUF001 - letters of other alphabets are what is read here

from __future__ import annotations

UNICODE = {
    "∂": r"\partial", "∇": r"\nabla", "∑": r"\sum", "Σ": r"\sum", "∏": r"\prod", "σ": r"\sigma",
    "⊙": r"\odot", "∘": r"\circ", "·": r"\cdot", "⋅": r"\cdot", "×": r"\times", "⊗": r"\otimes",
    "⊤": r"\top", "ᵀ": r"\top", "≤": r"\le", "≥": r"\ge", "∈": r"\in", "∀": r"\forall",
    "−": "-", "←": r"\leftarrow", "⇒": r"\Rightarrow", "→": r"\to", "δ": r"\delta", "τ": r"\tau",
    "′": "'", "…": r"\dots", "≡": r"\equiv", "ℓ": r"\ell", "α": r"\alpha", "β": r"\beta",
    "γ": r"\gamma", "∗": "*", "ε": r"\epsilon", "λ": r"\lambda", "μ": r"\mu", "φ": r"\phi",
    "ϕ": r"\phi", "ψ": r"\psi", "θ": r"\theta", "η": r"\eta", "ω": r"\omega", "ρ": r"\rho",
    "Δ": r"\Delta", "Γ": r"\Gamma", "ζ": r"\zeta", "κ": r"\kappa", "π": r"\pi", "ξ": r"\xi",
    "⋆": "*", "⟨": "<", "⟩": ">", "“": '"', "”": '"', "≔": "=", "⇐": r"\leftarrow", "↦": r"\to",
    "•": "*", "∙": r"\cdot", "⨀": r"\odot", "’": "'", "⊕": r"\oplus",
}  # fmt: skip
# What Unicode sets on top of the letter before it, and small letters that stand for others.
COMBINING = {"\u0303": r"\tilde", "\u0302": r"\hat", "\u0304": r"\bar", "\u0305": r"\bar"}
SMALL = {"ᵀ": "T", "⊤": "T", "ᵗ": "t", "ᶠ": "f", "ᶜ": "c", "ᵍ": "g", "ᵒ": "o", "⁻": "-", "₋": "-"}
# Commands that change the look of a formula and not its meaning.
IGNORED = frozenset(
    rf"\{name}"
    for name in (
        *("left", "right", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr", "Biggl", "Biggr"),
        *("big", "Big", "bigg", "Bigg", "middle", "displaystyle", "textstyle", "scriptstyle"),
        *(
            "limits",
            "nolimits",
            "nonumber",
            "notag",
            "mathstrut",
            "allowbreak",
            "hfill",
            "noindent",
        ),
        *("centering", "small", "large", "normalsize", "boxed", "hline", "qed", "square", "Box"),
        *(
            "Large",
            "LARGE",
            "huge",
            "Huge",
            "footnotesize",
            "scriptsize",
            "tiny",
            "scriptscriptstyle",
        ),
        *("bigstrut", "strut", "cr", "relax", "protect", "toprule", "midrule", "bottomrule"),
        *("blacksquare", "checkmark", "qedhere", "triangleleft", "bigstar", "lozenge"),
        *("mathclose", "mathopen", "mathpunct", "mathinner", "smash", "hfil", "null"),
        *(",", ";", ":", "!", " ", ">", "/", "thinspace", "medspace", "thickspace"),
    )
)
# Commands that are ignored with their argument in braces.
IGNORED_WITH_ARGUMENT = frozenset(
    rf"\{name}"
    for name in (
        *("label", "tag", "tag*", "vspace", "phantom", "color", "vphantom", "hphantom", "eqref"),
        *("ref", "cite", "footnote", "cline", "cmidrule", "definecolor"),
    )
)  # fmt: skip
FONTS = frozenset(
    rf"\{name}"
    for name in (
        *("mathbf", "boldsymbol", "bm", "mathit", "mathcal", "mathscr", "mathsf", "mathtt", "vec"),
        *("mathfrak", "mathbb", "mathrm", "pmb", "mathnormal", "bold", "bf", "underline", "rm"),
        *("mathop", "mathbin", "mathrel", "mathord", "ensuremath", "symbf", "it"),
    )
)
ACCENTS = {
    r"\tilde": r"\tilde", r"\widetilde": r"\tilde", r"\hat": r"\hat", r"\widehat": r"\hat",
    r"\bar": r"\bar", r"\overline": r"\bar", r"\dot": r"\dot", r"\check": r"\check",
}  # fmt: skip
SAME = {
    r"\leq": r"\le", r"\geq": r"\ge", r"\leqslant": r"\le", r"\geqslant": r"\ge", r"\ast": "*",
    r"\dfrac": r"\frac", r"\tfrac": r"\frac", r"\cfrac": r"\frac", r"\gets": r"\leftarrow",
    r"\coloneqq": "=", r"\triangleq": "=", r"\equiv": "=", r"\implies": r"\Rightarrow",
    r"\Longrightarrow": r"\Rightarrow", r"\iff": r"\Rightarrow", r"\therefore": r"\Rightarrow",
    r"\Leftrightarrow": r"\Rightarrow", r"\Longleftrightarrow": r"\Rightarrow",
    r"\ldots": r"\dots", r"\cdots": r"\dots", r"\vdots": r"\dots", r"\intercal": r"\top",
    r"\mathds": r"\mathbb", r"\lbrace": r"\{", r"\rbrace": r"\}", r"\lbrack": "[", r"\rbrack": "]",
    r"\prime": "'", r"\hadamard": r"\odot", r"\bullet": "*", r"\varepsilon": r"\epsilon",
    r"\newline": r"\\", r"\operatorname*": r"\operatorname", r"\qquad": r"\quad",
    r"\lt": "<", r"\gt": ">", r"\dag": r"\top", r"\dagger": r"\top", r"\transpose": r"\top",
    r"\mid": r"\quad", r"\vert": r"\quad", r"|": r"\quad",
    r"\star": "*", r"\doteq": "=", r"\eqdef": "=", r"\coloneq": "=", r"\colon": ":",
    r"\enspace": r"\quad",
    r"\land": r"\quad", r"\Leftarrow": r"\leftarrow", r"\And": r"\quad",
    r"\longleftarrow": r"\leftarrow", r"\boxdot": r"\odot", r"\circledast": r"\odot",
    r"\dotsc": r"\dots", r"\dotsb": r"\dots", r"\ddots": r"\dots",
}  # fmt: skip
# Fonts in which several letters are a word.
UPRIGHT = frozenset(
    (r"\mathrm", r"\rm", r"\mathop", r"\mathsf", r"\mathtt", r"\mathit", r"\mathbf")
)
KEPT = frozenset((r"\{", r"\}", r"\\", r"\|", r"\&", r"\%", r"\_"))
GREEK = frozenset(
    rf"\{name}"
    for name in (
        *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda"),
        *("mu", "nu", "xi", "pi", "rho", "tau", "phi", "varphi", "chi", "psi", "omega", "Delta"),
        *("Gamma", "Lambda", "Phi", "Psi", "Omega", "Theta", "ell", "Sigma", "Pi", "Xi"),
    )
)
# Commands with an argument that stand between formulas.
SEPARATING = frozenset((r"\hspace", r"\hspace*", r"\intertext", r"\shortintertext", r"\mspace"))
# Commands with one argument before the formula that they frame or color.
FRAMES = frozenset(
    (r"\textcolor", r"\colorbox", r"\bbox", r"\class", r"\style", r"\href", r"\hypertarget")
)
LINE_OPENERS = frozenset((r"\operatorname",))
# Commands whose argument is running text.
TEXTS = frozenset(
    rf"\{name}"
    for name in ("text", "textrm", "mbox", "hbox", "textnormal", "textit", "texttt", "textbf",
                 "textsf", "textup", "emph", "fbox", "framebox", "makebox")
)  # fmt: skip

NAMED = r"\named"  # follows a group, and has the name that the student gives to it
