"""From lexemes to nodes: an LALR(1) grammar, so the time is linear in the length of a formula."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

import lark
from lark.lexer import Lexer, Token

from .derivatives import (
    Nabla,
    at_time,
    build_fraction,
    build_gradient,
    build_product,
    completed,
    timed,
)
from .functions import FUNCTION_COMMANDS, FUNCTION_WORDS
from .limits import MAX_DEPTH, UnreadableError
from .nodes import (
    Apply,
    Blocks,
    Gradient,
    Index,
    Listed,
    Node,
    Number,
    Ones,
    Partial,
    Power,
    Series,
    Sum,
    Symbol,
    Transpose,
)
from .scripts import Scripts, interpret, series_range
from .terminals import check_brackets, in_one_list, token_text, token_type
from .tokens import Lexeme, argument_at

GRAMMAR = Path(__file__).with_name("grammar.lark")
EULER = "e"
SIZES_OF_IDENTITY = frozenset("DHN")  # I_H is an identity matrix
PRIME = "'"  # a label: what a prime right after a letter means depends on the whole answer


class _Folded(Lexer):
    """Hands tokens that are ready to lark's parser."""

    def __init__(self, _configuration: object) -> None:
        """Accept what lark passes to a lexer of its own."""

    def lex(self, lexer_state: Any, parser_state: Any = None) -> Iterator[Token]:
        """Yield the tokens."""
        del parser_state
        yield from lexer_state


@cache
def _parser() -> lark.Lark:
    return lark.Lark(GRAMMAR.read_text(encoding="utf-8"), parser="lalr", lexer=_Folded)


def expression(found: Sequence[Lexeme], at: int) -> Node:
    """Return the node that lexemes (see ``tokens.plain``) stand for.

    Args:
        found: the lexemes.
        at: the offset to name if there are none.

    Raises:
        UnreadableError: they are not an expression of the language.
    """
    return _NodeBuilder().expression(found, at, 0)


