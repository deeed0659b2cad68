"""Judges a network that ``finetune`` or ``freeze`` returned (questions 1.3, 1.4).

Its arrays are loaded into the network of the supplied ``pretrained.py`` and judged there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from grader.author import Evidence, Failure, Finding

from .. import supplied
from . import heads

EVALUATED_AT_ONCE = 20  # images
LOSS_IMAGES = 100  # training images that say whether the head is trained
# Mean loss of two classes: 0.69 when guessing, about 0.1 after training. A head that was never
# trained may tell the classes apart by luck (1 in 20 with good features), but is never sure of it.
TRAINED_LOSS = 0.35
MOST_FACTOR = 30.0  # of scores that are small since another loss than the cross entropy made them
LEARNED_LOSS = 0.55  # of such scores times the best factor: 0.07 to 0.3 where 0.9 are right
# Of the norm of a head as nn.Linear draws it, sqrt(outputs / 3); training moves it by 0.3 and more.
LEAST_MOVE = 0.1
LEAST_FALL = 0.1  # of the mean loss by training that ends in such scores
# Of the mean loss, each time with the best factor, where the head knew the classes before training:
# steps that make it larger leave it all.
MOST_LEFT = 0.97
# Of the standard deviation of the scores. Convolutions that were trained with a small learning rate
# change them by a third of it; noise of 1e-6 on each weight by 3e-5.
WITHOUT_EFFECT = 0.01
LEAST_SLOPE = 0.008  # 0.03 to 0.35 after training by SGD, Adam and others; 0 +- 0.0016 for noise
SMALL = 64  # pixels: a drawing; photographs have more
BATCHES = 5  # of images whose loss is differentiated
CLEAR = 0.75  # of the images: an epoch of any training gives fewer a label that they do not have
UNTRAINED = "no optimizer made a step with a parameter of the returned network"

Result = Mapping[str, Any]


def finetune(result: Result, inputs: Result, withheld: Result) -> Evidence:
    """``head``: an output per class; ``backbone``: everything before it has been trained."""
    parameters = _arrays(result["parameters"])
    start = _pretrained(inputs)
    values, notes = _accuracy(result, parameters, inputs, withheld)
    _learns_from_labels(result, inputs, values["accuracy"])
    backbone = _trained_backbone(parameters, start, result["seen"], inputs)
    if backbone.earned == 1 and (loaded := _loaded(result, start)):
        backbone = Finding("backbone", 0.0, loaded)
    elif backbone.earned == 1 and result["seen"].get("steps") == 0:
        text = f"{UNTRAINED}. A person must check whether it was trained here or came in a file"
        backbone = Finding("backbone", 0.0, text, undecided=True)
    return Evidence(values, (_head(parameters, inputs), backbone), notes=notes)


def _trained_backbone(
    parameters: Mapping[str, np.ndarray],
    start: Mapping[str, np.ndarray],
    seen: Mapping[str, Any],
    inputs: Result,
) -> Finding:
    """Say whether everything before the head is the work of training, and not of something else."""
    # Weights of convolutions; the bias of a batch norm before another one has no gradient.
    names = [name for name in _backbone_parameters(start) if start[name].ndim == 4]
    still = [name for name in names if np.array_equal(parameters[name], start[name])]
    if still:
        text = f"{len(still)} of the {len(names)} convolutions still have their pretrained "
        text += f"weights (for example {still[0]}): finetune must train all of them"
        return Finding("backbone", 1 - len(still) / len(names), text)
    put_back = {k: start[k] if k in names else value for k, value in parameters.items()}
    images = inputs["train_images"][: _few(inputs)]
    own, others = (_scores(_rebuilt(p, inputs), images) for p in (parameters, put_back))
    change = float((own - others).abs().max())
    if change < WITHOUT_EFFECT * float(own.std()):
        text = "the backbone is not trained: with the pretrained convolutions put back under your "
        text += f"head, no score of {len(images)} training images changes by more than {change:.2g}"
        return Finding("backbone", 0.0, text)
    # Under the head that training ends with, little is left to descend; so others are tried, too.
    slope = 0.0
    for head in ({}, *heads.earlier(parameters, seen)):
        found = _slope({**put_back, **head}, parameters, names, inputs)
        slope = max(slope, abs(found) if math.isfinite(found) else 0.0)
        if slope >= LEAST_SLOPE:
            return Finding("backbone", 1.0)
    text = "the convolutions have changed, but not as training changes them: their way from "
    text += "the pretrained weights and the descent of the loss there have a cosine of at most "
    text += f"{slope:.4f}; training gives 0.03 and more, noise 0. A person must look"
    return Finding("backbone", 0.0, text, undecided=True)


def _few(inputs: Result) -> int:
    """Return how many training images to differentiate by: of photographs fewer fit into memory."""
    return LOSS_IMAGES if inputs["train_images"].shape[1] <= SMALL else LOSS_IMAGES // 5


def _slope(
    start: Mapping[str, np.ndarray],
    end: Mapping[str, np.ndarray],
    names: Sequence[str],
    inputs: Result,
) -> float:
    """Return the cosine of the way from start to end, and of the descent of the loss at start."""
    network = _rebuilt(start, inputs).train()
    count = _few(inputs)
    images = supplied.load("pretrained").normalise(inputs["train_images"][:count])
    labels = torch.from_numpy(np.array(inputs["train_labels"][:count]))
    labels = labels.clamp(max=len(heads.arrays_of(start)[0]) - 1)  # a head may have too few outputs
    for part, truth in zip(
        images.split(count // BATCHES), labels.split(count // BATCHES), strict=True
    ):
        nn.functional.cross_entropy(network(part), truth).backward()
    named = dict(network.named_parameters())
    descents = [named[name].grad for name in names]
    descent = -torch.cat([d.flatten() for d in descents if d is not None]).double().numpy()
    way = np.concatenate([(end[name] - start[name]).ravel() for name in names]).astype(np.float64)
    return float(descent @ way / np.sqrt((descent @ descent) * (way @ way)))


def _loaded(result: Result, start: Mapping[str, np.ndarray]) -> str:
    """Say that the network was not the pretrained one when its training began; empty if it was."""
    for name, array in result["seen"].get("before", {}).items():
        change = _change(name, array, start)
        return (
            f"before the first step of the optimizer, {name} was not the pretrained one (it "
            f"differs by up to {change:.2g}): start from the pretrained network, and train it here"
        )
    return ""


def _learns_from_labels(result: Result, inputs: Result, accuracy: float) -> None:
    """Make sure that the classes follow from the labels that the function was given.

    Raises:
        Failure: with the labels exchanged, a new network answers as if they were not.
    """
    answers, labels = np.asarray(result["exchanged"]), np.asarray(inputs["val_labels"])
    if answers.shape != labels.shape or accuracy < CLEAR:
        return
    share = float((answers == labels).mean())
    if share > CLEAR:
        raise Failure(
            "mismatch",
            f"called again with the labels of the two classes exchanged, it returns a network that "
            f"gives {share:.0%} of the {len(labels)} validation images the label that they do not "
            "have: what it knows about the classes comes from elsewhere, not from the images and "
            "labels that it is given",
        )


def _change(name: str, array: np.ndarray, start: Mapping[str, np.ndarray]) -> float:
    return float(np.abs(np.asarray(array, dtype=np.float64) - start[name]).max())


def freeze(result: Result, inputs: Result, withheld: Result) -> Evidence:
    """``head``: an output per class; ``trained_head``; ``frozen``: all else is bit-identical."""
    parameters = _arrays(result["parameters"])
    start = _pretrained(inputs)
    values, notes = _accuracy(result, parameters, inputs, withheld)
    _learns_from_labels(result, inputs, values["accuracy"])
    changed = {
        name: _change(name, parameters[name], start)
        for name in _backbone_parameters(start)
        if parameters[name].tobytes() != start[name].tobytes()
    }
    frozen = Finding("frozen", 1.0)
    if changed:
        worst = max(changed, key=lambda name: changed[name])
        text = f"{len(changed)} of the {len(_backbone_parameters(start))} parameter arrays before "
        text += f"fc have changed, {worst} by up to {changed[worst]:.2g}: train only fc"
        frozen = Finding("frozen", 0.0, text)
    elif text := _put_back(result, start):
        frozen = Finding("frozen", 0.0, text)
    trained = Finding("trained_head", 1.0)
    if notes:
        trained = Finding("trained_head", 0.0, notes[0], "below_threshold")
    elif result["seen"]:
        trained = _trained_here(parameters, start, result["seen"], inputs)
    return Evidence(values, (_head(parameters, inputs), frozen, trained), notes=notes)


def _trained_here(
    parameters: Mapping[str, np.ndarray],
    start: Mapping[str, np.ndarray],
    seen: Mapping[str, Any],
    inputs: Result,
) -> Finding:
    """Say whether the head became what it is by the steps of an optimizer, from an untrained one.

    A head may also start from a formula, or be averaged: what is not so is left to a person. Of
    several layers that were trained, that counts which came closest to the returned head.
    """
    way = heads.way_to(parameters, seen)
    if way is None:
        text = f"{UNTRAINED}, or with a layer that became its head. A person must check whether it "
        text += "was trained here or came in a file"
        return Finding("trained_head", 0.0, text, undecided=True)
    if not way.leads_there:
        text = "was the head trained here? From its start, the optimizer moved it by at most "
        text += f"{way.length:.2g} (norm of the change), and what you return is {way.off:.2g} away "
        text += "from every value that it had: a person must look"
        return Finding("trained_head", 0.0, text, undecided=True)
    before = _scores_before(way, start, inputs)
    loss = _loss(before, inputs)
    # One in fifty that are drawn tells two classes apart by luck.
    if loss <= TRAINED_LOSS and not heads.is_as_drawn(way.start):
        text = "before the first step of the optimizer, the head knew the classes: its mean loss "
        text += f"on the training images was {loss:.2f} (guessing gives "
        text += f"{np.log(len(inputs['class_names'])):.2f}). A person must check where it came from"
        return Finding("trained_head", 0.0, text, undecided=True)
    images = inputs["train_images"][:LOSS_IMAGES]
    after = _scores(_rebuilt(parameters, inputs), images)
    first, last = (_least_loss(_of_one_size(scores), inputs) for scores in (before, after))
    if first <= TRAINED_LOSS and last > MOST_LEFT * first:
        text = "the steps of the optimizer made the head no better: times the factor that is best "
        text += f"for them, its scores had a mean loss of {first:.3f} before the first step and "
        text += f"have {last:.3f} after the last. A person must check how it was found"
        return Finding("trained_head", 0.0, text, undecided=True)
    return Finding("trained_head", 1.0)


def _scores_before(way: heads.Way, start: Mapping[str, np.ndarray], inputs: Result) -> Tensor:
    """Return the scores of the pretrained network under the head as it was before training."""
    before = _rebuilt({**start, **heads.named(heads.HEAD, way.start)}, inputs)
    return _scores(before, inputs["train_images"][:LOSS_IMAGES])


def _put_back(result: Result, start: Mapping[str, np.ndarray]) -> str:
    """Say that the backbone changed during training, though it is the pretrained one again."""
    seen = result["seen"]
    for name, array in {**seen.get("before", {}), **seen.get("during", {})}.items():
        change = _change(name, array, start)
        if change > 0:
            return (
                f"{name} changed by up to {change:.2g} during training and was put back at the "
                "end, so the head was trained on other features: train only fc"
            )
    return ""


def _arrays(value: Any) -> dict[str, np.ndarray]:
    """Check that a result is arrays by name."""
    if not isinstance(value, dict):
        raise TypeError("the parameters are not a dictionary")
    for name, array in value.items():
        if not isinstance(name, str) or not isinstance(array, np.ndarray):
            raise TypeError("the parameters are not arrays by name")
    return value


def _network(inputs: Result) -> nn.Module:
    module = supplied.load("pretrained")
    network: nn.Module = module.ARCHITECTURES[inputs["network"]["architecture"]]()
    return network


def _pretrained(inputs: Result) -> dict[str, np.ndarray]:
    """Return the pretrained parameters and buffers by name, those of the head left out."""
    module = supplied.load("pretrained")
    network = _network(inputs)
    module.load_parameters(network, inputs["network"]["parameters"] or module.read_checkpoint())
    state = network.state_dict()
    return {k: v.numpy() for k, v in state.items() if not k.startswith(heads.HEAD)}


def _backbone_parameters(start: Mapping[str, np.ndarray]) -> list[str]:
    """Return the names of what is trained; running means and variances are not."""
    return [name for name in start if not name.endswith(("_mean", "_var", "_tracked"))]


def _rebuilt(parameters: Mapping[str, np.ndarray], inputs: Result) -> nn.Module:
    """Load returned arrays into the network that they belong to.

    Raises:
        Failure: names, shapes or types are not those of the network, or a value is not finite.
    """
    network = _network(inputs)
    weight, bias = heads.arrays_of(parameters)
    expected = {k: v for k, v in network.state_dict().items() if not k.startswith(heads.HEAD)}
    given = {k: v for k, v in parameters.items() if not k.startswith(heads.HEAD)}
    if wrong := sorted(set(expected) ^ set(given)):
        which = "has no" if wrong[0] in expected else "has an unexpected"
        raise Failure(
            "mismatch",
            f"the returned network {which} {wrong[0]!r}: it must be pretrained.resnet18() with a "
            "new layer as model.fc",
        )
    width = int(network.fc.in_features)
    outputs = len(weight)
    if weight.shape != (outputs, width) or (bias is not None and bias.shape != (outputs,)):
        raise Failure("wrong_shape", f"fc.weight is {weight.shape}, but fc gets {width} features")
    for name, array in parameters.items():
        like = expected.get(name)
        if like is not None and tuple(like.shape) != array.shape:
            raise Failure("wrong_shape", f"{name} is {array.shape}, expected {tuple(like.shape)}")
        dtype = "float32" if like is None else str(like.dtype).removeprefix("torch.")
        if array.dtype.name != dtype:
            raise Failure("wrong_dtype", f"{name} is {array.dtype.name}, expected {dtype}")
        if not np.isfinite(array).all():
            raise Failure("not_finite", f"{name} of the returned network is NaN or infinite")
    network.fc = nn.Linear(width, outputs)
    state = {name: torch.from_numpy(np.array(array)) for name, array in given.items()}
    state["fc.weight"] = torch.from_numpy(np.array(weight))
    state["fc.bias"] = torch.zeros(outputs) if bias is None else torch.from_numpy(np.array(bias))
    network.load_state_dict(state)
    return network.eval()


def _scores(network: nn.Module, images: np.ndarray) -> Tensor:
    """Images (n, H, W, 3) uint8 -> scores (n, outputs)."""
    normalise = supplied.load("pretrained").normalise
    with torch.no_grad():
        parts = [
            network(normalise(images[start : start + EVALUATED_AT_ONCE]))
            for start in range(0, len(images), EVALUATED_AT_ONCE)
        ]
    return torch.cat(parts)


def _loss(scores: Tensor, inputs: Result) -> float:
    """Return the mean loss of the first training images; infinite where it cannot be computed."""
    labels = torch.from_numpy(np.array(inputs["train_labels"][: len(scores)]))
    if scores.shape[1] < len(inputs["class_names"]):
        return math.inf
    loss = float(nn.functional.cross_entropy(scores, labels))
    return math.inf if math.isnan(loss) else loss  # scores that overflow: nothing is learned


def _accuracy(
    result: Result, parameters: Mapping[str, np.ndarray], inputs: Result, withheld: Result
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Measure a returned network: its accuracy on the withheld images, its loss, and notes.

    The accuracy of an untrained head counts as a guess: it may be high by luck.
    """
    network = _rebuilt(parameters, inputs)
    predicted = _scores(network, withheld["images"]).argmax(dim=1).numpy()
    accuracy = float((predicted == withheld["labels"]).mean())
    scores = _scores(network, inputs["train_images"][:LOSS_IMAGES])
    loss = _loss(scores, inputs)
    measured = {"measured_accuracy": accuracy, "training_loss": min(loss, 1e9)}
    notes: tuple[str, ...] = ()
    if not loss <= TRAINED_LOSS and not _has_learned(scores, loss, parameters, result, inputs):
        guessing = float(np.bincount(withheld["labels"]).max() / len(withheld["labels"]))
        guess = float(np.log(len(inputs["class_names"])))
        text = f"the head is not trained: the mean loss of the returned network is {loss:.2f} on "
        text += f"the training images (guessing gives {guess:.2f}), so its accuracy of "
        notes = (f"{text}{accuracy:.3f} counts as a guess",)
        accuracy = min(accuracy, guessing)
    return {"accuracy": accuracy, **measured}, notes


