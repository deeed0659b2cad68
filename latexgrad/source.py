"""The formulas in a file: where they stand, under which headings, and which macros it defines.

Offsets are kept: what must not be read (comments, code) is blanked, not removed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from .ascii_math import formula_in, is_typst, to_latex
from .limits import FILES_KEPT, MAX_BYTES, UnreadableError

ENVIRONMENTS = (
    *("equation", "align", "gather", "multline", "eqnarray", "flalign", "alignat", "displaymath"),
    *("math", "dmath", "dgroup"),
)
LEVELS = {
    name: level
    for level, name in enumerate(
        ("part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph")
    )
}
MARKDOWN_LEVEL = LEVELS["section"]  # "#" is a section
BOLD_LEVEL = 10  # a line in bold is a heading at the lowest level

_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*")
# What is not read, from the sign that opens it to the one that closes it.
_HIDDEN = {
    r"\begin{verbatim}": re.compile(r"\\end\{verbatim\}"),
    r"\begin{lstlisting}": re.compile(r"\\end\{lstlisting\}"),
    r"\begin{comment}": re.compile(r"\\end\{comment\}"),
    "<!--": re.compile("-->"),
    "```": re.compile("^```", re.MULTILINE),
    r"\iffalse": re.compile(r"\\(?:fi|else)(?![A-Za-z])"),
}
_HIDES = re.compile(
    r"\\begin\{(?:verbatim|lstlisting|comment)\}|<!--|^```|\\iffalse(?![A-Za-z])", re.MULTILINE
)
_TEX_FENCE = re.compile(r"^```[ \t]*(?:la)?tex\b[ \t]*$(.*?)^```", re.DOTALL | re.MULTILINE)
_MATH_FENCE = re.compile(r"^```math\b(.*?)^```", re.DOTALL | re.MULTILINE)
_PLAIN_FENCE = re.compile(
    r"^```[ \t]*(?:te?xt|plain|math|typst)?[ \t]*$(.*?)^```", re.DOTALL | re.MULTILINE
)
_GITHUB_INLINE = re.compile(r"\$`([^`\n]+)`\$")
_MACRO = re.compile(
    r"\\(?:re)?(?:newcommand|DeclareMathOperator|providecommand)\*?\s*\{?\s*(\\[A-Za-z]+)\s*\}?"
    r"\s*(?:\[(\d)\])?\s*(?:\[([^\]\n]*)\])?\s*(?=\{)"
    r"|\\def\s*(\\[A-Za-z]+)((?:#\d)*)\s*(?=\{)"
)
_EVENT = re.compile(
    r"\\(?P<heading>part|chapter|(?:sub)*section|(?:sub)?paragraph)\*?\s*\{"
    r"|\\begin\{(?P<environment>" + "|".join(ENVIRONMENTS) + r")(?P<star>\*?)\}"
    r"|(?P<open>\\\[|\\\(|\$\$|(?<!\\)\$)"
    r"|^(?P<hashes>\#{1,6})[ \t]*(?P<title>[^\n]+)"
    r"|^[ \t]*(?:\*\*|__|\\textbf\{)(?P<bold>[^\n*_}]{3,120})(?:\*\*|__|\})[ \t:.\\]*$"
    r"|\\(?P<end>end)\{document\}",
    re.MULTILINE,
)
_LATEX_HEADING = re.compile(r"\\(?:part|chapter|(?:sub)*section)\*?\s*\{|\\end\{document\}")
_MARKDOWN_HEADING = re.compile(r"^\#{1,6}[ \t]+\S", re.MULTILINE)
_ARGUMENT = re.compile(r"\s*\{\s*\d+\s*\}")  # of alignat: how many columns
# What only formulas contain, or what includes formulas from another file.
_STRAY = re.compile(
    r"\\[dt]?frac(?![A-Za-z])|\\(?:partial|nabla)(?![A-Za-z])|∂"
    r"|\\(?:input|include|includegraphics|includepdf|tikz)(?![A-Za-z])|!\[[^\]\n]*\]\("
    r"|<(?:img|object|embed|iframe|svg|math)\b|!\[\[|\.(?:png|jpe?g|pdf|heic|docx?)\b"
    r"|\bd[A-Za-z]\w*\s*/\s*d[A-Za-z]|\bd[A-Z]?\w{1,6}\s*=\s*\S",
    re.IGNORECASE,
)
_LINE = re.compile(r"[^\n]+")
_BEGIN = re.compile(r"\\begin\{([A-Za-z]+\*?)\}")
_CLOSING = {r"\[": r"\]", r"\(": r"\)", "$$": "$$", "$": "$"}
_MARKUP = re.compile(r"\\[A-Za-z]+\s*|[{}$*_\\]")


@dataclass(frozen=True)
class Macro:
    """A macro of the file: ``arguments`` says how many, ``default`` is that of the first."""

    name: str
    arguments: int
    body: str
    default: str | None = None


@dataclass(frozen=True)
class Block:
    """A piece of mathematics. ``heading`` is the path of headings above it.

    A ``translated`` one was not written in LaTeX: only the place where it begins is known.
    """

    text: str
    at: int
    heading: str
    display: bool
    translated: bool = False


@dataclass(frozen=True)
class Document:
    """What a file holds. ``strays`` are formulas outside mathematics, by the heading above them."""

    text: str
    blocks: tuple[Block, ...]
    headings: tuple[str, ...]
    macros: dict[str, Macro]
    problems: tuple[UnreadableError, ...] = ()
    strays: tuple[tuple[str, UnreadableError], ...] = ()

    def place(self, at: int) -> tuple[int, int]:
        """Return line and column of an offset, counted from 1."""
        return place_in(self.text, at)

    @property
    def has_mathematics(self) -> bool:
        """Whether there is any formula, readable or not."""
        return bool(self.blocks or self.problems or self.strays)


def with_newlines(text: str) -> str:
    r"""Return a text whose lines end in ``\n``, wherever it was written: offsets count in it."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def place_in(text: str, at: int) -> tuple[int, int]:
    """Return line and column of an offset, counted from 1."""
    before = text[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1


@lru_cache(maxsize=FILES_KEPT)
def read(text: str, *, markdown: bool) -> Document:
    """Find headings, macros and formulas.

    Raises:
        UnreadableError: the file is too large.
    """
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise UnreadableError(f"the file is larger than {MAX_BYTES // 1024} KiB", 0)
    text = with_newlines(text)
    fenced = _without_fences(text) if markdown else text
    visible = _without_hidden(fenced)
    if not markdown:
        visible = _COMMENT.sub(lambda m: m[1] + " " * (len(m[0]) - len(m[1])), visible)
    macros, visible = _macros(visible)
    return _scanned(text, visible, macros, markdown=markdown)


def _without_fences(text: str) -> str:
    """Return Markdown in which fenced formulas stand as others do; it is as long as before."""
    text = _GITHUB_INLINE.sub(r"$ \1 $", text)
    text = _TEX_FENCE.sub(_unfenced, _MATH_FENCE.sub(_displayed, text))
    return _PLAIN_FENCE.sub(
        lambda found: _unfenced(found) if any(map(formula_in, found[1].splitlines())) else found[0],
        text,
    )


def _displayed(found: re.Match[str]) -> str:
    """Return a fenced block of mathematics between dollars, as long as it was."""
    return f"     $${found[1]}$$ "


def _unfenced(found: re.Match[str]) -> str:
    """Return a fenced block of LaTeX without its fences, as long as it was."""
    opening = found.start(1) - found.start()
    return f"{' ' * opening}{found[1]}   "


def _without_hidden(text: str) -> str:
    """Return a text in which comments and code are blank; what is never closed hides nothing."""
    pieces: list[str] = []
    unclosed: set[str] = set()  # looked for once: the time must not grow with the square
    kept = at = 0
    while (opening := _HIDES.search(text, at)) is not None:
        at = opening.end()
        if opening[0] in unclosed:
            continue
        closing = _HIDDEN[opening[0]].search(text, at)
        if closing is None:
            unclosed.add(opening[0])
            continue
        at = closing.end()
        pieces += [text[kept : opening.start()], re.sub(r"[^\n]", " ", text[opening.start() : at])]
        kept = at
    return "".join([*pieces, text[kept:]])


def _macros(text: str) -> tuple[dict[str, Macro], str]:
    """Return the macros that a file defines, and its text with the definitions blanked."""
    found: dict[str, Macro] = {}
    braces = _braces(text)
    place = 0
    while match := _MACRO.search(text, place):
        end = braces.get(match.end())
        if end is None:
            place = match.end()
            continue
        name = match[1] or match[4]
        arguments = int(match[2] or 0) if match[1] else (match[5] or "").count("#")
        body = text[match.end() + 1 : end]
        if "DeclareMathOperator" in match[0]:
            body = rf"\operatorname{{{body}}}"
        found[name] = Macro(name, arguments, body, match[3])
        text = text[: match.start()] + " " * (end + 1 - match.start()) + text[end + 1 :]
        place = end + 1
    return found, text


def _braces(text: str) -> dict[int, int]:
    """Return where each brace is closed, in one pass; those that never are, are left out."""
    opened: list[int] = []
    pairs: dict[int, int] = {}
    for found in re.finditer(r"\\.|[{}]", text, re.DOTALL):
        if found[0] == "{":
            opened.append(found.start())
        elif found[0] == "}" and opened:
            pairs[opened.pop()] = found.start()
    return pairs


def _scanned(text: str, visible: str, macros: dict[str, Macro], *, markdown: bool) -> Document:
    scan = _Scan(visible, markdown=markdown)
    scan.run()
    found = (tuple(scan.blocks), tuple(scan.headings), macros, tuple(scan.problems))
    return Document(text, *found, tuple(scan.strays))


class _Scan:
    """Goes through a file once, from heading to heading and formula to formula."""

    def __init__(self, visible: str, *, markdown: bool) -> None:
        self._visible = visible
        self._braces = _braces(visible)
        self._markdown = markdown
        self._path: list[tuple[int, str]] = []
        self.headings: list[str] = []
        self.blocks: list[Block] = []
        self.problems: list[UnreadableError] = []
        self.strays: list[tuple[str, UnreadableError]] = []

    def run(self) -> None:
        """Find everything."""
        place = 0
        while event := _EVENT.search(self._visible, place):
            self._outside(place, event.start())
            if event["end"]:
                return
            place = self._heading(event) if _is_heading(event) else self._block(event)
        self._outside(place, len(self._visible))

    def _outside(self, start: int, end: int) -> None:
        """Note the first formula in a stretch of text that is not mathematics."""
        body = self._visible.find(r"\begin{document}", start, end)
        start = max(start, body)
        read = self._plain_formulas(start, end)
        stray = next(
            (
                found
                for found in _STRAY.finditer(self._visible, start, end)
                if not any(first <= found.start() < last for first, last in read)
            ),
            None,
        )
        if stray is None:
            return
        around = [
            name[0]
            for name in _BEGIN.finditer(self._visible, start, stray.start())
            if self._visible.find(rf"\end{{{name[1]}}}", name.end(), stray.start()) < 0
        ]
        if stray[0].startswith(r"\in"):
            what = f"the grader does not read what {stray[0]} includes"
        elif stray[0].startswith(("!", "<", ".")):
            what = "the grader does not read pictures or other documents"
        else:
            inside = f", in {around[-1]}" if around and around[-1] != r"\begin{document}" else ""
            what = f"{stray[0]} is outside mathematics{inside}"
        heading = self.headings[-1] if self.headings else ""
        self.strays.append((heading, UnreadableError(what, stray.start())))

    def _plain_formulas(self, start: int, end: int) -> list[tuple[int, int]]:
        """Take lines that are formulas without LaTeX; return where they stand."""
        read: list[tuple[int, int]] = []
        heading = self.headings[-1] if self.headings else ""
        for line in _LINE.finditer(self._visible, start, end):
            found = formula_in(line[0])
            latex = to_latex(found["formula"]) if found else None
            if found and latex:
                at = line.start() + found.start("formula")
                self.blocks.append(Block(latex, at, heading, display=True, translated=True))
                read.append((line.start(), line.end()))
        return read

    def _heading(self, event: re.Match[str]) -> int:
        """Enter a heading; return where to continue."""
        if event["bold"]:
            self._enter(BOLD_LEVEL, event["bold"])
        elif event["hashes"]:
            if self._markdown:
                title = event["title"].strip("# \t")
                self._enter(MARKDOWN_LEVEL + len(event["hashes"]) - 1, title)
        else:
            end = self._braces.get(event.end() - 1)
            if end is not None:
                self._enter(LEVELS[event["heading"]], self._visible[event.end() : end])
                return end + 1
        return event.end()

    def _enter(self, level: int, title: str) -> None:
        while self._path and self._path[-1][0] >= level:
            self._path.pop()
        self._path.append((level, " ".join(_MARKUP.sub(" ", title).split())))
        self.headings.append(" / ".join(name for _level, name in self._path))

    def _block(self, event: re.Match[str]) -> int:
        """Take a formula; return where to continue."""
        start = event.end()
        if event["environment"] == "alignat" and (columns := _ARGUMENT.match(self._visible, start)):
            start = columns.end()
        close = _closing(event)
        end = self._visible.find(close, start)
        inline = event["open"] in ("$", r"\(")
        if end < 0 or self._runs_on(event, start, end):
            if not inline:
                self.problems.append(UnreadableError(f"{event[0]} is never closed", event.start()))
            return start
        inner = self._visible[start:end]
        if self._markdown:
            inner = _COMMENT.sub(lambda m: m[1] + " " * (len(m[0]) - len(m[1])), inner)
        heading = self.headings[-1] if self.headings else ""
        latex = to_latex(inner) if is_typst(inner) else None
        if latex is not None:
            self.blocks.append(Block(latex, start, heading, display=True, translated=True))
        else:
            self.blocks.append(Block(inner, start, heading, not inline))
        return end + len(close)

    def _runs_on(self, event: re.Match[str], start: int, end: int) -> bool:
        r"""Say whether what closes a formula is the end of a later one, in the next part perhaps.

        Without this, one forgotten ``\end{align}`` would swallow the heading of the next part, and
        the formulas there would be lost.
        """
        if event["open"] in ("$", r"\("):
            return "\n\n" in self._visible[start:end]
        inner = self._visible[start:end]
        if event["environment"] and event[0] in inner:
            return True
        heading = _MARKDOWN_HEADING if self._markdown else _LATEX_HEADING
        return heading.search(inner) is not None


def _is_heading(event: re.Match[str]) -> bool:
    return bool(event["heading"] or event["hashes"] or event["bold"])


def _closing(event: re.Match[str]) -> str:
    if event["environment"]:
        return rf"\end{{{event['environment']}{event['star']}}}"
    return _CLOSING[event["open"]]
