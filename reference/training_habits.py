"""What ``train_model`` returns for each combination of habits, right or wrong.

The weights that a training loop ends with show whether it clears its gradients. ``run`` is the loop
with all habits as options; ``explain`` looks for the habits that lead to the weights that a
student's loop returned, starting with the fewest mistakes.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from .drivers.transfer_learning import ProbeModel

ATOL, RTOL = 2e-4, 2e-3  # far below what any habit changes, far above rounding in float32
MOST_MISTAKES = 3

Arrays = Mapping[str, np.ndarray]
Scenario = Mapping[str, Any]


@dataclass(frozen=True)
class Habits:
    """One way to write the loop; the first value of each field is right."""

    steps: str = "each batch"  # never
    criterion: str = "given"  # own: a plain cross entropy, whatever is given
    clears: str = "before"  # after each batch's step: as right; each epoch, never
    trains_in: str = "train"  # train once: train() called before the first epoch; as given: never
    validates_in: str = "eval"  # as left: eval() is never called
    validation: str = "no_grad"  # grad: recorded; backward: and computed; step: and followed
    schedule: str = "epoch end"  # epoch start: as right; each batch, both phases, never
    keeps: str = "best"  # last, either phase, last batch, first


RIGHT = {"clears": ("after",), "schedule": ("epoch start",)}
WRONG: dict[str, dict[str, str]] = {
    "steps": {
        "never": "the parameters never change: optimizer.step() is not called, or the gradients "
        "are cleared between loss.backward() and optimizer.step()"
    },
    "criterion": {
        "own": "the criterion that is given is not used: these are the weights for a plain cross "
        "entropy, but the labels of the given one are smoothed"
    },
    "clears": {
        "never": "gradients are never cleared, so each step also uses those of all earlier "
        "batches: call optimizer.zero_grad() for every batch",
        "each epoch": "gradients are cleared once per epoch, so they add up over its batches: "
        "call optimizer.zero_grad() for every batch",
    },
    "trains_in": {
        "train once": "only the first epoch trains in training mode: after the model.eval() of a "
        "validation phase, the next training phase must call model.train() again",
        "as given": "model.train() is never called: the training phase uses the mode that the "
        "model happens to be in",
    },
    "validates_in": {
        "as left": "model.eval() is missing: validation runs in training mode, so batch norms use "
        "(and go on updating) the statistics of the validation batches",
    },
    "validation": {
        "grad": "the validation phase records gradients: run it under torch.no_grad() or "
        "torch.set_grad_enabled(False)",
        "backward": "the validation phase also records gradients and calls loss.backward(): run "
        "it under torch.no_grad()",
        "step": "the optimizer also steps in the validation phase, so the model is trained on the "
        "validation images",
    },
    "schedule": {
        "each batch": "the scheduler steps once per batch instead of once per epoch",
        "both phases": "the scheduler also steps in the validation phase, so twice per epoch",
        "never": "scheduler.step() is never called",
    },
    "keeps": {
        "last": "the weights of the last epoch are returned instead of the best ones: either the "
        "best are not loaded at the end, or you kept model.state_dict() itself, which changes with "
        "the model (use copy.deepcopy)",
        "either phase": "the accuracy of the training phase also decides which weights are kept; "
        "only the validation phase should",
        "last batch": "the last validation batch chooses the best epoch instead of all of them",
        "first": "the weights of the first epoch are returned instead of the best ones",
    },
}
PROPERTIES = {
    "steps": "trains",
    "criterion": "trains",
    "clears": "gradients_cleared",
    "trains_in": "modes",
    "validates_in": "modes",
    "validation": "no_validation_gradient",
    "schedule": "scheduler",
    "keeps": "best_weights",
}


@dataclass
class Trace:
    """What happened in each epoch of a run."""

    weights: list[dict[str, np.ndarray]] = field(default_factory=list)
    correct: list[int] = field(default_factory=list)  # validation images
    correct_in_last_batch: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)  # of validation, mean
    train_accuracy: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)


def batches(phase: Scenario) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Cut a phase's images and labels into batches."""
    images, labels = (torch.from_numpy(np.array(phase[key])) for key in ("images", "labels"))
    return list(zip(images.split(phase["batch"]), labels.split(phase["batch"]), strict=True))


