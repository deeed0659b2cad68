"""What a grade depends on, as digests: where they are the same, grading again changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.assignment import secret, signatures
from grader.assignment.digests import content, digest, engine, listing
from grader.assignment.used_files import UsedFiles
from grader.errors import UsageError
from grader.intake.contents_digest import contents_digest
from grader.intake.layouts import Origin
from grader.intake.wanted import asked_by
from grader.job import HandedIn, Settings
from grader.model import Rubric


@dataclass(frozen=True)
class Basis:
    """What all grades of a run depend on.

    Attributes:
        engine: the digest of this program and of the libraries that student code computes with.
        staging: of what makes files of hand-ins: the names that are asked for, supplied files.
        asked: of the functions that are asked for, by which notebooks are chosen.
        checks: of everything else that a check's grade depends on, by its id: its keys in the
            rubric, those of its question, the files of the reference that it uses, the settings.
    """

    engine: str
    staging: str
    asked: str
    checks: Mapping[str, str] = field(default_factory=dict)

    @property
    def whole(self) -> str:
        """The digest of all of it: two machines with the same one give the same grades."""
        return digest([self.engine, self.staging, self.asked, sorted(self.checks.items())])

    def of_submission(self, origin: Origin, contested: str) -> HandedIn | None:
        """Return the digests of a hand-in as it is staged.

        They are None if it cannot be read: then nobody can say whether it has changed, and grading
        it says what is wrong with it.
        """
        try:
            contents = contents_digest(origin)
        except UsageError:
            return None
        plain = [self.staging, contents, contested]
        return HandedIn(digest(plain), digest([*plain, self.asked]), digest([contents]))


def basis_of(rubric: Rubric, settings: Settings) -> Basis:
    """Return what the grades of a run depend on.

    Raises:
        BrokenError: a file of the assignment or of this program cannot be read.
    """
    this = engine()
    modules, others = asked_by(rubric)
    supplied = {path.name: path for question in rubric.questions for path in question.supplied}
    files = [(name, content(path)) for name, path in sorted(supplied.items())]
    staging = digest([this, sorted(modules), sorted(set(others)), files])
    asked = digest([[name, sorted(functions)] for name, functions in sorted(modules.items())])
    used = UsedFiles(rubric)
    declared = signatures.of_rubric(rubric)
    run = _settings(rubric, settings)
    data = listing(settings.data)
    checks = {}
    for question in rubric.questions:
        about = [question.id, question.module, question.preload, question.forbidden]
        for check in question.checks:
            keys = check.model_dump(mode="json")
            named = check.rests_on(question.of(check).module)
            parts = [this, run, about, keys, used.digest(question, check)]
            parts += [
                [str(declared.get(name)) for name in named],
                data if "dataset" in keys else [],
            ]
            checks[check.id] = digest(parts)
    return Basis(this, staging, asked, checks)


def _settings(rubric: Rubric, settings: Settings) -> list[Any]:
    seed = secret.label(settings.secret, settings.public_seed(rubric))
    isolation = settings.isolation if settings.locked else "none"
    # Workers' own generators, and what is shown of public data, follow from the public seed.
    public = settings.public_seed(rubric)
    return [rubric.assignment, settings.tier, seed, public, settings.device, isolation]
