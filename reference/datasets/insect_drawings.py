"""Drawings of made-up insects: thousands for pretraining, a small data set to transfer to.

A species is a body plan: how many segments, how many wings, what is on the abdomen, how long the
legs are, whether there are antennae. ``ANT`` and ``BEE`` are two of them. What a drawing looks like
depends far more on what says nothing about the species: direction, size, place, foreshortening, the
colors of everything, light, blur, noise, and clutter made of the same kinds of shapes as insects
are. A few hundred drawings are too few to learn from scratch what matters; a network that has seen
thousands of drawings of other species tells ants from bees at once.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE = 48  # pixels, height and width
SCALE = 3  # drawn this much larger, then reduced: smooth edges

Points = np.ndarray  # (n, 2)
Colour = tuple[int, int, int]


class Species(NamedTuple):
    """A body plan."""

    segments: int  # 1 to 3
    wing_pairs: int  # 0 to 2
    pattern: str  # of the abdomen: plain, striped, spotted
    long_legs: bool
    antennae: bool


ALL_SPECIES = tuple(
    itertools.starmap(
        Species,
        itertools.product(
            (1, 2, 3), (0, 1, 2), ("plain", "striped", "spotted"), (False, True), (False, True)
        ),
    )
)
ANT = Species(3, 0, "plain", long_legs=True, antennae=True)
BEE = Species(2, 1, "striped", long_legs=False, antennae=True)
OTHERS = tuple(species for species in ALL_SPECIES if species not in {ANT, BEE})


def ellipse(centre: tuple[float, float], radii: tuple[float, float], angle: float = 0) -> Points:
    """Outline (24, 2) of an ellipse, turned by ``angle`` (radians)."""
    t = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    x, y = radii[0] * np.cos(t), radii[1] * np.sin(t)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([x * cos - y * sin, x * sin + y * cos], axis=1) + np.array(centre)


class Drawing:
    """A canvas with insect coordinates: x along the body, the body about 2 units long."""

    def __init__(self, background: Image.Image, transform: np.ndarray, centre: np.ndarray) -> None:
        """``transform`` (2, 2) and ``centre`` (2,) lead from insect coordinates to pixels."""
        self._draw = ImageDraw.Draw(background)
        self._transform = transform
        self._centre = centre

    def _pixels(self, points: Points) -> list[tuple[float, float]]:
        return [(float(x), float(y)) for x, y in points @ self._transform.T + self._centre]

    def shape(self, points: Points, fill: Colour, outline: Colour | None = None) -> None:
        """Fill a polygon."""
        self._draw.polygon(self._pixels(points), fill=fill, outline=outline, width=2)

    def line(self, points: Points, fill: Colour, width: int) -> None:
        """Draw a chain of straight lines; ``width`` in pixels."""
        self._draw.line(self._pixels(points), fill=fill, width=width)


def random_colour(rng: np.random.Generator) -> Colour:
    """Draw any color."""
    red, green, blue = rng.integers(0, 256, 3)
    return int(red), int(green), int(blue)


def contrasting(rng: np.random.Generator, others: Sequence[Colour], least: float) -> Colour:
    """Draw a color that differs from ``others`` by at least ``least`` (of 441)."""
    while True:
        colour = random_colour(rng)
        gaps = [np.linalg.norm(np.subtract(colour, other)) for other in others]
        if min(gaps) >= least:
            return colour
        least *= 0.97  # so that it ends


def draw_species(
    rng: np.random.Generator, species: Species, canvas: Drawing, ground: Colour
) -> None:
    """Draw one insect of ``species`` in colors that stand out against ``ground``."""
    body = contrasting(rng, [ground], 130)
    limbs = contrasting(rng, [ground], 130)
    lengths = {1: [1.0], 2: [0.36, 0.64], 3: [0.26, 0.26, 0.48]}[species.segments]
    lengths = np.array(lengths) * rng.uniform(0.85, 1.15, len(lengths))
    lengths = 2 * lengths / lengths.sum()
    edges = 1 - np.concatenate([[0], np.cumsum(lengths)])  # the head is at x = 1
    middles = (edges[:-1] + edges[1:]) / 2
    widths = 0.36 * lengths**0.5 * rng.uniform(0.85, 1.2, len(lengths))
    thorax = middles[len(middles) // 2] if species.segments > 1 else 0.2
    reach = rng.uniform(0.95, 1.2) if species.long_legs else rng.uniform(0.45, 0.6)
    pen = int(rng.integers(3, 5))
    for i, side in itertools.product((-1, 0, 1), (-1, 1)):
        knee = np.array([thorax + 0.30 * i, side * 0.6 * reach])
        foot = np.array([thorax + 0.55 * i, side * reach])
        knee, foot = knee + rng.normal(0, 0.05, 2), foot + rng.normal(0, 0.06, 2)
        canvas.line(np.array([[thorax + 0.12 * i, 0], knee, foot]), limbs, pen)
    if species.antennae:
        for side in (-1, 1):
            tip = np.array([1.55, side * 0.45]) + rng.normal(0, 0.08, 2)
            canvas.line(np.array([[0.95, 0], [1.25, side * 0.12], tip]), limbs, pen)
    wing_colour = contrasting(rng, [ground, body], 110)
    slant = rng.uniform(0.9, 1.3)
    for pair, side in itertools.product(range(species.wing_pairs), (-1, 1)):
        shift = -0.85 * pair if slant > 1.1 else 0.85 * pair
        angle = side * (np.pi - slant + shift)
        length = rng.uniform(0.5, 0.6) * (1 - 0.12 * pair)
        centre = (thorax + length * np.cos(angle), length * np.sin(angle))
        canvas.shape(ellipse(centre, (length, 0.24), angle), wing_colour, limbs)
    for middle, length, width in zip(middles, lengths, widths, strict=True):
        canvas.shape(ellipse((middle, 0), (0.54 * length, width)), body)
    draw_pattern(rng, species.pattern, canvas, body, (middles[-1], lengths[-1], widths[-1]))


def draw_pattern(
    rng: np.random.Generator,
    pattern: str,
    canvas: Drawing,
    body: Colour,
    abdomen: tuple[float, float, float],
) -> None:
    """Draw stripes or spots on the abdomen, given by its middle, length and half width."""
    if pattern == "plain":
        return
    middle, length, width = abdomen
    colour = contrasting(rng, [body], 170)
    count = int(rng.integers(2, 4))
    for k in range(count):
        t = (k + 0.5) / count * 1.5 - 0.75  # from -0.75 to 0.75 along the abdomen
        x, half = middle + 0.5 * length * t, width * np.sqrt(1 - t * t)
        if pattern == "striped":
            thick = 0.12 * length / count * 1.6
            corners = [(x - thick, -half), (x + thick, -half), (x + thick, half), (x - thick, half)]
            canvas.shape(np.array(corners), colour)
        else:
            for side in (-1, 1):
                canvas.shape(ellipse((x, side * 0.45 * half), (0.09, 0.09)), colour)


def draw_clutter(rng: np.random.Generator, canvas: Drawing, ground: Colour, count: int) -> None:
    """Draw ``count`` blades, leaves and stones: lines, ellipses and bars of any color."""
    for _ in range(count):
        place, colour = rng.uniform(-2.2, 2.2, 2), contrasting(rng, [ground], 60)
        kind = rng.integers(0, 4)
        if kind < 2:
            bend = place + rng.normal(0, 0.7, 2)
            points = np.array([place, bend, bend + rng.normal(0, 0.6, 2)])
            canvas.line(points, colour, int(rng.integers(2, 6)))
        elif kind == 2:
            radii = (rng.uniform(0.15, 0.7), rng.uniform(0.1, 0.3))
            canvas.shape(ellipse((place[0], place[1]), radii, rng.uniform(0, np.pi)), colour)
        else:
            angle, gap = rng.uniform(0, np.pi), rng.uniform(0.15, 0.3)
            along = np.array([np.cos(angle), np.sin(angle)])
            across = np.array([-along[1], along[0]]) * rng.uniform(0.15, 0.35)
            for k in range(3):
                middle = place + k * gap * along
                canvas.line(np.array([middle - across, middle + across]), colour, 4)


def draw(rng: np.random.Generator, species: Species) -> np.ndarray:
    """Draw one insect; returns (SIZE, SIZE, 3) uint8."""
    side = SIZE * SCALE
    ground = random_colour(rng)
    image = Image.new("RGB", (side, side), ground)
    angle, size = rng.uniform(0, 2 * np.pi), side * rng.uniform(0.21, 0.29)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    stretch = np.diag(rng.uniform(0.85, 1.15, 2)) + np.array([[0, rng.normal(0, 0.12)], [0, 0]])
    centre = side / 2 + rng.uniform(-0.08, 0.08, 2) * side
    canvas = Drawing(image, size * turn @ stretch, centre)
    draw_clutter(rng, canvas, ground, int(rng.integers(4, 10)))
    draw_species(rng, species, canvas, ground)
    draw_clutter_in_front(rng, canvas, ground)
    image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.5))))
    pixels = np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BOX), dtype=np.float64)
    light = rng.uniform(0.75, 1.1) + 0.1 * rng.standard_normal((3,))
    slope = rng.normal(0, 12, 2)
    ramp = np.linspace(-1, 1, SIZE)
    shade = slope[0] * ramp[:, None] + slope[1] * ramp[None, :]
    noise = rng.uniform(3, 14) * rng.standard_normal(pixels.shape)
    return np.clip(pixels * light + shade[..., None] + noise, 0, 255).astype(np.uint8)


def draw_clutter_in_front(rng: np.random.Generator, canvas: Drawing, ground: Colour) -> None:
    """Draw a blade of grass or two that hide parts of the insect."""
    for _ in range(int(rng.integers(0, 3))):
        start, colour = rng.uniform(-1.6, 1.6, 2), contrasting(rng, [ground], 60)
        canvas.line(np.stack([start, start + rng.normal(0, 0.9, 2)]), colour, 4)


def draw_many(rng: np.random.Generator, species: Sequence[Species]) -> np.ndarray:
    """Draw an insect of each of n ``species``; returns (n, SIZE, SIZE, 3) uint8."""
    return np.stack([draw(rng, kind) for kind in species])
