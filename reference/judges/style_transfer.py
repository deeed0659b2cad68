"""Judges the images of a student's ``style_transfer`` by their losses, which are computed here.

Three things are checked for each image:

* the sum of its losses, relative to that of the reference optimization;
* the balance of the three terms. Where a sum of losses is least, their gradients add up to zero.
  So the gradients of the three terms at the student's image show which weights the program used:
  a style loss that counts twice shows, however good the optimizer;
* whether the history belongs to the image.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from grader.author import Curves, Evidence, Failure, Finding, Pictures, Reason

from ..datasets import paintings
from ..style_transfer import Objective, style_utils

TERMS = ("content", "style", "total variation")

# How far an image is from an optimum: the least length that a weighted sum of the three gradients,
# each of length one, can have. A learning rate that falls leaves 0.05 to 0.2, a constant one more.
NEAR = 0.25  # up to here all three weights can be recovered
IN_SIGHT = 0.5  # up to here those of content and style, of which the gradients are less noisy
STYLE_FACTOR = 1.5  # right programs: 0.8 to 1.2; a term that counts twice: 1.6 to 2.4
TV_FACTOR = 3.0  # right programs: 0.4 to 1.1
ABSENT = 10.0  # a term that counts so many times less does not count

SAME_START = 0.02  # relative; sums of float32 in another order differ by 1e-4 at most
SAME_END = 0.25  # the last loss is that before the last step
BOUND = paintings.HOMEWORK_BOUND  # a program may clamp before it measures the first loss
MISCOUNTED = {
    (2, 1): "the style loss counts twice",
    (0.5, 1): "the style loss is halved",
    (1, 2): "the total variation counts twice",
    (1, 0): "the total variation is left out",
    (0, 1): "the style loss is left out",
}
LONGEST_HISTORY = 20000  # losses in a list, as in drivers/style_transfer.py
CURVE_POINTS = 400
SHOWN_SIZE = 320  # pixels of the longer side of a picture in a report


@dataclass(frozen=True)
class Balance:
    """The weights for which an image is nearest to an optimum, and how far from it it is."""

    content: float
    style: float
    tv: float
    distance: float


@dataclass(frozen=True)
class Look:
    """What is known about one image. Losses are (content, style, total variation)."""

    image: Tensor
    terms: tuple[float, ...]
    start: tuple[float, ...]
    clamped_start: tuple[float, ...]
    reference: tuple[float, ...]
    balance: Balance | None
    history: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The sum of the losses relative to the reference's."""
        return sum(self.terms) / sum(self.reference)

    @property
    def is_minimised(self) -> bool:
        """Whether its loss is closer to the reference's than to that of the content picture."""
        return sum(self.terms) < math.sqrt(sum(self.start) * sum(self.reference))

    @property
    def compared(self) -> str:
        """Say how each term compares with the reference's."""
        pairs = zip(TERMS, self.terms, self.reference, strict=True)
        return ", ".join(f"{name} {own / theirs:.2f}" for name, own, theirs in pairs)


def style_transfer(
    result: Mapping[str, Any], inputs: Mapping[str, Any], withheld: Mapping[str, Any]
) -> Evidence:
    """Judge the images of all styles, their histories, and the run from noise.

    ``loss_ratio`` is each loss relative to the reference's, by the name of the style. Findings are
    ``balance``, ``history`` and ``init_random``, and one named after each style that says how its
    terms compare with the reference's.
    """
    looks = {
        name: _look(
            name,
            losses,
            content,
            result["images"][name],
            result["histories"][name],
            withheld[name]["terms"],
        )
        for name, (losses, content) in paintings.objectives(dict(inputs)).items()
    }
    compared = [
        Finding(name, 1.0, f"Relative to the reference: {look.compared}")
        for name, look in looks.items()
    ]
    return Evidence(
        values={
            "loss_ratio": {name: look.ratio for name, look in looks.items()},
            **{name: _measured(look) for name, look in looks.items()},
        },
        findings=(_balance(looks), _history(looks), _init_random(result, inputs), *compared),
        figures=(_pictures(looks, inputs), *_curves(looks, withheld)),
    )


def _image(name: str, value: Any, shape: Sequence[int]) -> Tensor:
    """Return a student's image as a tensor of ``shape``, (1, 3, H, W).

    Raises:
        Failure: it has another shape, is not an array of numbers, or is not finite.
    """
    array = np.asarray(value)
    if array.shape not in (tuple(shape), tuple(shape[1:])):
        message = f"{name}: the image has shape {array.shape}, expected {tuple(shape)}"
        if array.ndim == 3 and array.shape[-1] == 3:
            message += ": return the tensor itself, not a picture made from it"
        elif array.ndim in (3, 4) and min(array.shape[-2:]) != min(shape[-2:]):
            message += ": its smaller side must be image_size pixels"
        raise Failure("wrong_shape", message)
    if array.dtype.kind not in "fiu":
        raise Failure("wrong_dtype", f"{name}: the image is an array of {array.dtype}")
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).sum())
        text = f"{name}: {bad} of {array.size} values of the image are NaN or infinite"
        raise Failure("not_finite", f"{text}: is the learning rate too high?")
    return torch.tensor(array.reshape(shape), dtype=torch.float32)


