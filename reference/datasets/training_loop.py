"""Small scenarios for ``train_model``, in each of which one habit of the loop shows (question 1.1).

Models are linear in random images (3, 4, 4). Labels follow the scores of hidden models: training
leads from the first weights towards one of them; where the best epoch is to lie in the middle, the
validation labels follow a model half-way, so that the accuracy rises and falls again. Scenarios are
drawn until the right loop has one clearly best epoch, by accuracy and by loss, and until each wrong
habit that a scenario is for leads to other weights. Both tiers are the same.
"""

from pathlib import Path
from typing import Any

import numpy as np

KEPT = True  # drawn from the arguments and the files of the reference alone

SHAPE = (3, 4, 4)
CLASSES = 3
MARGIN = 2  # validation images by which the best epoch is ahead of the next
MOST_DRAWS = 2000
MOST_SETS = 20

# What each scenario consists of. mode: that of the model at the beginning; aim: how far along the
# way from the first weights to those of the training labels the validation labels lie.
SETTINGS: dict[str, dict[str, Any]] = {
    "one_step": {"num_epochs": 1, "batches": 1, "smoothing": 0.3},
    "one_epoch": {"num_epochs": 1, "batches": 4},
    "batch_norm": {"num_epochs": 3, "batches": 3, "batch_norm": True, "training": False},
    "validation": {"num_epochs": 5, "batches": 2, "aim": 0.5, "telling": True},
    "schedule": {"num_epochs": 3, "batches": 2, "step_size": 1},
    "best_epoch": {"num_epochs": 7, "batches": 2, "aim": 0.5, "train_batch": 20},
}
# The habits that a scenario must show, by the names of ``training_habits.WRONG``.
SHOWN: dict[str, dict[str, tuple[str, ...]]] = {
    "one_step": {"steps": ("never",), "criterion": ("own",)},
    "one_epoch": {"clears": ("never",)},
    "batch_norm": {"trains_in": ("train once", "as given"), "validates_in": ("as left",)},
    "validation": {"validation": ("grad", "step")},
    "schedule": {"schedule": ("each batch", "both phases", "never")},
    "best_epoch": {"keeps": ("last", "either phase", "last batch", "first")},
}


def draw(
    rng: np.random.Generator,
    *,
    num_epochs: int,
    batches: int,
    batch_norm: bool = False,
    training: bool = True,
    telling: bool = False,
    aim: float = 1.0,
    train_batch: int = 32,
    step_size: int = 1000,
    gamma: float = 0.5,
    learning_rate: float = 0.3,
    smoothing: float = 0.0,
) -> dict[str, Any]:
    """Draw a scenario; the arguments are those of SETTINGS."""
    size = int(np.prod(SHAPE))
    first = 0.3 * rng.standard_normal((CLASSES, size))
    goal = first + 0.5 * rng.standard_normal((CLASSES, size))
    parameters = {"fc.weight": first, "fc.bias": np.zeros(CLASSES)}
    if batch_norm:
        parameters |= {
            "norm.weight": rng.uniform(0.7, 1.3, 3),
            "norm.bias": rng.normal(0, 0.2, 3),
            "norm.running_mean": rng.normal(0, 0.5, 3),
            "norm.running_var": rng.uniform(0.5, 2, 3),
        }
    scenario: dict[str, Any] = {
        "parameters": {name: value.astype(np.float32) for name, value in parameters.items()},
        "num_epochs": num_epochs,
        "training": training,
        "telling": telling,
        "learning_rate": learning_rate,
        "step_size": step_size,
        "gamma": gamma,
        "smoothing": smoothing,
    }
    if batch_norm:
        scenario["parameters"]["norm.num_batches_tracked"] = np.array(0, dtype=np.int64)
    for phase, count, batch, way in (("train", batches, train_batch, 1.0), ("val", 3, 150, aim)):
        images = rng.standard_normal((count * batch, size))
        labels = (images @ (first + way * (goal - first)).T).argmax(axis=1)
        scenario[phase] = {
            "images": images.reshape(-1, *SHAPE).astype(np.float32),
            "labels": labels.astype(np.int64),
            "batch": batch,
        }
    return scenario


def tells(scenario: dict[str, Any], shown: dict[str, tuple[str, ...]]) -> bool:
    """Say whether the right loop has one best epoch, and each wrong habit weights of its own."""
    from .. import training_habits as habits

    found = []
    for schedule in ("epoch end", "epoch start"):
        trace = habits.run(scenario, habits.Habits(schedule=schedule))
        best = habits.kept_epoch(trace, "best")
        behind = sorted(trace.correct)[-2:]
        if len(behind) == 2 and behind[1] - behind[0] < MARGIN:
            return False
        if best != int(np.argmin(trace.loss)):
            return False
        found.append(trace.weights[best])
    for field, values in shown.items():
        for value in values:
            wrong = habits.Habits(**{field: value})
            trace = habits.run(scenario, wrong)
            weights = trace.weights[habits.kept_epoch(trace, wrong.keeps)]
            if any(habits.same(weights, one) for one in found):
                return False
            found.append(weights)
    return True


def draw_telling(rng: np.random.Generator, name: str) -> dict[str, Any]:
    """Draw scenarios called ``name`` until one tells right from wrong.

    Raises:
        RuntimeError: none of MOST_DRAWS does.
    """
    for _ in range(MOST_DRAWS):
        scenario = draw(rng, **SETTINGS[name])
        if tells(scenario, SHOWN[name]):
            return scenario
    raise RuntimeError(f"no scenario {name!r} in {MOST_DRAWS} draws")


def load(tier: str, data: Path | None, seed: int) -> dict[str, dict[str, Any]]:
    """Draw the scenarios.

    Args:
        tier: ``"mini"`` or ``"full"``, which are the same.
        data: not used.
        seed: decides everything.

    Returns:
        ``inputs``: ``scenarios``, by name: ``parameters`` of the model, ``train`` and ``val`` with
        ``images``, ``labels`` and the size of a ``batch``, ``num_epochs``, ``learning_rate``,
        ``step_size`` and ``gamma`` of the scheduler, ``smoothing`` of labels in the criterion,
        ``training``, the model's first mode, and ``telling``, as in
        ``drivers/transfer_learning.py``.
        ``withheld`` is empty: what is right follows from the inputs.

    Raises:
        ValueError: an unknown tier.
        RuntimeError: no scenario was found that tells right from wrong.
    """
    del data
    if tier not in {"mini", "full"}:
        raise ValueError(f"tier: got {tier!r}, expected 'mini' or 'full'")
    from .. import training_habits

    for attempt in range(MOST_SETS):
        scenarios = {
            name: draw_telling(np.random.default_rng([seed, attempt, i]), name)
            for i, name in enumerate(SETTINGS)
        }
        if training_habits.all_distinct(scenarios):
            break
    else:
        raise RuntimeError(f"no set of scenarios in {MOST_SETS} draws tells all mistakes apart")
    return {"inputs": {"scenarios": scenarios}, "withheld": {}}
