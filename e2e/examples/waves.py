"""Makes the example of the generic task: a small perceptron that knows two waves, and the same waves turned by 40 degrees.

Usage: python e2e/examples/waves.py   (torch, onnx, safetensors, numpy; the same files on each run of the same versions)
"""

import math
import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from safetensors.numpy import save_file
from torch import nn

ROOT = Path(__file__).resolve().parents[2] / "public"
MODEL = ROOT / "models" / "waves"
DATA = ROOT / "data" / "turned-waves"


def waves(x: torch.Tensor) -> torch.Tensor:
    return torch.stack([torch.sin(x[:, 0] + x[:, 1]), torch.cos(x[:, 2] - x[:, 3]) * x[:, 0]], 1)


def main() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    net = nn.Sequential(nn.Linear(4, 48), nn.GELU(), nn.Linear(48, 48), nn.GELU(), nn.Linear(48, 2))
    x = torch.rand(4096, 4) * 4 - 2
    y = waves(x)
    optimiser = torch.optim.AdamW(net.parameters(), 3e-3)
    epochs = 60
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, epochs * len(x) // 64)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            loss = nn.functional.mse_loss(net(x[rows]), y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    print(f"squared error: {loss.item():.5f}")
    MODEL.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        net, (x[:2],), MODEL / "model.onnx", input_names=["x"], output_names=["waves"],
        dynamic_axes={"x": {0: "batch"}, "waves": {0: "batch"}}, opset_version=17, dynamo=False,
    )
    onnx.checker.check_model(onnx.load(MODEL / "model.onnx"), full_check=True)

    shutil.rmtree(DATA, ignore_errors=True)
    angle = math.radians(40)
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    for part, count in (("train", 512), ("heldout", 128)):
        (DATA / part).mkdir(parents=True)
        inputs = torch.rand(count, 4) * 4 - 2
        arrays = {"x": inputs.numpy(), "y": np.ascontiguousarray((waves(inputs) @ turn.T).numpy())}
        save_file(arrays, DATA / part / "waves.safetensors")


if __name__ == "__main__":
    main()
