"""Jupyter notebooks instead of modules: code cells become the text of a module; nothing is run.

The module begins with a line of JSON that names the notebook and the lines where its cells begin;
``isolation/worker/cells.py`` runs it by that line. Cells are counted from 1, code cells only,
since a notebook shows no other number that stays the same.

Source: "The Jupyter Notebook Format" (nbformat 3 and 4), and "Input transformation" of IPython.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Sequence
from keyword import iskeyword
from pathlib import Path
from typing import Any

from grader.isolation.worker.cells import MARK
from grader.readers.texts import printable

MAX_ITEMS = 4_000_000  # of its JSON; each takes up to a hundred bytes of memory
MAX_CELLS = 5000
MAX_SOURCE_CHARS = 2_000_000  # of all cells
MAX_MAGIC_CHARS = 1000  # of a line, examined to see whether it is a magic
MAX_NAME = 80
MAX_HELPERS = 20  # notebooks that other modules may import
SUFFIX = ".ipynb"
KEPT = frozenset(
    ["time", "timeit", "capture", "prun", "grader"]
)  # cell magics whose body is ordinary Python
OF_A_FILE = frozenset(["writefile", "file"])
CELL_MAGIC = re.compile(r"\s*%%(\w+)[ \t]*(.*)")
RUN = re.compile(r"%run[ \t]+(?:-[a-zA-Z]+[ \t]+)*(?:'([^']+)'|\"([^\"]+)\"|([^\s'\"]+))")
TIMED = re.compile(r"%time[ \t]+(?=\S)")
# What IPython handles itself at the beginning of a statement: %magic, !shell, ?help, help?,
# x = !shell, x = %magic, and a few words that work without the sign.
MAGIC = re.compile(
    r"(?:[%!?]|[\w.]+\?{1,2}\s*$|[\w, ]+=\s*[!%]"
    r"|(?:pip3?|conda|mamba)\s+(?:un)?install\b|(?:cd|ls|pwd|mkdir)(?:\s+[-./~\w]+)*\s*$)"
)
STRING_OR_COMMENT = re.compile(r"'''|\"\"\"|['\"#\\()\[\]{}]")
DEFINITION = re.compile(r"^(?:async\s+)?(?:def|class)\s+(\w+)|^(\w+)\s*=", re.MULTILINE)


class NotebookError(ValueError):
    """A file cannot be read as a notebook; the message says why, and what to do."""


def looks_like(data: bytes) -> bool:
    """Say whether a file with another name holds a notebook."""
    start = data[:200].decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    return start.startswith("{") and (b'"cells"' in data or b'"worksheets"' in data)


def module_of(data: bytes, name: str) -> str:
    """Return the text of the module that the notebook ``name`` holds.

    Raises:
        NotebookError: it is not a notebook, or not a Python notebook.
    """
    return assembled(code_cells(data, name), name)


def defined_in(cells: Sequence[str]) -> frozenset[str]:
    """Return the names that the cells seem to define at their top level."""
    return frozenset(
        name for cell in cells for found in DEFINITION.findall(cell) for name in found if name
    )


def put_modules(folder: Path, files: Iterable[str], asked: Iterable[str]) -> None:
    """Write a module beside each notebook that has none, for others to import or run it.

    Args:
        folder: the staged submission.
        files: its files.
        asked: modules that the rubric asks for, which are found in another way.
    """
    taken = set(asked)
    books = [file for file in files if file.lower().endswith(SUFFIX)]
    for file in books[:MAX_HELPERS]:
        path = (folder / file).with_suffix(".py")
        if path.exists() or path.name in taken:
            continue
        with contextlib.suppress(NotebookError):
            text = module_of((folder / file).read_bytes(), file)
            path.write_bytes(text.encode("utf-8", "replace"))


def code_cells(data: bytes, name: str) -> list[str]:
    """Return the code cells of a notebook as Python, in order.

    Raises:
        NotebookError: it is not a notebook, or not a Python notebook.
    """
    book = _parsed(data, name)
    language = _language(book)
    if language not in ("", "python", "python3", "ipython", "ipython3"):
        written = printable(language, MAX_NAME)
        raise NotebookError(f"{name} is a notebook in {written}; the homework is in Python")
    cells = [cell for cell in _cells(book, name) if cell.get("cell_type") == "code"]
    if len(cells) > MAX_CELLS:
        raise NotebookError(f"{name} has {len(cells)} code cells, more than {MAX_CELLS}")
    sources = [_source(cell, name, number) for number, cell in enumerate(cells, 1)]
    if sum(map(len, sources)) > MAX_SOURCE_CHARS:
        raise NotebookError(f"{name} holds more than {MAX_SOURCE_CHARS} characters of code")
    return [python_of(source) for source in sources]


def _parsed(data: bytes, name: str) -> dict[str, Any]:
    remedy = "save it again in Jupyter (File > Save) and hand in that file"
    if data.count(b",") + data.count(b"[") + data.count(b"{") > MAX_ITEMS:
        raise NotebookError(
            f"{name} is too large to read: clear its outputs (Edit > Clear All Outputs), save it"
        )
    if not data.strip():
        raise NotebookError(f"{name} is empty: {remedy}")
    try:
        book = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise NotebookError(f"{name} is not a notebook (its text is not UTF-8): {remedy}") from None
    except json.JSONDecodeError as error:
        raise NotebookError(
            f"{name}, line {error.lineno}: not a notebook: its JSON is damaged: {remedy}"
        ) from None
    except (ValueError, RecursionError):
        raise NotebookError(f"{name} is not a notebook: its JSON is damaged: {remedy}") from None
    if not isinstance(book, dict):
        raise NotebookError(f"{name} is not a notebook: it holds no cells: {remedy}")
    return book


def _language(book: dict[str, Any]) -> str:
    about = book.get("metadata")
    for key, field in (("language_info", "name"), ("kernelspec", "language")):
        part = about.get(key) if isinstance(about, dict) else None
        if isinstance(part, dict) and isinstance(part.get(field), str):
            return str(part[field]).lower()
    return ""


def _cells(book: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return all cells: of the notebook (version 4), or of its worksheets (version 3)."""
    sheets = book.get("worksheets") if "cells" not in book else [book]
    found: list[Any] = []
    for sheet in sheets if isinstance(sheets, list) else []:
        cells = sheet.get("cells") if isinstance(sheet, dict) else None
        if not isinstance(cells, list):
            raise NotebookError(f"{name} is not a notebook: it has no list of cells")
        found += cells
    if not isinstance(sheets, list):
        raise NotebookError(
            f"{name} is not a notebook: it holds no cells: save it again in Jupyter"
        )
    return [cell for cell in found if isinstance(cell, dict)]