class Loop:
    """One run of the loop in a scenario."""

    def __init__(self, scenario: Scenario, habits: Habits) -> None:
        self.habits, self.scenario = habits, scenario
        self.model = ProbeModel(scenario["parameters"], telling=scenario["telling"])
        self.model.train(bool(scenario["training"]))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=scenario["learning_rate"])
        self.scheduled = 0
        self.data = {phase: batches(scenario[phase]) for phase in ("train", "val")}

    def loss(self, scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of a batch."""
        smoothed = self.scenario["smoothing"] if self.habits.criterion == "given" else 0.0
        return nn.functional.cross_entropy(scores, labels, label_smoothing=smoothed)

    def schedule(self, moment: str) -> None:
        """Make the scheduler's step if this is the moment for it."""
        wanted = self.habits.schedule
        if moment == wanted or (wanted == "both phases" and moment in {"epoch end", "validated"}):
            self.scheduled += 1
            falls = self.scheduled // self.scenario["step_size"]
            rate = self.scenario["learning_rate"] * self.scenario["gamma"] ** falls
            self.optimizer.param_groups[0]["lr"] = rate

    def follow(self, loss: torch.Tensor) -> None:
        """Differentiate a loss and make a step."""
        if self.habits.clears == "before":
            self.optimizer.zero_grad()
        loss.backward()
        if self.habits.steps == "each batch":
            self.optimizer.step()
        if self.habits.clears == "after":
            self.optimizer.zero_grad()

    def train(self) -> float:
        """Run a training phase; returns the accuracy on its way."""
        right = 0
        if self.habits.clears == "each epoch":
            self.optimizer.zero_grad()
        for images, labels in self.data["train"]:
            scores = self.model(images)
            self.follow(self.loss(scores, labels))
            right += int((scores.argmax(1) == labels).sum())
            self.schedule("each batch")
        return right / len(self.scenario["train"]["labels"])

    def validate(self) -> tuple[list[int], float]:
        """Run a validation phase; returns right predictions per batch and the mean loss."""
        right, losses = [], []
        for images, labels in self.data["val"]:
            with torch.set_grad_enabled(self.habits.validation != "no_grad"):
                scores = self.model(images)
                loss = self.loss(scores, labels)
            right.append(int((scores.argmax(1) == labels).sum()))
            losses.append(loss.item())
            if self.habits.validation == "step":
                self.follow(loss)
            elif self.habits.validation == "backward":
                if self.habits.clears == "before":
                    self.optimizer.zero_grad()
                loss.backward()
        return right, float(np.mean(losses))

    def run(self) -> Trace:
        """Run all epochs."""
        trace = Trace()
        if self.habits.trains_in == "train once":
            self.model.train()
        for _ in range(self.scenario["num_epochs"]):
            self.schedule("epoch start")
            if self.habits.trains_in == "train":
                self.model.train()
            trace.train_accuracy.append(self.train())
            self.schedule("epoch end")
            if self.habits.validates_in == "eval":
                self.model.eval()
            right, loss = self.validate()
            self.schedule("validated")
            state = self.model.state_dict()
            trace.weights.append({k: v.numpy().copy() for k, v in state.items()})
            trace.correct.append(sum(right))
            trace.val_accuracy.append(sum(right) / len(self.scenario["val"]["labels"]))
            trace.correct_in_last_batch.append(right[-1])
            trace.loss.append(loss)
        return trace


def run(scenario: Scenario, habits: Habits) -> Trace:
    """Run the loop in a scenario."""
    return Loop(scenario, replace(habits, keeps="best")).run()


def kept_epoch(trace: Trace, keeps: str) -> int:
    """Return the epoch whose weights are returned."""
    either = [max(pair) for pair in zip(trace.train_accuracy, trace.val_accuracy, strict=True)]
    return {
        "best": int(np.argmax(trace.correct)),
        "last": len(trace.correct) - 1,
        "either phase": int(np.argmax(either)),
        "last batch": int(np.argmax(trace.correct_in_last_batch)),
        "first": 0,
    }[keeps]


def same(actual: Arrays, expected: Arrays) -> bool:
    """Say whether two models have the same arrays, up to rounding."""
    return set(actual) == set(expected) and all(
        np.shape(actual[name]) == value.shape
        and np.allclose(actual[name], value, rtol=RTOL, atol=ATOL)
        for name, value in expected.items()
    )


def candidates() -> Iterator[tuple[int, Habits]]:
    """Yield all habits with at most MOST_MISTAKES mistakes, with their number, fewest first."""
    names = [entry.name for entry in fields(Habits)]
    for count in range(MOST_MISTAKES + 1):
        for wrong in itertools.combinations(names, count):
            rest = [name for name in RIGHT if name not in wrong]
            right = itertools.product(*((getattr(Habits, n), *RIGHT[n]) for n in rest))
            for variant, mistakes in itertools.product(
                list(right), list(itertools.product(*(WRONG[name] for name in wrong)))
            ):
                chosen = dict(zip((*rest, *wrong), (*variant, *mistakes), strict=True))
                yield count, Habits(**chosen)


def explain(returned: Mapping[str, Arrays], scenarios: Mapping[str, Scenario]) -> Habits | None:
    """Return the habits that lead to ``returned`` in all ``scenarios``, or None."""
    traces: dict[tuple[str, Habits], Trace] = {}
    for _, habits in candidates():
        loop = replace(habits, keeps="best")
        for name, scenario in scenarios.items():
            trace = traces.get((name, loop)) or run(scenario, loop)
            traces[name, loop] = trace
            if not same(returned[name], trace.weights[kept_epoch(trace, habits.keeps)]):
                break
        else:
            return habits
    return None


def all_distinct(scenarios: Mapping[str, Scenario]) -> bool:
    """Say whether any two loops with one mistake each end with different weights somewhere.

    Left out: a loss that is differentiated in validation but whose gradients are cleared before the
    next step, which changes no more than recording the gradients.
    """
    ends: list[list[dict[str, np.ndarray]]] = []
    for name, values in WRONG.items():
        for value in values:
            habits = Habits(**{name: value})
            if habits.validation == "backward":
                continue
            traces = [run(scenario, habits) for scenario in scenarios.values()]
            ends.append([trace.weights[kept_epoch(trace, habits.keeps)] for trace in traces])
    return not any(
        all(same(one, other) for one, other in zip(first, second, strict=True))
        for first, second in itertools.combinations(ends, 2)
    )
