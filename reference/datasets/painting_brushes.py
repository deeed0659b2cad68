"""Made-up pictures for style transfer: a landscape, and three ways to paint.

Every function draws with a seeded generator, four times as large as asked for, and averages down,
so that edges are smooth. A picture is an array (height, width, 3) of uint8, RGB.
"""

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]

OVERSAMPLING = 4

NIGHT: list[Colour] = [(30, 60, 130), (50, 90, 165), (90, 140, 195), (20, 30, 75)]
HALO: list[Colour] = [(240, 200, 80), (120, 170, 210), (170, 200, 220)]
STAR: list[Colour] = [(245, 215, 90), (250, 240, 190)]
SHARDS: list[Colour] = [
    *[(200, 50, 45), (235, 180, 50), (45, 80, 150), (60, 130, 90)],
    *[(25, 25, 30), (240, 235, 225), (225, 120, 60), (130, 70, 130)],
]
WARM = [(225, 95, 40), (240, 160, 60), (200, 60, 35), (245, 195, 110), (180, 80, 50)]
COLD = [(35, 50, 85), (70, 95, 120), (30, 30, 50), (110, 125, 130), (50, 75, 60)]
BLACK: Colour = (20, 20, 25)


def _varied(rng: np.random.Generator, colour: Colour, spread: int) -> Colour:
    red, green, blue = np.clip(np.array(colour) + rng.integers(-spread, spread + 1, 3), 0, 255)
    return int(red), int(green), int(blue)


def _any_of(rng: np.random.Generator, colours: list[Colour]) -> Colour:
    return colours[int(rng.integers(len(colours)))]


def _finished(image: Image.Image, width: int, height: int) -> np.ndarray:
    return np.asarray(image.resize((width, height), Image.Resampling.BOX))


