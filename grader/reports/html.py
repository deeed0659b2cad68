"""``report.html`` and ``index.html``: self-contained pages for a browser, a phone or a printer.

Everything is escaped by default and nothing is loaded from anywhere: a message of a student's
program is text on the page, whatever it holds.
"""

from __future__ import annotations

import functools
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import markupsafe

from grader.readers.texts import plain
from grader.reports import figures, mathml
from grader.reports.files import write_text
from grader.reports.report import Report
from grader.reports.summaries import alike, notes_of, zero_to_look_at
from grader.reports.terminal import clean


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("grader.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["points"] = _points
    environment.filters["clean"] = clean
    environment.filters["figure"] = _figure
    environment.filters["curves"] = figures.curves_uri
    environment.filters["mathml"] = _mathml
    environment.filters["why_zero"] = zero_to_look_at
    return environment


def _mathml(text: str) -> markupsafe.Markup | str:
    """Return harmless MathML as part of the page, anything else as text."""
    return markupsafe.Markup(text) if mathml.harmless(text) else text  # noqa: S704 - checked


def _points(value: float | None) -> str:
    return "-" if value is None else plain(value)


def _figure(value: Any) -> str:
    """Return a measurement as short text."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_figure(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_figure(item) for item in value)
    return str(value)


def report(
    made: Report, pictures: Mapping[str, bytes] | None = None, folder: str | None = None
) -> str:
    """Return the page of one submission's report.

    Args:
        made: the report.
        pictures: those that it names, which become part of the page.
        folder: how a command names the folder of the report.
    """
    addresses = {
        name: figures.picture_uri(data)
        for name, data in (pictures or {}).items()
        if name.endswith(".jpg")
    }
    checks = list(made.checks())
    return _environment().get_template("report.html.j2").render(
        made=made,
        folder=shlex.quote(folder or made.id),
        pictures=addresses,
        earlier=alike(checks),
        percent=_percent(made.score, made.max_score),
        shared=[item for item in notes_of(checks).items() if len(item[1]) > 1],
        hidden=[check.id for check in checks if check.visibility != "visible"],
        duration_s=sum(check.duration_s for check in checks),
    )  # fmt: skip


def write_index(path: Path, reports: Sequence[Report]) -> None:
    """Write the page that lists all submissions of a run."""
    rows = sorted(reports, key=lambda made: made.id)
    scores = sorted(made.score for made in rows if made.score is not None)
    page = _environment().get_template("index.html.j2").render(
        title=rows[0].title,
        rows=[(made, _percent(made.score, made.max_score)) for made in rows],
        questions=_questions(rows),
        median=scores[len(scores) // 2] if scores else None,
        max_score=rows[0].max_score,
        broken=len(rows) - len(scores),
    )  # fmt: skip
    write_text(path, page)


def _questions(reports: Sequence[Report]) -> list[str]:
    """Return the ids of all questions, in the order of the first report that has them."""
    found: dict[str, None] = {}
    for made in reports:
        found.update(dict.fromkeys(question.id for question in made.questions))
    return list(found)


def _percent(score: float | None, most: float) -> float:
    return 0.0 if not score or not most else round(100 * score / most, 1)
