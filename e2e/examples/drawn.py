"""The pictures that the examples are made of: one shape on a ground, and scenes of several."""

import math

import numpy as np
from PIL import Image, ImageDraw

SIDE = 32


def outline(name: str, x: float, y: float, r: float, turn: float) -> list[tuple[float, float]]:
    def at(angle: float, radius: float) -> tuple[float, float]:
        return x + radius * math.cos(angle + turn), y + radius * math.sin(angle + turn)

    if name == "square":
        return [at(k * math.pi / 2, r) for k in range(4)]
    if name == "triangle":
        return [at(k * 2 * math.pi / 3, r) for k in range(3)]
    if name == "star":
        return [at(k * math.pi / 5, r if k % 2 == 0 else 0.42 * r) for k in range(10)]
    if name == "cross":
        w = 0.3
        corners = [(1, w), (w, w), (w, 1), (-w, 1), (-w, w), (-1, w), (-1, -w), (-w, -w), (-w, -1), (w, -1), (w, -w), (1, -w)]
        return [at(math.atan2(b, a), r * math.hypot(a, b)) for a, b in corners]
    if name == "arrow":
        corners = [(1, 0), (0, 0.8), (0, 0.3), (-1, 0.3), (-1, -0.3), (0, -0.3), (0, -0.8)]
        return [at(math.atan2(b, a), r * math.hypot(a, b)) for a, b in corners]
    if name == "half":
        return [at(k * math.pi / 16, r) for k in range(17)]
    if name == "heart":
        angles = [k * math.pi / 24 for k in range(48)]
        heights = [13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t) for t in angles]
        return [at(math.atan2(b, a), r * math.hypot(a, b)) for a, b in zip((math.sin(t) ** 3 for t in angles), (h / 16 for h in heights))]
    if name == "drop":
        corners = [(0.75 * math.sin(t) * math.sin(t / 2) ** 1.5, math.cos(t)) for t in (k * math.pi / 16 for k in range(33))]
        return [at(math.atan2(b, a), r * math.hypot(a, b)) for a, b in corners]
    if name == "bolt":
        corners = [(0.25, -1), (-0.6, 0.1), (-0.05, 0.1), (-0.3, 1), (0.6, -0.25), (0.05, -0.25)]
        return [at(math.atan2(b, a), r * math.hypot(a, b)) for a, b in corners]
    raise ValueError(name)


def shape(name: str, random: np.random.Generator) -> Image.Image:
    """One shape of random colour, place, size and turn on a random ground, drawn at four times the size and scaled down."""
    scale = 4
    ground, colour = random.integers(0, 256, (2, 3))
    while np.abs(ground.astype(int) - colour).sum() < 220:
        ground, colour = random.integers(0, 256, (2, 3))
    r = random.uniform(0.27, 0.4) * SIDE * scale
    x, y = random.uniform(0.42, 0.58, 2) * SIDE * scale
    turn = random.uniform(0, 2 * math.pi)
    image = Image.new("RGB", (SIDE * scale, SIDE * scale), tuple(map(int, ground)))
    pen = ImageDraw.Draw(image)
    fill = tuple(map(int, colour))
    if name in ("circle", "ring", "moon"):
        pen.ellipse((x - r, y - r, x + r, y + r), fill=fill)
        if name == "ring":
            s = 0.55 * r
            pen.ellipse((x - s, y - s, x + s, y + s), fill=tuple(map(int, ground)))
        if name == "moon":
            s, dx, dy = 0.85 * r, 0.55 * r * math.cos(turn), 0.55 * r * math.sin(turn)
            pen.ellipse((x + dx - s, y + dy - s, x + dx + s, y + dy + s), fill=tuple(map(int, ground)))
    else:
        pen.polygon(outline(name, x, y, r, turn), fill=fill)
    return image.resize((SIDE, SIDE), Image.Resampling.BOX)


def scene(random: np.random.Generator) -> Image.Image:
    """A few discs and boxes of random colours on a ground that is split in two."""
    image = Image.new("RGB", (SIDE, SIDE), tuple(random.integers(0, 256, 3).tolist()))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, int(random.integers(12, 26)), SIDE, SIDE), fill=tuple(random.integers(0, 256, 3).tolist()))
    for _ in range(int(random.integers(3, 6))):
        x, y, r = random.uniform(4, 28), random.uniform(4, 28), random.uniform(3, 9)
        shape = pen.ellipse if random.random() < 0.5 else pen.rectangle
        shape((x - r, y - r, x + r, y + r), fill=tuple(random.integers(0, 256, 3).tolist()))
    return image