class _NodeBuilder:
    """Folds lexemes into tokens, has them parsed, and builds nodes from the tree."""

    def __init__(self) -> None:
        self._scripts: list[list[Lexeme]] = []

    def expression(self, found: Sequence[Lexeme], at: int, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise UnreadableError("brackets are nested too deeply", at)
        found = in_one_list(found)
        tokens = list(self._fold(found))
        if not tokens:
            raise UnreadableError("a formula is missing", at)
        check_brackets(tokens)
        try:
            tree = _parser().parse(cast("str", tokens))
        except lark.exceptions.UnexpectedToken as error:
            token = error.token
            if token.type == "$END":
                last = tokens[-1]
                message = f"something is missing after {token_text(last)}"
                raise UnreadableError(message, last.start_pos or at) from None
            raise UnreadableError(
                f"{token_text(token)} is not expected here", token.start_pos
            ) from None
        except lark.exceptions.LarkError:
            raise UnreadableError("the formula is not understood", at) from None
        return completed(self._sum(tree.children[0], depth))

    # Lexemes to tokens

    def _fold(self, found: Sequence[Lexeme]) -> Iterator[Token]:
        place = 0
        while place < len(found):
            lexeme = found[place]
            place += 1
            text = lexeme.text
            if text in ("_", "^"):
                argument, place = argument_at(found, place, lexeme)
                self._scripts.append(argument)
                number = str(len(self._scripts) - 1)
                yield Token("SUB" if text == "_" else "SUP", number, lexeme.at)
            elif text == r"\frac":
                yield Token("FRAC", text, lexeme.at)
                for _half in range(2):
                    argument, place = argument_at(found, place, lexeme)
                    yield Token("LBRACE", "{", lexeme.at)
                    yield from self._fold(argument)
                    yield Token("RBRACE", "}", lexeme.at)
            elif text == r"\sqrt":
                yield Token("ROOT", text, lexeme.at)
                argument, place = argument_at(found, place, lexeme)
                yield Token("LBRACE", "{", lexeme.at)
                yield from self._fold(argument)
                yield Token("RBRACE", "}", lexeme.at)
            elif text in ("&", r"\quad"):
                continue
            elif text == "{" and place < len(found) and found[place].text == "}":
                place += 1
            else:
                yield Token(token_type(lexeme), text, lexeme.at)

    # Trees to nodes

    def _sum(self, tree: Any, depth: int) -> Node:
        terms: list[Node] = []
        signs: list[int] = []
        sign = 1
        for child in tree.children:
            if isinstance(child, Token):
                sign = 1 if child.type == "PLUS" else -1
            else:
                terms.append(self._term(child, depth))
                signs.append(sign)
        if len(terms) == 1 and signs == [1]:
            return terms[0]
        return Sum(tuple(terms), tuple(signs), terms[0].at)

    def _term(self, tree: Any, depth: int) -> Node:
        items: list[Node | Nabla] = []
        operators: list[str] = []
        expects = True
        grouped: list[bool] = []
        for child in tree.children:
            if isinstance(child, Token):
                operators.append(str(child))
                expects = True
                continue
            if not expects:
                operators.append("")
            node, bracketed = self._item(child, depth)
            if not expects and bracketed and (timed_before := at_time(items[-1], node)):
                items[-1] = timed_before  # h(t)
                operators.pop()
                continue
            items.append(node)
            grouped.append(bracketed)
            expects = False
        return build_product(items, operators, grouped)

    def _item(self, tree: Any, depth: int) -> tuple[Node | Nabla, bool]:
        """Return a factor, and whether it is something in brackets."""
        if tree.data == "series":
            return self._series(tree, depth), False
        if tree.data == "negative":
            node, _bracketed = self._item(tree.children[1], depth)
            if isinstance(node, Nabla):
                raise UnreadableError("the loss is missing after a gradient sign", node.at)
            return Sum((node,), (-1,), node.at), False
        first = tree.children[0]
        if not isinstance(first, Token) and first.data == "function":
            return self._function(first, depth), False
        if not isinstance(first, Token) and first.data == "partial":
            return self._partial(first, depth), False
        scripts = tree.children[1:]
        if isinstance(first, Token):
            return self._leaf(first, scripts, depth), False
        inner = self._bracketed(first, depth)
        return self._with_scripts(inner, scripts), first.data == "group"

    def _bracketed(self, tree: Any, depth: int) -> Node:
        sums = [child for child in tree.children if not isinstance(child, Token)]
        if tree.data == "fraction":
            above, below = (self._sum(half.children[1], depth) for half in sums)
            return build_fraction(above, below, tree.children[0].start_pos)
        if tree.data == "root":
            inner = self._sum(sums[0].children[1], depth)
            return Apply("sqrt", inner, 0, tree.children[0].start_pos)
        if tree.data == "blocks":
            return self._blocks(tree, depth)
        items = tuple(self._sum(child, depth) for child in sums)
        return items[0] if len(items) == 1 else Listed(items, tree.children[0].start_pos)

    def _blocks(self, tree: Any, depth: int) -> Node:
        rows: list[list[Node]] = [[]]
        at = tree.children[0].start_pos or 0
        for child in tree.children:
            if not isinstance(child, Token):
                rows[-1].append(self._sum(child, depth))
            elif child.type == "NEXTROW":
                rows.append([])
        if len({len(row) for row in rows}) > 1:
            raise UnreadableError("the rows of this matrix are not equally long", at)
        # One row may be meant as a list, whichever way its blocks lie.
        return Blocks(tuple(map(tuple, rows)), len(rows) == 1, at)

    def _scripts_of(self, scripts: Sequence[Token], depth: int) -> Scripts:
        del depth
        result = Scripts()
        for place, token in enumerate(scripts):
            if token.type == "PRIME":
                result.primes += 1
                result.early_prime = result.early_prime or place == 0
            else:
                above = token.type == "SUP"
                interpret(self._scripts[int(token)], result, above=above, bracketed=False)
        return result

    def _leaf(self, token: Token, scripts: Sequence[Token], depth: int) -> Node | Nabla:
        at = token.start_pos or 0
        if token.type == "NUMBER":
            return self._with_scripts(Number(float(str(token)), at), scripts)
        if token.type == "NABLA":
            return self._nabla(token, scripts, depth)
        if str(token) == EULER and [script.type for script in scripts] == ["SUP"]:
            exponent = next(script for script in scripts if script.type == "SUP")
            payload = self._scripts[int(exponent)]
            return Apply("exp", self.expression(payload, at, depth + 1), 0, at)
        read = self._scripts_of(scripts, depth)
        if token.type == "ONES":
            node: Node = Ones(identity=False, at=at)
        elif str(token) == "I" and not read.times and set(read.labels) <= SIZES_OF_IDENTITY:
            node = Ones(identity=True, at=at)
            read.labels = []
        else:
            node = _symbol(str(token), read, at)
        return _decorated(node, read)

    def _with_scripts(self, node: Node, scripts: Sequence[Token]) -> Node:
        read = self._scripts_of(scripts, 0)
        read.early_prime = False  # after brackets it is a transpose
        if read.times == [Index("t")] and _has_time(node):
            read.times, read.transposed = [], not read.transposed  # (...)^t
        if isinstance(node, Number) and read.labels and not read.times:
            read.labels = []
            node = Ones(identity=False, at=node.at) if node.value == 1 else node
        if read.labels or read.times:
            if isinstance(node, Gradient) and isinstance(node.by, Symbol):
                labels = _ordered([*node.by.labels, *read.labels])
                by = replace(node.by, labels=labels, written=(*node.by.written, *read.order))
                if read.times and by.time is None:
                    by = replace(by, time=read.times[0])
                node = replace(node, by=by)
            elif isinstance(node, Symbol):
                time = node.time or (read.times[0] if read.times else None)
                labels = _ordered([*node.labels, *read.labels])
                written = (*node.written, *read.order)
                node = replace(node, labels=labels, time=time, written=written)
            else:
                raise UnreadableError("a subscript is not understood here", node.at)
        return _decorated(node, read)

    def _nabla(self, token: Token, scripts: Sequence[Token], depth: int) -> Nabla:
        below = [script for script in scripts if script.type == "SUB"]
        if len(below) != 1:
            raise UnreadableError(
                "a gradient sign needs its variable as a subscript", token.start_pos or 0
            )
        at = token.start_pos or 0
        by = self.expression(self._scripts[int(below[0])], at, depth + 1)
        return Nabla(by, at)

    def _function(self, tree: Any, depth: int) -> Node:
        head, *scripts, factor = tree.children
        read = self._scripts_of(scripts, depth)
        name = FUNCTION_COMMANDS.get(str(head)) or FUNCTION_WORDS[str(head).lower()]
        at = head.start_pos
        # In tanh(c)^2 the square belongs to the function, in tanh c^2 to its argument.
        atom, *outer = factor.children if factor.data == "factor" else (factor,)
        if not isinstance(atom, Token) and atom.data == "group":
            argument = self._bracketed(atom, depth)
            result = self._apply(name, argument, read, at)
            return self._with_scripts(result, outer)
        inner, _bracketed = self._item(factor, depth)
        if isinstance(inner, Nabla):
            raise UnreadableError(f"{head} needs an argument", at)
        return self._apply(name, inner, read, at)

    @staticmethod
    def _apply(name: str, argument: Node, read: Scripts, at: int) -> Node:
        if isinstance(argument, Listed) or read.labels or read.times:
            raise UnreadableError(f"the argument of {name} is not understood", at)
        if read.primes > 1 or (read.primes and name not in ("tanh", "sigmoid", "exp", "relu")):
            raise UnreadableError(f"a derivative of {name} of this order is not understood", at)
        node: Node = Apply(name, argument, read.primes, at)
        return _decorated(node, replace(read, primes=0))

    def _partial(self, tree: Any, depth: int) -> Node:
        head, *scripts, factor = tree.children
        inner, _bracketed = self._item(factor, depth)
        if isinstance(inner, Nabla):
            raise UnreadableError(r"\partial of a gradient sign makes no sense", head.start_pos)
        if scripts:
            if [script.type for script in scripts] != ["SUB"]:
                raise UnreadableError(r"\partial has a superscript", head.start_pos)
            by = self.expression(self._scripts[int(scripts[0])], head.start_pos, depth + 1)
            return build_gradient(inner, by, head.start_pos)
        return Partial(inner, at=head.start_pos)

    def _series(self, tree: Any, depth: int) -> Node:
        head, *scripts, term = tree.children
        below = next((self._scripts[int(s)] for s in scripts if s.type == "SUB"), [])
        above = next((self._scripts[int(s)] for s in scripts if s.type == "SUP"), None)
        found = series_range(below, above, head.start_pos)
        body = self._term(term, depth)
        if found.lower is not None:
            body = timed(body, found.variable)
        operator: Literal["sum", "product"] = "sum" if str(head) == r"\sum" else "product"
        return Series(
            operator, found.variable, body, found.lower, found.upper, found.members,
            at=head.start_pos,
        )  # fmt: skip


def _has_time(node: Node) -> bool:
    """Say whether a t above brackets cannot be the time of what is in them."""
    if isinstance(node, Gradient):
        return _has_time(node.by)
    return not isinstance(node, Symbol) or node.time is not None


def _ordered(labels: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(labels))


def _symbol(name: str, read: Scripts, at: int) -> Symbol:
    time = read.times[0] if read.times else None
    extra = [f"#{index}" for index in read.times[1:]]
    primes = [PRIME] * read.primes if read.early_prime else []
    labels = [*read.labels, *extra, *primes]
    return Symbol(name, _ordered(labels), time, at, (*read.order, *primes))


def _decorated(node: Node, read: Scripts) -> Node:
    late = 0 if read.early_prime and isinstance(node, Symbol) else read.primes % 2
    if read.power is not None:
        node = Power(node, read.power, node.at)
    if read.transposed != (late == 1):
        node = Transpose(node, node.at)
    return node
