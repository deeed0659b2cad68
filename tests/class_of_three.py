"""A graded class to mark, compare and export: three submissions of the toy assignment.

q1.1 is a text that waits for a person, q1.2 is judged by the machine (and has pictures), q1.3 is a
hidden text. ``carol`` hands in no texts; ``=bob`` has a name that a spreadsheet would run.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
from click.testing import CliRunner

from grader import cli
from tests.checks.toy import make

CHECKS = """
      - id: q1.1
        title: explanation
        points: 2
        kind: written
        files: [why.md]
        hint: Say why.
      - id: q1.2
        title: training
        points: 1
        kind: property
        function: train
        driver: toy.train
        dataset: toy
        judge: toy.look
        properties: {half: 0.75, device: 0.25}
      - id: q1.3
        title: secret
        points: 1
        kind: written
        files: [secret.md]
        visibility: hidden
        hint: A hint.
"""
RIGHT = "def train(x):\n    return 2 * x\n"
WRONG = "def train(x):\n    return 3 * x + 1\n"
CLASS = {
    "alice": {"toy.py": RIGHT, "why.md": "it overfits", "secret.md": "because"},
    "@bob": {"toy.py": WRONG, "why.md": "no idea", "secret.md": "because"},
    "carol": {"toy.py": RIGHT},
}


def grade(folder: Path, handed_in: dict[str, dict[str, str]] = CLASS, checks: str = CHECKS) -> Path:
    """Grade the class below ``folder``; return the folder of the reports."""
    rubric = make(folder, checks)
    for name, files in handed_in.items():
        (folder / "class" / name).mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (folder / "class" / name / file).write_text(text)
    command = ["grade", folder / "class", "--rubric", rubric, "--out", folder / "reports"]
    ran = CliRunner().invoke(cli.main, [str(word) for word in [*command, "--jobs", 1]])
    assert ran.exit_code == 0, ran.output
    return folder / "reports"


def reports_in(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the reports in a folder by submission, each valid by the schema."""
    text = (resources.files("grader.reports") / "report.schema.json").read_text()
    schema = jsonschema.Draft202012Validator(json.loads(text))
    found = {}
    for path in folder.glob("*/report.json"):
        found[path.parent.name] = json.loads(path.read_text(encoding="utf-8"))
        schema.validate(found[path.parent.name])
    return found


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder with what they hold."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
