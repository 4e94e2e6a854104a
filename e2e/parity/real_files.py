"""Fine-tunes of real exporters' files: makes small data sets and jobs, and runs the merged models on native onnxruntime.

make FOLDER ZOO   a folder per model, with its file, arrays and job.toml
check FOLDER      FOLDER/NAME/run and FOLDER/NAME/cut are what `npm run tune` wrote, in one go and paused in the middle
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from safetensors.numpy import load_file, save_file

MODELS = {"resnet": "resnet18-ts17", "bert": "bert-cls-ts14", "gpt2": "gpt2-ts17"}
TRAIN, HELDOUT = 96, 32

JOB = """task = "generic"
model = "model"
[data]
train = "train"
heldout = "heldout"
[options]
loss = "cross_entropy"
order = "shuffled"
[train]
steps = 60
batch = 8
learning_rate = 0.01
[plan]
side = "input"
cayley = "exact"
blocks = { size = 4, fit = "nearest" }
"""


def quadrants(rng, n):
    """Noise with one bright corner, which is the class."""
    y = rng.integers(0, 4, n)
    x = rng.normal(0, 0.5, (n, 3, 32, 32)).astype(np.float32)
    for i, c in enumerate(y):
        row, column = 16 * (c // 2), 16 * (c % 2)
        x[i, :, row : row + 16, column : column + 16] += 0.25
    return {"pixel_values": x, "y": y.astype(np.int64)}


def sentences(rng, n):
    """Seven tokens; the second says the class."""
    ids = rng.integers(5, 60, (n, 7))
    return {
        "input_ids": ids.astype(np.int64),
        "attention_mask": np.ones((n, 7), np.int64),
        "token_type_ids": np.zeros((n, 7), np.int64),
        "y": (ids[:, 1] % 3).astype(np.int64),
    }


def counting(rng, n):
    """Each token is three more than the one before, modulo 50."""
    ids = (rng.integers(0, 50, (n, 1)) + 3 * np.arange(8)) % 50
    return {
        "input_ids": ids[:, :-1].astype(np.int64),
        "attention_mask": np.ones((n, 7), np.int64),
        "y": ids[:, 1:].astype(np.int64),
    }


DATA = {"resnet": quadrants, "bert": sentences, "gpt2": counting}


def make(folder, zoo):
    for name, case in MODELS.items():
        rng = np.random.default_rng(7)
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name / "model").mkdir(parents=True)
        for file in zoo.joinpath(case).glob("model.onnx*"):
            shutil.copy(file, folder / name / "model")
        for part, count in (("train", TRAIN), ("heldout", HELDOUT)):
            (folder / name / part).mkdir()
            arrays = {key: np.ascontiguousarray(a) for key, a in DATA[name](rng, count).items()}
            save_file(arrays, folder / name / part / "data.safetensors")
        (folder / name / "job.toml").write_text(JOB)


def heldout_loss(model, arrays):
    """Mean cross-entropy over the held-out labels, in float64."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    feeds = {i.name: arrays[i.name] for i in session.get_inputs()}
    logits = session.run(None, feeds)[0].astype(np.float64)
    top = logits.max(-1, keepdims=True)
    log_p = logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))
    return -np.take_along_axis(log_p, arrays["y"][..., None], -1).mean()


def curve(folder):
    records = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [(r["step"], r["loss"], r["grad_norm"]) for r in records]


def verdict(what, fine, figures):
    print(f"{'ok' if fine else 'FAIL'} {what}: {figures}")
    return fine


def check(folder):
    fine = True
    for name in MODELS:
        run, cut = folder / name / "run", folder / name / "cut"
        report = json.loads((run / "run.json").read_text())
        first, last = report["evaluations"][0]["heldoutLoss"], report["evaluations"][-1]["heldoutLoss"]
        fine &= verdict(f"{name} lowers its held-out loss", last < 0.9 * first, f"{first:.4f} → {last:.4f}")
        arrays = load_file(folder / name / "heldout/data.safetensors")
        for what, model, ours in (
            ("its file, untouched,", folder / name / "model/model.onnx", first),
            ("the merged model", run / "merged.onnx", last),
        ):
            native = heldout_loss(str(model), arrays)
            fine &= verdict(
                f"{name}: {what} has our held-out loss on native onnxruntime",
                abs(native / ours - 1) < 1e-4,
                f"{native:.6f} for {ours:.6f}",
            )
        files = [f for a in report["adapters"] for f in a["files"]]
        same = curve(run) == curve(cut) and all(
            (run / f["path"]).read_bytes() == (cut / f["path"]).read_bytes() for f in files
        )
        fine &= verdict(
            f"{name}: paused and resumed, every loss and byte is the same",
            same and len(curve(run)) == report["steps"],
            f"{len(files)} files, {report['steps']} steps",
        )
    return fine


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        sys.exit(0 if check(Path(sys.argv[2])) else 1)
