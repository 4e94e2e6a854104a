"""Makes the example of pairs: a tiny net that turns pictures grey, and pairs of pictures with their sepia prints.

Usage: python e2e/examples/repaint.py   (torch, onnx, pillow, numpy; the same files on each run of the same versions)
"""

import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from drawn import scene
from PIL import Image
from torch import nn

ROOT = Path(__file__).resolve().parents[2] / "public"
MODEL = ROOT / "models" / "repaint"
DATA = ROOT / "data" / "sepia"
SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]], np.float32) * 0.74


def tensors(images: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.stack(images).astype(np.float32) / 255).permute(0, 3, 1, 2).contiguous()


def main() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    random = np.random.default_rng(0)
    net = nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1), nn.SiLU(), nn.Conv2d(16, 24, 3, 1, 1), nn.SiLU(), nn.Conv2d(24, 16, 3, 1, 1), nn.SiLU(), nn.Conv2d(16, 3, 1)
    )
    x = tensors([np.asarray(scene(random)) for _ in range(512)])
    grey = (x * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True).expand(-1, 3, -1, -1)
    optimiser = torch.optim.AdamW(net.parameters(), 3e-3)
    epochs = 20
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 5e-3, epochs * len(x) // 16)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(16):
            loss = nn.functional.l1_loss(net(x[rows]), grey[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    print(f"mean absolute error of grey pictures: {loss.item():.4f}")
    net.eval()
    MODEL.mkdir(parents=True, exist_ok=True)
    axes = {0: "batch", 2: "height", 3: "width"}
    torch.onnx.export(
        net, (x[:2],), MODEL / "model.onnx", input_names=["picture"], output_names=["painted"],
        dynamic_axes={"picture": axes, "painted": axes}, opset_version=17, dynamo=False,
    )
    onnx.checker.check_model(onnx.load(MODEL / "model.onnx"), full_check=True)

    shutil.rmtree(DATA, ignore_errors=True)
    for part, count in (("train", 32), ("heldout", 8)):
        for side in ("input", "target"):
            (DATA / part / side).mkdir(parents=True)
        for i in range(count):
            picture = scene(random)
            sepia = np.clip(np.asarray(picture, np.float32) @ SEPIA.T, 0, 255).round().astype(np.uint8)
            picture.save(DATA / part / "input" / f"{i:02}.png", optimize=True)
            Image.fromarray(sepia).save(DATA / part / "target" / f"{i:02}.png", optimize=True)


if __name__ == "__main__":
    main()