def _source(cell: dict[str, Any], name: str, number: int) -> str:
    source = cell.get("source", cell.get("input", ""))
    lines = [source] if isinstance(source, str) else source
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise NotebookError(f"{name}, cell {number}: its source is not text")
    text = "".join(lines)
    return re.sub(r"\r\n?", "\n", text)


def python_of(source: str) -> str:
    """Return a cell as Python: its magics become comments, on the lines where they were."""
    lines = source.split("\n")
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    if found := CELL_MAGIC.match(lines[first]):
        magic, rest = found.groups()
        if magic not in KEPT and not (magic in OF_A_FILE and rest.strip().endswith(".py")):
            return "\n".join(f"# {line}" for line in lines)
        lines[first] = f"# {lines[first]}"
    return "\n".join(_without_magics(lines))


def _without_magics(lines: Sequence[str]) -> list[str]:
    made: list[str] = []
    state = _State()
    dropped = False  # a shell command continues after a backslash
    for line in lines:
        bare = line.lstrip()
        indent = line[: len(line) - len(bare)]
        timed = TIMED.match(bare) if state.at_start else None
        if dropped:
            made.append(f"# {bare.rstrip()}")
        elif state.at_start and timed is None and MAGIC.match(bare[:MAX_MAGIC_CHARS]):
            made.append(f"{indent}{_instead(bare, inner=bool(indent))}  # {bare.rstrip()}")
            dropped = True
        else:
            made.append(line if timed is None else indent + bare[timed.end() :])
            state.after(made[-1])
        dropped = dropped and line.rstrip().endswith("\\")
    return made


def _instead(magic: str, *, inner: bool) -> str:
    """Return the statement that takes the place of a magic: ``%run act.py`` brings names.

    Functions, in which the magic may stand if it is an ``inner`` statement, cannot import all.
    """
    found = RUN.match(magic[:MAX_MAGIC_CHARS])
    file = next((name for name in found.groups() if name), "") if found is not None else ""
    parts = re.sub(r"\.(?:py|ipynb)$", "", file.replace("\\", "/")).split("/")
    parts = [part for part in parts if part not in ("", ".", "..")]
    if not parts:
        return "pass"
    name = ".".join(parts)
    if not inner and all(part.isidentifier() and not iskeyword(part) for part in parts):
        return f"from {name} import *"
    last = json.dumps(parts[-1])
    return (
        f"globals().update({{k: v for k, v in vars(__import__({last})).items() if k[:2] != '__'}})"
    )


class _State:
    """Whether the next line begins a statement, or continues a string or a bracket."""

    def __init__(self) -> None:
        self._quote = ""
        self._depth = 0
        self._continued = False

    @property
    def at_start(self) -> bool:
        return not self._quote and self._depth == 0 and not self._continued

    def after(self, line: str) -> None:
        """Take in a line."""
        at, self._continued = 0, False
        while at < len(line):
            if self._quote:
                at = self._within(line, at)
                continue
            found = STRING_OR_COMMENT.search(line, at)
            if found is None:
                break
            sign, at = found.group(), found.end()
            if sign == "#":
                break
            if sign == "\\":
                self._continued = at == len(line)
            elif sign in "([{":
                self._depth += 1
            elif sign in ")]}":
                self._depth = max(0, self._depth - 1)
            else:
                self._quote = sign
        if len(self._quote) == 1 and not line.endswith("\\"):
            self._quote = ""  # not closed on its line: a mistake that Python will report

    def _within(self, line: str, at: int) -> int:
        """Return where the open string ends on this line; the end of the line if it continues."""
        while at < len(line):
            if line[at] == "\\":
                at += 2
            elif line.startswith(self._quote, at):
                at += len(self._quote)
                self._quote = ""
                return at
            else:
                at += 1
        return len(line)


def assembled(cells: Sequence[str], name: str, numbers: Sequence[int] | None = None) -> str:
    """Return the text of the module that the cells of a notebook make, in this order.

    Args:
        cells: their Python.
        name: how messages name the notebook.
        numbers: how messages number the cells; None counts them from 1.
    """
    parts: list[str] = []
    starts: list[int] = []
    line = 2
    for number, cell in enumerate(cells, 1):
        parts.append(f"# cell {number}\n{cell}\n")
        starts.append(line + 1)
        line += 2 + cell.count("\n")
    header: dict[str, Any] = {"notebook": printable(name, MAX_NAME), "starts": starts}
    if numbers is not None:
        header["numbers"] = list(numbers)
    return f"{MARK}{json.dumps(header)}\n{''.join(parts)}"
