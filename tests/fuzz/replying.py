"""Workers that answer with what a test makes up, and right results to make it from."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from grader.assignment.reference import Assignment
from grader.isolation.sandbox import Reply
from grader.isolation.sandbox.calls import FunctionCall
from grader.isolation.wire import Decoder, Encoder, Opaque
from tests.conftest import ROOT

Make = Callable[[Any], Any]
TEMPLATE = ROOT / "submissions_template"
SIZES = {"q5.7": "rnn", "q5.8": "lstm", "q5.10": "lstm"}


class MakingWorker:
    """A worker that answers each request with ``make`` of the right answer, where that is known.

    Args:
        assignment: whose reference gives the right answers.
        module: the name of the module that is graded.
        make: makes the answer.
        known: the right result of the check's driver, where running it would take long.
    """

    def __init__(self, assignment: Assignment, module: str, make: Make, known: Any) -> None:
        self.output = bytearray()
        self._assignment = assignment
        self._solution = assignment.solution(module)
        self._make = make
        self._known = known
        self._kept: list[Any] = []

    def load(self, _module: str) -> Reply:
        return Reply()

    def close(self) -> None:
        self._kept.clear()

    def mute(self) -> None:
        """Nothing is printed here."""

    def have_answered(self, _functions: Any, _answer: Any) -> Reply:
        return Reply()

    def layout(self, *_about: Any) -> Reply:
        return Reply(self._make(None))

    def repair(self, *_about: Any) -> Reply:
        return Reply(self._make(None))

    def call(self, function: str, arguments: tuple[Any, ...], opaque: tuple[int, ...]) -> Reply:
        right = None
        with contextlib.suppress(Exception):
            result = getattr(self._solution, function)(*map(self._own, arguments))
            several = isinstance(result, tuple)
            items = list(result) if several else [result]
            for at in opaque:
                self._kept.append(items[at])
                items[at] = Opaque(len(self._kept) - 1, "tuple")
            right = _carried(tuple(items) if several else items[0])
        return Reply(self._make(right))

    def call_together(self, calls: Sequence[FunctionCall]) -> list[Reply]:
        return [self.call(one.function, one.arguments, one.opaque) for one in calls]

    def drive(
        self, name: str, _source: str, function: str, _needs: str, arguments: dict[str, Any]
    ) -> Reply:
        if self._known is not None:
            return Reply(self._make(self._known))
        right = None
        with contextlib.suppress(Exception):
            file = Path(name).stem
            run = self._assignment.function("drivers", f"{file}.{function}")
            if run is not None:
                right = _carried(run(self._solution, **arguments))
        return Reply(self._make(right))

    def _own(self, value: Any) -> Any:
        if isinstance(value, Opaque) and 0 <= value.handle < len(self._kept):
            return self._kept[value.handle]
        return value.copy() if isinstance(value, np.ndarray) else value


def _carried(value: Any) -> Any:
    encoder = Encoder(lambda _value: 0)
    body = encoder.encode(value)
    return Decoder([bytearray(buffer) for buffer in encoder.buffers]).decode(body)


class MakingSource:
    """Where a session gets such workers from."""

    isolation: list[str] = []
    asks_at_once = False

    def __init__(self, assignment: Assignment, bounded: Any) -> None:
        self._assignment = assignment
        self.bounded = bounded
        self.make: Make = lambda right: right
        self.known: Any = None

    def spawn(
        self,
        question: Any,
        _folder: Path,
        _limits: Any,
        _seed: int,
        _module: str = "",
        _expected: int = 1,
        **_options: Any,
    ) -> MakingWorker:
        module = question.module.removesuffix(".py")
        return MakingWorker(self._assignment, module, self.make, self.known)

    def replace(self, _question: Any) -> None:
        """Nothing is kept that would have to be replaced."""

    @contextlib.contextmanager
    def reference(self, _rubric: Any) -> Iterator[None]:
        yield None


def result_of(check: str, assignment: Assignment, seed: int) -> Any:
    """Return a result as an untrained program of the right form gives it; None if calls are cheap.

    Args:
        check: a check with a judge.
        assignment: the homework.
        seed: the check's, which decides the data set.
    """
    data = functools.partial(assignment.dataset, tier="mini", data=None, seed=seed)
    if check == "q1.1":
        scenarios = data("training_loop").inputs["scenarios"]
        return {name: dict(given["parameters"]) for name, given in scenarios.items()}
    if check == "q1.2":
        inputs = data("prediction_figure").inputs
        images = list(inputs["val_images"].astype(np.float64) / 255)
        titles = [f"predicted: {inputs['class_names'][0]}"] * len(images)
        return {
            "figures": [
                {"titles": titles[: n or 6], "images": images[: n or 6], "training": True}
                for n in inputs["num_images"]
            ]
        }
    if check in ("q1.3", "q1.4"):
        with np.load(TEMPLATE / "resnet18_mini.npz") as file:
            parameters = dict(file)
        width = parameters["fc.weight"].shape[1]
        head = {"fc.weight": np.zeros((2, width), np.float32), "fc.bias": np.zeros(2, np.float32)}
        return {"parameters": {**parameters, **head}}
    if check in SIZES:
        name = "captions_large" if check == "q5.10" else "captions"
        return _captions(assignment, data(name).inputs, SIZES[check])
    if check.startswith("q6."):
        count = len(data("sentences").inputs["test_sentences"])
        sizes = np.array([[1, 300], [1, 1]])
        said = np.full(count, 0.5)
        return {
            "predictions": said, "order": said[:200], "again": said[:200],
            "parameters": {"count": 301, "shapes": sizes},
        }  # fmt: skip
    return None


def _captions(assignment: Assignment, inputs: dict[str, Any], cell: str) -> Any:
    sizes = {"input_dim": inputs["train_features"].shape[1], "wordvec_dim": 64, "hidden_dim": 128}
    draw = assignment.function("drivers", "captioning.initial_params")
    words = len(inputs["word_to_idx"])
    params = draw(cell, words, sizes, np.random.default_rng(0))
    length = inputs["max_length"]
    return {
        "params": {name: value.astype(np.float32) for name, value in params.items()},
        "loss_history": np.linspace(60, 59, 150),
        "train_samples": np.zeros((len(inputs["train_features"]), length), np.int64),
        "val_samples": np.zeros((len(inputs["val_features"]), length), np.int64),
    }


@contextlib.contextmanager
def beside_students() -> Iterator[None]:
    """Let the files that students are given be imported, as drivers do beside student code."""
    before, path = set(sys.modules), list(sys.path)
    sys.path.insert(0, str(TEMPLATE))
    try:
        yield
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - before:
            found = getattr(sys.modules[name], "__file__", None) or ""
            if found.startswith(str(TEMPLATE)):
                del sys.modules[name]
