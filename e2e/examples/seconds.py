"""
Makes the data of the second examples: the models of the first ones learn something else. Hearts, drops and bolts, letters sorted by
what they ask, stories with an echo, pictures by moonlight, and waves of inputs that were turned.

Usage: python e2e/examples/seconds.py   (numpy, pillow, safetensors; the same files on each run of the same versions)
"""

import csv
import json
import math
import random
import shutil
from pathlib import Path

import numpy as np
from drawn import scene, shape
from PIL import Image
from safetensors.numpy import save_file
from told import HOW, PLACE, THING, TOPICS, WHO, COLOUR, letter

DATA = Path(__file__).resolve().parents[2] / "public" / "data"

SIGNS = ["bolt", "drop", "heart"]
# In words of the letters that the model has read: what it never read has no place in it that rotations could turn.
ASKED = {
    "place": [
        "where do i find {x} ?", "is {x} there , too ?", "do you know where {x} is ?", "where can i see {x} ?", "i do not know where {x} was , do you ?",
    ],
    "price": [
        "how much is {x} ?", "is {x} too expensive ?", "how much money is {x} ?", "do i want too much money back for {x} ?", "is {x} expensive ?",
    ],
    "time": [
        "when can i see {x} ?", "when will you tell me about {x} ?", "is {x} late on sunday ?", "when is {x} there again ?", "on what day is {x} ?",
    ],
}
MOONLIGHT = np.outer([0.45, 0.55, 0.9], [0.299, 0.587, 0.114]).astype(np.float32)
TURN = math.radians(35)


def emptied(name: str, part: str) -> Path:
    folder = DATA / name / part
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def signs() -> None:
    r = np.random.default_rng(10)
    for part, count in (("train", 40), ("heldout", 12)):
        folder = emptied("signs", part)
        for name in SIGNS:
            (folder / name).mkdir()
            for i in range(count):
                shape(name, r).save(folder / name / f"{name}-{i:02}.png", optimize=True)


def questions() -> None:
    r = random.Random(11)
    seen: set[str] = set()
    for part, count in (("train", 300), ("heldout", 60)):
        rows = []
        while len(rows) < count:
            asked = r.choice(list(ASKED))
            text = letter(r, r.choice(ASKED[asked]), r.choice(list(TOPICS)))
            if text not in seen:
                rows.append((text, asked))
                seen.add(text)
        with (emptied("questions", part) / "questions.csv").open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([("text", "label"), *rows])


def echo(r: random.Random) -> str:
    """A short story that says its last words again."""
    who, how, thing, colour, place = map(r.choice, (WHO, HOW, THING, COLOUR, PLACE))
    other = r.choice([w for w in WHO if w != who])
    return r.choice(
        [
            f"the {how} {who}, the {how} {who}, found a {colour} {thing}, a {colour} {thing}, in the {place}, in the {place}.",
            f"a {who} and a {other}, and a {other}, looked for the {colour} {thing}, the {colour} {thing}.",
            f"the {how} {who}, the {how} {who}, gave the {thing}, the {thing}, to the {other}, to the {other}.",
        ]
    )


def echoes() -> None:
    r = random.Random(12)
    for part, count in (("train", 120), ("heldout", 30)):
        lines = [json.dumps({"text": echo(r)}) for _ in range(count)]
        (emptied("echoes", part) / "stories.jsonl").write_text("\n".join(lines) + "\n")


def moonlight() -> None:
    r = np.random.default_rng(13)
    for part, count in (("train", 32), ("heldout", 8)):
        folder = emptied("moonlight", part)
        for kind in ("input", "target"):
            (folder / kind).mkdir()
        for i in range(count):
            picture = scene(r)
            night = np.clip(np.asarray(picture, np.float32) @ MOONLIGHT.T, 0, 255).round().astype(np.uint8)
            picture.save(folder / "input" / f"{i:02}.png", optimize=True)
            Image.fromarray(night).save(folder / "target" / f"{i:02}.png", optimize=True)


def waves() -> None:
    """What e2e/examples/waves.py calls so, of inputs turned in the planes of the first and third, and of the second and fourth."""
    r = np.random.default_rng(14)
    c, s = math.cos(TURN), math.sin(TURN)
    turn = np.array([[c, 0, -s, 0], [0, c, 0, -s], [s, 0, c, 0], [0, s, 0, c]])
    for part, count in (("train", 512), ("heldout", 128)):
        given = r.uniform(-1.4, 1.4, (count, 4))
        x = given @ turn.T
        y = np.stack([np.sin(x[:, 0] + x[:, 1]), np.cos(x[:, 2] - x[:, 3]) * x[:, 0]], 1)
        arrays = {"x": given.astype(np.float32), "y": y.astype(np.float32)}
        save_file(arrays, emptied("waves-aside", part) / "waves.safetensors")


if __name__ == "__main__":
    signs()
    questions()
    echoes()
    moonlight()
    waves()
