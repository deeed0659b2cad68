"""Finds the modules in a submission that the rubric asks for; ``texts.py`` finds its texts.

A file is found, with a note, in another folder, with other uppercase letters, with the number that
a browser or platform gives to copies, or with ``.txt`` after its name. If two different files could
be meant, that is an error that lists them.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path, PurePosixPath

from grader.errors import Reason
from grader.intake import notebook
from grader.intake.archives import shown
from grader.intake.imports import with_imports
from grader.intake.notebook import NotebookError

MAX_CANDIDATES = 6  # that a message lists
MAX_NOTEBOOKS = 20  # that are searched for functions
COPY = re.compile(r"(?:[ _]?\(\d+\)|-\d+)$")  # of a browser: "x (1).py"; of Canvas: "x-1.py"
CODE = (".py", notebook.SUFFIX)
Wanted = Mapping[str, Collection[str]]  # modules, and the functions that each must have


@dataclass(frozen=True)
class Slot:
    """Where a file is, relative to the submission, how messages name it, and what it was."""

    path: str
    shown: str
    source: str  # the file that was handed in, relative to the submission


@dataclass
class Places:
    """The requested files: where they are, or why each of them cannot be used."""

    asked: frozenset[str] = frozenset()
    found: dict[str, Slot] = field(default_factory=dict)
    obstacles: dict[str, tuple[Reason, str]] = field(default_factory=dict)


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """Return a file's name, ignoring case and ways to write accents."""
    return unicodedata.normalize("NFC", name).casefold()


@lru_cache(maxsize=4096)
def loosened(name: str) -> str:
    """Return a file's name without what browsers and platforms add to it."""
    name = folded(name).strip()
    if name.endswith((".py.txt", ".ipynb.txt")):
        name = name.removesuffix(".txt")
    stem, dot, suffix = name.rpartition(".")
    return f"{COPY.sub('', stem)}{dot}{suffix}" if dot else name


def is_meant(name: str, wanted: str) -> bool:
    """Say whether a file named ``name`` is most likely the requested one."""
    stem = wanted.removesuffix(".py")
    forms = [folded(wanted)] + ([folded(stem + notebook.SUFFIX)] if stem != wanted else [])
    return loosened(name) in forms


def near(wanted: str, files: Iterable[str]) -> str | None:
    """Return the file whose name is close to the requested one, if there is one."""
    stem = folded(wanted.rpartition(".")[0])
    suffixes = (*CODE, ".txt", wanted[wanted.rfind(".") :])
    names = {folded(PurePosixPath(f).name): f for f in files if f.lower().endswith(suffixes)}
    same = [name for name in names if stem in name]
    close = same[:1] or get_close_matches(folded(wanted), names, 1, 0.8)
    return names[close[0]] if close else None


def locate(
    folder: Path,
    files: Sequence[str],
    modules: Wanted,
    made: Places,
    note: Callable[[str], None],
) -> None:
    """Find the requested modules, and rename those that have another name.

    Args:
        folder: the staged submission.
        files: its files, relative to it.
        modules: Python modules, with the functions that each must have.
        made: takes what was found.
        note: takes notes for the report.
    """
    finder = _Finder(folder, files, note, made)
    there = set(files)  # some systems find a file regardless of case, but do not import it
    for name, functions in modules.items():
        if name in there:
            finder.check_in_place(name, functions)
        else:
            finder.find(name, functions)


