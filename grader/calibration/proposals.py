"""Changes to a rubric's tolerances and thresholds, made in its text so that comments stay."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from grader.calibration.margins import Margins, rounded
from grader.calibration.thresholds import Threshold
from grader.errors import UsageError
from grader.model import CheckSpec, Tier, Tolerances
from grader.readers import yaml_source
from grader.readers.yaml_source import Source, YamlPath

NUMBER = r"[-+.\w]+"


@dataclass(frozen=True)
class RubricChange:
    """One new value of a check's key; ``within`` are the keys around it."""

    check: str
    key: str
    old: float
    new: float
    within: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it as a line of the rubric."""
        key = ".".join((*self.within, self.key))
        return f"{self.check}: {key}: {number(self.old)} -> {number(self.new)}"


def number(value: float) -> str:
    """Return a number as YAML 1.1 has it: without a point, it takes ``1e-07`` for text."""
    text = f"{value:g}"
    return yaml_source.as_float(text.replace("e-0", "e-")) if "e" in text else text


def of_tolerances(spec: CheckSpec, found: Margins) -> Iterator[RubricChange]:
    """Yield new tolerances of a check, if others would leave a margin on both sides."""
    factor = found.factor
    if not factor > 0 or factor == 1:  # NaN: none would
        return
    for key in Tolerances.model_fields:
        old = getattr(spec, key)
        new = rounded(old * factor) if old else 0.0
        if new != old:
            yield RubricChange(spec.id, key, old, new)


def of_threshold(found: Threshold, tier: Tier) -> Iterator[RubricChange]:
    """Yield a new threshold of a training check, if another one would do."""
    if found.proposed is not None:
        yield RubricChange(found.check, "full_at", found.full_at, found.proposed, ("tiers", tier))


def written(path: Path, changes: Sequence[RubricChange]) -> str:
    """Return the rubric's text with the changes; nothing else in it is touched.

    Raises:
        UsageError: a value stands where it cannot be changed alone, such as in an alias.
    """
    source = yaml_source.read(path)
    lines = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    added: list[tuple[int, str]] = []
    for change in changes:
        place = _place(source, change.check)
        where = (*place, *change.within, change.key)
        if where in source.lines:
            at = source.lines[where] - 1
            pattern = rf"(\b{re.escape(change.key)}:\s*){NUMBER}"
            text, count = re.subn(pattern, rf"\g<1>{number(change.new)}", lines[at])
            if count != 1:
                raise UsageError(f"{path}:{at + 1}: change {change} by hand")
            lines[at] = text
        elif change.within:
            raise UsageError(f"{path}:{source.line(where)}: change {change} by hand")
        else:
            at = source.lines[(*place, "kind")] - 1
            new = f"{change.key}: {number(change.new)}"
            before = re.match(r"[\s-]*(?=kind:)", lines[at])
            if before is not None:
                added.append((at + 1, f"{' ' * before.end()}{new}\n"))
            else:  # all keys within braces
                lines[at] = re.sub(r"\bkind:", f"{new}, kind:", lines[at], count=1)
    for at, text in sorted(added, key=lambda one: one[0], reverse=True):
        lines.insert(at, text)
    made = "".join(lines)
    if not _says(made, changes, source):
        listed = "; ".join(map(str, changes))
        raise UsageError(f"{path}: its layout allows no change by a program; by hand: {listed}")
    return made


def _says(made: str, changes: Sequence[RubricChange], source: Source) -> bool:
    """Say whether a text holds what the rubric held, with these changes and no others."""
    wanted = copy.deepcopy(source.data)
    for change in changes:
        at = wanted
        for key in (*_place(source, change.check), *change.within):
            at = at[key]
        at[change.key] = float(number(change.new))
    try:
        return bool(yaml.safe_load(made) == wanted)
    except yaml.YAMLError:
        return False


def _place(source: Source, check: str) -> YamlPath:
    """Return the path of a check in a rubric."""
    paths: Iterable[YamlPath] = (path for path in source.lines if path[-1:] == ("id",))
    for path in paths:
        at = source.data
        for key in path:
            at = at[key]
        if at == check and "checks" in path:
            return path[:-1]
    raise UsageError(f"{source.file}: there is no check {check}")
