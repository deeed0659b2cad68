"""What a student's file states: each equation as a statement, everything else as a problem."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from . import equations, parser, source
from .equations import Equation
from .function_names import function_names, with_functions
from .limits import FILES_KEPT, MAX_STATEMENTS, MAX_TOKENS, UnreadableError
from .looks import plain_lexemes
from .network import BATCH, LAST, TIME
from .nodes import Index, Node, Series, parts, scripts_in
from .rewrites import usual
from .scripts import series_range
from .sentences import named_in_sentences
from .tokens import Lexeme, braced
from .words import starts_remark

WEIGHT = "W"
# What in running text is more than the mention of a symbol.
_EQUATION = re.compile(
    r"=.*\\(?:d?frac|partial|nabla|delta)|\\(?:d?frac|partial|nabla|delta).*=", re.DOTALL
)


@dataclass(frozen=True)
class Domain:
    """For which times a rule holds: from lower to upper, or everywhere.

    ``members`` are those of a set that ``variable`` is in: gates, for which alone it holds.
    """

    lower: Index | None = None
    upper: Index | None = None
    members: tuple[str, ...] = ()
    variable: str = ""

    @property
    def limited(self) -> bool:
        """Whether it holds for some times only."""
        return self.lower is not None or self.upper is not None


EVERYWHERE = Domain()


@dataclass(frozen=True)
class Statement:
    """One equation as written. ``sides`` that cannot be read hold the error in their place."""

    text: str
    at: int
    heading: str
    display: bool
    sides: tuple[Node | UnreadableError, ...]
    relations: tuple[str, ...]
    domain: Domain
    number: int
    ends: int = 0  # where its block of mathematics ends

    @property
    def problem(self) -> UnreadableError | None:
        """Why it cannot be read, if it cannot."""
        return next((side for side in self.sides if isinstance(side, UnreadableError)), None)


@dataclass(frozen=True)
class FileContent:
    """A file, read: the same for all checks."""

    document: source.Document
    statements: tuple[Statement, ...]
    problems: tuple[tuple[str, UnreadableError], ...]


@lru_cache(maxsize=FILES_KEPT)
def read_file(text: str, *, markdown: bool) -> FileContent:
    """Read a file.

    Raises:
        UnreadableError: it is too large.
    """
    document = source.read(text, markdown=markdown)
    statements: list[Statement] = []
    problems: list[tuple[str, UnreadableError]] = [("", found) for found in document.problems]
    problems += document.strays
    lexed = _lexed(document, problems)
    if not any(_has_subscript(lexemes) for _block, lexemes in lexed):
        lexed = [(block, _with_subscripts(lexemes)) for block, lexemes in lexed]
    words = equations.defined_words(lexemes for _block, lexemes in lexed)
    functions = function_names(lexemes for _block, lexemes in lexed)
    for block, lexemes in lexed:
        try:
            found, rest = equations.equations_and_rest(with_functions(lexemes, functions), words)
        except UnreadableError as error:
            problems += _problems(block, [error])
            continue
        problems += _problems(block, rest)
        for equation in found:
            if len(statements) >= MAX_STATEMENTS:
                raise UnreadableError("the file holds too many formulas", equation.at)
            for statement in _statements(equation, block, len(statements)):
                if block.display or statement.problem is None:
                    statements.append(statement)
                else:
                    problems += _problems(block, [statement.problem])
    return FileContent(document, tuple(statements), tuple(problems))


def _has_subscript(found: Sequence[Lexeme]) -> bool:
    """Say whether a weight has a subscript or superscript: then ``Wx`` is a product."""
    return any(
        lexeme.text == WEIGHT and place + 1 < len(found) and found[place + 1].text == "_"
        for place, lexeme in enumerate(found)
    )


def _with_subscripts(found: Sequence[Lexeme]) -> list[Lexeme]:
    """Read ``Wx`` and ``Whh``, written without a space, as names of weights."""
    result: list[Lexeme] = []
    place = 0
    while place < len(found):
        lexeme = found[place]
        result.append(lexeme)
        place += 1
        end = place
        while (
            end < len(found)
            and found[end].text in ("x", "h", "i")
            and found[end].at == lexeme.at + 1 + end - place
            and lexeme.text == WEIGHT
        ):
            end += 1
        following = found[end].text if end < len(found) else ""
        if end > place and following not in ("_", "("):
            result += [Lexeme("char", "_", lexeme.at), *braced(found[place:end], lexeme)]
            place = end
    return result


def _lexemes_of(block: source.Block, document: source.Document) -> list[Lexeme]:
    found = plain_lexemes(block.text, 0 if block.translated else block.at, document.macros)
    return [replace(lexeme, at=block.at) for lexeme in found] if block.translated else found


def _lexed(
    document: source.Document, problems: list[tuple[str, UnreadableError]]
) -> list[tuple[source.Block, list[Lexeme]]]:
    """Return the lexemes of all blocks; what cannot be cut into lexemes becomes a problem."""
    left = MAX_TOKENS
    lexed: list[tuple[source.Block, list[Lexeme]]] = []
    for block in named_in_sentences(document.text, document.blocks):
        try:
            lexed.append((block, _lexemes_of(block, document)))
        except UnreadableError as error:
            problems += _problems(block, [error])
            continue
        left -= len(lexed[-1][1])
        if left < 0:
            raise UnreadableError("the file holds too many formulas", block.at)
    return lexed


def _problems(
    block: source.Block, found: Sequence[UnreadableError]
) -> Iterator[tuple[str, UnreadableError]]:
    """Yield what was not read of a block; in running text only what may be a formula."""
    from_a_sentence = block.translated and not block.display  # its formulas were read before
    if block.display or (_EQUATION.search(block.text) and not from_a_sentence):
        yield from ((block.heading, error) for error in found)


def _statements(equation: Equation, block: source.Block, number: int) -> Iterator[Statement]:
    for sides, conditions in _cases(equation):
        nodes = [_parsed(side, equation.at) for side in sides]
        strange = [c for c in conditions if not equations.is_of_index(c)]
        if equation.problem is not None:
            nodes[-1] = equation.problem
        elif strange:
            nodes[-1] = UnreadableError("this condition is not understood", strange[0][0].at)
        yield Statement(
            block.text, equation.at, block.heading, block.display, tuple(nodes),
            tuple(equation.relations), _domain(conditions), number, _end(block),
        )  # fmt: skip


def _end(block: source.Block) -> int:
    return block.at + (1 if block.translated else len(block.text))


def _parsed(side: Sequence[Lexeme], at: int) -> Node | UnreadableError:
    try:
        node = parser.expression(usual(side), at)
        idle = _idle_sum(node)
        if idle is None:
            return node
        return UnreadableError(f"nothing depends on {idle.variable} in a sum over it", idle.at)
    except UnreadableError as error:
        return error
    except RecursionError:
        return UnreadableError("it is nested too deeply", at)


def _idle_sum(node: Node) -> Series | None:
    """Return a sum over something that its terms do not depend on, if there is one."""
    if isinstance(node, Series) and node.variable not in (TIME, BATCH):
        names = set(scripts_in(node.body))
        if node.variable not in names and f"#{node.variable}" not in names:
            return node
    return next((found for part in parts(node) if (found := _idle_sum(part)) is not None), None)


def _cases(equation: Equation) -> Iterator[tuple[list[list[Lexeme]], list[list[Lexeme]]]]:
    """Yield an equation, or one for each row of its ``cases``."""
    last = equation.sides[-1]
    if not last or last[0].text != r"\begincases":
        yield equation.sides, equation.conditions
        return
    rows: list[list[list[Lexeme]]] = [[[]]]
    for lexeme in last[1:]:
        remark = lexeme.kind == "text" and (not lexeme.text or starts_remark(lexeme.text))
        if lexeme.text == r"\endcases":
            break
        if lexeme.text == r"\\":
            rows.append([[]])
        elif lexeme.text == "&" or (remark and len(rows[-1]) == 1):
            rows[-1].append([])
        elif not remark:
            rows[-1][-1].append(lexeme)
    for value, *conditions in rows:
        trimmed = [lexeme for lexeme in value if lexeme.text not in (",", ".")] if value else []
        if trimmed:
            said = [condition for condition in conditions if condition]
            yield [*equation.sides[:-1], trimmed], said


def _domain(conditions: Sequence[Sequence[Lexeme]]) -> Domain:
    r"""Return the times that conditions such as ``t = T`` or ``1 \le t < T`` allow."""
    texts = [[lexeme.text for lexeme in condition] for condition in conditions]
    variable, members = next((pair for text in texts if (pair := _set(text))[1]), ("", ()))
    if any(r"\dots" in text for text in texts):
        return EVERYWHERE  # t = T, ..., 1: all of them
    for condition, text in zip(conditions, texts, strict=True):
        condition = [lexeme for lexeme in condition if lexeme.text not in (",", ".")]  # noqa: PLW2901
        if not text or not condition or text[0] in ("g", "k") or r"\in" in text:
            continue
        try:
            found = series_range(condition, None, condition[0].at)
        except UnreadableError:
            continue
        if found.lower is None or found.upper is None:
            continue
        if not {found.lower.variable, found.upper.variable} <= {None, LAST}:
            continue
        return Domain(found.lower, found.lower if "=" in text else found.upper)
    return Domain(members=members, variable=variable)


def _set(text: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    r"""Return a variable and the members of the set that it is in: ``g \in \{f, i, o\}``."""
    if len(text) < 3 or text[1] != r"\in" or r"\dots" in text:  # noqa: PLR2004
        return "", ()
    inner = [item for item in text[2:] if item not in (r"\{", r"\}", ",", "(", ")", "{", "}")]
    if any(item.isdigit() for item in inner):
        return "", ()
    return text[0], tuple(inner)
