"""Writes resampled.json: a pattern that Pillow scaled, for the tests of resample.ts. Run with Pillow and numpy installed: python make_resampled.py"""
import json
from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 61, 43
CASES = [
    ((16, 16), (9, 0, 52, 43)), ((7, 5), (0, 0, 61, 43)), ((26, 20), (2.55, 0, 58.45, 43)), ((61, 20), (0, 1.5, 61, 41.5)),
    ((80, 90), (11.3, 0, 49.5, 43)), ((61, 43), (0, 0, 61, 43)),
]


def pattern():
    """Rings that grow finer, out of step in the three channels, as resample.test.ts makes them."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.int64)
    return np.stack([((x * x + y * y) * k // 8 + x * c) % 256 for c, k in enumerate((3, 5, 11))], -1).astype(np.uint8)


if __name__ == "__main__":
    image = Image.fromarray(pattern())
    cases = [
        {"size": size, "box": box, "rgb": np.asarray(image.resize(size, Image.BICUBIC, box=box)).ravel().tolist()}
        for size, box in CASES
    ]
    for case in cases:
        if case["size"][0] * case["size"][1] > 600:
            case["rgb"] = case["rgb"][:900]
    Path(__file__).with_name("resampled.json").write_text(json.dumps(cases) + "\n")
