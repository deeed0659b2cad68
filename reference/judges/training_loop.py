"""What the weights say about the loop that ``train_model`` runs (question 1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from grader.author import Evidence, Failure, Finding

from .. import training_habits

Result = Mapping[str, Any]

# For a loop that matches no known habits: the scenario that shows each property, and what happens
# in it.
STANDS_ON = {
    "trains": ("one_step", "one batch, one step"),
    "gradients_cleared": ("one_epoch", "one epoch of four batches"),
    "modes": ("batch_norm", "three epochs with a batch norm"),
    "no_validation_gradient": ("validation", "five epochs, evaluated without gradients"),
    "scheduler": ("schedule", "a learning rate that falls each epoch"),
    "best_weights": ("best_epoch", "seven epochs, the best in the middle"),
}


def train_model(result: Result, inputs: Result, withheld: Result) -> Evidence:
    """Find the properties of a loop, by the weights that it ends with."""
    del withheld
    scenarios = inputs["scenarios"]
    returned = {name: dict(result[name]) for name in scenarios}
    for name, arrays in returned.items():
        for key, array in arrays.items():
            if not np.isfinite(array).all():
                raise Failure("not_finite", f"train_model: {key} is NaN or infinite ({name})")
    habits = training_habits.explain(returned, scenarios)
    if habits is None:
        return Evidence(findings=_one_by_one(returned, scenarios))
    wrong: dict[str, list[str]] = {name: [] for name in training_habits.PROPERTIES.values()}
    if habits.steps == "never" and habits.trains_in == "as given":
        # Not even the statistics of a batch norm: a loop that does not run earns nothing.
        text = "nothing in the model changes: neither its parameters nor what a batch norm keeps"
        return Evidence(findings=[Finding(name, 0.0, text) for name in wrong])
    for field, texts in training_habits.WRONG.items():
        if (text := texts.get(getattr(habits, field))) is not None:
            wrong[training_habits.PROPERTIES[field]].append(text)
    findings = [
        Finding(name, 0.0 if texts else 1.0, "; ".join(texts)) for name, texts in wrong.items()
    ]
    right = training_habits.run(scenarios["best_epoch"], training_habits.Habits())
    return Evidence(findings=findings, values={"right_accuracy": right.val_accuracy})


def _one_by_one(
    returned: Mapping[str, Mapping[str, np.ndarray]], scenarios: Mapping[str, Result]
) -> list[Finding]:
    """Compare each scenario with the right weights by itself."""
    findings = []
    for name, (scenario, about) in STANDS_ON.items():
        expected = []
        for schedule in ("epoch end", "epoch start"):
            habits = training_habits.Habits(schedule=schedule)
            trace = training_habits.run(scenarios[scenario], habits)
            expected.append(trace.weights[training_habits.kept_epoch(trace, "best")])
        actual = returned[scenario]
        if any(training_habits.same(actual, weights) for weights in expected):
            findings.append(Finding(name, 1.0))
            continue
        text = f"{about}: the returned weights are not those of a correct loop"
        if np.shape(actual.get("fc.weight")) == expected[0]["fc.weight"].shape:
            got, want = actual["fc.weight"][0, 0], expected[0]["fc.weight"][0, 0]
            text += f" (fc.weight[0, 0]: got {got:.4f}, expected {want:.4f})"
        findings.append(Finding(name, 0.0, text))
    return findings