def _has_learned(
    scores: Tensor,
    loss: float,
    parameters: Mapping[str, np.ndarray],
    result: Result,
    inputs: Result,
) -> bool:
    """Say whether training led to scores that are small, but right.

    A squared error or smoothed labels ask for small scores. Times a factor these tell the classes
    apart, and the optimizer has moved the head or lowered the loss: an untrained head, which may
    be right by luck, was not moved. (One that starts well by luck leaves little loss to lower.)
    """
    way = heads.way_to(parameters, result["seen"])
    if way is None or not way.leads_there or _least_loss(scores, inputs) > LEARNED_LOSS:
        return False
    if way.length >= LEAST_MOVE * math.sqrt(len(way.start) / 3):
        return True
    return _loss(_scores_before(way, _pretrained(inputs), inputs), inputs) - loss >= LEAST_FALL


def _of_one_size(scores: Tensor) -> Tensor:
    """Return scores (n, classes) less what all classes share, divided by their deviation."""
    centered = scores - scores.mean(dim=1, keepdim=True)
    return centered / centered.std().clamp(min=1e-30)


def _least_loss(scores: Tensor, inputs: Result) -> float:
    """Return the mean loss of scores times the factor that is best for them."""
    factors = np.geomspace(1, MOST_FACTOR, 20)
    return min(_loss(scores * float(factor), inputs) for factor in factors)


def _head(parameters: Mapping[str, np.ndarray], inputs: Result) -> Finding:
    outputs, classes = len(heads.arrays_of(parameters)[0]), len(inputs["class_names"])
    if outputs == classes:
        return Finding("head", 1.0)
    text = f"model.fc has {outputs} outputs for {classes} classes: replace it with a new nn.Linear"
    return Finding("head", 0.0, text, "wrong_shape")
