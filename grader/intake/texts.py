"""Finds the texts that the rubric asks for, anywhere in the submission.

Modules decide which folder is the submission's. A text may lie in another one, above or beside it.
Several files of one name are ranked, and the notes name those that were passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.intake.archives import shown
from grader.intake.places import Places, Slot, contents, folded, is_meant, listed

PLACEHOLDER = b"TODO"  # stands in a template where an answer is to be written
MAX_SEARCHED = 1024 * 1024  # bytes of a text that are searched for placeholders
BACKUP = re.compile(
    r"(?i:(?:.*[ _.-])?(?:old|older|backups?|bak|cop(?:y|ies)|orig(?:inals?)?|prev(?:ious)?|"
    r"archived?|drafts?|unused|trash|templates?|starter|skeleton|submissions_template)"
    r"(?:[ _.-]?(?:\d+|\(\d+\)))*(?:[ _.-].*)?)"
)


@dataclass(frozen=True)
class _Text:
    """A file that may be meant.

    ``path`` is relative to the submission's folder and may lead out of it, ``top`` is relative to
    everything that was handed in.
    """

    path: str
    top: str
    wanted: str
    placeholders: int

    @property
    def is_outside(self) -> bool:
        return self.path.startswith("../")

    @property
    def name(self) -> str:
        """How messages name it."""
        return shown(self.top if self.is_outside else self.path)

    @property
    def is_spare(self) -> bool:
        """Whether it is a copy or lies in a folder of backups."""
        path = PurePosixPath(self.path)
        exact = folded(path.name) == folded(self.wanted)
        return not exact or any(map(BACKUP.fullmatch, path.parts[:-1]))

    @property
    def distance(self) -> int:
        """How many folders up and down it is away from the submission's folder."""
        return self.path.count("/")


def locate_texts(
    target: Path,
    folder: Path,
    texts: Collection[str],
    made: Places,
    note: Callable[[str], None],
) -> None:
    """Find the requested texts and say where they are.

    Of several, the one nearest to ``folder`` counts. Backups, copies and a template in which more
    is left to write come last.

    Args:
        target: everything that was handed in.
        folder: the submission's folder, in it.
        texts: the names that are asked for.
        made: takes what was found.
        note: takes notes for the report.
    """
    everything = sorted(path for path in target.rglob("*") if path.is_file())
    chosen: dict[str, _Text] = {}
    for wanted in dict.fromkeys(texts):
        candidates = [
            _text(path, target, folder, wanted)
            for path in everything
            if is_meant(path.name, wanted)
        ]
        if not candidates:
            continue
        best = _best(folder, candidates)
        if best is None:
            files = listed([each.name for each in candidates])
            hint = f"hand in only one of them, as {wanted}"
            told = f"{wanted}: several files could be meant: {files}: {hint}"
            made.obstacles[wanted] = ("missing", told)
            note(told)
            continue
        chosen[wanted] = best
        _tell(best, candidates, folder, note)
        if best.path != wanted:
            made.found.setdefault(wanted, Slot(best.path, best.name, best.path))
    for wanted, text in chosen.items():
        _prefer_own(wanted, text, chosen, made, note)


def _text(path: Path, target: Path, folder: Path, wanted: str) -> _Text:
    up = 0
    while not path.is_relative_to(folder):
        folder, up = folder.parent, up + 1
    relative = "../" * up + path.relative_to(folder).as_posix()
    with path.open("rb") as file:
        left = file.read(MAX_SEARCHED).count(PLACEHOLDER)
    return _Text(relative, path.relative_to(target).as_posix(), wanted, left)


def _best(folder: Path, candidates: Sequence[_Text]) -> _Text | None:
    """Return the file that is meant; None if it could be one of several different ones."""
    left = [text.placeholders for text in candidates]
    most = max(left) if min(left) < max(left) else None

    def rank(text: _Text) -> tuple[bool, bool, int]:
        return text.placeholders == most, text.is_spare, text.distance

    first = min(map(rank, candidates))
    nearest = [text for text in candidates if rank(text) == first]
    return nearest[0] if len(contents(folder, [text.path for text in nearest])) == 1 else None


def _tell(
    best: _Text, candidates: Sequence[_Text], folder: Path, note: Callable[[str], None]
) -> None:
    """Note where a text was found, and which others were passed over."""
    rest = [text for text in candidates if text is not best]
    if best.path == best.wanted:
        # An equal copy elsewhere changes nothing.
        rest = [text for text in rest if len(contents(folder, [best.path, text.path])) > 1]
    ignored = listed([text.name for text in rest])
    more = f"; {ignored} was ignored" if rest else ""
    if best.path == best.wanted:
        if rest:
            note(f"{ignored} was ignored because {best.wanted} is there")
    elif best.name == best.wanted:
        note(f"{best.wanted} was found at the top of the submission{more}")
    else:
        note(f"{best.wanted} was found as {best.name}{more}")


def _prefer_own(
    wanted: str,
    text: _Text,
    chosen: dict[str, _Text],
    made: Places,
    note: Callable[[str], None],
) -> None:
    """Pass over a backup of a text that is there under its name with another suffix."""
    stem = PurePosixPath(wanted).stem
    others = [o for o in chosen.values() if PurePosixPath(o.wanted).stem == stem and o is not text]
    own = [other for other in others if not other.is_spare]
    if own and text.is_spare:
        told = f"{text.name} was not read as {wanted} because {own[0].name} is there"
        made.found.pop(wanted, None)
        made.obstacles[wanted] = ("missing", f"{told}: hand in only one of them")
        note(told)
