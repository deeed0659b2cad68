"""Which programs of a class share most, and where: for a person to read side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from grader.deliver.similarity.fingerprints import GRAM, NOTICED, SourceFile

# What more of a class have in common than so many, or this share, is how the homework is done.
COMMON, COMMON_SHARE, MOST_COMMON = 8, 0.2, 40
MOSTLY = 90  # per cent of a program that so many have: they may have copied one
LEAST_SHARED = 2 * NOTICED  # tokens
LEAST_PRINTS = LEAST_SHARED // NOTICED  # fingerprints that so many tokens have at least
AROUND = 2  # lines shown before and after what is shared


@dataclass(frozen=True)
class Program:
    """The code of one hand-in; ``year`` names the folder of an earlier class, or is empty."""

    id: str
    files: tuple[SourceFile, ...]
    year: str = ""

    @property
    def label(self) -> str:
        """How a page names it."""
        return f"{self.year}/{self.id}" if self.year else self.id

    @cached_property
    def prints(self) -> frozenset[int]:
        """The hashes of all its fingerprints."""
        return frozenset(value for file in self.files for value, _at in file.prints)

    @cached_property
    def hashes(self) -> frozenset[int]:
        """The hashes of all its runs of tokens."""
        return frozenset(value for file in self.files for value in file.places)


@dataclass(frozen=True)
class Line:
    """A line of code: pieces of it, each with whether it is shared."""

    number: int
    pieces: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Excerpt:
    """The lines of a file around what is shared; ``None`` stands for lines that are left out."""

    file: str
    lines: tuple[Line | None, ...]


@dataclass(frozen=True)
class PairSide:
    """One program of a pair: how many of its own tokens are shared, in per cent too."""

    program: Program
    shared: int
    percent: int
    excerpts: tuple[Excerpt, ...]


@dataclass(frozen=True)
class Pair:
    """Two programs that share code."""

    sides: tuple[PairSide, PairSide]

    @property
    def percent(self) -> int:
        """The larger of both shares."""
        return max(side.percent for side in self.sides)


class SharedCode:
    """The programs of a class, compared with each other and with those of earlier years.

    Args:
        programs: of the class, and of earlier years.
        given: the code that the homework gave to all; what it holds counts for nobody.
    """

    def __init__(self, programs: Sequence[Program], given: Iterable[SourceFile]) -> None:
        self._programs = programs
        self._covered_by_given: dict[SourceFile, frozenset[int]] = {}
        self._given = frozenset(value for file in given for value in file.hashes)
        users = Counter(value for one in programs for value in one.hashes)
        most = max(COMMON, min(COMMON_SHARE * len(programs), MOST_COMMON))
        self._common = frozenset(value for value, count in users.items() if count > most)

    def pairs(self, least: float, most: int) -> tuple[list[Pair], int]:
        """Return the pairs that share most, and how many share enough.

        Args:
            least: the share of one program's own tokens from which on a pair is worth a look, in
                per cent.
            most: how many pairs to return.
        """
        found: list[tuple[int, int, Program, Program, frozenset[int]]] = []
        for a, b in self._candidates():
            first, second = self._programs[a], self._programs[b]
            shared = (first.hashes & second.hashes) - self._given - self._common
            counts = [self._counted(one, shared) for one in (first, second)]
            percent = max(_percent(*count) for count in counts)
            if percent >= least and max(count[0] for count in counts) >= LEAST_SHARED:
                tokens = max(count[0] for count in counts)
                found.append((percent, tokens, first, second, shared))
        found.sort(key=lambda one: (-one[0], -one[1], one[2].label, one[3].label))
        made = [
            Pair((self._side(first, shared), self._side(second, shared)))
            for _percent_, _tokens, first, second, shared in found[:most]
        ]
        return made, len(found)

    def mostly_common(self) -> list[Program]:
        """Return the programs of this class of which nearly all does not count, being common.

        Many who hand in one program would be in no pair, and nobody would look.
        """
        return [
            one
            for one in self._programs
            if not one.year
            and _percent(*self._counted(one, (one.hashes & self._common) - self._given)) >= MOSTLY
        ]

    def _candidates(self) -> list[tuple[int, int]]:
        """Return the pairs with fingerprints in common, one of them at least of this class."""
        users: dict[int, list[int]] = {}
        for number, program in enumerate(self._programs):
            for value in program.prints - self._given - self._common:
                users.setdefault(value, []).append(number)
        found = Counter(pair for numbers in users.values() for pair in combinations(numbers, 2))
        return [
            (a, b)
            for (a, b), count in found.items()
            if count >= LEAST_PRINTS and not (self._programs[a].year and self._programs[b].year)
        ]

    def _given_in(self, file: SourceFile) -> frozenset[int]:
        """Return the numbers of the tokens that the homework gave to all."""
        if file not in self._covered_by_given:
            self._covered_by_given[file] = _covered(file, self._given.intersection(file.places))
        return self._covered_by_given[file]

    def _counted(self, program: Program, shared: frozenset[int]) -> tuple[int, int]:
        """Return how many tokens of a program are shared, and how many are its own."""
        both = own = 0
        for file in program.files:
            given = self._given_in(file)
            both += len(_covered(file, shared) - given)
            own += len(file.tokens) - len(given)
        return both, own

    def _side(self, program: Program, shared: frozenset[int]) -> PairSide:
        both, own = self._counted(program, shared)
        excerpts = tuple(
            _excerpt(file, covered)
            for file in program.files
            if (covered := _covered(file, shared) - self._given_in(file))
        )
        return PairSide(program, both, _percent(both, own), excerpts)


def _percent(shared: int, own: int) -> int:
    return 100 * shared // own if own else 0  # 100 is all of it


def _covered(file: SourceFile, wanted: frozenset[int]) -> frozenset[int]:
    """Return the numbers of the tokens in runs with one of these hashes."""
    return frozenset(
        number
        for value in wanted
        for at in file.places.get(value, ())
        for number in range(at, at + GRAM)
    )


def _excerpt(file: SourceFile, covered: frozenset[int]) -> Excerpt:
    marked = bytearray(len(file.text))
    for number in covered:
        token = file.tokens[number]
        # The space up to the next token, too, if that is shared: one mark, not one per word.
        next_one = number + 1
        end = file.tokens[next_one].start if next_one in covered else token.end
        marked[token.start : end] = b"\1" * (end - token.start)
    lines: list[Line | None] = []
    at = 0
    texts = file.text.split("\n")
    starts = []
    for text in texts:
        starts.append(at)
        at += len(text) + 1
    shown: set[int] = set()
    for number, (start, text) in enumerate(zip(starts, texts, strict=True)):
        if any(marked[start : start + len(text)]):
            shown.update(range(number - AROUND, number + AROUND + 1))
    for number, (start, text) in enumerate(zip(starts, texts, strict=True)):
        if number in shown:
            indent = len(text) - len(text.lstrip())
            flags = bytearray(indent) + marked[start + indent : start + len(text)]
            lines.append(Line(number + 1, tuple(_pieces(text, flags))))
        elif lines and lines[-1] is not None:
            lines.append(None)
    return Excerpt(file.name, tuple(lines[:-1] if lines and lines[-1] is None else lines))


def _pieces(text: str, flags: bytearray) -> Iterable[tuple[str, bool]]:
    """Yield the parts of a line that are shared, and those that are not, in order."""
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or flags[at] != flags[start]:
            yield text[start:at], bool(flags[start])
            start = at
