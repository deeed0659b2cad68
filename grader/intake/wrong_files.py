"""Names the type of a file that cannot be used, and what to hand in instead.

Source of the signatures: the file formats' own documents, as collected in the ``file`` program.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from grader.intake.archives import shown
from grader.intake.names import FOREIGN

SIGNATURES = (
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"PK\x03\x04", "a zip archive or a Word document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a Word document"),
    (b"{\\rtf", "a document in Rich Text Format"),
    (b"%PDF-", "a PDF document"),
    (b"\x1f\x8b", "a compressed file (gzip)"),
    (b"\x89PNG\r\n", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"L\0\0\0\x01\x14\x02\0", "a shortcut, not the file that it points to"),
)
UNREAD_ARCHIVES = (b"Rar!", b"7z")
DOCUMENTS = (".docx", ".doc", ".odt", ".rtf", ".pages", ".pdf", ".html", ".htm", ".mht")
SHORTCUTS = (".lnk", ".url", ".webloc", ".gdoc", ".desktop")
SHORTCUT_WORDS = re.compile(r"[ _-]*(?:shortcut|verknüpfung|raccourci|alias)$", re.IGNORECASE)


def kind_of(data: bytes) -> str | None:
    """Return a file's type by its first bytes, if it is neither text nor a supported archive."""
    return next((kind for signature, kind in SIGNATURES if data.startswith(signature)), None)


def unread_archive(start: bytes) -> str | None:
    """Return the message about an archive of an unsupported type, whatever its name."""
    kind = kind_of(start)
    if kind is None or not start.startswith(UNREAD_ARCHIVES):
        return None
    return f"it is {kind}: hand in the files themselves, or an ordinary .zip of them"


def remedy(module: str, files: Sequence[str]) -> str:
    """Return what to do about the files handed in instead of ``module``; may be empty."""
    stem = module.rpartition(".")[0].lower()
    for file in files:
        name = PurePosixPath(file).name.lower()
        if name.endswith(FOREIGN):
            return f"; {shown(file)} cannot be unpacked: hand in {module} itself or a .zip"
        head, _dot, suffix = name.rpartition(".")
        head = SHORTCUT_WORDS.sub("", head).removesuffix(".py")
        if head == stem and f".{suffix}" in SHORTCUTS:
            return f"; {shown(file)} is a link to a file on your computer: hand in {module} itself"
        if head == stem and f".{suffix}" in DOCUMENTS:
            kind = "a document, not Python" if module.endswith(".py") else "a document"
            return f"; {shown(file)} is {kind}: hand in {_written(module)}, saved as plain text"
    documents = [file for file in files if file.lower().endswith(DOCUMENTS)]
    if documents and len(documents) == len(files):
        return f"; {shown(documents[0])} cannot be read: hand in {_written(module)} in plain text"
    return ""


def _written(module: str) -> str:
    """Return what to write into a file of this name."""
    kinds = {".py": "the program", ".tex": "the formulas in LaTeX", ".md": "the text"}
    what = next((text for suffix, text in kinds.items() if module.endswith(suffix)), "the text")
    return f"{what} as {module}"
