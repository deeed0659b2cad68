"""``report.html`` and ``index.html``: self-contained pages for a browser, a phone or a printer.

Everything is escaped by default and nothing is loaded from anywhere: a message of a student's
program is text on the page, whatever it holds.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import shlex
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import markupsafe

from grader.readers.texts import counted, plain
from grader.reports import figures, mathml
from grader.reports.class_summary import ClassSummary, by_submission, seconds_of
from grader.reports.files import write_text
from grader.reports.report import Report
from grader.reports.results import student_text
from grader.reports.summaries import alike, notes_of
from grader.reports.terminal import clean

MOST_CAUSES = 5  # of a check that are shown before one asks for more
MAX_ON_CLASS_PAGE = 300  # characters of a text that a report holds in full


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
    environment.filters["by_question"] = _by_question
    environment.filters["counted"] = counted
    environment.filters["of"] = _of
    environment.filters["seconds"] = seconds_of
    environment.filters["shorter"] = _shorter
    environment.filters["is_picture"] = _is_picture
    return environment


def prepare() -> None:
    """Compile what each submission's page needs: processes that are forked have it then."""
    for name in ("report.html.j2", "links.html.j2"):
        _environment().get_template(name)


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
        late=_late(made, told=True),
        shared=[item for item in notes_of(checks).items() if len(item[1]) > 1],
        hidden=[check.id for check in checks if check.visibility != "visible"],
        duration_s=sum(check.duration_s for check in checks),
    )  # fmt: skip


def feedback(made: Report) -> str:
    """Return the page of one report that a student may see, by the rules of ``results.json``.

    Hidden checks are not on it; of those that are shown later only the hint is. It names nobody.
    """
    shown = [
        (question, [check for check in question.checks if check.visibility != "hidden"])
        for question in made.questions
    ]
    earlier = alike(made.checks())
    checks = [check for _question, found in shown for check in found]
    return _environment().get_template("feedback.html.j2").render(
        made=made,
        questions=[(question, found) for question, found in shown if found],
        texts={check.id: student_text(check, earlier.get(check.id)) for check in checks},
        percent=_percent(made.score, made.max_score),
        late=_late(made, told=all(check.visibility == "visible" for check in made.checks())),
    )  # fmt: skip


def _late(made: Report, *, told: bool) -> str:
    """Return the line about a late hand-in; empty if it was in time."""
    return "" if made.late is None or made.score is None else made.late.text(told=told)


def links(identifier: str, before: str, after: str, home: str, index: str) -> str:
    """Return the links of one report of a class; empty ids stand for no report."""
    template = _environment().get_template("links.html.j2")
    return template.render(id=identifier, before=before, after=after, home=home, index=index)


def write_index(path: Path, reports: Sequence[Report], order: Sequence[str] = ()) -> None:
    """Write the page of a class.

    Args:
        path: of the page; the reports are in folders beside it.
        reports: at least one.
        order: ids of checks in the rubric's order.
    """
    found = ClassSummary(reports, order)
    page = with_script(
        "index.html.j2",
        "class.js",
        title=found.reports[0].title,
        found=found,
        unit=" %" if found.same_maximum is None else f" of {plain(found.same_maximum)} points",
        largest_bin=max(one.count for one in found.bins),
        people=by_submission(found.for_a_person),
        named=any(made.students for made in found.reports),
        late=found.late,
        most_causes=MOST_CAUSES,
    )
    write_text(path, page)


def plain_page(template: str, **values: Any) -> str:
    """Return a page without any script.

    Args:
        template: the name of the page's template.
        values: what it shows.
    """
    return _environment().get_template(template).render(**values)


def with_script(template: str, script: str, **values: Any) -> str:
    """Return a page with a script of its own: the policy of the page allows no other, by its hash.

    Args:
        template: the name of the page's template.
        script: the name of the script beside it; no data may be put into it.
        values: what the template shows.
    """
    code = _script(script)
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    return _environment().get_template(template).render(
        script=markupsafe.Markup(code),  # noqa: S704 - a file of ours, without any data
        script_hash=f"sha256-{digest}",
        **values,
    )  # fmt: skip


@functools.cache
def _script(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text("utf-8")


def _is_picture(file: str) -> bool:
    """Say whether a browser shows a file as a picture."""
    return file.lower().endswith((".png", ".jpg", ".jpeg", ".webp"))


def _by_question(made: Report) -> dict[str, tuple[float, float]]:
    return {question.id: (question.score, question.max_score) for question in made.questions}


def _shorter(text: str) -> str:
    return text if len(text) <= MAX_ON_CLASS_PAGE else f"{text[:MAX_ON_CLASS_PAGE]}..."


def _of(count: int, most: int) -> float:
    return round(100 * count / most, 1) if most else 0.0


def _percent(score: float | None, most: float) -> float:
    return 0.0 if not score or not most else round(100 * score / most, 1)
