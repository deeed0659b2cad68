"""Runs of right and wrong programs that are kept, so that more seeds add to those that are there.

``runs.jsonl`` holds one line per program, check and seed. A line counts as long as nothing changes
that it depends on: the program, the reference, the grader's version, and the check in the rubric,
but for the thresholds of a training check and for its words. (Differences are kept as shares of
the tolerance, so that they depend on it.)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from grader import __version__
from grader.checks.image import RATIOS, ImageSpec
from grader.checks.measured import SHARE
from grader.errors import UsageError
from grader.model import CheckSpec, Rubric, Tier
from grader.reports.report import CheckReport

NAME = "runs.jsonl"
NO_MATTER = frozenset(["tiers", "near_miss", "extra_seeds", "hint", "title", "points"])
Role = Literal["right", "wrong"]
RunKey = tuple[str, str, str, int, Tier]


@dataclass(frozen=True)
class MeasuredRun:
    """What one program showed in one check.

    Attributes:
        check: the check's id.
        program: its name; with a change of it, where that is.
        role: whether it is right.
        seed: what the data were drawn with.
        tier: which data.
        stamp: a digest of all that the numbers depend on.
        earned: the share of the points.
        values: of a check of values, the largest share of its tolerance by value; of a training
            check, its metric.
    """

    check: str
    program: str
    role: Role
    seed: int
    tier: Tier
    stamp: str
    earned: float
    values: dict[str, float] = field(default_factory=dict)

    @property
    def key(self) -> RunKey:
        """What there is one run of."""
        return self.check, self.program, self.stamp, self.seed, self.tier


class Stamps:
    """Digests of what a run depends on."""

    def __init__(self, rubric: Rubric) -> None:
        self._rubric = rubric
        self._specs = {c.id: c for question in rubric.questions for c in question.checks}

    def of(self, check: str, files: Mapping[str, bytes]) -> str:
        """Return the digest for a check of a program, given its files by name."""
        digest = hashlib.sha256(self._reference)
        digest.update(_spec(self._specs[check]))
        for name, data in sorted(files.items()):
            digest.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(data).digest())
        return digest.hexdigest()[:24]

    @cached_property
    def _reference(self) -> bytes:
        digest = hashlib.sha256(__version__.encode())
        root = self._rubric.reference
        for path in sorted(root.rglob("*.py")):
            if path.is_file() and "submissions" not in path.relative_to(root).parts:
                digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
        return digest.digest()


def _spec(spec: CheckSpec) -> bytes:
    return json.dumps(spec.model_dump(mode="json", exclude=set(NO_MATTER)), sort_keys=True).encode()


class KeptRuns:
    """The file of runs in a folder.

    Raises:
        UsageError: the file cannot be read, or holds something else.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._runs: dict[RunKey, MeasuredRun] = {}
        if not self._path.is_file():
            return
        for number, line in enumerate(self._path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                run = MeasuredRun(**json.loads(line))
            except (TypeError, ValueError):
                if not line.endswith("}"):
                    continue  # cut off when a run was killed
                text = f"{self._path}:{number}: is not a run of grader calibrate; remove the line"
                raise UsageError(text) from None
            self._runs[run.key] = run

    def __contains__(self, key: RunKey) -> bool:
        return key in self._runs

    def __getitem__(self, key: RunKey) -> MeasuredRun:
        return self._runs[key]

    def add(self, runs: Iterator[MeasuredRun]) -> None:
        """Keep runs, in memory and on the disk."""
        with self._path.open("a", encoding="utf-8") as file:
            for run in runs:
                self._runs[run.key] = run
                file.write(json.dumps(asdict(run)) + "\n")


def metric_of(spec: CheckSpec) -> str | None:
    """Return the measurement that a check compares with thresholds; None if it has none."""
    if isinstance(spec, ImageSpec):
        return RATIOS
    metric = getattr(spec, "metric", None)
    return metric if isinstance(metric, str) and hasattr(spec, "tiers") else None


def values_of(spec: CheckSpec, found: CheckReport) -> dict[str, float]:
    """Return the numbers of a report that calibration is about; of several images, the worst."""
    metric = metric_of(spec)
    measured: Mapping[str, Any] = found.measurements
    if metric is None:
        return dict(measured.get(SHARE) or {})
    first = (measured.get("by_seed") or [measured.get(metric)])[0]
    if isinstance(first, Mapping):
        first = max(first.values(), default=None)
    return {metric: float(first)} if isinstance(first, int | float) else {}