class _Finder:
    def __init__(
        self, folder: Path, files: Sequence[str], note: Callable[[str], None], made: Places
    ) -> None:
        self._folder = folder
        self._files = files
        self._note = note
        self._made = made
        self._books: dict[str, frozenset[str]] | None = None

    def check_in_place(self, name: str, functions: Collection[str]) -> None:
        """Convert a notebook named ``name``, and note a notebook next to the module."""
        if notebook.looks_like((self._folder / name).read_bytes()):
            self._note(f"{name} is a notebook with a module's name: it was read as a notebook")
            self._convert(name, name, name)
            return
        beside = [f for f in self._named(name) if f.lower().endswith(notebook.SUFFIX)]
        beside = beside or self._defining(functions)
        if beside:
            # Students who work in a notebook often hand in the template unchanged.
            remedy = f"to hand in the notebook instead, leave out {name}"
            self._note(f"{listed(beside)} was not read because {name} is there; {remedy}")

    def find(self, name: str, functions: Collection[str]) -> None:
        """Find one module."""
        candidates = self._named(name)
        written = [f for f in candidates if not loosened(f).endswith(notebook.SUFFIX)]
        for some in (written, candidates):
            if some:
                self._take(name, some)
                return
        if defining := self._defining(functions):
            self._take(name, defining)

    def _named(self, name: str) -> list[str]:
        return [file for file in self._files if is_meant(PurePosixPath(file).name, name)]

    def _defining(self, functions: Collection[str]) -> list[str]:
        """Return the notebooks that seem to define any of the functions."""
        wanted = set(functions)
        return [f for f, there in self._notebooks().items() if there & wanted] if wanted else []

    def _notebooks(self) -> dict[str, frozenset[str]]:
        """Return what the submission's notebooks seem to define; damaged ones define nothing."""
        if self._books is None:
            self._books = {}
            books = [f for f in self._files if f.lower().endswith(notebook.SUFFIX)]
            for file in books[:MAX_NOTEBOOKS]:
                try:
                    cells = notebook.code_cells((self._folder / file).read_bytes(), shown(file))
                except NotebookError as error:
                    self._note(str(error))
                    continue
                self._books[file] = notebook.defined_in(cells)
        return self._books

    def _take(self, name: str, candidates: Sequence[str]) -> None:
        best = self._best(candidates)
        if best is None:
            text = (
                f"{name}: several files could be meant: {listed(candidates)}: hand in only one of "
                f"them, as {name}"
            )
            self._made.obstacles[name] = ("missing", text)
            return
        rest = [file for file in candidates if file != best]
        more = f"; {listed(rest)} was ignored" if rest else ""
        path = PurePosixPath(best)
        place = path.with_name(name).as_posix()
        if loosened(best).endswith(notebook.SUFFIX):
            cells = "its code cells, counted from 1, are the module"
            self._note(f"{shown(best)} was read as {name}: {cells}{more}")
            self._convert(name, best, place)
            return
        if best != place:
            source, target = self._folder / best, self._folder / place
            if target.exists() and target.samefile(source):
                source.rename(target)  # where case makes no difference
            else:
                shutil.copyfile(source, target)
            data = (self._folder / place).read_bytes()
            if name.endswith(".py") and notebook.looks_like(data):
                self._convert(name, place, place)
        if place != name or best != place:
            self._note(f"{name} was found as {shown(best)}{more}")
        self._made.found.setdefault(name, Slot(place, shown(best), best))

    def _best(self, candidates: Sequence[str]) -> str | None:
        """Return the file that is meant: the only one, or the only one closest to the top."""
        by_depth = sorted(candidates, key=lambda file: (file.count("/"), file))
        nearest = [f for f in by_depth if f.count("/") == by_depth[0].count("/")]
        return nearest[0] if len(contents(self._folder, nearest)) == 1 else None

    def _convert(self, name: str, book: str, place: str) -> None:
        try:
            text = notebook.module_of((self._folder / book).read_bytes(), shown(book))
        except NotebookError as error:
            self._made.obstacles[name] = ("import_error", str(error))
            return
        target = self._folder / place
        target.write_bytes(text.encode("utf-8", "replace"))
        self._made.found[name] = Slot(place, shown(book), book)


def contents(folder: Path, files: Iterable[str]) -> set[bytes]:
    """Return the digests of files: as many as there are different ones."""
    return {hashlib.sha256((folder / file).read_bytes()).digest() for file in files}


def home(target: Path, wanted: Sequence[str]) -> Path:
    """Return the folder of the submission: the top, or the only folder with requested files.

    Args:
        target: where everything was unpacked.
        wanted: the names of modules.
    """
    if any(is_meant(file.name, name) and file.is_file() for file in target.glob("*")
           for name in wanted):  # fmt: skip
        return target
    for finding in (_exact, _meant):
        homes = set(finding(target, wanted))
        shallowest = min((len(place.parts) for place in homes), default=0)
        candidates = [place for place in homes if len(place.parts) == shallowest]
        if candidates:
            return with_imports(target, candidates[0]) if len(candidates) == 1 else target
    return target


def _exact(target: Path, wanted: Sequence[str]) -> Iterator[Path]:
    for name in wanted:
        yield from (found.parent for found in target.rglob(name) if found.is_file())


def _meant(target: Path, wanted: Sequence[str]) -> Iterator[Path]:
    for file in target.rglob("*"):
        if any(is_meant(file.name, name) for name in wanted) and file.is_file():
            yield file.parent


def listed(files: Sequence[str]) -> str:
    """Return names of files for a message, the first ones only if they are many."""
    told = ", ".join(shown(file) for file in files[:MAX_CANDIDATES])
    more = len(files) - MAX_CANDIDATES
    return f"{told} and {more} more" if more > 0 else told
