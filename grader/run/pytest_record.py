"""``pytest.json``: a grading run in the format of pytest-json-report, for the tools that read it.

``pytest rubric.yaml --submission DIR --json-report`` records the same items with the same outcomes
(``pytest_plugin.py``). Grading itself runs no pytest, which took a third of its processor time, and
builds the record from the report. No path of this machine is in it.

Source: the "Format" section of the documentation of pytest-json-report 1.5.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from grader.model import CheckSpec, Question, Rubric
from grader.readers.texts import clean, plain
from grader.reports.report import CheckReport, Report

EXIT_PASSED, EXIT_FAILED = 0, 1  # pytest's
NOTHING_DONE = {"duration": 0.0, "outcome": "passed"}  # a check has no setup or teardown


def of(rubric: Rubric, made: Report, started: float) -> dict[str, Any]:
    """Return the record of a run.

    Args:
        rubric: what was graded by.
        made: the report of the run.
        started: when the run began, in seconds since the epoch.
    """
    tests = [_test(rubric, q.id, check) for q in made.questions for check in q.checks]
    counts = Counter(test["outcome"] for test in tests)
    now = time.time()
    return {
        "created": now,
        "duration": max(0.0, now - started),
        "exitcode": EXIT_FAILED if counts["failed"] else EXIT_PASSED,
        "root": "",
        "summary": {**counts, "total": len(tests), "collected": len(tests)},
        "collectors": _collectors(rubric, made),
        "tests": tests,
    }


def properties(check: CheckReport) -> dict[str, Any]:
    """Return what is recorded of a check beside pytest's own outcome."""
    return {
        "outcome": check.outcome,
        "points": check.points,
        "max_points": check.max_points,
        "reason": check.reason,
        "seed": check.seed,
    }


def text(check: CheckReport) -> str:
    """Return the text for a check that did not pass."""
    reason = check.reason or "no reason"
    lines = [
        f"{check.outcome} ({reason}): {plain(check.points)} of {plain(check.max_points)} points",
        check.message,
        *(f"note: {note}" for note in check.notes),
    ]
    return clean("\n".join(line for line in lines if line))


def _node(rubric: Rubric, *names: str) -> str:
    return "::".join((rubric.path.name, *names))


def _test(rubric: Rubric, question: str, check: CheckReport) -> dict[str, Any]:
    call: dict[str, Any] = {"duration": check.duration_s, "outcome": "passed"}
    if check.outcome == "pending":
        # pytest records a skip as the text of a tuple: where it was, and why.
        where_and_why = (rubric.path.name, None, f"Skipped: {clean(check.message)}")
        call |= {"outcome": "skipped", "longrepr": str(where_and_why)}
    elif check.outcome != "passed":
        call |= {"outcome": "failed", "longrepr": text(check)}
    return {
        "nodeid": _node(rubric, question, check.id),
        "lineno": None,
        "outcome": call["outcome"],
        "keywords": [check.id, question, rubric.path.name],
        "setup": dict(NOTHING_DONE),
        "call": call,
        "user_properties": [{key: value} for key, value in properties(check).items()],
        "teardown": dict(NOTHING_DONE),
    }


def _collectors(rubric: Rubric, made: Report) -> list[dict[str, Any]]:
    file = {"nodeid": _node(rubric), "type": "RubricFile"}
    nodes = [{"nodeid": _node(rubric, q.id), "type": "QuestionNode"} for q in rubric.questions]
    run = made.by_id()
    checks = [
        [_item(rubric, q, check) for check in q.checks if check.id in run] for q in rubric.questions
    ]
    return [
        _collector("", [file]),
        *(_collector(node["nodeid"], found) for node, found in zip(nodes, checks, strict=True)),
        _collector(file["nodeid"], nodes),
    ]


def _collector(nodeid: str, result: list[dict[str, Any]]) -> dict[str, Any]:
    return {"nodeid": nodeid, "outcome": "passed", "result": result}


def _item(rubric: Rubric, question: Question, check: CheckSpec) -> dict[str, Any]:
    return {"nodeid": _node(rubric, question.id, check.id), "type": "CheckItem", "lineno": None}
