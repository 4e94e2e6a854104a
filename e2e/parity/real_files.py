"""Fine-tunes of real exporters' files: makes small data sets and jobs, and runs the merged models on native onnxruntime.

make FOLDER ZOO   a folder per model, with its file, data and job.toml
check FOLDER      FOLDER/NAME/run and, where it is there, FOLDER/NAME/cut are what `npm run tune` wrote, in one go and paused in the middle
"""

import json
import shutil
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import onnxruntime

TRAIN, HELDOUT = 96, 32

JOB = """task = "{task}"
model = "model"
[data]
train = "train"
heldout = "heldout"
[options]
{options}
[train]
steps = 60
batch = 8
learning_rate = 0.01
[plan]
side = "input"
cayley = "exact"
blocks = {{ size = 4, fit = "nearest" }}
"""


def png(path, pixels):
    """8-bit RGB [height, width, 3] as a PNG file."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width, _ = pixels.shape
    lines = b"".join(b"\0" + row.tobytes() for row in pixels)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )


def word_tokenizer(folder, count, around):
    """A word w0, w1 … for each token. around: [CLS] and [SEP] are put around a text, else </s> ends it."""
    names = ["[CLS]", "[SEP]", "[PAD]"] if around else ["</s>"]
    vocab = {name: i for i, name in enumerate(names)}
    vocab |= {f"w{i}": i for i in range(len(names), count)}
    file = {
        "version": "1.0",
        "added_tokens": [
            {"id": i, "content": name, "special": True, "normalized": False}
            | {"single_word": False, "lstrip": False, "rstrip": False}
            for i, name in enumerate(names)
        ],
        "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
            ],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {
                name: {"id": name, "ids": [i], "tokens": [name]} for i, name in enumerate(names)
            },
        }
        if around
        else None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": names[-1]},
    }
    config = {"pad_token": "[PAD]"} if around else {"eos_token": "</s>"}
    (folder / "tokenizer.json").write_text(json.dumps(file))
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def log_softmax(logits):
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def classified(scores, labels):
    """Loss, accuracy and (macro) F1 of scores [N, classes]."""
    labels = np.array(labels)
    got = scores.argmax(-1)
    f1 = []
    for c in sorted({*labels, *got}):
        hits = ((labels == c) & (got == c)).sum()
        f1.append(2 * hits / (2 * hits + ((labels == c) != (got == c)).sum()))
    return {
        "loss": -log_softmax(scores)[np.arange(len(labels)), labels].mean(),
        "accuracy": (got == labels).mean(),
        "F1": np.mean(f1),
    }


class Resnet:
    """Noise with one bright corner, which is the class: folders of pictures, and a new head of four classes for the file's five."""

    zoo, task, options = "resnet18-ts17", "image-classification", 'head = "new"\nside = 32\nnormalise = "imagenet"'
    judges_untouched = False

    @staticmethod
    def examples(rng, count):
        for i in range(count):
            label = i % 4
            x = rng.normal(110, 45, (32, 32, 3))
            row, column = 16 * (label // 2), 16 * (label % 2)
            x[row : row + 16, column : column + 16] += 30
            yield x.clip(0, 255).astype(np.uint8), label

    @classmethod
    def write(cls, folder, rng, count):
        for i, (pixels, label) in enumerate(cls.examples(rng, count)):
            png(folder / f"corner{label}" / f"{i}.png", pixels)

    @staticmethod
    def beside(folder):
        """Nothing lies beside the model."""

    @classmethod
    def judge(cls, session, rng, count):
        pixels, labels = zip(*cls.examples(rng, count), strict=True)
        mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
        x = ((np.stack(pixels) / 255 - mean) / std).transpose(0, 3, 1, 2).astype(np.float32)
        return classified(session.run(None, {"pixel_values": x})[0], labels)


class Bert:
    """Each class has its own words, in texts of several lengths: a table, and the file's own head."""

    zoo, task, options = "bert-cls-ts14", "text-classification", 'head = "keep"'
    judges_untouched = True

    @staticmethod
    def examples(rng, count):
        for _ in range(count):
            label = int(rng.integers(0, 3))
            yield rng.integers(5 + 18 * label, 23 + 18 * label, rng.integers(3, 8)), label

    @classmethod
    def write(cls, folder, rng, count):
        folder.mkdir(parents=True)
        rows = [f"{' '.join(f'w{w}' for w in words)},kind{label}" for words, label in cls.examples(rng, count)]
        (folder / "data.csv").write_text("\n".join(["text,label", *rows]) + "\n")

    @staticmethod
    def beside(folder):
        word_tokenizer(folder, 60, around=True)
        (folder / "labels.txt").write_text("kind0\nkind1\nkind2\n")

    @classmethod
    def judge(cls, session, rng, count):
        scores, labels = [], []
        for words, label in cls.examples(rng, count):
            # One by one: padding must make no difference.
            ids = np.array([[0, *words, 1]])
            feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
            scores.append(session.run(None, feeds)[0][0])
            labels.append(label)
        return classified(np.stack(scores), labels)


class Gpt2:
    """Each word is three more than the one before, modulo 50, in texts of several lengths."""

    zoo, task, options = "gpt2-ts17", "language", "length = 9\npacking = false\nnew_tokens = 4"
    judges_untouched = True

    @staticmethod
    def examples(rng, count):
        for _ in range(count):
            yield 1 + (rng.integers(0, 50) + 3 * np.arange(rng.integers(4, 9))) % 50

    @classmethod
    def write(cls, folder, rng, count):
        folder.mkdir(parents=True)
        rows = [json.dumps({"text": " ".join(f"w{w}" for w in words)}) for words in cls.examples(rng, count)]
        (folder / "data.jsonl").write_text("\n".join(rows) + "\n")

    @staticmethod
    def beside(folder):
        word_tokenizer(folder, 200, around=False)

    @classmethod
    def judge(cls, session, rng, count):
        lost = []
        for words in cls.examples(rng, count):
            ids = np.array([[*words, 0]])
            feeds = {"input_ids": ids[:, :-1], "attention_mask": np.ones_like(ids[:, :-1])}
            log_p = log_softmax(session.run(None, feeds)[0][0])
            lost.extend(-log_p[np.arange(len(words)), ids[0, 1:]])
        # Every token counts alike, whatever text it is in.
        return {"loss": np.mean(lost), "perplexity": np.exp(np.mean(lost))}


MODELS = {"resnet": Resnet, "bert": Bert, "gpt2": Gpt2}
SEEDS = {"train": (7, TRAIN), "heldout": (8, HELDOUT)}


def make(folder, zoo):
    for name, case in MODELS.items():
        shutil.rmtree(folder / name, ignore_errors=True)
        model = folder / name / "model"
        model.mkdir(parents=True)
        for file in zoo.joinpath(case.zoo).glob("model.onnx*"):
            shutil.copy(file, model)
        case.beside(model)
        for part, (seed, count) in SEEDS.items():
            case.write(folder / name / part, np.random.default_rng(seed), count)
        (folder / name / "job.toml").write_text(JOB.format(task=case.task, options=case.options))


def natively(case, model):
    """The measures of held-out data."""
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    seed, count = SEEDS["heldout"]
    return case.judge(session, np.random.default_rng(seed), count)


def measures(evaluation):
    return {"loss": evaluation["heldoutLoss"]} | {m["name"]: m["value"] for m in evaluation["metrics"]}


def curve(folder):
    records = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [(r["step"], r["loss"], r["grad_norm"]) for r in records]


def verdict(what, fine, figures):
    print(f"{'ok' if fine else 'FAIL'} {what}: {figures}")
    return fine


def check(folder):
    paused = [name for name in MODELS if (folder / name / "cut").exists()]
    fine = verdict("some runs were paused in the middle", bool(paused), ", ".join(paused) or "none")
    for name, case in MODELS.items():
        run, cut = folder / name / "run", folder / name / "cut"
        report = json.loads((run / "run.json").read_text())
        first, last = (measures(report["evaluations"][i]) for i in (0, -1))
        fine &= verdict(
            f"{name} lowers its held-out loss",
            last["loss"] < 0.9 * first["loss"],
            f"{first['loss']:.4f} → {last['loss']:.4f}",
        )
        judged = [("the merged model", run / "merged.onnx", last)]
        if case.judges_untouched:
            judged.append(("its file, untouched,", folder / name / "model/model.onnx", first))
        for what, model, ours in judged:
            native = natively(case, model)
            fine &= verdict(
                f"{name}: {what} has the page's own measures on native onnxruntime",
                # A measure that the page has and nothing here repeats would go unseen.
                ours.keys() - {"accuracy by class"} <= native.keys()
                and all(abs(native[key] / value - 1) < 1e-4 for key, value in ours.items() if key in native),
                ", ".join(f"{key} {native[key]:.6f} for {value:.6f}" for key, value in ours.items() if key in native),
            )
        if name not in paused:
            continue
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
