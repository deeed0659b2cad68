"""Python source as editors save it: readable text is rewritten as UTF-8, the rest explained."""

from __future__ import annotations

import re
from dataclasses import dataclass

from grader.intake.wrong_files import kind_of
from grader.isolation.worker.newer import newer_syntax

UTF_16 = (b"\xff\xfe", b"\xfe\xff")
CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
UTF_8_NAMES = ("utf-8", "utf8", "utf_8", "u8", "utf-8-sig")
# Latin-1 text has none of these; 0x1a ended files under DOS, a form feed separates pages.
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x19\x1b-\x1f\x7f]")
WEB_PAGE = re.compile(rb"<(?:!doctype\s+html|html|\?xml|head|body)\b", re.IGNORECASE)
BOM = b"\xef\xbb\xbf"
CONFLICT = re.compile(rb"(?:\A|(?<=[\r\n]))(?:<{7}|>{7})(?: [^\r\n]*)?(?=[\r\n]|\Z)")
MAX_REPAIRED_BYTES = 4 * 1024 * 1024  # more than any program that a person writes


@dataclass(frozen=True)
class Repaired:
    """A source file in UTF-8, and what was done to it."""

    data: bytes
    note: str


def repaired(name: str, data: bytes) -> Repaired | None:
    """Return a source file that Python can decode; None if it already can or never will."""
    if data.startswith(UTF_16):
        try:
            text = data.decode("utf-16")
        except UnicodeDecodeError:
            return None
        return Repaired(text.encode("utf-8", "replace"), f"{name} was read as UTF-16")
    lines = re.split(rb"\r\n|\r|\n", data[:1000], maxsplit=2)[:2]
    said = next((found[1] for line in lines if (found := CODING.match(line))), b"utf-8")
    if said.decode().lower() not in UTF_8_NAMES:
        return None
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        if CONTROL.search(data):
            return None
        line = line_of(data, error.start)
        text = data.decode("cp1252", "replace") if _is_cp1252(data) else data.decode("latin-1")
        note = f"{name} is not UTF-8 (line {line}) and was read as Latin-1: save it as UTF-8"
        return Repaired(text.encode(), note)
    return None


def _is_cp1252(data: bytes) -> bool:
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return False
    return True


def line_of(data: bytes, offset: int) -> int:
    """Return the number of the line that a byte is on, for any kind of line end."""
    return len(re.split(rb"\r\n|\r|\n", data[:offset]))


def problem(name: str, data: bytes) -> str | None:
    """Return why a file cannot be Python source at all, and what to do; None if it may be."""
    if not data.strip():
        return f"{name} is empty: did you save it before you handed it in?"
    text = data.removeprefix(BOM).lstrip()
    if WEB_PAGE.match(text[:100]):
        line = line_of(data, len(data) - len(text))
        return (
            f"{name}, line {line}: this is a web page (HTML), not Python: download the file itself "
            "(Raw or Download, not Save page as)"
        )
    kind = kind_of(data)
    if kind is not None:
        return (
            f"{name} is {kind}, not a Python program: hand in the program itself, saved as plain "
            "text"
        )
    if data.startswith(UTF_16):
        return f"{name}, line 1: damaged UTF-16: save it as UTF-8 in your editor"
    zero = data.find(b"\0")
    if zero >= 0:
        return (
            f"{name}, line {line_of(data, zero)}: not Python source text: it holds a NUL byte (is "
            "it a binary or UTF-16 file?): save it as UTF-8 text"
        )
    return None


def explained(name: str, data: bytes, kinds: tuple[str, ...], number: int = 0) -> str | None:
    """Return the likely cause of a syntax error and what to do, if it is recognizable.

    Args:
        name: the file, for messages.
        data: what it holds.
        kinds: the names of the exception's types.
        number: the line that the error names; 0 if there is none.
    """
    if "TabError" in kinds:
        return "indent with spaces only (editors have a command: Convert Indentation to Spaces)"
    if "SyntaxError" in kinds and (found := CONFLICT.search(data)):
        return (
            f"{name}, line {line_of(data, found.start())}: this marks a merge conflict: choose one "
            "of the two versions and delete the lines with <<<<<<<, ======= and >>>>>>>"
        )
    lines = re.split(rb"\r\n|\r|\n", data)
    if "SyntaxError" in kinds and 0 < number <= len(lines):
        return newer_syntax(lines[number - 1])
    return None
