"""The shipped derivation checks, and how to run one on a text without grading a submission."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS, Context, Judgement
from grader.errors import Failure, Pending
from grader.model import CheckSpec, Question
from grader.seeds import seed_for

ROOT = Path(__file__).resolve().parents[2]
VARIANTS = ROOT / "reference" / "derivations"
RNN_STEP = "\\section{Vanilla RNN: one step}\n"
RNN_SEQUENCE = "\\section{Vanilla RNN: a sequence}\n"
LSTM_STEP = "\\section{LSTM: one step}\n"
# Right formulas by what L is differentiated by.
SLOPE = r"\frac{\partial L}{\partial h_t} * (1 - h_t * h_t)"
STEP = {
    "x_t": rf"W_x^T ({SLOPE})",
    "h_{t-1}": rf"W_h^T ({SLOPE})",
    "W_x": rf"({SLOPE}) x_t^T",
    "W_h": rf"({SLOPE}) h_{{t-1}}^T",
    "b": SLOPE,
}
SEQUENCE = {
    "h_t": r"\frac{\partial D_t}{\partial h_t} + W_h^T \frac{\partial L}{\partial y_{t+1}}",
    "y_t": SLOPE,
    "x_t": r"W_x^T \frac{\partial L}{\partial y_t}",
    "h_0": r"W_h^T \frac{\partial L}{\partial y_1}",
    "W_x": r"\sum_{t=1}^T \frac{\partial L}{\partial y_t} x_t^T",
    "W_h": r"\sum_{t=1}^T \frac{\partial L}{\partial y_t} h_{t-1}^T",
    "b": r"\sum_{t=1}^T \frac{\partial L}{\partial y_t}",
}


@dataclass(frozen=True)
class Found:
    """What a check said: its judgement, or how it ended."""

    judgement: Judgement | None = None
    failure: Failure | None = None
    pending: Pending | None = None

    @property
    def earned(self) -> float:
        """The fraction of the points."""
        assert self.judgement is not None, self.failure or self.pending
        return sum(part.share * part.earned for part in self.judgement.parts)

    @property
    def lost(self) -> dict[str, str]:
        """The messages of the parts that lost points, by name."""
        assert self.judgement is not None, self.failure or self.pending
        return {part.name: part.message for part in self.judgement.parts if part.earned < 1}


@cache
def _rubric():
    return load_rubric(ROOT / "rubric.yaml", KINDS)


def shipped(check: str) -> tuple[Question, CheckSpec]:
    """Return a check of the shipped rubric with its question."""
    return next(
        (question, spec)
        for question in _rubric().questions
        for spec in question.checks
        if spec.id == check
    )


def run(check: str, text: str, name: str = "derivations.tex", seed: int | None = None) -> Found:
    """Run a shipped derivation check on the text of a file."""
    question, spec = shipped(check)
    return run_spec(spec, question, text, name, seed)


def run_files(check: str, files: dict[str, str]) -> Found:
    """Run a shipped derivation check on the texts of several files."""
    question, spec = shipped(check)
    return _run(spec, question, files, None)


def run_spec(spec, question, text: str, name: str = "derivations.tex", seed: int | None = None):
    """Run a derivation check on the text of a file."""
    return _run(spec, question, {name: text}, seed)


def _run(spec, question, files: dict[str, str], seed: int | None) -> Found:
    def read_file(wanted: str) -> bytes:
        if wanted not in files:
            raise Failure("missing", f"{wanted} is missing")
        return files[wanted].encode("utf-8", "surrogatepass")

    def open_module(_seed: int):
        raise AssertionError("derivations need no student code")

    drawn = seed_for("dl-hw2", spec.id, 1 if seed is None else seed)
    context = Context(None, question, drawn, "mini", None, open_module, read_file)  # type: ignore[arg-type]
    try:
        judged = KINDS["derivation"].run(spec, context)
        if judged.undecided:
            name, text = next(iter(files.items()))
            return Found(judged, pending=Pending(judged.message or "", name, text))
        return Found(judgement=judged)
    except Failure as failure:
        return Found(failure=failure)
    except Pending as pending:
        return Found(pending=pending)


def claims(path: Path) -> dict[str, str]:
    """Return the claims in the leading comments of a variant."""
    found = {}
    for written in path.read_text(encoding="utf-8").splitlines():
        line = written.removeprefix("<!--").removesuffix("-->")
        if not (line.startswith(("% ", " ")) and ":" in line):
            break
        key, _, value = line.lstrip("% ").partition(":")
        found[key] = value.strip()
    return found


def written(formulas: dict[str, str], heading: str) -> str:
    """Return a file with a heading and formulas for gradients."""
    lines = [
        rf"\frac{{\partial L}}{{\partial {name}}} &= {formula} \\"
        for name, formula in formulas.items()
    ]
    return "\n".join([heading, r"\begin{align}", *lines, r"\end{align}"])


def step(**changed: str) -> Found:
    """Judge the step with some formulas changed: by the names x, h, Wx, Wh, b."""
    names = {"x": "x_t", "h": "h_{t-1}", "Wx": "W_x", "Wh": "W_h", "b": "b"}
    formulas = STEP | {names[key]: formula for key, formula in changed.items()}
    return run("q3.5", written(formulas, RNN_STEP))


def sequence(formulas: dict[str, str]) -> Found:
    """Judge formulas for the sequence."""
    return run("q3.6", written(formulas, RNN_SEQUENCE))
