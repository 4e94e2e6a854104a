"""Makes the example of image classification: a tiny net that knows six shapes, and pictures of three that it has never seen.

Usage: python e2e/examples/shapes.py   (torch, onnx, pillow, numpy; the same files on each run of the same versions)
"""

import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from drawn import SIDE, shape
from PIL import Image
from torch import nn

ROOT = Path(__file__).resolve().parents[2] / "public"
MODEL = ROOT / "models" / "shapes"
DATA = ROOT / "data" / "new-shapes"
KNOWN = ["arrow", "circle", "cross", "half", "square", "triangle"]
NEW = ["moon", "ring", "star"]


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
    x = tensors([shape(KNOWN[k], random) for k in labels])
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
        right = (net(tensors([shape(KNOWN[k], random) for k in held])).argmax(1).numpy() == held).mean()
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
                shape(name, random).save(folder / f"{name}-{i:02}.png", optimize=True)


if __name__ == "__main__":
    main()
