"""Reads CSV as spreadsheets write it, with line numbers and all problems; writes numbers for it.

Spreadsheets put a byte-order mark in front, separate by semicolons where the comma is the decimal
sign, end lines as Windows does, and leave empty rows behind.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import UsageError
from grader.readers.problems import Problems
from grader.readers.texts import quoted

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
SEPARATORS = (",", ";", "\t")
EMPTY = " \t,;\r\n"  # a row of nothing else is empty
MAX_BYTES = 16 * 1024 * 1024  # a class of thousands with long comments stays below
MAX_CELL = 1_000_000  # characters; Python's own limit of 131072 is below a long feedback comment
NUMBER = re.compile(r"^[-+]?(\d+([.,]\d*)?|[.,]\d+)$", re.ASCII)
SEPARATOR_LINE = re.compile(r'^"?sep=(.)"?$', re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """One record: where it begins, and its cells by the column's name as it is in the header."""

    line: int
    cells: Mapping[str, str]


@dataclass
class Sheet:
    """A table: its columns in their order, its rows without the empty ones, and its problems.

    A heading that is there again has its place behind it in ``columns``; ``repeated`` has what it
    was. That is a problem only if somebody asks for the column.
    """

    name: str
    columns: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    line: int = 1  # of the header
    repeated: dict[str, str] = field(default_factory=dict)
    problems: Problems = field(init=False)

    def __post_init__(self) -> None:
        self.problems = Problems(self.name)

    def column(self, *names: str) -> str | None:
        """Return the first column with one of these names, whatever its case and spaces.

        Two of the same name are a problem of the table.
        """
        folded = {folded_name(column): column for column in reversed(self.columns)}
        found = next((folded[name] for name in map(folded_name, names) if name in folded), None)
        return None if found is None else self.only(found)

    def only(self, column: str) -> str:
        """Return ``column``; if its heading is there again, that is a problem of the table."""
        heading = folded_name(self.heading(column))
        if heading in map(folded_name, self.repeated.values()):
            self.problems.add(self.line, f"the column {quoted(column)} appears twice")
        return column

    def heading(self, column: str) -> str:
        """Return what stands above a column in the file."""
        return self.repeated.get(column, column)


def folded_name(name: str) -> str:
    """Return a column's name for comparison."""
    return " ".join(name.split()).casefold()


def read(path: Path) -> Sheet:
    """Read a table whose first row is its header.

    Raises:
        UsageError: the file does not exist or cannot be read.
    """
    table = Sheet(str(path))
    text = _text(path, table)
    if text is None:
        return table
    try:
        records = _records(text)
    except csv.Error as error:
        table.problems.add(_line_of(error), f"is not CSV: {error}")
        return table
    if not records:
        table.problems.add(1, "is empty; the first row must name the columns")
        return table
    table.line, header = records[0]
    _name_columns(table, [cell.strip() for cell in header])
    for line, cells in records[1:]:
        _add_row(table, line, cells)
    return table


def _text(path: Path, table: Sheet) -> str | None:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            table.problems.add(1, f"is {size} bytes long; at most {MAX_BYTES} are read")
            return None
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        byte = f"byte 0x{raw[error.start]:02x} is not UTF-8 text"
        table.problems.add(line, f'{byte}; save the table as "CSV UTF-8"')
        return None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        table.problems.add(line, "holds a NUL byte: is it a table?")
        return None
    return text


class _LinedError(csv.Error):
    """What the CSV module found wrong, and where."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def _line_of(error: csv.Error) -> int:
    return error.line if isinstance(error, _LinedError) else 1


def _records(text: str) -> list[tuple[int, list[str]]]:
    """Return (line, cells) of all records that are not empty."""
    first, _, _rest = text.lstrip("\r\n").partition("\n")
    named = SEPARATOR_LINE.match(first.strip())
    if named:  # Excel's own way to name the separator
        return _parsed(text, named[1])[1:]
    # The separator that gives the header the most columns; a comma wins a draw.
    header = next((line for line in text.splitlines() if line.strip(EMPTY)), "")
    separator = max(SEPARATORS, key=lambda char: len(next(csv.reader([header], delimiter=char))))
    return _parsed(text, separator)


def _parsed(text: str, separator: str) -> list[tuple[int, list[str]]]:
    previous = csv.field_size_limit(MAX_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    records = []
    line = 1
    try:
        for cells in reader:
            if any(cell.strip(EMPTY) for cell in cells):
                records.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise _LinedError(str(error), line) from None
    finally:
        csv.field_size_limit(previous)
    return records


def _name_columns(table: Sheet, headings: Sequence[str]) -> None:
    """Give every column a name of its own: its heading, and its place if that is there already."""
    seen: set[str] = set()
    for place, heading in enumerate(headings, 1):
        name = heading
        while name and folded_name(name) in seen:
            name += f" (column {place})"
        if name != heading:
            table.repeated[name] = heading
        seen.add(folded_name(name))
        table.columns.append(name)
    while table.columns and not table.columns[-1]:
        table.columns.pop()


def _add_row(table: Sheet, line: int, cells: Sequence[str]) -> None:
    width = len(table.columns)
    if any(cell.strip() for cell in cells[width:]):
        table.problems.add(
            line,
            f"has {len(cells)} cells, but the header has {width}; put text that contains the "
            "separator (or a number with a decimal comma) in quotes",
        )
        return
    padded = [*cells[:width], *[""] * (width - len(cells))]
    pairs = zip(table.columns, padded, strict=True)
    table.rows.append(Row(line, {column: cell for column, cell in pairs if column}))


def number(text: str) -> float | None:
    """Return a number written with a decimal point or a decimal comma; None if it is not one."""
    stripped = text.strip()
    return float(stripped.replace(",", ".")) if NUMBER.match(stripped) else None


def cell(text: str) -> str:
    """Return ``text`` so that no spreadsheet reads it as a formula.

    Spreadsheets look past spaces, and some take full-width signs for the ordinary ones.
    Source: OWASP, CSV Injection.
    """
    starts = {unicodedata.normalize("NFKC", part[:1]) for part in (text, text.lstrip())}
    return f"'{text}" if starts & set(FORMULA_STARTS) else text


def unquoted(text: str) -> str:
    """Undo ``cell``: remove the apostrophe that keeps text from being a formula."""
    return text[1:] if text.startswith("'") and cell(text[1:]) == text else text


def as_csv(rows: Sequence[Sequence[str]], *, mark: bool = False) -> str:
    """Return rows as CSV; ``mark`` puts a byte-order mark in front, for spreadsheets."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return ("\N{ZERO WIDTH NO-BREAK SPACE}" if mark else "") + text.getvalue()
