"""What is wrong in files that people write: collected, put in order, and printed one a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.readers.texts import printable

MAX_LINE = 600  # characters of a problem; a file may hold words of any length


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        file: the file's name as the person gave it.
        line: the line in it; 0 for the file as a whole.
        key: what the problem is about, such as ``q3.2: rtol``; empty if the text says it.
        text: what is wrong, and what to do.
    """

    file: str
    line: int
    key: str
    text: str

    @property
    def words(self) -> str:
        """The problem without its place."""
        return f"{self.key}: {self.text}" if self.key else self.text

    def __str__(self) -> str:
        """Return ``file:line: key: text`` on one line, whatever the file holds."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {printable(self.words, MAX_LINE)}"


class Problems:
    """The problems of one file, or of several: each once, by file and line."""

    def __init__(self, file: Path | str = "") -> None:
        self._file = str(file)
        self._found: set[Problem] = set()

    def add(self, line: int, text: str, key: str = "") -> None:
        """Add a problem of the file that this is about."""
        self._found.add(Problem(self._file, line, key, text))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Add problems that were found elsewhere."""
        self._found.update(problems)

    def __iter__(self) -> Iterator[Problem]:
        return iter(sorted(self._found, key=lambda one: (one.file, one.line, one.words)))

    def __len__(self) -> int:
        return len(self._found)

    @property
    def printed(self) -> list[str]:
        """The problems as people read them, one line each."""
        return [str(problem) for problem in self]