def landscape(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Paint a sky with a sun, three ranges of hills, a house and two trees."""
    w, h = width * OVERSAMPLING, height * OVERSAMPLING
    fade = np.linspace(0, 1, h)[:, None, None]
    sky = np.array([70, 130, 205]) * (1 - fade) + np.array([215, 225, 235]) * fade
    image = Image.fromarray(np.broadcast_to(sky, (h, w, 3)).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    x, y, r = rng.uniform(0.15, 0.85) * w, rng.uniform(0.12, 0.25) * h, 0.08 * h
    draw.ellipse([x - r, y - r, x + r, y + r], fill=(250, 225, 120))
    across = np.arange(w)
    for level, colour in ((0.45, (110, 140, 160)), (0.58, (90, 150, 80)), (0.74, (55, 110, 50))):
        ridge = np.full(w, level * h)
        for k in (1, 2, 4):
            wave = 2 * np.pi * k * across / w * rng.uniform(0.7, 1.3) + rng.uniform(0, 6)
            ridge += 0.05 * h / k * np.sin(wave)
        outline = [(0.0, h), *zip(across.tolist(), ridge.tolist(), strict=True), (w, h)]
        draw.polygon(outline, fill=_varied(rng, colour, 15))
    _house(draw, rng.uniform(0.2, 0.65) * w, 0.8 * h, 0.2 * h)
    for place in (rng.uniform(0.03, 0.15), rng.uniform(0.85, 0.97)):
        _tree(rng, draw, place * w, rng.uniform(0.8, 0.92) * h, rng.uniform(0.16, 0.22) * h)
    return _finished(image, width, height)


def _house(draw: ImageDraw.ImageDraw, x: float, y: float, s: float) -> None:
    """Put a house on the ground at (x, y), its walls s high."""
    draw.rectangle([x, y - s, x + 1.3 * s, y], fill=(225, 205, 170))
    roof = [(x - 0.2 * s, y - s), (x + 0.65 * s, y - 1.8 * s), (x + 1.5 * s, y - s)]
    draw.polygon(roof, fill=(165, 60, 45))
    draw.rectangle([x + 0.2 * s, y - 0.75 * s, x + 0.5 * s, y - 0.4 * s], fill=(60, 70, 100))
    draw.rectangle([x + 0.8 * s, y - 0.6 * s, x + 1.1 * s, y], fill=(100, 60, 35))


def _tree(
    rng: np.random.Generator, draw: ImageDraw.ImageDraw, x: float, y: float, s: float
) -> None:
    """Put a tree on the ground at (x, y), its trunk s high."""
    draw.rectangle([x - 0.1 * s, y - s, x + 0.1 * s, y], fill=(85, 60, 40))
    for _ in range(5):
        u, v = x + rng.uniform(-0.5, 0.5) * s, y - s - rng.uniform(0, 0.8) * s
        leaves = [u - 0.45 * s, v - 0.45 * s, u + 0.45 * s, v + 0.45 * s]
        draw.ellipse(leaves, fill=_varied(rng, (45, 100, 45), 20))


def strokes(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Paint a night of short strokes that flow around yellow stars."""
    w, h = width * OVERSAMPLING, height * OVERSAMPLING
    image = Image.new("RGB", (w, h), (25, 40, 90))
    draw = ImageDraw.Draw(image)
    stars = np.stack([rng.uniform(0, w, 5), rng.uniform(0, h, 5)], axis=1)
    turns = rng.choice([-1.0, 1.0], 5)
    for _ in range(2500):
        here = np.array([rng.uniform(0, w), rng.uniform(0, h)])
        away = here - stars
        distance = np.linalg.norm(away, axis=1) + 1e-9
        pull = 3 * turns * np.exp(-((distance / (0.25 * h)) ** 2)) / distance
        flow = np.array([0.6, 0.0]) + pull @ (away[:, ::-1] * [-1, 1])
        half = 0.05 * h * flow / np.linalg.norm(flow)
        near = distance.min() / h
        colours = STAR if near < 0.07 else HALO if near < 0.16 else NIGHT
        colour = _varied(rng, _any_of(rng, colours), 15)
        draw.line([*(here - half), *(here + half)], fill=colour, width=max(1, int(0.018 * h)))
    return _finished(image, width, height)


def shards(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Paint discs, triangles and quadrangles in strong colors, and black lines across them."""
    w, h = width * OVERSAMPLING, height * OVERSAMPLING
    image = Image.new("RGB", (w, h), (235, 222, 195))
    draw = ImageDraw.Draw(image)
    for _ in range(70):
        centre = np.array([rng.uniform(0, w), rng.uniform(0, h)])
        radius = rng.uniform(0.04, 0.16) * h
        colour = _varied(rng, _any_of(rng, SHARDS), 20)
        corners = int(rng.choice([0, 3, 4]))
        if corners:
            angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
            rim = centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
            draw.polygon([(float(x), float(y)) for x, y in rim], fill=colour)
        else:
            box = [*(centre - 0.7 * radius), *(centre + 0.7 * radius)]
            draw.ellipse(box, fill=colour, outline=BLACK, width=3)
    for _ in range(40):
        start = np.array([rng.uniform(0, w), rng.uniform(0, h)])
        end = start + rng.normal(0, 0.2 * h, 2)
        draw.line([*start, *end], fill=BLACK, width=int(rng.integers(3, 7)))
    return _finished(image, width, height)


def waves(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Paint wavy bands with dark edges, warm above and cold below."""
    w, h = width * OVERSAMPLING, height * OVERSAMPLING
    y, x = np.mgrid[0:h, 0:w] / h
    level = y.copy()
    for k in (1, 2, 3):
        slant = x * rng.uniform(0.6, 1.2) + 0.4 * y * rng.uniform(-1, 1)
        level += 0.12 / k * np.sin(2 * np.pi * k * slant + rng.uniform(0, 6))
    position = 22 * level
    band = np.floor(position).astype(int) % 100
    chosen = rng.integers(0, len(WARM), 100)[band]
    colours = np.where((level < 0.5)[..., None], np.array(WARM)[chosen], np.array(COLD)[chosen])
    shade = np.where(position % 1 < 0.14, 0.45, 1.0)[..., None]
    pixels = colours * shade + rng.normal(0, 6, colours.shape)
    return _finished(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), width, height)
