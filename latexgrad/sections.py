"""Finds the statements of a file that belong to the graded part, by the headings above them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .limits import MAX_HEADING, UnreadableError
from .numbering import numbered_parts
from .prepare import PreparedTask
from .rules import Rule
from .statements import FileContent, Statement
from .task import Task


@dataclass(frozen=True)
class PartContent:
    """What a file states about a part: ``own`` statements, and earlier ones that they may use.

    ``named`` says whether a heading names the part, ``numbered`` whether one only says which it is
    by its number; ``problems`` could not be read.
    """

    own: Sequence[Statement]
    earlier: Sequence[Statement]
    problems: Sequence[UnreadableError]
    named: bool
    numbered: bool = False


def part_of(content: FileContent, task: Task) -> PartContent:
    """Return what stands below the part's heading, or below no heading that names a part."""
    section = _Pattern(task.section)
    earlier = _below(content, _Pattern(task.earlier_sections))
    if any(section.matches(heading) for heading in content.document.headings):
        problems = [
            error for heading, error in content.problems if not heading or section.matches(heading)
        ]
        return PartContent(_below(content, section), earlier, problems, named=True)
    if (numbered := _numbered(content, task)) is not None:
        return numbered
    others = _Pattern(task.other_sections)
    loose = [found for found in content.statements if not others.matches(found.heading)]
    problems = [error for heading, error in content.problems if not others.matches(heading)]
    return PartContent(loose, earlier, problems, named=False)


def _numbered(content: FileContent, task: Task) -> PartContent | None:
    """Return what stands below the part's number, if all parts have nothing but numbers."""
    if not task.part:
        return None
    parts = numbered_parts([found.heading for found in content.statements], task.parts)
    if not parts:
        return None
    mine = set(parts[task.part - 1])
    before = {heading for number in task.earlier_parts for heading in parts[number - 1]}
    return PartContent(
        [found for found in content.statements if found.heading in mine],
        [found for found in content.statements if found.heading in before],
        [error for heading, error in content.problems if not heading or heading in mine],
        named=False,
        numbered=True,
    )


class _Pattern:
    """A regular expression of the task, which looks at the start of a heading, at each once.

    A search may take a time that grows with the square of the heading's length, or worse.
    """

    def __init__(self, pattern: str) -> None:
        self._compiled = re.compile(pattern)
        self._known: dict[str, bool] = {}

    def matches(self, heading: str) -> bool:
        """Say whether the expression is found in a heading."""
        start = heading[:MAX_HEADING]
        if start not in self._known:
            self._known[start] = self._compiled.search(start) is not None
        return self._known[start]


def _below(content: FileContent, pattern: _Pattern) -> list[Statement]:
    return [found for found in content.statements if pattern.matches(found.heading)]


def usable(earlier: Sequence[Rule], own: Sequence[Rule], task: PreparedTask) -> list[Rule]:
    """Return the earlier rules that a part may build on.

    What it states itself goes first, gradients that are given keep their meaning, and what is asked
    for here must be stated here, unless it holds at every time.
    """
    stated = {rule.key for rule in own}
    asked = {quantity.key for quantity in task.quantities if quantity.time is None}
    barred = stated | asked | task.network.given_keys
    return [replace(rule, earlier=True) for rule in earlier if rule.key not in barred]
