"""Runs Rotune's training steps on native onnxruntime, and compares loss, gradient norm and the next state with onnxruntime-web's.

    python steps.py FOLDER

FOLDER is what steps.ts filled. Prints `ok` or `FAIL` lines; exit status 1 if anything failed.
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime
from safetensors.numpy import load_file

# Relative to the largest entry: float32 kernels that add in different orders.
LOSS = 1e-5
# AdamW's first steps are lr·sign(gradient): a number whose gradient is all rounding may step the other way. Moments have no such edge.
MOMENT = 1e-5
# Of all numbers together, relative to how far they moved (root of the sum of squares).
MOVED = 1e-4
STEPS = 2

failures = 0


def report(passed: bool, text: str) -> None:
    global failures
    failures += not passed
    print("ok  " if passed else "FAIL", text, flush=True)


def apart(got: np.ndarray, want: np.ndarray) -> float:
    return float(np.abs(got.astype(np.float64) - want).max() / max(np.abs(want).max(), 1e-30))


def check(folder: Path) -> None:
    tensors = load_file(folder / "tensors.safetensors")
    session = onnxruntime.InferenceSession(folder / "step.onnx", providers=["CPUExecutionProvider"])
    feeds = {i.name: tensors[f"feed.{i.name}"] for i in session.get_inputs() if i.name != "schedule"}
    names = [o.name for o in session.get_outputs()]
    start = feeds["theta"]
    for step in range(STEPS):
        out = dict(zip(names, session.run(None, {**feeds, "schedule": tensors[f"schedule.{step}"]})))
        for read in ("loss", "grad_norm"):
            difference = apart(out[read], tensors[f"want.{read}.{step}"])
            report(difference <= LOSS, f"{folder.name}, step {step + 1}, {read}: {difference:.1e} apart")
        for name in list(feeds):
            if f"{name}_next" in out:
                feeds[name] = out[f"{name}_next"]
    for name in ("m", "v"):
        difference = apart(feeds[name], tensors[f"want.state.{name}"])
        report(difference <= MOMENT, f"{folder.name}, {name}: {difference:.1e} apart")
    want = tensors["want.state.theta"].astype(np.float64)
    moved = np.linalg.norm(want - start)
    difference = np.linalg.norm(feeds["theta"] - want) / moved
    report(moved > 0 and difference <= MOVED, f"{folder.name}, update: {difference:.1e} apart")


for folder in sorted(Path(sys.argv[1]).iterdir()):
    check(folder)
sys.exit(1 if failures else 0)
