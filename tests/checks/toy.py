"""A small assignment of its own, to test the kinds that run drivers: ``make`` writes it."""

from pathlib import Path
from textwrap import dedent

from grader.assignment.reference import Assignment
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.job import Settings
from grader.model import CheckResult
from grader.run.session import Session
from grader.run.workers import ForkServers

FILES = {
    "reference/toy.py": """
        import numpy as np

        def doubled(x):
            return 2 * x

        class Line:
            def __init__(self, slope):
                self.slope = slope

            def value(self, x):
                return self.slope * x
        """,
    "reference/cases/toy.py": """
        import numpy as np

        from grader.author.cases import Case

        def line(rng):
            for group in ("values", "edge_cases"):
                x = rng.normal(size=3) if group == "values" else np.zeros(1)
                yield Case(group, {"slope": 2.0, "x": x}, group)

        def doubled(rng):
            yield Case("three", {"x": rng.normal(size=3)})

        def words(rng):
            yield Case("three", {"slope": 2.0, "x": np.arange(3.0)})

        def _compare(arguments, outputs, expected):
            same = np.sort(outputs["value"]) == np.sort(expected["value"])
            return None if same.all() else "not the same numbers"

        COMPARISONS = {"words": _compare}
        MISTAKES = {
            "line": {"the slope is squared": lambda slope, x: {"value": slope ** 2 * x}}
        }
        """,
    "reference/drivers/toy.py": """
        def line(student, *, slope, x):
            model = student.Line(slope)
            return {"value": model.value(x), "slope": model.slope}

        def train(student, *, seed, device, x):
            return {"value": student.train(x), "device": device, "seed": seed}
        """,
    "reference/datasets/toy.py": """
        import numpy as np

        def load(tier, data, seed):
            return {"inputs": {"x": np.arange(4.0)}, "withheld": {"y": 2 * np.arange(4.0)}}
        """,
    "reference/judges/toy.py": """
        import numpy as np

        from grader.author.evidence import Curves, Evidence, Finding, Pictures, Table

        def look(result, inputs, withheld):
            right = float((result["value"] == withheld["y"]).mean())
            picture = np.full((4, 6, 3), 200, dtype=np.uint8)
            return Evidence(
                values={"accuracy": right},
                findings=(
                    Finding("half", min(1.0, 2 * right), "less than half"),
                    Finding("device", float(result["device"] == "cpu")),
                ),
                measurements={"seen": len(inputs["x"])},
                figures=(
                    Curves("curve", {"loss": [3.0, float("nan"), 1.0]}, log=True),
                    Pictures("pictures", [("grey", picture)]),
                    Table("table", ("a", "b"), [("1", "<b>2</b>")]),
                ),
                notes=("looked at",),
            )

        def ratio(result, inputs, withheld):
            finding = Finding("history", 1.0)
            return Evidence(values={"only": float(result["value"][3])}, findings=(finding,))

        def silent(result, inputs, withheld):
            return Evidence()

        def found(result, inputs, withheld):
            half, device = (float(x) for x in result["value"][:2])
            return Evidence(
                values={"half": half},
                findings=(
                    Finding("half", half, "half is not whole", "mismatch"),
                    Finding("device", device, "device is not whole", "below_threshold"),
                ),
            )

        def ratios(result, inputs, withheld):
            first, second, history = (float(x) for x in result["value"][:3])
            found = (Finding("history", history, "the history is short"),
                     Finding("first", 0.0, "it looks like noise"))
            return Evidence(values={"first": first, "second": second}, findings=found)
        """,
    "submissions_template/helper.py": "NUMBER = 2\n",
    # A star import: any name may be there, whatever functions the reference of a test has.
    "submissions_template/toy.py": "from helper import *\n",
}


def make(folder: Path, checks: str, extra: str = "") -> Path:
    """Write the assignment with these checks of one question; return the rubric's path."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    rubric = folder / "rubric.yaml"
    head = "assignment: toy\ntitle: Toy\npoints: 4\nquestions:\n  - id: q1\n    title: Toy\n"
    rubric.write_text(f"{head}    points: 4\n    module: toy.py\n{extra}    checks:\n{checks}")
    return rubric


def judged(
    rubric_path: Path,
    files: dict[str, str],
    fork_servers: ForkServers,
    settings: Settings | None = None,
) -> dict[str, CheckResult]:
    """Judge a submission of these files; return the results by the check's id."""
    rubric = load_rubric(rubric_path, KINDS)
    handed_in = rubric_path.parent / "handed_in"
    handed_in.mkdir(exist_ok=True)
    for name, text in files.items():
        (handed_in / name).parent.mkdir(parents=True, exist_ok=True)
        (handed_in / name).write_text(dedent(text))
    staged = fork_servers.stage("handed_in", handed_in, rubric)
    assignment = Assignment(rubric.reference)
    session = Session(rubric, assignment, staged, fork_servers, settings or Settings())
    for question in rubric.questions:
        for check in question.checks:
            session.run(question, check)
    fork_servers.unstage()
    return session.results
