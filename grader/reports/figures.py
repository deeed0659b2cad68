"""Figures of a report: numbers and names in ``report.json``, pictures in files beside it.

Learning curves are drawn by matplotlib, which is imported only where there are any.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from grader.author.evidence import Curves, Figure, Formulas, HandedInFiles, Pictures, Text
from grader.model import CheckResult
from grader.reports.report import (
    CurvesFigure,
    FigureReport,
    FilesFigure,
    FormulaReport,
    FormulasFigure,
    HandedInFileReport,
    PictureReport,
    PicturesFigure,
    TableFigure,
    TextFigure,
)

FOLDER = "figures"
JPEG_QUALITY = 88
MAX_POINTS = 500  # of a curve: more than a page has pixels for
MAX_DRAWN = 1e100  # matplotlib cannot make an axis for differences that overflow
MAX_FILES = 32 * 1024 * 1024  # bytes of files that are put beside a report for one check
# Endings that a viewer shows. A page (HTML, SVG) would run its programs beside the report.
PASSIVE = frozenset(
    (
        *(".pdf", ".docx", ".doc", ".odt", ".rtf", ".pages", ".png", ".jpg", ".jpeg", ".heic"),
        *(".webp", ".tiff", ".ppt", ".pptx", ".ps", ".djvu", ".txt", ".tex", ".md"),
    )
)
MAX_PIXELS = 1024  # a picture's longer side
CURVE_SIZE = (6.4, 3.2)  # inches
COLOURS = ("#2563a8", "#c2571a", "#2f855a", "#8b4a9c", "#6b7280")


def described(result: CheckResult) -> list[FigureReport]:
    """Return a check's figures for its report; pictures are named by the files that hold them."""
    return [_described(result.spec.id, n, figure) for n, figure in enumerate(result.figures, 1)]


def _described(check: str, number: int, figure: Figure) -> FigureReport:
    if isinstance(figure, Curves):
        return CurvesFigure(
            title=figure.title,
            series={str(name): _thinned(values) for name, values in figure.series.items()},
            xlabel=figure.xlabel,
            ylabel=figure.ylabel,
            log=figure.log,
        )
    if isinstance(figure, Pictures):
        items = tuple(
            PictureReport(caption=caption, file=_name(check, number, index))
            for index, (caption, _picture) in enumerate(figure.items, 1)
        )
        return PicturesFigure(title=figure.title, items=items)
    if isinstance(figure, Text):
        return TextFigure(title=figure.title, text=figure.text)
    if isinstance(figure, Formulas):
        formulas = tuple(
            FormulaReport(
                place=row.place, mathml=row.mathml, source=row.source, verdict=row.verdict
            )
            for row in figure.rows
        )
        return FormulasFigure(title=figure.title, rows=formulas)
    if isinstance(figure, HandedInFiles):
        places = dict(_beside(check, number, figure))
        files = tuple(
            HandedInFileReport(
                name=name, bytes=len(data), file=place if places.get(place) is data else ""
            )
            for index, (name, data) in enumerate(figure.items, 1)
            for place in (_file_name(check, number, index, name),)
        )
        return FilesFigure(title=figure.title, items=files)
    rows = tuple(tuple(str(cell) for cell in row) for row in figure.rows)
    return TableFigure(title=figure.title, header=tuple(map(str, figure.header)), rows=rows)


def _name(check: str, number: int, index: int) -> str:
    return f"{FOLDER}/{check}-{number}-{index}.jpg"


def _file_name(check: str, number: int, index: int, name: str) -> str:
    ending = PurePosixPath(name).suffix.lower()
    return f"{FOLDER}/{check}-{number}-{index}{ending if ending in PASSIVE else '.bin'}"


def _beside(check: str, number: int, figure: HandedInFiles) -> Iterator[tuple[str, bytes]]:
    """Yield the files that are put beside the report, as far as there is room."""
    left = MAX_FILES
    for index, (name, data) in enumerate(figure.items, 1):
        left -= len(data)
        if left >= 0:
            yield _file_name(check, number, index, name), data


def _thinned(values: Sequence[float]) -> tuple[tuple[int, float | None], ...]:
    """Return points [step, value] of a curve; a value that is not finite becomes null."""
    step = max(1, math.ceil(len(values) / MAX_POINTS))
    kept = sorted({*range(0, len(values), step), len(values) - 1} - {-1})
    return tuple((i, float(values[i]) if math.isfinite(float(values[i])) else None) for i in kept)


def pictures(results: Mapping[str, CheckResult]) -> dict[str, bytes]:
    """Return the files that lie beside a report, by name: pictures as JPEG, others as they are."""
    return dict(_pictures(results))


def _pictures(results: Mapping[str, CheckResult]) -> Iterator[tuple[str, bytes]]:
    for check, result in results.items():
        for number, figure in enumerate(result.figures, 1):
            if isinstance(figure, Pictures):
                for index, (_caption, picture) in enumerate(figure.items, 1):
                    yield _name(check, number, index), _jpeg(picture)
            elif isinstance(figure, HandedInFiles):
                yield from _beside(check, number, figure)


def _jpeg(picture: np.ndarray[Any, Any]) -> bytes:
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(picture, dtype=np.uint8)).convert("RGB")
    image.thumbnail((MAX_PIXELS, MAX_PIXELS))
    target = io.BytesIO()
    image.save(target, "JPEG", quality=JPEG_QUALITY)
    return target.getvalue()


def picture_uri(data: bytes) -> str:
    """Return a JPEG as an address that needs no file."""
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"


def curves_uri(figure: CurvesFigure) -> str:
    """Return learning curves, drawn, as an address that needs no file."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas

    drawn = Canvas(figsize=CURVE_SIZE, layout="constrained")
    axes = drawn.subplots()
    for index, (name, points) in enumerate(figure.series.items()):
        kept = [(n, v) for n, v in points if v is not None and abs(v) <= MAX_DRAWN]
        steps, values = [n for n, _v in kept], [v for _n, v in kept]
        colour = COLOURS[index % len(COLOURS)]
        axes.plot(steps, values, label=_plain(name), color=colour, linewidth=1.4)
    if figure.log and any(v and v > 0 for p in figure.series.values() for _s, v in p):
        axes.set_yscale("log")
    axes.set_xlabel(_plain(figure.xlabel))
    axes.set_ylabel(_plain(figure.ylabel))
    axes.grid(visible=True, alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if figure.series:
        axes.legend(frameon=False, fontsize=8)
    target = io.BytesIO()
    FigureCanvasSVG(drawn).print_svg(  # type: ignore[no-untyped-call]
        target, metadata={"Date": None}
    )
    return f"data:image/svg+xml;base64,{base64.b64encode(target.getvalue()).decode()}"


def _plain(text: str) -> str:
    """Return text that matplotlib does not read as mathematics."""
    return str(text).replace("$", r"\$")
