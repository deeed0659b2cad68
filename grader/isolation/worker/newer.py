"""What came with a newer Python: syntax by what it looks like, names of the standard library."""

from __future__ import annotations

import re
import sys

HERE = sys.version_info[:2]
# Syntax, by what it looks like on the line of the error.
SYNTAX = (
    ((3, 10), re.compile(rb"^\s*(match|case)\b.*:\s*(#.*)?$"), "match statements"),
    ((3, 11), re.compile(rb"^\s*except\s*\*"), "except*"),
    ((3, 12), re.compile(rb"^\s*type\s+\w+\s*(\[.*\])?\s*="), "type statements"),
    ((3, 12), re.compile(rb"^\s*(async\s+)?(def|class)\s+\w+\s*\["), "type parameters"),
    (
        (3, 12),
        re.compile(rb"""\b[rR]?[fF][rR]?("[^"]*\{[^}"]*"|'[^']*\{[^}']*')"""),
        "quotes like those around it inside an f-string",
    ),
    (
        (3, 12),
        re.compile(rb"""\b[rR]?[fF][rR]?["'].*\{[^}]*\\[^}]*\}"""),
        "backslashes inside the braces of an f-string",
    ),
    (
        (3, 14),
        # Python 2 wrote the name of the exception after the comma, in lowercase letters.
        re.compile(rb"^\s*except\s+[\w.]+(\s*,\s*([\w.]+\.)?[A-Z]\w*)+\s*:"),
        "several exceptions after except without parentheses",
    ),
    ((3, 14), re.compile(rb"""(?<![\w"'])[rR]?[tT][rR]?["'].*\{"""), "template strings"),
)
# Names of the standard library, by the version that brought them.
NAMES = {
    (3, 11): "tomllib wsgiref.types typing.Self typing.Never typing.LiteralString typing.Required "
    "typing.NotRequired typing.Unpack typing.TypeVarTuple typing.assert_never typing.assert_type "
    "typing.reveal_type typing.dataclass_transform typing.get_overloads typing.clear_overloads "
    "enum.StrEnum enum.verify enum.member enum.nonmember enum.ReprEnum datetime.UTC math.cbrt "
    "math.exp2 operator.call contextlib.chdir asyncio.TaskGroup asyncio.Runner asyncio.timeout "
    "hashlib.file_digest",
    (3, 12): "typing.override typing.TypeAliasType typing.get_protocol_members "
    "collections.abc.Buffer itertools.batched math.sumprod random.binomialvariate calendar.Month "
    "calendar.Day inspect.BufferFlags types.get_original_bases sqlite3.autocommit",
    (3, 13): "warnings.deprecated typing.TypeIs typing.ReadOnly typing.NoDefault "
    "typing.is_protocol copy.replace math.fma statistics.kde queue.ShutDown dbm.sqlite3 "
    "pathlib.UnsupportedOperation",
    (3, 14): "annotationlib string.templatelib compression concurrent.interpreters "
    "functools.Placeholder heapq.heappush_max heapq.heappop_max pathlib.types io.Reader io.Writer",
}


def newer_syntax(line: bytes, running: tuple[int, int] = HERE) -> str | None:
    """Return which newer Python a line seems to be written for, if it is newer than this one."""
    for version, pattern, what in SYNTAX:
        if version > running and pattern.search(line):
            return f"{what} {_need(version)}; the grader runs Python {_dotted(running)}"
    return None


def newer_name(name: str, running: tuple[int, int] = HERE) -> str | None:
    """Return which newer Python a dotted name of the standard library needs, if it does."""
    for version, names in NAMES.items():
        if version > running and name in names.split():
            return f"needs Python {_dotted(version)} (the grader runs Python {_dotted(running)})"
    return None


def newer_in(error: BaseException | None) -> str:
    """Return which newer Python the line of a syntax error is written for; empty if none."""
    if not isinstance(error, SyntaxError) or not error.text:
        return ""
    return newer_syntax(error.text.encode("utf-8", "replace")) or ""


def _need(version: tuple[int, int]) -> str:
    return f"need Python {_dotted(version)}"


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
