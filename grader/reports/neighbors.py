"""Links from each report of a class to the class page and to the reports before and after it.

A report is written without them, by whoever grades it: one hand-in alone has no class. Whoever
writes the class page puts them into the pages beside it, each time anew, since a hand-in that comes
or goes changes those of its neighbors. ``report.json`` knows nothing of them.
"""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Sequence
from pathlib import Path

from grader.errors import BrokenError
from grader.reports import html
from grader.reports.files import write_bytes

PAGE = "report.html"
# What students wrote is escaped, so only the page itself can hold these.
START, END = b"<!-- links of the class -->", b"<!-- end of the links -->"


def link(out: Path, identifiers: Sequence[str], index: str) -> None:
    """Put links into the pages of a class; those that have the right ones stay untouched.

    A page that cannot be read or replaced is passed over: what it says of the grade is right.

    Args:
        out: the folder of the class page.
        identifiers: the ids of the submissions in the order of the class page.
        index: the name of the class page.
    """
    there = [name for name in identifiers if (out / name / PAGE).is_file()]
    places = zip(there, ["", *there], [*there[1:], ""], strict=False)
    for name, before, after in places:
        home = posixpath.relpath(".", name)
        links = html.links(name, before, after, f"{home}/", index)
        with contextlib.suppress(OSError, BrokenError):
            path = out / name / PAGE
            page = path.read_bytes()
            linked = with_links(page, links)
            if linked != page:
                write_bytes(path, linked, flush=False)


def with_links(page: bytes, links: str = "") -> bytes:
    """Return a page with other links, or without any; a page without a place for them as it is."""
    head, start, rest = page.partition(START)
    _old, end, tail = rest.partition(END)
    return b"".join((head, start, links.encode(), end, tail)) if start and end else page