def _terms(losses: Objective, image: Tensor) -> tuple[float, ...]:
    with torch.no_grad():
        return tuple(float(term) for term in losses.terms(image))


def _look(
    name: str,
    losses: Objective,
    content: Tensor,
    image: Any,
    history: Any,
    reference: Sequence[float],
) -> Look:
    pixels = _image(name, image, content.shape)
    terms = _terms(losses, pixels)
    if not all(map(math.isfinite, terms)):
        text = f"{name}: the values of the image are so large that its losses are infinite"
        raise Failure("not_finite", text)
    return Look(
        image=pixels,
        terms=terms,
        start=_terms(losses, content),
        clamped_start=_terms(losses, content.clamp(-BOUND, BOUND)),
        reference=tuple(reference),
        balance=balance_at(losses, pixels),
        history=tuple(_losses(name, history).tolist()),
    )


def _losses(name: str, history: Any) -> np.ndarray:
    """Return a list of losses, (steps,) float64.

    Raises:
        Failure: it is longer than any program with so many steps makes it.
    """
    if np.size(history) > LONGEST_HISTORY:
        text = f"{name}: the list of losses has {np.size(history)} entries, one for each step"
        raise Failure("wrong_shape", f"{text} is expected; at most {LONGEST_HISTORY} are read")
    return np.asarray(history, dtype=np.float64).reshape(-1)


def balance_at(losses: Objective, image: Tensor) -> Balance | None:
    """Return the weights of content, style and total variation for which an image is optimal.

    They are those, up to a common factor (here: the larger of content and style is 1), for which
    the weighted sum of the terms' gradients is shortest, each gradient taken as of length one. None
    if a term has no gradient there.
    """
    pixels = image.clone().requires_grad_()
    # Where pixels are clamped, the gradient is not zero at the optimum.
    low, high = image.amin((2, 3), keepdim=True), image.amax((2, 3), keepdim=True)
    free = (image > low) & (image < high)
    gradients = [
        torch.autograd.grad(term, pixels, retain_graph=True)[0][free].double()
        for term in losses.terms(pixels)
    ]
    columns = torch.stack(gradients, dim=1)
    lengths = columns.norm(dim=0)
    if not bool(torch.isfinite(lengths).all()) or float(lengths.min()) == 0:
        return None
    unit = columns / lengths
    squares, directions = torch.linalg.eigh(unit.T @ unit)
    found = directions[:, 0] / lengths
    found = found / found[:2][found[:2].abs().argmax()]  # whose sign is arbitrary
    if not bool(torch.isfinite(found).all()):
        return None
    content, style, tv = (float(weight) for weight in found)
    return Balance(content, style, tv, float(squares[0].clamp(min=0).sqrt()))


def miscounted(balance: Balance) -> str:
    """Say which term counts too much or too little; empty if none does or it is unclear."""
    if balance.distance > IN_SIGHT:
        return ""
    content, style, tv = balance.content, balance.style, balance.tv
    nowhere = "has no effect: does its gradient reach the image?"
    against = "times as much as it should, relative to"
    signs = [
        (content < 1 / ABSENT, f"the content loss {nowhere}"),
        (style < 1 / ABSENT, f"the style loss {nowhere}"),
        (style > STYLE_FACTOR * content, f"style counts {style / content:.1f} {against} content"),
        (content > STYLE_FACTOR * style, f"content counts {content / style:.1f} {against} style"),
    ]
    if balance.distance <= NEAR and content > 0 and style > 0:
        both = math.sqrt(content * style)
        signs += [
            (tv < both / TV_FACTOR, f"the total variation {nowhere}"),
            (tv > both * TV_FACTOR, f"total variation counts {tv / both:.1f} {against} both"),
        ]
    return next((text for wrong, text in signs if wrong), "")


def _balance(looks: Mapping[str, Look]) -> Finding:
    """Whether the three terms are added up with the right weights."""
    problems: list[str] = []
    reason: Reason = "below_threshold"
    for name, look in looks.items():
        wrong = miscounted(look.balance) if look.balance is not None else ""
        if wrong:
            reason = "mismatch"
            problems.append(f"{name}: {wrong} (relative to the reference: {look.compared})")
        elif look.balance is None:
            problems.append(
                f"{name}: one of the three losses has no gradient at the image, or none that is "
                "finite: nothing says how they were weighted"
            )
        elif not look.is_minimised:
            problems.append(f"{name}: the losses are hardly minimized")
    earned = 1 - len(problems) / len(looks)
    return Finding("balance", earned, "; ".join(problems), reason)


