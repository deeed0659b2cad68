"""Reports made by hand for a class whose names are hard to match."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema


def check(name: str, outcome: str, points: float, most: float, **more: Any) -> dict[str, Any]:
    reason = "mismatch" if outcome in ("failed", "partial", "blocked") else None
    return {
        "id": name, "title": "a check", "kind": "forward", "outcome": outcome, "reason": reason,
        "points": points, "max_points": most, "extra_credit": False, "visibility": "visible",
        "message": "", "cause": None, "hint": "",
        "notes": [], "seed": 1, "duration_s": 0.1, "parts": [],
        "measurements": {}, "figures": [], "output": "",
    } | more  # fmt: skip


def report(name: str, points: float = 7.5, status: str = "complete", **more: Any) -> dict[str, Any]:
    """Return a report of 10 points: what q1.1 earns, or a pending or broken one."""
    outcome = "passed" if points == 8 else "partial"
    checks = [
        check("q1.1", outcome, points, 8.0, message="dW: <b>wrong</b>", hint="A hint."),
        check("q1.2", "pending" if status == "pending" else "passed", 0.0, 1.0),
        check("q1.3", "failed", 0.0, 1.0, visibility="hidden", message="hidden input 42"),
    ]
    question = {"id": "q1", "title": "Q", "score": points, "max_score": 10.0, "checks": checks}
    made = {
        "schema_version": 1, "assignment": "hw2", "title": "Homework 2", "status": status,
        "score": None if status == "broken" else points, "max_score": 10.0,
        "submission": {"id": name, "sha256": "0" * 64, "files": [], "notes": []},
        "isolation": [], "tier": "mini", "graded_at": "2026-01-01T00:00:00+00:00",
        "grader_version": "0.1.0", "questions": [] if status == "broken" else [question],
    } | more  # fmt: skip
    text = (resources.files("grader.reports") / "report.schema.json").read_text()
    jsonschema.Draft202012Validator(json.loads(text)).validate(made)
    return made


def store(folder: Path, *reports: dict[str, Any]) -> Path:
    """Write reports as a run leaves them; return the folder."""
    for made in reports:
        path = folder / made["submission"]["id"] / "report.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(made), encoding="utf-8")
    return folder
