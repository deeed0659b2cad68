"""Running right and wrong programs on many seeds, and keeping what they show."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from grader.assignment import mutated
from grader.assignment.examples import Example, assembled, identifier, load_examples, matching
from grader.assignment.mutated import MutantFate
from grader.calibration.kept_runs import (
    KeptRuns,
    MeasuredRun,
    Role,
    Stamps,
    metric_of,
    values_of,
)
from grader.isolation.worker.mutants import mutants_of
from grader.isolation.worker.rewrites import rewrites_of
from grader.job import Job, Submitted
from grader.model import CheckSpec, Rubric, Tolerances
from grader.reports.report import CheckReport, Report
from grader.run import batch
from grader.run.progress import follow

AT_ONCE = 100  # changed programs that are written to the disk at a time
WRONG = ("wrong/", "shortcuts/")  # folders of examples that are wrong on purpose
WRONG_SEEDS = 5
BROKEN = "broken"


@dataclass(frozen=True)
class Candidate:
    """A program to run: its name, whether it is right, and what its runs are kept under."""

    name: str
    role: Role
    submitted: Submitted
    stamps: dict[str, str]


def calibrated(rubric: Rubric) -> dict[str, CheckSpec]:
    """Return the checks that calibration is about, by id: those of values, and of training."""
    every = (check for question in rubric.questions for check in question.checks)
    return {c.id: c for c in every if is_of_values(c) or is_of_training(c)}


def is_of_values(spec: CheckSpec) -> bool:
    """Say whether a check compares values within tolerances."""
    return isinstance(spec, Tolerances)


def is_of_training(spec: CheckSpec) -> bool:
    """Say whether a check trains, and compares a metric with thresholds."""
    return metric_of(spec) is not None


@dataclass(frozen=True)
class Measuring:
    """What is the same for all runs: the job without a seed, the checks, the folder of runs."""

    job: Job
    checks: dict[str, CheckSpec]
    kept: KeptRuns
    jobs: int

    @cached_property
    def stamps(self) -> Stamps:
        """What runs are kept under; the reference is read once."""
        return Stamps(self.job.rubric)

    def examples(self, seeds: Sequence[int], patterns: Sequence[str] = ()) -> list[MeasuredRun]:
        """Run the examples on each seed, unless they have been; return all their runs.

        Without patterns, wrong ones run on the first ``WRONG_SEEDS`` only: there are many.

        Raises:
            UsageError: one of the patterns matches no example.
        """
        every = [one for one in self._candidates(patterns) if one[1]]
        found = []
        for number, seed in enumerate(seeds):
            chosen = every if patterns or number < WRONG_SEEDS else list(_right(every))
            with assembled([example for example, _roles in chosen]) as folders:
                found += self._runs(list(self._prepared(chosen, folders)), seed)
        return found

    def changed(self, seeds: Sequence[int], count: int, drawn_with: int) -> list[MeasuredRun]:
        """Run changed programs: for each check of values, ``count`` wrong and ``count`` right ones.

        Each program has one of the seeds.
        """
        programs = mutated.right_programs(self.job.rubric, load_examples(self.job.rubric))
        fates: list[tuple[Role, MutantFate]] = []
        roles: tuple[tuple[Role, mutated.Making], ...] = (
            ("wrong", mutants_of), ("right", rewrites_of),
        )  # fmt: skip
        for role, made in roles:
            every = [f for p in programs for f in mutated.fates_of(self.job.rubric, p, made)]
            for check in (c for c in self.checks if is_of_values(self.checks[c])):
                own = [fate for fate in every if check in fate.own and not fate.trains]
                drawn = mutated.drawn(own, count, drawn_with)
                fates += [(role, replace(fate, wanted=frozenset([check]))) for fate in drawn]
        found = []
        for number, start in enumerate(range(0, len(fates), AT_ONCE)):
            part = fates[start : start + AT_ONCE]
            with tempfile.TemporaryDirectory(prefix="changed-") as folder:
                folders = mutated.submitted(Path(folder), [fate for _role, fate in part])
                given = list(self._changed(part, folders))
                found += self._runs(given, seeds[number % len(seeds)])
        return found

    def _candidates(self, patterns: Sequence[str]) -> Iterator[tuple[Example, dict[str, Role]]]:
        """Yield the examples that are right or wrong on purpose, with the checks that say so."""
        for example in matching(load_examples(self.job.rubric), patterns):
            losses = example.claims.loses
            roles: dict[str, Role] = {}
            for check in example.wanted & set(self.checks):
                loses = losses == "all" or check in losses
                if example.name.startswith(f"{mutated.RIGHT}/") and not loses:
                    roles[check] = "right"
                elif example.name.startswith(WRONG) and loses:
                    roles[check] = "wrong"
            yield example, roles

    def _prepared(
        self, chosen: Sequence[tuple[Example, dict[str, Role]]], folders: Sequence[Submitted]
    ) -> Iterator[Candidate]:
        seen: set[tuple[str, str]] = set()  # examples share their bases' modules
        for (example, roles), given in zip(chosen, folders, strict=True):
            folder = Path(str(given.path))
            files = {
                path.relative_to(folder).as_posix(): path.read_bytes()
                for path in folder.rglob("*.py")
                if path.is_file() and not path.is_symlink()
            }
            for role in sorted(set(roles.values())):
                of_checks = {c: self.stamps.of(c, files) for c, one in roles.items() if one == role}
                of_checks = {c: stamp for c, stamp in of_checks.items() if (c, stamp) not in seen}
                seen.update(of_checks.items())
                one = replace(
                    given, identifier=f"{identifier(example)}.{role}", wanted=frozenset(of_checks)
                )
                if of_checks:
                    yield Candidate(example.name, role, one, of_checks)

    def _changed(
        self, part: Sequence[tuple[Role, MutantFate]], folders: Sequence[Submitted]
    ) -> Iterator[Candidate]:
        for (role, fate), given in zip(part, folders, strict=True):
            files = {
                **fate.program.files,
                fate.module: fate.mutant.source.encode(),
            }
            place = f"line {fate.mutant.line}, {fate.mutant.kind}"
            change = hashlib.sha256(fate.mutant.diff.encode()).hexdigest()[:6]
            name = f"{fate.program.name}/{fate.module}, {place} ({change})"
            of_checks = {check: self.stamps.of(check, files) for check in fate.wanted}
            yield Candidate(name, role, given, of_checks)

    def _runs(self, candidates: Sequence[Candidate], seed: int) -> list[MeasuredRun]:
        """Return the runs of programs on one seed; those that are not kept yet are made now."""
        tier = self.job.settings.tier
        keys = {
            (one.submitted.identifier, check): (check, one.name, one.stamps[check], seed, tier)
            for one in candidates
            for check in one.stamps
        }
        todo = []
        for one in candidates:
            given = one.submitted
            wanted = frozenset(
                check for check in one.stamps if keys[given.identifier, check] not in self.kept
            )
            if wanted:
                todo.append(replace(one, submitted=replace(given, wanted=wanted)))
        if todo:
            settings = replace(self.job.settings, seed=seed)
            job = Job(self.job.rubric, settings, None)
            given_all = [one.submitted for one in todo]
            reports = follow(batch.run(job, given_all, self.jobs), given_all)
            self.kept.add(self._measured(todo, reports, seed))
        return [self.kept[key] for key in keys.values() if key in self.kept]

    def _measured(
        self, todo: Sequence[Candidate], reports: Collection[Report], seed: int
    ) -> Iterator[MeasuredRun]:
        by_id = {made.id: made for made in reports}
        for one in todo:
            for found in by_id[one.submitted.identifier].checks():
                if found.outcome != BROKEN:
                    yield self._one(one, found, seed)

    def _one(self, one: Candidate, found: CheckReport, seed: int) -> MeasuredRun:
        return MeasuredRun(
            check=found.id,
            program=one.name,
            role=one.role,
            seed=seed,
            tier=self.job.settings.tier,
            stamp=one.stamps[found.id],
            earned=found.points / found.max_points,
            values=values_of(self.checks[found.id], found),
        )


def _right(
    chosen: Iterable[tuple[Example, dict[str, Role]]],
) -> Iterator[tuple[Example, dict[str, Role]]]:
    """Yield the examples that are right somewhere, with these checks only."""
    for example, roles in chosen:
        right: dict[str, Role] = {c: role for c, role in roles.items() if role == "right"}
        if right:
            yield example, right


def told_apart(runs: Sequence[MeasuredRun], checks: Mapping[str, CheckSpec]) -> list[MeasuredRun]:
    """Leave out wrong programs whose values earn everything: nobody can tell them from right ones.

    The metric of a wrong program counts however much it earns.
    """
    return [
        one
        for one in runs
        if one.role == "right" or one.earned < 1 or is_of_training(checks[one.check])
    ]