def _history(looks: Mapping[str, Look]) -> Finding:
    """Whether the histories start at the initial image, fall, and end at the image returned."""
    problems = {name: _history_problem(look) for name, look in looks.items()}
    wrong = [f"{name}: {text}" for name, text in problems.items() if text]
    return Finding("history", 1 - len(wrong) / len(looks), "; ".join(wrong), "mismatch")


def _history_problem(look: Look) -> str:
    history = look.history
    if len(history) < 2:
        return f"the list of losses has {len(history)} entries, expected one for each step"
    if not all(map(math.isfinite, history)):
        return "the list of losses has entries that are NaN or infinite"
    first, last, total = history[0], history[-1], sum(look.terms)
    starts = sorted((sum(look.start), sum(look.clamped_start)))
    if not starts[0] * (1 - SAME_START) <= first <= starts[1] * (1 + SAME_START):
        text = (
            f"the list of losses starts at {first:.5g}, but the losses of the content picture add "
        )
        return f"{text}up to {starts[0]:.5g}{_miscounted_start(first, look)}"
    if not last < first:
        return f"the losses do not fall: {first:.5g} at the start, {last:.5g} at the end"
    if abs(last - total) > SAME_END * total:
        return f"the list ends at {last:.5g}, but the losses of the image add up to {total:.5g}"
    return ""


def _miscounted_start(first: float, look: Look) -> str:
    for content, style, tv in (look.start, look.clamped_start):
        for (style_factor, tv_factor), text in MISCOUNTED.items():
            if math.isclose(first, content + style_factor * style + tv_factor * tv, rel_tol=0.01):
                return f": it looks as if {text}"
    return ""


def _init_random(result: Mapping[str, Any], inputs: Mapping[str, Any]) -> Finding:
    """Whether ``init_random=True`` starts elsewhere, and goes down from there."""
    first = next(iter(inputs["styles"].values()))
    size = inputs["random_start_size"]
    small = {**first["settings"], "image_size": size, "style_size": size}
    styles = {"random": {"picture": first["picture"], "settings": small}}
    losses, content = paintings.objectives({**inputs, "styles": styles})["random"]
    image = _image("init_random=True", result["random"]["image"], content.shape)
    history = _losses("init_random=True", result["random"]["history"])
    total, start = sum(_terms(losses, image)), sum(_terms(losses, content))
    clamped = sum(_terms(losses, content.clamp(-BOUND, BOUND)))
    problem = ""
    if not len(history) or not np.isfinite(history).all():
        problem = "the list of losses is empty or not finite"
    elif min(abs(history[0] - start) / start, abs(history[0] - clamped) / clamped) < SAME_START:
        problem = f"the first loss, {history[0]:.5g}, is the loss of the content picture"
    elif not total < history[0]:
        problem = f"the loss does not fall: {history[0]:.5g} at the start, {total:.5g} at the end"
    message = f"with init_random=True {problem}" if problem else ""
    return Finding("init_random", float(not problem), message, "mismatch")


def _measured(look: Look) -> dict[str, Any]:
    names = [name.replace(" ", "_") for name in TERMS]
    return {
        "losses": dict(zip(names, look.terms, strict=True)),
        "reference_losses": dict(zip(names, look.reference, strict=True)),
        "balance": None if look.balance is None else asdict(look.balance),
    }


def _pictures(looks: Mapping[str, Look], inputs: Mapping[str, Any]) -> Pictures:
    items = [("content", _shown(inputs["content"]))]
    for name, look in looks.items():
        caption = f"{name}: loss {look.ratio:.3f} times the reference's"
        painted = np.asarray(style_utils.deprocess(look.image))
        items += [(f"style {name}", _shown(inputs["styles"][name]["picture"]))]
        items += [(caption, painted)]
    return Pictures("Style transfer", items)


def _shown(picture: Any) -> np.ndarray:
    """Return a picture (height, width, 3), made smaller if it is large."""
    image = Image.fromarray(np.asarray(picture))
    image.thumbnail((SHOWN_SIZE, SHOWN_SIZE))
    return np.asarray(image)


def _curves(looks: Mapping[str, Look], withheld: Mapping[str, Any]) -> list[Curves]:
    return [
        Curves(
            f"Losses: {name}",
            {"yours": _thinned(look.history), "reference": _thinned(withheld[name]["history"])},
            ylabel="sum of the losses",
            log=True,
        )
        for name, look in looks.items()
    ]


def _thinned(history: Sequence[float]) -> list[float]:
    """Return the part of a history that a plot with a logarithmic axis can show."""
    shown = [loss for loss in history if math.isfinite(loss) and loss > 0]
    return shown[:: max(1, math.ceil(len(shown) / CURVE_POINTS))]
