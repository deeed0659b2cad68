"""The documents of a submission in which a derivation may stand, whatever they are called."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from grader.errors import Failure

from .base import Context

TEXTS = (".tex", ".md", ".markdown", ".typ", ".ipynb", ".txt", ".latex", ".rmd", ".qmd")
# Handed in for a person's eyes: no text can be read in them here.
PICTURES = (
    *(".pdf", ".docx", ".doc", ".odt", ".rtf", ".pages", ".png", ".jpg", ".jpeg", ".heic", ".webp"),
    *(".tiff", ".ppt", ".pptx", ".ps", ".djvu", ".html"),
)
MAX_DOCUMENTS = 12
MAX_INCLUDED = 256 * 1024  # characters of a document with what it includes
MAX_OTHER = 64 * 1024  # bytes of a document that was not asked for
MAX_DEPTH = 4  # of documents that include others
_COMMENT_OR_INCLUDE = re.compile(
    r"\\[\\%]|%[^\n]*|\\(?:input|include|subfile)\s*\{\s*(?P<name>[^{}\n]+?)\s*\}"
)
_BINARY = (
    b"%PDF",
    b"PK\x03\x04",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"{\\rtf",
    b"\xd0\xcf\x11\xe0",
)


def is_picture(data: bytes) -> bool:
    """Say whether a file is a PDF, an office document or a picture, whatever its name."""
    return data.startswith(_BINARY)


def decoded(data: bytes) -> str:
    """Return the text of a file: UTF-8, UTF-16 with or without its mark, or Latin-1."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if data.count(0) * 4 > len(data):
        return data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-16-be", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def texts(context: Context, asked: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield name and text of each document that may hold an answer, the files asked for first.

    What a LaTeX document includes from the submission stands in its text.
    """
    names = list(_names(context, asked, TEXTS))
    included = {other for name in names for other in _includes(context, name)}
    for name in names:
        if name in included and name not in asked:
            continue
        data = _read(context, name)
        if data is None or is_picture(data):
            continue
        if len(data) > MAX_OTHER and name not in asked:
            continue  # data of the homework, a log: no derivation is that long
        text = decoded(data)
        if name.endswith(".ipynb"):
            text = markdown_of(text)
            if not text.strip() and name not in asked:
                continue  # code alone; nobody looked for a document there
            name = f"{name.removesuffix('.ipynb')}.md"  # noqa: PLW2901 - how it is read
        yield name, with_included(context, name, text)


def pictures(context: Context, asked: Sequence[str], named_in: str | None = None) -> list[str]:
    """Return the names of documents that only a person can read.

    With ``named_in``, a text, of those whose name stands in it; LaTeX leaves the suffix out.
    """
    found = list(_names(context, [], PICTURES))
    if named_in is not None:
        return [name for name in found if PurePosixPath(name).stem in named_in]
    for name in asked:
        data = _read(context, name)
        if data is not None and is_picture(data):
            found.insert(0, name)
    return found


def contents(context: Context, names: Sequence[str]) -> list[tuple[str, bytes]]:
    """Return the bytes of documents, by name."""
    read = ((name, _read(context, name)) for name in names)
    return [(name, data) for name, data in read if data is not None]


def _names(context: Context, asked: Sequence[str], suffixes: Sequence[str]) -> Iterator[str]:
    yield from asked
    # A guide that students are given may hold examples.
    passed_over = {file.name for file in context.question.supplied}
    passed_over |= {name for name in asked if _read(context, name) is not None}
    others = [
        name
        for name in context.documents
        if name.lower().endswith(tuple(suffixes))
        and PurePosixPath(name).name not in passed_over
        and not PurePosixPath(name).name.lower().startswith(("readme", "license", "requirements"))
    ]
    yield from sorted(others, key=lambda name: (name.count("/"), name))[:MAX_DOCUMENTS]


def _read(context: Context, name: str) -> bytes | None:
    try:
        return context.read_file(name)
    except Failure:
        return None


def _includes(context: Context, name: str) -> Iterator[str]:
    data = _read(context, name) if name.endswith(".tex") else None
    if data is not None and not is_picture(data):
        for found in _COMMENT_OR_INCLUDE.finditer(decoded(data)):
            if found["name"]:
                yield _included_name(name, found["name"])


def _included_name(name: str, written: str) -> str:
    path = PurePosixPath(name).parent / written
    return path.as_posix() if path.suffix else f"{path.as_posix()}.tex"


def with_included(context: Context, name: str, text: str, depth: int = 0) -> str:
    r"""Return a LaTeX document with the files that it includes in their places."""
    if depth > MAX_DEPTH or not name.endswith(".tex"):
        return text

    def replaced(found: re.Match[str]) -> str:
        if not found["name"]:
            return found[0]
        other = _included_name(name, found["name"])
        data = _read(context, other)
        if data is None or is_picture(data):
            return found[0]
        return with_included(context, other, decoded(data), depth + 1)

    whole = _COMMENT_OR_INCLUDE.sub(replaced, text)
    return whole if len(whole) <= MAX_INCLUDED else text


def markdown_of(notebook: str) -> str:
    """Return the Markdown cells of a notebook, one after the other."""
    try:
        cells = json.loads(notebook)["cells"]
        found = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]
        return "\n\n".join(x if isinstance(x, str) else "".join(x) for x in found)
    except (ValueError, KeyError, TypeError):
        return ""
