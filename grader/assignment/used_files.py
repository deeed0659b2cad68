"""Which files of an assignment a check uses: a change of others leaves its grades as they are."""

from __future__ import annotations

import ast
import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from grader.assignment.digests import files_below
from grader.assignment.syntax import statements
from grader.errors import BrokenError
from grader.model import CheckSpec, Question, Rubric

WORDS = re.compile(r"\w+")
# A file in which one of these stands may load others by names that it makes up.
DYNAMIC = re.compile(rb"\b(?:importlib|__import__|import_module|runpy|pkgutil|exec|execfile)\b")
# An import statement, found without parsing the file, which takes longer than all else here: what
# stands before ``import`` after ``from``, and what stands after it, to the end of the line or of
# the parentheses. It finds the word in texts and comments, too: that makes a check use more files.
IMPORT = re.compile(
    r"""(?:\bfrom\b([\s\w.\\]*))?\bimport\b
        ((?:[^\S\n]|\\\r?\n)*\((?:[^()#]|\#[^\n]*)*\)|(?:\\\r?\n|[^\n])*)""",
    re.VERBOSE,
)
CODING = re.compile(rb"coding[:=]")
HEAD = 200  # bytes in which a file names its encoding
QUOTED = re.compile(rb"\"([^\"\n]+)\"|'([^'\n]+)'")
MAX_BESIDE = 500  # files beside a reference
MAX_BESIDE_BYTES = 64 << 20  # of them together: not the data of the homework
MOST_ENTRIES = 5000  # of a folder, with the folders below it
OURS = ("grader", "latexgrad")  # which count as a whole
EXAMPLES = "submissions"  # known hand-ins: no grade depends on them


class UsedFiles:
    """The files in a reference folder, by the checks that use them.

    A check uses the modules that its keys, or those of its question, name anywhere
    (``rnn_layers.py``, ``captioning.train``), in whatever folder they lie, and what these import.
    A file that no check of the rubric uses may be loaded in a way that is not seen here: it counts
    for all checks. So does every ``__init__.py`` with what it imports, and every file that is not
    Python. Whoever uses a file that can load others by their names uses all files.

    Raises:
        BrokenError: a file cannot be read.
    """

    def __init__(self, rubric: Rubric) -> None:
        self._rubric = rubric
        self._folder = rubric.reference
        self._lines: dict[Path, str] = {}
        self._sources: dict[Path, bytes] = {}
        try:
            files = files_of(self._folder)
        except OSError as error:
            raise BrokenError(f"{error.filename} cannot be read: {error.strerror}") from None
        for path in files:
            self._sources[path] = _read(path) if path.suffix == ".py" else b""
            data = self._sources[path] or _read(path)
            name = path.relative_to(self._folder)
            self._lines[path] = f"{name}\0{hashlib.sha256(data).hexdigest()}\n"
        self._by_word: dict[str, set[Path]] = {}
        for path in self._sources:
            if path.suffix == ".py":
                self._by_word.setdefault(path.stem, set()).add(path)

    def digest(self, question: Question, check: CheckSpec) -> str:
        """Return a digest of the names and contents of all files that a check uses."""
        lines = sorted(self._lines[path] for path in self.counted(question, check))
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()

    def counted(self, question: Question, check: CheckSpec) -> set[Path]:
        """Return all files that count for a check."""
        return self.of(question, check) | self._for_all

    def of(self, question: Question, check: CheckSpec) -> set[Path]:
        """Return the Python files that a check names, and all that these import."""
        keys = json.dumps([question.module, check.model_dump(mode="json")])
        return self._with_imports(self._named(WORDS.findall(keys)))

    def _with_imports(self, paths: set[Path]) -> set[Path]:
        """Return files with all that they import, and what that imports."""
        found = set(paths)
        waiting = list(found)
        while waiting:
            new = self._imported[waiting.pop()] - found
            found |= new
            waiting += new
        return found

    @cached_property
    def _for_all(self) -> set[Path]:
        rest = set(self._sources)
        for question in self._rubric.questions:
            for check in question.checks:
                rest -= self.of(question, check)
        packages = {path for path in self._sources if path.name == "__init__.py"}
        return self._with_imports(rest | packages)

    @cached_property
    def _imported(self) -> Mapping[Path, set[Path]]:
        """The files that each file imports: those of the names in its import statements."""
        return {path: self._imported_by(path, source) for path, source in self._sources.items()}

    def _imported_by(self, path: Path, source: bytes) -> set[Path]:
        if path.suffix != ".py":
            return set()
        if DYNAMIC.search(source):
            return set(self._sources)
        return self._named(imported_names(source))

    def _named(self, words: Iterable[str]) -> set[Path]:
        return set().union(*(self._by_word.get(word, set()) for word in set(words)))


def files_of(reference: Path) -> list[Path]:
    """Return the files of a reference without its examples, in order."""
    return sorted(files_below(reference, reference / EXAMPLES), key=str)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BrokenError(f"{path} cannot be read: {error.strerror}") from None


def imported_names(source: bytes) -> list[str]:
    """Return the words in the import statements of a file, and perhaps others."""
    if not source.isascii() or CODING.search(source[:HEAD]):
        return _parsed_names(source)  # Python has its own ways with letters
    text = source.decode("ascii")
    return [
        word for found in IMPORT.findall(text) for part in found for word in WORDS.findall(part)
    ]


def _parsed_names(source: bytes) -> list[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []  # grading says so
    names: list[str] = []
    for node in statements(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names += [word for alias in node.names for word in alias.name.split(".")]
            names += (getattr(node, "module", None) or "").split(".")
    return names


def used_beside(reference: Path) -> list[Path]:
    """Return the files beside a reference that its code uses, such as those of the template.

    It uses what it names in a text or imports, and what these files use in turn. What a name is
    made up of is not seen.

    Raises:
        ValueError: they are too many, or too large.
        OSError: a file cannot be read.
    """
    top = reference.parent
    entries = {path.name: path for path in top.iterdir() if path.name not in OURS}
    entries.pop(reference.name, None)
    modules: dict[str, set[Path]] = {}
    for name, path in entries.items():
        modules.setdefault(name.partition(".")[0], set()).add(path)
    found: dict[Path, None] = {}
    size = 0
    waiting = files_of(reference)
    while waiting:
        path = waiting.pop()
        if path.suffix != ".py":
            continue
        source = path.read_bytes()
        texts = _parts_of_texts(source)
        imported = imported_names(source)
        if DYNAMIC.search(source):
            imported += [text.partition(".")[0] for text in texts]
        used = {entries[text] for text in texts if text in entries}
        used = used.union(*(modules.get(name, ()) for name in imported))
        for entry in sorted(used, key=str):
            new = [one for one in _below(entry) if one not in found]
            found.update(dict.fromkeys(new))
            waiting += new
            size += sum(one.stat().st_size for one in new)
            if len(found) > MAX_BESIDE or size > MAX_BESIDE_BYTES:
                raise ValueError("too many files")
    return sorted(found, key=str)


def _parts_of_texts(source: bytes) -> list[str]:
    """Return the parts of what may be paths among the texts in a program."""
    texts = [(one or other).decode("utf-8", "replace") for one, other in QUOTED.findall(source)]
    return [part for text in texts for part in text.split("/")]


def _below(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place] if place.is_file() else []
    every = list(itertools.islice(files_below(place), MOST_ENTRIES + 1))
    if len(every) > MOST_ENTRIES:
        raise ValueError("too many files")
    return every
