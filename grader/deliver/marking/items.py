"""Rubric items: points and a comment that a marker chooses by a key; equal answers get equal marks.

A YAML file maps checks to lists of items. An item with ``points`` sets the points, one with ``add``
adds to them, or takes off. A check without items of its own gets the standard ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.deliver.marking.marks import MAX_COMMENT
from grader.errors import UsageError
from grader.readers import yaml_source
from grader.readers.problems import Problems
from grader.readers.texts import did_you_mean, plain, quoted
from grader.readers.yaml_source import Source

KEYS = ("key", "points", "add", "comment")
MOVES = {"j": "the next answer", "k": "the one before", "n": "the next that is not marked"}
ITEM_KEYS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789") - {*MOVES}
MAX_POINTS = 1e6


@dataclass(frozen=True)
class RubricItem:
    """Points and a comment; ``sets`` says whether it sets the points or adds to them."""

    key: str
    points: float
    comment: str
    sets: bool

    @property
    def worth(self) -> str:
        """The points as they are shown: ``2``, ``+0.5`` or ``-1``."""
        return plain(self.points) if self.sets else f"{self.points:+g}"


def standard(least: float, most: float) -> list[RubricItem]:
    """Return what a check gets that has no items: all points, half of them, none."""
    middle = round((least + most) / 2, 2)
    return [
        RubricItem("f", most, "", sets=True),
        RubricItem("h", middle, "", sets=True),
        RubricItem("z", least, "", sets=True),
    ]


def read(path: Path, checks: Mapping[str, float]) -> dict[str, list[RubricItem]]:
    """Return the items of each check in a file.

    Args:
        path: of the YAML file.
        checks: what each check of the reports is worth.

    Raises:
        UsageError: something is wrong; the text has one line for each problem.
    """
    try:
        source = yaml_source.read(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    problems = source.problems
    if not problems and not isinstance(source.data, dict):
        problems.add(1, "must map checks to items: q5.9: [{key: f, points: 2}]")
    found: dict[str, list[RubricItem]] = {}
    for check, given in source.data.items() if not problems else ():
        line = source.line((check,))
        if check not in checks:
            text = f"no report has the check {quoted(str(check))}"
            problems.add(line, text + did_you_mean(str(check), list(checks)))
        elif not isinstance(given, list) or not given:
            problems.add(line, "must be a list of items: [{key: f, points: 2}]", str(check))
        else:
            found[check] = list(_items(source, check, given, checks[check]))
    if problems:
        raise UsageError("\n".join(problems.printed))
    return found


def _items(source: Source, check: str, given: Collection[Any], most: float) -> Iterator[RubricItem]:
    taken: set[str] = set()
    for number, values in enumerate(given):
        line = source.line((check, number))
        wrong = Problems(source.file)
        if isinstance(values, dict):
            item = _item(values, most, taken, wrong, line)
        else:
            item = None
            wrong.add(line, "an item must be a mapping: {key: f, points: 2, comment: ...}")
        source.problems.extend(wrong)
        if item is not None and not wrong:
            taken.add(item.key)
            yield item


def _item(
    values: Mapping[str, Any], most: float, taken: Collection[str], wrong: Problems, line: int
) -> RubricItem | None:
    for name in values:
        if name not in KEYS:
            text = f"unknown key {quoted(str(name))}{did_you_mean(str(name), KEYS)}"
            wrong.add(line, f"{text}; the keys are {', '.join(KEYS)}")
    key = str(values.get("key", ""))
    if key in MOVES:
        wrong.add(line, f"key: {key} goes to {MOVES[key]}; choose another letter or digit")
    elif key not in ITEM_KEYS:
        wrong.add(line, f"key: {quoted(key)} is not one small letter or digit")
    elif key in taken:
        wrong.add(line, f"key: {key} is there twice; every item needs its own")
    comment = values.get("comment") or ""
    if not isinstance(comment, str) or len(comment) > MAX_COMMENT:
        wrong.add(line, f"comment: must be text of at most {MAX_COMMENT} characters")
    if ("points" in values) == ("add" in values):
        wrong.add(line, "needs either points, which sets them, or add, which adds or takes off")
        return None
    sets = "points" in values
    points = values["points"] if sets else values["add"]
    if isinstance(points, bool) or not isinstance(points, int | float):
        wrong.add(line, f"{'points' if sets else 'add'}: {quoted(str(points))} is not a number")
        return None
    if (sets and not 0 <= points <= most) or abs(points) > most:
        wrong.add(line, f"{plain(points)} points do not fit the check's {plain(most)}")
    return RubricItem(key, float(points), str(comment).strip(), sets)
