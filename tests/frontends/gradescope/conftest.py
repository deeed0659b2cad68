"""A fake ``/autograder``, and the JSON Schema of what must stand in it afterwards."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest

import grader.frontends.gradescope

SCHEMA = Path(grader.frontends.gradescope.__file__).parent / "results.schema.json"
NUMPY_RUBRIC = """
assignment: small
title: A small assignment
points: 5
%s
questions:
  - id: q1
    title: Steps
    points: 5
    module: rnn_layers.py
    checks:
      - {id: q1.1, title: a step, points: 1, kind: forward, function: rnn_step_forward,
         returns: [next_h, cache], opaque: [cache], shares: {values: 0.5, edge_cases: 0.5}}
      - {id: q1.2, title: another step, points: 2, kind: forward, function: lstm_step_forward,
         visibility: hidden, hint: think, returns: [next_h, next_c, cache], opaque: [cache],
         shares: {values: 0.5, edge_cases: 0.5}}
      - {id: q1.3, title: a layer, points: 2, kind: forward, function: temporal_fc_forward,
         returns: [out, cache], opaque: [cache], shares: {values: 0.5, edge_cases: 0.5}}
"""


@pytest.fixture(scope="session")
def schema():
    return jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


@pytest.fixture
def numpy_rubric(small_assignment):
    """Write the small rubric, with more keys at its top."""

    def make(*more: str) -> Path:
        return small_assignment(NUMPY_RUBRIC % "\n".join(more))

    return make


@pytest.fixture
def autograder(tmp_path):
    """Lay out what the platform makes for one run."""

    def make(submission: Path, metadata: object = None) -> Path:
        root = tmp_path / "autograder"
        if root.exists():
            shutil.rmtree(root)
        (root / "results").mkdir(parents=True)
        shutil.copytree(submission, root / "submission")
        if metadata is not None:
            text = metadata if isinstance(metadata, str) else json.dumps(metadata)
            (root / "submission_metadata.json").write_text(text)
        return root

    return make


@pytest.fixture
def gradescope(run_cli, schema, monkeypatch):
    """Run ``grader gradescope``; return how it ended and the results, which must be valid."""

    def run(root: Path, rubric: Path, *options: object, **environment: str):
        for name in ("GRADER_TIME_BUDGET_S", "GRADER_MEMORY_MB", "GRADER_ISOLATION", "GRADER_DATA"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        ran = run_cli("gradescope", "--autograder", root, "--rubric", rubric, *options)
        assert "Traceback" not in ran.out + ran.err
        results = json.loads((root / "results" / "results.json").read_text())
        schema.validate(results)
        return ran, results

    return run
