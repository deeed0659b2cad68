"""What a client, a dask worker and its grading process send each other.

All three are the instructor's. What student code returns arrives here as text in reports only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.intake.downloads import Student
from grader.job import HandedIn, Settings
from grader.reports.shards import GradedWith


@dataclass(frozen=True)
class Setup:
    """What is the same for all submissions of a run.

    Attributes:
        run: tells the runs of one cluster apart.
        rubric: where the rubric lies on the client, and on a worker without ``GRADER_RUBRIC``.
        settings: the client's settings; never shown, since they may hold the secret seed.
        budget_s: the seconds for each submission.
        ground: what the client would grade with.
    """

    run: str
    rubric: str
    settings: Settings = field(repr=False)
    budget_s: float
    ground: GradedWith = field(repr=False)


@dataclass(frozen=True)
class PackedFile:
    """A file, or what is known of something that is not read.

    Attributes:
        name: relative to the part that it is in; empty for a part that is a file itself.
        size: its size in bytes.
        data: its contents; None if only its size counts.
        link: where a symbolic link leads; None for a file.
    """

    name: str
    size: int
    data: bytes | None = field(repr=False)
    link: str | None = None


@dataclass(frozen=True)
class PackedPart:
    """A folder or a file that was handed in.

    Attributes:
        name: the name of its path.
        real_name: that of the path it leads to, if it is a link.
        called: what the file was called before a platform renamed it; empty if none did.
        folders: the folders in it; None for a file.
        files: the files in it, or itself.
    """

    name: str
    real_name: str
    called: str
    folders: tuple[str, ...] | None
    files: tuple[PackedFile, ...] = field(repr=False)


@dataclass(frozen=True)
class PackedSubmission:
    """A submission with all that is needed to grade it.

    ``earlier`` is an earlier report as JSON, with the pictures that it names; ``frame``, as JSON,
    is what the files do not tell.
    """

    identifier: str
    parts: tuple[PackedPart, ...]
    collected: bool
    student: Student | None
    notes: tuple[str, ...]
    doubt: str
    wanted: frozenset[str] = field(repr=False)
    contested: str = ""
    basis: HandedIn | None = None
    earlier: str | None = field(default=None, repr=False)
    pictures: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    frame: str = field(default="{}", repr=False)


@dataclass(frozen=True)
class Ready:
    """A grading process holds the same rubric, reference and program as the client."""


@dataclass(frozen=True)
class Refused:
    """A grading process cannot grade for this client at all, and says why."""

    why: str


@dataclass(frozen=True)
class ReturnedReport:
    """The files of a submission's report; ``why`` says why there are none."""

    identifier: str
    files: Mapping[str, bytes] = field(repr=False)
    why: str = ""


@dataclass(frozen=True)
class TaskResult:
    """What a task returns: reports, or why this worker grades nothing."""

    graded: tuple[ReturnedReport, ...]
    refused: str = ""
