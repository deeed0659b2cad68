"""Whether the figure of ``visualize_model`` shows what the model predicts (question 1.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from grader.author import Evidence, Failure, Figure, Finding, Pictures

from .. import supplied
from ..drivers.prediction_figure import BATCH, MAX_TITLE, ColourModel

SAME_PICTURE = 0.8  # correlation; another picture has less
SHOWN_IN_REPORT = 6
# What the driver lets pass; student code beside it can send more.
MOST_IMAGES = 64  # in one figure; the largest that is asked for has 12
MOST_VALUES = 4_000_000  # of one image

Result = Mapping[str, Any]


def visualize_model(result: Result, inputs: Result, withheld: Result) -> Evidence:
    """``figure``: it shows validation images; ``titles``: they say what the model predicts."""
    model = ColourModel(inputs["parameters"]).eval()
    images = np.concatenate([inputs["val_images"], inputs["train_images"]])
    predicted = _predictions(model, images)
    if not np.array_equal(predicted[: len(withheld["predictions"])], withheld["predictions"]):
        raise RuntimeError("the data set's model does not predict what it should")
    wrong_figure: list[str] = []
    wrong_titles: list[str] = []
    pictures: list[tuple[str, np.ndarray]] = []
    notes: set[str] = set()
    for wanted, shown in zip(inputs["num_images"], result["figures"], strict=True):
        _check_sizes(shown)
        wrong_figure += _figure_problems(shown, wanted or 6, inputs)
        wrong_titles += _title_problems(shown, predicted, inputs)
        pictures += [
            (title, _displayable(image))
            for title, image in zip(shown["titles"], shown["images"], strict=True)
        ]
        if not shown["training"]:
            notes.add("visualize_model leaves the model in evaluation mode")
    findings = (
        Finding("figure", 0.0 if wrong_figure else 1.0, "; ".join(wrong_figure[:2])),
        Finding("titles", 0.0 if wrong_titles else 1.0, "; ".join(wrong_titles[:2])),
    )
    figures: tuple[Figure, ...] = ()
    if pictures:
        figures = (Pictures("What the figure shows", pictures[:SHOWN_IN_REPORT]),)
    return Evidence(findings=findings, figures=figures, notes=sorted(notes))


def _check_sizes(shown: Result) -> None:
    """Refuse a figure with more in it than the driver reads.

    Raises:
        Failure: an image, a title or the number of images is too large.
    """
    if len(shown["images"]) > MOST_IMAGES:
        text = f"a figure shows {len(shown['images'])} images; at most {MOST_IMAGES} are read"
        raise Failure("wrong_shape", text)
    for title, image in zip(shown["titles"], shown["images"], strict=True):
        if len(title) > MAX_TITLE:
            text = f"a title has {len(title)} characters; at most {MAX_TITLE} are read"
            raise Failure("wrong_shape", text)
        if np.size(image) > MOST_VALUES:
            text = f"an image has {np.size(image)} values; at most {MOST_VALUES} are read"
            raise Failure("wrong_shape", text)


def _predictions(model: ColourModel, images: np.ndarray) -> np.ndarray:
    """Images (n, H, W, 3) -> classes (n,), in the mode that the model is in."""
    with torch.no_grad():
        scores = model(supplied.load("pretrained").normalise(images))
    return np.asarray(scores.argmax(dim=1).numpy())


def _which(image: Any, inputs: Result) -> tuple[int | None, str]:
    """Find out which image is shown.

    Returns:
        Its index, the validation images first, or None, and what was done to it ("" for nothing
        but another scale).
    """
    images = np.concatenate([inputs["val_images"], inputs["train_images"]])
    image = np.asarray(image)
    if image.shape != images.shape[1:] or image.dtype.kind not in "fui":
        return None, f"shape {image.shape}, type {image.dtype}, expected {images.shape[1:]}"
    shown = image.astype(np.float64)
    if not np.isfinite(shown).all():
        return None, "it holds NaN or infinity"
    changes = {
        "": shown,
        "transposed": shown.swapaxes(0, 1),
        "with red and blue swapped": shown[..., ::-1],
        "upside down": shown[::-1],
        "mirrored": shown[:, ::-1],
    }
    best: tuple[float, int | None, str] = (SAME_PICTURE, None, "")
    for change, candidate in changes.items():
        alike = (_standard(images) * _standard(candidate[None])).mean(axis=(1, 2))
        if alike.max() > best[0]:
            best = (float(alike.max()), int(alike.argmax()), change)
    return best[1], best[2]


def _standard(images: np.ndarray) -> np.ndarray:
    """Images (n, H, W, 3) -> (n, H W, 3) with mean 0 and deviation 1 in each channel."""
    flat = images.reshape(len(images), -1, 3).astype(np.float64)
    flat = flat - flat.mean(axis=1, keepdims=True)
    deviation = flat.std(axis=1, keepdims=True)
    return np.asarray(flat / np.where(deviation > 0, deviation, 1))


def _figure_problems(shown: Result, wanted: int, inputs: Result) -> list[str]:
    """Say what is wrong with the images of one figure."""
    problems = []
    if len(shown["images"]) != wanted:
        problems.append(f"the figure shows {len(shown['images'])} images, not {wanted}")
    seen: set[int] = set()
    for i, image in enumerate(shown["images"], start=1):
        index, change = _which(image, inputs)
        if index is None:
            why = change or "no match"
            problems.append(f"image {i} is not one of the validation images ({why})")
        elif index >= len(inputs["val_images"]):
            problems.append(f"image {i} is a training image: show validation images")
        elif change:
            problems.append(f"image {i} is a validation image {change}")
        elif index in seen:
            problems.append(f"image {i} repeats an earlier image")
        seen.add(-1 if index is None else index)
    return problems


def _title_problems(shown: Result, predicted: np.ndarray, inputs: Result) -> list[str]:
    """Say what is wrong with the titles of one figure; an unknown image has no right title."""
    names = [str(name).lower() for name in inputs["class_names"]]
    said: list[int | None] = []
    truth: list[int | None] = []
    problems = []
    if not shown["titles"]:
        problems.append("no image has a title")
    for i, (title, image) in enumerate(zip(shown["titles"], shown["images"], strict=True), start=1):
        match = re.match(r"\s*predicted\s*:?\s*(\w+)", str(title), re.IGNORECASE)
        word = match[1].lower() if match else ""
        said.append(names.index(word) if word in names else None)
        truth.append(_which(image, inputs)[0])
        if said[-1] is None:
            problems.append(f"the title of image {i} is {title!r}, not 'predicted: <class name>'")
        elif truth[-1] is not None and said[-1] != predicted[truth[-1]]:
            name = names[predicted[truth[-1]]]
            problems.append(f"image {i} has the title {title!r}, but the model predicts {name}")
    if problems and None not in said and (cause := _cause(said, truth, predicted, inputs)):
        problems.insert(0, cause)
    return problems


def _cause(
    said: Sequence[int | None],
    truth: Sequence[int | None],
    predicted: np.ndarray,
    inputs: Result,
) -> str:
    """Return what would explain wrong titles, or nothing."""
    if None in truth or not truth:
        return ""
    at = np.array(truth)
    labels = np.concatenate([inputs["val_labels"], inputs["train_labels"]])
    val = inputs["val_images"]
    model = ColourModel(inputs["parameters"]).train()
    parts = [_predictions(model, val[i : i + BATCH]) for i in range(0, len(val), BATCH)]
    in_training = np.concatenate([*parts, predicted[len(val) :]])
    explanations = {
        "the titles are the true labels, not the predictions": labels[at],
        "the titles belong to the next image": predicted[np.minimum(at + 1, len(predicted) - 1)],
        "the titles belong to the previous image": predicted[np.maximum(at - 1, 0)],
        "the predictions were made in training mode: is model.eval() missing?": in_training[at],
    }
    return next((text for text, titles in explanations.items() if (titles == said).all()), "")


def _displayable(image: Any) -> np.ndarray:
    """Make what a figure shows an image (H, W, 3) uint8."""
    array = np.nan_to_num(np.asarray(image).astype(np.float64))
    if array.ndim == 2:
        array = np.repeat(array[..., None], 3, axis=2)
    if array.ndim != 3 or array.shape[2] not in (3, 4) or 0 in array.shape:
        return np.zeros((8, 8, 3), dtype=np.uint8)
    scale = 255 if np.asarray(image).dtype.kind == "f" else 1
    return np.clip(array[..., :3] * scale, 0, 255).astype(np.uint8)
