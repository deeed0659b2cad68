"""Parts of a class that are graded apart, and the note by which they find together again.

The reports of a shard lie in a folder of their own. Its file ``.shard.json`` says which submissions
of which class belong to it, and what they were graded with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader.errors import UsageError
from grader.readers.texts import counted
from grader.reports.files import write_text
from grader.reports.report import first_problem

NAME = ".shard.json"
MAX_NAMED = 6  # checks named in one message
DIGITS = 8  # of a digest that a message shows


@dataclass(frozen=True)
class Shard:
    """Shard ``number`` of ``of``, from 1: every ``of``-th submission in the order of ids."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def members(self, identifiers: Iterable[str]) -> frozenset[str]:
        """Return the submissions of this shard; the sizes of two shards differ by one at most.

        Args:
            identifiers: the ids of the whole class, in any order.
        """
        return frozenset(sorted(identifiers)[self.number - 1 :: self.of])


class _Noted(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class GradedWith(_Noted):
    """What grades were computed with: two machines give the same grades if it is the same on both.

    ``whole`` is the digest of all that checks depend on; the other fields say what differs if that
    does. ``lists`` is the digest of the tables of times and groups, and of the late days.
    """

    whole: str
    assignment: str
    version: str
    engine: str
    staging: str
    seed: str
    tier: str
    device: str
    isolation: str
    checks: Mapping[str, str]
    lists: str = ""

    def difference(self, other: GradedWith) -> str | None:
        """Return what differs, as in "they were graded with ..."; None if nothing does."""
        if self.lists != other.lists:
            return "different times, groups, late days or rules for them; give each the same"
        if self.whole == other.whole:
            return None
        pairs = [
            ("assignments", self.assignment, other.assignment),
            ("programs", self._program(), other._program()),
            ("seeds", self.seed, other.seed),
            *(
                (f"settings of --{name}", getattr(self, name), getattr(other, name))
                for name in ("tier", "device", "isolation")
            ),
        ]
        for what, mine, theirs in pairs:
            if mine != theirs:
                return f"different {what}: {mine} and {theirs}{REMEDIES.get(what, '')}"
        names = [*self.checks, *(name for name in other.checks if name not in self.checks)]
        changed = [name for name in names if self.checks.get(name) != other.checks.get(name)]
        what = "different rubrics, reference files or data"
        if not changed:
            return f"{what}: other files are asked for or supplied"
        more = len(changed) - MAX_NAMED
        rest = f" and {more} more" if more > 0 else ""
        return f"{what}: {', '.join(changed[:MAX_NAMED])}{rest} would not be graded alike"

    def _program(self) -> str:
        return f"dl-grader {self.version} ({self.engine[:DIGITS]})"


REMEDIES = {
    "programs": "; dl-grader, Python, numpy and torch must be of the same versions",
    "seeds": "; use the same file with --seed-file, or the same --seed",
}


class ShardNote(_Noted):
    """What a shard is.

    Attributes:
        shard: its number, from 1.
        of: the number of shards.
        class_size: the number of submissions in all shards.
        class_digest: the digest of their ids.
        submissions: the ids of those in this shard.
        wanted: the ids of the checks that were to be run.
        graded_with: what the grades depend on.
    """

    shard: Annotated[int, Field(ge=1)]
    of: Annotated[int, Field(ge=1)]
    class_size: Annotated[int, Field(ge=0)]
    class_digest: str
    submissions: tuple[str, ...]
    wanted: tuple[str, ...]
    graded_with: GradedWith

    @property
    def place(self) -> Shard:
        """Which shard it is."""
        return Shard(self.shard, self.of)

    @classmethod
    def about(
        cls, shard: Shard, identifiers: Collection[str], wanted: Iterable[str], ground: GradedWith
    ) -> ShardNote:
        """Return the note about a shard of the class with these ids."""
        text = "\n".join(sorted(identifiers))
        return cls(
            shard=shard.number,
            of=shard.of,
            class_size=len(identifiers),
            class_digest=hashlib.sha256(text.encode()).hexdigest(),
            submissions=tuple(sorted(shard.members(identifiers))),
            wanted=tuple(sorted(wanted)),
            graded_with=ground,
        )


def read(folder: Path) -> ShardNote | None:
    """Return the note in a folder of reports; None if there is none.

    Raises:
        UsageError: it cannot be read.
    """
    path = folder / NAME
    try:
        return ShardNote.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise UsageError(
            f"{path}: does not say what shard this is: {first_problem(error)}; grade it again"
        ) from None


def check(out: Path, shard: Shard) -> None:
    """Refuse to mix two shards in one folder.

    Raises:
        UsageError: the folder holds another shard.
    """
    there = read(out)
    if there is not None and there.place != shard:
        raise UsageError(
            f"--out {out}: holds shard {there.place}; give shard {shard} a folder of its own"
        )


def keep(out: Path, note: ShardNote) -> None:
    """Write the note of a shard.

    Raises:
        UnwritableError: the file cannot be written.
    """
    write_text(out / NAME, note.model_dump_json(indent=1) + "\n")


def told(note: ShardNote) -> str:
    """Return one line that says how much of the class a shard is."""
    of_class = counted(note.class_size, "submission")
    return f"shard {note.place}: {len(note.submissions)} of {of_class}"
