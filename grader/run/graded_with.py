"""What a run grades with, in the words by which two machines compare it."""

from __future__ import annotations

from grader import __version__
from grader.assignment import secret
from grader.job import Settings
from grader.model import Rubric
from grader.reports.shards import GradedWith
from grader.run.basis import Basis


def graded_with(rubric: Rubric, settings: Settings, bases: Basis) -> GradedWith:
    """Return what the grades of a run are computed with."""
    return GradedWith(
        whole=bases.whole,
        assignment=rubric.assignment,
        version=__version__,
        engine=bases.engine,
        staging=bases.staging,
        seed=secret.label(settings.secret, settings.public_seed(rubric)),
        tier=settings.tier,
        device=settings.device,
        isolation=settings.isolation if settings.locked else "none",
        checks=dict(bases.checks),
    )
