"""Makes the example of image classification: a tiny net that knows six shapes, and pictures of three that it has never seen.

Usage: python e2e/examples/shapes.py   (torch, onnx, pillow, numpy; the same files on each run of the same versions)
"""

import math
import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from PIL import Image, ImageDraw
from torch import nn

ROOT = Path(__file__).resolve().parents[2] / "public"
MODEL = ROOT / "models" / "shapes"
DATA = ROOT / "data" / "new-shapes"
SIDE = 32
KNOWN = ["arrow", "circle", "cross", "half", "square", "triangle"]
NEW = ["moon", "ring", "star"]


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
    raise ValueError(name)


def draw(name: str, random: np.random.Generator) -> Image.Image:
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


class Net(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()

        def block(before: int, after: int, stride: int) -> list[nn.Module]:
            return [nn.Conv2d(before, after, 3, stride, 1), nn.BatchNorm2d(after), nn.ReLU()]

        self.features = nn.Sequential(*block(3, 16, 1), *block(16, 24, 2), *block(24, 32, 2), *block(32, 48, 2))
        self.classifier = nn.Linear(48, classes)

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(pixel_values).mean((2, 3)))


def tensors(images: list[Image.Image]) -> torch.Tensor:
    data = np.stack([np.asarray(image) for image in images]).astype(np.float32)
    return torch.from_numpy(data / 127.5 - 1).permute(0, 3, 1, 2).contiguous()


def main() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    random = np.random.default_rng(0)
    net = Net(len(KNOWN))
    labels = np.arange(4800) % len(KNOWN)
    x = tensors([draw(KNOWN[k], random) for k in labels])
    y = torch.from_numpy(labels)
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3)
    epochs = 12
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, epochs * len(x) // 32)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(32):
            loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    net.eval()
    held = np.arange(400) % len(KNOWN)
    with torch.no_grad():
        right = (net(tensors([draw(KNOWN[k], random) for k in held])).argmax(1).numpy() == held).mean()
    print(f"accuracy on known shapes: {right:.3f}")

    MODEL.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        net, (x[:2],), MODEL / "model.onnx", input_names=["pixel_values"], output_names=["logits"],
        dynamic_axes={"pixel_values": {0: "batch"}, "logits": {0: "batch"}}, opset_version=17, dynamo=False,
    )
    onnx.checker.check_model(onnx.load(MODEL / "model.onnx"), full_check=True)
    (MODEL / "labels.txt").write_text("\n".join(KNOWN) + "\n")

    shutil.rmtree(DATA, ignore_errors=True)
    for part, count in (("train", 40), ("heldout", 12)):
        for name in NEW:
            folder = DATA / part / name
            folder.mkdir(parents=True)
            for i in range(count):
                draw(name, random).save(folder / f"{name}-{i:02}.png", optimize=True)


if __name__ == "__main__":
    main()
