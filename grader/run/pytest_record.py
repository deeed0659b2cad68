"""``pytest.json``: a grading run in the format of pytest-json-report, for the tools that read it.

``pytest rubric.yaml --submission DIR --json-report`` records the same items with the same outcomes
(``pytest_plugin.py``). Grading itself runs no pytest, which took a third of its processor time, and
builds the record from the results. No path of this machine is in it.

Source: the "Format" section of the documentation of pytest-json-report 1.5.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from grader.model import CheckResult, CheckSpec, Question, Rubric
from grader.readers.texts import clean, plain

EXIT_PASSED, EXIT_FAILED = 0, 1  # pytest's
NOTHING_DONE = {"duration": 0.0, "outcome": "passed"}  # a check has no setup or teardown


def of(rubric: Rubric, results: Mapping[str, CheckResult], started: float) -> dict[str, Any]:
    """Return the record of a run.

    Args:
        rubric: what was graded by.
        results: the results by the check's id, in the order in which they came.
        started: when the run began, in seconds since the epoch.
    """
    questions = {check.id: q for q in rubric.questions for check in q.checks}
    tests = [_test(rubric, questions[name], result) for name, result in results.items()]
    counts = Counter(test["outcome"] for test in tests)
    now = time.time()
    return {
        "created": now,
        "duration": max(0.0, now - started),
        "exitcode": EXIT_FAILED if counts["failed"] else EXIT_PASSED,
        "root": "",
        "summary": {**counts, "total": len(tests), "collected": len(tests)},
        "collectors": _collectors(rubric, results),
        "tests": tests,
    }


def properties(result: CheckResult) -> dict[str, Any]:
    """Return what is recorded of a result beside pytest's own outcome."""
    return {
        "outcome": result.outcome,
        "points": result.points,
        "max_points": result.spec.points,
        "reason": result.reason,
        "seed": result.seed,
    }


def text(result: CheckResult) -> str:
    """Return the text for a check that did not pass."""
    spec, reason = result.spec, result.reason or "no reason"
    lines = [
        f"{result.outcome} ({reason}): {plain(result.points)} of {plain(spec.points)} points",
        result.message,
        *(f"note: {note}" for note in result.notes),
    ]
    return clean("\n".join(line for line in lines if line))


def _node(rubric: Rubric, *names: str) -> str:
    return "::".join((rubric.path.name, *names))


def _test(rubric: Rubric, question: Question, result: CheckResult) -> dict[str, Any]:
    call: dict[str, Any] = {"duration": result.duration_s, "outcome": "passed"}
    if result.outcome == "pending":
        # pytest records a skip as the text of a tuple: where it was, and why.
        where_and_why = (rubric.path.name, None, f"Skipped: {clean(result.message)}")
        call |= {"outcome": "skipped", "longrepr": str(where_and_why)}
    elif result.outcome != "passed":
        call |= {"outcome": "failed", "longrepr": text(result)}
    name = result.spec.id
    return {
        "nodeid": _node(rubric, question.id, name),
        "lineno": None,
        "outcome": call["outcome"],
        "keywords": [name, question.id, rubric.path.name],
        "setup": dict(NOTHING_DONE),
        "call": call,
        "user_properties": [{key: value} for key, value in properties(result).items()],
        "teardown": dict(NOTHING_DONE),
    }


def _collectors(rubric: Rubric, results: Mapping[str, CheckResult]) -> list[dict[str, Any]]:
    file = {"nodeid": _node(rubric), "type": "RubricFile"}
    nodes = [{"nodeid": _node(rubric, q.id), "type": "QuestionNode"} for q in rubric.questions]
    checks = [
        [_item(rubric, q, check) for check in q.checks if check.id in results]
        for q in rubric.questions
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
