"""``grader mark --page``: writes the marking page and what lies beside it."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from grader.deliver.marking import items, page
from grader.deliver.marking.page import PageOrder
from grader.errors import BrokenError, UsageError
from grader.readers.texts import counted
from grader.reports import terminal
from grader.reports.files import write_bytes, write_text
from grader.reports.stored import Stored

SEEDS = 10**6  # to draw from; a person may have to type one


def write_page(
    path: Path,
    reports: Path,
    found: dict[str, Stored],
    item_file: Path | None,
    order_seed: int | None,
    *,
    anonymous: bool,
) -> None:
    """Write the page of all pending checks, and say how to go on.

    Raises:
        BrokenError: a file cannot be read or written.
        UsageError: the page is there already, or something is wrong with the rubric items.
    """
    seed = secrets.randbelow(SEEDS) if order_seed is None else order_seed
    order = PageOrder(path, seed, anonymous)
    beside = path.parent / order.beside
    for place in (path, beside):
        if place.exists():
            raise UsageError(f"--page {path}: {place} already exists; name another or delete it")
    checks = {check.id: check.max_points for one in found.values() for check in one.report.checks()}
    given = items.read(item_file, checks) if item_file is not None else {}
    made = page.made(found, given, order)
    for name, source in made.copies.items():
        try:
            data = source.read_bytes()
        except OSError as error:
            raise BrokenError(f"{source}: cannot be read: {error.strerror}") from None
        write_bytes(beside / name, data, flush=False)
    write_text(path, made.html())
    answers = counted(len(made.cards), "answer")
    names = ", without names" if anonymous else ""
    click.echo(terminal.clean(f"{path}: {answers} to {counted(len(made.groups), 'check')}{names}"))
    if made.copies:
        files = counted(len(made.copies), "file")
        click.echo(terminal.clean(f"{beside}: {files} of students; keep it beside the page"))
    click.echo(f"order: seed {seed} (--order-seed {seed} gives the same again)")
    click.echo(
        terminal.clean(
            "open the page in a browser, mark, save the marks, then run:\n"
            f"  grader mark {reports} --marks FILE"
        )
    )
